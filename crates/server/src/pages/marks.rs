//! The marks of banks, and the groups and keywords by which the list of banks is arranged.

use super::words;
use maud::{Markup, html};

/// A group of banks in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// The heading of the group.
    pub(super) title: &'static str,
}

/// Renders the mark of a bank.
pub(super) fn svg(bank_name: &str) -> Markup {
    let (letters, colour) = words::mark(bank_name);
    html! { span class=(format!("mark m{colour}")) aria-hidden="true" { (letters) } }
}

/// The group of a bank.
pub(super) fn group(bank_name: &str) -> Group {
    let title = match bank_name {
        "Test (Non-OAuth)" | "Test (OAuth)" | "Bank (Non-OAuth)" | "Bank (OAuth)" => {
            "Link and refresh"
        }
        "Ownership Accounts" | "Invalid Payment Accounts" | "Tokenized Account Number" => {
            "Owners and payments"
        }
        "Down (Scheduled)" | "Down (Unscheduled)" | "Down (Error)" => "Outages",
        "Inactive Accounts"
        | "Immediately Requires Reauthentication"
        | "Eventually Requires Reauthentication" => "Relinking",
        "Short History" | "No History" => "History",
        _ => "More banks",
    };
    Group { title }
}

/// Words by which the search finds a bank, in lower case.
pub(super) fn keywords(bank_name: &str) -> &'static str {
    match group(bank_name).title {
        "Link and refresh" => "login oauth form",
        "Owners and payments" => "owner owners payment ach tokenized",
        "Outages" => "down maintenance error outage",
        "Relinking" => "inactive relink reauthentication login",
        "History" => "history transactions",
        _ => "",
    }
}
