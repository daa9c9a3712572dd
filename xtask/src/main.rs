//! What CI and people run: `cargo xtask <command>`.

mod bench;
mod browser;
mod calls;
mod ci;
mod clients;
mod counts;
mod crash;
mod fuzz;
mod install;
mod parity;
mod process;
mod shapes;
mod tidy;
mod time;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask <command>

  ci        all that must pass before a change lands: lint, tidy, test, clients, parity, browser, crash
  lint      formatting and clippy, warnings as errors
  tidy      file sizes, banned words, dead links, licences
  test      cargo test --workspace, with the counts at the end
  clients   curl and official SDKs against the real binary; by name: curl, python …
  browser   the link flow in Chromium, from pages of merchants; installs what is missing
  parity    every answer and parameter against Stripe's own description; writes docs/parity.md
  bench     speeds as ratios to their ceilings; --scale for 10,000 accounts
  crash     the real binary killed under load, over and over; --seed N repeats a plan
  shapes    the parameter tables of payment objects, from the path of an OpenAPI document
  fuzz      fuzz what reads bytes from strangers, for some seconds a target
";

/// A step that failed, and why.
pub(crate) type Failure = String;

#[expect(clippy::print_stderr, clippy::print_stdout, reason = "a command line program")]
fn main() -> ExitCode {
    let command = std::env::args().nth(1).unwrap_or_default();
    let rest: Vec<String> = std::env::args().skip(2).collect();
    let outcome = match command.as_str() {
        "ci" => ci::run(),
        "lint" => ci::lint(),
        "test" => ci::test().map(|counts| println!("{counts}")),
        "tidy" => tidy::run(),
        "fuzz" => fuzz::fuzz(&rest),
        "parity" => parity::run(&rest),
        "shapes" => shapes::run(&rest),
        "bench" => bench::run(&rest),
        "browser" => browser::run().map(|counts| println!("{counts}")),
        "clients" => clients::run(&rest).map(|counts| println!("{counts}")),
        "crash" => crash::run(&rest).map(drop),
        _ => {
            println!("{USAGE}");
            return if command.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) };
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask {command}: {failure}");
            ExitCode::FAILURE
        }
    }
}
