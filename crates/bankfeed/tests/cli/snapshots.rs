//! `snapshot` and `reset`.

use crate::support::Server;

/// A sandbox is kept under a name, emptied, brought back by the name, and the snapshot removed.
#[test]
fn keeps_and_brings_back() {
    let server = Server::start();
    let account = server.link(&[]);
    let mut told = server.run(&["snapshot", "create", "seeded"]);
    told += &server.run(&["reset"]);
    assert!(server.json(&["accounts"]).is_empty());
    told += &server.run(&["snapshot", "list"]);
    told += &server.run(&["snapshot", "restore", "seeded"]);
    assert_eq!(server.json(&["accounts"])[0]["id"], account.as_str());
    let listed = server.json(&["snapshot", "list"]);
    let id = listed[0]["id"].as_str().unwrap();
    told += &server.run(&["snapshot", "delete", id]);
    told += &server.run(&["snapshot", "restore", id]);
    told += &server.run(&["snapshot", "restore", "seeded"]);
    told += &server.run(&["snapshot", "list"]);
    insta::assert_snapshot!(told, @"");
}
