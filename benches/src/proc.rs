//! What Linux tells about a process: the processor time it took, and its own memory.

use crate::Failure;
use std::time::Duration;

/// Milliseconds of a clock tick in `/proc`: a hundred a second on every Linux that we run on.
const TICK_MS: u64 = 10;

/// Processor time of a process, in user code and in the kernel.
pub(crate) fn cpu(pid: u32) -> Result<Duration, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name of the program stands in brackets and may hold spaces; what follows may not.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |index: usize| -> Result<u64, Failure> {
        let field = after_name.split_ascii_whitespace().nth(index);
        Ok(field.ok_or("a stat file is short")?.parse()?)
    };
    Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * TICK_MS))
}

/// The memory that a process has to itself, without mapped files, in MB.
pub(crate) fn memory_mb(pid: u32) -> Result<f64, Failure> {
    status_mb(pid, "RssAnon:")
}

/// The memory that a process has, the pages of its program among it, in MB.
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
