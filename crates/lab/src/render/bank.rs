//! The bank's side of a test account, as test helpers show it: its ledger and its scripted
//! outcomes. These objects are ours and do not exist at Stripe.

use model::Word;
use model::bank::{Balance, BankOwner, Feature};
use model::clock::AccountTime;
use model::id::AccountId;
use model::money::Currency;
use model::refresh::RefreshCause;
use model::transaction::TransactionStatus;
use wire::json::JsonWriter;

/// A transaction in the bank's ledger.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BookEntry<'a> {
    /// The bank's own id.
    pub(crate) bank_id: &'a str,
    /// The amount in minor units. Negative is money out.
    pub(crate) amount: i64,
    /// The currency of `amount`.
    pub(crate) currency: Currency,
    /// The bank's text.
    pub(crate) description: &'a str,
    /// The state.
    pub(crate) status: TransactionStatus,
    /// The time of the transaction.
    pub(crate) transacted_at: AccountTime,
    /// The time of posting.
    pub(crate) posted_at: Option<AccountTime>,
    /// The time of removal.
    pub(crate) void_at: Option<AccountTime>,
    /// The time from which the bank shows it.
    pub(crate) visible_from: AccountTime,
}

/// The scripted outcome of future refreshes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScriptedRefresh {
    /// The only feature that it applies to. `None` for all.
    pub(crate) feature: Option<Feature>,
    /// The cause of the failure. `None` for a success.
    pub(crate) cause: Option<RefreshCause>,
    /// The delay in seconds.
    pub(crate) delay_s: i64,
    /// The number of refreshes that it applies to.
    pub(crate) times: u32,
}

/// Writes a transaction of the bank's ledger.
pub(crate) fn write_entry(writer: &mut JsonWriter, entry: &BookEntry<'_>) {
    writer.object(|w| {
        w.key("id").string(entry.bank_id);
        w.key("object").plain("bankfeed.bank_transaction");
        w.key("amount").integer(entry.amount);
        w.key("currency").plain(entry.currency.as_str());
        w.key("description").string(entry.description);
        w.key("status").plain(entry.status.word());
        w.key("status_transitions").object(|w| {
            w.key("posted_at").optional_integer(entry.posted_at.map(|at| at.0));
            w.key("void_at").optional_integer(entry.void_at.map(|at| at.0));
        });
        w.key("transacted_at").integer(entry.transacted_at.0);
        w.key("visible_from").integer(entry.visible_from.0);
    });
}

/// Writes a page of the ledger of the bank, and true if more entries follow.
pub(crate) fn write_ledger<'a>(
    writer: &mut JsonWriter,
    account: AccountId,
    now: AccountTime,
    (entries, has_more): (impl Iterator<Item = BookEntry<'a>>, bool),
    balance: &Balance,
    owners: &[BankOwner],
) {
    writer.object(|w| {
        w.key("object").plain("bankfeed.ledger");
        w.key("account").plain(account.text().as_str());
        w.key("as_of").integer(now.0);
        w.key("balance");
        write_balance(w, balance);
        w.key("has_more").boolean(has_more);
        w.key("owners");
        write_owners(w, owners);
        w.key("transactions").array(|w| {
            for entry in entries {
                write_entry(w, &entry);
            }
        });
    });
}

/// Writes a balance as the bank computes it.
pub(crate) fn write_balance(writer: &mut JsonWriter, balance: &Balance) {
    wire::render::connections::account::write_balance(writer, Some(balance));
}

/// Writes owners as the bank knows them.
pub(crate) fn write_owners(writer: &mut JsonWriter, owners: &[BankOwner]) {
    writer.array(|w| {
        for owner in owners {
            w.object(|w| {
                w.key("email").optional_string(owner.email.as_deref());
                w.key("name").string(&owner.name);
                w.key("phone").optional_string(owner.phone.as_deref());
                w.key("raw_address").optional_string(owner.raw_address.as_deref());
            });
        }
    });
}

/// Writes the outcomes of future refreshes.
pub(crate) fn write_scripts(
    writer: &mut JsonWriter,
    account: AccountId,
    scripts: impl Iterator<Item = ScriptedRefresh>,
) {
    writer.object(|w| {
        w.key("object").plain("bankfeed.next_refresh");
        w.key("account").plain(account.text().as_str());
        w.key("queue").array(|w| {
            for script in scripts {
                w.object(|w| {
                    w.key("cause").optional_plain(script.cause.map(Word::word));
                    w.key("delay_seconds").integer(script.delay_s);
                    w.key("feature").optional_plain(script.feature.map(Word::word));
                    let outcome = if script.cause.is_some() { "failed" } else { "succeeded" };
                    w.key("outcome").plain(outcome);
                    w.key("times").integer(i64::from(script.times));
                });
            }
        });
    });
}
