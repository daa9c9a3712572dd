//! The outcome of a run: both responses, and the stored state.
//!
//! Outcomes of different runs are compared, so they leave out all that differs between two equal
//! runs: versions, and ids and secrets of objects that are not part of the fixture. Such a word is
//! cut after its prefix.

use model::Word;
use model::id::{EventId, MerchantId};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use store::{
    AccountsOf, Bounds, Cursor, FindConnection, FindObject, Kind, ListAccounts, ListFeed,
    ListObjects, ListUndispatched, MeasureSandbox, Object, ObjectsOf, Page, Store,
};
use testkit::Response;

/// The length of the drawn part of an id or a secret, in letters and digits.
const DRAWN_CHARS_MIN: usize = 24;
/// The length of a drawn number that is written in decimal digits. Times are shorter.
const NUMBER_DIGITS_MIN: usize = 17;
/// The length of a fingerprint, in hexadecimal digits.
const FINGERPRINT_CHARS: usize = 16;
/// The length of a drawn prefix of invoice numbers, in hexadecimal digits.
const PREFIX_CHARS: usize = 8;
/// The maximum number of rows of a list that is read.
const ROWS_MAX: u32 = 100;
const EVENTS_MAX: usize = 1_000;
/// Two rows with a common beginning of this length are versions of one object.
const ALIKE_BYTES_MIN: usize = 60;
/// The length of the equal text that a report shows before a difference.
const CONTEXT_BYTES: usize = 60;
/// The length of the text that a report shows of a row.
const SHOWN_CHARS_MAX: usize = 260;
/// Fields that count changes. A restore raises them.
const COUNTERS: [&str; 4] = ["rows", "sequence", "until", "version"];

/// The outcome of two calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The responses, in the order of the pair.
    pub responses: [String; 2],
    /// All rows and the events of each request, sorted.
    pub state: Vec<String>,
}

impl Outcome {
    /// The differences from another outcome. Rows of this outcome have the mark `-`, and rows of the
    /// other outcome `+`. Two rows that begin alike are cut to the part that differs.
    pub fn difference(&self, other: &Self) -> String {
        let rows = |outcome: &Self| {
            outcome.responses.iter().chain(&outcome.state).cloned().collect::<Vec<String>>()
        };
        let (own, others) = (rows(self), rows(other));
        let only = |one: &[String], all: &[String]| {
            one.iter().filter(|row| !all.contains(row)).cloned().collect::<Vec<_>>()
        };
        let (own, mut others) = (only(&own, &others), only(&others, &own));
        let mut shown = String::new();
        for row in own {
            let like = others.iter().position(|other| common_bytes(&row, other) >= ALIKE_BYTES_MIN);
            let other = like.map(|place| others.remove(place));
            let start = other.as_ref().map_or(0, |other| common_bytes(&row, other));
            // Writing to a String cannot fail.
            let _ = writeln!(shown, "  - {}", part_from(&row, start));
            if let Some(other) = other {
                let _ = writeln!(shown, "  + {}", part_from(&other, start));
            }
        }
        for row in others {
            let _ = writeln!(shown, "  + {}", part_from(&row, 0));
        }
        if shown.is_empty() && self != other {
            shown.push_str("  equal rows in another order\n");
        }
        shown
    }
}

/// The length of the common beginning of two texts, in bytes.
fn common_bytes(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count()
}

/// The beginning of a row, and a part around this byte.
fn part_from(row: &str, start: usize) -> String {
    let chars = |text: &str, count: usize| text.chars().take(count).collect::<String>();
    let mut from = start.saturating_sub(CONTEXT_BYTES);
    if from < ALIKE_BYTES_MIN {
        return chars(row, SHOWN_CHARS_MAX);
    }
    while !row.is_char_boundary(from) {
        from -= 1;
    }
    format!("{} … {}", chars(row, ALIKE_BYTES_MIN), chars(&row[from..], SHOWN_CHARS_MAX))
}

/// The reader of the state of a sandbox.
#[derive(Debug)]
pub struct Reader {
    merchants: Vec<MerchantId>,
    /// Drawn words of the fixture, which are shown as they are.
    words: HashSet<String>,
    /// Events of the fixture, which are left out.
    events: HashSet<EventId>,
    /// The keys of the fixture's objects, which are read even if they are deleted.
    keys: BTreeSet<Key>,
}

/// The key of an object: its owner, its kind and its number.
type Key = (MerchantId, Kind, u64);

impl Reader {
    /// A reader of the rows of these merchants. Their current state is the fixture.
    pub async fn new(store: &Store, merchants: Vec<MerchantId>) -> Self {
        let (words, events, keys) = (HashSet::new(), HashSet::new(), BTreeSet::new());
        let mut reader = Self { merchants, words, events, keys };
        let rows = reader.rows(store, 0).await;
        for row in &rows {
            each_word(row, |word, _| {
                if is_drawn(word) {
                    reader.words.insert(word.to_owned());
                }
            });
        }
        for merchant in reader.merchants.clone() {
            let events = events_of(store, merchant).await;
            reader.events.extend(events.iter().map(|event| event.id));
            reader.keys.extend(live_objects(store, merchant).await.into_keys());
        }
        reader
    }

    /// Adds drawn words of the fixture, such as its ids.
    pub fn know<'a>(&mut self, words: impl Iterator<Item = &'a str>) {
        self.words.extend(words.map(str::to_owned));
    }

    /// The rows that have changed since a restore gave all rows a version, and the new events. The
    /// events of a request are one text, because their order counts. The events of the requests in
    /// `apart` are a text each, because these requests have several commits without a promised
    /// order.
    pub async fn state(&self, store: &Store, restored: u64, apart: &[String]) -> Vec<String> {
        let mut state: Vec<String> =
            self.rows(store, restored).await.iter().map(|row| self.canonical(row)).collect();
        for merchant in &self.merchants {
            let mut of_requests: BTreeMap<String, String> = BTreeMap::new();
            for event in events_of(store, *merchant).await {
                if self.events.contains(&event.id) {
                    continue;
                }
                let cause = event.cause.as_ref().map(|cause| cause.request.to_string());
                let shown = self.canonical(&format!("{event:?} "));
                match cause.unwrap_or_default() {
                    request if apart.contains(&request) => state.push(shown),
                    request => *of_requests.entry(request).or_default() += &shown,
                }
            }
            state.extend(of_requests.into_values());
        }
        state.sort();
        state
    }

    /// A response without words that differ between two equal runs. Of an API error only the parts
    /// that programs read are shown, and of a page only the status. The page is read after the commit
    /// of its step, so it may show the commit of the other call.
    pub fn response(&self, response: &Response) -> String {
        if !response.body.starts_with('{') {
            return format!("{} page", response.status);
        }
        if response.status == 200 {
            return format!("200 {}", self.canonical(&response.body));
        }
        let part = |name: &str| response.at(&format!("/error/{name}")).to_string();
        format!("{} {} {}", response.status, part("code"), part("param"))
    }

    /// The version that a restore gave to all rows.
    pub async fn restored_version(&self, store: &Store) -> u64 {
        let key = self.keys.first().expect("the fixture has objects");
        find(store, *key).await.expect("a restored object exists").version()
    }

    /// The rows that differ from the fixture. After a restore all rows have the same version, so a
    /// row of the fixture with this version is unchanged.
    async fn rows(&self, store: &Store, restored: u64) -> Vec<String> {
        let mut rows = Vec::new();
        for merchant in self.merchants.iter().copied() {
            let mut objects = live_objects(store, merchant).await;
            for key in self.keys.iter().filter(|key| key.0 == merchant) {
                if !objects.contains_key(key)
                    && let Some(object) = find(store, *key).await
                {
                    objects.insert(*key, object);
                }
            }
            let changed = objects
                .iter()
                .filter(|(key, object)| !(object.version() == restored && self.keys.contains(key)));
            rows.extend(changed.map(|(_, object)| format!("{merchant} {object:?}")));
            let gone =
                self.keys.iter().filter(|key| key.0 == merchant && !objects.contains_key(key));
            rows.extend(gone.map(|(_, kind, number)| format!("{} {number} is gone", kind.name())));
            let page = Page { limit: ROWS_MAX, cursor: Cursor::Newest };
            let list = ListAccounts { merchant, of: AccountsOf::Merchant, page };
            for account in store.read(list).await.expect("accounts are listed").items {
                let find = FindConnection { merchant, account: account.id };
                let connection = store.read(find).await.expect("a connection is read");
                let connection = connection.expect("every account has a connection");
                if (account.version, connection.version) != (restored, restored) {
                    let bank = String::from_utf8_lossy(&connection.state).into_owned();
                    rows.push(format!("{account:?} at the bank: {bank} {:?}", connection.cursors));
                }
            }
        }
        // The rows of a platform include those of its connected accounts.
        if let Some(platform) = self.merchants.first().copied() {
            let measured = store.read(MeasureSandbox { merchant: platform }).await;
            rows.push(format!("rows: {:?}", measured.expect("the rows are counted").counts));
        }
        rows
    }

    /// A text in which drawn words that are not part of the fixture are cut after their prefix, and
    /// counters are left out.
    fn canonical(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        let mut counter = false;
        each_word(text, |word, between| {
            shown.push_str(between);
            if counter && between == ": " {
                shown.push('#');
            } else if is_drawn(word) && !self.words.contains(word) {
                shown.push_str(&cut(word));
            } else {
                shown.push_str(word);
            }
            counter = COUNTERS.contains(&word);
        });
        shown
    }
}

/// All events: those that have a feed number, and then those that wait for it, in the order of
/// commits.
async fn events_of(store: &Store, merchant: MerchantId) -> Vec<model::event::Event> {
    let types = Vec::new();
    let list = ListFeed { merchant, account: None, types, after: 0, limit: EVENTS_MAX };
    let feed = store.read(list).await.expect("events are listed");
    let waiting = ListUndispatched { merchant, limit: EVENTS_MAX, bytes_max: usize::MAX };
    let waiting = store.read(waiting).await.expect("events are listed");
    assert!(!waiting.has_more, "more than {EVENTS_MAX} events");
    feed.into_iter().map(|numbered| numbered.event).chain(waiting.events).collect()
}

/// Finds an object, deleted or not.
async fn find(store: &Store, key: Key) -> Option<Object> {
    let (merchant, kind, number) = key;
    store.read(FindObject { merchant, kind, number }).await.expect("an object is read")
}

/// All objects that are not deleted, besides snapshots.
async fn live_objects(store: &Store, merchant: MerchantId) -> BTreeMap<Key, Object> {
    let mut objects = BTreeMap::new();
    for kind in Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Snapshot) {
        let page = Page { limit: ROWS_MAX, cursor: Cursor::Newest };
        let (of, created) = (ObjectsOf::All, Bounds::default());
        let list = ListObjects { merchant, kind, of, created, page };
        let listed = store.read(list).await.expect("objects are listed");
        assert!(!listed.has_more, "more than {ROWS_MAX} objects of a kind");
        let keyed = |object: Object| ((merchant, kind, object.number()), object);
        objects.extend(listed.items.into_iter().map(keyed));
    }
    objects
}

/// Calls a function with each word of a text and the characters before it. The last word may be
/// empty.
fn each_word<'a>(text: &'a str, mut each: impl FnMut(&'a str, &'a str)) {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = text;
    while !rest.is_empty() {
        let (between, from_word) = rest.split_at(rest.find(is_word).unwrap_or(rest.len()));
        let end = from_word.find(|c| !is_word(c)).unwrap_or(from_word.len());
        let (word, after) = from_word.split_at(end);
        each(word, between);
        rest = after;
    }
}

/// True if a server drew a part of this word, or derived it from a drawn number.
fn is_drawn(word: &str) -> bool {
    if word.len() < PREFIX_CHARS {
        return false;
    }
    let is_lower = word.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let is_upper = word.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b));
    word.split('_').any(|part| part.len() >= DRAWN_CHARS_MIN)
        || (word.len() >= NUMBER_DIGITS_MIN && word.bytes().all(|b| b.is_ascii_digit()))
        || (word.len() == FINGERPRINT_CHARS && is_lower)
        || (word.len() == PREFIX_CHARS && is_upper)
}

fn cut(word: &str) -> String {
    if !word.contains('_') {
        return "…".to_owned();
    }
    let part = |part: &'_ str| {
        if part.len() >= DRAWN_CHARS_MIN { "…".to_owned() } else { part.to_owned() }
    };
    word.split('_').map(part).collect::<Vec<_>>().join("_")
}
