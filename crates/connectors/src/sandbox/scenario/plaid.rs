//! Converts a custom user of Plaid's sandbox (`override_accounts`) into a scenario, so that a team
//! can keep its test users.
//!
//! - Plaid's amounts are positive for money out, and its dates are calendar days.
//! - Plaid's balances are the current ones. The newest date of the file becomes the day before the
//!   link, so that all transactions of the file are in the balance at the link.
//! - Values without a counterpart in a scenario are left out and listed for the user.

use super::super::plan::{Fact, FactKind, Plan};
use super::money::Money;
use super::tree::without_mark;
use super::write::{Head, write};
use model::account::{Category, Subcategory};
use model::bank::{BankOwner, BankStatus};
use model::calendar::{Date, find_day};
use model::clock::DAY_S;
use model::money::Currency;
use serde_json::{Map, Value};

/// A scenario that was made from a custom user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The scenario file.
    pub text: String,
    /// The keys of the custom user that are not in the file, each once.
    pub left_out: Vec<String>,
}

/// A custom user that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaidError {
    /// The file is not JSON.
    #[error("line {line}: not JSON")]
    Json {
        /// The line, from 1.
        line: usize,
    },
    /// A value is missing or has another type.
    #[error("{path}: {problem}")]
    Value {
        /// The keys and positions that lead to the value.
        path: String,
        /// The problem.
        problem: String,
    },
}

/// Reads a custom user. `name` is the name of the scenario and of its bank.
pub fn import(text: &str, name: &str) -> Result<Imported, PlaidError> {
    let user: Value = serde_json::from_str(without_mark(text))
        .map_err(|error| PlaidError::Json { line: error.line() })?;
    let mut reader = Reader { left_out: Vec::new() };
    let top = object(&user, "the file")?;
    reader.skip(top, &["override_accounts"], "");
    let accounts =
        list(top, "override_accounts", "")?.ok_or_else(|| missing("override_accounts"))?;
    let mut days: Vec<i64> = Vec::new();
    for (position, account) in accounts.iter().enumerate() {
        let path = format!("override_accounts[{position}]");
        for (row, path) in rows(object(account, &path)?, &path)? {
            days.extend(day(row, "date_transacted", &path)?);
            days.extend(day(row, "date_posted", &path)?);
        }
    }
    let day_zero = days.into_iter().max().map_or(0, |newest| newest + 1);
    let mut plans: Vec<Plan> = Vec::new();
    for (position, account) in accounts.iter().enumerate() {
        let path = format!("override_accounts[{position}]");
        let mut plan = reader.account(object(account, &path)?, &path, day_zero)?;
        let same = plans.iter().filter(|known| known.name == plan.name).count();
        if same > 0 {
            plan.name = format!("{} {}", plan.name, position + 1);
        }
        plans.push(plan);
    }
    let description = "Made from a custom user of Plaid's sandbox.";
    let text = write(&Head { name, description, institution: name }, &plans);
    Ok(Imported { text, left_out: reader.left_out })
}

struct Reader {
    left_out: Vec<String>,
}

impl Reader {
    /// Records the keys that are not read.
    fn skip(&mut self, object: &Map<String, Value>, known: &[&str], path: &str) {
        for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            if !self.left_out.contains(&path) {
                self.left_out.push(path);
            }
        }
    }

    fn account(
        &mut self,
        account: &Map<String, Value>,
        path: &str,
        day_zero: i64,
    ) -> Result<Plan, PlaidError> {
        let known =
            ["type", "subtype", "starting_balance", "currency", "transactions", "identity", "meta"];
        self.skip(account, &known, "override_accounts");
        let kind = (word(account, "type", path)?, word(account, "subtype", path)?);
        let (category, subcategory) = kind_of(kind.0.as_deref(), kind.1.as_deref());
        let currency = match word(account, "currency", path)? {
            None => Currency::USD,
            Some(text) => Currency::parse(&text)
                .ok_or_else(|| wrong(path, "currency", "three letters are expected"))?,
        };
        let money = Money { currency };
        let (named, last4) = self.meta(account, path)?;
        let mut facts = Vec::new();
        for ((row, path), number) in rows(account, path)?.into_iter().zip(1..) {
            let id = format!("t{number}");
            self.transaction(row, &path, (id, day_zero, money), &mut facts)?;
        }
        facts.sort_by_key(|fact: &Fact| fact.at);
        let balance = amount(account, "starting_balance", path, money)?.unwrap_or(0);
        // At Plaid, the balance of a debt is positive.
        let balance = if category == Category::Credit { -balance } else { balance };
        let word = kind.1.or(kind.0).unwrap_or_else(|| "checking".to_owned());
        Ok(Plan {
            name: named.unwrap_or_else(|| titled(&word)),
            description: String::new(),
            category,
            subcategory,
            payable: category == Category::Cash,
            currency,
            last4,
            snapshots: false,
            bank_page: false,
            challenge: None,
            login_lasts_s: None,
            banking: None,
            history_days: 0,
            window_days: None,
            balance,
            available_more: 0,
            balances: Vec::new(),
            overdraft: 0,
            owners: self.owners(account, path)?,
            seed: 0,
            number: None,
            stretches: Vec::new(),
            facts,
        })
    }

    fn meta(
        &mut self,
        account: &Map<String, Value>,
        path: &str,
    ) -> Result<(Option<String>, Option<String>), PlaidError> {
        let Some(meta) = account.get("meta") else { return Ok((None, None)) };
        let path = format!("{path}.meta");
        let meta = object(meta, &path)?;
        self.skip(meta, &["name", "official_name", "mask"], "override_accounts.meta");
        let mask = word(meta, "mask", &path)?;
        let digits =
            |mask: &String| mask.len() == 4 && mask.bytes().all(|byte| byte.is_ascii_digit());
        Ok((word(meta, "name", &path)?, mask.filter(digits)))
    }

    /// Reads one transaction. It appears on the day on which it took place, and posts on its
    /// posting day.
    fn transaction(
        &mut self,
        row: &Map<String, Value>,
        path: &str,
        (id, day_zero, money): (String, i64, Money),
        facts: &mut Vec<Fact>,
    ) -> Result<(), PlaidError> {
        let known = ["date_transacted", "date_posted", "amount", "description", "currency"];
        self.skip(row, &known, "override_accounts.transactions");
        let transacted = day(row, "date_transacted", path)?;
        let posted = day(row, "date_posted", path)?;
        let transacted =
            transacted.or(posted).ok_or_else(|| wrong(path, "date_transacted", "is missing"))?;
        let currency = match word(row, "currency", path)? {
            Some(text) => Some(
                Currency::parse(&text)
                    .ok_or_else(|| wrong(path, "currency", "three letters are expected"))?,
            ),
            None => None,
        };
        let currency = currency.filter(|currency| *currency != money.currency);
        let money = Money { currency: currency.unwrap_or(money.currency) };
        let amount = amount(row, "amount", path, money)?;
        let amount = -amount.ok_or_else(|| wrong(path, "amount", "is missing"))?;
        let description = word(row, "description", path)?;
        let at = (transacted - day_zero) * DAY_S;
        let posts_later = posted.is_none_or(|posted| posted > transacted);
        facts.push(Fact {
            at,
            kind: FactKind::Appear {
                id: id.clone(),
                amount,
                description: description.unwrap_or_else(|| "Transaction".to_owned()),
                dated: at,
                status: if posts_later { BankStatus::Pending } else { BankStatus::Posted },
                currency,
            },
        });
        if let Some(posted) = posted.filter(|posted| *posted > transacted) {
            facts.push(Fact {
                at: (posted - day_zero) * DAY_S,
                kind: FactKind::Edit {
                    id,
                    status: Some(crate::sandbox::state::StatusChange::Post),
                    amount: None,
                    description: None,
                    dated: None,
                    currency,
                },
            });
        }
        Ok(())
    }

    /// Reads the owners from `identity`. Each name is one owner, and all of them get the first
    /// entry of each other list.
    fn owners(
        &mut self,
        account: &Map<String, Value>,
        path: &str,
    ) -> Result<Option<Vec<BankOwner>>, PlaidError> {
        let Some(identity) = account.get("identity") else { return Ok(None) };
        let path = format!("{path}.identity");
        let identity = object(identity, &path)?;
        let known = ["names", "emails", "phone_numbers", "addresses"];
        self.skip(identity, &known, "override_accounts.identity");
        let first = |key: &str| -> Option<&Value> { identity.get(key)?.as_array()?.first() };
        let data = |key: &str| first(key)?.get("data")?.as_str().map(str::to_owned);
        let address = first("addresses").and_then(|address| address.get("data")).map(|data| {
            let part = |key: &str| data.get(key).and_then(Value::as_str);
            let parts = ["street", "city", "region", "postal_code", "country"];
            parts.into_iter().filter_map(part).collect::<Vec<_>>().join(", ")
        });
        let names = list(identity, "names", &path)?.map(Vec::as_slice).unwrap_or_default();
        let owner = |name: &Value| {
            Some(BankOwner {
                name: name.as_str()?.to_owned(),
                email: data("emails"),
                phone: data("phone_numbers"),
                raw_address: address.clone().filter(|address| !address.is_empty()),
            })
        };
        Ok(Some(names.iter().filter_map(owner).collect()))
    }
}

fn kind_of(kind: Option<&str>, subtype: Option<&str>) -> (Category, Subcategory) {
    match (kind, subtype) {
        (_, Some("savings" | "money market" | "cd" | "hsa")) => {
            (Category::Cash, Subcategory::Savings)
        }
        (Some("credit"), _) | (_, Some("credit card")) => {
            (Category::Credit, Subcategory::CreditCard)
        }
        (_, Some("mortgage" | "home equity")) => (Category::Credit, Subcategory::Mortgage),
        (Some("loan"), _) | (_, Some("line of credit")) => {
            (Category::Credit, Subcategory::LineOfCredit)
        }
        (Some("investment" | "brokerage"), _) => (Category::Investment, Subcategory::Other),
        (None | Some("depository"), _) => (Category::Cash, Subcategory::Checking),
        _ => (Category::Other, Subcategory::Other),
    }
}

fn titled(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// An object of the file with its path.
type Located<'a> = (&'a Map<String, Value>, String);

/// The transactions of an account with their paths.
fn rows<'a>(account: &'a Map<String, Value>, path: &str) -> Result<Vec<Located<'a>>, PlaidError> {
    let rows = list(account, "transactions", path)?.map(Vec::as_slice).unwrap_or_default();
    let located = rows.iter().enumerate().map(|(position, row)| {
        let path = format!("{path}.transactions[{position}]");
        Ok((object(row, &path)?, path))
    });
    located.collect()
}

fn object<'a>(value: &'a Value, path: &str) -> Result<&'a Map<String, Value>, PlaidError> {
    let problem = "an object is expected".to_owned();
    value.as_object().ok_or_else(|| PlaidError::Value { path: path.to_owned(), problem })
}

fn list<'a>(
    object: &'a Map<String, Value>,
    key: &str,
    path: &str,
) -> Result<Option<&'a Vec<Value>>, PlaidError> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items)),
        Some(_) => Err(wrong(path, key, "a list is expected")),
    }
}

fn word(object: &Map<String, Value>, key: &str, path: &str) -> Result<Option<String>, PlaidError> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(_) => Err(wrong(path, key, "a text is expected")),
    }
}

/// An amount. It is read from the digits of the JSON number, so that no digit is lost.
fn amount(
    object: &Map<String, Value>,
    key: &str,
    path: &str,
    money: Money,
) -> Result<Option<i64>, PlaidError> {
    let text = match object.get(key) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text.clone(),
        Some(_) => return Err(wrong(path, key, "an amount is expected")),
    };
    // At Plaid, 12.5 means 12.50. Missing decimals are zeros, and further decimals must be zeros.
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let decimals = money.currency.decimals();
    let (digits, rest) = fraction.split_at_checked(decimals).unwrap_or((fraction, ""));
    let exact = rest.bytes().all(|byte| byte == b'0');
    let padded = match decimals {
        0 => whole.to_owned(),
        _ => format!("{whole}.{digits:0<decimals$}"),
    };
    let problem = format!("'{text}' is not an amount of {}", money.currency.as_str());
    let amount = money.parse(&padded).ok().filter(|_| exact);
    amount.map(Some).ok_or_else(|| wrong(path, key, &problem))
}

/// The day of a date such as `2026-11-18`.
fn day(object: &Map<String, Value>, key: &str, path: &str) -> Result<Option<i64>, PlaidError> {
    let Some(text) = word(object, key, path)? else { return Ok(None) };
    let parts: Vec<&str> = text.split('-').collect();
    let number =
        |part: &str| part.parse::<i64>().ok().filter(|number| (0..10_000).contains(number));
    let numbers: Option<Vec<i64>> = parts.iter().map(|part| number(part)).collect();
    let day = match numbers.as_deref() {
        Some([year, month, day]) => find_day(Date { year: *year, month: *month, day: *day }),
        _ => None,
    };
    let problem = format!("'{text}' is not a date; write it as 2026-11-18");
    day.map(Some).ok_or_else(|| wrong(path, key, &problem))
}

fn missing(key: &str) -> PlaidError {
    PlaidError::Value { path: key.to_owned(), problem: "is missing".to_owned() }
}

fn wrong(path: &str, key: &str, problem: &str) -> PlaidError {
    let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    PlaidError::Value { path, problem: problem.to_owned() }
}
