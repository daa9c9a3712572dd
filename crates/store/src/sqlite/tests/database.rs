//! A database in memory that counts the steps of `SQLite`'s virtual machine.

use super::samples::T0;
use super::statements::{LISTS, STATEMENTS};
use crate::seal::Sealer;
use crate::sqlite::generation::Known;
use crate::sqlite::list::Lists;
use crate::sqlite::migration::{MIGRATIONS, migrate};
use crate::sqlite::prepared::Prepared;
use crate::sqlite::{Batch, Reading, UsedStatements};
use crate::uses::Places;
use crate::{Failpoints, Read, StoreBounds, Write};
use model::clock::ServerTime;
use rusqlite::{Connection, StatementStatus};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;
use testkit::rng::RepeatedByte;

/// A database in memory.
pub(super) struct Database {
    pub(super) connection: Connection,
    pub(super) seal: Sealer,
}

impl Database {
    pub(super) fn new() -> Self {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, MIGRATIONS).unwrap();
        connection.set_prepared_statement_cache_capacity(512);
        Self { connection, seal: Sealer::new([7; 32], Arc::new(RepeatedByte(1))) }
    }

    pub(super) fn write<C: Write>(&self, command: &C) -> C::Output {
        self.batch(|batch| command.sqlite(batch).unwrap())
    }

    /// Runs a function with a batch.
    pub(super) fn batch<T>(&self, run: impl FnOnce(&Batch<'_>) -> T) -> T {
        run(&Batch {
            connection: &self.connection,
            seal: &self.seal,
            now: ServerTime(T0.0 * 1_000_000),
            last_commit: &Cell::new(ServerTime(0)),
            known: &Known::default(),
            opened: 1,
            generation: &Cell::new(None),
            file_changed: &Cell::new(false),
            places: &Places::of(
                &StoreBounds { merchants_max: 9, ..StoreBounds::default() },
                Arc::new(()),
            ),
            prepared: &Prepared::default(),
            statements: &UsedStatements::of(&self.connection),
            failpoints: &Failpoints::default(),
        })
    }

    pub(super) fn read<C: Read>(&self, command: &C) -> C::Output {
        command.sqlite(&Reading::of(&self.connection, &self.seal)).unwrap()
    }

    /// The steps that a command takes, with the names of the lists that it runs.
    pub(super) fn steps<C: Read>(&self, command: &C, lists: &mut BTreeSet<&'static str>) -> i64 {
        let each = |take: &mut dyn FnMut(&'static str, i32)| {
            let list = LISTS
                .iter()
                .flat_map(|(name, Lists { older, newer })| [(*name, *older), (*name, *newer)]);
            for (name, sql) in STATEMENTS.iter().copied().chain(list) {
                let statement = self.connection.prepare_cached(sql);
                if let Ok(statement) = statement {
                    take(name, statement.reset_status(StatementStatus::VmStep));
                }
            }
        };
        each(&mut |_, _| {});
        self.read(command);
        let mut steps = 0;
        each(&mut |name, count| {
            steps += i64::from(count);
            if count > 0 {
                lists.insert(name);
            }
        });
        steps
    }
}
