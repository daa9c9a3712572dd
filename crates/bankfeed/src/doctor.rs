//! `bankfeed doctor`: checks everything that `serve` needs with the same settings.
//!
//! For each problem the command names the fix. It makes no changes, and a server may run meanwhile.

use crate::error::CommandError;
use crate::neighbour::{self, Neighbour};
use cli::output::{self, Column, OutputError, Table};
use cli::process::runtime;
use cli::{format, outbound_within};
use model::clock::Clock as _;
use model::counted::counted;
use model::limits::{CONNECTIONS_MAX, DELIVERIES_IN_FLIGHT_MAX, HEALTH_CONNECTIONS_MAX};
use rustix::fs::statvfs;
use rustix::process::{Resource, getrlimit};
use serde_json::json;
use server::clock::SystemClock;
use server::rng::Streams;
use server::{Certificate, SEAL_KEY_BYTES, UnfitCertificate, check_settings, read_seal_key};
use settings::{Database, KeyPolicy, Settings, SettingsFlags, TlsFiles, folder_of};
use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, ToSocketAddrs as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use store::{KeyFile, check_up};

/// With fewer free bytes the check of the space fails.
const FREE_BYTES_MIN: u64 = 100 << 20;
/// With fewer free bytes it warns.
const FREE_BYTES_ENOUGH: u64 = 1 << 30;
/// Open files in addition to connections and webhooks: the database, its readers and its temporary files.
const OTHER_FILES: u64 = 128;
/// 2026-01-01. A clock that shows an earlier time is wrong.
const TIME_MIN_S: i64 = 1_767_225_600;
/// Seconds by which a file's time may be in the future.
const SKEW_S_MAX: i64 = 60;

/// Seconds by which the server's clock may differ. This allows for the time of the response.
const CLOCKS_APART_S_MAX: u64 = 5;

/// Milliseconds within which a running server must respond.
const READY_MS_MAX: u64 = 3_000;

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ok,
    Warning,
    Wrong,
}

/// One check.
struct Finding {
    what: &'static str,
    state: State,
    found: String,
    /// The advice, or an empty text without a problem.
    help: String,
}

fn ok(what: &'static str, found: impl Into<String>) -> Finding {
    Finding { what, state: State::Ok, found: found.into(), help: String::new() }
}

fn warning(what: &'static str, found: impl Into<String>, help: impl Into<String>) -> Finding {
    Finding { what, state: State::Warning, found: found.into(), help: help.into() }
}

fn wrong(what: &'static str, found: impl Into<String>, help: impl Into<String>) -> Finding {
    Finding { what, state: State::Wrong, found: found.into(), help: help.into() }
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }
}

pub(crate) fn run(flags: &SettingsFlags, json: bool) -> Result<(), CommandError> {
    let settings = flags.resolve()?.settings()?;
    check_settings(&settings)?;
    let server = runtime()?.block_on(find_server(&settings.listen));
    let mut findings = vec![clock(&settings, server.as_ref())];
    match &settings.database {
        Database::Temporary => findings.push(free_space(&std::env::temp_dir())),
        Database::File(db) => {
            findings.push(free_space(folder_of(db)));
            findings.push(rights(&settings, db));
            findings.extend(database(&settings, db));
        }
    }
    findings.push(keys(&settings));
    findings.push(port(&settings, server.as_ref()));
    findings.extend(settings.tls.clone().map(tls));
    findings.push(open_files());
    show(&findings, json)?;
    match findings.iter().filter(|finding| finding.state == State::Wrong).count() {
        0 => Ok(()),
        1 => Err(CommandError::Doctor("1 check failed".to_owned())),
        count => Err(CommandError::Doctor(format!("{count} checks failed"))),
    }
}

fn show(findings: &[Finding], json: bool) -> Result<(), OutputError> {
    let mut table = Table::new(&[
        Column::Text("WHAT"),
        Column::Status("STATE"),
        Column::Text("FOUND"),
        Column::Text("WHAT TO DO"),
    ]);
    for Finding { what, state, found, help } in findings {
        let state = state.word();
        if json {
            let help = Some(help).filter(|help| !help.is_empty());
            let finding = json!({"what": what, "state": state, "found": found, "help": help});
            output::say_json_line(&finding)?;
        }
        table.row(&[what, state, found, help]);
    }
    if json { Ok(()) } else { table.print("no checks") }
}

/// Checks the system's time. It must be right because signatures of webhooks contain it and
/// receivers compare it.
fn clock(settings: &Settings, server: Option<&Running>) -> Finding {
    let now = SystemClock::default().server_now().seconds();
    let shown = format::moment_of(now);
    let help = "set the clock of this machine: webhooks are signed with its time";
    if now < TIME_MIN_S {
        return wrong("clock", format!("{shown} is in the past"), help);
    }
    if let Some(at) = server.and_then(|server| server.now_s)
        && at.abs_diff(now) > CLOCKS_APART_S_MAX
    {
        let at = format::moment_of(at);
        return wrong("clock", format!("{shown}, but for the server it is {at}"), help);
    }
    let Database::File(db) = &settings.database else { return ok("clock", shown) };
    match fs::metadata(db).map(|facts| facts.mtime()) {
        Ok(written) if written > now + SKEW_S_MAX => {
            let written = format::moment_of(written);
            wrong("clock", format!("{shown}, but the database was written at {written}"), help)
        }
        _ => ok("clock", shown),
    }
}

fn free_space(folder: &Path) -> Finding {
    let shown = folder.display();
    let facts = match statvfs(folder) {
        Ok(facts) => facts,
        Err(error) => {
            return wrong(
                "space",
                format!("{shown}: {error}"),
                "create the folder, or name another",
            );
        }
    };
    let free = facts.f_bavail.saturating_mul(facts.f_frsize);
    let found = format!("{} MiB free in {shown}", free >> 20);
    let help = "free some space, because a request whose commit fails gets 500";
    match free {
        ..FREE_BYTES_MIN => wrong("space", found, help),
        FREE_BYTES_MIN..FREE_BYTES_ENOUGH => warning("space", found, help),
        _ => ok("space", found),
    }
}

/// Checks that the server can use its files, and reports their modes. Other users must neither read
/// the seal key nor write the other files. They should not read the others either, because these
/// contain bank data and hashes of keys.
fn rights(settings: &Settings, db: &Path) -> Finding {
    let folder = folder_of(db);
    if tempfile::tempfile_in(folder).is_err() {
        let found = format!("cannot create a file in {}", folder.display());
        return wrong("rights", found, "let the user who runs the server write there");
    }
    let tls_key = settings.tls.iter().map(|files| &files.key);
    let secret = settings.seal_key_file.iter().chain(tls_key).map(|path| (path.as_path(), 0o077));
    // The newest rows of the database are in its log.
    let mut log = db.as_os_str().to_owned();
    log.push("-wal");
    let log = Path::new(&log);
    let others = [db, log].into_iter();
    let others = others.chain(settings.api_keys_file.as_deref()).chain(settings.record.as_deref());
    let others = others.map(|path| (path, 0o002));
    let (mut modes, mut readable) = (Vec::new(), Vec::new());
    for (path, forbidden) in others.chain(secret) {
        let Some(mode) = mode_of(path) else { continue };
        let shown = path.display();
        if mode & forbidden != 0 {
            let found = format!("other users may use {shown} (mode {mode:o})");
            return wrong("rights", found, format!("chmod 600 {shown}"));
        }
        let used = fs::File::options().read(true).write(path == db).open(path);
        if let Err(error) = used {
            let found = format!("{shown}: {error}");
            return wrong(
                "rights",
                found,
                "run this as the user who runs the server, or chown the file",
            );
        }
        // In a folder that others cannot enter, the modes of its files have no effect for them.
        let is_reachable = mode_of(folder_of(path)).is_none_or(|mode| mode & 0o011 != 0);
        if mode & 0o077 != 0 && is_reachable {
            readable.push(path);
        }
        if path != log {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
            modes.push(format!("{name} {mode:o}"));
        }
    }
    if let Some(first) = readable.first() {
        let found = format!("other users may read {}", first.display());
        let found = format!("{found} (mode {:o})", mode_of(first).unwrap_or_default());
        let files: Vec<String> = readable.iter().map(|path| path.display().to_string()).collect();
        return warning("rights", found, format!("chmod 600 {}", files.join(" ")));
    }
    let folder_mode = mode_of(folder).unwrap_or_default();
    modes.push(format!("folder {folder_mode:o}"));
    ok("rights", format!("modes: {}", modes.join(", ")))
}

/// The permissions of an existing file.
fn mode_of(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|facts| facts.mode() & 0o777)
}

/// Checks the database, and the key that opens it.
fn database(settings: &Settings, db: &Path) -> Vec<Finding> {
    let shown = db.display();
    let folder = folder_of(db);
    if !folder.is_dir() {
        let found = format!("the folder {} does not exist", folder.display());
        return vec![wrong("database", found, "create the folder, or name another file with --db")];
    }
    if !db.exists() {
        return vec![ok("database", format!("none yet; serve creates {shown}"))];
    }
    let seal = seal_key(settings);
    let key = seal.as_ref().ok().copied();
    let key = key.and_then(|key| Some((key, Streams::from_system().ok()?.internals as _)));
    let facts = match check_up(db, key) {
        Ok(facts) => facts,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            let found = format!("{shown}: {error}{}", cause.unwrap_or_default());
            let help = "name another with --db, or restore a backup";
            return vec![wrong("database", found, help)];
        }
    };
    let missing = facts.migrations_known - facts.migrations_done;
    let found = match counted(missing, "migration") {
        _ if missing == 0 => format!("{shown} is complete and of this version"),
        missing => format!("{shown} is complete; serve runs {missing} at its start"),
    };
    let whole = match facts.faults.first() {
        None => ok("database", found),
        Some(fault) => {
            wrong("database", format!("{shown} is damaged: {fault}"), "restore it from a backup")
        }
    };
    let sealed = match (seal, facts.opens) {
        (Err(finding), _) => finding,
        (Ok(_), Some(false)) => wrong(
            "seal key",
            "the database was created with another key",
            "put its own key file back, or name it with --seal-key-file",
        ),
        (Ok(_), _) => ok("seal key", "it opens the database"),
    };
    vec![whole, sealed]
}

/// Reads the seal key of an existing database.
fn seal_key(settings: &Settings) -> Result<[u8; SEAL_KEY_BYTES], Finding> {
    let path = settings.seal_key_file.clone().unwrap_or_default();
    let text = fs::read_to_string(&path).map_err(|error| {
        let found = format!("{}: {error}", path.display());
        wrong("seal key", found, "put it back, because no other file opens the database")
    })?;
    read_seal_key(text.trim()).ok_or_else(|| {
        let found = format!("{} is not a key", path.display());
        wrong(
            "seal key",
            found,
            format!("put the original back, which has {SEAL_KEY_BYTES} bytes in hexadecimal"),
        )
    })
}

/// Checks the keys that the server accepts.
fn keys(settings: &Settings) -> Finding {
    let issued = match issued(settings.api_keys_file.as_ref()) {
        Ok(issued) => issued,
        Err(finding) => return finding,
    };
    let create = match settings.api_keys_file {
        None => "name a file with --api-keys-file, because a temporary database has no issued keys",
        Some(_) => "issue one with `bankfeed key create`",
    };
    match settings.keys {
        Some(KeyPolicy::Issued) if issued == 0 => {
            warning("keys", "only issued keys are accepted, and there is none", create)
        }
        Some(KeyPolicy::Issued) => {
            ok("keys", format!("{}, and no others", counted(issued, "issued key")))
        }
        Some(KeyPolicy::Any) | None => {
            ok("keys", format!("any test key, and {}", counted(issued, "issued key")))
        }
    }
}

/// The number of active issued keys.
fn issued(path: Option<&PathBuf>) -> Result<usize, Finding> {
    let Some(path) = path.filter(|path| path.exists()) else { return Ok(0) };
    let keys = KeyFile::open(path).and_then(|file| file.list()).map_err(|error| {
        let found = format!("{}: {error}", path.display());
        wrong(
            "keys",
            found,
            "put the file back from a backup, or name another with --api-keys-file",
        )
    })?;
    Ok(keys.iter().filter(|key| key.revoked.is_none()).count())
}

/// Checks that the server can listen, or already does.
fn port(settings: &Settings, server: Option<&Running>) -> Finding {
    let listen = &settings.listen;
    let Some(address) = listen.to_socket_addrs().ok().and_then(|mut found| found.next()) else {
        let found = format!("{listen} is not an address");
        return wrong("port", found, "name HOST:PORT with --listen");
    };
    if !address.ip().is_loopback() && settings.keys.is_none() {
        return wrong(
            "port",
            format!("other machines can reach {listen}, and any test key opens the server"),
            "choose --keys issued, or --keys any if all of them may use it",
        );
    }
    match TcpListener::bind(address) {
        Ok(_) => ok("port", format!("{listen} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            if server.is_some() {
                return ok("port", format!("a server is ready at {listen}"));
            }
            if neighbour::at(listen) == Neighbour::BankfeedWithTls {
                return ok("port", format!("a server listens at {listen} by https"));
            }
            let found = format!("another program listens on {listen}");
            wrong("port", found, "end it, or name another port with --listen")
        }
        Err(error) => {
            let found = format!("{listen}: {error}");
            wrong("port", found, "name another address with --listen")
        }
    }
}

/// Checks that the certificate for TLS can be used, and that clients can accept it.
fn tls(files: TlsFiles) -> Finding {
    let shown = files.certificate.display().to_string();
    let certificate = match Certificate::read(files) {
        Ok(certificate) => certificate,
        Err(error) => {
            let help = "name a certificate and its key with --tls-cert and --tls-key";
            return wrong("tls", error.to_string(), help);
        }
    };
    let now = SystemClock::default().server_now().seconds();
    match certificate.unfit_at(now) {
        None => ok("tls", format!("{shown} and its key belong together")),
        Some(unfit @ UnfitCertificate::OfAuthority) => warning(
            "tls",
            format!("{shown}: {unfit}"),
            "make a self-signed one with `openssl req -x509 -addext basicConstraints=CA:FALSE …`",
        ),
        Some(unfit) => wrong("tls", format!("{shown}: {unfit}"), "renew it, then send SIGHUP"),
    }
}

/// A ready server.
struct Running {
    /// The time of its clock, if the response has a date.
    now_s: Option<i64>,
}

/// Finds a ready server that listens on an address.
async fn find_server(listen: &str) -> Option<Running> {
    let address = listen.to_socket_addrs().ok()?.next()?;
    let outbound = outbound_within(READY_MS_MAX);
    let url = format!("http://{address}/readyz");
    let response = outbound.call("GET", &url, &[], Vec::new()).await.ok()?;
    let ready = response.status == 200 && response.body == b"ready\n";
    ready.then(|| Running { now_s: response.date.as_deref().and_then(format::seconds_of) })
}

/// Checks that the open-file limit allows as many connections as the server accepts.
fn open_files() -> Finding {
    let connections = CONNECTIONS_MAX + HEALTH_CONNECTIONS_MAX + DELIVERIES_IN_FLIGHT_MAX;
    let connections = u64::try_from(connections).unwrap_or(u64::MAX);
    let needed = connections.saturating_add(OTHER_FILES);
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < needed => {
            let found = format!("{limit} may be open; all connections together take {needed}");
            warning("open files", found, format!("ulimit -n {needed}"))
        }
        Some(limit) => ok("open files", format!("{limit} may be open")),
        None => ok("open files", "as many as you like"),
    }
}
