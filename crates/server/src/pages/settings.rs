//! The settings page of Financial Connections, for people who have a secret key of the merchant. It
//! shows the registration for live data and the default link requirements of payment objects.
//!
//! `GET` asks for the key. `POST` with a key begins a visit. The forms of the page contain the
//! visit's token. Their `POST` changes a setting and shows the page again.

use super::document::{self, Facts, Page};
use super::fields::STEP;
use super::form::{FORM_BYTES_MAX, Posted};
use super::pieces::alert;
use super::sheet::Sheet;
use crate::http::app::App;
use crate::http::visits::Visitor;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use engine::Context;
use engine::connections::connections_settings::{SettingsInput, ShownSettings};
use maud::{Markup, html};
use model::Word;
use model::account::Permission;
use model::connections_settings::{ConnectionsSettings, Registration, Registrations};
use model::id::RequestId;
use model::session::Prefetch;
use std::sync::Arc;
use wire::expand::Expand;
use wire::version::Version;

const KEY: &str = "key";
const VISIT: &str = "visit";
const REGISTRATION: &str = "registration";
const PERMISSION: &str = "permission";
const PREFETCH: &str = "prefetch";
const TITLE: &str = "Financial Connections";
/// The steps of a visit, which are also the ids of their forms.
const REHEARSE: &str = "rehearse";
const DEFAULTS: &str = "defaults";
/// The id of the form that asks for the key.
const KEY_FORM: &str = "form-key";

/// The message above the forms.
enum Notice {
    None,
    Done(&'static str),
    Fault(String),
}

/// Shows the form that asks for a key.
pub(crate) async fn show(State(app): State<Arc<App>>) -> Response {
    let request = app.next_request(&Method::GET);
    finish("GET /settings", request, ask_for_key(StatusCode::OK, None))
}

/// Takes a key, or the input of another form of the page.
pub(crate) async fn act(State(app): State<Arc<App>>, request: Request) -> Response {
    let id = app.next_request(&Method::POST);
    let bytes = axum::body::to_bytes(request.into_body(), FORM_BYTES_MAX).await;
    let posted = bytes.ok().and_then(|bytes| Posted::read(&bytes)).unwrap_or_default();
    let response = match posted.get(VISIT) {
        Some(token) => go_on(&app, id, token, &posted).await,
        None => match posted.get(KEY).unwrap_or_default().trim() {
            "" => ask_for_key(StatusCode::UNAUTHORIZED, Some("Enter a secret key.")),
            key => begin(&app, id, key).await,
        },
    };
    finish("POST /settings", id, response)
}

fn finish(route: &'static str, id: RequestId, response: Response) -> Response {
    let status = response.status().as_u16();
    tracing::info!(route, status, request.id = %id, "page");
    response
}

async fn begin(app: &App, id: RequestId, key: &str) -> Response {
    let begun = app.begin_visit(key).and_then(|token| Ok((app.find_visitor(&token)?, token)));
    match begun {
        Ok((Some(visitor), token)) => {
            shown(app, id, visitor, &token, StatusCode::OK, &Notice::None).await
        }
        Ok((None, _)) => ask_again(),
        Err(api_error) => ask_for_key(status(&api_error), Some(&api_error.message)),
    }
}

async fn go_on(app: &App, id: RequestId, token: &str, posted: &Posted) -> Response {
    let visitor = match app.find_visitor(token) {
        Ok(Some(visitor)) => visitor,
        Ok(None) => return ask_again(),
        Err(api_error) => return ask_for_key(status(&api_error), Some(&api_error.message)),
    };
    let (input, done) = match posted.get(STEP) {
        Some(REHEARSE) => {
            let rehearse = rehearsed(posted);
            if rehearse.is_empty() {
                let notice = Notice::Fault("Choose only options that this page offers.".to_owned());
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                return shown(app, id, visitor, token, status, &notice).await;
            }
            let input = SettingsInput { rehearse, ..SettingsInput::default() };
            (input, "Saved. Calls of test mode act as if the registration had these states.")
        }
        Some(DEFAULTS) => {
            // Values that this page did not offer must not remove the values that it did offer.
            if !all_words::<Permission>(posted, PERMISSION)
                || !all_words::<Prefetch>(posted, PREFETCH)
            {
                let notice = Notice::Fault("Choose only options that this page offers.".to_owned());
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                return shown(app, id, visitor, token, status, &notice).await;
            }
            let permissions = Some(words(posted, PERMISSION));
            let prefetch = Some(words(posted, PREFETCH));
            (SettingsInput { permissions, prefetch, ..SettingsInput::default() }, "Saved.")
        }
        _ => return shown(app, id, visitor, token, StatusCode::OK, &Notice::None).await,
    };
    let context = context(visitor, id);
    let (status, notice) = match app.engine().update_connections_settings(&context, &input).await {
        Ok(_) => (StatusCode::OK, Notice::Done(done)),
        Err(error) => {
            let api_error = error.api_error();
            (status(&api_error), Notice::Fault(api_error.message))
        }
    };
    shown(app, id, visitor, token, status, &notice).await
}

/// The values of a field that are valid words of this type.
fn words<W: Word>(posted: &Posted, name: &str) -> Vec<W> {
    posted.all(name).filter_map(W::from_word).collect()
}

/// The states of the registration that the form of the page sets.
fn rehearsed(posted: &Posted) -> Registrations {
    let state = |permission: &Permission| {
        let text = posted.get(&field_of(*permission))?;
        Some((*permission, Registration::from_word(text)?))
    };
    Permission::ALL.iter().filter_map(state).collect()
}

/// The field of the form that has the registration for a kind of data.
fn field_of(permission: Permission) -> String {
    format!("{REGISTRATION}-{}", permission.word())
}

/// True if all values of a field are valid words of this type.
fn all_words<W: Word>(posted: &Posted, name: &str) -> bool {
    posted.all(name).all(|word| W::from_word(word).is_some())
}

fn status(api_error: &wire::error::Error) -> StatusCode {
    StatusCode::from_u16(api_error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn context(visitor: Visitor, request: RequestId) -> Context {
    Context {
        merchant: visitor.merchant,
        connected: None,
        livemode: visitor.livemode,
        publishable: false,
        request,
        version: Version::default(),
        expand: Expand::default(),
        idempotency: None,
    }
}

fn ask_again() -> Response {
    let text = "Your visit has ended, with your changes saved. Enter the key again.";
    ask_for_key(StatusCode::UNAUTHORIZED, Some(text))
}

fn ask_for_key(status: StatusCode, fault: Option<&str>) -> Response {
    let body = sheet(
        html! {
            h1 tabindex="-1" autofocus[fault.is_none()] { (TITLE) }
            @if let Some(fault) = fault { (alert("fault", fault)) }
            p { "See and change the settings of a merchant with one of its secret keys." }
            form id=(KEY_FORM) method="post" action="/settings" {
                label for=(KEY) { "Secret key" }
                input id=(KEY) name=(KEY) type="password" autocomplete="off" required
                    spellcheck="false" aria-describedby="key-hint"
                    aria-invalid=[fault.map(|_| "true")];
                p.hint id="key-hint" {
                    "It begins with " code { "sk_live_" } " or " code { "sk_test_" }
                    ". It is sent once and not stored."
                }
            }
        },
        html! { button.main form=(KEY_FORM) { "Show settings" } },
        None,
    );
    let title = if fault.is_some() { "Error: Settings" } else { "Settings" };
    respond(status, title, body)
}

/// Renders the current settings.
async fn shown(
    app: &App,
    id: RequestId,
    visitor: Visitor,
    token: &str,
    status: StatusCode,
    notice: &Notice,
) -> Response {
    let context = context(visitor, id);
    let shown = app.engine().show_connections_settings(&context).await;
    let ShownSettings { settings, registrations } = match shown {
        Ok(shown) => shown,
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(request.id = %id, error, "page failed");
            let text = "No setting was changed. Go back and try again.";
            let page = document::notice("Something went wrong", text);
            return document::respond(StatusCode::INTERNAL_SERVER_ERROR, &page, None);
        }
    };
    let body = html! {
        h1 tabindex="-1" autofocus[matches!(notice, Notice::None)] { (TITLE) }
        @match notice {
            Notice::None => {}
            Notice::Done(text) => { p.done role="status" tabindex="-1" autofocus { (text) } }
            Notice::Fault(text) => { (alert("fault", text)) }
        }
        p.note { "Merchant " code { (visitor.merchant) } }
        h2 { "Live data" }
        (registration_part(visitor, token, &registrations))
        h2 { "Data that payments request" }
        (defaults_part(token, &settings))
    };
    let title = if matches!(notice, Notice::Fault(_)) { "Error: Settings" } else { "Settings" };
    let mode = if visitor.livemode { "Live mode" } else { "Test mode" };
    let actions = html! {
        button.main form=(DEFAULTS) { "Save the defaults" }
        @if !visitor.livemode { button.quiet form=(REHEARSE) { "Simulate these states" } }
    };
    respond(status, title, sheet(body, actions, Some(mode)))
}

fn registration_part(visitor: Visitor, token: &str, registrations: &Registrations) -> Markup {
    html! {
        @if visitor.livemode {
            p { "The operator of this server changes the registration, with "
                code { "bankfeed registration set" } "." }
        } @else {
            p { "Test data needs no registration. To simulate a missing one, \
                 choose another state. Live mode does not change." }
        }
        ul.states {
            @for (permission, state) in registrations {
                li {
                    span { (name(*permission)) }
                    @match state {
                        Registration::Active => { strong.good { (state_name(*state)) } }
                        _ => { span.soft { (state_name(*state)) } }
                    }
                }
            }
        }
        @if !visitor.livemode {
            (form(REHEARSE, token, &html! {
                fieldset.rows {
                    legend { "States to simulate" }
                    @for (permission, state) in registrations {
                        (state_choice(*permission, *state))
                    }
                }
            }))
        }
    }
}

/// The field with the state of one registration.
fn state_choice(permission: Permission, current: Registration) -> Markup {
    let field = field_of(permission);
    html! {
        div {
            label for=(field) { (name(permission)) }
            select id=(field) name=(field) {
                @for state in Registration::ALL {
                    option value=(state.word()) selected[*state == current] {
                        (state_name(*state))
                    }
                }
            }
        }
    }
}

/// The name of a state for people, which is the word of the API.
fn state_name(state: Registration) -> &'static str {
    match state {
        Registration::Unrequested => "Unrequested",
        Registration::Pending => "Pending",
        Registration::Rejected => "Rejected",
        Registration::Active => "Active",
        Registration::Revoked => "Revoked",
    }
}

fn defaults_part(token: &str, settings: &ConnectionsSettings) -> Markup {
    let permissions = settings.collection.requested_permissions(None);
    let prefetch = settings.collection.requested_prefetch(None);
    html! {
        p { "Payments request this data if they set neither payment method types nor permissions. \
             They always request the permission to pay." }
        (form(DEFAULTS, token, &html! {
            fieldset.rows {
                legend { "Request" }
                @for permission in
                    Permission::ALL.iter().filter(|permission| **permission != Permission::PaymentMethod)
                {
                    (choice(PERMISSION, permission.word(), name(*permission),
                        permissions.contains(permission)))
                }
            }
            fieldset.rows {
                legend { "Fetch when the account is linked" }
                @for feature in Prefetch::GENERAL {
                    (choice(PREFETCH, feature.word(), name_of(*feature),
                        prefetch.contains(feature)))
                }
            }
        }))
    }
}

/// Renders a form of the page, with the token of the visit. The step is also the id of the form, which
/// its button in the bar of actions names.
fn form(step: &str, token: &str, body: &Markup) -> Markup {
    html! {
        form id=(step) method="post" action="/settings" {
            input type="hidden" name=(VISIT) value=(token);
            input type="hidden" name=(STEP) value=(step);
            (body)
        }
    }
}

fn choice(field: &str, word: &str, label: &str, checked: bool) -> Markup {
    let id = format!("{field}-{word}");
    html! {
        div {
            input type="checkbox" id=(id) name=(field) value=(word) checked[checked];
            label for=(id) { (label) }
        }
    }
}

/// The name of the data that is fetched, which is that of its permission.
fn name_of(prefetch: Prefetch) -> &'static str {
    prefetch.permissions().first().copied().map_or("", name)
}

/// The name of a kind of data for people.
fn name(permission: Permission) -> &'static str {
    match permission {
        Permission::Balances => "Balances",
        Permission::Ownership => "Owners",
        Permission::PaymentMethod => "Account numbers for payments",
        Permission::Transactions => "Transactions",
    }
}

fn sheet(main: Markup, actions: Markup, note: Option<&'static str>) -> Markup {
    let who = html! { "Settings" };
    Sheet { who, main, actions, note, ..Sheet::default() }.render()
}

fn respond(status: StatusCode, title: &str, body: Markup) -> Response {
    let facts = Facts::default();
    let page = Page { title: format!("{title} – bankfeed"), look: "ours", facts, body };
    document::respond(status, &page, None)
}
