//! A Financial Connections Session (`financial_connections.session`).
//!
//! Its accounts are always complete. The other keys depend on the version
//! ([`change`](crate::change)). Only previews see the state of the flow and the UI mode.

use crate::address::HostedPage;
use crate::change::{
    ACCOUNT_NUMBERS, HOSTED_SESSION, INSTITUTION, ONE_COUNTRY, RELINK, SESSION_SETUP, SHOWN_COUNTRY,
};
use crate::json::JsonWriter;
use crate::list::write_list;
use crate::render::connect::token;
use crate::render::connections::account;
use crate::render::{View, write_holder};
use model::Word;
use model::account::Account;
use model::id::{AccountId, IdText};
use model::session::{
    CancelReason, Hosted, ManualEntry, Prefetch, Relink, Session, SessionCopy, SessionFilters,
    SessionStatus,
};
use model::token::BankAccountToken;

/// The value of `object`.
pub const OBJECT: &str = "financial_connections.session";

/// A session and the other objects that it shows.
#[derive(Clone, Copy, Debug)]
pub struct SessionParts<'a> {
    /// The session.
    pub session: &'a Session,
    /// The accounts that it linked.
    pub accounts: &'a [Account],
    /// The token of typed account numbers.
    pub token: Option<&'a BankAccountToken>,
    /// True if the client secret is still valid. Null is shown afterwards.
    pub secret_shown: bool,
}

impl<'a> SessionParts<'a> {
    /// Returns the parts of a session in an event. It shows no secret.
    pub fn of(copy: &'a SessionCopy) -> Self {
        let SessionCopy { session, accounts, token } = copy;
        Self { session, accounts, token: token.as_ref(), secret_shown: false }
    }
}

/// Writes a session.
pub fn write(writer: &mut JsonWriter, parts: &SessionParts<'_>, view: &View<'_>) {
    let session = parts.session;
    let version = view.version;
    let set_up = version.has(&SESSION_SETUP);
    writer.object(|w| {
        w.key("id").plain(session.id.text());
        w.key("object").plain(OBJECT);
        w.key("account_holder");
        write_holder(w, session.holder.as_ref());
        w.key("accounts");
        write_accounts(w, parts, view);
        if let Some(token) = parts.token.filter(|_| set_up) {
            w.key("bank_account_token");
            token::write(w, token);
        }
        let secret_shown = parts.secret_shown || !version.has(&ACCOUNT_NUMBERS);
        let secret = secret_shown.then_some(session.client_secret.as_str());
        w.key("client_secret").optional_string(secret.filter(|secret| !secret.is_empty()));
        if let Some(filters) = &session.filters {
            w.key("filters").object(|w| write_filters(w, filters, view));
        }
        if let Some(hosted) = session.hosted.as_ref().filter(|_| version.has(&HOSTED_SESSION)) {
            w.key("hosted").object(|w| write_hosted(w, hosted));
        }
        if let Some(accounts_max) = session.accounts_max.filter(|_| session.limits_given && set_up)
        {
            w.key("limits").object(|w| {
                w.key("accounts").integer(i64::from(accounts_max));
            });
        }
        w.key("livemode").boolean(session.livemode);
        let is_known = |mode: &ManualEntry| {
            version.has(&INSTITUTION) || (set_up && *mode != ManualEntry::Custom)
        };
        if let Some(mode) = session.manual_entry.filter(is_known) {
            w.key("manual_entry").object(|w| {
                w.key("mode").plain(mode.word());
            });
        }
        w.key("permissions").strings(session.permissions.iter().map(|item| item.word()));
        w.key("prefetch");
        match &session.prefetch {
            Some(prefetch) => {
                let is_known = |item: &&Prefetch| {
                    version.has(&INSTITUTION) || Prefetch::GENERAL.contains(*item)
                };
                w.strings(prefetch.iter().filter(is_known).map(|item| item.word()))
            }
            None => w.null(),
        };
        if let Some(relink) = session.relink.as_ref().filter(|_| version.has(&RELINK)) {
            write_relink(w, relink, session.status);
        }
        if let Some(url) = &session.return_url {
            w.key("return_url").string(url);
        }
        if version.has(&INSTITUTION) {
            w.key("status").plain(session.status.word());
            w.key("status_details").object(|w| write_status_details(w, session));
        }
        if version.has(&HOSTED_SESSION) {
            write_ui_mode(w, parts, view);
        }
    });
}

fn write_accounts(w: &mut JsonWriter, parts: &SessionParts<'_>, view: &View<'_>) {
    let mut url = "/v1/financial_connections/accounts".to_owned();
    if !parts.accounts.is_empty() {
        url.push_str("?session=");
        url.push_str(parts.session.id.text().as_str());
    }
    write_list(w, &url, false, parts.accounts, |w, account| {
        account::write(w, account, view);
    });
}

/// Writes the UI mode, and the address of a hosted session while it can be opened.
fn write_ui_mode(w: &mut JsonWriter, parts: &SessionParts<'_>, view: &View<'_>) {
    let session = parts.session;
    w.key("ui_mode").plain(session.ui_mode().word());
    let live = session.status == SessionStatus::Pending && parts.secret_shown;
    if session.hosted.is_some() && live {
        let url = view.page(HostedPage::Session, session.merchant, session.id.number());
        w.key("url").optional_string(url.as_deref());
    }
}

/// Writes the target of a relink and its result. The result has all of its keys.
fn write_relink(w: &mut JsonWriter, relink: &Relink, status: SessionStatus) {
    let account = relink.account.map(AccountId::text);
    let authorization = relink.authorization.text();
    w.key("relink_options").object(|w| {
        if let Some(account) = &account {
            w.key("account").plain(account.as_str());
        }
        w.key("authorization").plain(authorization.as_str());
    });
    let succeeded = status == SessionStatus::Succeeded;
    if relink.failure.is_none() && !succeeded {
        return;
    }
    w.key("relink_result").object(|w| {
        let account = account.as_ref().filter(|_| succeeded).map(IdText::as_str);
        w.key("account").optional_plain(account);
        let authorization = Some(authorization.as_str()).filter(|_| succeeded);
        w.key("authorization").optional_plain(authorization);
        w.key("failure_reason").optional_plain(relink.failure.map(Word::word));
    });
}

fn write_hosted(w: &mut JsonWriter, hosted: &Hosted) {
    if let Some(method) = hosted.delivery_method {
        w.key("delivery_method").plain(method.word());
    }
    w.key("return_url").string(&hosted.return_url);
}

fn write_filters(w: &mut JsonWriter, filters: &SessionFilters, view: &View<'_>) {
    w.key("account_subcategories");
    match &filters.account_subcategories {
        Some(subcategories) => w.strings(subcategories.iter().map(|item| item.word())),
        None => w.null(),
    };
    if !view.version.has(&ONE_COUNTRY) {
        w.key("countries");
        match &filters.country {
            Some(country) => w.strings([country.as_str()]),
            None => w.null(),
        };
    }
    if view.version.has(&SHOWN_COUNTRY) {
        w.key("country").optional_string(filters.country.as_deref());
    }
    if let Some(institution) = filters.institution.filter(|_| view.version.has(&INSTITUTION)) {
        w.key("institution").plain(institution.text());
    }
    let support = filters.require_payment_method_support;
    if let Some(support) = support.filter(|_| view.version.has(&SESSION_SETUP)) {
        w.key("require_payment_method_support").plain(support.word());
    }
}

fn write_status_details(w: &mut JsonWriter, session: &Session) {
    if session.status == SessionStatus::Cancelled {
        w.key("cancelled").object(|w| {
            let reason = session.cancel_reason.unwrap_or(CancelReason::Other);
            w.key("reason").plain(reason.word());
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples::{self, indented, view, written};
    use crate::version::Version;
    use model::account::Subcategory;
    use model::session::PaymentMethodSupport;
    use testkit::show;

    fn fresh(session: &Session) -> SessionParts<'_> {
        SessionParts { session, accounts: &[], token: None, secret_shown: true }
    }

    fn read(parts: &SessionParts<'_>, version: &str) -> serde_json::Value {
        let version = Version::parse(version).unwrap();
        let view = View::new(&version, false);
        serde_json::from_str(&written(|w| write(w, parts, &view))).unwrap()
    }

    /// A new session has its secret and an empty list of accounts.
    #[test]
    fn writes_a_fresh_session() {
        insta::assert_snapshot!(
            indented(|w| write(w, &fresh(&samples::session()), &view())),
            @r#"
            {
              "id": "fcsess_00000000001greFq4MeR0GNE",
              "object": "financial_connections.session",
              "account_holder": {
                "customer": "cus_00000000001ULCH2dEOE6ByZ",
                "type": "customer"
              },
              "accounts": {
                "object": "list",
                "data": [],
                "has_more": false,
                "url": "/v1/financial_connections/accounts"
              },
              "client_secret": "fcsess_client_secret_abc",
              "livemode": false,
              "permissions": [
                "balances",
                "transactions"
              ],
              "prefetch": null
            }
            "#
        );
    }

    /// The requested values are repeated, and the country is spelled as in each version.
    #[test]
    fn repeats_requested_values() {
        let mut session = samples::session();
        session.filters = Some(SessionFilters {
            account_subcategories: Some(vec![Subcategory::Checking]),
            country: Some("US".into()),
            institution: None,
            require_payment_method_support: Some(PaymentMethodSupport::All),
        });
        session.prefetch = Some(vec![Prefetch::Balances]);
        session.limits_given = true;
        session.accounts_max = Some(2);
        session.manual_entry = Some(ManualEntry::Disabled);
        session.return_url = Some("https://example.com".into());
        let endive = read(&fresh(&session), "2026-09-30.endive");
        insta::assert_snapshot!(show::json(&endive["filters"]), @r#"{ account_subcategories: ["checking"], country: "US", require_payment_method_support: "all" }"#);
        let dahlia = read(&fresh(&session), "2026-08-26.dahlia");
        insta::assert_snapshot!(show::json(&dahlia["filters"]), @r#"
        {
          account_subcategories: ["checking"]
          countries: ["US"]
          country: "US"
          require_payment_method_support: "all"
        }
        "#);
        insta::assert_snapshot!(show::json(&read(&fresh(&session), "2024-06-20")["filters"]), @r#"{ account_subcategories: ["checking"], countries: ["US"] }"#);
        assert_eq!(endive["prefetch"], serde_json::json!(["balances"]));
        assert_eq!(endive["limits"], serde_json::json!({"accounts": 2}));
        assert_eq!(endive["manual_entry"], serde_json::json!({"mode": "disabled"}));
        assert_eq!(endive["return_url"], "https://example.com");

        session.accounts_max = None;
        assert!(read(&fresh(&session), "2026-09-30.endive").get("limits").is_none());
    }

    /// A session that ended shows its accounts and its status. Its secret may be hidden.
    #[test]
    fn shows_the_end() {
        let account = samples::account();
        let mut session = samples::session();
        session.status = SessionStatus::Succeeded;
        session.accounts = vec![account.id];
        let accounts = [account.clone()];
        let parts = SessionParts { accounts: &accounts, secret_shown: false, ..fresh(&session) };
        let ended = read(&parts, "2026-10-28.endive");
        assert!(ended.get("status").is_none());
        assert_eq!(read(&parts, "2026-10-14.preview")["status"], "succeeded");
        assert!(ended["client_secret"].is_null());
        assert_eq!(ended["accounts"]["data"][0]["id"], account.id.to_string());
        let url = format!("/v1/financial_connections/accounts?session={}", session.id);
        assert_eq!(ended["accounts"]["url"], url);

        session.status = SessionStatus::Cancelled;
        let cancelled = read(&fresh(&session), "2026-10-14.preview");
        insta::assert_snapshot!(show::json(&cancelled["status_details"]), @r#"{ cancelled: { reason: "other" } }"#);
        assert_eq!(cancelled["ui_mode"], "modal");
    }
}
