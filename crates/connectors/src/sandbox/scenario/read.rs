//! The reader of a scenario: institutions, holders, accounts, stretches and timelines.

use super::super::plan::{Opening, Plan};
use super::super::routine::seed;
use super::contradiction::{self, Account};
use super::fact::{self, Context, read_owners};
use super::institution::{BankPart, read_banks, read_position};
use super::money::Money;
use super::stretch;
use super::tree::{self, At, ScenarioError, Table};
use super::value::{
    DAYS_MAX, Kind, NAME_CHARS_MAX, TEXT_CHARS_MAX, read_choice, read_currency, read_description,
    read_last4,
};
use crate::sandbox::catalogue::{Challenge, Login};
use model::Word;
use model::account::{Category, Subcategory};
use model::bank::BankOwner;
use model::id::{InstitutionId, hash_number};
use model::limits::{
    SCENARIO_ACCOUNTS_MAX, SCENARIO_BYTES_MAX, SCENARIO_FACTS_MAX, SCENARIO_HOLDERS_MAX,
};
use model::money::Currency;
use std::collections::BTreeMap;

/// Days between the start of the ledger and the link, unless the file sets them.
const HISTORY_DAYS: i64 = 180;

/// The most balances of an account in other currencies.
const BALANCES_MAX: usize = 20;

/// A scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// Its description, in one or two sentences. May be empty.
    pub description: String,
    banks: Vec<PlannedBank>,
}

/// A bank of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct PlannedBank {
    pub(in crate::sandbox) id: InstitutionId,
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) description: String,
    pub(in crate::sandbox) login: Login,
    /// The question at every login.
    pub(in crate::sandbox) challenge: Option<Challenge>,
    pub(in crate::sandbox) accounts: Vec<Plan>,
}

impl Scenario {
    /// Reads a file of TOML or JSON.
    pub fn read(text: &str) -> Result<Self, ScenarioError> {
        read(text)
    }

    pub(in crate::sandbox) fn banks(&self) -> &[PlannedBank] {
        &self.banks
    }

    /// Its banks with the names of their accounts, in the order of the file.
    pub fn outline(&self) -> Vec<(InstitutionId, &str, Vec<&str>)> {
        let mut outline = Vec::with_capacity(self.banks.len());
        for bank in &self.banks {
            let accounts = bank.accounts.iter().map(|account| account.name.as_str()).collect();
            outline.push((bank.id, bank.name.as_str(), accounts));
        }
        outline
    }
}

fn read(text: &str) -> Result<Scenario, ScenarioError> {
    if text.len() > SCENARIO_BYTES_MAX {
        let problem = format!("a scenario has at most {SCENARIO_BYTES_MAX} bytes");
        return Err(ScenarioError { line: 1, key: String::new(), problem });
    }
    let mut file = tree::read(text)?;
    let name = file.text("name", NAME_CHARS_MAX)?;
    let name = file.need("name", name)?;
    let description = read_description(&mut file)?;
    let holders = read_holders(&mut file)?;
    let parts = read_banks(&mut file, &name, &description)?;
    let name = name.value;
    let mut banks: Vec<PlannedBank> = Vec::with_capacity(parts.len());
    for part in &parts {
        banks.push(PlannedBank {
            id: institution_id(&part.name, text),
            name: part.name.clone(),
            description: part.description.clone(),
            login: part.login,
            challenge: part.challenge,
            accounts: Vec::new(),
        });
    }
    let accounts = file.tables("accounts", SCENARIO_ACCOUNTS_MAX)?;
    if accounts.is_empty() {
        return Err(file.error(file.line, "accounts", "at least one is needed"));
    }
    for mut table in accounts {
        let position = read_position(&mut table, &parts)?;
        let line = table.line;
        let plan = read_account(table, &name, &parts[position], &holders)?;
        if banks[position].accounts.iter().any(|known| known.name == plan.name) {
            let problem = format!("the institution has an account '{}' already", plan.name);
            return Err(ScenarioError { line, key: "accounts.name".to_owned(), problem });
        }
        banks[position].accounts.push(plan);
    }
    file.finish()?;
    Ok(Scenario { name, description, banks })
}

/// A bank's id. It depends on the whole file, so that an account that is linked again after a
/// change of the file does not get another history under its old key.
fn institution_id(name: &str, text: &str) -> InstitutionId {
    InstitutionId::from_number(hash_number(&[b"scenario", name.as_bytes(), text.as_bytes()]))
}

fn read_holders(file: &mut Table) -> Result<BTreeMap<String, BankOwner>, ScenarioError> {
    let mut holders = BTreeMap::new();
    for mut table in file.tables("holders", SCENARIO_HOLDERS_MAX)? {
        let name = table.any_text("name", TEXT_CHARS_MAX)?;
        let At { line, value: name } = table.need("name", name)?;
        let mut text = |key| Ok(table.any_text(key, TEXT_CHARS_MAX)?.map(|text| text.value));
        let owner = BankOwner {
            name: name.clone(),
            email: text("email")?,
            phone: text("phone")?,
            raw_address: text("address")?,
        };
        if holders.insert(name, owner).is_some() {
            return Err(table.error(line, "name", "two holders have this name"));
        }
        table.finish()?;
    }
    Ok(holders)
}

fn read_account(
    mut table: Table,
    scenario: &str,
    bank: &BankPart,
    holders: &BTreeMap<String, BankOwner>,
) -> Result<Plan, ScenarioError> {
    let name = table.text("name", NAME_CHARS_MAX)?;
    let name = table.need("name", name)?.value;
    let description = read_description(&mut table)?;
    let (category, subcategory) = read_kind(&mut table)?;
    let payable = read_payable(&mut table, category)?;
    let currency = read_currency(&mut table)?.unwrap_or(Currency::USD);
    let money = Money { currency };
    let last4 = read_last4(&mut table)?;
    let (balance, available_more) = read_balance(&mut table, money)?;
    let balances = read_balances(&mut table, currency)?;
    let overdraft = read_overdraft(&mut table, category, money)?;
    let history_days = table.integer("history_days", 0, DAYS_MAX)?;
    let window_days = table.integer("window_days", 1, DAYS_MAX)?;
    let owners = read_owners(&mut table, holders)?;
    let stretches = stretch::read_all(&mut table, money, &balances)?;
    let path = table.path_of("timeline");
    let context = Context { money, holders };
    let mut facts = Vec::new();
    let entries = table.tables("timeline", SCENARIO_FACTS_MAX)?;
    for (entry, number) in entries.into_iter().zip(1..) {
        facts.push(fact::read(entry, number, &context)?);
    }
    facts.sort_by_key(|fact| fact.value.at);
    fact::check(&facts, &path)?;
    contradiction::check(&facts, &Account { currency, last4: last4.as_deref() }, &path)?;
    table.finish()?;
    Ok(Plan {
        seed: seed(scenario, &name),
        name,
        description,
        category,
        subcategory,
        payable,
        currency,
        last4,
        snapshots: bank.snapshots,
        bank_page: bank.login == Login::OAuth,
        challenge: bank.challenge,
        login_lasts_s: bank.login_lasts_s,
        banking: bank.banking,
        history_days: history_days.map_or(HISTORY_DAYS, |days| days.value),
        window_days: window_days.map(|days| days.value),
        balance,
        available_more,
        balances,
        overdraft,
        owners,
        number: None,
        stretches,
        facts: facts.into_iter().map(|fact| fact.value).collect(),
    })
}

fn read_kind(table: &mut Table) -> Result<(Category, Subcategory), ScenarioError> {
    let kind = read_choice::<Kind>(table, "kind")?.unwrap_or(Kind::Of(Subcategory::Checking));
    let line = table.line_of("category");
    let category = read_choice::<Category>(table, "category")?.unwrap_or(kind.category());
    if category != kind.category() && kind != Kind::Of(Subcategory::Other) {
        let problem = format!(
            "{} is {}; leave category out, or write kind = \"other\"",
            kind.word(),
            kind.category().word()
        );
        return Err(table.error(line, "category", problem));
    }
    Ok((category, kind.subcategory()))
}

/// Reads the amount below zero that the bank allows. Only a cash account has such a limit.
fn read_overdraft(
    table: &mut Table,
    category: Category,
    money: Money,
) -> Result<i64, ScenarioError> {
    let line = table.line_of("overdraft");
    if category != Category::Cash && table.has("overdraft") {
        let problem = format!(
            "only a cash account has an overdraft, and this is a {} account; remove the key",
            category.word()
        );
        return Err(table.error(line, "overdraft", problem));
    }
    match money.read(table, "overdraft")?.unwrap_or(0) {
        ..0 => Err(table.error(line, "overdraft", "an amount of at least 0 is expected")),
        amount => Ok(amount),
    }
}

/// Reads whether the account can pay. An investment account never can.
fn read_payable(table: &mut Table, category: Category) -> Result<bool, ScenarioError> {
    match table.flag("payable")? {
        Some(At { line, value: true }) if category == Category::Investment => {
            Err(table.error(line, "payable", "an investment account cannot pay; remove the key"))
        }
        Some(At { value, .. }) => Ok(value),
        None => Ok(category == Category::Cash),
    }
}

/// Reads the balances in other currencies than the account's own.
fn read_balances(table: &mut Table, own: Currency) -> Result<Vec<Opening>, ScenarioError> {
    let mut balances: Vec<Opening> = Vec::new();
    for mut entry in table.tables("balances", BALANCES_MAX)? {
        let line = entry.line_of("currency");
        let currency = read_currency(&mut entry)?;
        let currency = entry.need("currency", currency)?;
        if currency == own {
            let problem = "is the account's own currency; use balance and available of the account";
            return Err(entry.error(line, "currency", problem));
        }
        if balances.iter().any(|known| known.currency == currency) {
            let problem = format!("two balances are in {}; remove one", currency.as_str());
            return Err(entry.error(line, "currency", problem));
        }
        let (balance, available_more) = read_balance(&mut entry, Money { currency })?;
        entry.finish()?;
        balances.push(Opening { currency, balance, available_more });
    }
    Ok(balances)
}

/// Reads the balance at the link, and the difference of the available balance to it.
fn read_balance(table: &mut Table, money: Money) -> Result<(i64, i64), ScenarioError> {
    let balance = money.read(table, "balance")?.unwrap_or(0);
    let available = money.read(table, "available")?;
    Ok((balance, available.map_or(0, |available| available - balance)))
}
