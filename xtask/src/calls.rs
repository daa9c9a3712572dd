//! Which calls a client made, read from the record that servers keep when `BANKFEED_RECORD` names a file:
//! a line a call, with how often it was answered how.

use crate::Failure;
use crate::process::root;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

/// What tells a server where to keep its record.
pub(crate) const VARIABLE: &str = "BANKFEED_RECORD";

/// A record, read up to a place.
pub(crate) struct Record {
    /// Where it is.
    pub(crate) path: PathBuf,
    read: u64,
}

/// How often each call was answered with each status, by method and route.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls(BTreeMap<(String, String), BTreeMap<u64, u32>>);

impl Record {
    /// The record that the environment names, from its end on; else a new one under `target/`.
    pub(crate) fn open() -> Result<Self, Failure> {
        if let Some(named) = std::env::var_os(VARIABLE) {
            let path = root().join(named);
            let read = path.metadata().map_or(0, |file| file.len());
            return Ok(Self { path, read });
        }
        let path = root().join("target/clients/record.jsonl");
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        made.and_then(|()| File::create(&path).map(drop))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { path, read: 0 })
    }

    /// The calls that came since it was asked last.
    pub(crate) fn take(&mut self) -> Result<Calls, Failure> {
        let told = |error: std::io::Error| format!("{}: {error}", self.path.display());
        let mut text = Vec::new();
        let mut file = File::open(&self.path).map_err(told)?;
        file.seek(SeekFrom::Start(self.read)).map_err(told)?;
        self.read += file.read_to_end(&mut text).map_err(told)? as u64;
        Ok(Calls::read(&String::from_utf8_lossy(&text)))
    }
}

impl Calls {
    fn read(lines: &str) -> Self {
        let mut calls = Self::default();
        // A server that was killed may have left the last line in pieces.
        for entry in lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let word = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
            let (Some(method), Some(status)) = (word("method"), entry["status"].as_u64()) else {
                continue;
            };
            // What no route took is known by its path.
            let Some(route) = word("route").or_else(|| word("path")) else { continue };
            *calls.0.entry((route, method)).or_default().entry(status).or_default() += 1;
        }
        calls
    }

    /// How many different calls there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// A line a call.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|((route, method), answers)| {
            let answers: Vec<String> =
                answers.iter().map(|(status, times)| format!("{status} × {times}")).collect();
            format!("{method} {route}: {}", answers.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls are counted by route and status; pieces of lines are left out.
    #[test]
    fn counts_calls() {
        let line = |route: &str, status: u16| {
            format!(r#"{{"method":"GET","route":{route},"path":"/v1/x","status":{status}}}"#)
        };
        let lines = [
            line(r#""/v1/customers""#, 200),
            line(r#""/v1/customers""#, 401),
            line(r#""/v1/customers""#, 200),
            line("null", 404),
            r#"{"method":"GE"#.to_owned(),
        ];
        let calls = Calls::read(&lines.join("\n"));
        let told: Vec<String> = calls.lines().collect();
        assert_eq!(told, ["GET /v1/customers: 200 × 2, 401 × 1", "GET /v1/x: 404 × 1"]);
        assert_eq!(calls.count(), 2);
    }
}
