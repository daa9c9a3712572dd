//! What test helpers show of the bank's own side: its books and its scripted outcomes. These objects
//! are ours; Stripe has none like them.

use crate::json::JsonWriter;
use model::Word;
use model::bank::{Balance, BankOwner, Feature};
use model::clock::AccountTime;
use model::id::AccountId;
use model::money::Currency;
use model::refresh::RefreshCause;
use model::transaction::TransactionStatus;

/// A transaction in the bank's own books.
#[derive(Clone, Copy, Debug)]
pub struct BookEntry<'a> {
    /// The bank's own id.
    pub bank_id: &'a str,
    /// Minor units; negative is money out.
    pub amount: i64,
    /// The currency of `amount`.
    pub currency: Currency,
    /// The bank's text.
    pub description: &'a str,
    /// The state.
    pub status: TransactionStatus,
    /// When it took place.
    pub transacted_at: AccountTime,
    /// When it was posted.
    pub posted_at: Option<AccountTime>,
    /// When it vanished.
    pub void_at: Option<AccountTime>,
    /// When the bank first showed it.
    pub visible_from: AccountTime,
}

/// How coming refreshes end.
#[derive(Clone, Copy, Debug)]
pub struct ScriptedRefresh {
    /// Of which feature; of any, when absent.
    pub feature: Option<Feature>,
    /// Why they fail; they succeed without.
    pub cause: Option<RefreshCause>,
    /// How long they take.
    pub delay_s: i64,
    /// How many refreshes it is for.
    pub times: u32,
}

/// Writes a transaction as the bank's books have it.
pub fn write_entry(writer: &mut JsonWriter, entry: &BookEntry<'_>) {
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

/// Writes all that the bank itself would show.
pub fn write_ledger<'a>(
    writer: &mut JsonWriter,
    account: AccountId,
    now: AccountTime,
    entries: impl Iterator<Item = BookEntry<'a>>,
    balance: &Balance,
    owners: &[BankOwner],
) {
    writer.object(|w| {
        w.key("object").plain("bankfeed.ledger");
        w.key("account").plain(account.text().as_str());
        w.key("as_of").integer(now.0);
        w.key("balance");
        write_balance(w, balance);
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
pub fn write_balance(writer: &mut JsonWriter, balance: &Balance) {
    crate::render::connections::account::write_balance(writer, Some(balance));
}

/// Writes owners as the bank knows them.
pub fn write_owners(writer: &mut JsonWriter, owners: &[BankOwner]) {
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

/// Writes the outcomes that wait for coming refreshes.
pub fn write_scripts(
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
