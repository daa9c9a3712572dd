//! Facts that Linux shows about a process: processor time and memory.

use crate::Failure;
use std::time::Duration;

/// Milliseconds of a clock tick in `/proc`. Linux counts a hundred ticks per second on every
/// machine that we run on.
const TICK_MS: u64 = 10;

/// Processor time of a process, in user code and in the kernel.
pub(crate) fn cpu(pid: u32) -> Result<Duration, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The program's name is in parentheses and may contain spaces. The fields after it do not.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |index: usize| -> Result<u64, Failure> {
        let field = after_name.split_ascii_whitespace().nth(index);
        Ok(field.ok_or("a stat file has too few fields")?.parse()?)
    };
    Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * TICK_MS))
}

/// Memory of a process without mapped files (`RssAnon`), in MB.
pub(crate) fn memory_mb(pid: u32) -> Result<f64, Failure> {
    status_mb(pid, "RssAnon:")
}

/// Memory of a process including the pages of its program (`VmRSS`), in MB.
pub(crate) fn whole_memory_mb(pid: u32) -> Result<f64, Failure> {
    status_mb(pid, "VmRSS:")
}

fn status_mb(pid: u32, name: &str) -> Result<f64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_ascii_whitespace().next());
    let kib: u32 = kib.ok_or_else(|| format!("a status file has no {name}"))?.parse()?;
    Ok(f64::from(kib) / 1_000.0 * 1.024)
}
