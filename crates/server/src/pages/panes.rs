//! The panes of the link flow. Each asks for one thing and uses real forms.

use super::brand::logo_or_name;
use super::document::{Facts, Page};
use super::ends::{leads_back, status};
use super::fields::{FRAME, INSTITUTION, QUERY, STEP, VERSION};
use super::form::{Fault, Posted};
use super::icons::{Icon, icon};
use super::making::{Making, Place};
use super::pieces::{account, alert, badge, pair, row};
use super::sheet::{Sheet, nothing};
use super::{marks, words};
use connectors::Institution;
use engine::connections::link::{Choice, FlowView, Shown};
use maud::{Markup, html};
use model::link::Pane;

/// The note at the bottom of pages about test banks.
pub(super) const TEST_MODE: &str = "Test mode: no real bank, no real money.";

/// The id of the form for steps that need only a button.
const GO: &str = "go";

/// The content of a pane.
pub(super) struct Content {
    pub(super) title: String,
    /// The heading, if it is more than the title.
    pub(super) heading: Option<Markup>,
    /// True if the holder can go back.
    pub(super) back: bool,
    /// True if the content is centred.
    pub(super) centred: bool,
    /// The part above the title.
    pub(super) above: Markup,
    /// The part below the title.
    pub(super) below: Markup,
    /// The buttons.
    pub(super) actions: Markup,
    /// True if the content has an error, which gets the focus.
    pub(super) wrong: bool,
}

impl Content {
    /// A pane with a title and without content.
    pub(super) fn titled(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            heading: None,
            back: false,
            centred: false,
            above: nothing(),
            below: nothing(),
            actions: nothing(),
            wrong: false,
        }
    }
}

/// Renders the current pane as a page. Input with a fault is shown again.
pub(super) fn page(
    view: &FlowView,
    place: &Place<'_>,
    posted: &Posted,
    fault: Option<Fault>,
) -> Page {
    let making = Making { view, place, posted, fault };
    let content = making.pane();
    making.page_of(content, None)
}

/// Renders the page that is shown while the bank is contacted. The next pane follows.
pub(super) fn connecting(view: &FlowView, place: &Place<'_>) -> Page {
    let making = Making { view, place, posted: &Posted::default(), fault: None };
    making.page_of(making.connecting(), Some(place.path.to_owned()))
}

impl Making<'_> {
    fn page_of(&self, content: Content, next: Option<String>) -> Page {
        let view = self.view;
        let (status, at_once) = status(&view.shown);
        let ended = matches!(view.shown, Shown::Pane(Pane::Ended(_)));
        let facts = Facts {
            flow: Some(view.id.to_string()),
            origin: view.origin.clone(),
            status,
            at_once,
            goes_to: leads_back(view).filter(|_| view.hosted && ended).map(str::to_owned),
            next,
            color: view.brand.color,
        };
        let wrong = content.wrong || self.fault.is_some();
        let title = &content.title;
        let error = if wrong { "Error: " } else { "" };
        let title = format!("{error}{title} – {}", view.merchant_name);
        let sheet = Sheet {
            back: if content.back { Self::back() } else { nothing() },
            who: logo_or_name(&view.merchant_name, &view.brand),
            leave: if status.is_none() { self.leave() } else { nothing() },
            centred: content.centred,
            main: html! {
                (content.above)
                h1 tabindex="-1" autofocus[!wrong] {
                    @match &content.heading {
                        Some(heading) => (heading),
                        None => (content.title),
                    }
                }
                @if let Some(fault) = self.fault.filter(|fault| !fault.is_about_a_field()) {
                    (alert("fault", &words::fault(fault, view.accounts_max)))
                }
                (content.below)
                @if status.is_none() {
                    form id=(GO) method="post" action=(self.place.path) {
                        input type="hidden" name=(VERSION) value=(view.version);
                    }
                }
            },
            actions: content.actions,
            note: (!view.livemode).then_some(TEST_MODE),
        };
        Page { title, look: "ours", facts, body: sheet.render() }
    }

    fn pane(&self) -> Content {
        let bank = self.bank();
        let pane = match &self.view.shown {
            Shown::Pane(pane) => pane,
            Shown::Expired => {
                let text = "It was open for too long. No account was connected. Go back to the page \
                            where you started and try again.";
                return self.end("This page has expired", badge(Icon::Alert, "bad"), text);
            }
            Shown::Gone => {
                let text = "You can no longer connect an account here.";
                return self.end("This page no longer works", badge(Icon::Alert, "bad"), text);
            }
            Shown::Closed => {
                let text = "You finished this in another window.";
                return self.end("Already finished", badge(Icon::Check, "good"), text);
            }
        };
        if self.view.bank_gone {
            return self.bank_gone();
        }
        match pane {
            Pane::Institutions if self.view.livemode && self.view.institutions.is_empty() => {
                self.no_institutions()
            }
            Pane::Institutions => self.institutions(),
            Pane::Consent => self.consent(),
            Pane::Login { fields, refused } => self.login(fields, *refused),
            Pane::BankPage { refused } => self.bank_page(*refused),
            Pane::Accounts => self.accounts("Choose accounts", false),
            Pane::Saved => self.accounts("Your saved accounts", true),
            Pane::Down { until } => self.down(bank, *until),
            Pane::Failed => self.failed(bank),
            Pane::ManualEntry => self.manual_entry(),
            Pane::SignIn { unknown } => self.sign_in(*unknown),
            Pane::Code => self.code(),
            Pane::Ended(end) => self.ended(*end),
        }
    }

    pub(super) fn bank(&self) -> &str {
        self.view.institution.as_ref().map_or("Your bank", |bank| bank.name.as_str())
    }

    /// The id of the form for a step.
    fn form_id(step: &str) -> String {
        format!("form-{step}")
    }

    /// Renders the form for a step. The server checks it, so the browser shows no messages.
    pub(super) fn form(&self, step: &str, body: &Markup) -> Markup {
        html! {
            form id=(Self::form_id(step)) method="post" action=(self.place.path) novalidate {
                input type="hidden" name=(STEP) value=(step);
                input type="hidden" name=(VERSION) value=(self.view.version);
                (body)
            }
        }
    }

    /// Renders the button that submits the form for a step.
    pub(super) fn submit(step: &str, label: &str) -> Markup {
        html! { button.main form=(Self::form_id(step)) { (label) } }
    }

    /// Renders a step that needs only a button.
    pub(super) fn button(step: &str, class: &str, label: &str) -> Markup {
        html! { button class=(class) form=(GO) name=(STEP) value=(step) { (label) } }
    }

    fn back() -> Markup {
        html! {
            button.small form=(GO) name=(STEP) value="back" aria-label="Back" { (icon(Icon::Back)) }
        }
    }

    fn leave(&self) -> Markup {
        let join = if self.place.path.contains('?') { '&' } else { '?' };
        let url = format!("{}{join}leave=1", self.place.path);
        html! { a.small href=(url) aria-label="Leave" data-leave { (icon(Icon::Close)) } }
    }

    /// Renders the button that switches to typed numbers, if they are accepted.
    pub(super) fn manual(&self, class: &str) -> Markup {
        html! {
            @if self.view.manual_entry {
                (Self::button("manual", class, "Enter account numbers instead"))
            }
        }
    }

    fn institutions(&self) -> Content {
        let query = self.place.query.trim().to_lowercase();
        let fits = |bank: &&Institution| {
            let words = search_words(bank);
            query.split_whitespace().all(|word| words.contains(word))
        };
        let found: Vec<&Institution> = self.view.institutions.iter().filter(fits).collect();
        let count = match found.len() {
            0 => "No bank found. Try another word.".to_owned(),
            1 => "1 bank".to_owned(),
            many => format!("{many} banks"),
        };
        let below = html! {
            form.search method="get" role="search" data-search novalidate {
                @if self.place.framed { input type="hidden" name=(FRAME) value="1"; }
                label.hidden for="search" { "Search banks" }
                div.seeker {
                    (icon(Icon::Search))
                    input #search type="search" name=(QUERY) value=(self.place.query)
                        placeholder="Search by name or test purpose" autocomplete="off";
                }
                button.quiet { "Search" }
            }
            p.count role="status" data-count { (count) }
            (self.form("institution", &html! {
                @for (title, banks) in grouped(&found) {
                    section.group data-group {
                        h2 { (title) }
                        ul.banks {
                            @for bank in banks {
                                li data-words=(search_words(bank)) {
                                    button.bank name=(INSTITUTION) value=(bank.id) {
                                        (row(&bank.name, &line_about(bank)))
                                        (icon(Icon::Next))
                                    }
                                }
                            }
                        }
                    }
                }
            }))
        };
        let actions = html! {
            @if self.view.sign_in {
                (Self::button("sign_in", "quiet", "Use an account I connected before"))
            }
            (self.manual("plain"))
        };
        Content { below, actions, ..Content::titled("Choose your bank") }
    }

    /// The message that replaces a list of banks that is empty for every search.
    fn no_institutions(&self) -> Content {
        let below = html! {
            p {
                (self.view.merchant_name) " is not connected to real banks yet. No account was connected."
            }
        };
        let actions = self.manual("main");
        Content { below, actions, centred: true, ..Content::titled("No banks are available yet") }
    }

    fn consent(&self) -> Content {
        let merchant = &self.view.merchant_name;
        let bank = self.view.institution.as_ref().map(|bank| bank.name.as_str());
        let verb = if self.view.relink { "Reconnect" } else { "Connect" };
        let below = html! {
            @if let Some(bank) = bank { p.sub { "At " strong { (bank) } } }
            p.lead { (merchant) " will be able to see:" }
            ul.data {
                li {
                    (icon(Icon::Check))
                    div {
                        strong { "Account details" }
                        span { "Name, type and last four digits, to show which accounts are connected" }
                    }
                }
                @for permission in &self.view.permissions {
                    @let (what, why) = words::permission(*permission);
                    li { (icon(Icon::Check)) div { strong { (what) } span { (why) } } }
                }
            }
            p.note.lock {
                (icon(Icon::Lock))
                span {
                    "You choose the accounts in a later step. " (merchant)
                    " never sees your password. You can ask " (merchant) " to stop at any time."
                }
            }
            (self.form("consent", &nothing()))
        };
        Content {
            back: !self.view.one_bank,
            above: pair(merchant, bank.unwrap_or_default(), false),
            below,
            actions: html! {
                (Self::submit("consent", "Agree and continue"))
                (self.manual("plain"))
            },
            ..Content::titled(format!("{verb} your account to {merchant}"))
        }
    }

    fn accounts(&self, title: &str, saved: bool) -> Content {
        let view = self.view;
        let single = view.accounts_max == 1;
        let usable = view.choices.iter().any(|choice| choice.unusable.is_none());
        let back = html! {
            @if saved || !usable {
                (Self::button("back", if usable { "quiet" } else { "main" }, self.way_back()))
            }
        };
        if !usable {
            let below = html! {
                p.alert role="alert" {
                    (icon(Icon::Alert))
                    span { "You cannot use these accounts here. " (self.way_back()) "." }
                }
                ul.data {
                    @for choice in &view.choices {
                        li {
                            div {
                                strong { (choice.name) }
                                @if let Some(why) = choice.unusable {
                                    span { (words::unusable(why)) }
                                }
                            }
                        }
                    }
                }
            };
            return Content { back: true, below, actions: back, ..Content::titled(title) };
        }
        let label = if single { "Connect account" } else { "Connect accounts" };
        Content {
            back: true,
            below: self.form("accounts", &self.choices(title, single, saved)),
            actions: html! { (Self::submit("accounts", label)) (back) },
            ..Content::titled(title)
        }
    }

    /// Renders the accounts that can be picked.
    fn choices(&self, title: &str, single: bool, saved: bool) -> Markup {
        let view = self.view;
        let picked = self.posted.picks();
        let checked = |place: usize, choice: &Choice| {
            let usable = choice.unusable.is_none();
            let first =
                if self.posted.is_empty() { choice.preselected } else { picked.contains(&place) };
            usable && first
        };
        html! {
            fieldset aria-describedby=[self.fault.map(|_| "fault")] {
                // The heading of the page says the rest.
                @if single {
                    legend { "Choose one account" }
                } @else if view.accounts_max < view.choices.len() {
                    legend { "Choose up to " (view.accounts_max) " accounts" }
                } @else {
                    legend.hidden { (title) }
                }
                @for (place, choice) in view.choices.iter().enumerate() {
                    (account(place, choice, single, saved, checked(place, choice)))
                }
            }
        }
    }
}

/// The text in which the search looks for words.
fn search_words(bank: &Institution) -> String {
    let Institution { name, description, .. } = bank;
    let group = marks::group(name).title;
    format!("{name} {description} {group} {}", marks::keywords(name)).to_lowercase()
}

/// The line below a bank's name: the first sentence about it, or a web address, which distinguishes
/// banks with similar names.
fn line_about(bank: &Institution) -> String {
    match bank.description.split_once(". ").map_or(bank.description.as_str(), |(first, _)| first) {
        "" => words::address(&bank.name),
        line => line.trim_end_matches('.').to_owned(),
    }
}

/// The banks by group. Groups are in the order of their first banks.
fn grouped<'a>(banks: &[&'a Institution]) -> Vec<(&'static str, Vec<&'a Institution>)> {
    let mut groups: Vec<(&str, Vec<&Institution>)> = Vec::new();
    for bank in banks {
        let title = marks::group(&bank.name).title;
        match groups.iter_mut().find(|(known, _)| *known == title) {
            Some((_, banks)) => banks.push(bank),
            None => groups.push((title, vec![bank])),
        }
    }
    groups
}
