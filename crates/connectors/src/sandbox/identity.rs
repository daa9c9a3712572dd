//! Who an offered account is: its credential, which holds all that its ledger depends on.
//!
//! An account's seed is a hash of the server's seed, the bank, the account's name and the holder's
//! key; the holder's own seed leaves the bank out, so that a holder has one name everywhere. The
//! layout of a credential: a version byte, three little-endian numbers, the account's name. That of an
//! account of a scenario has the whole account, as JSON, in place of the name.

use super::plan::Plan;
use model::id::hash_number;

/// An account of the catalogue.
const VERSION: u8 = 1;
/// An account of a scenario.
const VERSION_PLANNED: u8 = 2;
/// Version and three numbers.
const HEAD_BYTES: usize = 1 + 3 * 8;

/// What a credential says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// Of the account.
    pub(super) seed: u64,
    /// Of its holder.
    pub(super) holder: u64,
    /// Of the holder's checking account at the same bank, for savings.
    pub(super) partner: Option<u64>,
    /// The account's name in the catalogue.
    pub(super) name: String,
}

impl Identity {
    /// The identity of a holder's account at a bank; `partner` is the name of the holder's checking
    /// account there.
    pub(super) fn of(
        server_seed: u64,
        bank: &str,
        (account, partner): (&str, Option<&str>),
        holder: &str,
    ) -> Self {
        let seed_of = |name: &str| {
            let seed = server_seed.to_le_bytes();
            let parts = [&seed, bank.as_bytes(), name.as_bytes(), holder.as_bytes()];
            hash_number(&parts)
        };
        Self {
            seed: seed_of(account),
            holder: hash_number(&[b"holder", &server_seed.to_le_bytes(), holder.as_bytes()]),
            partner: partner.map(seed_of),
            name: account.to_owned(),
        }
    }

    /// The bank's own key of the account: the name in lower case and the seed.
    pub(super) fn bank_account(&self) -> String {
        let mut key = String::with_capacity(self.name.len() + 17);
        for letter in self.name.chars() {
            if letter.is_ascii_alphanumeric() {
                key.push(letter.to_ascii_lowercase());
            } else if !key.ends_with('-') {
                key.push('-');
            }
        }
        format!("{}-{:016x}", key.trim_matches('-'), self.seed)
    }

    /// The last four digits of the account's number.
    pub(super) fn last4(&self) -> String {
        format!("{:04}", self.seed % 10_000)
    }

    /// Writes the credential of an account of the catalogue.
    pub(super) fn credential(&self) -> Vec<u8> {
        self.write(VERSION, self.name.as_bytes())
    }

    /// Writes the credential of an account of a scenario.
    pub(super) fn planned_credential(&self, plan: &Plan) -> Vec<u8> {
        // Plain values with text keys always serialise; nothing at all would be no account.
        let body = serde_json::to_vec(plan).unwrap_or_default();
        assert!(!body.is_empty(), "plain values always serialise");
        self.write(VERSION_PLANNED, &body)
    }

    fn write(&self, version: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + body.len());
        bytes.push(version);
        for number in [self.seed, self.holder, self.partner.unwrap_or(0)] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(body);
        bytes
    }

    /// Reads a credential, with the account itself if it is one of a scenario.
    pub(super) fn find(credential: &[u8]) -> Option<(Self, Option<Plan>)> {
        let (head, body) = credential.split_at_checked(HEAD_BYTES)?;
        let (version, numbers) = head.split_first()?;
        let plan: Option<Plan> = match *version {
            VERSION => None,
            VERSION_PLANNED => Some(serde_json::from_slice(body).ok()?),
            _ => return None,
        };
        let number = |place: usize| {
            let bytes = numbers.get(place * 8..place * 8 + 8)?;
            Some(u64::from_le_bytes(bytes.try_into().ok()?))
        };
        let name = match &plan {
            Some(plan) => plan.name.clone(),
            None => std::str::from_utf8(body).ok()?.to_owned(),
        };
        let partner = Some(number(2)?).filter(|partner| *partner != 0);
        Some((Self { seed: number(0)?, holder: number(1)?, partner, name }, plan))
    }
}
