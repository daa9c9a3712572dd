//! Public programs that use Stripe's API, unchanged, against the real binary.
//!
//! `bankfeed run` runs a driver in `tests/programs/NAME`, so the program below it calls Stripe's own
//! address. The driver makes test data, runs the program, and compares its results with the server's.
//! Pinned packages are installed under `target/programs`. `docs/programs.md` has a row for each program.

use crate::Failure;
use crate::clients::run_against;
use crate::counts::Counts;
use crate::install;
use crate::process::{self, built, program, root};
use crate::time::moment;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python SDK with the generated examples, and the folder in its source package.
const SDK_PACKAGE: &str = "stripe==16.1.0";
const SDK_SOURCE: &str = "stripe-16.1.0";

/// A program: its folder under `tests/programs`, and its needs beside its Python packages.
struct Program {
    name: &'static str,
    /// The minor versions of Python 3 that have its packages. On others it is skipped.
    python_minors: RangeInclusive<u8>,
    /// Prepares more than the packages, and returns arguments of the driver.
    prepare: fn() -> Result<Vec<String>, Failure>,
}

/// A program of Python packages only.
const fn of_packages(name: &'static str, python_minors: RangeInclusive<u8>) -> Program {
    Program { name, python_minors, prepare: || Ok(Vec::new()) }
}

/// All programs, the fastest first.
const PROGRAMS: [Program; 9] = [
    of_packages("effaced-stripe", 11..=14),
    of_packages("stripe-traveller", 10..=14),
    // Its driver needs a package with PostgreSQL, which has builds for these versions only.
    of_packages("hookrecon", 10..=12),
    of_packages("beangulp-stripe", 11..=14),
    of_packages("faststripe", 10..=14),
    Program { name: "stripe-cli", python_minors: 10..=14, prepare: stripe_cli },
    of_packages("dj-stripe", 11..=14),
    Program { name: "generated-examples", python_minors: 10..=14, prepare: generated_examples },
    of_packages("airbyte", 10..=11),
];

/// Runs the named programs, or all of them.
pub(crate) fn run(names: &[String]) -> Result<Counts, Failure> {
    let is_known = |name: &String| PROGRAMS.iter().any(|program| program.name == *name);
    if let Some(unknown) = names.iter().find(|name| !is_known(name)) {
        let known: Vec<&str> = PROGRAMS.iter().map(|program| program.name).collect();
        return Err(format!("no program {unknown:?}; the programs are: {}", known.join(", ")));
    }
    process::run(&mut program("cargo", &["build", "--package", "bankfeed"]))?;
    let chosen = PROGRAMS
        .iter()
        .filter(|program| names.is_empty() || names.iter().any(|name| name == program.name));
    let mut counts = Counts::default();
    let minor = python_minor()?;
    for program in chosen {
        if !program.python_minors.contains(&minor) {
            process::say(&format!(
                "{}: skipped, its packages do not support Python 3.{minor}",
                program.name
            ));
            continue;
        }
        let begun = moment();
        let passed = run_against(&built("bankfeed"), program.name, &mut driver(program)?)?;
        process::say(&format!("{}: {passed} in {} s", program.name, begun.elapsed().as_secs()));
        counts += passed;
    }
    Ok(counts)
}

/// The minor version of the machine's Python 3.
fn python_minor() -> Result<u8, Failure> {
    let ask = ["-c", "import sys; print(sys.version_info.minor)"];
    let output = program("python3", &ask).output().map_err(|error| format!("python3: {error}"))?;
    let minor = String::from_utf8_lossy(&output.stdout).trim().parse();
    minor.map_err(|_| "python3 printed no version".to_owned())
}

/// Stripe's CLI, which an npm package contains. `cargo xtask clients` uses the same one.
fn stripe_cli() -> Result<Vec<String>, Failure> {
    install::programs(&[("node", "nodejs"), ("npm", "npm")])?;
    install::npm_packages(&root().join("tests/clients/cli"))?;
    Ok(Vec::new())
}

/// The tests in the source package of the Python SDK, which its wheel does not contain.
fn generated_examples() -> Result<Vec<String>, Failure> {
    let place = root().join("target/programs/generated-examples");
    let tests = place.join(SDK_SOURCE).join("tests/test_generated_examples.py");
    if !tests.exists() {
        let python = environment("generated-examples")?.join("bin/python");
        let words = ["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "stripe"];
        let mut download = program(text(&python)?, &words);
        process::run(download.args([SDK_PACKAGE, "--dest"]).arg(&place))?;
        let archive = place.join(format!("{SDK_SOURCE}.tar.gz"));
        let mut unpack = program("tar", &["-xzf", text(&archive)?, "-C", text(&place)?]);
        process::run(&mut unpack)?;
    }
    Ok(vec![text(&tests)?.to_owned()])
}

/// The driver of a program, below `bankfeed run`. Each program has a key of its own.
fn driver(wanted: &Program) -> Result<Command, Failure> {
    let name = wanted.name;
    let python = if list_of(name).exists() {
        environment(name)?.join("bin/python")
    } else {
        PathBuf::from("python3")
    };
    let arguments = (wanted.prepare)()?;
    // dj-stripe accepts keys of Stripe's form only, with 24 letters or digits at least.
    let key = format!("sk_test_{:0<24}", name.replace('-', ""));
    let mut command =
        program(text(&built("bankfeed"))?, &["run", "--quiet", "--api-key", &key, "--"]);
    command.arg(python).arg(format!("tests/programs/{name}/main.py")).args(arguments);
    Ok(command)
}

/// The list of a program's Python packages. A program without one has no Python packages.
fn list_of(name: &str) -> PathBuf {
    root().join("tests/programs").join(name).join("requirements.txt")
}

/// A Python environment with the packages that a program's list pins. They are installed again only
/// after a change of the list.
fn environment(name: &str) -> Result<PathBuf, Failure> {
    let place = root().join("target/programs").join(name);
    let list = list_of(name);
    let wanted = read(&list)?;
    let installed = place.join("installed.txt");
    if std::fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(place);
    }
    install::virtual_environment(&place)?;
    install::by_pip(&place, &["--requirement", text(&list)?])?;
    std::fs::write(&installed, wanted).map_err(|error| fault(&installed, &error))?;
    Ok(place)
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| fault(path, &error))
}

fn fault(path: &Path, error: &std::io::Error) -> Failure {
    format!("{}: {error}", path.display())
}

fn text(path: &Path) -> Result<&str, Failure> {
    path.to_str().ok_or_else(|| format!("{} is not UTF-8", path.display()))
}
