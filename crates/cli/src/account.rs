//! `bankfeed accounts` and `bankfeed refresh`: lists linked accounts and refreshes them.

use super::global::GlobalFlags;
use super::output::{self, Column, Facts, OutputError, Table, is_terminal};
use super::server::{Server, ServerError, WAIT_LONGER, Wait, patiently, rows, text, with_server};
use super::{CommandError, format};
use clap::{Args, ValueEnum};
use model::limits::COMMAND_WAIT_S_MAX;
use serde_json::Value;

pub(super) const ACCOUNTS: &str = "/v1/financial_connections/accounts";
/// The default bound of the wait for a refresh.
const REFRESH_WAIT_S: u64 = 60;

/// The selection of accounts.
#[derive(Args)]
pub struct AccountsFlags {
    /// One account, in full
    #[arg(value_name = "ACCOUNT")]
    id: Option<String>,
    /// Only accounts of this customer
    #[arg(long, value_name = "CUSTOMER", conflicts_with = "id")]
    customer: Option<String>,
    /// Maximum number of accounts
    #[arg(long, value_name = "NUMBER", conflicts_with = "id", value_parser = rows())]
    limit: Option<usize>,
}

/// The account and the features to refresh.
#[derive(Args)]
pub struct RefreshFlags {
    /// Account
    #[arg(value_name = "ACCOUNT")]
    id: String,
    /// Feature; may be repeated
    #[arg(long, value_name = "FEATURE", value_delimiter = ',', default_value = "transactions")]
    feature: Vec<Feature>,
    /// Wait for the end; exit with 1 if the refresh failed
    #[arg(long)]
    wait: bool,
    /// Maximum wait in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = REFRESH_WAIT_S,
        value_parser = clap::value_parser!(u64).range(..=COMMAND_WAIT_S_MAX)
    )]
    timeout: u64,
}

/// The features that can be refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Feature {
    Balance,
    Ownership,
    Transactions,
}

impl Feature {
    pub(super) const ALL: [Self; 3] = [Self::Balance, Self::Ownership, Self::Transactions];

    /// The name of the feature in the API.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Balance => "balance",
            Self::Ownership => "ownership",
            Self::Transactions => "transactions",
        }
    }

    /// The account's key that describes its last refresh.
    pub(super) fn refresh(self) -> &'static str {
        match self {
            Self::Balance => "balance_refresh",
            Self::Ownership => "ownership_refresh",
            Self::Transactions => "transaction_refresh",
        }
    }
}

/// The account's key that describes the refresh which an event of this type reports as ended.
pub(super) fn refresh_of(event_type: &str) -> Option<&'static str> {
    let (_, word) = event_type.rsplit_once(".refreshed_")?;
    Some(Feature::ALL.into_iter().find(|feature| feature.word() == word)?.refresh())
}

/// The path of an account.
pub(super) fn path_of(id: &str) -> String {
    format!("{ACCOUNTS}/{}", segment(id))
}

/// Encodes an id as one segment of a path, so that a typed slash cannot leave the segment.
pub(super) fn segment(id: &str) -> String {
    url::form_urlencoded::byte_serialize(id.as_bytes()).collect()
}

pub(super) fn run(flags: &AccountsFlags, global: &GlobalFlags) -> Result<(), CommandError> {
    with_server(global, async |server| {
        let Some(id) = &flags.id else { return list(server, flags).await };
        let account = server.get(&path_of(id), &[]).await?;
        server.show(&account, show)
    })
}

async fn list(server: &Server, flags: &AccountsFlags) -> Result<(), ServerError> {
    let customer = flags.customer.as_deref();
    let form: Vec<(&str, &str)> =
        customer.map(|customer| ("account_holder[customer]", customer)).into_iter().collect();
    if server.json {
        let tell = |account| Ok(output::say_json_line(&account)?);
        return server.each(ACCOUNTS, &form, flags.limit, is_terminal(), tell).await;
    }
    Ok(show_many(&server.list(ACCOUNTS, &form, flags.limit).await?)?)
}

/// Prints accounts as a table.
pub(super) fn show_many(accounts: &[Value]) -> Result<(), OutputError> {
    let mut table = Table::new(&[
        Column::Text("ID"),
        Column::Text("BANK"),
        Column::Text("ACCOUNT"),
        Column::Text("LAST4"),
        Column::Text("KIND"),
        Column::Status("STATUS"),
        Column::Status("TRANSACTIONS"),
    ]);
    for account in accounts {
        table.row(&[
            &text(account, "id"),
            &text(account, "institution_name"),
            &text(account, "display_name"),
            &text(account, "last4"),
            &text(account, "subcategory"),
            &text(account, "status"),
            &refresh_in_short(&account["transaction_refresh"]),
        ]);
    }
    table.print("no accounts; link one with `bankfeed link`")
}

/// Summarizes the state of a last refresh.
fn refresh_in_short(refresh: &Value) -> String {
    if !refresh.is_object() {
        return "never".to_owned();
    }
    format!("{} {}", text(refresh, "status"), format::day(&refresh["last_attempted_at"]))
}

fn show(account: &Value) -> Result<(), OutputError> {
    let mut facts = Facts::new();
    facts.add("id", &text(account, "id"));
    facts.add("bank", &text(account, "institution_name"));
    facts.add("account", &text(account, "display_name"));
    facts.add("last4", &text(account, "last4"));
    facts.add("kind", &format!("{}, {}", text(account, "category"), text(account, "subcategory")));
    facts.add("status", &text(account, "status"));
    let holder = &account["account_holder"];
    facts.add("holder", &text(holder, &text(holder, "type")));
    facts.add("linked", &format::moment(&account["created"]));
    facts.add("permissions", &words(&account["permissions"]));
    facts.add("subscriptions", &words(&account["subscriptions"]));
    let balance = &account["balance"];
    facts.add("balance", &format::amounts(&balance["current"]));
    for feature in Feature::ALL {
        let refresh = &account[feature.refresh()];
        if refresh.is_object() {
            facts.add(feature.refresh(), &refresh_in_full(refresh));
        }
    }
    facts.print()
}

fn refresh_in_full(refresh: &Value) -> String {
    let parts = [
        text(refresh, "status"),
        format::moment(&refresh["last_attempted_at"]),
        text(refresh, "id"),
    ];
    parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join("  ")
}

/// The words of a list, separated by commas.
fn words(list: &Value) -> String {
    let words = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    words.collect::<Vec<_>>().join(", ")
}

/// Starts refreshes. With `--wait`, waits for their ends.
pub(super) fn run_refresh(flags: &RefreshFlags, global: &GlobalFlags) -> Result<(), CommandError> {
    with_server(global, async |server| {
        let timeout_s = flags.wait.then_some(flags.timeout);
        let account = refresh(server, &flags.id, &flags.feature, timeout_s).await?;
        server.show(&account, |account| show_refreshes(account, &flags.feature))?;
        let failed = |feature: &&Feature| account[feature.refresh()]["status"] == "failed";
        match flags.feature.iter().find(failed) {
            Some(feature) if flags.wait => Err(ServerError::Ended {
                problem: format!("the refresh of {} failed", feature.word()),
                help: "Read the column AGAIN FROM, and repeat the command then".to_owned(),
            }),
            _ => Ok(()),
        }
    })
}

/// Starts refreshes of an account, and returns the account. With a time limit, waits for their ends.
pub(super) async fn refresh(
    server: &Server,
    id: &str,
    features: &[Feature],
    timeout_s: Option<u64>,
) -> Result<Value, ServerError> {
    let form: Vec<(&str, &str)> =
        features.iter().map(|feature| ("features[]", feature.word())).collect();
    let path = path_of(id);
    let account = server.post(&format!("{path}/refresh"), &form).await?;
    let Some(timeout_s) = timeout_s else { return Ok(account) };
    let pending = |account: &Value| {
        features.iter().any(|feature| account[feature.refresh()]["status"] == "pending")
    };
    let wait = Wait { subject: "the end of the refresh", help: WAIT_LONGER, timeout_s };
    let ended = |account: &Value| (!pending(account)).then(|| account.clone());
    patiently("refreshing", server.until(&path, &[], wait, ended)).await
}

fn show_refreshes(account: &Value, features: &[Feature]) -> Result<(), OutputError> {
    let mut table = Table::new(&[
        Column::Text("FEATURE"),
        Column::Status("STATUS"),
        Column::Text("STARTED"),
        Column::Text("AGAIN FROM"),
        Column::Text("REFRESH"),
    ]);
    for feature in features {
        let refresh = &account[feature.refresh()];
        table.row(&[
            feature.word(),
            &text(refresh, "status"),
            &format::moment(&refresh["last_attempted_at"]),
            &format::moment(&refresh["next_refresh_available_at"]),
            &text(refresh, "id"),
        ]);
    }
    table.print("no refresh")
}
