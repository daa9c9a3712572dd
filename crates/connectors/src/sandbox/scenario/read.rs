//! Reads a scenario: institutions, holders, accounts, their stretches and timelines.

use super::super::plan::Plan;
use super::super::routine::{DAY_ROWS_MAX, Days, Period, Stretch, seed};
use super::fact::{self, DAYS_MAX, Ground, read_owners};
use super::money::Money;
use super::tree::{self, At, Table, Value};
use super::{PlannedBank, Scenario, ScenarioError, institution_id};
use crate::sandbox::catalogue::{BANKS, Login};
use crate::sandbox::generator::SETTLE_DAYS_MAX;
use model::Word;
use model::account::{Category, Subcategory};
use model::bank::BankOwner;
use model::clock::DAY_S;
use model::limits::{
    SCENARIO_ACCOUNTS_MAX, SCENARIO_BYTES_MAX, SCENARIO_FACTS_MAX, SCENARIO_HOLDERS_MAX,
    SCENARIO_INSTITUTIONS_MAX, SCENARIO_STRETCHES_MAX,
};
use model::money::Currency;
use std::collections::BTreeMap;

/// Characters of a name.
const NAME_CHARS_MAX: usize = 100;
/// Characters of a description.
pub(super) const TEXT_CHARS_MAX: usize = model::limits::TEXT_CHARS_MAX;
/// Days before the link with which books begin, unless the file says otherwise.
const HISTORY_DAYS: i64 = 180;

/// Where a holder logs in.
#[derive(Clone, Copy, Debug)]
struct LoginWord(Login);

impl Word for LoginWord {
    const ALL: &'static [Self] =
        &[Self(Login::Form), Self(Login::OAuth), Self(Login::Down), Self(Login::Fails)];

    fn word(self) -> &'static str {
        match self.0 {
            Login::OAuth => "bank_page",
            Login::Down => "down",
            Login::Fails => "fails",
            _ => "form",
        }
    }
}

/// A bank before its accounts are known.
struct BankPart {
    name: String,
    description: String,
    login: Login,
    snapshots: bool,
}

pub(super) fn read(text: &str) -> Result<Scenario, ScenarioError> {
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
            accounts: Vec::new(),
        });
    }
    let accounts = file.tables("accounts", SCENARIO_ACCOUNTS_MAX)?;
    if accounts.is_empty() {
        return Err(file.fault(file.line, "accounts", "at least one is needed"));
    }
    for mut table in accounts {
        let place = read_place(&mut table, &parts)?;
        let line = table.line;
        let plan = read_account(table, &name, &parts[place], &holders)?;
        if banks[place].accounts.iter().any(|known| known.name == plan.name) {
            let problem = format!("the institution has an account '{}' already", plan.name);
            return Err(ScenarioError { line, key: "accounts.name".to_owned(), problem });
        }
        banks[place].accounts.push(plan);
    }
    file.finish()?;
    Ok(Scenario { name, description, banks })
}

fn read_description(table: &mut Table) -> Result<String, ScenarioError> {
    let text = table.text("description", TEXT_CHARS_MAX)?;
    Ok(text.map(|text| text.value).unwrap_or_default())
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
            return Err(table.fault(line, "name", "two holders have this name"));
        }
        table.finish()?;
    }
    Ok(holders)
}

/// The banks; one of the scenario's own name when the file lists none.
fn read_banks(
    file: &mut Table,
    name: &At<String>,
    description: &str,
) -> Result<Vec<BankPart>, ScenarioError> {
    let mut banks: Vec<BankPart> = Vec::new();
    for mut table in file.tables("institutions", SCENARIO_INSTITUTIONS_MAX)? {
        let name = table.text("name", NAME_CHARS_MAX)?;
        let At { line, value: name } = table.need("name", name)?;
        if banks.iter().any(|bank| bank.name.eq_ignore_ascii_case(&name)) {
            return Err(table.fault(line, "name", "two institutions have this name"));
        }
        check_free(&table, line, &name)?;
        let description = read_description(&mut table)?;
        let login = read_choice::<LoginWord>(&mut table, "login")?;
        let login = login.map_or(Login::Form, |LoginWord(login)| login);
        let snapshots = table.flag("snapshots")?.is_some_and(|flag| flag.value);
        banks.push(BankPart { name, description, login, snapshots });
        table.finish()?;
    }
    if banks.is_empty() {
        check_free(file, name.line, &name.value)?;
        let (name, description) = (name.value.clone(), description.to_owned());
        banks.push(BankPart { name, description, login: Login::Form, snapshots: false });
    }
    Ok(banks)
}

/// Refuses a name by which one of the test banks would be found instead.
fn check_free(table: &Table, line: usize, name: &str) -> Result<(), ScenarioError> {
    if BANKS.iter().any(|bank| bank.is_called(name)) {
        let problem = format!("a test bank is called '{name}'; choose another name");
        return Err(table.fault(line, "name", problem));
    }
    Ok(())
}

/// The place of the bank that an account is at.
fn read_place(table: &mut Table, banks: &[BankPart]) -> Result<usize, ScenarioError> {
    let Some(At { line, value }) = table.text("institution", NAME_CHARS_MAX)? else {
        if let [_] = banks {
            return Ok(0);
        }
        let problem = "is missing, and there is more than one institution";
        return Err(table.fault(table.line, "institution", problem));
    };
    let place = banks.iter().position(|bank| bank.name.eq_ignore_ascii_case(&value));
    place.ok_or_else(|| {
        table.fault(line, "institution", format!("no institution is called '{value}'"))
    })
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
    let payable = table.flag("payable")?.map(|flag| flag.value);
    let payable = payable.unwrap_or(category == Category::Cash);
    let currency = read_currency(&mut table)?.unwrap_or(Currency::USD);
    let money = Money { currency };
    let last4 = read_last4(&mut table)?;
    let balance = money.read(&mut table, "balance")?.unwrap_or(0);
    let available = money.read(&mut table, "available")?;
    let history_days = table.integer("history_days", 0, DAYS_MAX)?;
    let owners = read_owners(&mut table, holders)?;
    let stretches = read_stretches(&mut table, money)?;
    let path = table.path_of("timeline");
    let ground = Ground { money, holders };
    let mut facts = Vec::new();
    let entries = table.tables("timeline", SCENARIO_FACTS_MAX)?;
    for (entry, number) in entries.into_iter().zip(1..) {
        facts.push(fact::read(entry, number, &ground)?);
    }
    facts.sort_by_key(|fact| fact.value.at);
    fact::check(&facts, &path)?;
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
        history_days: history_days.map_or(HISTORY_DAYS, |days| days.value),
        balance,
        available_more: available.map_or(0, |available| available - balance),
        owners,
        stretches,
        facts: facts.into_iter().map(|fact| fact.value).collect(),
    })
}

fn read_kind(table: &mut Table) -> Result<(Category, Subcategory), ScenarioError> {
    let subcategory = read_choice::<Subcategory>(table, "kind")?;
    let subcategory = subcategory.unwrap_or(Subcategory::Checking);
    let own = category_of(subcategory);
    let line = table.line_of("category");
    let category = read_choice::<Category>(table, "category")?.unwrap_or(own);
    if category != own && subcategory != Subcategory::Other {
        let problem = format!(
            "{} is {}; leave category out, or write kind = \"other\"",
            subcategory.word(),
            own.word()
        );
        return Err(table.fault(line, "category", problem));
    }
    Ok((category, subcategory))
}

pub(super) fn category_of(subcategory: Subcategory) -> Category {
    match subcategory {
        Subcategory::Checking | Subcategory::Savings => Category::Cash,
        Subcategory::CreditCard | Subcategory::LineOfCredit | Subcategory::Mortgage => {
            Category::Credit
        }
        Subcategory::Other => Category::Other,
    }
}

pub(super) fn read_currency(table: &mut Table) -> Result<Option<Currency>, ScenarioError> {
    let Some(At { line, value }) = table.text("currency", 3)? else { return Ok(None) };
    Currency::parse(&value)
        .map(Some)
        .ok_or_else(|| table.fault(line, "currency", "three letters are expected, such as usd"))
}

fn read_last4(table: &mut Table) -> Result<Option<String>, ScenarioError> {
    match table.text("last4", 4)? {
        Some(At { line, value })
            if value.len() != 4 || !value.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Err(table.fault(line, "last4", "four digits are expected, in quotes"))
        }
        given => Ok(given.map(|given| given.value)),
    }
}

fn read_stretches(table: &mut Table, money: Money) -> Result<Vec<Stretch>, ScenarioError> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for stretch in table.tables("stretches", SCENARIO_STRETCHES_MAX)? {
        let line = stretch.line;
        stretches.push(read_stretch(stretch, money)?);
        let rows: u32 = stretches.iter().map(|stretch| u32::from(stretch.times)).sum();
        if rows > u32::from(DAY_ROWS_MAX) {
            let problem = format!("all stretches together have more than {DAY_ROWS_MAX} times");
            return Err(table.fault(line, "stretches.times", problem));
        }
    }
    Ok(stretches)
}

fn read_stretch(mut table: Table, money: Money) -> Result<Stretch, ScenarioError> {
    let (every, interval) = read_period(&mut table)?;
    let on = read_days(&mut table, every)?;
    let times = table.integer("times", 1, i64::from(DAY_ROWS_MAX))?;
    let times = times.map_or(1, |times| u8::try_from(times.value).unwrap_or(DAY_ROWS_MAX));
    let amount = read_amounts(&mut table, money)?;
    let texts = table.texts("description", 100)?;
    let texts = table.need("description", texts)?;
    let fits = |text: &String| {
        text.chars().count() <= TEXT_CHARS_MAX && !text.chars().any(char::is_control)
    };
    if texts.value.is_empty() || !texts.value.iter().all(fits) {
        let problem = format!("texts of 1 to {TEXT_CHARS_MAX} characters are expected");
        return Err(table.fault(texts.line, "description", problem));
    }
    let seconds = |day: At<i64>| day.value * DAY_S;
    let from = table.integer("from", -DAYS_MAX, DAYS_MAX)?;
    let to = table.integer("to", -DAYS_MAX, DAYS_MAX)?;
    if let (Some(from), Some(to)) = (&from, &to)
        && to.value < from.value
    {
        return Err(table.fault(to.line, "to", "lies before from"));
    }
    let hundredths = |taken: Option<At<i64>>| taken.map_or(0, |taken| taken.value);
    let stretch = Stretch {
        from: from.map(seconds),
        // The last day counts whole.
        until: to.map(|to| (to.value + 1) * DAY_S),
        every,
        interval,
        on,
        times,
        amount,
        descriptions: texts.value,
        time: read_time(&mut table, "time")?,
        pending_days: hundredths(table.integer("pending_days", 0, SETTLE_DAYS_MAX)?),
        tip_percent: hundredths(table.integer("tip_percent", 0, 100)?),
        vanish_percent: hundredths(table.integer("vanish_percent", 0, 100)?),
    };
    if stretch.vanish_percent > 0 && stretch.pending_days == 0 {
        let problem = "only what is pending can vanish: give pending_days";
        return Err(table.fault(table.line, "vanish_percent", problem));
    }
    table.finish()?;
    Ok(stretch)
}

/// `day`, `week`, `2 weeks`, `month`, `3 months`.
fn read_period(table: &mut Table) -> Result<(Period, i64), ScenarioError> {
    let given = table.text("every", 20)?;
    let At { line, value } = table.need("every", given)?;
    let (number, unit) = match value.split_once(' ') {
        Some((number, unit)) => (number.parse().unwrap_or(0), unit.trim_end_matches('s')),
        None => (1, value.as_str()),
    };
    let period = match unit {
        "day" => Some(Period::Day),
        "week" => Some(Period::Week),
        "month" => Some(Period::Month),
        _ => None,
    };
    period.filter(|_| (1..=366).contains(&number)).map(|period| (period, number)).ok_or_else(|| {
        table.fault(line, "every", "day, week, month, or such as \"2 weeks\" is expected")
    })
}

/// Names of days in weeks, numbers of days in months.
fn read_days(table: &mut Table, every: Period) -> Result<Option<Days>, ScenarioError> {
    const NAMES: [&str; 7] =
        ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
    let Some(At { line, value }) = table.list("on", 31)? else { return Ok(None) };
    let wanted = match every {
        Period::Day => "has no meaning where something happens every day",
        Period::Week => "names of days are expected, such as \"friday\", or \"workdays\"",
        Period::Month => "numbers of days from 1 to 31 are expected",
    };
    let mut days = Vec::new();
    for node in value {
        match (every, node.value) {
            (Period::Week, Value::Text(text)) if text == "workdays" => days.extend(1..=5),
            (Period::Week, Value::Text(text)) if NAMES.contains(&text.as_str()) => {
                days.extend((0..).zip(NAMES).filter(|(_, name)| *name == text).map(|(day, _)| day));
            }
            (Period::Month, Value::Integer(day)) if (1..=31).contains(&day) => days.push(day),
            _ => return Err(table.fault(node.line, "on", wanted)),
        }
    }
    if days.is_empty() {
        return Err(table.fault(line, "on", wanted));
    }
    Ok(Some(if every == Period::Week { Days::OfWeek(days) } else { Days::OfMonth(days) }))
}

/// One amount, or the least and the most.
fn read_amounts(table: &mut Table, money: Money) -> Result<(i64, i64), ScenarioError> {
    let texts = table.texts("amount", 2)?;
    let At { line, value } = table.need("amount", texts)?;
    let amounts = value.iter().map(|text| money.parse(text));
    let amounts: Option<Vec<i64>> = amounts.collect();
    match amounts.as_deref() {
        Some([one]) => Ok((*one, *one)),
        Some([least, most]) if is_upwards(*least, *most) => {
            Ok((*least.min(most), *least.max(most)))
        }
        Some([_, _]) => {
            let problem = format!(
                "the least comes first, then the most: [\"{}\", \"{}\"]",
                value[1], value[0]
            );
            Err(table.fault(line, "amount", problem))
        }
        _ => Err(table.fault(line, "amount", money.wanted())),
    }
}

/// Whether one amount is no more than another: of two that leave the account, the one that takes less.
fn is_upwards(least: i64, most: i64) -> bool {
    if least < 0 && most <= 0 { least >= most } else { least <= most }
}

/// A word of a list.
pub(super) fn read_choice<W: Word>(
    table: &mut Table,
    key: &'static str,
) -> Result<Option<W>, ScenarioError> {
    read_one_of(table, key, W::ALL)
}

/// One of some words of a list.
pub(super) fn read_one_of<W: Word>(
    table: &mut Table,
    key: &'static str,
    known: &[W],
) -> Result<Option<W>, ScenarioError> {
    let Some(At { line, value }) = table.text(key, NAME_CHARS_MAX)? else { return Ok(None) };
    let found = known.iter().copied().find(|known| known.word() == value);
    found.map(Some).ok_or_else(|| {
        let known: Vec<&str> = known.iter().map(|known| known.word()).collect();
        table.fault(line, key, format!("'{value}' is none of: {}", known.join(", ")))
    })
}

/// A time of the day, `HH:MM` or `HH:MM:SS`, in seconds.
pub(super) fn read_time(
    table: &mut Table,
    key: &'static str,
) -> Result<Option<i64>, ScenarioError> {
    let Some(At { line, value }) = table.text(key, 8)? else { return Ok(None) };
    let parts: Option<Vec<i64>> = value
        .split(':')
        .map(|part| if part.len() == 2 { part.parse().ok() } else { None })
        .collect();
    match parts.as_deref() {
        Some([hours @ 0..24, minutes @ 0..60]) => Ok(Some(hours * 3_600 + minutes * 60)),
        Some([hours @ 0..24, minutes @ 0..60, seconds @ 0..60]) => {
            Ok(Some(hours * 3_600 + minutes * 60 + seconds))
        }
        _ => Err(table.fault(line, key, "HH:MM or HH:MM:SS is expected, in quotes")),
    }
}

/// A duration such as `90s`, `5m`, `2h`, `3d`, in seconds.
pub(super) fn read_duration(
    table: &mut Table,
    key: &'static str,
) -> Result<Option<At<i64>>, ScenarioError> {
    let Some(At { line, value }) = table.text(key, 12)? else { return Ok(None) };
    let unit = match value.as_bytes().last() {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 3_600,
        Some(b'd') => DAY_S,
        _ => 0,
    };
    let number: Option<i64> = value.get(..value.len() - 1).and_then(|digits| digits.parse().ok());
    let fits = |number: &i64| unit > 0 && (1..=DAYS_MAX * DAY_S / unit).contains(number);
    let seconds = number.filter(fits).map(|number| At { line, value: number * unit });
    let problem = "a number with s, m, h or d is expected, such as \"90s\" or \"2d\"";
    seconds.map(Some).ok_or_else(|| table.fault(line, key, problem))
}
