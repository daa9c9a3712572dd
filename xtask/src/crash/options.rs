//! The command line of `cargo xtask crash`.

use super::large;
use crate::{Failure, time};

/// A planted fault, which must make the checks fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sabotaged {
    /// The disk ignores `fsync`, and loses its power.
    Fsync,
    /// The disk ignores `fsync` of its folder, and loses its power.
    FsyncFolder,
    /// The disk ignores `fsync`, and loses its power while it is full.
    Space,
    /// An old copy of the database replaces the removed file.
    Removed,
}

/// The names of the planted faults.
pub(super) const SABOTAGES: &[(&str, Sabotaged)] = &[
    ("fsync", Sabotaged::Fsync),
    ("fsync-folder", Sabotaged::FsyncFolder),
    ("space", Sabotaged::Space),
    ("removed", Sabotaged::Removed),
];

/// The options.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// The seed of all plans. `--seed N` repeats a plan.
    pub(super) seed: u64,
    /// Runs of kills under load, with consecutive seeds: `--rounds N`.
    pub(super) rounds: u64,
    /// The kills in restores, resets, snapshots and migrations: `--large N`.
    pub(super) large: u64,
    /// Runs of power cuts and of full disks, with consecutive seeds: `--cuts N`.
    pub(super) cuts: u64,
    /// Mebibytes that are added to the database before the power cuts: `--mebibytes N`.
    pub(super) mebibytes: u64,
    /// The planted fault: `--sabotage NAME` runs only the checks that it concerns.
    pub(super) sabotage: Option<Sabotaged>,
}

impl Options {
    pub(super) fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            seed: time::fresh_seed(),
            rounds: 1,
            large: large::KILLS,
            cuts: 1,
            mebibytes: 0,
            sabotage: None,
        };
        for pair in arguments.chunks(2) {
            let [flag, value] = pair else {
                return Err(format!("{} needs a value", pair.concat()));
            };
            let number = || value.parse().map_err(|_| format!("{value:?} is not a number"));
            match flag.as_str() {
                "--seed" => options.seed = number()?,
                "--rounds" => options.rounds = number()?,
                "--large" => options.large = number()?,
                "--cuts" => options.cuts = number()?,
                "--mebibytes" => options.mebibytes = number()?,
                "--sabotage" => options.sabotage = Some(sabotage(value)?),
                _ => {
                    return Err("the options are --seed N, --rounds N, --large N, --cuts N, \
                         --mebibytes N and --sabotage NAME"
                        .to_owned());
                }
            }
        }
        Ok(options)
    }
}

fn sabotage(name: &str) -> Result<Sabotaged, Failure> {
    let found = SABOTAGES.iter().find(|(known, _)| *known == name);
    found.map(|(_, sabotage)| *sabotage).ok_or_else(|| {
        let names: Vec<&str> = SABOTAGES.iter().map(|(name, _)| *name).collect();
        format!("no sabotage {name:?}; the names are {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Options are numbers and a name. Unknown options and missing values are errors.
    #[test]
    fn options_are_parsed() {
        let parse = |line: &str| {
            Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        };
        let expected = Options {
            seed: 12,
            rounds: 3,
            large: 9,
            cuts: 2,
            mebibytes: 5,
            sabotage: Some(Sabotaged::Space),
        };
        let line = "--seed 12 --rounds 3 --large 9 --cuts 2 --mebibytes 5 --sabotage space";
        assert_eq!(parse(line), Ok(expected));
        assert!(parse("--seed x").is_err());
        assert!(parse("--seed").is_err());
        assert!(parse("--kills 3").is_err());
        assert!(parse("--sabotage nothing").is_err());
        assert_eq!(parse("").map(|options| (options.rounds, options.cuts)), Ok((1, 1)));
    }
}
