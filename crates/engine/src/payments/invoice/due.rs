//! The due date of an invoice that is sent to its customer: a fixed date, or a number of days after
//! finalization.

use crate::Error;
use model::clock::{AccountTime, DAY_S};
use model::extra_params::ExtraParams;
use model::payments::invoice::Invoice;
use wire::error::Error as ApiError;

/// The most days until an invoice is due.
pub const DAYS_UNTIL_DUE_MAX: i64 = 5 * 365;

/// Checks the due date of a request, and removes the param that it replaces. It runs before the
/// invoice takes over the params.
pub(super) fn apply(
    invoice: &mut Invoice,
    params: &ExtraParams,
    now: AccountTime,
) -> Result<(), Error> {
    let days = params.integer(&["days_until_due"]);
    let date = params.integer(&["due_date"]).map(AccountTime);
    let Some((name, other)) = days
        .map(|_| ("days_until_due", "due_date"))
        .or(date.map(|_| ("due_date", "days_until_due")))
    else {
        let is_set = |name: &str| invoice.given.at(&[name]).is_some();
        if is_sent(invoice, params) && !is_set("days_until_due") && !is_set("due_date") {
            return Err(ApiError::missing_param("days_until_due").into());
        }
        return Ok(());
    };
    if !is_sent(invoice, params) {
        let message = format!("{name} goes with collection_method=send_invoice only.");
        return Err(ApiError::invalid(message).param(name).into());
    }
    let latest = now.plus(DAYS_UNTIL_DUE_MAX * DAY_S);
    if date.is_some_and(|date| date < now || date > latest) {
        let message = format!(
            "An invoice is due neither in the past nor after more than {DAYS_UNTIL_DUE_MAX} days."
        );
        return Err(ApiError::invalid(message).param(name).into());
    }
    invoice.given.take(other);
    if let (Some(days), Some(from)) = (days, invoice.finalized_at) {
        put_date(invoice, from, days);
    }
    Ok(())
}

/// True if the invoice is sent to its customer after it has taken over the params.
fn is_sent(invoice: &Invoice, params: &ExtraParams) -> bool {
    let method = params.at(&["collection_method"]).or(invoice.given.at(&["collection_method"]));
    method.and_then(|method| method.text(&[])) == Some("send_invoice")
}

/// Sets the due date of an invoice that is finalized now.
pub(super) fn begin(invoice: &mut Invoice, now: AccountTime) {
    let sent = invoice.given.text(&["collection_method"]) == Some("send_invoice");
    if let Some(days) = invoice.given.integer(&["days_until_due"]).filter(|_| sent) {
        put_date(invoice, now, days);
    }
}

fn put_date(invoice: &mut Invoice, from: AccountTime, days: i64) {
    let date = from.plus(days.saturating_mul(DAY_S));
    invoice.given.put("due_date", ExtraParams::Integer(date.0));
}
