//! The pages of a holder who wants to leave a flow. The first asks. The second says that the flow
//! can be continued, and reports `left` to the waiting page.
//!
//! Leaving changes no pane. The question is an address of its own, so that it works without script
//! and a reload asks again.

use super::document::{Facts, Page};
use super::ends::leads_back;
use super::fields::{LEAVE, STEP, VERSION};
use super::panes::TEST_MODE;
use super::sheet::Sheet;
use engine::connections::link::FlowView;
use maud::{Markup, html};

/// The id of the form for the buttons.
const LEAVING: &str = "leaving";

/// The address of a page at `path` with one more flag.
pub(super) fn address(path: &str, flag: &str) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    format!("{path}{joint}{flag}=1")
}

/// Asks if the holder wants to leave. `path` is the address of the current pane.
pub(super) fn question(view: &FlowView, path: &str) -> Page {
    let merchant = &view.merchant_name;
    let text = html! {
        p.soft {
            "If you leave, you can go back to " (merchant) " later and continue where you stopped."
            // A payment asks again whenever the holder wants to pay.
            @if !view.payment {
                " If you cancel, " (merchant) " has to ask you again."
            }
        }
        form id=(LEAVING) method="post" action=(path) {
            input type="hidden" name=(VERSION) value=(view.version);
        }
    };
    let actions = html! {
        a.main href=(path) data-pane data-stay { "Keep going" }
        div.turn {
            button.quiet form=(LEAVING) name=(STEP) value=(LEAVE) { "Leave" }
            @if !view.payment {
                button.plain form=(LEAVING) name=(STEP) value="cancel" { "Cancel for good" }
            }
        }
    };
    page(view, "Leave without connecting an account?", None, &text, actions)
}

/// Says that the holder has left. `path` is the address of the pane where the flow continues.
pub(super) fn left(view: &FlowView, path: &str) -> Page {
    let text = html! {
        p.soft { "No account was connected. You can continue where you stopped." }
    };
    let actions = html! {
        @if let Some(url) = leads_back(view) {
            a.main href=(url) rel="noreferrer" { "Back to " (view.merchant_name) }
        } @else {
            p.close { "You may close this page." }
        }
        a.quiet href=(path) data-pane { "Continue" }
    };
    page(view, "You left", Some("left"), &text, actions)
}

fn page(
    view: &FlowView,
    title: &str,
    status: Option<&'static str>,
    text: &Markup,
    actions: Markup,
) -> Page {
    let goes_to = leads_back(view).filter(|_| view.hosted && status.is_some());
    let facts = Facts {
        flow: Some(view.id.to_string()),
        origin: view.origin.clone(),
        status,
        at_once: status.is_some(),
        goes_to: goes_to.map(str::to_owned),
        ..Facts::default()
    };
    let sheet = Sheet {
        who: html! { (view.merchant_name) },
        centred: true,
        main: html! {
            h1 tabindex="-1" autofocus { (title) }
            (text)
        },
        actions,
        note: (!view.livemode).then_some(TEST_MODE),
        ..Sheet::default()
    };
    let title = format!("{title} – {}", view.merchant_name);
    Page { title, look: "ours", facts, body: sheet.render() }
}
