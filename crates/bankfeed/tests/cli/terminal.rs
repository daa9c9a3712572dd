//! The output of commands on a terminal: colours and progress.

use crate::support::{Server, command, in_new_folder};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::process::Command;
use testkit::process::send_signal;

/// Creates a terminal: the end that the test reads, and the end that a command writes to.
fn terminal() -> (File, File) {
    let keeper = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&keeper).unwrap();
    unlockpt(&keeper).unwrap();
    let path = std::ffi::OsString::from_vec(ptsname(&keeper, Vec::new()).unwrap().into_bytes());
    (File::from(keeper), File::options().read(true).write(true).open(path).unwrap())
}

/// The output of a command on a terminal.
fn shown(mut command: Command) -> String {
    let (keeper, terminal) = terminal();
    command.stdout(terminal.try_clone().unwrap());
    read(command, keeper, terminal, None).0
}

/// The output and the exit code of a command with a terminal as its input and output. It gets a
/// signal once its output contains `last`.
pub(crate) fn interrupt(mut command: Command, last: &str, signal: &str) -> (String, Option<i32>) {
    let (keeper, terminal) = terminal();
    command.stdin(terminal.try_clone().unwrap()).stdout(terminal.try_clone().unwrap());
    read(command, keeper, terminal, Some((last, signal)))
}

/// The output of a command on a terminal until it ends, and its exit code. The command gets a signal
/// once its output contains a text.
fn read(
    mut command: Command,
    mut keeper: File,
    terminal: File,
    mut last: Option<(&str, &str)>,
) -> (String, Option<i32>) {
    let mut child = command.env("TERM", "xterm").stderr(terminal).spawn().unwrap();
    // The command holds copies of the terminal's end, which would keep it open.
    drop(command);
    let mut shown = String::new();
    let mut buffer = [0; 4_096];
    // Reading fails once no process has the terminal open.
    while let Ok(read @ 1..) = keeper.read(&mut buffer) {
        shown += &String::from_utf8_lossy(&buffer[..read]);
        if let Some((_, signal)) = last.take_if(|(text, _)| shown.contains(*text)) {
            send_signal(child.id(), signal).unwrap();
        }
    }
    (shown, child.wait().unwrap().code())
}

/// The output of a command whose input is a terminal too, and its exit code. Each turn waits for a
/// text of the command and then types another.
pub(crate) fn converse(mut command: Command, turns: &[(&str, &str)]) -> (String, Option<i32>) {
    let (mut keeper, terminal) = terminal();
    command.stdin(terminal.try_clone().unwrap()).stdout(terminal.try_clone().unwrap());
    let mut child = command.env("TERM", "xterm").stderr(terminal).spawn().unwrap();
    drop(command);
    let (mut shown, mut turns) = (String::new(), turns.iter());
    let (mut turn, mut read_before) = (turns.next(), 0);
    let mut buffer = [0; 4_096];
    let mut bytes = Vec::new();
    while let Ok(read @ 1..) = keeper.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..read]);
        shown = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((text, typed)) = turn
            && let Some(place) = shown[read_before..].find(text)
        {
            read_before += place + text.len();
            keeper.write_all(typed.as_bytes()).unwrap();
            turn = turns.next();
        }
    }
    (shown, child.wait().unwrap().code())
}

/// Colours appear on a terminal unless they are turned off. JSON has no colours.
#[test]
fn a_terminal_has_colours() {
    let (server, _) = Server::linked(&[]);
    let green = "\u{1b}[32mactive\u{1b}[0m";
    let accounts = shown(server.command(&["accounts"]));
    assert!(accounts.contains(green), "{accounts}");
    let mut plain = server.command(&["accounts"]);
    plain.env("NO_COLOR", "1");
    assert!(!shown(plain).contains('\u{1b}'));
    assert!(!shown(server.command(&["accounts", "--json"])).contains('\u{1b}'));
}

/// The log has colours on a terminal unless they are turned off. If the greeting of a server is
/// lost, the log shows its address and the server continues.
#[test]
fn the_log_has_colours() {
    let logged = |colours: &[&str]| {
        let mut serve = command(&["serve", "--memory", "--listen", "127.0.0.1:0"]);
        serve.envs(colours.iter().map(|name| (name, "1")));
        serve.stdout(File::options().write(true).open("/dev/full").unwrap());
        let (keeper, terminal) = terminal();
        read(serve, keeper, terminal, Some(("the server is at http://127.0.0.1:", "KILL"))).0
    };
    assert!(logged(&["CLICOLOR"]).contains('\u{1b}'));
    assert!(!logged(&["NO_COLOR"]).contains('\u{1b}'));
    assert!(!logged(&["NO_COLOR", "CLICOLOR_FORCE"]).contains('\u{1b}'));
}

/// The progress of a wait is shown until its end. The rows of a list are counted unless they are
/// shown themselves.
#[test]
fn long_work_is_shown() {
    let (folder, file) = in_new_folder("slow.toml");
    let slow = "name = \"Slow\"\naccounts = [{ name = \"A\", timeline = [\
                { day = 0, refresh_takes = \"1h\" }] }]";
    std::fs::write(&file, slow).unwrap();
    let server = Server::with(&["--memory", "--scenario", file.to_str().unwrap()]);
    let account = server.link(&["--bank", "Slow"]);
    // Time is fixed, so the refresh does not end.
    let wait = shown(server.command(&["refresh", &account, "--wait", "--timeout", "1"]));
    assert!(wait.contains("refreshing"), "{wait}");

    let account = server.link(&["--subscribe"]);
    let rows = folder.path().join("rows.csv");
    let export = ["export", account.as_str(), "-o", rows.to_str().unwrap()];
    assert!(shown(server.command(&export)).contains("rows 100"));
    assert!(!shown(server.command(&export[..2])).contains("rows 100"));
}
