//! The marks of banks: a picture for each test bank, the group of banks that serve the same purpose,
//! and words that find the bank in a search.
//!
//! The pictures are files of ours in `assets/marks`. They are part of the page, because the browser
//! may load no other files, and they have no `style` attributes, because the policy forbids them.
//! Each is legible on a light and on a dark page, since its tile has a contrast of at least 3 to 1
//! with both and with the lines on it. A bank of a scenario has a common picture with a colour that
//! follows from its name.

use maud::{Markup, PreEscaped, html};

/// The mark of a test bank.
struct Mark {
    /// The name of the bank.
    name: &'static str,
    group: &'static str,
    keywords: &'static str,
    svg: &'static str,
}

const LINK: &str = "Link and refresh";
const OWNERS: &str = "Owners and payments";
const OUTAGES: &str = "Outages";
const RELINKING: &str = "Relinking";
const HISTORY: &str = "History";
const MORE: &str = "More banks";

/// A group of banks in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// The heading of the group.
    pub(super) title: &'static str,
}

/// The colours of the tiles of other banks.
const COLOURS: [&str; 6] = ["#3567d6", "#1b8060", "#b0477f", "#8059d0", "#a8641a", "#5c6f85"];

static MARKS: [Mark; 15] = [
    Mark {
        name: "Test (Non-OAuth)",
        group: LINK,
        keywords: "form login password basic snapshot success failure closes disputed",
        svg: include_str!("assets/marks/test-non-oauth.svg"),
    },
    Mark {
        name: "Test (OAuth)",
        group: LINK,
        keywords: "redirect window login basic delta success failure closes disputed",
        svg: include_str!("assets/marks/test-oauth.svg"),
    },
    Mark {
        name: "Bank (Non-OAuth)",
        group: LINK,
        keywords: "form login password mfa options code security question incorrect error",
        svg: include_str!("assets/marks/bank-non-oauth.svg"),
    },
    Mark {
        name: "Bank (OAuth)",
        group: LINK,
        keywords: "redirect window login picks accounts at the bank",
        svg: include_str!("assets/marks/bank-oauth.svg"),
    },
    Mark {
        name: "Ownership Accounts",
        group: OWNERS,
        keywords: "owners names addresses joint none slow unsupported fails",
        svg: include_str!("assets/marks/ownership-accounts.svg"),
    },
    Mark {
        name: "Invalid Payment Accounts",
        group: OWNERS,
        keywords: "ach payment method debit cannot pay invalid",
        svg: include_str!("assets/marks/invalid-payment-accounts.svg"),
    },
    Mark {
        name: "Down (Scheduled)",
        group: OUTAGES,
        keywords: "outage maintenance unavailable until known end",
        svg: include_str!("assets/marks/down-scheduled.svg"),
    },
    Mark {
        name: "Down (Unscheduled)",
        group: OUTAGES,
        keywords: "outage unavailable unknown end",
        svg: include_str!("assets/marks/down-unscheduled.svg"),
    },
    Mark {
        name: "Down (Error)",
        group: OUTAGES,
        keywords: "outage login fails error",
        svg: include_str!("assets/marks/down-error.svg"),
    },
    Mark {
        name: "Tokenized Account Number",
        group: OWNERS,
        keywords: "tokens tan expired expiring routing number ach",
        svg: include_str!("assets/marks/tokenized-account-number.svg"),
    },
    Mark {
        name: "Inactive Accounts",
        group: RELINKING,
        keywords: "relink inactive deactivated lost access",
        svg: include_str!("assets/marks/inactive-accounts.svg"),
    },
    Mark {
        name: "Immediately Requires Reauthentication",
        group: RELINKING,
        keywords: "relink log in again inactive after a minute daily",
        svg: include_str!("assets/marks/immediately-requires-reauthentication.svg"),
    },
    Mark {
        name: "Eventually Requires Reauthentication",
        group: RELINKING,
        keywords: "relink log in again inactive after thirty days monthly",
        svg: include_str!("assets/marks/eventually-requires-reauthentication.svg"),
    },
    Mark {
        name: "Short History",
        group: HISTORY,
        keywords: "transactions thirty days few",
        svg: include_str!("assets/marks/short-history.svg"),
    },
    Mark {
        name: "No History",
        group: HISTORY,
        keywords: "transactions none empty ledger new account",
        svg: include_str!("assets/marks/no-history.svg"),
    },
];

/// Renders the mark of a bank.
pub(super) fn svg(bank_name: &str) -> Markup {
    find(bank_name).map_or_else(|| other(bank_name), |mark| PreEscaped(mark.svg.to_owned()))
}

/// The group of banks that serve the same purpose.
pub(super) fn group(bank_name: &str) -> Group {
    Group { title: find(bank_name).map_or(MORE, |mark| mark.group) }
}

/// The words that find a bank in a search besides its name, in small letters.
pub(super) fn keywords(bank_name: &str) -> &'static str {
    find(bank_name).map_or("scenario", |mark| mark.keywords)
}

fn find(bank_name: &str) -> Option<&'static Mark> {
    MARKS.iter().find(|mark| mark.name == bank_name)
}

/// The mark of a bank without a picture of its own.
fn other(bank_name: &str) -> Markup {
    let sum = bank_name.bytes().fold(0_usize, |sum, byte| sum * 31 % 1_009 + usize::from(byte));
    html! {
        svg.mark viewBox="0 0 40 40" aria-hidden="true" fill="none" stroke="#ffffff"
            stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round" {
            rect width="40" height="40" rx="10" fill=(COLOURS[sum % COLOURS.len()])
                stroke="none" {}
            path d="M10 16.5 20 10l10 6.5ZM10 30h20M14 21v5M20 21v5M26 21v5" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connectors::sandbox::Sandbox;
    use std::collections::BTreeSet;

    /// Every test bank has a picture of its own, a group and words for the search.
    #[test]
    fn every_bank_has_a_mark() {
        let banks = Sandbox::new(1).institutions();
        let names: Vec<&str> = banks.iter().map(|bank| bank.name.as_str()).collect();
        assert_eq!(names, MARKS.iter().map(|mark| mark.name).collect::<Vec<_>>());
        let pictures: BTreeSet<String> = names.iter().map(|name| svg(name).into_string()).collect();
        assert_eq!(pictures.len(), names.len());
        for name in names {
            assert_ne!(group(name).title, MORE, "{name}");
            assert_eq!(keywords(name), keywords(name).to_lowercase(), "{name}");
        }
    }

    /// A mark is hidden from screen readers, which read the name beside it, and keeps the policy
    /// of the page.
    #[test]
    fn marks_keep_the_policy() {
        for name in MARKS.iter().map(|mark| mark.name).chain(["Bank of a scenario", ""]) {
            let picture = svg(name).into_string();
            assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"));
            assert!(picture.contains("class=\"mark\"") && picture.contains("aria-hidden=\"true\""));
            for forbidden in ["style", "<script", "href", " on", "id="] {
                assert!(!picture.contains(forbidden), "{name}: {forbidden}");
            }
        }
    }

    /// The colour of another bank follows from its name.
    #[test]
    fn other_banks_differ_by_colour() {
        let colours: BTreeSet<String> =
            ('a'..='z').map(|letter| svg(&letter.to_string()).into_string()).collect();
        assert_eq!(colours.len(), COLOURS.len());
        assert_eq!(svg("River Bank").into_string(), svg("River Bank").into_string());
        assert_eq!((group("River Bank").title, keywords("River Bank")), (MORE, "scenario"));
    }
}
