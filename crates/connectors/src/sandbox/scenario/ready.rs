//! The scenarios that come with the server: banks and histories that tests ask for most.

/// Their names with their files. The name is the file's, and may be given instead of a file.
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

/// The names, in the order in which they are listed.
pub fn names() -> impl Iterator<Item = &'static str> {
    READY.iter().map(|(name, _)| *name)
}

/// The file of a name.
pub fn find(name: &str) -> Option<&'static str> {
    READY.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
