//! A reader of statements, for the rules about keys.
//!
//! A *level* is one SELECT, INSERT, UPDATE or DELETE of a statement, without the queries within it,
//! which are levels of their own. A database on several machines chooses the machine of each level by
//! the conditions of that level alone.

use sqlparser::ast::{BinaryOperator, TableIndexDirective, UnaryOperator};
use sqlparser::ast::{
    ConflictTarget, Delete, Expr, FromTable, Insert, JoinConstraint, JoinOperator, ObjectName,
    OnConflictAction, OnInsert, Select, Statement, TableFactor, TableObject, TableWithJoins,
    Update, Value, Visit as _, Visitor,
};
use sqlparser::dialect::SQLiteDialect;
use sqlparser::parser::Parser;
use std::ops::ControlFlow;

/// One level of a statement.
#[derive(Debug, Default)]
pub(super) struct Level {
    /// The tables that it names.
    pub(super) tables: Vec<Table>,
    /// The columns that every row has equal to a parameter. A column of a table has the table's
    /// prefix.
    compared: Vec<String>,
    /// The columns that an INSERT fills, and its treatment of rows that exist.
    inserted: Option<Inserted>,
}

/// A table, and the name that precedes its columns.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    prefix: String,
}

/// The columns of an INSERT.
#[derive(Debug, Default)]
struct Inserted {
    columns: Vec<String>,
    /// True if it may change a row that exists.
    changes: bool,
    /// The columns by which it finds such a row.
    conflict: Vec<String>,
    /// The columns that are equal in the row that exists and in the new one.
    guarded: Vec<String>,
}

impl Level {
    /// True if rows of the table are read and written with one value of the column only, which is a
    /// parameter.
    pub(super) fn names(&self, table: &Table, column: &str) -> bool {
        let Some(inserted) = &self.inserted else {
            let qualified = format!("{}.{column}", table.prefix);
            let alone = self.tables.len() == 1;
            let is_named = |one: &String| *one == qualified || (alone && one == column);
            return self.compared.iter().any(is_named);
        };
        let has = |columns: &[String]| columns.iter().any(|one| one == column);
        let guarded = format!("{}.{column}", table.prefix);
        has(&inserted.columns)
            && (!inserted.changes || has(&inserted.conflict) || inserted.guarded.contains(&guarded))
    }
}

/// A statement, level by level.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) levels: Vec<Level>,
    /// The parts that another database does not have, or that reach all of its machines.
    pub(super) forbidden: Vec<&'static str>,
    depth: usize,
}

impl Parsed {
    /// Reads a statement.
    pub(super) fn of(sql: &str) -> Self {
        let parsed = Parser::parse_sql(&SQLiteDialect {}, sql);
        let parsed = parsed.unwrap_or_else(|error| panic!("{error}: {sql}"));
        let mut read = Self::default();
        let ControlFlow::Continue(()) = parsed.visit(&mut read) else { unreachable!() };
        read
    }

    fn add_insert(&mut self, insert: &Insert) {
        let TableObject::TableName(name) = &insert.table else { panic!("not a table: {insert}") };
        let mut inserted =
            Inserted { columns: insert.columns.iter().map(text).collect(), ..Inserted::default() };
        if insert.or.is_some() || insert.replace_into {
            self.forbidden.push("INSERT OR");
        }
        if let Some(OnInsert::OnConflict(on)) = &insert.on
            && let OnConflictAction::DoUpdate(update) = &on.action
        {
            inserted.changes = true;
            if let Some(ConflictTarget::Columns { columns, .. }) = &on.conflict_target {
                inserted.conflict = columns.iter().map(|column| column.value.clone()).collect();
            }
            for (column, other) in equalities(update.selection.as_ref()) {
                let last = column.rsplit('.').next().unwrap_or_default();
                if other.to_string() == format!("excluded.{last}") {
                    inserted.guarded.push(column);
                }
            }
        }
        let tables = vec![Table { name: text(name), prefix: text(name) }];
        self.levels.push(Level { tables, compared: Vec::new(), inserted: Some(inserted) });
    }

    fn add<'a>(&mut self, from: impl Iterator<Item = &'a TableWithJoins>, filter: Option<&Expr>) {
        let mut level = Level::default();
        level.compared.extend(compared(filter));
        for TableWithJoins { relation, joins } in from {
            level.tables.extend(self.table(relation));
            for join in joins {
                level.tables.extend(self.table(&join.relation));
                // The condition of an outer join does not apply to every row.
                if let JoinOperator::Join(on)
                | JoinOperator::Inner(on)
                | JoinOperator::CrossJoin(on) = &join.join_operator
                    && let JoinConstraint::On(on) = on
                {
                    level.compared.extend(compared(Some(on)));
                }
            }
        }
        self.levels.push(level);
    }

    /// The table of a part of a FROM clause. A query in its place is a level of its own.
    fn table(&mut self, factor: &TableFactor) -> Option<Table> {
        let TableFactor::Table { name, alias, index_directives, .. } = factor else {
            assert!(matches!(factor, TableFactor::Derived { .. }), "not a table: {factor}");
            return None;
        };
        if index_directives.iter().any(|one| matches!(one, TableIndexDirective::IndexedBy(_))) {
            self.forbidden.push("INDEXED BY");
        }
        let prefix = alias.as_ref().map_or_else(|| text(name), |alias| alias.name.value.clone());
        Some(Table { name: text(name), prefix })
    }

    fn check_column(&mut self, column: &str) {
        const ROWS: [&str; 4] = ["rowid", "_rowid_", "oid", "ctid"];
        if ROWS.iter().any(|one| column.eq_ignore_ascii_case(one)) {
            self.forbidden.push("the row's own number");
        }
    }
}

impl Visitor for Parsed {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        if self.depth > 0 {
            self.forbidden.push("a write within a statement");
        }
        self.depth += 1;
        match statement {
            Statement::Insert(insert) => self.add_insert(insert),
            Statement::Update(Update { table, from, selection, or, .. }) => {
                if from.is_some() {
                    self.forbidden.push("UPDATE FROM");
                }
                if or.is_some() {
                    self.forbidden.push("UPDATE OR");
                }
                self.add(std::iter::once(table), selection.as_ref());
            }
            Statement::Delete(Delete { from, selection, .. }) => {
                let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = from;
                self.add(from.iter(), selection.as_ref());
            }
            Statement::Merge(_) => self.forbidden.push("MERGE"),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_statement(&mut self, _: &Statement) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        if !select.from.is_empty() {
            self.add(select.from.iter(), select.selection.as_ref());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(name) => self.check_column(&name.value),
            Expr::CompoundIdentifier(names) => {
                for name in names {
                    self.check_column(&name.value);
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The text of a name.
fn text(name: &ObjectName) -> String {
    name.to_string()
}

/// The columns that a condition compares with a parameter.
fn compared(condition: Option<&Expr>) -> Vec<String> {
    let equalities = equalities(condition).into_iter();
    let with_parameter = equalities.filter(|(_, other)| match other {
        Expr::Value(value) => matches!(value.value, Value::Placeholder(_)),
        _ => false,
    });
    with_parameter.map(|(column, _)| column).collect()
}

/// The parts `column = other` of a condition that hold for every row. An OR makes its parts
/// optional.
fn equalities(condition: Option<&Expr>) -> Vec<(String, &Expr)> {
    match condition {
        Some(Expr::BinaryOp { left, op: BinaryOperator::And, right }) => {
            let mut both = equalities(Some(left));
            both.extend(equalities(Some(right)));
            both
        }
        Some(Expr::Nested(inner)) => equalities(Some(inner)),
        Some(Expr::BinaryOp { left, op: BinaryOperator::Eq, right }) => {
            // A plus keeps SQLite from an index. Other databases ignore it.
            let column = match &**left {
                Expr::UnaryOp { op: UnaryOperator::Plus, expr } => expr,
                _ => left,
            };
            match &**column {
                Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
                    vec![(column.to_string(), right)]
                }
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}
