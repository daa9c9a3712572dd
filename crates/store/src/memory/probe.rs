//! The in-memory model has no disk.

use super::Memory;
use crate::TryCommit;
use crate::store::Failure;

#[expect(clippy::unnecessary_wraps, reason = "all commands have this form")]
pub(crate) fn try_commit(_command: &TryCommit, _memory: &mut Memory) -> Result<(), Failure> {
    Ok(())
}
