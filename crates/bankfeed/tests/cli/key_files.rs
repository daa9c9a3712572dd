//! The files beside a database: commands that only read them create none, and a database has the same
//! files under each of its names.

use crate::process::{run, start};
use crate::support::{command, in_new_folder, shown};
use testkit::process::LISTENS;

/// The names of the files in a folder.
fn files(folder: &std::path::Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Lists without entries say so, and leave no file behind. With `--json` they print no lines.
#[test]
fn empty_lists_create_no_file() {
    let (folder, db) = in_new_folder("bank.db");
    let db = db.to_str().unwrap();
    let mut seen = String::new();
    for words in [
        &["key", "list"][..],
        &["key", "list", "--json"],
        &["key", "revoke", "key_1"],
        &["registration", "list"],
        &["registration", "list", "--json"],
        &["registration", "set", "acct_1", "balances=active"],
    ] {
        seen += &shown(&[words, &["--db", db]].concat(), folder.path());
    }
    insta::assert_snapshot!(seen, @"
    $ bankfeed key list --db FOLDER/bank.db
    ! No keys: FOLDER/bank.db.api-keys does not exist.
    $ bankfeed key list --json --db FOLDER/bank.db
    $ bankfeed key revoke key_1 --db FOLDER/bank.db
    ! error: no active key has the id 'key_1'
    !   tip: `bankfeed key list` shows all keys with their merchants
    ends with 2
    $ bankfeed registration list --db FOLDER/bank.db
    ! No registrations: FOLDER/bank.db.api-keys does not exist.
    $ bankfeed registration list --json --db FOLDER/bank.db
    $ bankfeed registration set acct_1 balances=active --db FOLDER/bank.db
    ! error: no issued key belongs to the merchant 'acct_1'
    !   tip: `bankfeed key list` shows all keys with their merchants
    ends with 2
    ");
    assert_eq!(files(folder.path()), Vec::<String>::new());
}

/// A second server that opens the database by a symbolic link is rejected because of the lock. It
/// leaves no file of its own.
#[test]
fn a_link_leads_to_the_lock() {
    let (folder, db) = in_new_folder("bank.db");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--db"];
    let server = start(&[&serve[..], &[db.to_str().unwrap()]].concat());
    server.after(LISTENS).unwrap();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&db, &link).unwrap();
    let before = files(folder.path());
    let output = command(&[&serve[..], &[link.to_str().unwrap()]].concat()).output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    let complaint = complaint.lines().find(|line| line.contains("error")).unwrap_or_default();
    insta::assert_snapshot!(complaint.replace(folder.path().to_str().unwrap(), "FOLDER"), @"error: could not open the store: another server uses this database; its lock file is FOLDER/bank.db.lock");
    assert_eq!(files(folder.path()), before);
}

/// Registrations apply to live mode. The command says so for the merchant's id of test mode.
#[test]
fn a_test_merchant_leads_to_its_live_mode() {
    let (_folder, db) = in_new_folder("bank.db");
    let db = db.to_str().unwrap();
    let (_, created) = run(&["key", "create", "--db", db]);
    let merchant = created.iter().find_map(|line| line.strip_prefix("merchant     ")).unwrap();
    let set = ["registration", "set", merchant, "balances=active", "--db", db];
    let output = command(&set).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let live = shown.split_whitespace().next().unwrap();
    assert_ne!(live, merchant);
    let remark = String::from_utf8(output.stderr).unwrap();
    insta::assert_snapshot!(remark.replace(live, "LIVE").replace(merchant, "TEST"), @"TEST is the merchant in test mode, which needs no registrations. They are set for its live mode, LIVE.");
}
