//! Tests of `reset`.

use crate::support::Server;
use crate::terminal::converse;

/// A program has to confirm a reset by a flag, because it has no terminal to type into.
#[test]
fn programs_confirm_by_a_flag() {
    let (server, _) = Server::linked(&[]);
    let mut shown = server.run(&["reset"]);
    assert_eq!(server.json(&["accounts"]).len(), 1);
    shown += &server.run(&["reset", "--yes"]);
    assert!(server.json(&["accounts"]).is_empty());
    insta::assert_snapshot!(shown, @"
    $ bankfeed reset
    ! error: reset needs a confirmation, and standard input is not a terminal
    !   tip: Confirm with --yes
    ends with 2
    $ bankfeed reset --yes
    removed all data except snapshots
    ");
}

/// A person types a word. Any other text removes no data.
#[test]
fn people_type_a_word() {
    let (server, _) = Server::linked(&[]);
    let question = "Type yes to continue: ";
    for typed in ["no\n", "\n", "\u{4}"] {
        let (shown, code) = converse(server.command(&["reset"]), &[(question, typed)]);
        assert_eq!(code, Some(2), "{shown}");
        assert!(shown.contains("This removes all data of the key sk_test_123"), "{shown}");
        assert!(shown.contains("not confirmed, so no data was removed"), "{shown}");
        assert_eq!(server.json(&["accounts"]).len(), 1);
    }
    let (shown, code) = converse(server.command(&["reset"]), &[(question, "yes\n")]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(server.json(&["accounts"]).is_empty());
    let (shown, code) = converse(server.command(&["reset", "--yes"]), &[]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains(question), "{shown}");
}
