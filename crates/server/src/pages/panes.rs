//! The panes of the link flow. Each asks for one thing and uses real forms.

use super::document::{Facts, Page};
use super::ends::{leads_back, status};
use super::fields::{BANK_FIELD, FRAME, INSTITUTION, QUERY, STEP, VERSION};
use super::form::{Fault, Posted};
use super::making::{Making, Place};
use super::pieces::{account, row};
use super::words;
use connectors::Institution;
use engine::connections::link::{Choice, FlowView, Shown};
use maud::{Markup, html};
use model::clock::AccountTime;
use model::link::Pane;

/// Renders the current pane as a page. Input with a fault is shown again.
pub(super) fn page(
    view: &FlowView,
    place: &Place<'_>,
    posted: &Posted,
    fault: Option<Fault>,
) -> Page {
    let making = Making { view, place, posted, fault };
    let (title, back, body) = making.pane();
    let (status, at_once) = status(&view.shown);
    let (flow, origin) = (Some(view.id.to_string()), view.origin.clone());
    let ended = matches!(view.shown, Shown::Pane(Pane::Ended(_)));
    let goes_to = leads_back(view).filter(|_| view.hosted && ended).map(str::to_owned);
    let facts = Facts { flow, origin, status, at_once, goes_to };
    let title_text = if fault.is_some() { format!("Error: {title}") } else { title.clone() };
    let body = html! {
        div.sheet {
            header.bar {
                @if back {
                    (making.small("back", "Back", "←"))
                } @else {
                    span.small {}
                }
                p.who { (view.merchant_name) }
                @if status.is_none() {
                    (making.small("cancel", "Leave", "×"))
                } @else {
                    span.small {}
                }
            }
            main {
                @if status == Some("succeeded") { p.tick aria-hidden="true" { "✓" } }
                h1 tabindex="-1" autofocus[fault.is_none()] { (title) }
                @if let Some(fault) = fault {
                    p.alert #fault role="alert" tabindex="-1" autofocus {
                        (words::fault(fault, view.accounts_max))
                    }
                }
                (body)
            }
            @if !view.livemode {
                footer { p { "Test mode: no real bank, no real money." } }
            }
        }
    };
    Page { title: format!("{title_text} – {}", view.merchant_name), look: "ours", facts, body }
}

impl Making<'_> {
    /// Returns the title, true if the holder can go back, and the content below the title.
    fn pane(&self) -> (String, bool, Markup) {
        let bank = self.bank();
        let pane = match &self.view.shown {
            Shown::Pane(pane) => pane,
            Shown::Expired => {
                let text = "It was open for too long. No account was linked. Go back to the page \
                            where you started and try again.";
                return ("This page has expired".into(), false, self.end(text));
            }
            Shown::Gone => {
                let text = "You can no longer link an account here.";
                return ("This page no longer works".into(), false, self.end(text));
            }
            Shown::Closed => {
                let text = "You finished this in another window.";
                return ("Already finished".into(), false, self.end(text));
            }
        };
        if self.view.bank_gone {
            return ("This bank is no longer available".into(), false, self.bank_gone());
        }
        match pane {
            Pane::Institutions if self.view.livemode && self.view.institutions.is_empty() => {
                ("No banks are available yet".into(), false, self.no_institutions())
            }
            Pane::Institutions => ("Choose your bank".into(), false, self.institutions()),
            Pane::Consent => {
                let name = &self.view.merchant_name;
                if self.view.relink {
                    (format!("{name} asks you to log in again"), false, self.consent())
                } else {
                    (format!("{name} asks to see your data"), !self.view.one_bank, self.consent())
                }
            }
            Pane::Login { fields, refused } => {
                (format!("Log in at {bank}"), true, self.login(fields, *refused))
            }
            Pane::BankPage { refused } => {
                (format!("Continue at {bank}"), true, self.bank_page(*refused))
            }
            Pane::Accounts => ("Choose accounts".into(), true, self.accounts(false)),
            Pane::Saved => ("Your saved accounts".into(), true, self.accounts(true)),
            Pane::Down { until } => (format!("{bank} is not available"), true, self.down(*until)),
            Pane::Failed => (format!("The login at {bank} failed"), true, self.failed()),
            Pane::ManualEntry => {
                ("Enter your bank details".into(), self.view.banks, self.manual_entry())
            }
            Pane::SignIn { unknown } => {
                let known = self.view.email.is_some() && !unknown;
                let title = if known { "Welcome back" } else { "Use saved accounts" };
                (title.into(), true, self.sign_in(*unknown))
            }
            Pane::Code => ("Enter your code".into(), true, self.code()),
            Pane::Ended(end) => {
                let (title, body) = self.ended(*end);
                (title, false, body)
            }
        }
    }

    fn bank(&self) -> &str {
        self.view.institution.as_ref().map_or("Your bank", |bank| bank.name.as_str())
    }

    /// Renders a form for one step.
    pub(super) fn form(&self, step: &str, body: &Markup) -> Markup {
        html! {
            form method="post" action=(self.place.path) {
                input type="hidden" name=(STEP) value=(step);
                input type="hidden" name=(VERSION) value=(self.view.version);
                (body)
            }
        }
    }

    /// Renders a step that needs only a button.
    pub(super) fn button(&self, step: &str, class: &str, label: &str) -> Markup {
        self.form(step, &html! { button class=(class) { (label) } })
    }

    /// Renders a step in the bar.
    fn small(&self, step: &str, label: &str, sign: &str) -> Markup {
        let inside = html! {
            button.small aria-label=(label) { span aria-hidden="true" { (sign) } }
        };
        self.form(step, &inside)
    }

    fn institutions(&self) -> Markup {
        let wanted = self.place.query.trim().to_lowercase();
        let fits = |bank: &&Institution| bank.name.to_lowercase().contains(&wanted);
        let found: Vec<&Institution> = self.view.institutions.iter().filter(fits).collect();
        let count = match found.len() {
            0 => "No bank of this name".to_owned(),
            1 => "1 bank".to_owned(),
            many => format!("{many} banks"),
        };
        html! {
            form.search method="get" role="search" data-search {
                @if self.place.framed { input type="hidden" name=(FRAME) value="1"; }
                label.hidden for="search" { "Search banks by name" }
                input #search type="search" name=(QUERY) value=(self.place.query)
                    placeholder="Search" autocomplete="off";
                button.quiet { "Search" }
            }
            p.count role="status" data-count { (count) }
            (self.form("institution", &html! {
                ul.banks data-banks {
                    @for bank in &found {
                        li data-name=(bank.name.to_lowercase()) {
                            button.bank name=(INSTITUTION) value=(bank.id) { (row(&bank.name)) }
                        }
                    }
                }
            }))
            @if self.view.sign_in || self.view.manual_entry {
                div.others {
                    @if self.view.sign_in {
                        (self.button("sign_in", "plain", "Use an account I linked before"))
                    }
                    @if self.view.manual_entry {
                        (self.button("manual", "plain", "Enter account numbers instead"))
                    }
                }
            }
        }
    }

    /// The message that replaces a list of banks that is empty for every search.
    fn no_institutions(&self) -> Markup {
        html! {
            p {
                (self.view.merchant_name) " is not connected to real banks yet. No account was linked."
            }
            @if self.view.manual_entry {
                div.others { (self.button("manual", "plain", "Enter account numbers instead")) }
            }
        }
    }

    fn consent(&self) -> Markup {
        let merchant = &self.view.merchant_name;
        html! {
            @if let Some(bank) = &self.view.institution {
                div.chosen { (row(&bank.name)) }
            }
            p { (merchant) " would like to read this data from the accounts that you choose:" }
            ul.data {
                li {
                    strong { "Account details" }
                    span { "Name, type and last four digits, to show you which accounts are linked" }
                }
                @for permission in &self.view.permissions {
                    @let (what, why) = words::permission(*permission);
                    li { strong { (what) } span { (why) } }
                }
            }
            p.note {
                "You choose the accounts in a later step. " (merchant)
                " never sees your password. You can ask " (merchant) " to stop at any time."
            }
            (self.button("consent", "main", "Agree and continue"))
            @if self.view.manual_entry {
                div.others { (self.button("manual", "plain", "Enter account numbers instead")) }
            }
        }
    }

    fn login(&self, fields: &[String], refused: bool) -> Markup {
        let test = self.view.institution.as_ref().filter(|_| !self.view.livemode);
        let prompt = !fields.iter().any(|field| field == "password");
        html! {
            @if refused {
                p.alert #refused role="alert" {
                    "Your bank did not accept this. Check your entries and try again."
                }
            }
            p {
                @if prompt { "Your bank asks one more thing." }
                @else { "Use the same details as on your bank's own site." }
            }
            (self.form("login", &html! {
                @for field in fields {
                    @let (label, hint, complete) = words::bank_field(field);
                    @let id = format!("bank-{field}");
                    label for=(id) { (label) }
                    @if let Some(hint) = hint { p.hint id=(format!("{id}-hint")) { (hint) } }
                    input id=(id) name=(format!("{BANK_FIELD}{field}"))
                        type=(if field == "password" { "password" } else { "text" })
                        autocomplete=(complete) autocapitalize="none" spellcheck="false"
                        aria-describedby=[hint.map(|_| format!("{id}-hint"))]
                        aria-invalid=[refused.then_some("true")]
                        required;
                }
                button.main { @if prompt { "Continue" } @else { "Log in" } }
            }))
            @if let Some(bank) = test { p.note { "Test bank: " (bank.description) } }
        }
    }

    fn bank_page(&self, refused: bool) -> Markup {
        let bank = self.bank();
        html! {
            @if refused {
                p.alert role="alert" { "You did not allow access at " (bank) ". You can try again." }
            }
            div.chosen { (row(bank)) }
            p {
                "Log in on the page of " (bank) ", which opens in a new window. We never see your "
                "login details. Return to this page when you have finished."
            }
            a.main href=(self.place.bank_path) target="_blank" data-bank {
                "Open " (bank)
                span.hidden { " (in a new window)" }
            }
            a.quiet href=(self.place.path) { "I have finished there" }
        }
    }

    fn accounts(&self, saved: bool) -> Markup {
        let view = self.view;
        let single = view.accounts_max == 1;
        let picked = self.posted.picks();
        let checked = |place: usize, choice: &Choice| {
            let usable = choice.unusable.is_none();
            let first =
                if self.posted.is_empty() { choice.preselected } else { picked.contains(&place) };
            usable && first
        };
        let usable = view.choices.iter().any(|choice| choice.unusable.is_none());
        html! {
            @if usable {
                (self.form("accounts", &html! {
                    fieldset aria-describedby=[self.fault.map(|_| "fault")] {
                        legend {
                            @if single { "Choose the account to link" }
                            @else if view.accounts_max < view.choices.len() {
                                "Choose up to " (view.accounts_max) " accounts to link"
                            } @else { "Choose the accounts to link" }
                        }
                        @for (place, choice) in view.choices.iter().enumerate() {
                            (account(place, choice, single, saved, checked(place, choice)))
                        }
                    }
                    button.main { @if single { "Link account" } @else { "Link accounts" } }
                }))
            } @else {
                p.alert role="alert" {
                    "You cannot use these accounts here. " (self.way_back()) "."
                }
                ul.data {
                    @for choice in &view.choices {
                        li {
                            strong { (choice.name) }
                            @if let Some(why) = choice.unusable {
                                span { (words::unusable(why)) }
                            }
                        }
                    }
                }
            }
            @if saved || !usable {
                (self.button("back", "quiet", self.way_back()))
            }
        }
    }

    fn down(&self, until: Option<AccountTime>) -> Markup {
        html! {
            p {
                @match until {
                    Some(until) => {
                        "The bank is down for maintenance and should be back on "
                        strong { (words::time(until)) } "."
                    }
                    None => "The bank has a problem, and we do not know how long it will last.",
                }
                " Your money is safe. You can " (self.other_way()) " or try again later."
            }
            (self.ways_on())
        }
    }

    fn failed(&self) -> Markup {
        html! {
            p {
                "The bank ended the login. No account was linked. You can " (self.other_way())
                " or try again later."
            }
            (self.ways_on())
        }
    }

    /// The message about the only bank of the flow, which does not exist any more.
    fn bank_gone(&self) -> Markup {
        html! {
            p {
                (self.view.merchant_name) " asks for an account at one bank, which cannot be linked "
                "any more. No account was linked. Go back to the page where you started."
            }
            @if self.view.manual_entry {
                (self.button("manual", "main", "Enter account numbers instead"))
            }
            (self.button("cancel", "plain", "Leave"))
        }
    }

    /// The holder's alternative when a bank fails, as the end of a sentence. A flow that renews a
    /// login has only one bank.
    fn other_way(&self) -> &'static str {
        if self.view.one_bank { "log in again" } else { "choose another bank" }
    }

    /// The holder's alternative as the label of a button.
    fn way_back(&self) -> &'static str {
        if self.view.one_bank { "Log in again" } else { "Choose another bank" }
    }

    fn ways_on(&self) -> Markup {
        html! {
            (self.button("back", "main", self.way_back()))
            @if self.view.manual_entry {
                (self.button("manual", "quiet", "Enter account numbers instead"))
            }
            (self.button("cancel", "plain", "Leave"))
        }
    }
}
