//! Summaries of commands: the facts that a command requires and the rows that it writes. A test at a
//! gate ([`crate::WriteGate`]) reads them. The store itself does not.

use crate::{
    AccountChange, ChangeAccount, ChangeConnection, ChangeObject, ChangeObjects, ClockItem,
    CompleteLink, CreateObject, Object, Precondition, StepClock,
};
use model::Word;

/// The summary of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The name of the command's type, such as `CreateObject`.
    pub command: &'static str,
    /// The facts that the command requires, besides the versions of the rows that it replaces.
    pub requires: Vec<Precondition>,
    /// The kinds of the rows that the command creates or replaces, in its order. A test clock that
    /// a step advances is left out.
    pub writes: Vec<&'static str>,
}

const ACCOUNT: &str = "account";
const CONNECTION: &str = "connection";

fn kinds(objects: &[Object]) -> impl Iterator<Item = &'static str> {
    objects.iter().map(|object| object.kind().word())
}

pub(super) fn of_create(command: &CreateObject) -> Summary {
    let writes = vec![command.object.kind().word()];
    Summary { command: "CreateObject", requires: command.requires.clone(), writes }
}

pub(super) fn of_change(command: &ChangeObject) -> Summary {
    let writes = vec![command.object.kind().word()];
    Summary { command: "ChangeObject", requires: command.requires.clone(), writes }
}

pub(super) fn of_changes(command: &ChangeObjects) -> Summary {
    let writes = kinds(&command.objects).collect();
    Summary { command: "ChangeObjects", requires: command.requires.clone(), writes }
}

pub(super) fn of_link(command: &CompleteLink) -> Summary {
    let accounts = command.new.len() + command.again.len();
    let writes = kinds(&command.objects).chain(std::iter::repeat_n(ACCOUNT, accounts)).collect();
    Summary { command: "CompleteLink", requires: command.requires.clone(), writes }
}

pub(super) fn of_account(command: &ChangeAccount) -> Summary {
    let AccountChange { connection, cursors, .. } = &command.change;
    let connection = (connection.is_some() || cursors.is_some()).then_some(CONNECTION);
    let writes = [ACCOUNT].into_iter().chain(connection).collect();
    Summary { command: "ChangeAccount", requires: command.requires.clone(), writes }
}

pub(super) fn of_connection(command: &ChangeConnection) -> Summary {
    let requires = command.requires.clone();
    Summary { command: "ChangeConnection", requires, writes: vec![CONNECTION] }
}

pub(super) fn of_step(command: &StepClock) -> Summary {
    let mut summary = Summary { command: "StepClock", ..Summary::default() };
    for item in &command.items {
        match item {
            ClockItem::Objects { objects, requires, .. } => {
                summary.requires.extend(requires.iter().cloned());
                summary.writes.extend(kinds(objects));
            }
            ClockItem::Change(_) | ClockItem::Apply(_) | ClockItem::Fail(_) => {
                summary.writes.push(ACCOUNT);
            }
            ClockItem::PutOff(_) => {}
        }
    }
    summary
}
