//! What a test bank does to an account by itself: ends the access, closes it, lets its number
//! expire. A pure function of the account's kind, of when it was linked first and last, and of the
//! time. "Shortly after" is [`SHORTLY_S`] in the account's time.

use super::catalogue::{Access, Number, TestAccount};
use crate::Watch;
use model::account::{
    AccountNumber, ExpectedCause, ExpectedDeactivation, InactiveCause, NumberStatus, NumberType,
    StatusAction,
};
use model::clock::{AccountTime, DAY_S};

/// How soon a bank does what it does shortly after a link.
const SHORTLY_S: i64 = 60;
/// How long before an end it is announced.
const ANNOUNCED_S: i64 = 30 * DAY_S;
/// What is linked for a month lasts so long.
const MONTH_S: i64 = 30 * DAY_S;

/// When an account was linked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Linked {
    pub(super) first: AccountTime,
    /// The newest time; equal to `first` when there was one link only.
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
    /// What it is expected for, when the bank tells beforehand.
    expected: Option<ExpectedCause>,
}

/// Tells what the bank has done by a time, and when it does more.
pub(super) fn watch(account: &TestAccount, linked: Linked, now: AccountTime) -> Watch {
    let mut turns: Vec<AccountTime> = Vec::new();
    let end = end(account.access, linked);
    let lost = end.as_ref().filter(|end| end.at <= now).map(|end| (end.cause, end.action));
    let mut expected_deactivation = None;
    if let Some(end) = end.filter(|end| end.at > now) {
        turns.push(end.at);
        if let Some(cause) = end.expected {
            let announced_at = end.at.plus(-ANNOUNCED_S);
            turns.push(announced_at);
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
        turns.extend([expiry, expiry.plus(-ANNOUNCED_S)]);
    }
    Watch {
        lost,
        expected_deactivation,
        account_numbers: number.into_iter().collect(),
        next_change_at: turns.into_iter().filter(|turn| *turn > now).min(),
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
            // As the guide to testing says of it, in words of before there were others.
            Number::TokenExpired if expired => NumberStatus::Deactivated,
            _ if expired => NumberStatus::Expired,
            _ => NumberStatus::Transactable,
        },
        announced: expiry.is_some_and(|expiry| expiry.plus(-ANNOUNCED_S) <= now),
    }
}
