//! Tests of `doctor`.

use crate::support::{command, in_new_folder, told};
use std::fs::{Permissions, set_permissions};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// An address that is always free.
const FREE: &str = "127.0.0.1:0";

/// The output of `doctor` for the server on a database. Values that differ between machines are
/// removed.
fn look(db: &Path, listen: &str) -> String {
    let folder = db.parent().unwrap().to_str().unwrap();
    let db = db.to_str().unwrap();
    let arguments = ["doctor", "--listen", listen, "--db", db];
    let mut shown = String::new();
    for line in told(&mut command(&arguments), &arguments).lines().skip(1) {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        if ["clock", "space", "open"].contains(&words[0]) {
            words.truncate(1);
        }
        shown += &words.join(" ").replace(db, "DB").replace(folder, "FOLDER");
        shown += "\n";
    }
    shown
}

/// Sets the permissions of a file or a folder.
fn mode(path: &Path, mode: u32) {
    set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Runs a server on a database until it is ready, and ends it.
fn serve(db: &Path) {
    let server = crate::support::Server::with(&["--db", db.to_str().unwrap()]);
    server.link(&[]);
}

/// There is no problem before the first start, nor after a server was killed.
#[test]
fn finds_nothing_wrong() {
    let (folder, db) = in_new_folder("bank.db");
    mode(folder.path(), 0o700);
    let mut shown = look(&db, FREE);
    serve(&db);
    mode(&db, 0o644);
    mode(&folder.path().join("bank.db.api-keys"), 0o640);
    shown += &look(&db, FREE);
    insta::assert_snapshot!(shown, @"
    WHAT STATE FOUND WHAT TO DO
    clock
    space
    rights ok modes: folder 700
    database ok none yet; serve creates DB
    keys ok any test key, and 0 issued keys
    port ok 127.0.0.1:0 is free
    open
    WHAT STATE FOUND WHAT TO DO
    clock
    space
    rights ok modes: bank.db 644, bank.db.api-keys 640, bank.db.key 600, folder 700
    database ok DB is complete and of this version
    seal key ok it opens the database
    keys ok any test key, and 0 issued keys
    port ok 127.0.0.1:0 is free
    open
    ");
    let before = std::fs::read(&db).unwrap();
    look(&db, FREE);
    assert_eq!(std::fs::read(&db).unwrap(), before);
}

/// The modes of files are reported. There is a warning if other users may read the database or the
/// issued keys, and none if the folder shuts them out.
#[test]
fn reports_modes() {
    let (folder, db) = in_new_folder("bank.db");
    let [keys, log] = ["bank.db.api-keys", "bank.db-wal"].map(|name| folder.path().join(name));
    serve(&db);
    mode(&log, 0o600);
    let mut shown = String::new();
    for (folder_mode, db_mode, keys_mode) in [
        (0o755, 0o644, 0o644),
        (0o755, 0o600, 0o640),
        (0o755, 0o600, 0o600),
        (0o700, 0o664, 0o644),
        (0o700, 0o600, 0o666),
    ] {
        mode(folder.path(), folder_mode);
        mode(&db, db_mode);
        mode(&keys, keys_mode);
        let looked = look(&db, FREE);
        shown += looked.lines().find(|line| line.starts_with("rights")).unwrap();
        shown += "\n";
    }
    mode(folder.path(), 0o755);
    mode(&keys, 0o600);
    std::fs::write(&log, "").unwrap();
    mode(&log, 0o644);
    shown += look(&db, FREE).lines().find(|line| line.starts_with("rights")).unwrap();
    insta::assert_snapshot!(shown, @"
    rights warning other users may read DB (mode 644) chmod 600 DB DB.api-keys
    rights warning other users may read DB.api-keys (mode 640) chmod 600 DB.api-keys
    rights ok modes: bank.db 600, bank.db.api-keys 600, bank.db.key 600, folder 755
    rights ok modes: bank.db 664, bank.db.api-keys 644, bank.db.key 600, folder 700
    rights wrong other users may use DB.api-keys (mode 666) chmod 600 DB.api-keys
    rights warning other users may read DB-wal (mode 644) chmod 600 DB-wal
    ");
}

/// Each problem is reported with advice, and ends the command with 1.
#[test]
fn finds_what_is_wrong() {
    let (folder, db) = in_new_folder("bank.db");
    let key = folder.path().join("bank.db.key");
    serve(&db);
    let wrong = |shown: String| {
        let lines =
            shown.lines().filter(|line| line.contains(" wrong ") || line.starts_with("ends"));
        lines.collect::<Vec<_>>().join("\n") + "\n"
    };
    mode(&key, 0o644);
    let mut shown = wrong(look(&db, FREE));
    mode(&key, 0o600);
    let own = std::fs::read_to_string(&key).unwrap();
    std::fs::write(&key, "00".repeat(32)).unwrap();
    shown += &wrong(look(&db, FREE));
    std::fs::write(&key, "secret").unwrap();
    shown += &wrong(look(&db, FREE));
    std::fs::remove_file(&key).unwrap();
    shown += &wrong(look(&db, FREE));
    std::fs::write(&key, own).unwrap();
    mode(&key, 0o600);
    std::fs::write(folder.path().join("bank.db-wal"), "").unwrap();
    std::fs::write(&db, "no database at all, but some text").unwrap();
    shown += &wrong(look(&db, FREE));
    shown += &wrong(look(&folder.path().join("none/bank.db"), "[nowhere]:80"));
    insta::assert_snapshot!(shown, @"
    rights wrong other users may use DB.key (mode 644) chmod 600 DB.key
    ends with 1
    seal key wrong the database was created with another key put its own key file back, or name it with --seal-key-file
    ends with 1
    seal key wrong DB.key is not a key put the original back, which has 32 bytes in hexadecimal
    ends with 1
    seal key wrong DB.key: No such file or directory (os error 2) put it back, because no other file opens the database
    ends with 1
    database wrong DB: cannot open the database: file is not a database name another with --db, or restore a backup
    ends with 1
    rights wrong cannot create a file in FOLDER let the user who runs the server write there
    database wrong the folder FOLDER does not exist create the folder, or name another file with --db
    port wrong [nowhere]:80 is not an address name HOST:PORT with --listen
    ends with 1
    ");
}

/// A taken port is fine if a ready server listens on it, and an error if another program does.
#[test]
fn knows_who_has_the_port() {
    let server = crate::support::Server::start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let other = listener.try_clone().unwrap();
    // The other program accepts one connection and closes it without a response.
    let other = std::thread::spawn(move || drop(other.accept()));
    let ours = server.url.strip_prefix("http://").unwrap();
    let mut shown = String::new();
    for listen in [ours, address.as_str(), "0.0.0.0:0"] {
        let arguments = ["doctor", "--memory", "--listen", listen, "--json"];
        let told = told(&mut command(&arguments), &arguments);
        let line = told.lines().find(|line| line.contains("\"what\":\"port\"")).unwrap();
        shown += &line.replace(ours, "OURS").replace(&address, "OTHER");
        shown += "\n";
    }
    other.join().unwrap();
    insta::assert_snapshot!(shown, @r#"
    {"found":"a server is ready at OURS","help":null,"state":"ok","what":"port"}
    {"found":"another program listens on OTHER","help":"end it, or name another port with --listen","state":"wrong","what":"port"}
    {"found":"other machines can reach 0.0.0.0:0, and any test key opens the server","help":"choose --keys issued, or --keys any if all of them may use it","state":"wrong","what":"port"}
    "#);
}

/// If two clocks differ, both times are shown, because signatures by one of them are rejected.
#[test]
fn compares_clocks() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let other = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 4_096]).unwrap() > 0);
        let head = "HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\ncontent-length: 6";
        stream.write_all(format!("{head}\r\n\r\nready\n").as_bytes()).unwrap();
    });
    let arguments = ["doctor", "--memory", "--json", "--listen", &address];
    let output = command(&arguments).output().unwrap();
    other.join().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    let clock: serde_json::Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
    assert_eq!(clock["state"], "wrong");
    let found = clock["found"].as_str().unwrap();
    assert!(found.ends_with("but for the server it is 2026-01-01 00:00:00"), "{found}");
}
