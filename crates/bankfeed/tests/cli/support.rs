//! A server of the built binary for one test, and the output of commands.
//!
//! Seed and time are fixed, so ids and times are equal in every run. Only the port differs.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use testkit::process::{Call, LISTENS, Process};

/// A command of the built binary, without settings in its environment.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bankfeed"));
    for (name, _) in std::env::vars() {
        if name.starts_with("BANKFEED_") || name.contains("COLOR") {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// The path of a file in a new folder, which is removed when the test ends.
pub(crate) fn in_new_folder(name: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    (folder, path)
}

/// A running server, killed at the end of its test.
pub(crate) struct Server {
    _process: Process,
    pub(crate) url: String,
}

impl Server {
    /// Starts a server with a temporary database.
    pub(crate) fn start() -> Self {
        Self::with(&["--memory"])
    }

    /// Starts a server with an account that is linked with these additional arguments. Returns the
    /// account's id too.
    pub(crate) fn linked(arguments: &[&str]) -> (Self, String) {
        let server = Self::start();
        let account = server.link(arguments);
        (server, account)
    }

    /// Starts a server with these additional flags.
    pub(crate) fn with(flags: &[&str]) -> Self {
        let fixed = ["serve", "--listen", "127.0.0.1:0", "--seed", "7", "--time", "1767225600"];
        let mut serve = command(&[&fixed, flags].concat());
        let process = Process::start(serve.stderr(Stdio::null())).unwrap();
        let url = process.after(LISTENS).unwrap();
        Self { _process: process, url }
    }

    /// Runs a command against the server, and returns its output as a terminal would show it.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.told(&mut self.command(arguments), arguments)
    }

    /// A command against the server, which the caller can change before running it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command.env("BANKFEED_API_BASE", &self.url);
        command
    }

    /// The output of a command, as a terminal would show it.
    pub(crate) fn told(&self, command: &mut Command, arguments: &[&str]) -> String {
        told(command, arguments).replace(&self.url, "http://127.0.0.1:PORT")
    }

    /// The objects that a command prints as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Vec<serde_json::Value> {
        let output = self.command(&[arguments, &["--json"]].concat()).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {complaint}");
        let objects = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
        objects.map(Result::unwrap).collect()
    }

    /// A call of the API that no command makes. Returns the body.
    pub(crate) fn call(&self, method: &str, path: &str, form: &str) -> serde_json::Value {
        let (status, body) = call(&self.url, "sk_test_123", method, path, form);
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Links an account with these additional arguments, and returns its id.
    pub(crate) fn link(&self, arguments: &[&str]) -> String {
        let accounts = self.json(&[&["link"], arguments].concat());
        accounts[0]["id"].as_str().unwrap().to_owned()
    }
}

/// A call of the API with a key. Returns the status and the body.
pub(crate) fn call(
    url: &str,
    key: &str,
    method: &str,
    path: &str,
    form: &str,
) -> (u16, serde_json::Value) {
    Call { key, version: None, method, path, form }.send(url).unwrap()
}

/// The same of a command with these arguments, with `FOLDER` for the path of a folder.
pub(crate) fn shown(arguments: &[&str], folder: &Path) -> String {
    let shown = told(&mut command(arguments), arguments);
    shown.replace(folder.to_str().unwrap(), "FOLDER")
}

/// The standard output, the standard error and any failing exit code of a command.
pub(crate) fn told(command: &mut Command, arguments: &[&str]) -> String {
    let output = command.output().unwrap();
    let mut told = format!("$ bankfeed {}\n", arguments.join(" "));
    told += &String::from_utf8_lossy(&output.stdout);
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        writeln!(told, "{}", format!("! {line}").trim_end()).unwrap();
    }
    if let Some(code) = output.status.code().filter(|code| *code != 0) {
        writeln!(told, "ends with {code}").unwrap();
    }
    told
}
