//! Errors of the API as the client's own values, and an interrupted connection.

use crate::server::{KEY, cut_once};
use crate::{Merchant, Outcome, Step, equal, holds};
use std::net::TcpListener;
use stripe::{ApiErrorsType, IdempotencyKey, RequestStrategy, StripeError, StripeRequest};
use stripe_core::customer::{CreateCustomer, ListCustomer};
use stripe_misc::financial_connections_account::{
    DisconnectFinancialConnectionsAccount, RetrieveFinancialConnectionsAccount,
};
use stripe_misc::financial_connections_transaction::ListFinancialConnectionsTransaction;
use stripe_webhook::Webhook;

pub const STEPS: &[Step] = &[
    ("a key that opens nothing, and one that may not, are typed errors", keys),
    ("unknown ids and reused keys are typed errors", parameters),
    ("a forged webhook is refused by the client's own verifier", forged),
    ("a connection that is cut is tried again, and the work is done once", cut),
    ("a disconnected account is closed", disconnected),
    ("a rate limit, and a failure inside the server, are typed errors", faults),
];

/// Checks that a call failed with this error.
fn refused<T>(
    answer: Result<T, StripeError>,
    status: u16,
    kind: ApiErrorsType,
    code: Option<&str>,
) -> Outcome {
    match answer {
        Err(StripeError::Stripe(error, got)) => {
            equal(got, status)?;
            equal(error.type_, kind)?;
            equal(error.code.map(|code| code.to_string()).as_deref(), code)
        }
        Err(error) => Err(error.into()),
        Ok(_) => Err("the call was not refused".into()),
    }
}

fn keys(merchant: &mut Merchant) -> Outcome {
    let stranger = Merchant::client("sk_wrong", merchant.server.port, 1)?;
    let kind = ApiErrorsType::InvalidRequestError;
    refused(ListCustomer::new().send_blocking(&stranger), 401, kind.clone(), None)?;
    let browser = Merchant::client("pk_test_rust", merchant.server.port, 1)?;
    let code = Some("secret_key_required");
    refused(ListCustomer::new().send_blocking(&browser), 403, kind, code)
}

fn parameters(merchant: &mut Merchant) -> Outcome {
    let unknown =
        RetrieveFinancialConnectionsAccount::new("fca_none").send_blocking(&merchant.client);
    refused(unknown, 404, ApiErrorsType::InvalidRequestError, Some("resource_missing"))?;
    let once = RequestStrategy::Idempotent(IdempotencyKey::new("rust-once")?);
    let named = |name: &str| {
        CreateCustomer::new()
            .name(name)
            .customize()
            .request_strategy(once.clone())
            .send_blocking(&merchant.client)
    };
    equal(named("Once")?.id, named("Once")?.id)?;
    refused(named("Twice"), 400, ApiErrorsType::IdempotencyError, None)
}

fn forged(merchant: &mut Merchant) -> Outcome {
    let came = merchant.inbox.wait("any webhook", |delivery| Some(delivery.clone()))?;
    let forged = came.body.replace("\"livemode\":false", "\"livemode\":true");
    let verified = Webhook::construct_event(&forged, &came.signature, &merchant.secret);
    holds(verified.is_err(), "the signature is refused")
}

fn cut(merchant: &mut Merchant) -> Outcome {
    let front = Merchant::client(KEY, cut_once(merchant.server.port)?, 3)?;
    let email = "cut@example.com";
    let made = CreateCustomer::new().email(email).send_blocking(&front)?;
    let all = ListCustomer::new().email(email).send_blocking(&merchant.client)?;
    equal(all.data.iter().map(|one| &one.id).collect::<Vec<_>>(), vec![&made.id])?;
    // A port that was free a moment ago.
    let gone = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let nobody = ListCustomer::new().send_blocking(&Merchant::client(KEY, gone, 1)?);
    holds(matches!(nobody, Err(StripeError::ClientError(_))), "nobody answers")
}

fn disconnected(merchant: &mut Merchant) -> Outcome {
    DisconnectFinancialConnectionsAccount::new(&*merchant.account)
        .send_blocking(&merchant.client)?;
    let closed = ListFinancialConnectionsTransaction::new(&*merchant.account)
        .send_blocking(&merchant.client);
    let code = Some("financial_connections_account_inactive");
    refused(closed, 400, ApiErrorsType::InvalidRequestError, code)
}

fn faults(merchant: &mut Merchant) -> Outcome {
    let hasty = Merchant::client(KEY, merchant.server.port, 1)?;
    let fault = |kind: &str| {
        let form = format!("kind={kind}&path=/v1/customers&times=1");
        merchant.server.help("/faults", &form)
    };
    fault("api_rate_limited")?;
    let limited = ListCustomer::new().send_blocking(&hasty);
    refused(limited, 429, ApiErrorsType::InvalidRequestError, Some("rate_limit"))?;
    fault("api_error_before")?;
    refused(ListCustomer::new().send_blocking(&hasty), 500, ApiErrorsType::ApiError, None)
}
