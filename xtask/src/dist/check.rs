//! Tests of the packages. Each is installed from its file into an empty place and run there.
//!
//! The commands and the code of the first tests are those of `docs/install.md`.

use super::{Packages, at, deb, image, names_in, write};
use crate::Failure;
use crate::counts::Counts;
use crate::install;
use crate::process::{self, program, root, say};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use testkit::process::{LISTENS, Process};

/// A test of a package.
type Check = (&'static str, fn(&Packages) -> Result<(), Failure>);

const CHECKS: [Check; 7] = [
    ("the checksums fit", checksums),
    ("the archive runs the demo", archive),
    ("the .deb runs in a clean root", debian),
    ("the image runs as an ordinary user", container),
    ("the wheel runs by uvx", uvx),
    ("pip alone leads to a green test", pip),
    ("npm alone leads to a green test", npm),
];

/// Runs all tests. Returns their counts.
pub(super) fn run(packages: &Packages) -> Result<Counts, Failure> {
    let mut counts = Counts::default();
    for (name, check) in CHECKS {
        match check(packages) {
            Ok(()) => counts.passed += 1,
            Err(failure) => {
                say(&format!("FAILED {name}: {failure}"));
                counts.failed += 1;
                continue;
            }
        }
        say(&format!("ok {name}"));
    }
    if counts.failed > 0 { Err(counts.to_string()) } else { Ok(counts) }
}

fn checksums(packages: &Packages) -> Result<(), Failure> {
    let words = ["--check", "--strict", "--quiet", "SHA256SUMS"];
    process::run(program("sha256sum", &words).current_dir(&packages.folder))
}

fn archive(packages: &Packages) -> Result<(), Failure> {
    let place = empty(packages, "archive")?;
    let mut tar = program("tar", &["--extract", "--strip-components=1", "--file"]);
    process::run(tar.arg(one(packages, ".tar.zst")?).arg("--directory").arg(&place))?;
    let program = place.join("bin/bankfeed");
    process::run(Command::new(program).args(["demo", "--no-pause"]).current_dir(&place))
}

/// A minimal Debian with the package. The service runs there as its user, with its configuration.
fn debian(packages: &Packages) -> Result<(), Failure> {
    install::programs(&[("mmdebstrap", "mmdebstrap")])?;
    let place = empty(packages, "debian")?;
    let file = packages.folder.join(deb::name(packages));
    let (release, sources) = distribution()?;
    let mut bootstrap = program("mmdebstrap", &["--quiet", "--variant=essential"]);
    bootstrap.args(["--include=adduser,libgcc-s1", &release]).arg(&place);
    process::run(bootstrap.arg(sources))?;
    let root_option = format!("--root={}", place.display());
    process::run(program("dpkg", &[&root_option, "--install"]).arg(file))?;
    let server = |words: &[&str]| {
        let mut chroot = program("chroot", &["--userspec=bankfeed:bankfeed"]);
        chroot.arg(&place).arg("/usr/bin/bankfeed").args(words);
        chroot
    };
    let database = "/var/lib/bankfeed/bankfeed.db";
    process::run(&mut server(&["key", "create", "--db", database]))?;
    let config = "/etc/bankfeed/bankfeed.toml";
    let mut serve = server(&["serve", "--config", config, "--listen", "127.0.0.1:0"]);
    let running = Process::start(&mut serve)?;
    let url = running.after(LISTENS)?;
    process::run(&mut server(&["health", "--api-base", &url]))?;
    ended(running)?;
    let unit = place.join("usr/lib/systemd/system/bankfeed.service");
    if install::is_installed("systemd-analyze") {
        let mut verify = program("systemd-analyze", &["verify", "--recursive-errors=no", "--root"]);
        process::run(verify.arg(&place).arg(unit))?;
    }
    Ok(())
}

/// The name of this machine's release of Debian or Ubuntu, and the file with the sources of its
/// packages.
fn distribution() -> Result<(String, &'static str), Failure> {
    let place = Path::new("/etc/os-release");
    let text = fs::read_to_string(place).map_err(at(place))?;
    let release = text.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let sources = SOURCES.iter().find(|file| Path::new(file).exists());
    match (release, sources) {
        (Some(release), Some(sources)) => Ok((release.to_owned(), sources)),
        _ => Err("the machine runs neither Debian nor Ubuntu".to_owned()),
    }
}

/// The files that may contain the sources of packages.
const SOURCES: [&str; 3] = [
    "/etc/apt/sources.list.d/debian.sources",
    "/etc/apt/sources.list.d/ubuntu.sources",
    "/etc/apt/sources.list",
];

/// The image, unpacked by a program for OCI images, with its own command and user.
fn container(packages: &Packages) -> Result<(), Failure> {
    install::programs(&[("umoci", "umoci"), ("skopeo", "skopeo")])?;
    let place = empty(packages, "image")?;
    let file = packages.folder.join(image::name(packages));
    process::run(&mut program("skopeo", &["inspect", &format!("oci-archive:{}", file.display())]))?;
    let layout = place.join("layout");
    fs::create_dir_all(&layout).map_err(at(&layout))?;
    let mut tar = program("tar", &["--extract", "--file"]);
    process::run(tar.arg(file).arg("--directory").arg(&layout))?;
    let reference = format!("{}:{}", layout.display(), packages.version);
    let mut unpack = program("umoci", &["unpack", "--image", &reference]);
    process::run(unpack.arg(place.join("bundle")))?;
    let files = place.join("bundle/rootfs");
    let inside = |words: &[&str]| {
        let isolated = ["--mount", "--pid", "--fork", "--setgid=10001"];
        let mut unshare = program("unshare", &isolated);
        unshare.arg("--setuid=10001").arg(format!("--root={}", files.display()));
        unshare.args(["--wd=/data", "/usr/bin/bankfeed"]).args(words);
        unshare
    };
    // The server ends with its input, because the signal of a drop reaches `unshare` alone.
    let start = |words: &[&str]| {
        let flags = ["serve", "--listen", "127.0.0.1:0", "--stop-with-stdin"];
        Process::start_with(&mut inside(&[&flags, words].concat()), Stdio::piped())
    };
    let running = start(&["--keys", "any", "--db", "/data/bankfeed.db"])?;
    let url = running.after(LISTENS)?;
    process::run(&mut inside(&["health", "--api-base", &url]))?;
    drop(running);
    let memory = start(&["--memory"])?;
    memory.after(LISTENS)?;
    let database = files.join("data/bankfeed.db");
    fs::metadata(&database).map(drop).map_err(at(&database))
}

fn uvx(packages: &Packages) -> Result<(), Failure> {
    let environment = root().join("target/tools/uv");
    install::virtual_environment(&environment)?;
    install::by_pip(&environment, &["uv==0.10.9"])?;
    let mut uvx = Command::new(environment.join("bin/uvx"));
    uvx.arg("--from").arg(wheel(packages, "bankfeed-")?).args(["bankfeed", "demo", "--no-pause"]);
    process::run(uvx.current_dir(empty(packages, "uvx")?))
}

/// The commands of the page with pip, in an empty folder.
fn pip(packages: &Packages) -> Result<(), Failure> {
    let place = empty(packages, "pip")?;
    write_example(&place, "test_coffee.py", "python")?;
    process::run(program("python3", &["-m", "venv", "venv"]).current_dir(&place))?;
    let bin = place.join("venv/bin");
    let mut pip = Command::new(bin.join("pip"));
    pip.args(["install", "--quiet"]).arg(wheel(packages, "bankfeed-")?);
    process::run(pip.arg(wheel(packages, "pytest_bankfeed-")?).current_dir(&place))?;
    let mut pytest = Command::new(bin.join("pytest"));
    process::run(bare(&mut pytest, &bin).arg("test_coffee.py").current_dir(&place))
}

/// The commands of the page with npm, in an empty folder.
fn npm(packages: &Packages) -> Result<(), Failure> {
    let place = empty(packages, "npm")?;
    write_example(&place, "coffee.test.mjs", "js")?;
    let mut install = program("npm", &["install", "--no-audit", "--no-fund", "stripe@23.1.0"]);
    for ending in ["linux-x64", packages.version, "test"] {
        let begin = format!("bankfeed-{ending}");
        install.arg(packages.folder.join(named(packages, &begin, ".tgz")?));
    }
    process::run(install.current_dir(&place))?;
    let words = ["--package", "bankfeed", "--", "node", "--test", "coffee.test.mjs"];
    let mut npx = program("npx", &words);
    process::run(bare(&mut npx, &place).current_dir(&place))?;
    process::run(program("npx", &["bankfeed", "--version"]).current_dir(&place))
}

/// A command with these programs first, and without variables that name another server.
fn bare<'a>(command: &'a mut Command, bin: &Path) -> &'a mut Command {
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", bin.display()));
    command.env_remove("BANKFEED_BINARY").env_remove("BANKFEED_URL")
}

/// Writes the code of the page that begins with a file's name, without that line.
fn write_example(place: &Path, name: &str, language: &str) -> Result<(), Failure> {
    let page = root().join("docs/install.md");
    let text = fs::read_to_string(&page).map_err(at(&page))?;
    let fence = format!("```{language}\n");
    let blocks = text.split(&fence).skip(1);
    let mut blocks = blocks.filter_map(|block| block.split_once("\n```")?.0.split_once('\n'));
    let found = blocks.find(|(first, _)| first.ends_with(&format!(" {name}")));
    let (_, code) = found.ok_or_else(|| format!("docs/install.md has no {name}"))?;
    if code.lines().count() > EXAMPLE_LINES_MAX {
        return Err(format!("{name} has more than {EXAMPLE_LINES_MAX} lines"));
    }
    write(&place.join(name), &format!("{code}\n"))
}

/// The lines of code of a first test.
const EXAMPLE_LINES_MAX: usize = 12;

/// An empty folder outside of the checkout, for the user of a package.
fn empty(packages: &Packages, name: &str) -> Result<PathBuf, Failure> {
    packages.staged(&format!("check-{name}"))
}

fn ended(process: Process) -> Result<(), Failure> {
    let status = process.terminate()?;
    if status.success() { Ok(()) } else { Err(format!("the server ended with {status}")) }
}

/// The wheel whose name begins so.
fn wheel(packages: &Packages, begin: &str) -> Result<PathBuf, Failure> {
    Ok(packages.folder.join(named(packages, begin, ".whl")?))
}

fn one(packages: &Packages, end: &str) -> Result<PathBuf, Failure> {
    Ok(packages.folder.join(named(packages, "", end)?))
}

fn named(packages: &Packages, begin: &str, end: &str) -> Result<String, Failure> {
    let mut names = names_in(&packages.folder)?.into_iter();
    let found = names.find(|name| name.starts_with(begin) && name.ends_with(end));
    found.ok_or_else(|| format!("there is no package {begin}…{end}"))
}
