//! A scenario, as the test helper shows it. This object is ours and does not exist at Stripe.

use crate::scenario::Scenario;
use model::clock::AccountTime;
use model::id::{AccountId, InstitutionId};
use wire::json::JsonWriter;

/// A bank of a scenario.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScenarioBank<'a> {
    /// Its id.
    pub(crate) id: InstitutionId,
    /// The name that selects it in a link.
    pub(crate) name: &'a str,
    /// The names of its accounts.
    pub(crate) accounts: &'a [&'a str],
}

/// Writes a scenario. `named` is its name and description. `text` is its file, if it is shown.
pub(crate) fn write(
    writer: &mut JsonWriter,
    scenario: &Scenario,
    named: (&str, &str),
    banks: &[ScenarioBank<'_>],
    text: Option<&str>,
) {
    writer.object(|w| {
        w.key("id").plain(scenario.id.text().as_str());
        w.key("object").plain("bankfeed.scenario");
        w.key("created").integer(scenario.created.0);
        w.key("description").string(named.1);
        w.key("institutions").array(|w| {
            for bank in banks {
                w.object(|w| {
                    w.key("id").plain(bank.id.text().as_str());
                    w.key("accounts").strings(bank.accounts.iter().copied());
                    w.key("name").string(bank.name);
                });
            }
        });
        w.key("livemode").boolean(false);
        w.key("name").string(named.0);
        if let Some(text) = text {
            w.key("scenario").string(text);
        }
    });
}

/// Writes the history of an account up to a time, as the text of a scenario.
pub(crate) fn write_export(
    writer: &mut JsonWriter,
    account: AccountId,
    as_of: AccountTime,
    text: &str,
) {
    writer.object(|w| {
        w.key("object").plain("bankfeed.scenario_export");
        w.key("account").plain(account.text().as_str());
        w.key("as_of").integer(as_of.0);
        w.key("livemode").boolean(false);
        w.key("scenario").string(text);
    });
}
