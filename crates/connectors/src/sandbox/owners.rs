//! The owners of a test account, as its bank reports them. A holder has one name at every bank.

use super::catalogue::Owners;
use super::life::{Income, Life};
use super::random::{Stream, at_position, pick};
use model::bank::BankOwner;

const FIRST_NAMES: [&str; 16] = [
    "Jenny",
    "Amara",
    "Tomas",
    "Ingrid",
    "Rafael",
    "Mei",
    "Oluwaseun",
    "Nadia",
    "Henrik",
    "Priya",
    "Marcus",
    "Yuki",
    "Leila",
    "Callum",
    "Sofia",
    "Dmitri",
];
const LAST_NAMES: [&str; 16] = [
    "Rosen",
    "Okafor",
    "Novak",
    "Lindqvist",
    "Moreno",
    "Tanaka",
    "Adeyemi",
    "Haddad",
    "Larsen",
    "Raman",
    "Whitfield",
    "Sato",
    "Karimi",
    "Fraser",
    "Costa",
    "Volkov",
];
const STREETS: [&str; 8] = [
    "Alder Street",
    "Birch Avenue",
    "Canal Road",
    "Dune Lane",
    "Elm Court",
    "Fern Way",
    "Granite Drive",
    "Hill Terrace",
];
const TOWNS: [&str; 8] = [
    "Springfield, IL 62701",
    "Riverton, UT 84065",
    "Fairview, OR 97024",
    "Georgetown, TX 78626",
    "Salem, MA 01970",
    "Clinton, NJ 08809",
    "Madison, WI 53703",
    "Ashland, VA 23005",
];

/// The owners that a bank reports. `holder` is the holder's seed.
pub(super) fn owners(kind: Owners, holder: u64, life: Life) -> Vec<BankOwner> {
    match kind {
        Owners::OfHolder if life.income == Income::Business => vec![company(holder)],
        Owners::OfHolder => {
            (0..=u8::from(life.joint)).map(|number| owner(holder, number)).collect()
        }
        Owners::Complete(count) => (0..count).map(|number| owner(holder, number)).collect(),
        Owners::Slow => vec![owner(holder, 0)],
        Owners::NameOnly => {
            let name = owner(holder, 0).name;
            vec![BankOwner { name, email: None, phone: None, raw_address: None }]
        }
        Owners::Partial => vec![
            BankOwner { email: None, ..owner(holder, 0) },
            BankOwner { phone: None, raw_address: None, ..owner(holder, 1) },
        ],
        Owners::Unknown | Owners::Unsupported | Owners::Broken => Vec::new(),
    }
}

/// The holder, who is number 0, or a joint owner. No two owners of an account have one name, because
/// an export of the account names them.
fn owner(holder: u64, number: u8) -> BankOwner {
    let mut stream = Stream::begin(holder, u64::from(number));
    let mut first = *pick(stream.next(), &FIRST_NAMES);
    let last = *pick(stream.next(), &LAST_NAMES);
    let others: Vec<String> = (0..number).map(|other| owner(holder, other).name).collect();
    while others.contains(&format!("{first} {last}")) {
        let place = FIRST_NAMES.iter().position(|name| *name == first).unwrap_or(0);
        first = FIRST_NAMES[(place + 1) % FIRST_NAMES.len()];
    }
    let suffix = stream.between(1, 99);
    // 555-0100 to 555-0199 are reserved for fiction.
    let phone = format!("+1 {} 555 01{:02}", stream.between(201, 989), stream.between(0, 99));
    let house = stream.between(1, 1_900);
    let street = *pick(stream.next(), &STREETS);
    let town = *pick(stream.next(), &TOWNS);
    BankOwner {
        name: format!("{first} {last}"),
        email: Some(format!("{first}.{last}{suffix}@example.com").to_lowercase()),
        phone: Some(phone),
        raw_address: Some(format!("{house} {street}, {town}")),
    }
}

/// The company of a holder with a small business.
fn company(holder: u64) -> BankOwner {
    const TRADES: [&str; 4] = ["Hardware", "Bakery", "Plumbing", "Gardens"];
    let person = owner(holder, 0);
    let last = person.name.rsplit(' ').next().unwrap_or_default();
    let trade = *pick(at_position(holder, 0xb1), &TRADES);
    BankOwner {
        name: format!("{last} {trade} LLC"),
        email: Some(format!("books@{last}-{trade}.example.com").to_lowercase()),
        ..person
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Owners are pinned: a holder keeps one name, and another holder has another name.
    #[test]
    fn owners_are_pinned() {
        insta::assert_snapshot!(format!("{:#?}", owners(Owners::Partial, 7, Life::SALARY)), @r#"
        [
            BankOwner {
                name: "Marcus Raman",
                email: None,
                phone: Some(
                    "+1 969 555 0192",
                ),
                raw_address: Some(
                    "808 Hill Terrace, Ashland, VA 23005",
                ),
            },
            BankOwner {
                name: "Oluwaseun Larsen",
                email: Some(
                    "oluwaseun.larsen91@example.com",
                ),
                phone: None,
                raw_address: None,
            },
        ]
        "#);
        for holder in 0..5_000 {
            let names = owners(Owners::Complete(4), holder, Life::SALARY);
            let names: BTreeSet<String> = names.into_iter().map(|owner| owner.name).collect();
            assert_eq!(names.len(), 4, "the owners of {holder}");
        }
        assert_ne!(
            owners(Owners::Complete(1), 7, Life::SALARY),
            owners(Owners::Complete(1), 8, Life::SALARY)
        );
        assert_eq!(owners(Owners::Complete(4), 7, Life::SALARY).len(), 4);
        assert!(owners(Owners::Unknown, 7, Life::SALARY).is_empty());
    }
}
