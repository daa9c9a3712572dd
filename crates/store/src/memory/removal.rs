//! The removal of rows that no command sees. The model has none.

use super::Memory;
use crate::store::Failure;
use crate::{RemoveGenerations, Removed};

pub(crate) fn remove(
    _command: &RemoveGenerations,
    _memory: &mut Memory,
) -> Result<Removed, Failure> {
    Ok(Removed { rows: 0, has_more: false })
}
