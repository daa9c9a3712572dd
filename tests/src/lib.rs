//! The place of the tests that run whole servers; they stand in `tests/`.
