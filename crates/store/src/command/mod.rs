//! The commands, one file a family. Each file says what its commands need and answer; how a
//! database does it stands in `sqlite/`, and the same in plain collections in `memory/`.

/// Names the two implementations of a command that changes something: the same path in `sqlite/`
/// and in `memory/`. A macro, since a function cannot stand for two that share a path only.
macro_rules! writes {
    ($command:ident => $output:ty, $family:ident::$function:ident) => {
        impl crate::Write for $command {
            type Output = $output;

            fn sqlite(
                &self,
                batch: &crate::sqlite::Batch<'_>,
            ) -> Result<Self::Output, crate::store::Failure> {
                crate::sqlite::$family::$function(self, batch)
            }

            fn memory(
                &self,
                memory: &mut crate::memory::Memory,
            ) -> Result<Self::Output, crate::store::Failure> {
                crate::memory::$family::$function(self, memory)
            }
        }
    };
}

/// The same for a command that changes nothing.
macro_rules! reads {
    ($command:ident => $output:ty, $family:ident::$function:ident) => {
        impl crate::Read for $command {
            type Output = $output;

            fn sqlite(
                &self,
                reading: &crate::sqlite::Reading<'_>,
            ) -> Result<Self::Output, crate::store::Failure> {
                crate::sqlite::$family::$function(self, reading)
            }

            fn memory(
                &self,
                memory: &crate::memory::Memory,
            ) -> Result<Self::Output, crate::store::Failure> {
                crate::memory::$family::$function(self, memory)
            }
        }
    };
}

pub mod account;
pub mod clock;
pub mod delivery;
pub mod event;
pub mod idempotency;
pub mod object;
pub mod prune;
pub mod refresh;
pub mod snapshot;
pub mod transaction;
