//! The guide's other carriers, each from its create call to the transactions of its account.

use crate::{EMAIL, Merchant, Outcome, Step, equal, holds, refresh_of};
use std::error::Error;
use stripe_billing::invoice::{
    CreateInvoice, CreateInvoicePaymentSettings, CreateInvoicePaymentSettingsPaymentMethodOptions,
    CreateInvoicePaymentSettingsPaymentMethodOptionsUsBankAccount,
    CreateInvoicePaymentSettingsPaymentMethodOptionsUsBankAccountFinancialConnections,
    CreateInvoicePaymentSettingsPaymentMethodOptionsUsBankAccountFinancialConnectionsPermissions as InvoicePermissions,
    CreateInvoicePaymentSettingsPaymentMethodOptionsUsBankAccountFinancialConnectionsPrefetch as InvoicePrefetch,
    CreateInvoicePaymentSettingsPaymentMethodTypes, FinalizeInvoiceInvoice, RetrieveInvoice,
};
use stripe_billing::invoice_item::CreateInvoiceItem;
use stripe_billing::subscription::{
    CreateSubscription, CreateSubscriptionPaymentSettings,
    CreateSubscriptionPaymentSettingsPaymentMethodOptions,
    CreateSubscriptionPaymentSettingsPaymentMethodOptionsUsBankAccount,
    CreateSubscriptionPaymentSettingsPaymentMethodOptionsUsBankAccountFinancialConnections,
    CreateSubscriptionPaymentSettingsPaymentMethodOptionsUsBankAccountFinancialConnectionsPermissions,
    CreateSubscriptionPaymentSettingsPaymentMethodOptionsUsBankAccountFinancialConnectionsPrefetch,
    CreateSubscriptionPaymentSettingsPaymentMethodTypes, RetrieveSubscription,
};
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionPaymentMethodOptions,
    CreateCheckoutSessionPaymentMethodOptionsUsBankAccount,
    CreateCheckoutSessionPaymentMethodOptionsUsBankAccountFinancialConnections,
    CreateCheckoutSessionPaymentMethodOptionsUsBankAccountFinancialConnectionsPermissions as CheckoutPermissions,
    CreateCheckoutSessionPaymentMethodOptionsUsBankAccountFinancialConnectionsPrefetch as CheckoutPrefetch,
    CreateCheckoutSessionPaymentMethodTypes, RetrieveCheckoutSession,
};
use stripe_core::customer::CreateCustomer;
use stripe_core::payment_intent::{
    CreatePaymentIntent, CreatePaymentIntentPaymentMethodOptions,
    CreatePaymentIntentPaymentMethodOptionsUsBankAccount,
    CreatePaymentIntentPaymentMethodOptionsUsBankAccountFinancialConnections,
    CreatePaymentIntentPaymentMethodOptionsUsBankAccountFinancialConnectionsPermissions as PaymentPermissions,
    CreatePaymentIntentPaymentMethodOptionsUsBankAccountFinancialConnectionsPrefetch as PaymentPrefetch,
    RetrievePaymentIntent,
};
use stripe_core::setup_intent::{
    CreateSetupIntent, CreateSetupIntentPaymentMethodOptions,
    CreateSetupIntentPaymentMethodOptionsUsBankAccount,
    CreateSetupIntentPaymentMethodOptionsUsBankAccountFinancialConnections,
    CreateSetupIntentPaymentMethodOptionsUsBankAccountFinancialConnectionsPermissions as SetupPermissions,
    CreateSetupIntentPaymentMethodOptionsUsBankAccountFinancialConnectionsPrefetch as SetupPrefetch,
    RetrieveSetupIntent,
};
use stripe_misc::financial_connections_account::RetrieveFinancialConnectionsAccount;
use stripe_misc::financial_connections_transaction::ListFinancialConnectionsTransaction;
use stripe_shared::{CheckoutSessionStatus, PaymentMethod};
use stripe_types::{Currency, Expandable};

pub const STEPS: &[Step] = &[
    ("a Payment Intent collects an account", a_payment_intent),
    ("a Setup Intent collects an account", a_setup_intent),
    ("a Checkout Session collects an account", a_checkout_session),
    ("an invoice collects an account", an_invoice),
    ("a subscription collects an account", a_subscription),
];

type BillPermissions =
    CreateSubscriptionPaymentSettingsPaymentMethodOptionsUsBankAccountFinancialConnectionsPermissions;
type BillPrefetch =
    CreateSubscriptionPaymentSettingsPaymentMethodOptionsUsBankAccountFinancialConnectionsPrefetch;

const TYPE: &str = "us_bank_account";

fn payer(merchant: &Merchant) -> Result<String, Box<dyn Error>> {
    let customer = CreateCustomer::new().email(EMAIL).send_blocking(&merchant.client)?;
    Ok(customer.id.to_string())
}

fn expand(path: &str) -> Vec<String> {
    vec![path.to_owned()]
}

/// Checks the account of a payment method. Its prefetch must end in a webhook.
fn collected(merchant: &mut Merchant, method: Option<Expandable<PaymentMethod>>) -> Outcome {
    let method = method.and_then(Expandable::into_object).ok_or("it was not expanded")?;
    let bank = method.us_bank_account.ok_or("it is no bank account")?;
    let id = bank.financial_connections_account.ok_or("no account was linked")?;
    let account = RetrieveFinancialConnectionsAccount::new(&*id).send_blocking(&merchant.client)?;
    merchant.told(&refresh_of(&account)?)?;
    let rows = ListFinancialConnectionsTransaction::new(id).send_blocking(&merchant.client)?;
    holds(!rows.data.is_empty(), "there are transactions")
}

fn collected_by(merchant: &mut Merchant, intent: &str) -> Outcome {
    let intent = RetrievePaymentIntent::new(intent)
        .expand(expand("payment_method"))
        .send_blocking(&merchant.client)?;
    collected(merchant, intent.payment_method)
}

fn a_payment_intent(merchant: &mut Merchant) -> Outcome {
    let connections = CreatePaymentIntentPaymentMethodOptionsUsBankAccountFinancialConnections {
        permissions: Some(vec![
            PaymentPermissions::PaymentMethod,
            PaymentPermissions::Transactions,
        ]),
        prefetch: Some(vec![PaymentPrefetch::Transactions]),
        ..Default::default()
    };
    let bank = CreatePaymentIntentPaymentMethodOptionsUsBankAccount {
        financial_connections: Some(connections),
        ..Default::default()
    };
    let options = CreatePaymentIntentPaymentMethodOptions {
        us_bank_account: Some(bank),
        ..Default::default()
    };
    let intent = CreatePaymentIntent::new(2000, Currency::USD)
        .customer(payer(merchant)?)
        .payment_method_types(vec![TYPE.to_owned()])
        .payment_method_options(options)
        .send_blocking(&merchant.client)?;
    merchant.link(intent.id.as_str())?;
    collected_by(merchant, intent.id.as_str())
}

fn a_setup_intent(merchant: &mut Merchant) -> Outcome {
    let connections = CreateSetupIntentPaymentMethodOptionsUsBankAccountFinancialConnections {
        permissions: Some(vec![SetupPermissions::PaymentMethod, SetupPermissions::Transactions]),
        prefetch: Some(vec![SetupPrefetch::Transactions]),
        ..Default::default()
    };
    let bank = CreateSetupIntentPaymentMethodOptionsUsBankAccount {
        financial_connections: Some(connections),
        ..Default::default()
    };
    let options =
        CreateSetupIntentPaymentMethodOptions { us_bank_account: Some(bank), ..Default::default() };
    let intent = CreateSetupIntent::new()
        .customer(payer(merchant)?)
        .payment_method_types(vec![TYPE.to_owned()])
        .payment_method_options(options)
        .send_blocking(&merchant.client)?;
    merchant.link(intent.id.as_str())?;
    let linked = RetrieveSetupIntent::new(intent.id)
        .expand(expand("payment_method"))
        .send_blocking(&merchant.client)?;
    collected(merchant, linked.payment_method)
}

fn a_checkout_session(merchant: &mut Merchant) -> Outcome {
    let connections = CreateCheckoutSessionPaymentMethodOptionsUsBankAccountFinancialConnections {
        permissions: Some(vec![
            CheckoutPermissions::PaymentMethod,
            CheckoutPermissions::Transactions,
        ]),
        prefetch: Some(vec![CheckoutPrefetch::Transactions]),
    };
    let bank = CreateCheckoutSessionPaymentMethodOptionsUsBankAccount {
        financial_connections: Some(connections),
        ..Default::default()
    };
    let options = CreateCheckoutSessionPaymentMethodOptions {
        us_bank_account: Some(bank),
        ..Default::default()
    };
    let session = CreateCheckoutSession::new()
        .customer(payer(merchant)?)
        .payment_method_types(vec![CreateCheckoutSessionPaymentMethodTypes::UsBankAccount])
        .payment_method_options(options)
        .send_blocking(&merchant.client)?;
    merchant.link(session.id.as_str())?;
    let done = RetrieveCheckoutSession::new(session.id)
        .expand(expand("setup_intent.payment_method"))
        .send_blocking(&merchant.client)?;
    equal(done.status, Some(CheckoutSessionStatus::Complete))?;
    let intent = done.setup_intent.and_then(Expandable::into_object).ok_or("not expanded")?;
    collected(merchant, intent.payment_method)
}

fn an_invoice(merchant: &mut Merchant) -> Outcome {
    let connections =
        CreateInvoicePaymentSettingsPaymentMethodOptionsUsBankAccountFinancialConnections {
            permissions: Some(vec![
                InvoicePermissions::PaymentMethod,
                InvoicePermissions::Transactions,
            ]),
            prefetch: Some(vec![InvoicePrefetch::Transactions]),
            ..Default::default()
        };
    let bank = CreateInvoicePaymentSettingsPaymentMethodOptionsUsBankAccount {
        financial_connections: Some(connections),
        ..Default::default()
    };
    let options = CreateInvoicePaymentSettingsPaymentMethodOptions {
        us_bank_account: Some(bank),
        ..Default::default()
    };
    let settings = CreateInvoicePaymentSettings {
        payment_method_types: Some(vec![
            CreateInvoicePaymentSettingsPaymentMethodTypes::UsBankAccount,
        ]),
        payment_method_options: Some(options),
        ..Default::default()
    };
    let payer = payer(merchant)?;
    let draft = CreateInvoice::new()
        .customer(&*payer)
        .payment_settings(settings)
        .send_blocking(&merchant.client)?;
    let id = draft.id.ok_or("the draft has no id")?;
    CreateInvoiceItem::new()
        .customer(payer)
        .invoice(id.as_str())
        .amount(1000)
        .currency(Currency::USD)
        .send_blocking(&merchant.client)?;
    FinalizeInvoiceInvoice::new(id.clone()).send_blocking(&merchant.client)?;
    merchant.link(id.as_str())?;
    let open = RetrieveInvoice::new(id)
        .expand(expand("payments.data.payment.payment_intent"))
        .send_blocking(&merchant.client)?;
    let payments = open.payments.ok_or("no payments")?;
    let payment = payments.data.into_iter().next().ok_or("no payment")?.payment;
    let intent = payment.payment_intent.and_then(Expandable::into_object).ok_or("not expanded")?;
    collected_by(merchant, intent.id.as_str())
}

fn a_subscription(merchant: &mut Merchant) -> Outcome {
    let connections =
        CreateSubscriptionPaymentSettingsPaymentMethodOptionsUsBankAccountFinancialConnections {
            permissions: Some(vec![BillPermissions::PaymentMethod, BillPermissions::Transactions]),
            prefetch: Some(vec![BillPrefetch::Transactions]),
            ..Default::default()
        };
    let bank = CreateSubscriptionPaymentSettingsPaymentMethodOptionsUsBankAccount {
        financial_connections: Some(connections),
        ..Default::default()
    };
    let options = CreateSubscriptionPaymentSettingsPaymentMethodOptions {
        us_bank_account: Some(bank),
        ..Default::default()
    };
    let settings = CreateSubscriptionPaymentSettings {
        payment_method_types: Some(vec![
            CreateSubscriptionPaymentSettingsPaymentMethodTypes::UsBankAccount,
        ]),
        payment_method_options: Some(options),
        ..Default::default()
    };
    let made = CreateSubscription::new()
        .customer(payer(merchant)?)
        .payment_settings(settings)
        .send_blocking(&merchant.client)?;
    merchant.link(made.id.as_str())?;
    let shown = RetrieveSubscription::new(made.id)
        .expand(expand("pending_setup_intent.payment_method"))
        .send_blocking(&merchant.client)?;
    let intent = shown.pending_setup_intent.and_then(Expandable::into_object);
    collected(merchant, intent.ok_or("not expanded")?.payment_method)
}
