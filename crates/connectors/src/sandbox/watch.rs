//! Changes to an account that a test bank makes on its own: it ends the access, closes the account
//! or lets its number expire. They are a pure function of the kind of account, the times of the
//! first and last link, and the time.

use super::catalogue::{Access, Number, TestAccount};
use crate::interface::Watch;
use model::account::{
    AccountNumber, ExpectedCause, ExpectedDeactivation, InactiveCause, NumberStatus, NumberType,
    StatusAction,
};
use model::clock::{AccountTime, DAY_S};

/// The time between a link and a change "shortly after" it, in the account's time.
const SHORTLY_S: i64 = 60;
/// The time between the announcement of an end and the end.
pub(super) const ANNOUNCED_S: i64 = 30 * DAY_S;
/// The duration of access and tokens that last a month.
const MONTH_S: i64 = 30 * DAY_S;

/// The times at which an account was linked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Linked {
    pub(super) first: AccountTime,
    /// The newest link, equal to `first` if there was one link only.
    pub(super) last: AccountTime,
}

impl Linked {
    fn again(self) -> bool {
        self.last > self.first
    }
}

/// An end of the access.
struct End {
    at: AccountTime,
    cause: InactiveCause,
    action: StatusAction,
    /// The expected cause, if the bank announces the end.
    expected: Option<ExpectedCause>,
}

/// The state of the access and the number at a time, and the time of the next change.
pub(super) fn watch(account: &TestAccount, linked: Linked, now: AccountTime) -> Watch {
    let mut changes: Vec<AccountTime> = Vec::new();
    let end = end(account.access, linked);
    let lost = end.as_ref().filter(|end| end.at <= now).map(|end| (end.cause, end.action));
    let mut expected_deactivation = None;
    if let Some(end) = end.filter(|end| end.at > now) {
        changes.push(end.at);
        if let Some(cause) = end.expected {
            let announced_at = end.at.plus(-ANNOUNCED_S);
            changes.push(announced_at);
            expected_deactivation = Some(ExpectedDeactivation {
                at: end.at,
                cause,
                action: end.action,
                announced: announced_at <= now,
            });
        }
    }
    let number = account.payable.then(|| number(account.number, linked, now));
    if let Some(expiry) = number.and_then(|number| number.expected_expiry_at) {
        changes.extend([expiry, expiry.plus(-ANNOUNCED_S)]);
    }
    Watch {
        lost,
        expected_deactivation,
        account_numbers: number.into_iter().collect(),
        next_change_at: changes.into_iter().filter(|change| *change > now).min(),
    }
}

fn end(access: Access, linked: Linked) -> Option<End> {
    let relink = StatusAction::RelinkRequired;
    let login = InactiveCause::InstitutionRequirement;
    let expected = Some(ExpectedCause::InstitutionRequirement);
    let shortly = linked.first.plus(SHORTLY_S);
    match access {
        Access::Lasting => None,
        Access::LostAtLink(cause, action) => {
            (!linked.again()).then_some(End { at: linked.first, cause, action, expected: None })
        }
        Access::LostOnce => (!linked.again()).then_some(End {
            at: shortly,
            cause: InactiveCause::AccessExpired,
            action: relink,
            expected: None,
        }),
        Access::LostDaily if !linked.again() => {
            Some(End { at: shortly, cause: login, action: relink, expected: None })
        }
        Access::LostDaily => {
            Some(End { at: linked.last.plus(DAY_S), cause: login, action: relink, expected })
        }
        Access::LostMonthly => {
            Some(End { at: linked.last.plus(MONTH_S), cause: login, action: relink, expected })
        }
    }
}

fn number(number: Number, linked: Linked, now: AccountTime) -> AccountNumber {
    let expiry = match number {
        Number::Permanent => None,
        Number::TokenExpired => (!linked.again()).then_some(linked.first),
        Number::TokenMonthly => Some(linked.last.plus(MONTH_S)),
        Number::TokenMinute => Some(linked.last.plus(SHORTLY_S)),
    };
    let expired = expiry.is_some_and(|expiry| expiry <= now);
    AccountNumber {
        expected_expiry_at: expiry,
        identifier_type: if number == Number::Permanent {
            NumberType::AccountNumber
        } else {
            NumberType::TokenizedAccountNumber
        },
        status: match number {
            // The guide to testing says `deactivated` here. It was written before the status
            // `expired` existed.
            Number::TokenExpired if expired => NumberStatus::Deactivated,
            _ if expired => NumberStatus::Expired,
            _ => NumberStatus::Transactable,
        },
        announced: expiry.is_some_and(|expiry| expiry.plus(-ANNOUNCED_S) <= now),
    }
}
