//! The calls that a client made. Servers record them if `BANKFEED_RECORD` names a file. The report has
//! one line for each call, with the number of responses of each status.

use crate::Failure;
use crate::process::root;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

/// The environment variable that names the file of a server's record.
pub(crate) const VARIABLE: &str = "BANKFEED_RECORD";

/// A record that is read up to a position.
pub(crate) struct Record {
    /// The record's file.
    pub(crate) path: PathBuf,
    read: u64,
}

/// The number of responses by route, method and status.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls(BTreeMap<(String, String), BTreeMap<u64, u32>>);

impl Record {
    /// Opens the record that the environment names at its end, or else a new one under `target/`.
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

    /// The calls since the last read.
    pub(crate) fn take(&mut self) -> Result<Calls, Failure> {
        let fault = |error: std::io::Error| format!("{}: {error}", self.path.display());
        let mut text = Vec::new();
        let mut file = File::open(&self.path).map_err(fault)?;
        file.seek(SeekFrom::Start(self.read)).map_err(fault)?;
        self.read += file.read_to_end(&mut text).map_err(fault)? as u64;
        Ok(Calls::read(&String::from_utf8_lossy(&text)))
    }
}

impl Calls {
    fn read(lines: &str) -> Self {
        let mut calls = Self::default();
        // A killed server may have written only a part of the last line.
        for entry in lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let word = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
            let (Some(method), Some(status)) = (word("method"), entry["status"].as_u64()) else {
                continue;
            };
            // A call without a route is named by its path.
            let Some(route) = word("route").or_else(|| word("path")) else { continue };
            *calls.0.entry((route, method)).or_default().entry(status).or_default() += 1;
        }
        calls
    }

    /// The number of different calls.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// One line for each call.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|((route, method), responses)| {
            let responses: Vec<String> =
                responses.iter().map(|(status, times)| format!("{status} × {times}")).collect();
            format!("{method} {route}: {}", responses.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls are counted by route and status. Incomplete lines are skipped.
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
        let lines: Vec<String> = calls.lines().collect();
        assert_eq!(lines, ["GET /v1/customers: 200 × 2, 401 × 1", "GET /v1/x: 404 × 1"]);
        assert_eq!(calls.count(), 2);
    }
}
