//! Tests of the state machine of subscriptions.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use model::Word;
use model::clock::{AccountTime, DAY_S};
use model::id::PaymentMethodId;
use model::payments::product::Price;
use model::payments::subscription::{INCOMPLETE_AGE_S, Subscription, SubscriptionStatus};
use proptest::prelude::*;
use serde_json::json;
use testkit::objects;

const BEGIN: AccountTime = AccountTime(1_767_225_600);

/// A subscription with this interval, or without items.
fn subscription(interval: Option<&str>) -> Subscription {
    let item = |interval| {
        let given = serde_json::from_value(json!({"recurring": {"interval": interval}})).unwrap();
        objects::subscription_item(Price { given, ..objects::price() })
    };
    Subscription {
        created: BEGIN,
        items: interval.map(item).into_iter().collect(),
        anchor: BEGIN,
        period: (BEGIN, BEGIN),
        ..objects::subscription()
    }
}

/// A step in the life of a subscription.
#[derive(Clone, Copy, Debug)]
enum Step {
    DebitBegun,
    Paid,
    NotPaid,
    Forgiven,
    SetUp,
    Due,
    Cancel,
}

const STEPS: [Step; 7] = [
    Step::DebitBegun,
    Step::Paid,
    Step::NotPaid,
    Step::Forgiven,
    Step::SetUp,
    Step::Due,
    Step::Cancel,
];

/// Takes a step as the engine does. An ended subscription takes only the steps of its intents.
fn take(subscription: &mut Subscription, step: Step, now: AccountTime) {
    let method = Some(PaymentMethodId::from_number(7));
    match step {
        Step::DebitBegun => subscription.debit_begun(),
        Step::Paid => subscription.paid(method),
        Step::NotPaid => subscription.not_paid(now),
        Step::Forgiven => subscription.forgiven(now),
        Step::SetUp if !subscription.is_over() => subscription.set_up(method),
        Step::Due if subscription.due_at().is_some_and(|at| at <= now) => {
            if subscription.cancels_by(now) {
                subscription.cancel("cancellation_requested", now);
            } else if subscription.status == SubscriptionStatus::Incomplete {
                subscription.expire(now);
            } else {
                subscription.renew();
            }
        }
        Step::Cancel if !subscription.is_over() => {
            subscription.cancel("cancellation_requested", now);
        }
        _ => {}
    }
}

/// Each step leads from each state to one other state, and an ended subscription never changes its
/// state.
#[test]
fn the_table_of_statuses() {
    let row = |status: &SubscriptionStatus| {
        let to = STEPS.map(|step| {
            let mut subject = subscription(Some("month"));
            subject.begin(None);
            subject.status = *status;
            subject.expires_at = Some(BEGIN.plus(INCOMPLETE_AGE_S));
            let now = subject.due_at().unwrap_or(BEGIN);
            take(&mut subject, step, now);
            if subject.status == *status {
                "-".to_owned()
            } else {
                subject.status.word().to_owned()
            }
        });
        format!("{}: {}", status.word(), to.join(" "))
    };
    let table: Vec<String> = SubscriptionStatus::ALL.iter().map(row).collect();
    insta::assert_snapshot!(format!("{STEPS:?}\n{}", table.join("\n")), @"
    [DebitBegun, Paid, NotPaid, Forgiven, SetUp, Due, Cancel]
    active: - - past_due - - - canceled
    canceled: - - - - - - -
    incomplete: active active - incomplete_expired - incomplete_expired canceled
    incomplete_expired: - - - - - - -
    past_due: - active - active - - canceled
    paused: - - - - - - canceled
    trialing: - - - - - active canceled
    unpaid: - active - - - - canceled
    ");
}

/// A trial is a period of its own. The first month begins at its end, and the day of the month
/// stays.
#[test]
fn periods_after_a_trial() {
    let mut subject = subscription(Some("month"));
    subject.anchor = BEGIN;
    subject.begin(Some(BEGIN.plus(30 * DAY_S)));
    let mut days = Vec::new();
    for _ in 0..4 {
        days.push(((subject.period.1.0 - BEGIN.0) / DAY_S, subject.status.word()));
        subject.renew();
    }
    // January 31st, the last of February, March 31st, the last of April.
    assert_eq!(days, [(30, "trialing"), (58, "active"), (89, "active"), (119, "active")]);
}

proptest! {
    /// In any order of steps, an ended subscription does not change and has no due work. Periods
    /// follow each other without a gap, and time that passes always leads to a later due time.
    #[test]
    fn any_steps(
        interval in prop_oneof![Just(None), "day|week|month|year".prop_map(Some)],
        trial_days in prop::option::of(1..40_i64),
        incomplete: bool,
        steps in prop::collection::vec((0..STEPS.len(), 0..40_i64), 1..40),
    ) {
        let mut subject = subscription(interval.as_deref());
        subject.begin(trial_days.map(|days| BEGIN.plus(days * DAY_S)));
        if incomplete && trial_days.is_none() {
            subject.await_payment();
        }
        let mut now = BEGIN;
        for (step, days) in steps {
            now = now.plus(days * DAY_S);
            let before = subject.clone();
            take(&mut subject, STEPS[step], now);
            if before.is_over() {
                prop_assert_eq!(&subject, &before);
                prop_assert_eq!(subject.due_at(), None);
            }
            prop_assert_eq!(subject.is_over(), subject.ended_at.is_some());
            if subject.period != before.period {
                prop_assert_eq!(subject.period.0, before.period.1);
                prop_assert!(subject.period.1 > subject.period.0 || subject.items.is_empty());
                prop_assert!(subject.due_at() > before.due_at() || subject.items.is_empty());
            }
            let waits = subject.expires_at.is_some();
            prop_assert!(!waits || subject.status == SubscriptionStatus::Incomplete);
        }
    }
}
