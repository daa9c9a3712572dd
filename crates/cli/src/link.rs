//! `bankfeed link`: links bank accounts without a browser.
//!
//! The command creates the test clock, the customer and the session that the flags do not name. It
//! makes at most four calls. If one fails, the command deletes the objects it created.

use super::account::{path_of, segment, show_many};
use super::global::GlobalFlags;
use super::output::{Column, Table};
use super::server::{SEE_LOG, Server, ServerError, Wait, patiently, text, with_server};
use super::{CommandError, output};
use clap::Args;
use model::clock::AccountTime;
use serde_json::Value;

pub(super) const HELPERS: &str = "/v1/test_helpers/financial_connections";
const CLOCKS: &str = "/v1/test_helpers/test_clocks";
const CUSTOMERS: &str = "/v1/customers";
/// The first API version in which a session can relink an account.
const RELINK_VERSION: &str = "2026-01-28.preview";
/// The time limit of a subscription's first refresh.
const FIRST_REFRESH_WAIT_S: u64 = 60;

/// The flags of `bankfeed link`.
#[derive(Args)]
pub struct LinkFlags {
    /// Bank, by name or id
    #[arg(long, value_name = "NAME", default_value = "Test (Non-OAuth)")]
    pub(super) bank: String,
    /// Account of the bank; may be repeated [default: preselected]
    #[arg(long, value_name = "NAME")]
    pub(super) account: Vec<String>,
    /// Customer [default: a new one]
    #[arg(long, value_name = "CUSTOMER", conflicts_with_all = ["clock", "new_clock", "email"])]
    pub(super) customer: Option<String>,
    /// E-mail of the new customer; it determines the bank data
    #[arg(long, value_name = "EMAIL", default_value = "jenny.rosen@example.com")]
    pub(super) email: String,
    /// Test clock of the new customer
    #[arg(long, value_name = "CLOCK", conflicts_with = "new_clock")]
    pub(super) clock: Option<String>,
    /// Create a test clock for the customer, at this time or now
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "now")]
    pub(super) new_clock: Option<String>,
    /// Id of a session, an intent or another object to link
    #[arg(long, value_name = "ID", conflicts_with_all = ["customer", "clock", "new_clock", "email", "permission", "prefetch"])]
    pub(super) carrier: Option<String>,
    /// Account to relink, because its bank requires a new login
    #[arg(long, value_name = "ACCOUNT", conflicts_with_all = ["bank", "account", "customer", "clock", "new_clock", "email", "carrier", "permission"])]
    pub(super) relink: Option<String>,
    /// Permissions of the session
    #[arg(
        long,
        value_name = "WORD",
        value_delimiter = ',',
        default_value = "balances,ownership,payment_method,transactions"
    )]
    pub(super) permission: Vec<String>,
    /// Features that are fetched when the account is linked
    #[arg(long, value_name = "WORD", value_delimiter = ',')]
    pub(super) prefetch: Vec<String>,
    /// Subscribe the accounts to daily transactions
    #[arg(long)]
    pub(super) subscribe: bool,
    /// Only show the banks and their accounts
    #[arg(long)]
    pub(super) list: bool,
}

pub(super) fn run(
    flags: &LinkFlags,
    global: &GlobalFlags,
    now: AccountTime,
) -> Result<(), CommandError> {
    with_server(global, async |server| {
        if flags.list {
            return list(server).await;
        }
        let linked = link_accounts(server, flags, now).await?;
        let accounts = &linked.accounts;
        if server.json {
            accounts.iter().try_for_each(output::say_json_line)?;
        } else {
            show_many(accounts)?;
        }
        if accounts.is_empty() {
            return Err(ServerError::Ended {
                problem: format!("{} linked no account", linked.carrier),
                help: "`bankfeed link --list` shows the accounts of each bank".to_owned(),
            });
        }
        Ok(())
    })
}

/// The result of a link.
pub(super) struct Linked {
    /// The id of the carrier.
    pub(super) carrier: String,
    /// The accounts, in full.
    pub(super) accounts: Vec<Value>,
    /// The objects that were created for the link.
    pub(super) made: Made,
}

/// Links accounts, and subscribes them if the flags say so. If the link is rejected, it deletes the
/// objects that it created.
pub(super) async fn link_accounts(
    server: &Server,
    flags: &LinkFlags,
    now: AccountTime,
) -> Result<Linked, ServerError> {
    let mut made = Made::default();
    let linked = match patiently("linking", link(server, flags, now, &mut made)).await {
        Ok(linked) => linked,
        Err(error) => {
            made.undo(server).await;
            return Err(error);
        }
    };
    made.tell(server);
    let mut accounts = accounts_of(server, &linked).await?;
    if flags.subscribe {
        subscribe(server, &mut accounts).await?;
    }
    Ok(Linked { carrier: text(&linked, "id"), accounts, made })
}

/// Links accounts and returns the carrier.
async fn link(
    server: &Server,
    flags: &LinkFlags,
    now: AccountTime,
    made: &mut Made,
) -> Result<Value, ServerError> {
    let carrier = match (&flags.carrier, &flags.relink) {
        (Some(carrier), _) => carrier.clone(),
        (None, Some(account)) => session_again(server, account, &flags.prefetch).await?,
        (None, None) => session(server, flags, now, made).await?,
    };
    let mut form = vec![("carrier", carrier.as_str())];
    if flags.relink.is_none() {
        form.push(("institution", flags.bank.as_str()));
    }
    form.extend(flags.account.iter().map(|name| ("accounts[]", name.as_str())));
    server.post(&format!("{HELPERS}/link"), &form).await
}

/// The objects that this command created for a link.
#[derive(Default)]
pub(super) struct Made {
    pub(super) clock: Option<String>,
    pub(super) customer: Option<String>,
}

impl Made {
    fn tell(&self, server: &Server) {
        let Some(customer) = self.customer.as_ref().filter(|_| !server.json) else { return };
        let on = self.clock.as_ref().map(|clock| format!(" on the test clock {clock}"));
        output::remark(&format!("created the customer {customer}{}", on.unwrap_or_default()));
    }

    /// Deletes the created objects, so that a failed link leaves no objects behind.
    async fn undo(&self, server: &Server) {
        let path = match self {
            // Deleting a clock also deletes its customers.
            Self { clock: Some(clock), .. } => format!("{CLOCKS}/{clock}"),
            Self { customer: Some(customer), .. } => format!("{CUSTOMERS}/{customer}"),
            _ => return,
        };
        // The error of the link is more useful than an error of this cleanup.
        let _ = server.call("DELETE", &path, &[]).await;
    }
}

/// Shows the banks and accounts that can be linked.
async fn list(server: &Server) -> Result<(), ServerError> {
    let mut banks = server.get(&format!("{HELPERS}/institutions"), &[]).await?;
    let Value::Array(banks) = banks["data"].take() else { return Ok(()) };
    if server.json {
        return Ok(banks.iter().try_for_each(output::say_json_line)?);
    }
    let columns = ["BANK, ACCOUNTS", "WHAT IT DOES"].map(Column::Text);
    let mut table = Table::new(&columns);
    for bank in &banks {
        table.row(&[&text(bank, "name"), &text(bank, "description")]);
        for account in bank["accounts"].as_array().into_iter().flatten() {
            let name = format!("  {}", text(account, "name"));
            table.row(&[&name, &text(account, "description")]);
        }
    }
    Ok(table.print("no banks")?)
}

/// Creates a session, with a new customer unless one was named.
async fn session(
    server: &Server,
    flags: &LinkFlags,
    now: AccountTime,
    made: &mut Made,
) -> Result<String, ServerError> {
    let customer = match &flags.customer {
        Some(customer) => customer.clone(),
        None => customer(server, flags, now, made).await?,
    };
    let mut form =
        vec![("account_holder[type]", "customer"), ("account_holder[customer]", customer.as_str())];
    form.extend(flags.permission.iter().map(|word| ("permissions[]", word.as_str())));
    form.extend(flags.prefetch.iter().map(|word| ("prefetch[]", word.as_str())));
    let session = server.post("/v1/financial_connections/sessions", &form).await?;
    Ok(text(&session, "id"))
}

/// Creates a session that relinks an account, with the account's permissions.
async fn session_again(
    server: &Server,
    account: &str,
    prefetch: &[String],
) -> Result<String, ServerError> {
    let preview = server.in_version(RELINK_VERSION);
    let shown = preview.get(&path_of(account), &[]).await?;
    let authorization = text(&shown, "authorization");
    let mut form = vec![
        ("relink_options[authorization]", authorization.as_str()),
        ("relink_options[account]", account),
    ];
    let permissions = shown["permissions"].as_array().into_iter().flatten();
    let permissions = permissions.filter_map(Value::as_str);
    form.extend(permissions.map(|word| ("permissions[]", word)));
    form.extend(prefetch.iter().map(|word| ("prefetch[]", word.as_str())));
    let session = preview.post("/v1/financial_connections/sessions", &form).await?;
    Ok(text(&session, "id"))
}

async fn customer(
    server: &Server,
    flags: &LinkFlags,
    now: AccountTime,
    made: &mut Made,
) -> Result<String, ServerError> {
    if let Some(at) = &flags.new_clock {
        let at = if at == "now" { now.0.to_string() } else { at.clone() };
        let clock = server.post(CLOCKS, &[("frozen_time", at.as_str())]).await?;
        made.clock = Some(text(&clock, "id"));
    }
    let mut form = vec![("email", flags.email.as_str())];
    let clock = flags.clock.as_deref().or(made.clock.as_deref());
    form.extend(clock.map(|clock| ("test_clock", clock)));
    let customer = text(&server.post(CUSTOMERS, &form).await?, "id");
    made.customer = Some(customer.clone());
    Ok(customer)
}

/// The linked accounts of a carrier, in full. A session lists them, and other carriers lead to a
/// payment method that names one.
async fn accounts_of(server: &Server, linked: &Value) -> Result<Vec<Value>, ServerError> {
    if let Some(accounts) = linked.pointer("/accounts/data").and_then(Value::as_array) {
        return Ok(accounts.clone());
    }
    let mut carrier = linked.clone();
    if linked["object"] == "checkout.session" {
        let (intents, id) = match text(linked, "setup_intent") {
            id if id.is_empty() => ("payment_intents", text(linked, "payment_intent")),
            id => ("setup_intents", id),
        };
        carrier = server.get(&format!("/v1/{intents}/{}", segment(&id)), &[]).await?;
    }
    let method = text(&carrier, "payment_method");
    if method.is_empty() {
        return Ok(Vec::new());
    }
    let method = server.get(&format!("/v1/payment_methods/{}", segment(&method)), &[]).await?;
    let account = text(&method["us_bank_account"], "financial_connections_account");
    if account.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![server.get(&path_of(&account), &[]).await?])
}

/// Subscribes the accounts, and waits until the first refresh of each has ended.
async fn subscribe(server: &Server, accounts: &mut [Value]) -> Result<(), ServerError> {
    for account in accounts {
        let path = path_of(&text(account, "id"));
        server.post(&format!("{path}/subscribe"), &[("features[]", "transactions")]).await?;
        let wait = Wait {
            subject: "the end of the first refresh",
            help: SEE_LOG,
            timeout_s: FIRST_REFRESH_WAIT_S,
        };
        let ended = |account: &Value| {
            (account["transaction_refresh"]["status"] != "pending").then(|| account.clone())
        };
        let end = server.until(&path, &[], wait, ended);
        *account = patiently("waiting for the first refresh", end).await?;
    }
    Ok(())
}
