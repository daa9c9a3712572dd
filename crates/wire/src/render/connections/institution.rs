//! An institution (`financial_connections.institution`): in preview at Stripe, and in our
//! catalogue of test banks extended by the accounts that each has and what they do.

use crate::json::JsonWriter;
use model::Word;
use model::account::{Category, Subcategory};
use model::bank::Feature;
use model::id::InstitutionId;

/// The value of `object`.
pub const OBJECT: &str = "financial_connections.institution";

/// Whether an institution can be linked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstitutionStatus {
    /// It can.
    Active,
    /// Often it cannot.
    Degraded,
    /// It cannot.
    Inactive,
}

/// An institution as the catalogue shows it.
#[derive(Clone, Copy, Debug)]
pub struct Institution<'a> {
    /// Its id.
    pub id: InstitutionId,
    /// Its name, by which a link picks it too.
    pub name: &'a str,
    /// Whether it can be linked now.
    pub status: InstitutionStatus,
    /// Whether the holder logs in on the bank's own page.
    pub oauth: bool,
    /// Which data it gives.
    pub features: &'a [Feature],
    /// Whether its accounts can pay.
    pub payment_method: bool,
    /// What it does, in a sentence.
    pub description: &'a str,
    /// Its test accounts.
    pub accounts: &'a [TestAccount<'a>],
}

/// An account of a test bank.
#[derive(Clone, Copy, Debug)]
pub struct TestAccount<'a> {
    /// Its name, by which a link picks it.
    pub name: &'a str,
    /// Its kind.
    pub category: Category,
    /// Its kind within the category.
    pub subcategory: Subcategory,
    /// The last four digits of its number.
    pub last4: Option<&'a str>,
    /// Whether a link that names no accounts takes it.
    pub preselected: bool,
    /// What it does, in a sentence.
    pub description: &'a str,
}

/// Writes a test bank: all of them are American and have no page in the web.
pub fn write(writer: &mut JsonWriter, institution: &Institution<'_>) {
    writer.object(|w| {
        w.key("id").plain(institution.id.text().as_str());
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
        w.key("routing_numbers").array(|_| {});
        w.key("status").plain(match institution.status {
            InstitutionStatus::Active => "active",
            InstitutionStatus::Degraded => "degraded",
            InstitutionStatus::Inactive => "inactive",
        });
        w.key("url").null();
    });
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

    /// A test bank shows what it gives, its accounts and what they do.
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
