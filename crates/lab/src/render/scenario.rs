//! A scenario, as the test helper shows it. This object is ours and does not exist at Stripe.

use model::clock::AccountTime;
use model::id::{AccountId, InstitutionId, ScenarioId};
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

/// The fields of a scenario that the API shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShownScenario<'a> {
    /// Its id.
    pub(crate) id: ScenarioId,
    /// The time of creation.
    pub(crate) created: AccountTime,
    /// The name in its file.
    pub(crate) name: &'a str,
    /// The description in its file.
    pub(crate) description: &'a str,
    /// Its banks.
    pub(crate) banks: &'a [ScenarioBank<'a>],
    /// Its file, if the call shows it.
    pub(crate) text: Option<&'a str>,
}

/// Writes a scenario.
pub(crate) fn write(writer: &mut JsonWriter, scenario: &ShownScenario<'_>) {
    writer.object(|w| {
        w.key("id").plain(scenario.id.text().as_str());
        w.key("object").plain("bankfeed.scenario");
        w.key("created").integer(scenario.created.0);
        w.key("description").string(scenario.description);
        w.key("institutions").array(|w| {
            for bank in scenario.banks {
                w.object(|w| {
                    w.key("id").plain(bank.id.text().as_str());
                    w.key("accounts").strings(bank.accounts.iter().copied());
                    w.key("name").string(bank.name);
                });
            }
        });
        w.key("livemode").boolean(false);
        w.key("name").string(scenario.name);
        if let Some(text) = scenario.text {
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
