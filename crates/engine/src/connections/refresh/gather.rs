//! Fetching all pages of a refresh from the bank, within the bounds of one refresh.
//!
//! A credential or a state that the bank replaces is stored before the next page. After a crash the
//! refresh is fetched again from its stored cursor.

use super::Work;
use crate::connections::watch::bank_account;
use crate::context::settled;
use crate::{Engine, Error};
use connectors::{Fetch, FetchError, FetchPage, Records};
use model::bank::{Balance, BankOwner, BankTransaction, Coverage, Feature, Removal};
use model::limits;
use std::sync::Arc;
use store::{ChangeConnection, Connection};

/// The bytes of a record without its texts, about.
const RECORD_BYTES: usize = 128;
/// The bytes of a permit for large refreshes.
pub(crate) const REFRESH_PERMIT_BYTES: usize = 1_024;

/// The result of fetching.
pub(super) enum Fetched {
    /// All pages.
    Pages(Gathered),
    /// The bank rejects the fetch.
    Rejected(FetchError),
    /// The bank replaced a credential or a state that another worker has changed.
    Conflict,
}

/// All pages of a fetch.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) records: Vec<BankTransaction>,
    pub(super) removals: Vec<Removal>,
    pub(super) coverage: Option<Coverage>,
    pub(super) balance: Option<Balance>,
    pub(super) owners: Vec<BankOwner>,
    pub(super) cursor: Option<Vec<u8>>,
    /// The size of the records, about.
    pub(super) bytes: usize,
    /// True if it continues an earlier refresh that was cut off.
    pub(super) resumed: bool,
    /// True if a bound was reached before the bank's last page.
    pub(super) cut_off: bool,
}

/// The first byte of a stored cursor: the fetch that it ends was complete, or was cut off.
pub(super) const WHOLE: u8 = 0;
pub(super) const CUT_OFF: u8 = 1;

/// The bank's own cursor after the last successful refresh of a feature.
pub fn bank_cursor(connection: &Connection, feature: Feature) -> Option<&[u8]> {
    let (_mark, cursor) = connection.cursors.get(&feature)?.split_first()?;
    Some(cursor)
}

impl Engine {
    /// Fetches page by page, within the bounds of one refresh.
    pub(super) async fn gather(&self, work: &mut Work) -> Result<Fetched, Error> {
        let feature = work.claim.key.feature;
        let mut gathered = Gathered::default();
        if let Some((mark, cursor)) =
            work.connection.cursors.get(&feature).and_then(|stored| stored.split_first())
        {
            gathered.cursor = Some(cursor.to_vec());
            gathered.resumed = *mark == CUT_OFF;
        }
        for page_number in 1..=limits::REFRESH_PAGES_MAX {
            let response = self.connector.fetch(&Fetch {
                account: bank_account(&work.account, &work.connection),
                feature,
                sequence: work.claim.key.sequence,
                waited_s: work.waited_s,
                cursor: gathered.cursor.as_deref(),
                now: work.now,
            });
            let replaced = response.new_credential.is_some() || response.new_state.is_some();
            if replaced
                && !self.keep_connection(work, response.new_credential, response.new_state).await?
            {
                return Ok(Fetched::Conflict);
            }
            let page = match response.result {
                Ok(page) => page,
                Err(error) => return Ok(Fetched::Rejected(error)),
            };
            let more = page.more;
            gathered.add(page);
            self.take_room(work, gathered.bytes).await;
            if !more {
                break;
            }
            gathered.cut_off = page_number == limits::REFRESH_PAGES_MAX
                || gathered.records.len() >= limits::REFRESH_ROWS_MAX
                || gathered.bytes >= limits::REFRESH_BYTES_MAX;
            if gathered.cut_off {
                break;
            }
        }
        Ok(Fetched::Pages(gathered))
    }

    /// Waits for the room of a large refresh. The refreshes of a step of a test clock need none, because a step
    /// ends after few rows.
    async fn take_room(&self, work: &Work, bytes: usize) {
        let Some(slot) = &work.room else { return };
        if bytes <= limits::REFRESH_FREE_BYTES_MAX || slot.get().is_some() {
            return;
        }
        let permits = limits::REFRESH_BYTES_MAX / REFRESH_PERMIT_BYTES;
        let Ok(permits) = u32::try_from(permits) else {
            unreachable!("a refresh has few permits");
        };
        let room = Arc::clone(&self.refresh_room).acquire_many_owned(permits).await;
        // The semaphore is never closed, and only this task sets the room.
        let _ = room.map(|room| slot.set(room));
    }

    /// Stores a replaced credential or state before the next request to the bank. Returns false if
    /// a test helper or another refresh of the account has changed the connection. The attempt must
    /// then begin again, because its closing command would undo the other change.
    async fn keep_connection(
        &self,
        work: &mut Work,
        new_credential: Option<Vec<u8>>,
        new_state: Option<Vec<u8>>,
    ) -> Result<bool, Error> {
        let connection = &mut work.connection;
        connection.version += 1;
        if let Some(credential) = new_credential {
            connection.credential = credential;
        }
        if let Some(state) = new_state {
            connection.state = state;
        }
        let change = ChangeConnection::of(connection.clone());
        settled(self.store.write(change).await?)
    }
}

impl Gathered {
    fn add(&mut self, page: FetchPage) {
        self.cursor = page.next_cursor;
        match page.records {
            Records::Transactions { mut records, mut removals, coverage } => {
                let bytes = |record: &BankTransaction| {
                    RECORD_BYTES + record.bank_id.len() + record.description.len()
                };
                self.bytes += records.iter().map(bytes).sum::<usize>();
                self.records.append(&mut records);
                self.removals.append(&mut removals);
                self.coverage = Some(coverage);
            }
            Records::Balance(balance) => self.balance = balance,
            Records::Owners(mut owners) => self.owners.append(&mut owners),
        }
    }
}
