//! The file: access by several servers, its contents, and its state after closing.

use super::{at, cause, is_there, object, place, places, run, settings};
use crate::sqlite::Sqlite;
use crate::sqlite::migration::MIGRATIONS;
use crate::{
    ClaimClocks, CreateIdempotencyRecord, Created, FindIdempotencyRecord, FindObject,
    IdempotencyRecord, Kind, Object, OpenError, Place, Store, StoreSettings, Written,
};
use model::account::{Category, Subcategory};
use model::clock::ServerTime;
use model::endpoint::Endpoint;
use model::id::{EndpointId, InstitutionId, LinkFlowId, MerchantId, SessionId, TokenId};
use model::link::{LinkFlow, LinkFlowState, Offer};
use model::session::Session;
use model::token::BankAccountToken;
use rusqlite::Connection;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use testkit::objects;

fn open_error(settings: StoreSettings) -> OpenError {
    Store::open(settings).err().unwrap()
}

/// Committed data is readable after the database is opened again.
#[test]
fn committed_data_survives_reopening() {
    let (_folder, path) = place();
    run(async {
        let store = Store::open(at(&path)).unwrap();
        assert_eq!(store.write(object(1)).await.unwrap(), Created::Done);
        store.close().await;
        drop(store);
        let store = Store::open(at(&path)).unwrap();
        assert!(is_there(&store, 1).await);
        assert!(!is_there(&store, 2).await);
    });
}

/// A second server on one database is rejected until the first has ended.
#[test]
fn a_second_server_is_rejected() {
    let (_folder, path) = place();
    let first = Store::open(at(&path)).unwrap();
    assert!(
        matches!(open_error(at(&path)), OpenError::Locked(lock) if lock.ends_with("bank.db.lock"))
    );
    drop(first);
    Store::open(at(&path)).unwrap();
}

/// A second name of a database, by a symbolic or a hard link, does not let a second server in.
#[test]
fn another_name_is_the_same_database() {
    let (folder, path) = place();
    let first = Store::open(at(&path)).unwrap();
    let links = ["symbolic.db", "hard.db"].map(|name| folder.path().join(name));
    std::os::unix::fs::symlink(&path, &links[0]).unwrap();
    fs::hard_link(&path, &links[1]).unwrap();
    for link in &links {
        let OpenError::Locked(locked) = open_error(at(link)) else { panic!("{}", link.display()) };
        // A symbolic link leads to the lock of its database, and a hard link is the database itself.
        assert!(locked.ends_with("bank.db.lock") || locked == *link, "{}", locked.display());
        let mut lock = link.clone().into_os_string();
        lock.push(".lock");
        assert!(!Path::new(&lock).exists(), "{} leaves no lock", link.display());
    }
    run(async { assert_eq!(first.write(object(1)).await.unwrap(), Created::Done) });
    drop(first);
    drop(Store::open(at(&links[0])).unwrap());
}

/// A change of a file by another program.
type Change = fn(&Path);

/// After a file of the database was removed or replaced, a write is not acknowledged, and the writer
/// ends. No new database appears at the path.
#[test]
fn a_removed_database_takes_no_writes() {
    let removed = |path: &Path| fs::remove_file(path).unwrap();
    let renamed = |path: &Path| fs::rename(path, path.with_extension("moved")).unwrap();
    let replaced = |path: &Path| {
        fs::rename(path, path.with_extension("moved")).unwrap();
        fs::copy(path.with_extension("moved"), path).unwrap();
    };
    let changes: [(&str, Change); 4] = [
        ("bank.db", removed),
        ("bank.db", renamed),
        ("bank.db", replaced),
        ("bank.db-wal", removed),
    ];
    for (name, change) in changes {
        let (folder, path) = place();
        let store = Store::open(at(&path)).unwrap();
        run(async {
            assert_eq!(store.write(object(1)).await.unwrap(), Created::Done);
            change(&folder.path().join(name));
            let is_there_before = path.exists();
            assert!(!store.is_ready(), "no write has noticed {name} yet");
            for number in [2, 3] {
                store.write(object(number)).await.unwrap_err();
            }
            store.writer_ended().await;
            assert!(!store.is_ready() && !store.is_writer_alive());
            assert_eq!(path.exists(), is_there_before, "{name}");
            let error = cause(&store.write(object(4)).await.unwrap_err());
            assert!(error.contains(&format!("{name} was removed or replaced")), "{error}");
        });
        drop(store);
        if !path.exists() {
            // A new database would replace the log that is left.
            let log = folder.path().join("bank.db-wal");
            let bytes = fs::read(&log).unwrap();
            assert!(matches!(open_error(at(&path)), OpenError::Lost { .. }));
            assert!(!path.exists());
            assert_eq!(fs::read(&log).unwrap(), bytes);
        }
    }
}

/// Other users can read no file of a database.
#[test]
fn files_are_for_their_owner() {
    let (folder, path) = place();
    let store = Store::open(at(&path)).unwrap();
    run(async { assert_eq!(store.write(object(1)).await.unwrap(), Created::Done) });
    let mut files = 0;
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600, "{:?}", file.file_name());
        files += 1;
    }
    assert_eq!(files, 4, "the database, its log, its index and its lock");
}

/// A database of a newer or another program is rejected and not changed.
#[test]
fn another_programs_database_is_rejected() {
    let (_folder, path) = place();
    drop(Store::open(at(&path)).unwrap());
    let change = |sql| Connection::open(&path).unwrap().execute(sql, []).unwrap();
    change("UPDATE migrations SET checksum = x'00' WHERE number = 1");
    insta::assert_snapshot!(open_error(at(&path)), @"migration 1 of the database differs from that of this bankfeed");
    change("INSERT INTO migrations (number, checksum) VALUES (99, x'00')");
    let known = MIGRATIONS.len();
    assert_eq!(
        open_error(at(&path)).to_string(),
        format!(
            "the database has migration 99, but this bankfeed only knows {known}; use a newer one"
        )
    );
}

/// A wrong seal key is rejected when the database is opened, not at the first read of a secret.
#[test]
fn another_seal_key_is_rejected() {
    let (_folder, path) = place();
    drop(Store::open(at(&path)).unwrap());
    let other = StoreSettings { seal_key: [8; 32], ..at(&path) };
    assert!(matches!(open_error(other), OpenError::OtherSealKey));
}

/// The error names a path that cannot be written.
#[test]
fn an_unwritable_path_is_named() {
    let path = Path::new("/nowhere/at/all/bank.db");
    let OpenError::File { path: named, .. } = open_error(at(path)) else { unreachable!() };
    assert_eq!(named, Path::new("/nowhere/at/all/bank.db.lock"));
}

/// A temporary database leaves no file behind.
#[test]
fn a_temporary_database_leaves_no_files() {
    let database = Sqlite::open(settings(Place::Temporary), places()).unwrap();
    let path = database.folder.as_ref().unwrap().database().parent().unwrap().to_owned();
    assert!(path.join("bankfeed.db").exists());
    drop(database);
    assert!(!path.exists());
}

fn session() -> Session {
    let (id, client_secret) = (SessionId::from_number(5), "THE CLIENT SECRET".to_owned());
    Session { id, client_secret, ..objects::session() }
}

/// A flow with a secret, a login in progress and an account on offer. The test searches for the
/// connector's bytes as JSON spells bytes.
pub(super) fn flow() -> LinkFlow {
    let offer = Offer {
        institution: InstitutionId::from_number(1),
        institution_name: "THE BANK'S SECRET".to_owned(),
        bank_account: "THE ACCOUNT'S SECRET".to_owned(),
        name: "Success".to_owned(),
        category: Category::Cash,
        subcategory: Subcategory::Checking,
        last4: None,
        supported_payment_method_types: Vec::new(),
        preselected: true,
        credential: b"THE CREDENTIAL".to_vec(),
    };
    LinkFlow {
        id: LinkFlowId::from_number(9),
        secret: "THE FLOW'S SECRET".to_owned(),
        run: LinkFlowState {
            login: b"THE LOGIN".to_vec(),
            offers: vec![offer],
            ..LinkFlowState::default()
        },
        ..objects::link_flow()
    }
}

pub(super) fn token() -> BankAccountToken {
    let (id, account_number) = (TokenId::from_number(11), "000987656789".to_owned());
    BankAccountToken { id, account_number, ..objects::token() }
}

fn endpoint() -> Endpoint {
    Endpoint {
        id: EndpointId::from_number(6),
        url: "http://localhost/not a secret".to_owned(),
        secrets: vec![objects::secret("THE SIGNING SECRET")],
        ..objects::endpoint()
    }
}

fn reply() -> IdempotencyRecord {
    IdempotencyRecord {
        merchant: MerchantId::from_number(1),
        key: "key".to_owned(),
        fingerprint: [0; 32],
        request_id: "req_1".to_owned(),
        status: 200,
        body: b"THE RESPONSE SECRET".to_vec(),
        at: ServerTime(0),
    }
}

/// Secrets are readable through the store, but no file of the database contains their bytes.
#[test]
fn secrets_are_encrypted() {
    let (folder, path) = place();
    run(async {
        let store = Store::open(at(&path)).unwrap();
        let (flow, token) = (Object::LinkFlow(flow()), Object::Token(token()));
        let (session, endpoint) = (Object::Session(session()), Object::Endpoint(endpoint()));
        for object in [session, endpoint, flow.clone(), token.clone()] {
            let command = crate::CreateObject { object, ..super::object(1) };
            assert_eq!(store.write(command).await.unwrap(), Created::Done);
        }
        let written = store.write(CreateIdempotencyRecord { record: reply() }).await.unwrap();
        assert_eq!(written, Written::Done);
        let merchant = MerchantId::from_number(1);
        let find = FindIdempotencyRecord { merchant, key: "key".to_owned(), now: ServerTime(1) };
        assert_eq!(store.read(find).await.unwrap(), Some(reply()));
        let find = FindObject { merchant, kind: Kind::LinkFlow, number: 9 };
        assert_eq!(store.read(find).await.unwrap(), Some(flow));
        let find = FindObject { merchant, kind: Kind::Token, number: 11 };
        assert_eq!(store.read(find).await.unwrap(), Some(token));
        assert!(contains_bytes(folder.path(), b"not a secret"));
        let texts =
            ["THE CLIENT SECRET", "THE SIGNING SECRET", "THE RESPONSE SECRET", "000987656789"];
        for secret in texts {
            assert!(!contains_bytes(folder.path(), secret.as_bytes()), "{secret}");
        }
        for bytes in [b"THE CREDENTIAL".as_slice(), b"THE LOGIN"] {
            let json = serde_json::to_vec(bytes).unwrap();
            assert!(!contains_bytes(folder.path(), &json));
        }
        store.close().await;
        assert!(contains_bytes(folder.path(), b"not a secret"));
        assert!(!contains_bytes(folder.path(), b"SECRET"));
    });
}

fn contains_bytes(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let content = std::fs::read(entry.unwrap().path()).unwrap();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

/// A sealed value that was moved to another row cannot be opened there.
#[test]
fn a_moved_secret_cannot_be_opened() {
    let (_folder, path) = place();
    run(async {
        let store = Store::open(at(&path)).unwrap();
        for number in [5, 7] {
            let object =
                Object::Session(Session { id: SessionId::from_number(number), ..session() });
            let command = crate::CreateObject { object, ..super::object(1) };
            assert_eq!(store.write(command).await.unwrap(), Created::Done);
        }
        let merchant = MerchantId::from_number(1);
        let find = FindObject { merchant, kind: Kind::Session, number: 7 };
        assert!(store.read(find).await.is_ok());
        let sql = "UPDATE objects SET secret = \
            (SELECT secret FROM objects WHERE number = 5) WHERE number = 7";
        Connection::open(&path).unwrap().execute(sql, []).unwrap();
        let error = store.read(find).await.unwrap_err();
        insta::assert_snapshot!(super::cause(&error), @"the sealed column objects.secret cannot be opened with the seal key");
    });
}

/// Numbers that no program writes are an error, not another number.
#[test]
fn corrupt_numbers_are_errors() {
    let (_folder, path) = place();
    let store = Store::open(at(&path)).unwrap();
    let (now, leased_until) = (ServerTime(1), ServerTime(2));
    let claim =
        ClaimClocks { now, leased_until, after: None, limit: 9, free: 999, in_progress: vec![] };
    let after_row = |row| {
        let connection = Connection::open(&path).unwrap();
        connection.execute("DELETE FROM clock_jobs", []).unwrap();
        let sql = "INSERT INTO clock_jobs (merchant, clock, claim) VALUES ";
        connection.execute(&format!("{sql}{row}"), []).unwrap();
        super::cause(&run(store.write(claim.clone())).unwrap_err())
    };
    insta::assert_snapshot!(after_row("(-1, 5, 0)"), @"the column generations.merchant has an invalid value");
    insta::assert_snapshot!(after_row("(1, -5, 0)"), @"the column clock has the value -5, which is out of range");
    insta::assert_snapshot!(after_row("(1, 5, 4294967295)"), @"the column claim has an invalid value");
    insta::assert_snapshot!(after_row("(1, 5, 4294967296)"), @"a statement failed");
}
