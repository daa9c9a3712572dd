//! Pages of lists that are sorted by two or three integers, newest first.

use super::merge::Order;
use super::{Failure, Param, Reading, bind};
use crate::{Bounds, Cursor, Listed, Page, exact};
use rusqlite::Row;

/// The statements of one list. Both take `:edge_first`, `:edge_second` and, with three columns,
/// `:edge_third` (the position after which the page begins), and `:end` (the last value of the first
/// column). They also take `:row_limit` and the list's own parameters.
#[derive(Clone, Copy)]
pub(super) struct Lists {
    /// Reads down from the position.
    pub(super) older: &'static str,
    /// Reads up from the position.
    pub(super) newer: &'static str,
}

/// Builds a [`Lists`] from the common part of the two statements and the two or three columns of the
/// position.
macro_rules! lists {
    (@of $edge:literal, $select:literal, $first:literal $(, $other:literal)+) => {
        $crate::sqlite::list::Lists {
            older: concat!(
                $select, " AND (", $first $(, ", ", $other)+, ") < ", $edge,
                " AND ", $first, " >= :end ORDER BY ", $first, " DESC" $(, ", ", $other, " DESC")+,
                " LIMIT :row_limit"
            ),
            newer: concat!(
                $select, " AND (", $first $(, ", ", $other)+, ") > ", $edge,
                " AND ", $first, " <= :end ORDER BY ", $first $(, ", ", $other)+,
                " LIMIT :row_limit"
            ),
        }
    };
    ($select:literal, $first:literal, $second:literal) => {
        $crate::sqlite::list::lists!(
            @of "(:edge_first, :edge_second)", $select, $first, $second
        )
    };
    ($select:literal, $first:literal, $second:literal, $third:literal) => {
        $crate::sqlite::list::lists!(
            @of "(:edge_first, :edge_second, :edge_third)", $select, $first, $second, $third
        )
    };
}
pub(super) use lists;

/// The beginning and the end of a page. Bounds of the first part are folded into the edge, because
/// `SQLite` uses only one of two upper bounds to seek in an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window<E = (i64, i64)> {
    /// True if the page goes from older to newer rows.
    pub(super) upward: bool,
    /// The position after which the page begins.
    pub(super) edge: E,
    /// The last value of the first part.
    pub(super) end: i64,
    /// The maximum number of rows.
    pub(super) limit: usize,
}

/// A position in a list as integers.
pub(super) trait Edge: Ord + Copy {
    /// Before or after every position with this first part.
    fn around(first: i64, others: i64) -> Self;
}

impl Edge for (i64, i64) {
    fn around(first: i64, others: i64) -> Self {
        (first, others)
    }
}

impl Edge for (i64, i64, i64) {
    fn around(first: i64, others: i64) -> Self {
        (first, others, others)
    }
}

impl Window<(i64, i64, i64)> {
    /// The window's parameters without the limit.
    pub(super) fn params(&self) -> [Param<'_>; 4] {
        let (first, second, third) = &self.edge;
        [
            (":edge_first", first),
            (":edge_second", second),
            (":edge_third", third),
            (":end", &self.end),
        ]
    }
}

impl Window {
    /// The window's parameters without the limit.
    pub(super) fn params(&self) -> [Param<'_>; 3] {
        [(":edge_first", &self.edge.0), (":edge_second", &self.edge.1), (":end", &self.end)]
    }
}

impl<E: Edge> Window<E> {
    pub(super) fn of(page: Page<E>, bounds: Bounds) -> Self {
        let limit = exact(page.limit, "a page has at most PAGE_ROWS_MAX rows");
        let above = bounds.to.and_then(|to| to.checked_add(1));
        let newest =
            above.map_or(E::around(i64::MAX, i64::MAX), |above| E::around(above, i64::MIN));
        let below = bounds.from.and_then(|from| from.checked_sub(1));
        let oldest =
            below.map_or(E::around(i64::MIN, i64::MIN), |below| E::around(below, i64::MAX));
        let (upward, edge) = match page.cursor {
            Cursor::Newest => (false, newest),
            Cursor::After(edge) => (false, edge.min(newest)),
            Cursor::Before(edge) => (true, edge.max(oldest)),
        };
        let end =
            if upward { bounds.to.unwrap_or(i64::MAX) } else { bounds.from.unwrap_or(i64::MIN) };
        Self { upward, edge, end, limit }
    }

    /// The order in which the rows are read.
    pub(super) fn order(&self) -> Order {
        if self.upward { Order::Ascending } else { Order::Descending }
    }

    /// The statement for the direction of the window.
    pub(super) fn pick(&self, lists: Lists) -> &'static str {
        if self.upward { lists.newer } else { lists.older }
    }

    /// The page from the rows that were read, which are at most one more than its limit.
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
    /// Runs the statement of a window. `own` are the list's own parameters, which precede those of
    /// the window in the statement.
    pub(super) fn page<T>(
        &self,
        lists: Lists,
        window: &Window,
        own: &[Param<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, Failure>,
    ) -> Result<Listed<T>, Failure> {
        self.page_between(lists, window, own, &[], read)
    }

    /// Like [`Reading::page`], for a statement with more parameters after those of the window.
    pub(super) fn page_between<T>(
        &self,
        lists: Lists,
        window: &Window,
        before: &[Param<'_>],
        after: &[Param<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Failure>,
    ) -> Result<Listed<T>, Failure> {
        let mut statement = self.connection.prepare_cached(window.pick(lists))?;
        let row_limit = super::limit(window.limit + 1);
        let params = [before, &window.params(), &[(":row_limit", &row_limit)], after];
        bind(&mut statement, &params)?;
        let mut items = Vec::with_capacity(window.limit.min(128) + 1);
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            items.push(read(row)?);
        }
        Ok(window.page(items))
    }
}
