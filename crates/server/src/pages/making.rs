//! What panes are made from.

use super::form::{Fault, Posted};
use engine::connections::link::FlowView;

/// Where a page stands.
pub(super) struct Place<'a> {
    /// Where its forms go.
    pub(super) path: &'a str,
    /// Where the bank's own page is.
    pub(super) bank_path: &'a str,
    /// Whether it stands in a frame.
    pub(super) framed: bool,
    /// What the list of banks is searched for.
    pub(super) query: &'a str,
}

/// What every pane is made from.
pub(super) struct Making<'a> {
    pub(super) view: &'a FlowView,
    pub(super) place: &'a Place<'a>,
    pub(super) posted: &'a Posted,
    pub(super) fault: Option<Fault>,
}
