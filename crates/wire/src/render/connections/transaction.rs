//! A transaction (`financial_connections.transaction`): the hot path.
//!
//! Followers mostly read pages of a hundred. The fixed parts are therefore written in one piece,
//! and the texts of ids that repeat from row to row are cached. Only the buffer is allocated.

use crate::json::JsonWriter;
use model::Word;
use model::id::{AccountId, IdText, RefreshId};
use model::transaction::Transaction;

/// The value of `object`.
pub const OBJECT: &str = "financial_connections.transaction";
/// The typical size of a row in bytes, for the size of a buffer.
pub const BYTES_TYPICAL: usize = 512;

/// Writes one row. A [`Renderer`] writes a page faster.
pub fn write(writer: &mut JsonWriter, transaction: &Transaction, livemode: bool) {
    Renderer::new(livemode).write(writer, transaction);
}

/// Writes the rows of a page and caches repeated ids.
#[derive(Clone, Copy)]
pub struct Renderer {
    livemode: &'static [u8],
    account: Option<(AccountId, IdText)>,
    refresh: Option<(RefreshId, IdText)>,
}

impl Renderer {
    /// Creates a renderer for the rows of one page.
    pub fn new(livemode: bool) -> Self {
        let livemode: &[u8] = if livemode { b"true" } else { b"false" };
        Self { livemode, account: None, refresh: None }
    }

    /// Writes one row.
    pub fn write(&mut self, writer: &mut JsonWriter, transaction: &Transaction) {
        let account = self.account_text(transaction.id.account);
        let refresh = self.refresh_text(transaction.refresh());
        writer.begin_value();
        writer
            .fragment(br#"{"id":""#)
            .fragment(transaction.id.text().as_ref())
            .fragment(br#"","object":"financial_connections.transaction","account":""#)
            .fragment(account.as_ref())
            .fragment(br#"","amount":"#)
            .digits(transaction.amount)
            .fragment(br#","currency":""#)
            .fragment(&transaction.currency.bytes())
            .fragment(br#"","description":""#)
            .string_body(&transaction.description)
            .fragment(br#"","livemode":"#)
            .fragment(self.livemode)
            .fragment(br#","status":""#)
            .fragment(transaction.status.word().as_bytes())
            .fragment(br#"","status_transitions":{"posted_at":"#);
        write_time(writer, transaction.posted_at.map(|at| at.0));
        writer.fragment(br#","void_at":"#);
        write_time(writer, transaction.void_at.map(|at| at.0));
        writer
            .fragment(br#"},"transacted_at":"#)
            .digits(transaction.transacted_at.0)
            .fragment(br#","transaction_refresh":""#)
            .fragment(refresh.as_ref())
            .fragment(br#"","updated":"#)
            .digits(transaction.updated.0)
            .fragment(b"}")
            .end_value();
    }

    fn account_text(&mut self, id: AccountId) -> IdText {
        match self.account {
            Some((known, text)) if known == id => text,
            _ => self.account.insert((id, id.text())).1,
        }
    }

    fn refresh_text(&mut self, id: RefreshId) -> IdText {
        match self.refresh {
            Some((known, text)) if known == id => text,
            _ => self.refresh.insert((id, id.text())).1,
        }
    }
}

fn write_time(writer: &mut JsonWriter, seconds: Option<i64>) {
    match seconds {
        Some(seconds) => writer.digits(seconds),
        None => writer.fragment(b"null"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples::{indented, transaction};
    use model::clock::AccountTime;
    use model::transaction::TransactionStatus;

    /// A row has every key, in order.
    #[test]
    fn writes_a_row() {
        insta::assert_snapshot!(indented(|w| write(w, &transaction(), false)), @r#"
        {
          "id": "fctxn_00000000001008hMgxEdmahN",
          "object": "financial_connections.transaction",
          "account": "fca_00000000001N2iOZR8XeONQK",
          "amount": -1234,
          "currency": "usd",
          "description": "Rocket Rides",
          "livemode": false,
          "status": "posted",
          "status_transitions": {
            "posted_at": 1700086400,
            "void_at": null
          },
          "transacted_at": 1700000000,
          "transaction_refresh": "fctxnref_000000000011FvOMCyUAhbKF",
          "updated": 1700090000
        }
        "#);
    }

    /// Each row of a page shows its own ids, also if accounts and refreshes change between rows.
    #[test]
    fn remembers_no_wrong_id() {
        let mut rows = vec![transaction(); 5];
        rows[1].description = "a \"b\" \\ \u{1}".into();
        rows[2].id.account = AccountId::from_number(7);
        rows[3].sequence = 9;
        rows[4].status = TransactionStatus::Void;
        rows[4].void_at = Some(AccountTime(5));
        let mut page = JsonWriter::with_capacity(rows.len() * BYTES_TYPICAL);
        let mut renderer = Renderer::new(false);
        page.array(|w| rows.iter().for_each(|row| renderer.write(w, row)));
        let read: Vec<serde_json::Value> = serde_json::from_slice(page.as_bytes()).unwrap();
        for (row, read) in rows.iter().zip(read) {
            assert_eq!(read["id"], row.id.to_string());
            assert_eq!(read["account"], row.id.account.to_string());
            assert_eq!(read["transaction_refresh"], row.refresh().to_string());
            assert_eq!(read["description"], row.description);
            assert_eq!(read["status_transitions"]["void_at"].as_i64(), row.void_at.map(|at| at.0));
        }
    }
}
