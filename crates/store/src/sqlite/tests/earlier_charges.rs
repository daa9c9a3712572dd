//! The migration that writes the charges of payments of earlier releases.

use super::filters::insert;
use super::samples::{Sample, T0};
use crate::seal::Sealer;
use crate::sqlite::migration::{MIGRATIONS, migrate};
use crate::sqlite::{Reading, column, object};
use crate::{FindObject, Kind, Object};
use model::Word;
use model::id::{ChargeId, MerchantId, PaymentIntentId, PaymentMethodId};
use model::payments::charge::ChargeStatus;
use model::payments::intent::{Intent, IntentStatus};
use model::payments::payment_method::{PaymentBehavior, PaymentMethod};
use rusqlite::Connection;
use std::sync::Arc;
use testkit::objects;
use testkit::rng::RepeatedByte;

/// The migrations before charges.
const EARLIER: usize = 16;

/// An intent with the payment method of the same number.
fn intent(number: u64, status: IntentStatus) -> Intent {
    let merchant = MerchantId::from_number(1);
    let sample = Sample { merchant, number, created: T0, other: false };
    let payment_method = Some(PaymentMethodId::from_number(number));
    Intent { status, payment_method, ..sample.payment_intent() }
}

fn method(number: u64, behavior: PaymentBehavior) -> Object {
    let id = PaymentMethodId::from_number(number);
    let merchant = MerchantId::from_number(1);
    let last4 = Some("6789".to_owned());
    let method = PaymentMethod { id, merchant, behavior, last4, ..objects::payment_method() };
    Object::PaymentMethod(method)
}

/// Payments in each state: a debit under way, one that succeeded, disputed ones, and one that
/// waits.
fn rows() -> Vec<Object> {
    use PaymentBehavior::{Disputed, Succeeds};
    let mut rows = Vec::new();
    for (number, status, behavior) in [
        (1, IntentStatus::Processing, Succeeds),
        (2, IntentStatus::Succeeded, Succeeds),
        (3, IntentStatus::Succeeded, Disputed),
        (4, IntentStatus::Succeeded, Disputed),
        (5, IntentStatus::RequiresConfirmation, Succeeds),
    ] {
        let disputed_at = (number == 4).then_some(T0);
        let intent = Intent { disputed_at, ..intent(number, status) };
        rows.extend([Object::PaymentIntent(intent), method(number, behavior)]);
    }
    rows
}

/// A payment that is processing or has succeeded gets a charge, and names it. A dispute that came is
/// shown. Rows of snapshots get charges too.
#[test]
fn earlier_payments_get_charges() {
    let seal = Sealer::new([7; 32], Arc::new(RepeatedByte(1)));
    let mut connection = Connection::open_in_memory().unwrap();
    migrate(&mut connection, &MIGRATIONS[..EARLIER]).unwrap();
    for object in rows() {
        insert(&object, false, &seal, &connection);
        insert(&object, true, &seal, &connection);
    }
    migrate(&mut connection, MIGRATIONS).unwrap();
    let reading = Reading::of(&connection, &seal);
    let merchant = MerchantId::from_number(1);
    let find = |kind, number| object::find(&FindObject { merchant, kind, number }, &reading);
    let states: [Option<(ChargeStatus, bool)>; 5] = [
        Some((ChargeStatus::Pending, false)),
        Some((ChargeStatus::Succeeded, false)),
        Some((ChargeStatus::Succeeded, true)),
        Some((ChargeStatus::Succeeded, false)),
        None,
    ];
    for (number, state) in (1..).zip(states) {
        let id = ChargeId::of_earlier(PaymentIntentId::from_number(number));
        let Some(Object::PaymentIntent(intent)) = find(Kind::PaymentIntent, number).unwrap() else {
            panic!("the intent {number} is there")
        };
        assert_eq!(intent.latest_charge, state.map(|_| id), "{number}");
        assert_eq!(intent.client_secret, format!("secret_{number}"));
        let charge = find(Kind::Charge, id.number()).unwrap();
        let shown = charge.map(|charge| match charge {
            Object::Charge(charge) => {
                assert_eq!(charge.payment_intent.number(), number);
                assert_eq!(charge.bank.last4.as_deref(), Some("6789"));
                (charge.status, charge.disputed)
            }
            other => panic!("{other:?} is no charge"),
        });
        assert_eq!(shown, state, "{number}");
        let sql = "SELECT COUNT(*) FROM snapshot_objects \
                   WHERE snapshot = 1 AND kind = ?1 AND number = ?2 AND lookup = ?3";
        let of = PaymentIntentId::from_number(number).to_string();
        let key = (Kind::Charge.word(), column(id.number()), of);
        let copied: u32 = connection.query_row(sql, key, |row| row.get(0)).unwrap();
        assert_eq!(copied, u32::from(state.is_some()), "{number}");
    }
}
