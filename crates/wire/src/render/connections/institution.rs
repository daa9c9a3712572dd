//! An institution (`financial_connections.institution`). Its calls are in preview at Stripe. Our
//! catalogue of test banks adds the accounts of each bank and their behaviour.

use crate::json::JsonWriter;
use model::Word;
use model::account::{Category, Subcategory};
use model::bank::Feature;
use model::id::InstitutionId;

/// The value of `object`.
pub const OBJECT: &str = "financial_connections.institution";

/// The status of an institution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstitutionStatus {
    /// It can be linked.
    Active,
    /// Links often fail.
    Degraded,
    /// It cannot be linked.
    Inactive,
}

/// An institution as the catalogue shows it.
#[derive(Clone, Copy, Debug)]
pub struct Institution<'a> {
    /// Its id.
    pub id: InstitutionId,
    /// Its name, which also selects it in a link.
    pub name: &'a str,
    /// Its status.
    pub status: InstitutionStatus,
    /// True if the holder logs in on the bank's own page.
    pub oauth: bool,
    /// The features that it offers.
    pub features: &'a [Feature],
    /// True if its accounts can pay.
    pub payment_method: bool,
    /// Its behaviour in a sentence.
    pub description: &'a str,
    /// Its test accounts.
    pub accounts: &'a [TestAccount<'a>],
}

/// An account of a test bank.
#[derive(Clone, Copy, Debug)]
pub struct TestAccount<'a> {
    /// Its name, which selects it in a link.
    pub name: &'a str,
    /// Its kind.
    pub category: Category,
    /// Its kind within the category.
    pub subcategory: Subcategory,
    /// The last four digits of its number.
    pub last4: Option<&'a str>,
    /// True if a link that names no accounts takes it.
    pub preselected: bool,
    /// Its behaviour in a sentence.
    pub description: &'a str,
}

/// Writes a test bank. All test banks are American and have no web page.
pub fn write(writer: &mut JsonWriter, institution: &Institution<'_>) {
    writer.object(|w| {
        w.key("id").plain(institution.id.text());
        w.key("object").plain(OBJECT);
        w.key("accounts").array(|w| {
            for account in institution.accounts {
                write_account(w, account);
            }
        });
        w.key("countries").strings(["US"]);
        w.key("description").string(institution.description);
        w.key("features").object(|w| write_features(w, institution));
        w.key("livemode").boolean(false);
        w.key("name").string(institution.name);
        w.key("oauth").boolean(institution.oauth);
        write_end(w, institution);
    });
}

/// Writes an institution with Stripe's own keys, which are those that stripe-python 16.1.0b1 declares.
pub fn write_plain(writer: &mut JsonWriter, institution: &Institution<'_>) {
    writer.object(|w| {
        w.key("id").plain(institution.id.text());
        w.key("object").plain(OBJECT);
        w.key("countries").strings(["US"]);
        w.key("features").object(|w| write_features(w, institution));
        w.key("livemode").boolean(false);
        w.key("name").string(institution.name);
        write_end(w, institution);
    });
}

fn write_end(w: &mut JsonWriter, institution: &Institution<'_>) {
    w.key("routing_numbers").array(|_| {});
    w.key("status").plain(match institution.status {
        InstitutionStatus::Active => "active",
        InstitutionStatus::Degraded => "degraded",
        InstitutionStatus::Inactive => "inactive",
    });
    w.key("url").null();
}

fn write_features(w: &mut JsonWriter, institution: &Institution<'_>) {
    let gives = |feature| institution.features.contains(&feature);
    for (name, supported) in [
        ("balances", gives(Feature::Balance)),
        ("ownership", gives(Feature::Ownership)),
        ("payment_method", institution.payment_method),
        ("transactions", gives(Feature::Transactions)),
    ] {
        w.key(name).object(|w| {
            w.key("supported").boolean(supported);
        });
    }
}

fn write_account(w: &mut JsonWriter, account: &TestAccount<'_>) {
    w.object(|w| {
        w.key("category").plain(account.category.word());
        w.key("description").string(account.description);
        w.key("last4").optional_string(account.last4);
        w.key("name").string(account.name);
        w.key("preselected").boolean(account.preselected);
        w.key("subcategory").plain(account.subcategory.word());
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples::indented;

    /// A test bank shows its features and its accounts with their behaviour.
    #[test]
    fn writes_a_test_bank() {
        let account = TestAccount {
            name: "Success",
            category: Category::Cash,
            subcategory: Subcategory::Checking,
            last4: Some("6789"),
            preselected: true,
            description: "Every refresh succeeds.",
        };
        let institution = Institution {
            id: InstitutionId::from_number(1),
            name: "Test (Non-OAuth)",
            status: InstitutionStatus::Active,
            oauth: false,
            features: &[Feature::Balance, Feature::Transactions],
            payment_method: true,
            description: "Links without a redirect.",
            accounts: &[account],
        };
        insta::assert_snapshot!(indented(|w| write(w, &institution)), @r#"
        {
          "id": "fcinst_00000000001DKIW8Qzo59LSR",
          "object": "financial_connections.institution",
          "accounts": [
            {
              "category": "cash",
              "description": "Every refresh succeeds.",
              "last4": "6789",
              "name": "Success",
              "preselected": true,
              "subcategory": "checking"
            }
          ],
          "countries": [
            "US"
          ],
          "description": "Links without a redirect.",
          "features": {
            "balances": {
              "supported": true
            },
            "ownership": {
              "supported": false
            },
            "payment_method": {
              "supported": true
            },
            "transactions": {
              "supported": true
            }
          },
          "livemode": false,
          "name": "Test (Non-OAuth)",
          "oauth": false,
          "routing_numbers": [],
          "status": "active",
          "url": null
        }
        "#);
    }
}
