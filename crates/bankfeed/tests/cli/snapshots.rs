//! Tests of `snapshot` and `reset`.

use crate::support::Server;

/// A sandbox is saved under a name, emptied and restored by the name. Then the snapshot is deleted.
#[test]
fn keeps_and_brings_back() {
    let (server, account) = Server::linked(&[]);
    let mut told = server.run(&["snapshot", "create", "seeded"]);
    told += &server.run(&["reset", "--yes"]);
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
    insta::assert_snapshot!(told, @"
    $ bankfeed snapshot create seeded
    snapshot  snap_0vIseXMSjIChSJQbNkmXHOc3
    name      seeded
    taken     2026-01-01 00:00:00
    rows      6: 1 account, 1 connection, 1 customer, 2 event, 1 session
    bytes     3979
    $ bankfeed reset --yes
    removed all data except snapshots
    $ bankfeed snapshot list
    ID                             NAME    TAKEN                ROWS  BYTES
    snap_0vIseXMSjIChSJQbNkmXHOc3  seeded  2026-01-01 00:00:00     6   3979
    $ bankfeed snapshot restore seeded
    restored snap_0vIseXMSjIChSJQbNkmXHOc3 of 2026-01-01 00:00:00: 1 account, 1 connection, 1 customer, 2 event, 1 session
    $ bankfeed snapshot delete snap_0vIseXMSjIChSJQbNkmXHOc3
    deleted snap_0vIseXMSjIChSJQbNkmXHOc3
    $ bankfeed snapshot restore snap_0vIseXMSjIChSJQbNkmXHOc3
    ! error: the server rejected the call: No such snapshot: 'snap_0vIseXMSjIChSJQbNkmXHOc3'
    !   tip: Each key has objects of its own, and this call used sk_test_123, the default
    ends with 1
    $ bankfeed snapshot restore seeded
    ! error: no snapshot has the name 'seeded'
    !   tip: List all with `bankfeed snapshot list`
    ends with 2
    $ bankfeed snapshot list
    ! no snapshots; create one with `bankfeed snapshot create`
    ");
}
