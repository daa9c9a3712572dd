//! Tokens of bank account numbers: made when a holder types them, found by id, used once.
//!
//! What uses a token puts it back, marked as used, into the change that makes something of it; two
//! uses at once are told apart by its version.

use crate::{Context, Engine, Error};
use model::clock::AccountTime;
use model::id::{BankAccountId, TokenId};
use model::payment_method::fingerprint;
use model::token::{BankAccountToken, BankNumbers, TEST_BANK_NAME, TEST_ROUTING_NUMBER};
use store::{FindObject, Kind, Object};
use wire::error::Error as Refusal;

impl Engine {
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

    /// A token of an id.
    pub(crate) async fn find_token(
        &self,
        context: &Context,
        id: TokenId,
    ) -> Result<Option<BankAccountToken>, Error> {
        let merchant = context.merchant;
        let find = FindObject { merchant, kind: Kind::Token, number: id.number() };
        match self.store.read(find).await? {
            Some(Object::Token(token)) => Ok(Some(token)),
            _ => Ok(None),
        }
    }

    /// A token by the text of its id, to make something of it: marked as used, with its version
    /// raised. The caller puts it into the same change.
    #[expect(dead_code, reason = "what makes external accounts of tokens calls it")]
    pub(crate) async fn use_token(
        &self,
        context: &Context,
        given: &str,
        param: &str,
    ) -> Result<BankAccountToken, Error> {
        let missing = || Error::from(Refusal::no_such("token", given, param).status(400));
        let id: TokenId = given.parse().map_err(|_| missing())?;
        let mut token = self.find_token(context, id).await?.ok_or_else(missing)?;
        if token.used {
            let message = format!("The token {given} was used already; a token can be used once.");
            let refusal = Refusal::invalid(message).code("token_already_used");
            return Err(refusal.param(param.to_owned()).into());
        }
        token.used = true;
        token.version += 1;
        Ok(token)
    }
}
