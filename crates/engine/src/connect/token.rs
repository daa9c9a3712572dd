//! Tokens of bank account numbers: made when a holder types them, found by id, used once.
//!
//! A change that uses a token also stores it, marked as used. Two uses at once conflict by its
//! version.

use crate::connect::external_account::{ExternalNumbers, check_numbers};
use crate::context::render;
use crate::objects::missing;
use crate::payments::Changes;
use crate::{ApiResponse, Context, Engine, Error};
use model::account::{Account, Holder, PaymentMethodType, Permission, Subcategory};
use model::clock::AccountTime;
use model::id::{BankAccountId, TokenId};
use model::payments::payment_method::fingerprint;
use model::payments::tokenized_number::PaymentNumbers;
use model::session::Session;
use model::token::{
    BankAccountToken, BankAccountType, BankHolderType, BankNumbers, TEST_BANK_NAME,
    TEST_ROUTING_NUMBER,
};
use store::Object;
use wire::error::Error as ApiError;

impl Engine {
    /// Makes a token of numbers.
    pub async fn create_token(
        &self,
        context: &Context,
        value: &ExternalNumbers,
        path: &str,
    ) -> Result<ApiResponse, Error> {
        check_numbers(&value.numbers, context.livemode, path)?;
        let (name, now) = (value.holder_name.clone(), self.clock.account_now());
        let token = self.token_of_numbers(context, &value.numbers, name, now);
        let body = render(|w| wire::render::connect::token::write(w, &token));
        let mut changes = Changes::of_call(context, now);
        changes.put(Object::Token(token));
        self.commit_any(context, changes, body).await?.ok_or(Error::Locked)
    }

    /// Shows a token.
    pub async fn retrieve_token(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        let token = self.get::<BankAccountToken>(context, id, "token").await?;
        let body = render(|w| wire::render::connect::token::write(w, &token));
        self.unchanged(context, body).await
    }

    /// A new token of numbers, not stored yet.
    pub(crate) fn token_of_numbers(
        &self,
        context: &Context,
        numbers: &BankNumbers,
        holder_name: Option<String>,
        now: AccountTime,
    ) -> BankAccountToken {
        let known = numbers.routing_number == TEST_ROUTING_NUMBER;
        let (routing, account) = (&numbers.routing_number, &numbers.account_number);
        BankAccountToken {
            id: TokenId::from_number(self.next_number()),
            merchant: context.merchant,
            version: 1,
            bank_account: BankAccountId::from_number(self.next_number()),
            livemode: context.livemode,
            created: now,
            used: false,
            routing_number: routing.clone(),
            bank_name: known.then(|| TEST_BANK_NAME.to_owned()),
            last4: numbers.last4(),
            account_number: account.clone(),
            fingerprint: fingerprint(context.merchant, routing, account),
            holder_name,
            holder_type: numbers.holder_type,
            account_type: numbers.account_type,
        }
    }

    /// The token for payouts to the one account that a session linked for a connected account. It
    /// is not stored yet.
    pub(crate) fn payout_token(
        &self,
        context: &Context,
        session: &Session,
        linked: &[Account],
        now: AccountTime,
    ) -> Option<BankAccountToken> {
        let [account] = linked else { return None };
        let for_payouts = matches!(session.holder, Some(Holder::Account(_)))
            && account.permissions.contains(&Permission::PaymentMethod)
            && account.supported_payment_method_types.contains(&PaymentMethodType::UsBankAccount);
        if !for_payouts {
            return None;
        }
        let savings = account.subcategory == Subcategory::Savings;
        let PaymentNumbers { routing_number, account_number, last4 } =
            PaymentNumbers::of_account(account);
        let numbers = BankNumbers {
            routing_number,
            account_number,
            holder_type: BankHolderType::Individual,
            account_type: if savings {
                BankAccountType::Savings
            } else {
                BankAccountType::Checking
            },
        };
        let token = self.token_of_numbers(context, &numbers, None, now);
        Some(BankAccountToken {
            bank_name: Some(account.institution_name.clone()),
            last4: last4.unwrap_or_default(),
            ..token
        })
    }

    /// Uses a token, by the text of its id. The token is marked as used and has its new version.
    /// The caller puts it into the same change.
    pub(crate) async fn use_token(
        &self,
        context: &Context,
        id: &str,
        param: &str,
    ) -> Result<BankAccountToken, Error> {
        let found = self.find_id::<BankAccountToken>(context, id).await?;
        let missing = || missing::<BankAccountToken>(id, param).status(400);
        let mut token = found.ok_or_else(missing)?;
        if token.used {
            let message = format!("The token {id} was used already; a token can be used once.");
            let api_error = ApiError::invalid(message).code("token_already_used");
            return Err(api_error.param(param.to_owned()).into());
        }
        token.used = true;
        token.version += 1;
        Ok(token)
    }
}
