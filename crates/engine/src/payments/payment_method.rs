//! Payment methods: made from a linked account or from typed numbers, attached to customers.

mod card;
mod clone;
mod detach;

pub use card::test_methods_hint;
pub use clone::MethodClone;
pub(crate) use detach::check_usable;

use card::check_no_card;

use crate::connections::live::check_numbers;
use crate::objects::missing;
use crate::payments::{Changes, bytes};
use crate::{ApiResponse, Context, Engine, Error};
use model::account::{Account, NumberStatus, PaymentMethodType, Permission, Subcategory};
use model::clock::AccountTime;
use model::customer::Customer;
use model::event::EventType;
use model::extra_params::ExtraParams;
use model::id::{ClockId, CustomerId, PaymentMethodId};
use model::payments::payment_method::{PaymentBehavior, PaymentMethod, fingerprint};
use model::payments::tokenized_number::{PaymentNumbers, TokenizedNumber};
use model::token::{
    BankAccountType, BankHolderType, BankNumbers, TEST_BANK_NAME, TEST_ROUTING_NUMBER,
};
use std::collections::BTreeMap;
use store::{Bounds, FindAccount, Kind, Object, ObjectsOf};
use wire::change::NUMBER_CODES;
use wire::error::Error as ApiError;
use wire::list::PageParams;
use wire::params::MetadataChange;
use wire::render::payments::payment_method::value;

/// The params of a payment method.
#[derive(Clone, Debug)]
pub struct MethodInput {
    /// The bank account.
    pub source: MethodSource,
    /// Name, e-mail address and the like.
    pub billing_details: ExtraParams,
    /// `always`, `limited` or `unspecified`.
    pub allow_redisplay: Option<String>,
    /// The metadata.
    pub metadata: Option<MetadataChange>,
    /// The type of the account's holder.
    pub holder_type: Option<BankHolderType>,
    /// The path of the parameters, for messages: empty, or `payment_method_data`.
    pub path: &'static str,
}

/// The source of a payment method.
#[derive(Clone, Debug)]
pub enum MethodSource {
    /// A linked account, by its id.
    Account(String),
    /// Typed numbers.
    Numbers(BankNumbers),
}

/// The params of an update.
#[derive(Clone, Debug)]
pub struct MethodUpdate {
    /// Merged into the stored details.
    pub billing_details: Option<ExtraParams>,
    /// `always`, `limited` or `unspecified`.
    pub allow_redisplay: Option<String>,
    /// The metadata.
    pub metadata: Option<MetadataChange>,
    /// The type of the account's holder.
    pub holder_type: Option<BankHolderType>,
    /// Its kind.
    pub account_type: Option<BankAccountType>,
}

/// The time and the clock of a new payment method.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MadeFor {
    pub(crate) now: AccountTime,
    pub(crate) clock: Option<ClockId>,
}

impl Engine {
    /// Makes a payment method without a customer.
    pub async fn create_payment_method(
        &self,
        context: &Context,
        input: &MethodInput,
    ) -> Result<ApiResponse, Error> {
        self.change("create_payment_method", async || {
            let mut changes = self.changes_on(context, None).await?;
            let made_for = MadeFor { now: changes.now, clock: None };
            let method = self.new_method(context, input, made_for, &mut changes).await?;
            let body = bytes(context, value(&method));
            changes.put(Object::PaymentMethod(method));
            self.commit_any(context, changes, body).await
        })
        .await
    }

    /// Shows a payment method.
    pub async fn retrieve_payment_method(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let method = self.get::<PaymentMethod>(context, id, "payment_method").await?;
        self.unchanged(context, bytes(context, value(&method))).await
    }

    /// Shows a payment method of a customer.
    pub async fn retrieve_customer_method(
        &self,
        context: &Context,
        customer: &str,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let customer = self.get::<Customer>(context, customer, "customer").await?;
        let method = self.get::<PaymentMethod>(context, id, "payment_method").await?;
        if method.customer != Some(customer.id) {
            return Err(missing::<PaymentMethod>(id, "payment_method").into());
        }
        self.unchanged(context, bytes(context, value(&method))).await
    }

    /// Changes a payment method.
    pub async fn update_payment_method(
        &self,
        context: &Context,
        id: &str,
        update: &MethodUpdate,
    ) -> Result<ApiResponse, Error> {
        self.change("update_payment_method", async || {
            let before = self.get::<PaymentMethod>(context, id, "payment_method").await?;
            let changes = self.changes_on(context, before.clock).await?;
            let mut method = before.clone();
            if let Some(details) = &update.billing_details {
                method.billing_details.update(details.clone());
            }
            if update.allow_redisplay.is_some() {
                method.allow_redisplay.clone_from(&update.allow_redisplay);
            }
            if let Some(metadata) = &update.metadata {
                metadata.apply(&mut method.metadata)?;
            }
            method.holder_type = update.holder_type.unwrap_or(method.holder_type);
            method.account_type = update.account_type.unwrap_or(method.account_type);
            let updated = EventType::PaymentMethodUpdated;
            self.commit_method(context, before, method, updated, changes).await
        })
        .await
    }

    /// Attaches a payment method to a customer.
    pub async fn attach_payment_method(
        &self,
        context: &Context,
        id: &str,
        customer: &str,
    ) -> Result<ApiResponse, Error> {
        self.change("attach_payment_method", async || {
            let customer = self.get::<Customer>(context, customer, "customer").await?;
            let mut changes = self.changes_for(context, Some(&customer)).await?;
            let made_for = MadeFor { now: changes.now, clock: customer.test_clock };
            let param = "payment_method";
            let before = self.method_param(context, id, param, made_for, &mut changes).await?;
            let method = attached(before.clone(), &customer)?;
            let attached = EventType::PaymentMethodAttached;
            if PaymentBehavior::number_of_test_method(id).is_some() {
                // A test name makes a new payment method.
                let body = bytes(context, value(&method));
                let object = Object::PaymentMethod(method);
                changes.emit(&object, attached);
                changes.put(object);
                return self.commit_any(context, changes, body).await;
            }
            self.commit_method(context, before, method, attached, changes).await
        })
        .await
    }

    /// Commits a changed payment method. Returns `None` after a version conflict.
    async fn commit_method(
        &self,
        context: &Context,
        before: PaymentMethod,
        mut method: PaymentMethod,
        event_type: EventType,
        mut changes: Changes,
    ) -> Result<Option<ApiResponse>, Error> {
        let unchanged = method == before;
        let body = bytes(context, value(&method));
        if unchanged {
            return self.unchanged(context, body).await.map(Some);
        }
        method.version += 1;
        let object = Object::PaymentMethod(method);
        changes.emit(&object, event_type);
        changes.put(object);
        self.commit_any(context, changes, body).await
    }

    /// Lists payment methods: of a customer, or all.
    pub async fn list_payment_methods(
        &self,
        context: &Context,
        customer: Option<&str>,
        url: &str,
        page: &PageParams,
    ) -> Result<ApiResponse, Error> {
        let of = match customer {
            Some(id) => {
                let customer = self.get::<Customer>(context, id, "customer").await?;
                ObjectsOf::Customer(customer.id)
            }
            None => ObjectsOf::All,
        };
        let listed = self.list::<PaymentMethod>(context, of, Bounds::default(), page).await?;
        self.list_values(context, url, listed, value).await
    }

    /// A payment method that is attached to a customer.
    pub(crate) async fn method_of_customer(
        &self,
        context: &Context,
        id: &str,
        customer: CustomerId,
        param: &str,
        changes: &mut Changes,
    ) -> Result<PaymentMethod, Error> {
        check_no_card(id, param)?;
        let method = self.get_unchanged::<PaymentMethod>(context, changes, id, param).await?;
        if method.customer != Some(customer) {
            let message = "The payment method must be attached to the customer first.";
            return Err(ApiError::invalid(message).param(param.to_owned()).into());
        }
        Ok(method)
    }

    /// The payment method of a param. It exists, or the param is a test name such as
    /// `pm_usBankAccount_success`, which makes a new one.
    pub(crate) async fn method_param(
        &self,
        context: &Context,
        id: &str,
        param: &str,
        made_for: MadeFor,
        changes: &mut Changes,
    ) -> Result<PaymentMethod, Error> {
        check_no_card(id, param)?;
        let test_number = PaymentBehavior::number_of_test_method(id);
        let Some(number) = test_number.filter(|_| !context.livemode) else {
            return self.get_unchanged::<PaymentMethod>(context, changes, id, param).await;
        };
        let input = MethodInput {
            source: MethodSource::Numbers(BankNumbers {
                routing_number: TEST_ROUTING_NUMBER.to_owned(),
                account_number: number.to_owned(),
                holder_type: BankHolderType::Individual,
                account_type: BankAccountType::Checking,
            }),
            billing_details: ExtraParams::empty(),
            allow_redisplay: None,
            metadata: None,
            holder_type: None,
            path: "",
        };
        let mut method = self.new_method(context, &input, made_for, changes).await?;
        // Test methods need no deposits, except the one for failing deposits.
        method.verified = method.behavior != PaymentBehavior::MicrodepositsFail;
        Ok(method)
    }

    /// A new payment method, not stored yet.
    pub(crate) async fn new_method(
        &self,
        context: &Context,
        input: &MethodInput,
        made_for: MadeFor,
        changes: &mut Changes,
    ) -> Result<PaymentMethod, Error> {
        let mut metadata = BTreeMap::new();
        if let Some(change) = &input.metadata {
            change.apply(&mut metadata)?;
        }
        let mut method = match &input.source {
            MethodSource::Account(id) => {
                let param = path_of(input.path, "financial_connections_account");
                let account = self.get_account(context, id, &param).await?;
                payable(context, &account, &param)?;
                changes.require_account(&account);
                self.method_of_account(context, &account, made_for)
            }
            MethodSource::Numbers(numbers) => {
                check_numbers(context, numbers, |name| path_of(input.path, name))?;
                self.method_of_numbers(context, numbers, made_for)
            }
        };
        method.holder_type = input.holder_type.unwrap_or(method.holder_type);
        method.billing_details = input.billing_details.clone().without_unset();
        method.allow_redisplay.clone_from(&input.allow_redisplay);
        method.metadata = metadata;
        Ok(method)
    }

    /// Returns a payment method as the holder's bank sees it at a time. A token that has expired, or
    /// that a later link replaced, moves no money.
    pub(crate) async fn seen_by_bank(
        &self,
        mut method: PaymentMethod,
        now: AccountTime,
    ) -> Result<PaymentMethod, Error> {
        let Some(id) = method.account else { return Ok(method) };
        let find = FindAccount { merchant: method.merchant, account: id };
        let Some(account) = self.store.read(find).await? else { return Ok(method) };
        let Some(token) = TokenizedNumber::of_account(&account) else { return Ok(method) };
        let current = fingerprint(method.merchant, &token.routing_number, &token.account_number);
        // The account's own change may be in the same step of a clock, so the time counts too.
        let moves_money = account.account_numbers.iter().any(|number| {
            number.status == NumberStatus::Transactable
                && number.expected_expiry_at.is_none_or(|at| at > now)
        });
        // Earlier releases gave all accounts the routing number of the test bank.
        let is_replaced =
            method.fingerprint != current && method.routing_number != TEST_ROUTING_NUMBER;
        if is_replaced || !moves_money {
            method.behavior = PaymentBehavior::TokenizedNumberDeactivated;
        }
        Ok(method)
    }

    /// A payment method of a linked account.
    pub(crate) fn method_of_account(
        &self,
        context: &Context,
        account: &Account,
        made_for: MadeFor,
    ) -> PaymentMethod {
        let PaymentNumbers { routing_number, account_number, last4 } =
            PaymentNumbers::of_account(account);
        PaymentMethod {
            account: Some(account.id),
            account_type: match account.subcategory {
                Subcategory::Savings => BankAccountType::Savings,
                _ => BankAccountType::Checking,
            },
            bank_name: Some(account.institution_name.clone()),
            fingerprint: fingerprint(context.merchant, &routing_number, &account_number),
            last4,
            routing_number,
            behavior: PaymentBehavior::of_account(account),
            verified: true,
            clock: made_for.clock.or(account.clock),
            ..self.blank_method(context, made_for)
        }
    }

    /// A payment method of typed numbers.
    pub(crate) fn method_of_numbers(
        &self,
        context: &Context,
        numbers: &BankNumbers,
        made_for: MadeFor,
    ) -> PaymentMethod {
        let BankNumbers { routing_number, account_number, .. } = numbers;
        let known = routing_number == TEST_ROUTING_NUMBER;
        PaymentMethod {
            holder_type: numbers.holder_type,
            account_type: numbers.account_type,
            bank_name: known.then(|| TEST_BANK_NAME.to_owned()),
            fingerprint: fingerprint(context.merchant, routing_number, account_number),
            last4: Some(numbers.last4()),
            routing_number: routing_number.clone(),
            behavior: PaymentBehavior::of_number(account_number),
            ..self.blank_method(context, made_for)
        }
    }

    fn blank_method(&self, context: &Context, made_for: MadeFor) -> PaymentMethod {
        PaymentMethod {
            id: PaymentMethodId::from_number(self.next_number()),
            merchant: context.merchant,
            version: 1,
            livemode: context.livemode,
            created: made_for.now,
            clock: made_for.clock,
            of_self: false,
            detached: false,
            used_up: false,
            customer: None,
            holder_type: BankHolderType::Individual,
            account_type: BankAccountType::Checking,
            bank_name: None,
            fingerprint: String::new(),
            last4: None,
            routing_number: TEST_ROUTING_NUMBER.to_owned(),
            account: None,
            behavior: PaymentBehavior::Succeeds,
            block: None,
            verified: false,
            allow_redisplay: None,
            billing_details: ExtraParams::empty(),
            metadata: BTreeMap::new(),
        }
    }
}

/// The method as attached to a customer.
fn attached(mut method: PaymentMethod, customer: &Customer) -> Result<PaymentMethod, Error> {
    check_usable(&method)?;
    let reject = |message: &str| Err(ApiError::invalid(message.to_owned()).into());
    if !method.verified {
        return reject(
            "A bank account that was typed in must be verified before it is attached; confirm a \
             Setup Intent with it.",
        );
    }
    if method.of_self {
        return reject("The payment method is the account's own.");
    }
    if method.customer.is_some_and(|stored| stored != customer.id) {
        return reject("The payment method is attached to another customer already.");
    }
    method.customer = Some(customer.id);
    method.clock = customer.test_clock;
    Ok(method)
}

/// Attaches a payment method to a customer as part of a larger change, unless it is attached
/// already.
pub(crate) fn give_to(
    changes: &mut Changes,
    mut method: PaymentMethod,
    customer: CustomerId,
) -> Result<(), Error> {
    if method.customer == Some(customer) {
        return Ok(());
    }
    check_usable(&method)?;
    if method.customer.is_some() {
        let message = "The payment method is attached to another customer.";
        return Err(ApiError::invalid(message).param("payment_method").into());
    }
    // A method among the changes has its new version already.
    let is_changed = changes.has(Kind::PaymentMethod, method.id.number());
    method.customer = Some(customer);
    method.version += u64::from(!is_changed);
    let object = Object::PaymentMethod(method);
    changes.emit(&object, EventType::PaymentMethodAttached);
    changes.put(object);
    Ok(())
}

/// Rejects an account that cannot be debited.
fn payable(context: &Context, account: &Account, param: &str) -> Result<(), Error> {
    let rejection = |message: &str| ApiError::invalid(message.to_owned()).param(param.to_owned());
    let unavailable = |message: &str| {
        let api_error = rejection(message);
        if !context.version.has(&NUMBER_CODES) {
            return api_error;
        }
        api_error.code("financial_connections_account_unavailable_account_numbers")
    };
    if !account.permissions.contains(&Permission::PaymentMethod) {
        let message = "The account was linked without the permission payment_method.";
        return Err(rejection(message).into());
    }
    let numbers = &account.account_numbers;
    let usable = |status: NumberStatus| status == NumberStatus::Transactable;
    if !numbers.is_empty() && !numbers.iter().any(|number| usable(number.status)) {
        let message = "None of the account's numbers can be used; ask for another account.";
        return Err(unavailable(message).into());
    }
    if !account.supported_payment_method_types.contains(&PaymentMethodType::UsBankAccount) {
        let message = "The account cannot pay by us_bank_account; ask for another one.";
        return Err(unavailable(message).into());
    }
    if !account.is_active() {
        let message = "The account is inactive; its numbers cannot be fetched.";
        return Err(unavailable(message).into());
    }
    Ok(())
}

fn path_of(path: &str, name: &str) -> String {
    if path.is_empty() {
        format!("us_bank_account[{name}]")
    } else {
        format!("{path}[us_bank_account][{name}]")
    }
}
