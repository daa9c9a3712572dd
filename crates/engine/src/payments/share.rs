//! The share of a payment for a platform or a connected account: `transfer_data` and the
//! application fee of intents, invoices, subscriptions and Checkout Sessions. They are checked and
//! shown, and move no money.

use crate::payments::Changes;
use crate::{Context, Engine, Error};
use model::connected_account::ConnectedAccount;
use model::extra_params::ExtraParams;
use model::payments::invoice::{Invoice, cost};
use model::payments::subscription::Subscription;
use wire::error::Error as ApiError;

/// The param with the fee in minor units.
pub(crate) const FEE: &str = "application_fee_amount";
/// The param with the fee in percent of each invoice.
const FEE_PERCENT: &str = "application_fee_percent";
/// The param with the destination.
pub(crate) const TRANSFER: &str = "transfer_data";
/// The hundredths of a percent in a whole.
const WHOLE: i64 = 10_000;

/// The params of a share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share<'a> {
    /// The params, or the hash that contains them.
    pub(crate) params: &'a ExtraParams,
    /// The name of that hash in the request, or empty.
    pub(crate) hash: &'static str,
    /// The amount of the payment in minor units, if it is known.
    pub(crate) amount: Option<i64>,
}

impl Share<'_> {
    /// The path of a param in the request.
    fn path(&self, name: &str, member: Option<&str>) -> String {
        let path =
            if self.hash.is_empty() { name.to_owned() } else { format!("{}[{name}]", self.hash) };
        member.map_or_else(|| path.clone(), |member| format!("{path}[{member}]"))
    }

    /// Rejects amounts and percentages out of bounds, and two that exclude each other.
    fn check_amounts(&self) -> Result<(), Error> {
        let fee = self.params.integer(&[FEE]);
        let part = self.params.integer(&[TRANSFER, "amount"]);
        for (value, path) in
            [(fee, self.path(FEE, None)), (part, self.path(TRANSFER, Some("amount")))]
        {
            let max = self.amount.unwrap_or(i64::MAX);
            if value.is_some_and(|value| !(0..=max).contains(&value)) {
                let message = match self.amount {
                    Some(amount) => {
                        format!("{path} is from 0 to the amount of the payment, {amount}.")
                    }
                    None => format!("{path} cannot be below 0."),
                };
                return Err(ApiError::invalid(message).param(path).into());
            }
        }
        if fee.is_some() && part.is_some() {
            let paths = [self.path(FEE, None), self.path(TRANSFER, Some("amount"))];
            return Err(ApiError::exclusive(&paths).into());
        }
        let percent = self.params.text(&[TRANSFER, "amount_percent"]);
        if percent.is_some_and(|text| hundredths(text).is_none()) {
            let path = self.path(TRANSFER, Some("amount_percent"));
            return Err(ApiError::invalid("A percentage is from 0 to 100.").param(path).into());
        }
        if percent.is_some() && self.params.text(&[FEE_PERCENT]).is_some() {
            let paths = [self.path(FEE_PERCENT, None), self.path(TRANSFER, Some("amount_percent"))];
            return Err(ApiError::exclusive(&paths).into());
        }
        Ok(())
    }
}

impl Engine {
    /// Rejects a destination that is no connected account, and an amount that is above the
    /// payment's or that no other account receives. The destination must still exist at the commit.
    pub(crate) async fn check_share(
        &self,
        context: &Context,
        share: Share<'_>,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let destination = share.params.text(&[TRANSFER, "destination"]);
        if let Some(id) = destination.filter(|id| !id.is_empty()) {
            let connected = context.connected.as_ref();
            let platform = connected.map_or(context.merchant, |connected| connected.platform);
            let found = self.find_connected(platform, id).await?;
            let Some(account) = found.filter(|account| !account.deleted) else {
                let path = share.path(TRANSFER, Some("destination"));
                let missing = ApiError::no_such("destination", id, &path);
                return Err(missing.status(400).into());
            };
            changes.require_exists::<ConnectedAccount>(&account);
        }
        let fees = [
            (FEE, share.params.integer(&[FEE]).is_some()),
            (FEE_PERCENT, share.params.text(&[FEE_PERCENT]).is_some()),
        ];
        for (name, is_set) in fees {
            if is_set && destination.is_none() && context.connected.is_none() {
                let message = format!(
                    "An {name} needs a connected account: set {}, or send the Stripe-Account \
                     header.",
                    share.path(TRANSFER, Some("destination"))
                );
                return Err(ApiError::invalid(message).param(share.path(name, None)).into());
            }
        }
        share.check_amounts()
    }
}

/// A percentage in hundredths of a percent, if it is from 0 to 100.
fn hundredths(percent: &str) -> Option<i64> {
    cost(percent, 100).filter(|part| (0..=WHOLE).contains(part))
}

/// The part of an amount, rounded half up.
fn part_of(total: i64, percent: &str) -> Option<i64> {
    let part = i128::from(hundredths(percent)?) * i128::from(total.max(0));
    let whole = i128::from(WHOLE);
    i64::try_from((part + whole / 2) / whole).ok()
}

/// Sets the share of a subscription's invoice by the percentages of the subscription.
pub(crate) fn put_share(invoice: &mut Invoice, subscription: &Subscription) {
    let params = &subscription.given;
    let total = invoice.total();
    let fee = params.text(&[FEE_PERCENT]).and_then(|percent| part_of(total, percent));
    if let Some(fee) = fee {
        invoice.given.put(FEE, ExtraParams::Integer(fee));
    }
    let Some(destination) = params.text(&[TRANSFER, "destination"]) else { return };
    let mut members = vec![("destination".to_owned(), ExtraParams::Text(destination.to_owned()))];
    let part = params.text(&[TRANSFER, "amount_percent"]);
    let part = part.and_then(|percent| part_of(total, percent));
    members.extend(part.map(|part| ("amount".to_owned(), ExtraParams::Integer(part))));
    invoice.given.put(TRANSFER, ExtraParams::Hash(members.into_iter().collect()));
}

#[cfg(test)]
mod tests {
    use super::part_of;

    /// A part is rounded half up to whole minor units, and a percentage out of bounds gives `None`.
    #[test]
    fn parts_of_amounts() {
        assert_eq!(part_of(1_000, "10"), Some(100));
        assert_eq!(part_of(1_001, "2.5"), Some(25));
        assert_eq!(part_of(101, "50"), Some(51));
        assert_eq!(part_of(-100, "50"), Some(0));
        assert_eq!(part_of(100, "100.01"), None);
    }
}
