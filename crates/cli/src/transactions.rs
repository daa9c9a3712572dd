//! `bankfeed transactions`: lists the transactions of an account, all pages of them.

use super::global::GlobalFlags;
use super::output::{self, Column, Table, is_terminal};
use super::server::{ServerError, rows, text, with_server};
use super::{CommandError, format};
use clap::Args;
use serde_json::Value;

pub(super) const TRANSACTIONS: &str = "/v1/financial_connections/transactions";

/// The selection of transactions.
#[derive(Args)]
pub struct TransactionsFlags {
    /// Account
    #[arg(value_name = "ACCOUNT")]
    account: String,
    /// Only rows that later refreshes created or changed
    #[arg(long, value_name = "REFRESH")]
    after: Option<String>,
    /// Maximum number of transactions, newest first
    #[arg(long, value_name = "NUMBER", value_parser = rows())]
    limit: Option<usize>,
}

pub(super) fn run(flags: &TransactionsFlags, global: &GlobalFlags) -> Result<(), CommandError> {
    with_server(global, async |server| {
        let mut form = vec![("account", flags.account.as_str())];
        form.extend(flags.after.as_deref().map(|after| ("transaction_refresh[after]", after)));
        if server.json {
            let tell = |row| Ok(output::say_json_line(&row)?);
            return server.each(TRANSACTIONS, &form, flags.limit, is_terminal(), tell).await;
        }
        let mut table = Table::new(&[
            Column::Text("ID"),
            Column::Text("DAY"),
            Column::Number("AMOUNT"),
            Column::Text(""),
            Column::Status("STATUS"),
            Column::Text("DESCRIPTION"),
        ]);
        let add = |row: Value| -> Result<(), ServerError> {
            let currency = text(&row, "currency");
            table.row(&[
                &text(&row, "id"),
                &format::day(&row["transacted_at"]),
                &format::amount(row["amount"].as_i64().unwrap_or_default(), &currency),
                &currency,
                &text(&row, "status"),
                &text(&row, "description"),
            ]);
            Ok(())
        };
        server.each(TRANSACTIONS, &form, flags.limit, false, add).await?;
        Ok(table.print("no transactions")?)
    })
}
