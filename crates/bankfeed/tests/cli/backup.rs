//! Backups while a server runs, and servers on restored files.

use crate::support::{call, command, in_new_folder, shown};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use testkit::process::{LISTENS, Process};

const KEY: &str = "sk_test_123";
/// The customers that exist before the backup begins.
const BEFORE: usize = 50;

/// Starts a server on a database, and returns its URL.
fn serve(db: &Path) -> (Process, String) {
    let serve = ["serve", "--listen", "127.0.0.1:0", "--db", db.to_str().unwrap()];
    let process = Process::start(command(&serve).stderr(Stdio::null())).unwrap();
    let url = process.after(LISTENS).unwrap();
    (process, url)
}

/// A database with one customer and its backup. Returns the folder of both, and their paths.
fn backed_up() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let (folder, db) = in_new_folder("bank.db");
    let (server, url) = serve(&db);
    assert_eq!(call(&url, KEY, "POST", "/v1/customers", "").0, 200);
    let backup = folder.path().join("backup");
    let (path, name) = (backup.to_str().unwrap(), db.to_str().unwrap());
    assert!(command(&["backup", path, "--db", name]).status().unwrap().success());
    server.terminate().unwrap();
    (folder, db, backup)
}

/// The ids of all customers.
fn customers(url: &str) -> BTreeSet<String> {
    let (mut ids, mut after) = (BTreeSet::new(), String::new());
    loop {
        let path = format!("/v1/customers?limit=100{after}");
        let (status, page) = call(url, KEY, "GET", &path, "");
        assert_eq!(status, 200, "{page}");
        let rows = page["data"].as_array().unwrap();
        ids.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        if page["has_more"] != true {
            return ids;
        }
        after = format!("&starting_after={}", rows[rows.len() - 1]["id"].as_str().unwrap());
    }
}

/// A backup during writes has every row that was acknowledged before it began, the secrets that the
/// seal key opens, and the issued keys. Only its owner can read it. A server on the restored files
/// works with them.
#[test]
fn a_backup_under_load_has_all_that_was_acknowledged() {
    let (folder, db) = in_new_folder("bank.db");
    let name = db.to_str().unwrap();
    let created = command(&["key", "create", "--live", "--json", "--db", name]).output().unwrap();
    let created: Value = serde_json::from_slice(&created.stdout).unwrap();
    let issued = created["secret"].as_str().unwrap();
    let (server, url) = serve(&db);
    let endpoint = "url=http://127.0.0.1:1/&enabled_events[]=*";
    let endpoint = call(&url, KEY, "POST", "/v1/webhook_endpoints", endpoint).1;
    assert_eq!(call(&url, issued, "POST", "/v1/customers", "").0, 200);
    let backup = folder.path().join("backup");
    let done = AtomicBool::new(false);
    let acknowledged = std::thread::scope(|scope| {
        let (acknowledge, acknowledged) = channel();
        let (url, done) = (&url, &done);
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                let (status, customer) = call(url, KEY, "POST", "/v1/customers", "");
                assert_eq!(status, 200, "{customer}");
                let _ = acknowledge.send(customer["id"].as_str().unwrap().to_owned());
            }
        });
        let before: BTreeSet<String> = acknowledged.iter().take(BEFORE).collect();
        let made = command(&["backup", backup.to_str().unwrap(), "--db", name]).output().unwrap();
        done.store(true, Ordering::Relaxed);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        before
    });
    drop(server);

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&backup), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&backup).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(mode(&entry.path()), 0o600, "{:?}", entry.path());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort_unstable();
    let wanted = ["backup.json", "bankfeed.db", "bankfeed.db.api-keys", "bankfeed.db.key"];
    assert_eq!(names, wanted);

    let (_other, restored) = in_new_folder("other.db");
    let arguments =
        ["restore", backup.to_str().unwrap(), "--db", restored.to_str().unwrap(), "--json"];
    let output = command(&arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (_server, url) = serve(&restored);
    assert!(customers(&url).is_superset(&acknowledged));
    let path = format!("/v1/webhook_endpoints/{}", endpoint["id"].as_str().unwrap());
    assert_eq!(call(&url, KEY, "GET", &path, "").1["url"], endpoint["url"]);
    let (status, listed) = call(&url, issued, "GET", "/v1/customers", "");
    assert_eq!((status, listed["data"].as_array().unwrap().len()), (200, 1));
}

/// A restore with `--force` replaces a newer database and its log. It refuses existing files without the
/// flag, and a running server with it.
#[test]
fn a_restore_replaces_only_by_force_and_without_a_server() {
    let (folder, db, backup) = backed_up();
    let restore = ["restore", backup.to_str().unwrap(), "--db", db.to_str().unwrap()];
    let by_force = [&restore[..], &["--force"]].concat();
    let (server, url) = serve(&db);
    assert_eq!(call(&url, KEY, "POST", "/v1/customers", "").0, 200);
    let mut seen = shown(&by_force, folder.path());
    // The log of a killed server remains.
    drop(server);
    seen += &shown(&restore, folder.path());
    insta::assert_snapshot!(seen, @"
    $ bankfeed restore FOLDER/backup --db FOLDER/bank.db --force
    ! error: could not replace the database: another server uses this database; its lock file is FOLDER/bank.db.lock
    !   tip: Stop the server that uses the database, and run `bankfeed restore` again
    ends with 1
    $ bankfeed restore FOLDER/backup --db FOLDER/bank.db
    ! error: FOLDER/bank.db exists
    !   tip: Name another database with --db, or replace the files with --force
    ends with 2
    ");
    assert!(command(&by_force).status().unwrap().success());
    let (_server, url) = serve(&db);
    assert_eq!(customers(&url).len(), 1);
}

/// A backup of a killed server's files has the changes that are only in the log.
#[test]
fn a_killed_server_has_a_backup() {
    let (folder, db) = in_new_folder("bank.db");
    let (server, url) = serve(&db);
    assert_eq!(call(&url, KEY, "POST", "/v1/customers", "").0, 200);
    drop(server);
    let mut log = db.clone().into_os_string();
    log.push("-wal");
    assert!(fs::metadata(log).unwrap().len() > 0);
    let (backup, restored) = (folder.path().join("backup"), folder.path().join("restored.db"));
    let backup = backup.to_str().unwrap();
    assert!(command(&["backup", backup, "--db", db.to_str().unwrap()]).status().unwrap().success());
    let restore = ["restore", backup, "--db", restored.to_str().unwrap()];
    assert!(command(&restore).status().unwrap().success());
    let (_server, url) = serve(&restored);
    assert_eq!(customers(&url).len(), 1);
}

/// A link to a database that does not exist yet leads the database and its keys to the same folder. Files
/// that a killed restore has left there are removed.
#[test]
fn a_restore_follows_a_link() {
    let (folder, _, backup) = backed_up();
    let place = folder.path().join("place");
    fs::create_dir(&place).unwrap();
    let link = folder.path().join("link.db");
    symlink("place/new.db", &link).unwrap();
    fs::write(place.join(".new.db.restore-dead"), "").unwrap();
    let restore = ["restore", backup.to_str().unwrap(), "--db", link.to_str().unwrap()];
    assert!(command(&restore).status().unwrap().success());
    let found = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name());
    let found: BTreeSet<_> = found.map(|name| name.into_string().unwrap()).collect();
    let beside = ["new.db", "new.db.api-keys", "new.db.key", "new.db.lock"];
    assert_eq!(found, BTreeSet::from(beside.map(str::to_owned)));
    for name in [link, place.join("new.db")] {
        let (_server, url) = serve(&name);
        assert_eq!(customers(&url).len(), 1);
    }
}

/// No file of a restore replaces another one, also not by a link, nor the log of the database.
#[test]
fn a_restore_needs_different_paths() {
    let (folder, _, backup) = backed_up();
    let place = folder.path().join("place");
    fs::create_dir(&place).unwrap();
    symlink("place", folder.path().join("link")).unwrap();
    let [db, key, linked, log] = ["place/new.db", "place/key", "link/key", "place/new.db-wal"]
        .map(|name| folder.path().join(name).into_os_string().into_string().unwrap());
    let restore = ["restore", backup.to_str().unwrap(), "--db", &db];
    let mut seen = String::new();
    for other in [
        &["--seal-key-file", &db][..],
        &["--seal-key-file", &key, "--api-keys-file", &linked],
        &["--seal-key-file", &log],
    ] {
        seen += &shown(&[&restore[..], other].concat(), folder.path());
    }
    insta::assert_snapshot!(seen, @"
    $ bankfeed restore FOLDER/backup --db FOLDER/place/new.db --seal-key-file FOLDER/place/new.db
    ! error: two files have the path FOLDER/place/new.db
    !   tip: Give the database, its log, the seal key and the issued keys different paths
    ends with 2
    $ bankfeed restore FOLDER/backup --db FOLDER/place/new.db --seal-key-file FOLDER/place/key --api-keys-file FOLDER/link/key
    ! error: two files have the path FOLDER/link/key
    !   tip: Give the database, its log, the seal key and the issued keys different paths
    ends with 2
    $ bankfeed restore FOLDER/backup --db FOLDER/place/new.db --seal-key-file FOLDER/place/new.db-wal
    ! error: two files have the path FOLDER/place/new.db-wal
    !   tip: Give the database, its log, the seal key and the issued keys different paths
    ends with 2
    ");
    assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
}

/// The files of a restore that did not come to its end are not backed up, and get no issued key, which
/// the end of the restore would remove. `doctor` says so.
#[test]
fn an_unfinished_restore_has_no_backup() {
    let (folder, db, _) = backed_up();
    fs::write(folder.path().join("bank.db.replacing"), "").unwrap();
    let (target, name) = (folder.path().join("second"), db.to_str().unwrap());
    let backup = ["backup", target.to_str().unwrap(), "--db", name];
    let key = ["key", "create", "--db", name];
    let keys = || fs::read(folder.path().join("bank.db.api-keys")).unwrap();
    let before = keys();
    let seen = shown(&backup, folder.path()) + &shown(&key, folder.path());
    insta::assert_snapshot!(seen, @"
    $ bankfeed backup FOLDER/second --db FOLDER/bank.db
    ! error: could not use the database FOLDER/bank.db: a restore of the database FOLDER/bank.db did not come to its end; run `bankfeed restore` again
    !   tip: Check the files with `bankfeed doctor` and the same settings
    ends with 1
    $ bankfeed key create --db FOLDER/bank.db
    ! error: a restore of the database FOLDER/bank.db did not come to its end; run `bankfeed restore` again
    !   tip: A key that is created before the restore ends would be lost
    ends with 1
    ");
    assert!(!target.exists());
    assert_eq!(keys(), before);
    let doctor = shown(&["doctor", "--db", name], folder.path());
    let line = doctor.lines().find(|line| line.contains("did not come to its end")).unwrap();
    assert!(line.contains("database"), "{doctor}");
}

/// A damaged, changed or incomplete backup is not restored, and leaves no file in its place.
#[test]
fn a_damaged_backup_is_not_restored() {
    let (folder, _, backup) = backed_up();
    let place = folder.path().join("place");
    fs::create_dir(&place).unwrap();
    let db = place.join("new.db");
    let restore = ["restore", backup.to_str().unwrap(), "--db", db.to_str().unwrap()];
    let mut seen = String::new();
    let mut restored_without = |change: &dyn Fn(&Path), name: &str| {
        let path = backup.join(name);
        let whole = fs::read(&path).unwrap();
        change(&path);
        seen += &shown(&restore, folder.path());
        fs::write(&path, whole).unwrap();
    };
    let damage = |path: &Path| {
        let mut file = OpenOptions::new().write(true).open(path).unwrap();
        file.seek(SeekFrom::Start(5_000)).unwrap();
        file.write_all(&[0xff; 64]).unwrap();
    };
    let remove = |path: &Path| fs::remove_file(path).unwrap();
    restored_without(&damage, "bankfeed.db");
    restored_without(&remove, "bankfeed.db.key");
    restored_without(&remove, "backup.json");
    let edit = |from: &'static str, to: &'static str| {
        move |path: &Path| {
            let text = fs::read_to_string(path).unwrap();
            assert!(text.contains(from), "{text}");
            fs::write(path, text.replace(from, to)).unwrap();
        }
    };
    restored_without(&edit("\"sha256\": \"", "\"sha256\": \"0"), "backup.json");
    restored_without(&edit("\"bankfeed.db.key\"", "\"../key\""), "backup.json");
    restored_without(&edit("\"format\": 1", "\"format\": 2"), "backup.json");
    insta::assert_snapshot!(seen, @"
    $ bankfeed restore FOLDER/backup --db FOLDER/place/new.db
    ! error: FOLDER/backup/bankfeed.db differs from its checksum in backup.json
    !   tip: Use another backup, because this one is incomplete or damaged
    ends with 1
    $ bankfeed restore FOLDER/backup --db FOLDER/place/new.db
    ! error: could not use FOLDER/backup/bankfeed.db.key: No such file or directory (os error 2)
    !   tip: Check the path and the rights of its folder
    ends with 1
    $ bankfeed restore FOLDER/backup --db FOLDER/place/new.db
    ! error: FOLDER/backup is not a backup, because it has no backup.json
    !   tip: Name a folder that `bankfeed backup` has written
    ends with 2
    $ bankfeed restore FOLDER/backup --db FOLDER/place/new.db
    ! error: FOLDER/backup/bankfeed.db.key differs from its checksum in backup.json
    !   tip: Use another backup, because this one is incomplete or damaged
    ends with 1
    $ bankfeed restore FOLDER/backup --db FOLDER/place/new.db
    ! error: the backup has no bankfeed.db.key
    !   tip: Use another backup, because this one is incomplete or damaged
    ends with 1
    $ bankfeed restore FOLDER/backup --db FOLDER/place/new.db
    ! error: FOLDER/backup/backup.json has the form 2, which this bankfeed does not know
    !   tip: Use the bankfeed that wrote the backup, or a newer one
    ends with 1
    ");
    let left = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["new.db.lock"]);
    assert!(command(&restore).status().unwrap().success());
}

/// A backup needs a database, its own seal key and an empty folder. Without one of them it leaves no
/// file.
#[test]
fn a_backup_needs_the_seal_key() {
    let (folder, db, _) = backed_up();
    let key = folder.path().join("bank.db.key");
    let other = folder.path().join("other.key");
    fs::write(&other, "0".repeat(64)).unwrap();
    let target = folder.path().join("second");
    let backup = |more: &[&str]| {
        let flags = ["backup", target.to_str().unwrap(), "--db", db.to_str().unwrap()];
        shown(&[&flags, more].concat(), folder.path())
    };
    let mut seen = backup(&["--seal-key-file", other.to_str().unwrap()]);
    fs::rename(&key, folder.path().join("away")).unwrap();
    seen += &backup(&[]);
    let full = folder.path();
    let arguments = ["backup", full.to_str().unwrap(), "--db", db.to_str().unwrap()];
    seen += &shown(&arguments, folder.path());
    let missing = folder.path().join("missing.db");
    let arguments = ["backup", target.to_str().unwrap(), "--db", missing.to_str().unwrap()];
    seen += &shown(&arguments, folder.path());
    insta::assert_snapshot!(seen, @"
    $ bankfeed backup FOLDER/second --db FOLDER/bank.db --seal-key-file FOLDER/other.key
    ! error: the seal key FOLDER/other.key does not open the database
    !   tip: Name the key file of this database with --seal-key-file
    ends with 1
    $ bankfeed backup FOLDER/second --db FOLDER/bank.db
    ! error: could not use FOLDER/bank.db.key: No such file or directory (os error 2)
    !   tip: Check the path and the rights of its folder
    ends with 1
    $ bankfeed backup FOLDER --db FOLDER/bank.db
    ! error: FOLDER exists and is not an empty folder
    !   tip: Name a folder that does not exist, such as backup-2026-11-30
    ends with 2
    $ bankfeed backup FOLDER/second --db FOLDER/missing.db
    ! error: the database FOLDER/missing.db does not exist
    !   tip: Name the database of the server with --db. A server with --memory has no backup
    ends with 2
    ");
    assert!(!target.exists());
    let names = fs::read_dir(full).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
}
