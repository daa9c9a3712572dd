//! The reader of institutions: the banks of a scenario before their accounts are known.

use super::tree::{At, ScenarioError, Table};
use super::value::{
    NAME_CHARS_MAX, find_time, read_choice, read_description, read_duration, read_time,
};
use crate::sandbox::banking::BankingDays;
use crate::sandbox::catalogue::{BANKS, Challenge, Login};
use model::Word;
use model::limits::SCENARIO_INSTITUTIONS_MAX;

/// The largest difference of a bank's clock to UTC, in seconds.
const UTC_OFFSET_S_MAX: i64 = 14 * 3_600;

/// The login of a bank, as a word of the file.
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
pub(super) struct BankPart {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) login: Login,
    pub(super) snapshots: bool,
    pub(super) banking: Option<BankingDays>,
    pub(super) challenge: Option<Challenge>,
    pub(super) login_lasts_s: Option<i64>,
}

impl BankPart {
    /// A bank without special behaviour.
    fn plain(name: String) -> Self {
        Self {
            name,
            description: String::new(),
            login: Login::Form,
            snapshots: false,
            banking: None,
            challenge: None,
            login_lasts_s: None,
        }
    }
}

/// Reads the banks. A file without banks has one with the scenario's own name.
pub(super) fn read_banks(
    file: &mut Table,
    name: &At<String>,
    description: &str,
) -> Result<Vec<BankPart>, ScenarioError> {
    let mut banks: Vec<BankPart> = Vec::new();
    for mut table in file.tables("institutions", SCENARIO_INSTITUTIONS_MAX)? {
        let name = table.text("name", NAME_CHARS_MAX)?;
        let At { line, value: name } = table.need("name", name)?;
        if banks.iter().any(|bank| bank.name.eq_ignore_ascii_case(&name)) {
            return Err(table.error(line, "name", "two institutions have this name"));
        }
        check_free(&table, line, &name)?;
        let description = read_description(&mut table)?;
        let login = read_choice::<LoginWord>(&mut table, "login")?;
        let login = login.map_or(Login::Form, |LoginWord(login)| login);
        let snapshots = table.flag("snapshots")?.is_some_and(|flag| flag.value);
        let challenge_line = table.line_of("challenge");
        let challenge = read_choice::<Challenge>(&mut table, "challenge")?;
        if challenge.is_some() && login != Login::Form {
            let problem = "needs the login form, because only a form asks questions";
            return Err(table.error(challenge_line, "challenge", problem));
        }
        let login_lasts_s = read_duration(&mut table, "login_lasts")?.map(|lasts| lasts.value);
        let banking = read_banking(&mut table)?;
        table.finish()?;
        let part = BankPart { description, login, snapshots, ..BankPart::plain(name) };
        banks.push(BankPart { banking, challenge, login_lasts_s, ..part });
    }
    if banks.is_empty() {
        check_free(file, name.line, &name.value)?;
        let description = description.to_owned();
        banks.push(BankPart { description, ..BankPart::plain(name.value.clone()) });
    }
    Ok(banks)
}

/// Reads the days on which the bank posts.
fn read_banking(table: &mut Table) -> Result<Option<BankingDays>, ScenarioError> {
    let on = table.flag("banking_days")?.is_some_and(|flag| flag.value);
    if !on && let Some(key) = ["cut_off", "utc_offset"].into_iter().find(|key| table.has(key)) {
        let problem = "needs the key banking_days = true";
        return Err(table.error(table.line_of(key), key, problem));
    }
    let cut_off_s = read_time(table, "cut_off")?;
    let utc_offset_s = read_utc_offset(table)?.unwrap_or(0);
    Ok(on.then_some(BankingDays { cut_off_s, utc_offset_s }))
}

/// Reads a difference to UTC such as `-05:00`, in seconds.
fn read_utc_offset(table: &mut Table) -> Result<Option<i64>, ScenarioError> {
    let Some(At { line, value }) = table.text("utc_offset", 6)? else { return Ok(None) };
    let (sign, time) = match value.split_at_checked(1) {
        Some(("+", time)) => (1, time),
        Some(("-", time)) => (-1, time),
        _ => (0, ""),
    };
    let seconds = find_time(time).filter(|seconds| sign != 0 && *seconds <= UTC_OFFSET_S_MAX);
    let problem = "a difference to UTC from -14:00 to +14:00 is expected, such as \"-05:00\"";
    let seconds = seconds.map(|seconds| sign * seconds);
    seconds.map(Some).ok_or_else(|| table.error(line, "utc_offset", problem))
}

/// Rejects a name that already leads to a test bank.
fn check_free(table: &Table, line: usize, name: &str) -> Result<(), ScenarioError> {
    if BANKS.iter().any(|bank| bank.is_called(name)) {
        let problem = format!("a test bank has the name '{name}'; choose another name");
        return Err(table.error(line, "name", problem));
    }
    Ok(())
}

/// The position of an account's bank.
pub(super) fn read_position(table: &mut Table, banks: &[BankPart]) -> Result<usize, ScenarioError> {
    let Some(At { line, value }) = table.text("institution", NAME_CHARS_MAX)? else {
        if let [_] = banks {
            return Ok(0);
        }
        let problem = "is missing, and there is more than one institution";
        return Err(table.error(table.line, "institution", problem));
    };
    let position = banks.iter().position(|bank| bank.name.eq_ignore_ascii_case(&value));
    position.ok_or_else(|| {
        table.error(line, "institution", format!("there is no institution named '{value}'"))
    })
}
