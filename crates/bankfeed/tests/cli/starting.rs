//! Starts that fail because of the address, and the settings file to begin with.

use crate::support::{Server, command, in_new_folder};
use std::net::TcpListener;

/// The error and the tip of a server that cannot listen on an address.
fn complaint(address: &str) -> String {
    let output = command(&["serve", "--memory", "--listen", address]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    error.replace(address, "ADDRESS")
}

/// The tip names the program that has the address, and a free port.
#[test]
fn a_taken_address_has_a_tip() {
    let server = Server::start();
    let mut seen = complaint(server.url.trim_start_matches("http://"));
    // This program never responds.
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    seen += &complaint(&other.local_addr().unwrap().to_string());
    insta::assert_snapshot!(seen, @"
    error: could not listen on ADDRESS: Address already in use (os error 98)
      tip: Another bankfeed listens there. Use it or stop it, or take another port: --listen 127.0.0.1:0 picks a free port
    error: could not listen on ADDRESS: Address already in use (os error 98)
      tip: End the program that listens there, or take another port: --listen 127.0.0.1:0 picks a free port
    ");
}

/// The file of `config --defaults` can be used as it is, and changes no setting.
#[test]
fn the_defaults_are_a_settings_file() {
    let defaults = command(&["config", "--defaults"]).output().unwrap();
    assert!(defaults.status.success());
    let (_folder, file) = in_new_folder("bankfeed.toml");
    std::fs::write(&file, &defaults.stdout).unwrap();
    let table = |more: &[&str]| command(&[&["config"], more].concat()).output().unwrap().stdout;
    assert_eq!(table(&["--config", file.to_str().unwrap()]), table(&[]));
    let text = String::from_utf8(defaults.stdout).unwrap();
    let start = text.find("### Workers").unwrap();
    insta::assert_snapshot!(&text[start..], @"
    ### Workers

    ## Days after which a full server removes unused test data
    ## DAYS, BANKFEED_SANDBOX_IDLE_DAYS
    #sandbox-idle-days = 30

    ## Time for which a worker leases its work
    ## MS, BANKFEED_LEASE_MS
    #lease-ms = 60000

    ## Time after which an idle worker polls again
    ## MS, BANKFEED_POLL_MS
    #poll-ms = 500
    ");
}
