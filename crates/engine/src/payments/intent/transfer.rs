//! The share of a payment for a platform or a connected account: `transfer_data` and
//! `application_fee_amount`. Both are checked and shown, and move no money.

use super::Intent;
use crate::{Context, Engine, Error};
use model::payments::intent::Purpose;
use wire::error::Error as ApiError;

const FEE: &str = "application_fee_amount";
const DESTINATION: &str = "transfer_data[destination]";

impl Engine {
    /// Rejects a destination that is no connected account, and an amount that is above the
    /// payment's or that no other account receives.
    pub(super) async fn check_transfer(
        &self,
        context: &Context,
        intent: &Intent,
    ) -> Result<(), Error> {
        let Purpose::Payment { amount, .. } = intent.purpose else { return Ok(()) };
        let destination = intent.given.text(&["transfer_data", "destination"]);
        if let Some(id) = destination {
            let connected = context.connected.as_ref();
            let platform = connected.map_or(context.merchant, |connected| connected.platform);
            let found = self.find_connected(platform, id).await?;
            if found.is_none_or(|account| account.deleted) {
                let missing = ApiError::no_such("destination", id, DESTINATION);
                return Err(missing.status(400).into());
            }
        }
        let reject = |message: String, param: &str| {
            Err(ApiError::invalid(message).param(param.to_owned()).into())
        };
        let fee = intent.given.integer(&[FEE]);
        if fee.is_some() && destination.is_none() && context.connected.is_none() {
            let message = "An application_fee_amount needs a connected account: set \
                           transfer_data[destination], or send the Stripe-Account header.";
            return reject(message.to_owned(), FEE);
        }
        let share = intent.given.integer(&["transfer_data", "amount"]);
        for (value, param) in [(fee, FEE), (share, "transfer_data[amount]")] {
            if value.is_some_and(|value| !(0..=amount).contains(&value)) {
                let message = format!("{param} is from 0 to the amount of the payment, {amount}.");
                return reject(message, param);
            }
        }
        if fee.is_some() && share.is_some() {
            return Err(ApiError::exclusive(&[FEE, "transfer_data[amount]"]).into());
        }
        Ok(())
    }
}
