//! Live mode without a connector to a real bank. It has no institutions, rejects test data and
//! debits no account. Live data also requires registration.

use crate::connections::connections_settings::registration;
use crate::{Context, Engine, Error};
use model::Word;
use model::account::Permission;
use model::connections_settings::Registration;
use model::token::{BankNumbers, TEST_ACCOUNT_NUMBERS, TEST_ROUTING_NUMBER};
use wire::error::Error as ApiError;

impl Engine {
    /// The URL of the page that shows and changes the settings.
    pub fn settings_url(&self) -> String {
        format!("{}/settings", self.settings.public_url)
    }

    /// Rejects live data of a kind without a complete registration. Test data is always available.
    pub(crate) async fn check_registered(
        &self,
        context: &Context,
        permissions: impl IntoIterator<Item = Permission>,
    ) -> Result<(), Error> {
        if !context.livemode {
            return Ok(());
        }
        // A platform is registered for its connected accounts.
        let platform = context.connected.as_ref().map(|connected| connected.platform);
        let merchant = platform.unwrap_or(context.merchant);
        let registered = Context { merchant, ..context.without_reply() };
        let settings = self.connections_settings(&registered).await?;
        let missing = |permission: &Permission| {
            registration(true, settings.as_ref(), *permission) != Registration::Active
        };
        match permissions.into_iter().find(missing) {
            None => Ok(()),
            Some(permission) => Err(ApiError::invalid(format!(
                "Your registration for the live data of Financial Connections is not complete for \
                 {}. Complete it at {}, then repeat the request.",
                permission.word(),
                self.settings_url()
            ))
            .into()),
        }
    }
}

/// Rejects a debit in live mode, because this server moves no money.
pub(crate) fn check_debits(context: &Context) -> Result<(), Error> {
    if !context.livemode {
        return Ok(());
    }
    let message = "This server cannot debit bank accounts in live mode: it has no connector that \
                   moves money. Nothing was changed.";
    Err(ApiError::invalid(message).into())
}

/// Rejects numbers of the test bank in live mode, and other account numbers in test mode. `path`
/// returns the path of a param.
pub(crate) fn check_numbers(
    context: &Context,
    numbers: &BankNumbers,
    path: impl Fn(&str) -> String,
) -> Result<(), Error> {
    if context.livemode && numbers.routing_number == TEST_ROUTING_NUMBER {
        let message = "This is the routing number of the test bank, which only test mode knows.";
        let api_error = ApiError::invalid(message).code("routing_number_invalid");
        return Err(api_error.param(path("routing_number")).into());
    }
    if context.livemode || numbers.has_test_account() {
        return Ok(());
    }
    let known: Vec<String> = TEST_ACCOUNT_NUMBERS
        .iter()
        .map(|(number, effect)| format!("{number} ({effect})"))
        .collect();
    let message = format!(
        "Test mode accepts only the test account numbers, with the routing number \
         {TEST_ROUTING_NUMBER}: {}.",
        known.join(", ")
    );
    let api_error = ApiError::invalid(message).code("account_number_invalid");
    Err(api_error.param(path("account_number")).into())
}
