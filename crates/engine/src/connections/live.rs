//! Live mode without a connector to a real bank. It has no institutions, rejects test data and
//! debits no account. Live data also requires registration.

use crate::connections::connections_settings::registration;
use crate::{Context, Engine, Error};
use model::Word;
use model::account::Permission;
use model::clock::ServerTime;
use model::connections_settings::{ConnectionsSettings, Registration, Registrations};
use model::id::MerchantId;
use model::token::{BankNumbers, TEST_ACCOUNT_NUMBERS, TEST_ROUTING_NUMBER};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use wire::error::Error as ApiError;

/// The code of a call without a complete registration. It is ours, because Stripe publishes none.
const NOT_REGISTERED: &str = "financial_connections_registration_required";

/// The longest time for which a rehearsed registration is cached, in milliseconds.
const CACHED_MS_MAX: i64 = 1_000;
/// The maximum number of merchants in the cache.
const CACHED_MERCHANTS_MAX: usize = 1_000;

/// The cached registrations of test mode, by merchant.
#[derive(Debug, Default)]
pub(crate) struct Rehearsals(Mutex<HashMap<MerchantId, (ServerTime, Registrations)>>);

impl Rehearsals {
    fn cached(&self) -> MutexGuard<'_, HashMap<MerchantId, (ServerTime, Registrations)>> {
        // A panic leaves the cached values complete.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, merchant: MerchantId, now: ServerTime) -> Option<Registrations> {
        let cached = self.cached();
        let (at, registrations) = cached.get(&merchant)?;
        (now.ms_since(*at) < CACHED_MS_MAX).then(|| registrations.clone())
    }

    fn put(&self, merchant: MerchantId, now: ServerTime, registrations: Registrations) {
        let mut cached = self.cached();
        if cached.len() >= CACHED_MERCHANTS_MAX {
            cached.clear();
        }
        cached.insert(merchant, (now, registrations));
    }

    /// Removes all entries.
    pub(crate) fn clear(&self) {
        self.cached().clear();
    }
}

impl Engine {
    /// The URL of the page that shows and changes the settings.
    pub fn settings_url(&self) -> String {
        format!("{}/settings", self.settings.public_url)
    }

    /// Rejects data of a kind without a complete registration. In test mode every registration is
    /// complete unless a test has set another state.
    pub(crate) async fn check_registered(
        &self,
        context: &Context,
        permissions: impl IntoIterator<Item = Permission>,
    ) -> Result<(), Error> {
        // A platform is registered for its connected accounts.
        let platform = context.connected.as_ref().map(|connected| connected.platform);
        let merchant = platform.unwrap_or(context.merchant);
        let registrations = if context.livemode {
            self.registry.registrations(merchant)?
        } else {
            self.rehearsed(merchant).await?
        };
        let state = |permission| registration(context.livemode, &registrations, permission);
        let missing = |permission: &Permission| state(*permission) != Registration::Active;
        match permissions.into_iter().find(missing) {
            None => Ok(()),
            Some(permission) => Err(self.unregistered(context, permission, state(permission))),
        }
    }

    /// The registrations of a merchant: the operator's record in live mode, and those of the test
    /// in test mode.
    pub(crate) fn registrations(
        &self,
        context: &Context,
        settings: Option<&ConnectionsSettings>,
    ) -> Result<Registrations, Error> {
        if context.livemode {
            return self.registry.registrations(context.merchant);
        }
        Ok(settings.map(|settings| settings.rehearsed.clone()).unwrap_or_default())
    }

    /// The registrations that a test has set. They are cached for a short time, because lists of
    /// transactions check them too.
    async fn rehearsed(&self, merchant: MerchantId) -> Result<Registrations, Error> {
        let now = self.clock.server_now();
        if let Some(cached) = self.rehearsals.find(merchant, now) {
            return Ok(cached);
        }
        let settings =
            self.find::<ConnectionsSettings>(merchant, ConnectionsSettings::NUMBER).await?;
        let rehearsed = settings.map(|settings| settings.rehearsed).unwrap_or_default();
        self.rehearsals.put(merchant, now, rehearsed.clone());
        Ok(rehearsed)
    }

    /// Removes the cached registrations, because the sandbox was replaced.
    pub fn forget_rehearsals(&self) {
        self.rehearsals.clear();
    }

    fn unregistered(
        &self,
        context: &Context,
        permission: Permission,
        state: Registration,
    ) -> Error {
        let problem = match state {
            Registration::Unrequested => "was not requested",
            Registration::Pending => "is pending",
            Registration::Rejected => "was rejected",
            Registration::Active => unreachable!("a complete registration is no error"),
            Registration::Revoked => "was revoked",
        };
        let advice = if context.livemode {
            "The operator of this server changes it with `bankfeed registration set`."
        } else {
            "A test has set this state; change it with registration[…] of \
             POST /v1/financial_connections/settings."
        };
        let message = format!(
            "Your registration for the live data of Financial Connections {problem} for {}. \
             {advice} {} shows it.",
            permission.word(),
            self.settings_url()
        );
        ApiError::invalid(message).code(NOT_REGISTERED).into()
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
