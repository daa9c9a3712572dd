//! The packages of the test kits that do not come from their repository alone.

use super::{Packages, npm, wheel};
use crate::Failure;
use crate::process::root;

/// Writes the package for pytest and the one for Node.
pub(super) fn write(packages: &Packages) -> Result<(), Failure> {
    wheel::build(packages, "./kits/pytest")?;
    npm::pack(packages, &root().join("kits/node"))
}
