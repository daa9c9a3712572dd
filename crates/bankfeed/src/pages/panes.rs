//! The panes of the link flow: one thing at a time, with real forms.

use super::document::{Facts, Page};
use super::fields::*;
use super::form::{Fault, Posted};
use super::words;
use connectors::Institution;
use engine::link::{Choice, FlowView, PickFault, Shown};
use maud::{Markup, html};
use model::Word;
use model::clock::AccountTime;
use model::link::{FlowEnd, Pane};
use model::token::{BankAccountType, BankHolderType, TEST_ACCOUNT_NUMBERS, TEST_ROUTING_NUMBER};

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
struct Making<'a> {
    view: &'a FlowView,
    place: &'a Place<'a>,
    posted: &'a Posted,
    fault: Option<Fault>,
}

/// The current pane as a page. What was posted with a fault is shown again.
pub(super) fn page(
    view: &FlowView,
    place: &Place<'_>,
    posted: &Posted,
    fault: Option<Fault>,
) -> Page {
    let making = Making { view, place, posted, fault };
    let (title, back, body) = making.pane();
    let (status, at_once) = status(&view.shown);
    let facts =
        Facts { flow: Some(view.id.to_string()), origin: view.origin.clone(), status, at_once };
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

/// What the page that waits is told, and whether at once.
fn status(shown: &Shown) -> (Option<&'static str>, bool) {
    match shown {
        Shown::Expired => (Some("expired"), true),
        Shown::Closed => (Some("closed"), true),
        Shown::Pane(Pane::Ended(FlowEnd::Linked | FlowEnd::NumbersEntered)) => {
            (Some("succeeded"), false)
        }
        Shown::Pane(Pane::Ended(FlowEnd::Cancelled)) => (Some("cancelled"), true),
        Shown::Pane(Pane::Ended(FlowEnd::Failed)) => (Some("failed"), true),
        Shown::Pane(_) => (None, false),
    }
}

impl Making<'_> {
    /// Title, whether one can go back, and what stands below the title.
    fn pane(&self) -> (String, bool, Markup) {
        let bank = self.bank();
        let pane = match &self.view.shown {
            Shown::Pane(pane) => pane,
            Shown::Expired => {
                let text = "It was open for too long. Nothing was linked; begin again where you \
                            came from.";
                return ("This has expired".into(), false, self.end(text));
            }
            Shown::Closed => {
                let text = "It was finished in another window. There is nothing left to do here.";
                return ("This is over".into(), false, self.end(text));
            }
        };
        match pane {
            Pane::Institutions => ("Choose your bank".into(), false, self.institutions()),
            Pane::Consent => {
                let name = &self.view.merchant_name;
                (format!("{name} asks to see your data"), true, self.consent())
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
            Pane::Failed => (format!("{bank} did not let us in"), true, self.failed()),
            Pane::ManualEntry => ("Enter your bank details".into(), true, self.manual_entry()),
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

    /// A form of one step.
    fn form(&self, step: &str, body: &Markup) -> Markup {
        html! {
            form method="post" action=(self.place.path) {
                input type="hidden" name=(STEP) value=(step);
                input type="hidden" name=(VERSION) value=(self.view.version);
                (body)
            }
        }
    }

    /// A step that needs nothing but a button.
    fn button(&self, step: &str, class: &str, label: &str) -> Markup {
        self.form(step, &html! { button class=(class) { (label) } })
    }

    /// A step in the bar.
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

    fn consent(&self) -> Markup {
        let merchant = &self.view.merchant_name;
        html! {
            @if let Some(bank) = &self.view.institution {
                div.chosen { (row(&bank.name)) }
            }
            p { (merchant) " would like to read the following of the accounts that you choose:" }
            ul.data {
                li {
                    strong { "Account details" }
                    span { "To show you which accounts are linked: name, kind, last four digits" }
                }
                @for permission in &self.view.permissions {
                    @let (what, why) = words::permission(*permission);
                    li { strong { (what) } span { (why) } }
                }
            }
            p.note {
                "You choose the accounts in a later step. " (merchant)
                " never sees your password, and you can ask them at any time to stop."
            }
            (self.button("consent", "main", "Agree and continue"))
        }
    }

    fn login(&self, fields: &[String], refused: bool) -> Markup {
        let test = self.view.institution.as_ref().filter(|_| !self.view.livemode);
        let prompt = !fields.iter().any(|field| field == "password");
        html! {
            @if refused {
                p.alert #refused role="alert" {
                    "Your bank did not accept this. Check what you typed, and try again."
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
                p.alert role="alert" { "You did not allow it at " (bank) ". You can try again." }
            }
            div.chosen { (row(bank)) }
            p {
                "Log in on the page of " (bank) ", which opens in a new window. We do not see what "
                "you type there. Come back here when you are done."
            }
            a.main href=(self.place.bank_path) target="_blank" data-bank {
                "Open " (bank)
                span.hidden { " (in a new window)" }
            }
            a.quiet href=(self.place.path) { "I am done there" }
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
                    "None of these accounts can be used here. Choose another bank."
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
                (self.button("back", "quiet", "Choose another bank"))
            }
        }
    }

    fn down(&self, until: Option<AccountTime>) -> Markup {
        html! {
            p {
                @match until {
                    Some(until) => {
                        "The bank is being worked on and should be back on "
                        strong { (words::time(until)) } "."
                    }
                    None => "The bank has a problem, and it is not known for how long.",
                }
                " Your money is safe; you can choose another bank, or come back later."
            }
            (self.ways_on())
        }
    }

    fn failed(&self) -> Markup {
        html! {
            p {
                "The bank ended the login. Nothing was linked. You can choose another bank, or try "
                "again later."
            }
            (self.ways_on())
        }
    }

    fn ways_on(&self) -> Markup {
        html! {
            (self.button("back", "main", "Choose another bank"))
            @if self.view.manual_entry {
                (self.button("manual", "quiet", "Enter account numbers instead"))
            }
            (self.button("cancel", "plain", "Leave"))
        }
    }

    fn manual_entry(&self) -> Markup {
        let invalid = |names: &[&str], name: &str| names.contains(&name).then_some("true");
        let wrong: &[&str] = match self.fault {
            Some(Fault::NumbersDiffer) => &[ACCOUNT_NUMBER_AGAIN],
            Some(Fault::Step(PickFault::RoutingNumber)) => &[ROUTING_NUMBER],
            Some(Fault::Step(PickFault::AccountNumber)) => &[ACCOUNT_NUMBER],
            Some(Fault::Step(PickFault::NotForTests)) => &[ROUTING_NUMBER, ACCOUNT_NUMBER],
            _ => &[],
        };
        let numbers = [
            (ROUTING_NUMBER, "Routing number", "Nine digits, at the bottom left of a cheque"),
            (ACCOUNT_NUMBER, "Account number", "4 to 17 digits"),
            (ACCOUNT_NUMBER_AGAIN, "Account number, once more", "So that no digit is wrong"),
        ];
        html! {
            p { "Your bank account will be linked by its numbers alone." }
            (self.form("numbers", &html! {
                @for (name, label, hint) in numbers {
                    label for=(name) { (label) }
                    p.hint id=(format!("{name}-hint")) { (hint) }
                    input id=(name) name=(name) inputmode="numeric" autocomplete="off" required
                        value=[self.posted.get(name).filter(|_| name == ROUTING_NUMBER)]
                        aria-describedby=(format!("{name}-hint"))
                        aria-invalid=[invalid(wrong, name)];
                }
                (choice_of(HOLDER_TYPE, "Whose account is it?", self.posted, &[
                    (BankHolderType::Individual.word(), "A person's"),
                    (BankHolderType::Company.word(), "A company's"),
                ]))
                (choice_of(ACCOUNT_TYPE, "What kind is it?", self.posted, &[
                    (BankAccountType::Checking.word(), "Checking"),
                    (BankAccountType::Savings.word(), "Savings"),
                ]))
                button.main { "Continue" }
            }))
            @if !self.view.livemode {
                details.note open[self.fault == Some(Fault::Step(PickFault::NotForTests))] {
                    summary { "Numbers for tests" }
                    p { "Routing number " code { (TEST_ROUTING_NUMBER) } }
                    ul {
                        @for (number, what) in TEST_ACCOUNT_NUMBERS {
                            li { code { (number) } ": " (what) }
                        }
                    }
                }
            }
        }
    }

    fn sign_in(&self, unknown: bool) -> Markup {
        let given = self.posted.get(EMAIL).or(self.view.email.as_deref());
        html! {
            @if unknown {
                p.alert role="alert" {
                    "No saved accounts are known under " (given.unwrap_or_default()) "."
                }
                @if let Some(email) = given {
                    (self.form("sign_up", &html! {
                        input type="hidden" name=(EMAIL) value=(email);
                        button.quiet { "Link a bank, and save it under this address" }
                    }))
                }
            }
            p {
                "Accounts that you linked before can be used again, without logging in at your "
                "bank. We send you a code."
            }
            (self.form("sign_in", &html! {
                label for=(EMAIL) { "E-mail address" }
                input id=(EMAIL) name=(EMAIL) type="email" autocomplete="email" required
                    value=[given]
                    aria-describedby=[self.fault.map(|_| "fault")]
                    aria-invalid=[self.fault.map(|_| "true")];
                button.main { "Send me a code" }
            }))
            (self.button("back", "quiet", "Continue without"))
        }
    }

    fn code(&self) -> Markup {
        html! {
            p {
                "We sent a code of six digits to "
                strong { (self.view.email.as_deref().unwrap_or("you")) } "."
            }
            (self.form("code", &html! {
                label for=(CODE) { "Code" }
                input.code id=(CODE) name=(CODE) inputmode="numeric" maxlength="12" required
                    autocomplete="one-time-code"
                    aria-describedby=[self.fault.map(|_| "fault")]
                    aria-invalid=[self.fault.map(|_| "true")];
                button.main { "Continue" }
            }))
            p.note { "Test mode: nothing was sent, and any six digits are right." }
        }
    }

    fn ended(&self, end: FlowEnd) -> (String, Markup) {
        let view = self.view;
        match end {
            FlowEnd::Linked => {
                let title = match view.linked.len() {
                    1 => "Your account is linked".to_owned(),
                    many => format!("{many} accounts are linked"),
                };
                let list = html! {
                    ul.linked {
                        @for choice in &view.linked {
                            li {
                                (mark(&choice.institution_name))
                                span.text {
                                    strong { (choice.name) }
                                    span { (words::account(choice)) }
                                }
                            }
                        }
                    }
                    @if let Some(email) = &view.sign_up {
                        p.note { "You can use them again under " (email) "." }
                    }
                };
                let text = format!("{} can now read what you agreed to.", view.merchant_name);
                (title, html! { (list) (self.end(&text)) })
            }
            FlowEnd::NumbersEntered => {
                let last4 = view.last4.as_deref().unwrap_or_default();
                let more = if view.payment {
                    " Two small deposits may arrive in the next days, to confirm that it is yours."
                } else {
                    ""
                };
                let text = format!("Your account ending in {last4} was saved.{more}");
                ("Your bank details are saved".into(), self.end(&text))
            }
            FlowEnd::Cancelled => {
                ("You left".into(), self.end("Nothing was linked, and nothing was shared."))
            }
            FlowEnd::Failed => {
                ("Nothing was linked".into(), self.end("You can try again later, where you began."))
            }
        }
    }

    /// The end: a way back for every kind of browser. The script shows the button where a page
    /// waits that can be told.
    fn end(&self, text: &str) -> Markup {
        let back = self.view.return_url.as_deref().filter(|url| goes_somewhere(url));
        html! {
            p { (text) }
            button.main type="button" hidden data-done { "Done" }
            div data-alone {
                @if let Some(url) = back {
                    a.main href=(url) rel="noreferrer" { "Done" }
                } @else {
                    p.note { "You may close this page." }
                }
            }
        }
    }
}

/// Whether a link may lead there: to a page or into an app, never to a script.
fn goes_somewhere(url: &str) -> bool {
    const NEVER: [&str; 6] = ["javascript", "data", "vbscript", "file", "blob", "about"];
    url::Url::parse(url).is_ok_and(|url| !NEVER.contains(&url.scheme()))
}

/// A bank as a row of the list shows it.
pub(super) fn row(name: &str) -> Markup {
    html! {
        (mark(name))
        span.text { strong { (name) } span { (words::address(name)) } }
    }
}

fn mark(name: &str) -> Markup {
    let (letters, colour) = words::mark(name);
    html! { span class=(format!("mark m{colour}")) aria-hidden="true" { (letters) } }
}

/// An account that can be picked, or is shown with why it cannot.
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

/// A choice of a few words, the first of which is taken unless another was posted.
fn choice_of(name: &str, legend: &str, posted: &Posted, options: &[(&str, &str)]) -> Markup {
    let given = posted.get(name).filter(|given| options.iter().any(|(word, _)| word == given));
    let checked = given.or(options.first().map(|(word, _)| *word));
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
