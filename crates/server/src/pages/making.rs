//! The input for rendering a pane.

use super::form::{Fault, Posted};
use engine::connections::link::FlowView;

/// The surroundings of a page.
pub(super) struct Place<'a> {
    /// The path that its forms post to.
    pub(super) path: &'a str,
    /// The path of the bank's own page.
    pub(super) bank_path: String,
    /// True if the page is shown in a frame.
    pub(super) framed: bool,
    /// The search text for the list of banks.
    pub(super) query: &'a str,
}

/// The input that every pane is rendered from.
pub(super) struct Making<'a> {
    pub(super) view: &'a FlowView,
    pub(super) place: &'a Place<'a>,
    pub(super) posted: &'a Posted,
    pub(super) fault: Option<Fault>,
}
