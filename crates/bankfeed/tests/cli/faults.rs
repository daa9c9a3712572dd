//! Errors between a command and its server, with the advice of the command.

use crate::support::{Server, command, told};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

/// The server is unreachable, or the address is invalid.
#[test]
fn there_is_no_server() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let mut shown = String::new();
    for base in [url.as_str(), "nonsense", "ftp://127.0.0.1", "http://127.0.0.1/#x"] {
        let arguments = ["accounts", "--api-base", base];
        shown += &told(&mut command(&arguments), &arguments);
    }
    insta::assert_snapshot!(shown.replace(&url, "http://127.0.0.1:PORT"), @"
    $ bankfeed accounts --api-base http://127.0.0.1:PORT
    ! error: could not reach a server at http://127.0.0.1:PORT: the connection was refused
    !   tip: Start one with `bankfeed serve --memory`, or name its address with --api-base or BANKFEED_API_BASE
    ends with 1
    $ bankfeed accounts --api-base nonsense
    ! error: invalid server address 'nonsense': not a valid URL
    !   tip: An address looks like http://127.0.0.1:12111
    ends with 2
    $ bankfeed accounts --api-base ftp://127.0.0.1
    ! error: invalid server address 'ftp://127.0.0.1': the URL must begin with http or https
    !   tip: An address looks like http://127.0.0.1:12111
    ends with 2
    $ bankfeed accounts --api-base http://127.0.0.1/#x
    ! error: the server address 'http://127.0.0.1/#x' contains ? or #
    !   tip: An address looks like http://127.0.0.1:12111
    ends with 2
    ");
}

/// Another program listens at the address. It returns no JSON, or other JSON.
#[test]
fn the_server_is_another_program() {
    let mut shown = String::new();
    for (head, body) in [("200 OK", "<html></html>"), ("404 Not Found", "{\"error\":\"no\"}")] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let other = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = [0; 4_096];
            assert!(stream.read(&mut buffer).unwrap() > 0);
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let arguments = ["accounts", "--url", &url];
        shown += &told(&mut command(&arguments), &arguments).replace(&url, "http://127.0.0.1:PORT");
        other.join().unwrap();
    }
    insta::assert_snapshot!(shown, @"
    $ bankfeed accounts --url http://127.0.0.1:PORT
    ! error: the server at http://127.0.0.1:PORT is not bankfeed
    !   tip: Name the address of bankfeed with --api-base or BANKFEED_API_BASE
    ends with 1
    $ bankfeed accounts --url http://127.0.0.1:PORT
    ! error: the server at http://127.0.0.1:PORT is not bankfeed
    !   tip: Name the address of bankfeed with --api-base or BANKFEED_API_BASE
    ends with 1
    ");
}

/// The error of a rejected key shows the kind, the end and the source of the key. So does the error
/// of an unknown object, because the object may belong to another key.
#[test]
fn keys_are_named() {
    let (server, account) = Server::linked(&[]);
    let mut shown = server.run(&["accounts", "--api-key", "sk_live_0123456789abcdef"]);
    let arguments = ["accounts", account.as_str()];
    let mut other = server.command(&arguments);
    shown += &server.told(other.env("BANKFEED_API_KEY", "sk_test_somebody_else"), &arguments);
    shown += &server.run(&["accounts", "fca_123"]);
    shown += &server.run(&["accounts", "../customers"]);
    insta::assert_snapshot!(shown, @"
    $ bankfeed accounts --api-key sk_live_0123456789abcdef
    ! error: the server rejected the key sk_live_…cdef: Invalid API key: sk_live_****cdef
    !   tip: Name a key with --api-key or BANKFEED_API_KEY; `bankfeed key create` issues one
    ends with 1
    $ bankfeed accounts fca_0vIseXMSiAu8P8oVp4PoNoHu
    ! error: the server rejected the call: No such Financial Connections account: 'fca_0vIseXMSiAu8P8oVp4PoNoHu'
    !   tip: Each key has objects of its own, and this call used sk_test_…else of BANKFEED_API_KEY
    ends with 1
    $ bankfeed accounts fca_123
    ! error: the server rejected the call: No such Financial Connections account: 'fca_123'
    !   tip: Each key has objects of its own, and this call used sk_test_123, the default
    ends with 1
    $ bankfeed accounts ../customers
    ! error: the server rejected the call: No such Financial Connections account: '../customers'
    !   tip: Each key has objects of its own, and this call used sk_test_123, the default
    ends with 1
    ");
}

/// Colours appear on a terminal or on request, and never if they are turned off.
#[test]
fn colours_are_for_terminals() {
    let (server, _) = Server::linked(&[]);
    let printed = |variables: &[(&str, &str)]| {
        let output = server.command(&["accounts"]).envs(variables.iter().copied()).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    assert!(!printed(&[]).contains('\u{1b}'));
    let forced = printed(&[("CLICOLOR_FORCE", "1")]);
    assert!(forced.contains("\u{1b}[32mactive\u{1b}[0m"), "{forced}");
    assert!(!printed(&[("NO_COLOR", "1")]).contains('\u{1b}'));
    assert!(!printed(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]).contains('\u{1b}'));
    let forced = printed(&[("NO_COLOR", ""), ("CLICOLOR_FORCE", "1")]);
    assert!(forced.contains("\u{1b}[32mactive\u{1b}[0m"), "{forced}");
}

/// `NO_COLOR` wins over `CLICOLOR_FORCE` in help texts, in errors and in the log too.
#[test]
fn no_color_wins_everywhere() {
    let lines = [&["--help"][..], &["scenario", "show", "overdraw"], &["accounts", "--nothing"]];
    for line in lines {
        let printed = |variables: &[(&str, &str)]| {
            let output = command(line).envs(variables.iter().copied()).output().unwrap();
            String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
        };
        assert!(printed(&[("CLICOLOR_FORCE", "1")]).contains('\u{1b}'), "{line:?}");
        let plain = printed(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]);
        assert!(!plain.contains('\u{1b}'), "{line:?}: {plain}");
    }
}

/// Every shell gets a completion script that contains every command.
#[test]
fn shells_can_complete() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let shown = told(&mut command(&["completions", shell]), &[]);
        for word in ["accounts", "transactions", "advance", "api-base"] {
            assert!(shown.contains(word), "{shell} lacks {word}");
        }
    }
    let arguments = ["completions", "tcsh"];
    assert!(told(&mut command(&arguments), &arguments).contains("ends with 2"));
}
