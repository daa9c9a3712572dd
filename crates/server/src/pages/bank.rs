//! The bank's own page, in a separate window with a different look. The holder allows the link
//! here, and at some banks picks the accounts. It simulates the page of a real bank.

use super::document::{Facts, Page};
use super::fields::{STEP, VERSION};
use super::form::{Fault, Posted};
use super::icons::Icon;
use super::pieces::{account, alert, badge, mark};
use super::sheet::{Sheet, nothing};
use super::words;
use engine::connections::link::{FlowView, PickFault};
use maud::{Markup, html};

/// The id of the form.
const FORM: &str = "form-bank";

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
    let title = format!("Share accounts with {merchant}?");
    let main = html! {
        h1 tabindex="-1" autofocus[fault.is_none()] { (title) }
        @if let Some(fault) = fault {
            (alert("fault", &words::fault(Fault::Step(fault), view.accounts_max)))
        }
        p {
            "You are logged in. If you allow it, " (merchant)
            " can read the data that you agreed to share."
        }
        form id=(FORM) method="post" action=(format!("/link/{token}/bank")) novalidate {
            input type="hidden" name=(VERSION) value=(view.version);
            @if picks {
                fieldset aria-describedby=[fault.map(|_| "fault")] {
                    legend { "Accounts to share" }
                    @for (place, choice) in view.choices.iter().enumerate() {
                        @let checked = choice.unusable.is_none()
                            && if posted.is_empty() { choice.preselected }
                               else { picked.contains(&place) };
                        (account(place, choice, view.accounts_max == 1, false, checked))
                    }
                }
            }
        }
    };
    let actions = html! {
        button.main form=(FORM) name=(STEP) value="allow" { "Allow" }
        button.quiet form=(FORM) name=(STEP) value="deny" { "Do not allow" }
    };
    framed(view, &title, Facts::default(), !picks, main, actions)
}

/// The page after the holder has chosen. It says that the part at the bank is complete.
pub(super) fn done(view: &FlowView, token: &str) -> Page {
    let main = html! {
        (badge(Icon::Check, "good"))
        h1 tabindex="-1" autofocus { "You are done here" }
        p.soft { "Close this window and continue in the first one." }
    };
    let actions = html! { a.quiet href=(format!("/link/{token}")) { "Continue in this window" } };
    let facts = Facts { status: Some("bank"), at_once: true, ..Facts::default() };
    framed(view, "Done", facts, true, main, actions)
}

fn framed(
    view: &FlowView,
    title: &str,
    facts: Facts,
    centred: bool,
    main: Markup,
    actions: Markup,
) -> Page {
    let bank = view.institution.as_ref().map_or("Bank", |bank| bank.name.as_str());
    let sheet = Sheet {
        back: mark(bank),
        who: html! { (bank) },
        leave: nothing(),
        centred,
        main,
        actions,
        note: (!view.livemode).then_some("A test bank: no real bank, no real money."),
    };
    Page { title: format!("{title} – {bank}"), look: "at-bank", facts, body: sheet.render() }
}
