//! The commands of the project, for people and for CI: `cargo xtask <command>`.

mod assets;
mod bench;
mod book;
mod browser;
mod calls;
mod ci;
mod clients;
mod counts;
mod crash;
mod deny;
mod dist;
mod fuzz;
mod hostile;
mod install;
mod instructions;
mod kits;
mod nightly;
mod parity;
mod process;
mod programs;
mod prose;
mod sdk;
mod shapes;
mod steps;
mod tidy;
mod time;
mod weeks;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask <command>

  ci            run every check that must pass before a change lands
  lint          check formatting, and run clippy with warnings as errors
  tidy          check file sizes, banned words, dead links and plain English
  prose         measure plain English of all files, or of those below a PATH
  book          build the site of the documents in target/book, and check its links
  assets        make the font files of the pages from a pinned package; --check compares
  deny          check licences, sources and banned packages of dependencies
  dist          build packages for Linux on x86_64 in target/packages, and test each of them
  test          run cargo test --workspace, and print the counts at the end
  clients       run curl and official SDKs against the real binary; by name: curl, python …
  programs      run public programs that use Stripe, unchanged; by name: hookrecon …
  kits          run the tests of the test kits; by name: pytest, apps, node, go, junit
  browser       run the link flow in Chromium; installs missing programs
  weeks         follow a week in N programs in parallel, without a sleep or a retry
  parity        compare responses and parameters with Stripe's description; writes docs/parity.md
  bench         measure speeds as ratios to their ceilings; --short only shows that they work
  instructions  count instructions of six operations; --record writes the figures
  crash         kill the real binary, cut its power, fill its disk; --seed N repeats a plan,
                --rounds, --large and --cuts N run more, --sabotage NAME plants a fault
  hostile       attack the real binary; --long sends more, --sabotage KIND plants a fault
  shapes        write the schemas of payment objects, from an OpenAPI document or --from-sdk
  fuzz          fuzz parsers of foreign bytes, for some seconds each
  nightly       run the long forms: benches, crash, hostile, fuzz, property tests
";

/// The error of a step, for the person who reads it.
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
        "assets" => assets::run(&rest),
        "fuzz" => fuzz::fuzz(&rest),
        "parity" => parity::run(&rest),
        "shapes" => shapes::run(&rest),
        "bench" => bench::run(&rest),
        "browser" => browser::run().map(|counts| println!("{counts}")),
        "clients" => clients::run(&rest).map(|counts| println!("{counts}")),
        "programs" => programs::run(&rest).map(|counts| println!("{counts}")),
        "kits" => kits::run(&rest).map(|counts| println!("{counts}")),
        "weeks" => weeks::run(&rest).map(|counts| println!("{counts}")),
        "crash" => crash::run(&rest).map(drop),
        "hostile" => hostile::run(&rest).map(drop),
        "deny" => deny::run(),
        "dist" => dist::run(&rest).map(|counts| println!("{counts}")),
        "book" => book::run(),
        "prose" => prose::run(&rest),
        "instructions" => instructions::run(&rest).map(|counts| println!("{counts}")),
        "nightly" => nightly::run(),
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
