//! The bank's own page, in a separate window with a different look. The holder allows the link
//! here, and at some banks picks the accounts. It simulates the page of a real bank.

use super::document::{Facts, Page};
use super::fields::{STEP, VERSION};
use super::form::{Fault, Posted};
use super::{pieces, words};
use engine::connections::link::{FlowView, PickFault};
use maud::{Markup, html};

/// The page that asks the holder to allow the link.
pub(super) fn page(
    view: &FlowView,
    token: &str,
    posted: &Posted,
    fault: Option<PickFault>,
) -> Page {
    let merchant = &view.merchant_name;
    let picks = view.institution.as_ref().is_some_and(|bank| bank.picks_accounts);
    let picked = posted.picks();
    let body = html! {
        h1 tabindex="-1" autofocus[fault.is_none()] { "Share accounts with " (merchant) "?" }
        @if let Some(fault) = fault {
            p.alert #fault role="alert" tabindex="-1" autofocus {
                (words::fault(Fault::Step(fault), view.accounts_max))
            }
        }
        p {
            "You are logged in. If you allow it, " (merchant)
            " can read the data that you agreed to share."
        }
        form method="post" action=(format!("/link/{token}/bank")) {
            input type="hidden" name=(VERSION) value=(view.version);
            @if picks {
                fieldset aria-describedby=[fault.map(|_| "fault")] {
                    legend { "Accounts to share" }
                    @for (place, choice) in view.choices.iter().enumerate() {
                        @let checked = choice.unusable.is_none()
                            && if posted.is_empty() { choice.preselected }
                               else { picked.contains(&place) };
                        (pieces::account(place, choice, view.accounts_max == 1, false, checked))
                    }
                }
            }
            button.main name=(STEP) value="allow" { "Allow" }
            button.quiet name=(STEP) value="deny" { "Do not allow" }
        }
    };
    framed(view, &format!("Share accounts with {merchant}?"), Facts::default(), &body)
}

/// The page after the holder has chosen. It says that the part at the bank is complete.
pub(super) fn done(view: &FlowView, token: &str) -> Page {
    let body = html! {
        h1 tabindex="-1" autofocus { "You are done here" }
        p { "Close this window and continue in the first one." }
        a.quiet href=(format!("/link/{token}")) { "Continue in this window" }
    };
    let facts = Facts { status: Some("bank"), at_once: true, ..Facts::default() };
    framed(view, "Done", facts, &body)
}

fn framed(view: &FlowView, title: &str, facts: Facts, body: &Markup) -> Page {
    let bank = view.institution.as_ref().map_or("Bank", |bank| bank.name.as_str());
    Page {
        title: format!("{title} – {bank}"),
        look: "at-bank",
        facts,
        body: html! {
            div.sheet {
                header.brand { p { (bank) } }
                main { (body) }
                @if !view.livemode {
                    footer { p { "A test bank: no real bank, no real money." } }
                }
            }
        },
    }
}
