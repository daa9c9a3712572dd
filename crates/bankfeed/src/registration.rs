//! `bankfeed registration`: lists and sets the registrations of merchants for live data.
//!
//! Only the operator changes a registration. The command changes the file of issued keys, so access
//! to this file is the operator's permission. A running server reads the change at its next call.

use crate::error::{CommandError, KeyError};
use crate::key::{FileFlags, Found, known_merchant};
use clap::{Args, Subcommand};
use cli::output::{self, Column, Table};
use model::Word;
use model::account::Permission;
use model::connections_settings::Registration;
use serde_json::{Value, json};
use store::StoredRegistration;

/// The subcommands of `bankfeed registration`.
#[derive(Subcommand)]
pub(crate) enum RegistrationCommand {
    /// List the registrations for live data
    #[command(after_help = "\
Examples:
  bankfeed registration list --db /var/lib/bankfeed/bankfeed.db")]
    List(FileFlags),
    /// Set registrations of a merchant for live data
    #[command(after_help = "\
Examples:
  bankfeed registration set acct_123 transactions=active
  bankfeed registration set acct_123 balances=pending ownership=rejected")]
    Set(SetFlags),
}

/// The flags of `bankfeed registration set`.
#[derive(Args)]
pub(crate) struct SetFlags {
    /// Merchant's id in the list of keys, of either mode
    #[arg(value_name = "MERCHANT")]
    merchant: String,
    /// Kind of data and its new state
    #[arg(value_name = "DATA=STATE", required = true, value_parser = read_change)]
    changes: Vec<(Permission, Registration)>,
    #[command(flatten)]
    file: FileFlags,
}

pub(crate) fn run(command: &RegistrationCommand, json: bool) -> Result<(), CommandError> {
    match command {
        RegistrationCommand::List(flags) => list(flags, json),
        RegistrationCommand::Set(flags) => set(flags, json),
    }
}

/// Parses `DATA=STATE`.
fn read_change(text: &str) -> Result<(Permission, Registration), String> {
    let (data, state) = text.split_once('=').unwrap_or((text, ""));
    let permission = Permission::from_word(data)
        .ok_or_else(|| format!("the data must be one of {}", words::<Permission>()))?;
    let state = Registration::from_word(state)
        .ok_or_else(|| format!("the state must be one of {}", words::<Registration>()))?;
    Ok((permission, state))
}

/// The words of a type, for a message.
fn words<W: Word>() -> String {
    W::ALL.iter().map(|one| one.word()).collect::<Vec<_>>().join(", ")
}

fn list(flags: &FileFlags, json: bool) -> Result<(), CommandError> {
    let found = flags.find()?;
    let registrations = match &found {
        Found::Opened(opened) => opened.said(opened.file.list_registrations())?,
        Found::Missing(_) => Vec::new(),
    };
    let mut table =
        Table::new(&[Column::Text("MERCHANT"), Column::Text("DATA"), Column::Status("STATE")]);
    for registration in &registrations {
        if json {
            show(registration, json)?;
        }
        let merchant = registration.merchant.in_live_mode().to_string();
        table.row(&[&merchant, registration.permission.word(), registration.state.word()]);
    }
    if json { Ok(()) } else { Ok(table.print(&found.no_rows("registrations"))?) }
}

fn set(flags: &SetFlags, json: bool) -> Result<(), CommandError> {
    for (position, (permission, _)) in flags.changes.iter().enumerate() {
        if flags.changes[..position].iter().any(|(earlier, _)| earlier == permission) {
            return Err(KeyError::TwoStates(permission.word()).into());
        }
    }
    let missing = || KeyError::NoSuchMerchant(flags.merchant.clone());
    let opened = flags.file.find()?.opened().ok_or_else(missing)?;
    let merchant = known_merchant(&opened.said(opened.file.list())?, &flags.merchant)?;
    if merchant.to_string() == flags.merchant {
        output::remark(&format!(
            "{merchant} is the merchant in test mode, which needs no registrations. They are set for \
             its live mode, {}.",
            merchant.in_live_mode()
        ));
    }
    for (permission, state) in &flags.changes {
        let registration = StoredRegistration { merchant, permission: *permission, state: *state };
        let written: Result<(), KeyError> =
            opened.said(opened.file.put_registration(&registration));
        written?;
        show(&registration, json)?;
    }
    Ok(())
}

fn show(registration: &StoredRegistration, json: bool) -> Result<(), CommandError> {
    let merchant = registration.merchant.in_live_mode();
    let (data, state) = (registration.permission.word(), registration.state.word());
    if json {
        let facts: Value = json!({"merchant": merchant.to_string(), "data": data, "state": state});
        return Ok(output::say_json_line(&facts)?);
    }
    Ok(output::say(&format!("{merchant}  {data:<14}  {state}"))?)
}
