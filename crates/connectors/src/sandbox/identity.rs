//! The identity of an offered account. Its credential holds everything that the ledger depends on.
//!
//! - An account's seed is a hash of the server's seed, the bank, the account's name and the
//!   holder's key. The holder's own seed omits the bank, so that a holder has one name everywhere.
//! - A credential is a version byte, three little-endian numbers and the account's name. For an
//!   account of a scenario, the whole account as JSON replaces the name.
//! - The version byte of an account of the catalogue also decides if its holder has a life of its
//!   own. An account that an earlier release linked keeps the rows of that release.

use super::plan::Plan;
use model::id::hash_number;

/// The version of an account of the catalogue that an earlier release linked. Its rows stay as they
/// are.
const VERSION_ORIGINAL: u8 = 1;
/// The version of an account of the catalogue.
const VERSION: u8 = 3;
/// The version of an account of a scenario.
const VERSION_PLANNED: u8 = 2;
/// The version and three numbers.
const HEAD_BYTES: usize = 1 + 3 * 8;

/// The content of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// The seed of the account.
    pub(super) seed: u64,
    /// The seed of its holder.
    pub(super) holder: u64,
    /// The seed of the holder's checking account at the same bank, for savings.
    pub(super) partner: Option<u64>,
    /// The account's name.
    pub(super) name: String,
    /// True for an account of the catalogue that an earlier release linked.
    pub(super) is_original: bool,
}

impl Identity {
    /// The identity of a holder's account at a bank. `partner` is the name of the holder's checking
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
            is_original: false,
        }
    }

    /// The same account with the seed of another number.
    pub(super) fn renumbered(&self, seed: u64) -> Self {
        Self { seed, ..self.clone() }
    }

    /// The bank's own key of the account, made of the name in lower case and the seed.
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
        let Ok(body) = serde_json::to_vec(plan) else {
            unreachable!("plain values with text keys always serialise");
        };
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

    /// Reads a credential, together with the plan of an account of a scenario.
    pub(super) fn find(credential: &[u8]) -> Option<(Self, Option<Plan>)> {
        let (head, body) = credential.split_at_checked(HEAD_BYTES)?;
        let (version, numbers) = head.split_first()?;
        let plan: Option<Plan> = match *version {
            VERSION | VERSION_ORIGINAL => None,
            VERSION_PLANNED => Some(serde_json::from_slice(body).ok()?),
            _ => return None,
        };
        let [seed, holder, partner] = [0, 8, 16].map(|start| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&numbers[start..start + 8]);
            u64::from_le_bytes(bytes)
        });
        let name = match &plan {
            Some(plan) => plan.name.clone(),
            None => std::str::from_utf8(body).ok()?.to_owned(),
        };
        let partner = Some(partner).filter(|partner| *partner != 0);
        let is_original = *version == VERSION_ORIGINAL;
        Some((Self { seed, holder, partner, name, is_original }, plan))
    }
}
