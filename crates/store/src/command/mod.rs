//! The commands, one file for each family. Each file defines the input and output of its commands.
//! They are implemented in `sqlite/` for the database and in `memory/` for the in-memory model.

/// Implements [`crate::Write`] for a command by the functions of the same path in `sqlite/` and in
/// `memory/`. It is a macro, because a function cannot take the common part of two paths. A command
/// with preconditions also names the function that makes its summary, and one with values to prepare
/// the function that does so.
macro_rules! writes {
    (
        $command:ident => $output:ty, $family:ident::$function:ident
        $(, $summary:path)? $(; prepared::$prepare:ident)?
    ) => {
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

            $(fn prepare(
                &self,
                preparing: &mut crate::sqlite::prepared::Preparing<'_>,
            ) -> Result<(), crate::store::Failure> {
                crate::sqlite::prepared::$prepare(self, preparing)
            })?

            $(fn summary(&self) -> crate::Summary {
                $summary(self)
            })?
        }
    };
}

/// Implements [`crate::Read`] in the same way. `for all` marks a read about all merchants. The others
/// have a field `merchant`. `is_copy` marks a read of a whole sandbox.
macro_rules! reads {
    ($command:ident => $output:ty, $family:ident::$function:ident) => {
        reads!($command => $output, $family::$function, |command| Some(command.merchant));
    };
    ($command:ident => $output:ty, $family:ident::$function:ident; is_copy) => {
        reads!($command => $output, $family::$function, |command| Some(command.merchant); is_copy);
    };
    ($command:ident => $output:ty, $family:ident::$function:ident, for all) => {
        reads!($command => $output, $family::$function, |_command| None);
    };
    (
        $command:ident => $output:ty, $family:ident::$function:ident, |$read:ident| $merchant:expr
        $(; $is_copy:ident)?
    ) => {
        impl crate::Read for $command {
            type Output = $output;

            fn merchant(&self) -> Option<model::id::MerchantId> {
                let $read = self;
                $merchant
            }

            $(fn $is_copy(&self) -> bool {
                true
            })?

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
pub mod backlog;
pub mod clock;
pub mod delivery;
pub mod event;
pub mod feed;
pub mod idempotency;
pub mod object;
pub mod object_filter;
pub mod open_work;
pub mod place;
pub mod precondition;
pub mod probe;
pub mod prune;
pub mod refresh;
pub(crate) mod share;
pub mod snapshot;
pub mod summary;
pub mod transaction;
