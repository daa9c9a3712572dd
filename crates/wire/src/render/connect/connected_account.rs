//! A connected account (`account`), the platform itself in the same form, and external accounts
//! (`bank_account`).
//!
//! This server has no onboarding. An account therefore has no requirements, and each of its
//! requested capabilities is active.

use crate::render::extra_params::{Shown, leave_out, value as param_value};
use model::Word;
use model::connected_account::{ConnectedAccount, ExternalAccount};
use model::extra_params::ExtraParams;
use model::id::MerchantId;
use serde_json::{Value, json};
use std::sync::LazyLock;

static ACCOUNT: LazyLock<Value> = LazyLock::new(|| {
    let nothing_due = json!({
        "alternatives": [],
        "current_deadline": null,
        "currently_due": [],
        "disabled_reason": null,
        "errors": [],
        "eventually_due": [],
        "past_due": [],
        "pending_verification": [],
    });
    json!({
        "object": "account",
        "business_profile": {
            "annual_revenue": null,
            "estimated_worker_count": null,
            "mcc": null,
            "minority_owned_business_designation": null,
            "name": null,
            "product_description": null,
            "specified_commercial_transactions_act_url": null,
            "support_address": null,
            "support_email": null,
            "support_phone": null,
            "support_url": null,
            "url": null,
        },
        "business_type": null,
        "country": "US",
        "default_currency": "usd",
        "details_submitted": true,
        "email": null,
        "future_requirements": nothing_due.clone(),
        "requirements": nothing_due,
        "settings": {
            "branding": {
                "icon": null,
                "logo": null,
                "primary_color": null,
                "secondary_color": null,
            },
            "card_payments": {
                "decline_on": {"avs_failure": false, "cvc_failure": false},
                "statement_descriptor_prefix": null,
                "statement_descriptor_prefix_kana": null,
                "statement_descriptor_prefix_kanji": null,
            },
            "dashboard": {"display_name": null, "timezone": "Etc/UTC"},
            "payments": {
                "statement_descriptor": null,
                "statement_descriptor_kana": null,
                "statement_descriptor_kanji": null,
            },
            "payouts": {
                "debit_negative_balances": true,
                "schedule": {"delay_days": 2, "interval": "daily"},
                "statement_descriptor": null,
            },
        },
        "tos_acceptance": {"date": null, "ip": null, "user_agent": null},
    })
});

/// Renders a connected account.
pub fn value(account: &ConnectedAccount) -> Value {
    let id = account.account.as_str();
    let mut shown = Shown::of(&ACCOUNT, &account.given);
    let active = |active: bool| if active { "active" } else { "inactive" };
    let capabilities = account.capabilities.iter();
    let capabilities: serde_json::Map<String, Value> =
        capabilities.map(|(name, requested)| (name.clone(), active(*requested).into())).collect();
    let external = account.external_accounts.iter().rev().map(external_account).collect::<Vec<_>>();
    shown
        .put("id", id)
        .put("capabilities", Value::Object(capabilities))
        .put("charges_enabled", account.charges_enabled())
        .put("controller", controller(&account.given))
        .put("created", account.created.0)
        .put("external_accounts", external_list(id, &external, false))
        .put("metadata", json!(account.metadata))
        .put("payouts_enabled", account.payouts_enabled())
        .put("type", type_of(&account.given));
    let mut value = shown.into_value();
    if let Some(groups) = account.given.at(&["groups"]) {
        value["groups"] = param_value(groups);
    }
    value
}

/// Renders a platform as it sees itself, with all capabilities and no requirements.
pub fn platform_value(platform: MerchantId) -> Value {
    let id = platform.to_string();
    let mut shown = Shown::of(&ACCOUNT, &ExtraParams::empty());
    let capabilities = ["transfers", "us_bank_account_ach_payments"];
    let capabilities: serde_json::Map<String, Value> =
        capabilities.iter().map(|name| ((*name).to_owned(), "active".into())).collect();
    shown
        .put("id", id.clone())
        .put("capabilities", Value::Object(capabilities))
        .put("charges_enabled", true)
        .put("controller", json!({"type": "account"}))
        .put("external_accounts", external_list(&id, &[], false))
        .put("metadata", json!({}))
        .put("payouts_enabled", true)
        .put("type", "standard");
    shown.into_value()
}

/// Renders an external account, which receives payouts.
pub fn external_account(external: &ExternalAccount) -> Value {
    let nothing_due = json!({
        "currently_due": [],
        "errors": [],
        "past_due": [],
        "pending_verification": [],
    });
    json!({
        "id": external.id.to_string(),
        "object": "bank_account",
        "account": external.account,
        "account_holder_name": external.holder_name,
        "account_holder_type": external.holder_type.map(Word::word),
        "account_type": external.account_type.map(Word::word),
        "available_payout_methods": ["standard"],
        "bank_name": external.bank_name,
        "country": external.country,
        "currency": external.currency,
        "default_for_currency": external.default_for_currency,
        "fingerprint": external.fingerprint,
        "future_requirements": nothing_due.clone(),
        "last4": external.last4,
        "metadata": external.metadata,
        "requirements": nothing_due,
        "routing_number": external.routing_number,
        "status": "new",
    })
}

/// Renders a list of external accounts.
pub fn external_list(account: &str, data: &[Value], has_more: bool) -> Value {
    json!({
        "object": "list",
        "data": data,
        "has_more": has_more,
        "url": format!("/v1/accounts/{account}/external_accounts"),
    })
}

/// Renders the responsibilities. Each account type has a fixed set of them, and a request without a
/// type chooses them one by one.
fn controller(params: &ExtraParams) -> Value {
    let of_type = |fees: &str, losses: &str, requirements: &str, dashboard: &str| {
        json!({
            "fees": {"payer": fees},
            "is_controller": true,
            "losses": {"payments": losses},
            "requirement_collection": requirements,
            "stripe_dashboard": {"type": dashboard},
            "type": "application",
        })
    };
    let mut shown = match params.text(&["type"]) {
        Some("custom") => of_type("application_custom", "application", "application", "none"),
        Some("express") => of_type("application_express", "application", "stripe", "express"),
        _ => of_type("account", "stripe", "stripe", "full"),
    };
    if let Some(chosen) = params.at(&["controller"]) {
        crate::render::extra_params::merge(&mut shown, param_value(chosen));
        leave_out(&mut shown, "application");
    }
    shown
}

fn type_of(params: &ExtraParams) -> &str {
    let unnamed = if params.at(&["controller"]).is_some() { "none" } else { "standard" };
    params.text(&["type"]).unwrap_or(unnamed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::clock::AccountTime;

    fn account(params: Value) -> Value {
        let platform = MerchantId::from_number(1);
        let mut account = ConnectedAccount::of(platform, "acct_1", false, AccountTime(5));
        account.given = serde_json::from_value(params).unwrap();
        value(&account)
    }

    /// The type decides the responsibilities, or the request does, one by one.
    #[test]
    fn types_stand_for_controllers() {
        let controller_of = |params: Value| {
            let shown = account(params);
            let controller = &shown["controller"];
            let words = [
                &shown["type"],
                &controller["fees"]["payer"],
                &controller["losses"]["payments"],
                &controller["requirement_collection"],
                &controller["stripe_dashboard"]["type"],
            ];
            words.map(|word| word.as_str().unwrap().to_owned()).join(" ")
        };
        let controller = json!({"losses": {"payments": "application"}});
        insta::assert_snapshot!([
            controller_of(json!({})),
            controller_of(json!({"type": "standard"})),
            controller_of(json!({"type": "express"})),
            controller_of(json!({"type": "custom"})),
            controller_of(json!({"controller": controller})),
        ].join("\n"), @"
        standard account stripe stripe full
        standard account stripe stripe full
        express application_express application stripe express
        custom application_custom application application none
        none account application stripe full
        ");
    }
}
