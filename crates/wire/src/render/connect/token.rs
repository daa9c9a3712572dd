//! A token of bank account numbers (`token`, of type `bank_account`).

use crate::json::JsonWriter;
use model::Word;
use model::token::BankAccountToken;

/// The value of `object`.
pub const OBJECT: &str = "token";

/// Writes a token.
pub fn write(writer: &mut JsonWriter, token: &BankAccountToken) {
    writer.object(|w| {
        w.key("id").plain(token.id.text());
        w.key("object").plain(OBJECT);
        w.key("bank_account").object(|w| write_bank_account(w, token));
        w.key("client_ip").null();
        w.key("created").integer(token.created.0);
        w.key("livemode").boolean(token.livemode);
        w.key("type").plain("bank_account");
        w.key("used").boolean(token.used);
    });
}

fn write_bank_account(w: &mut JsonWriter, token: &BankAccountToken) {
    w.key("id").plain(token.bank_account.text());
    w.key("object").plain("bank_account");
    w.key("account_holder_name").optional_string(token.holder_name.as_deref());
    w.key("account_holder_type").plain(token.holder_type.word());
    w.key("account_type").plain(token.account_type.word());
    w.key("bank_name").optional_string(token.bank_name.as_deref());
    w.key("country").plain("US");
    w.key("currency").plain("usd");
    w.key("fingerprint").plain(&token.fingerprint);
    w.key("last4").string(&token.last4);
    w.key("routing_number").string(&token.routing_number);
    w.key("status").plain("new");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples::{self, indented};

    /// A token shows the bank account without its number.
    #[test]
    fn writes_a_token() {
        insta::assert_snapshot!(
            indented(|w| write(w, &samples::token())),
            @r#"
            {
              "id": "btok_00000000001iXduhjR37ec9v",
              "object": "token",
              "bank_account": {
                "id": "ba_000000000025Ye9P9EhAZJzW",
                "object": "bank_account",
                "account_holder_name": null,
                "account_holder_type": "individual",
                "account_type": "checking",
                "bank_name": "STRIPE TEST BANK",
                "country": "US",
                "currency": "usd",
                "fingerprint": "Abc123",
                "last4": "6789",
                "routing_number": "110000000",
                "status": "new"
              },
              "client_ip": null,
              "created": 1700000000,
              "livemode": false,
              "type": "bank_account",
              "used": false
            }
            "#
        );
    }
}
