//! The workloads of `cargo xtask bench`.
