//! The files of a server: their modes, a removed database, a full disk, and what a killed server leaves.

use crate::support::{call, command, in_new_folder};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use testkit::process::{Call, LISTENS, Process, send_signal};

const LISTEN: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];
const KEY: &str = "sk_test_123";

/// Starts a server with these further flags. Returns its URL too.
fn serve(flags: &[&str]) -> (Process, String) {
    started(&mut command(&[&LISTEN, flags].concat()))
}

fn started(command: &mut Command) -> (Process, String) {
    let process = Process::start(command.stderr(Stdio::null())).unwrap();
    let url = process.after(LISTENS).unwrap();
    (process, url)
}

fn create_customer(url: &str) -> u16 {
    call(url, KEY, "POST", "/v1/customers", "").0
}

/// The status of a path whose body is no JSON.
fn status(url: &str, path: &str) -> u16 {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response.split(' ').nth(1).unwrap().parse().unwrap()
}

/// The exit code and the output of `bankfeed health`.
fn health(url: &str) -> (Option<i32>, String) {
    let output = command(&["health", "--api-base", url]).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// Other users can read no file that a server creates: the database, its log and index, its lock, the
/// keys and the record. The folder of a temporary database is closed to them.
#[test]
fn files_are_for_their_owner() {
    let (folder, db) = in_new_folder("bank.db");
    let record = folder.path().join("record.jsonl");
    let (_process, url) =
        serve(&["--db", db.to_str().unwrap(), "--record", record.to_str().unwrap()]);
    assert_eq!(create_customer(&url), 200);
    let mut names = Vec::new();
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        names.push(file.file_name().into_string().unwrap());
        assert_eq!(file.metadata().unwrap().mode() & 0o077, 0, "{:?}", file.file_name());
    }
    names.sort_unstable();
    let of_database = ["", "-shm", "-wal", ".api-keys", ".key", ".lock"];
    let mut wanted = of_database.map(|ending| format!("bank.db{ending}")).to_vec();
    wanted.push("record.jsonl".to_owned());
    assert_eq!(names, wanted);
}

/// The data of a killed server with a temporary database is closed to other users, and the next server
/// removes it.
#[test]
fn a_killed_server_leaves_no_data() {
    let folder = tempfile::tempdir().unwrap();
    let in_memory = || {
        let mut serve = command(&[&LISTEN[..], &["--memory"]].concat());
        started(serve.env("TMPDIR", folder.path()))
    };
    let folders = || {
        let entries = fs::read_dir(folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    let (killed, url) = in_memory();
    assert_eq!(create_customer(&url), 200);
    send_signal(killed.pid(), "KILL").unwrap();
    killed.end().unwrap();
    let [left] = &folders()[..] else { panic!("one folder") };
    assert_eq!(fs::metadata(left).unwrap().mode() & 0o777, 0o700);
    let (running, url) = in_memory();
    let [new] = &folders()[..] else { panic!("the folder of the killed server was removed") };
    assert_ne!(new, left);
    let (_other, _) = in_memory();
    assert_eq!(folders().len(), 2, "a running server keeps its folder");
    assert_eq!(create_customer(&url), 200);
    running.terminate().unwrap();
    assert_eq!(folders().len(), 1);
}

/// A server whose database was removed acknowledges no write. It ends with an error.
#[test]
fn a_removed_database_ends_the_server() {
    let (_folder, db) = in_new_folder("bank.db");
    let (process, url) = serve(&["--db", db.to_str().unwrap()]);
    assert_eq!(create_customer(&url), 200);
    fs::remove_file(&db).unwrap();
    // A worker's commit may find it first, and the server then ends before this call.
    let (path, form) = ("/v1/customers", "");
    let call = Call { key: KEY, version: None, method: "POST", path, form };
    if let Ok((status, _)) = call.send(&url) {
        assert_eq!(status, 500);
    }
    let (status, _) = process.end().unwrap();
    assert_eq!(status.code(), Some(1));
    assert!(!db.exists());
}

/// Sets the size that the files of a process may have.
fn limit_files(process: &Process, bytes: Option<u64>) {
    let pid = Pid::from_raw(process.pid().cast_signed());
    let maximum = getrlimit(Resource::Fsize).maximum;
    prlimit(pid, Resource::Fsize, Rlimit { current: bytes.or(maximum), maximum }).unwrap();
}

/// A server whose disk takes no writes is not ready, and rejects writes. Once the disk takes them, it
/// is ready again without a request.
#[test]
fn a_full_disk_is_reported() {
    let (_folder, db) = in_new_folder("bank.db");
    let program = Path::new(env!("CARGO_BIN_EXE_bankfeed"));
    // A write above the limit is an error, as on a full disk, instead of a signal.
    let mut serve = Command::new("env");
    serve.arg("--ignore-signal=XFSZ").arg(program).args(LISTEN).arg("--db").arg(&db);
    let (process, url) = started(&mut serve);
    assert_eq!(create_customer(&url), 200);
    assert_eq!(status(&url, "/readyz"), 200);
    assert_eq!(health(&url), (Some(0), "ready\n".to_owned()));
    limit_files(&process, Some(1));
    assert_eq!(create_customer(&url), 500);
    assert_eq!(status(&url, "/readyz"), 503);
    assert_eq!(health(&url), (Some(1), String::new()));
    assert_eq!(status(&url, "/healthz"), 200);
    limit_files(&process, None);
    // Each round is a request, and the server tries the disk once a second.
    let mut rounds = 0;
    while status(&url, "/readyz") != 200 {
        rounds += 1;
        assert!(rounds < 1_000_000, "the server is not ready again");
    }
    assert_eq!(create_customer(&url), 200);
    let (_, listed) = call(&url, KEY, "GET", "/v1/customers", "");
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
}
