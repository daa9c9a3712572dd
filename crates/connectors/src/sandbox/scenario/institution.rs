//! The reader of institutions: the banks of a scenario before their accounts are known.

use super::tree::{At, ScenarioError, Table};
use super::value::{NAME_CHARS_MAX, read_choice, read_description};
use crate::sandbox::catalogue::{BANKS, Login};
use model::Word;
use model::limits::SCENARIO_INSTITUTIONS_MAX;

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
