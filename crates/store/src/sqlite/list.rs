//! Pages of lists that are ordered by a pair of integers, newest first.

use super::{Failure, Reading};
use crate::{Bounds, Cursor, Listed, Page};
use rusqlite::{Row, ToSql};

/// The statements of one list. Both take `?1`, `?2` (the pair to begin after), `?3` (the last
/// value of the pair's first part) and `?4` (the most rows); their own parameters follow.
#[derive(Clone, Copy)]
pub(super) struct Lists {
    /// Down from the pair.
    pub(super) older: &'static str,
    /// Up from the pair.
    pub(super) newer: &'static str,
}

/// A [`Lists`] from what the two statements share: what is selected and the names of the pair.
macro_rules! lists {
    ($select:literal, $first:literal, $second:literal) => {
        $crate::sqlite::list::Lists {
            older: concat!(
                $select,
                " AND (",
                $first,
                ", ",
                $second,
                ") < (?1, ?2) AND ",
                $first,
                " >= ?3 ORDER BY ",
                $first,
                " DESC, ",
                $second,
                " DESC LIMIT ?4"
            ),
            newer: concat!(
                $select,
                " AND (",
                $first,
                ", ",
                $second,
                ") > (?1, ?2) AND ",
                $first,
                " <= ?3 ORDER BY ",
                $first,
                ", ",
                $second,
                " LIMIT ?4"
            ),
        }
    };
}
pub(super) use lists;

/// Where a page begins and ends. Bounds of the first part are folded into the edge, for `SQLite`
/// takes only one of two upper bounds to seek in an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Whether it goes from older to newer rows.
    pub(super) upward: bool,
    /// The pair to begin after.
    pub(super) edge: (i64, i64),
    /// The last value of the first part.
    pub(super) end: i64,
    /// The most rows.
    pub(super) limit: usize,
}

impl Window {
    pub(super) fn of(page: Page<(i64, i64)>, bounds: Bounds) -> Self {
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let newest = bounds.to.map_or((i64::MAX, i64::MAX), |to| (to.saturating_add(1), i64::MIN));
        let oldest =
            bounds.from.map_or((i64::MIN, i64::MIN), |from| (from.saturating_sub(1), i64::MAX));
        let (upward, edge) = match page.cursor {
            Cursor::Newest => (false, newest),
            Cursor::After(pair) => (false, pair.min(newest)),
            Cursor::Before(pair) => (true, pair.max(oldest)),
        };
        let end =
            if upward { bounds.to.unwrap_or(i64::MAX) } else { bounds.from.unwrap_or(i64::MIN) };
        Self { upward, edge, end, limit }
    }

    /// The statement for this direction.
    pub(super) fn pick(&self, lists: Lists) -> &'static str {
        if self.upward { lists.newer } else { lists.older }
    }

    /// The page from the rows found, one more than fit at most.
    pub(super) fn page<T>(&self, mut items: Vec<T>) -> Listed<T> {
        let has_more = items.len() > self.limit;
        items.truncate(self.limit);
        if self.upward {
            items.reverse();
        }
        Listed { items, has_more }
    }
}

impl Reading<'_> {
    /// Runs the statement of a window; `own` are the parameters from `?5` on.
    pub(super) fn page<T>(
        &self,
        lists: Lists,
        window: &Window,
        own: &[&dyn ToSql],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Failure>,
    ) -> Result<Listed<T>, Failure> {
        let mut statement = self.connection.prepare_cached(window.pick(lists))?;
        statement.raw_bind_parameter(1, window.edge.0)?;
        statement.raw_bind_parameter(2, window.edge.1)?;
        statement.raw_bind_parameter(3, window.end)?;
        statement.raw_bind_parameter(4, super::limit(window.limit.saturating_add(1)))?;
        for (index, value) in (5..).zip(own) {
            statement.raw_bind_parameter(index, value)?;
        }
        let mut items = Vec::with_capacity(window.limit.min(128) + 1);
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            items.push(read(row)?);
        }
        Ok(window.page(items))
    }
}
