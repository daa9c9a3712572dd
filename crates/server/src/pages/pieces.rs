//! Parts that several pages share.

use super::fields::ACCOUNT;
use super::form::Posted;
use super::words;
use engine::connections::link::Choice;
use maud::{Markup, html};

/// Renders a bank as a row of the list.
pub(super) fn row(name: &str) -> Markup {
    html! {
        (mark(name))
        span.text { strong { (name) } span { (words::address(name)) } }
    }
}

pub(super) fn mark(name: &str) -> Markup {
    let (letters, colour) = words::mark(name);
    html! { span class=(format!("mark m{colour}")) aria-hidden="true" { (letters) } }
}

/// Renders an account that can be picked, or the reason why it cannot.
pub(super) fn account(
    place: usize,
    choice: &Choice,
    single: bool,
    saved: bool,
    checked: bool,
) -> Markup {
    let id = format!("account-{place}");
    html! {
        div.account {
            input id=(id) name=(ACCOUNT) value=(place) checked[checked]
                type=(if single { "radio" } else { "checkbox" })
                disabled[choice.unusable.is_some()];
            label for=(id) {
                strong { (choice.name) }
                span {
                    @if saved { (choice.institution_name) ", " }
                    (words::account(choice))
                }
                @if let Some(why) = choice.unusable { span.why { (words::unusable(why)) } }
            }
        }
    }
}

/// Renders a choice of a few options. The first is selected unless another was posted.
pub(super) fn choice_of(
    name: &str,
    legend: &str,
    posted: &Posted,
    options: &[(&str, &str)],
) -> Markup {
    let chosen = posted.get(name).filter(|chosen| options.iter().any(|(word, _)| word == chosen));
    let checked = chosen.or(options.first().map(|(word, _)| *word));
    html! {
        fieldset.few {
            legend { (legend) }
            @for (word, label) in options {
                div {
                    input type="radio" id=(format!("{name}-{word}")) name=(name) value=(word)
                        checked[checked == Some(word)];
                    label for=(format!("{name}-{word}")) { (label) }
                }
            }
        }
    }
}
