//! A linked bank account (`financial_connections.account`).
//!
//! Older versions see less, and previews also see the authorization, the institution and the cause
//! of inactivity ([`change`](crate::change)). A disconnected account shows no bank data, so its
//! balance and its owners are null.

use crate::change::{ACCOUNT_NUMBERS, DEACTIVATION_FORESEEN, INSTITUTION, NUMBER_STATES, RELINK};
use crate::json::JsonWriter;
use crate::render::{View, write_holder};
use crate::version::Version;
use model::Word;
use model::account::{Account, AccountStatus, NumberStatus};
use model::bank::{Balance, BalanceType, Feature};
use model::money::Currency;
use model::refresh::RefreshState;
use std::collections::BTreeMap;

/// The value of `object`.
pub const OBJECT: &str = "financial_connections.account";

/// Writes an account.
pub fn write(writer: &mut JsonWriter, account: &Account, view: &View<'_>) {
    let version = view.version;
    writer.object(|w| {
        w.key("id").plain(account.id.text());
        w.key("object").plain(OBJECT);
        w.key("account_holder");
        write_holder(w, account.holder.as_ref());
        if version.has(&ACCOUNT_NUMBERS) {
            write_numbers(w, account, version);
        }
        if version.has(&RELINK) {
            w.key("authorization").plain(account.authorization.text());
        }
        w.key("balance");
        write_balance(w, account.balance.as_ref().filter(|_| !view.browser));
        write_refresh(w, "balance_refresh", account, Feature::Balance, view);
        w.key("category").plain(account.category.word());
        w.key("created").integer(account.created.0);
        w.key("display_name").optional_string(account.display_name.as_deref());
        if version.has(&INSTITUTION) {
            let feature = Feature::InferredBalances;
            write_refresh(w, "inferred_balances_refresh", account, feature, view);
            w.key("institution").plain(account.institution.text());
        }
        w.key("institution_name").string(&account.institution_name);
        w.key("last4").optional_string(account.last4.as_deref());
        w.key("livemode").boolean(account.livemode);
        write_ownership(w, account, view);
        write_refresh(w, "ownership_refresh", account, Feature::Ownership, view);
        w.key("permissions").strings(account.permissions.iter().map(|item| item.word()));
        w.key("status").plain(account.status.word());
        if version.has(&DEACTIVATION_FORESEEN) || version.has(&RELINK) {
            w.key("status_details").object(|w| write_status_details(w, account, version));
        }
        w.key("subcategory").plain(account.subcategory.word());
        let subscriptions = account.subscriptions();
        let is_known =
            |feature: &&Feature| version.has(&INSTITUTION) || **feature == Feature::Transactions;
        let subscriptions = subscriptions.iter().filter(is_known);
        w.key("subscriptions").strings(subscriptions.map(|feature| feature.word()));
        let payable = account.supported_payment_method_types.iter();
        w.key("supported_payment_method_types").strings(payable.map(|item| item.word()));
        write_refresh(w, "transaction_refresh", account, Feature::Transactions, view);
    });
}

fn write_numbers(w: &mut JsonWriter, account: &Account, version: &Version) {
    w.key("account_numbers");
    if account.account_numbers.is_empty() {
        w.null();
        return;
    }
    w.array(|w| {
        for number in &account.account_numbers {
            w.object(|w| {
                let expiry = number.expected_expiry_at.map(|at| at.0);
                w.key("expected_expiry_date").optional_integer(expiry);
                w.key("identifier_type").plain(number.identifier_type.word());
                let status = match number.status {
                    NumberStatus::Expired if !version.has(&NUMBER_STATES) => {
                        NumberStatus::Deactivated
                    }
                    status => status,
                };
                w.key("status").plain(status.word());
                w.key("supported_networks").strings(["ach"]);
            });
        }
    });
}

/// Writes a balance, or null if there is none.
pub fn write_balance(w: &mut JsonWriter, balance: Option<&Balance>) {
    let Some(balance) = balance else {
        w.null();
        return;
    };
    let (kind, detail) = match balance.balance_type {
        BalanceType::Cash => ("cash", "available"),
        BalanceType::Credit => ("credit", "used"),
    };
    w.object(|w| {
        w.key("as_of").integer(balance.as_of.0);
        w.key(kind).object(|w| {
            w.key(detail);
            match &balance.available_or_used {
                Some(money) => write_money(w, money),
                None => {
                    w.null();
                }
            }
        });
        w.key("current");
        write_money(w, &balance.current);
        w.key("type").plain(balance.balance_type.word());
    });
}

fn write_money(w: &mut JsonWriter, money: &BTreeMap<Currency, i64>) {
    w.object(|w| {
        for (currency, amount) in money {
            w.key_text(currency.as_str()).integer(*amount);
        }
    });
}

fn write_ownership(w: &mut JsonWriter, account: &Account, view: &View<'_>) {
    let shown = account.status != AccountStatus::Disconnected && !view.browser;
    w.key("ownership");
    match account.ownership.filter(|_| shown) {
        Some(id) => w.plain(id.text()),
        None => w.null(),
    };
}

fn write_refresh(
    w: &mut JsonWriter,
    name: &'static str,
    account: &Account,
    feature: Feature,
    view: &View<'_>,
) {
    w.key(name);
    let Some(state) = account.refresh(feature).filter(|_| !view.browser) else {
        w.null();
        return;
    };
    w.object(|w| {
        if let Some(cause) = state.cause.filter(|_| view.preview_errors) {
            w.key("error").object(|w| {
                w.key("code").plain(cause.word());
                w.key("message").string(cause.message());
                w.key("next_step").plain(cause.next_step().word());
            });
        }
        if feature == Feature::Transactions
            && let Some(id) = account.transaction_refresh_id()
        {
            w.key("id").plain(id.text());
        }
        w.key("last_attempted_at").integer(state.last_attempted_at.0);
        w.key("next_refresh_available_at").optional_integer(next_available(account, state));
        w.key("status").plain(state.status.word());
    });
}

/// Returns the time of the next refresh. `None` while a refresh is pending, or if none can be
/// requested.
fn next_available(account: &Account, state: &RefreshState) -> Option<i64> {
    if state.is_pending() || !account.is_active() {
        return None;
    }
    state.next_refresh_available_at.map(|at| at.0)
}

fn write_status_details(w: &mut JsonWriter, account: &Account, version: &Version) {
    match (account.status, &account.expected_deactivation) {
        (AccountStatus::Active, Some(expected)) if version.has(&DEACTIVATION_FORESEEN) => {
            w.key("active").object(|w| {
                w.key("action").plain(expected.action.word());
                w.key("cause").plain(expected.cause.word());
                w.key("expected_deactivation_date").integer(expected.at.0);
            });
        }
        (AccountStatus::Inactive { cause, action }, _) if version.has(&RELINK) => {
            w.key("inactive").object(|w| {
                w.key("action").plain(action.word()).key("cause").plain(cause.word());
            });
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples::{self, indented, view, written};
    use model::account::{
        AccountNumber, ExpectedCause, ExpectedDeactivation, InactiveCause, NumberType, StatusAction,
    };
    use model::clock::AccountTime;
    use model::refresh::RefreshCause;
    use testkit::show;

    fn read(account: &Account, view: &View<'_>) -> serde_json::Value {
        let json = written(|w| write(w, account, view));
        serde_json::from_str(&json).unwrap()
    }

    /// An account that was just linked has every key, with null for data that was not fetched.
    #[test]
    fn writes_a_fresh_account() {
        let account = samples::account();
        let fresh = indented(|w| write(w, &account, &view()));
        insta::assert_snapshot!(fresh, @r#"
        {
          "id": "fca_00000000001N2iOZR8XeONQK",
          "object": "financial_connections.account",
          "account_holder": {
            "customer": "cus_00000000001ULCH2dEOE6ByZ",
            "type": "customer"
          },
          "account_numbers": null,
          "balance": null,
          "balance_refresh": null,
          "category": "cash",
          "created": 1700000000,
          "display_name": "Success",
          "institution_name": "Test (Non-OAuth)",
          "last4": "6789",
          "livemode": false,
          "ownership": null,
          "ownership_refresh": null,
          "permissions": [
            "balances",
            "transactions"
          ],
          "status": "active",
          "status_details": {},
          "subcategory": "checking",
          "subscriptions": [],
          "supported_payment_method_types": [],
          "transaction_refresh": null
        }
        "#);
    }

    /// An account in use shows its data, refreshes, holder and owners.
    #[test]
    fn writes_an_account_in_use() {
        let ownership = samples::ownership();
        let mut account = samples::account();
        let usd = |amount| BTreeMap::from([(Currency::USD, amount)]);
        account.balance = Some(Balance {
            as_of: AccountTime(1_700_000_000),
            current: usd(-1_200),
            balance_type: BalanceType::Credit,
            available_or_used: Some(usd(1_200)),
        });
        account.ownership = Some(ownership.id);
        account.subscribed = true;
        account.start_refresh(Feature::Transactions, AccountTime(1_700_000_000));
        account.start_refresh(Feature::Balance, AccountTime(1_700_000_000));
        account.end_refresh(Feature::Balance, None, 60);
        account.account_numbers.push(AccountNumber {
            expected_expiry_at: None,
            identifier_type: NumberType::AccountNumber,
            status: NumberStatus::Transactable,
            announced: false,
        });
        let json = written(|w| write(w, &account, &view()));
        let mut read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["ownership"], ownership.id.to_string());
        for key in ["account_holder", "ownership"] {
            read[key].take();
        }
        insta::assert_snapshot!(show::json(&read), @r#"
        {
          account_numbers: [
            {
              identifier_type: "account_number"
              status: "transactable"
              supported_networks: ["ach"]
              null: expected_expiry_date
            }
          ]
          balance: {
            as_of: 1700000000
            credit: { used: { usd: 1200 } }
            current: { usd: -1200 }
            type: "credit"
          }
          balance_refresh: {
            last_attempted_at: 1700000000
            next_refresh_available_at: 1700000060
            status: "succeeded"
          }
          category: "cash"
          created: 1700000000
          display_name: "Success"
          id: "fca_00000000001N2iOZR8XeONQK"
          institution_name: "Test (Non-OAuth)"
          last4: "6789"
          livemode: false
          object: "financial_connections.account"
          permissions: ["balances", "transactions"]
          status: "active"
          status_details: {}
          subcategory: "checking"
          subscriptions: ["transactions"]
          supported_payment_method_types: []
          transaction_refresh: {
            id: "fctxnref_000000000010000000000001"
            last_attempted_at: 1700000000
            status: "pending"
            null: next_refresh_available_at
          }
          null: account_holder, ownership, ownership_refresh
        }
        "#);
    }

    /// The cause of a failed refresh is shown in previews only.
    #[test]
    fn shows_causes_in_preview_only() {
        let mut account = samples::account();
        account.start_refresh(Feature::Transactions, AccountTime(10));
        account.end_refresh(Feature::Transactions, Some(RefreshCause::InstitutionTimeout), 5);
        let plain = read(&account, &view());
        insta::assert_snapshot!(show::json(&plain["transaction_refresh"]), @r#"
        {
          id: "fctxnref_000000000010000000000001"
          last_attempted_at: 10
          next_refresh_available_at: 15
          status: "failed"
        }
        "#);
        let preview = Version::parse("2026-10-14.preview").unwrap();
        let shown = read(&account, &View::new(&preview, false));
        insta::assert_snapshot!(show::json(&shown["transaction_refresh"]), @r#"
        {
          error: {
            code: "institution_timeout"
            message: "The institution did not respond in time."
            next_step: "retry_later"
          }
          id: "fctxnref_000000000010000000000001"
          last_attempted_at: 10
          next_refresh_available_at: 15
          status: "failed"
        }
        "#);
        let version = Version::default();
        let by_setting = read(&account, &View::new(&version, true));
        assert_eq!(by_setting["transaction_refresh"], shown["transaction_refresh"]);
        assert!(by_setting.get("authorization").is_none());
        assert_eq!(shown["authorization"], account.authorization.to_string());
    }

    /// An expected loss of access is shown. After the loss, previews show its cause. No refresh can
    /// then be requested, and no data can be read after a disconnect.
    #[test]
    fn follows_the_status() {
        let preview = Version::parse("2026-10-14.preview").unwrap();
        let preview = View::new(&preview, false);
        let mut account = samples::account();
        account.ownership = Some(samples::ownership().id);
        account.start_refresh(Feature::Balance, AccountTime(10));
        account.end_refresh(Feature::Balance, None, 5);
        account.expected_deactivation = Some(ExpectedDeactivation {
            at: AccountTime(99),
            cause: ExpectedCause::AccessExpired,
            action: StatusAction::RelinkRequired,
            announced: false,
        });
        let active = read(&account, &view());
        insta::assert_snapshot!(show::json(&active["status_details"]), @r#"
        {
          active: { action: "relink_required", cause: "access_expired", expected_deactivation_date: 99 }
        }
        "#);
        assert_eq!(active["balance_refresh"]["next_refresh_available_at"], 15);

        account.deactivate(InactiveCause::AccessDenied, StatusAction::RelinkRequired).unwrap();
        let inactive = read(&account, &view());
        assert_eq!(inactive["status"], "inactive");
        assert_eq!(inactive["status_details"], serde_json::json!({}));
        assert!(inactive["balance_refresh"]["next_refresh_available_at"].is_null());
        insta::assert_snapshot!(show::json(&read(&account, &preview)["status_details"]), @r#"{ inactive: { action: "relink_required", cause: "access_denied" } }"#);

        account.disconnect().unwrap();
        let disconnected = read(&account, &preview);
        assert_eq!(disconnected["status"], "disconnected");
        assert_eq!(disconnected["status_details"], serde_json::json!({}));
        assert!(disconnected["ownership"].is_null());
    }
}
