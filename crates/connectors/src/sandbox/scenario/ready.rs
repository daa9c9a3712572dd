//! The scenarios that come with the server: the banks and histories that tests need most often.

/// The names with their files. A name can be used in place of a file.
const READY: [(&str, &str); 8] = [
    ("steady-income", include_str!("ready/steady-income.toml")),
    ("gig-worker", include_str!("ready/gig-worker.toml")),
    ("overdrawn", include_str!("ready/overdrawn.toml")),
    ("fraud-pattern", include_str!("ready/fraud-pattern.toml")),
    ("closed-account", include_str!("ready/closed-account.toml")),
    ("slow-bank", include_str!("ready/slow-bank.toml")),
    ("flaky-bank", include_str!("ready/flaky-bank.toml")),
    ("busy-business", include_str!("ready/busy-business.toml")),
];

/// The names, in the order of the list.
pub fn names() -> impl Iterator<Item = &'static str> {
    READY.iter().map(|(name, _)| *name)
}

/// The file with a name.
pub fn find(name: &str) -> Option<&'static str> {
    READY.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
