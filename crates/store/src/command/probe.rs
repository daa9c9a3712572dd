//! A commit that only shows that the disk takes commits.

/// Writes a row with the value that it has, and commits it. A store whose last commit failed is ready
/// again if this succeeds.
#[derive(Clone, Copy, Debug)]
pub struct TryCommit;

writes!(TryCommit => (), probe::try_commit);
