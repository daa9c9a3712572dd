//! Scenarios of a merchant, and the banks that the merchant sees because of them.
//!
//! A scenario is read only during a link flow, because an account that was linked from one contains
//! all that it needs. So a scenario may be deleted at any time.

mod export;

use crate::Lab;
use crate::opaque::{fields_of, read_fields};
use crate::render::scenario::{ScenarioBank, ShownScenario, write};
use connectors::sandbox::scenario::{self as bank, ready};
use engine::{ApiResponse, Context, Error, list_body, made_within, render, settled};
use model::clock::AccountTime;
use model::id::{MerchantId, ScenarioId};
use model::limits::SCENARIOS_MAX;
use model::opaque::OpaqueObject;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{
    Bounds, ChangeObject, CreateObject, Cursor, Kind, ListObjects, Object, ObjectsOf, Page, Store,
};
use wire::error::Error as ApiError;
use wire::list::PageParams;

/// The source of a new scenario.
#[derive(Clone, Debug)]
pub enum ScenarioInput {
    /// A file of TOML or JSON.
    Text(String),
    /// The name of a file that comes with the server.
    Ready(String),
}

/// A scenario of a merchant. Accounts that were linked from it contain all that they need, so
/// deleting it changes none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scenario {
    /// The scenario's id.
    pub(crate) id: ScenarioId,
    /// The merchant that owns it.
    pub(crate) merchant: MerchantId,
    /// Raised by every change.
    pub(crate) version: u64,
    /// The time of creation.
    pub(crate) created: AccountTime,
    /// True if the scenario was deleted. Its banks cannot be linked any more.
    pub(crate) deleted: bool,
    /// The file, at most [`model::limits::SCENARIO_BYTES_MAX`] bytes.
    pub(crate) text: String,
}

/// A scenario as a stored object.
type StoredScenario = OpaqueObject<ScenarioId>;

/// The fields of a stored scenario that the store does not know.
#[derive(Serialize, Deserialize)]
struct Fields {
    text: String,
}

impl Scenario {
    /// Reads a stored scenario.
    fn read(object: StoredScenario) -> Result<Self, Error> {
        let OpaqueObject { id, merchant, version, created, deleted, fields } = object;
        let Fields { text } = read_fields(fields)?;
        Ok(Self { id, merchant, version, created, deleted, text })
    }

    /// The object to store.
    fn object(self) -> StoredScenario {
        let Self { id, merchant, version, created, deleted, text } = self;
        let fields = fields_of(&Fields { text });
        OpaqueObject { id, merchant, version, created, deleted, fields }
    }
}

/// Returns the banks of a merchant's scenarios, the newest scenario first.
pub(crate) async fn banks_of(
    store: &Store,
    merchant: MerchantId,
) -> Result<Vec<Arc<bank::Scenario>>, Error> {
    let list = ListObjects {
        merchant,
        kind: Kind::Scenario,
        of: ObjectsOf::All,
        created: Bounds::default(),
        page: Page {
            limit: u32::try_from(SCENARIOS_MAX).unwrap_or(u32::MAX),
            cursor: Cursor::Newest,
        },
    };
    let listed = store.read(list).await?;
    let mut banks = Vec::with_capacity(listed.items.len());
    for object in listed.items {
        if let Object::Scenario(stored) = object {
            // A file that only an earlier release could read offers no banks.
            banks.extend(bank::Scenario::read(&Scenario::read(stored)?.text).ok().map(Arc::new));
        }
    }
    Ok(banks)
}

impl Lab {
    /// Stores a scenario.
    pub async fn create_scenario(
        &self,
        context: &Context,
        input: &ScenarioInput,
    ) -> Result<ApiResponse, Error> {
        let text = match input {
            ScenarioInput::Text(text) => text.clone(),
            ScenarioInput::Ready(name) => {
                ready::find(name).map(str::to_owned).ok_or_else(|| {
                    let known: Vec<&str> = ready::names().collect();
                    let message = format!(
                        "No ready scenario is called '{name}'; there are: {}.",
                        known.join(", ")
                    );
                    ApiError::invalid(message).param("name")
                })?
            }
        };
        let read = read(&text)?;
        let scenario = Scenario {
            id: ScenarioId::from_number(self.engine.next_number()),
            merchant: context.merchant,
            version: 1,
            created: self.engine.clock().account_now(),
            deleted: false,
            text,
        };
        let body = scenario_body(&scenario, &read, true);
        let create = CreateObject {
            kind_max: Some(SCENARIOS_MAX),
            reply: context.reply(&self.engine, &body),
            ..CreateObject::of(Object::Scenario(scenario.object()))
        };
        made_within(self.engine.store().write(create).await?, SCENARIOS_MAX, "scenarios")?;
        Ok(ApiResponse::committed(body))
    }

    /// Shows a scenario, with its file.
    pub async fn retrieve_scenario(
        &self,
        context: &Context,
        id: &str,
    ) -> Result<ApiResponse, Error> {
        let scenario = self.get_scenario(context, id).await?;
        let read = read(&scenario.text)?;
        Ok(ApiResponse::unchanged(scenario_body(&scenario, &read, true)))
    }

    /// Deletes a scenario. Accounts that were linked from it keep working.
    pub async fn delete_scenario(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        self.engine
            .change("delete_scenario", async || {
                let mut scenario = self.get_scenario(context, id).await?;
                scenario.deleted = true;
                scenario.version += 1;
                // The row stays, but its file is never read again.
                scenario.text = String::new();
                let body =
                    render(|w| wire::render::deleted::write(w, &scenario.id, "bankfeed.scenario"));
                let change = ChangeObject {
                    reply: context.reply(&self.engine, &body),
                    ..ChangeObject::of(Object::Scenario(scenario.object()))
                };
                if settled(self.engine.store().write(change).await?)? {
                    return Ok(Some(ApiResponse::committed(body)));
                }
                Ok(None)
            })
            .await
    }

    /// Lists scenarios, without their files.
    pub async fn list_scenarios(
        &self,
        context: &Context,
        page: &PageParams,
    ) -> Result<ApiResponse, Error> {
        let (all, created) = (ObjectsOf::All, Bounds::default());
        let listed = self.engine.list::<StoredScenario>(context, all, created, page).await?;
        let mut bodies = Vec::with_capacity(listed.items.len());
        for stored in listed.items {
            let scenario = Scenario::read(stored)?;
            if let Ok(read) = read(&scenario.text) {
                bodies.push(scenario_body(&scenario, &read, false));
            }
        }
        let url = "/v1/test_helpers/financial_connections/scenarios";
        Ok(ApiResponse::unchanged(list_body(url, listed.has_more, &bodies)))
    }

    async fn get_scenario(&self, context: &Context, id: &str) -> Result<Scenario, Error> {
        Scenario::read(self.engine.get::<StoredScenario>(context, id, "id").await?)
    }
}

/// Parses a file. An error names the line and the key.
fn read(text: &str) -> Result<bank::Scenario, Error> {
    bank::Scenario::read(text).map_err(|error| {
        ApiError::invalid(format!("The scenario cannot be read: {error}.")).param("scenario").into()
    })
}

fn scenario_body(scenario: &Scenario, read: &bank::Scenario, with_text: bool) -> Vec<u8> {
    let outline = read.outline();
    let banks: Vec<ScenarioBank<'_>> = outline
        .iter()
        .map(|(id, name, accounts)| ScenarioBank { id: *id, name, accounts })
        .collect();
    let shown = ShownScenario {
        id: scenario.id,
        created: scenario.created,
        name: &read.name,
        description: &read.description,
        banks: &banks,
        text: with_text.then_some(scenario.text.as_str()),
    };
    render(|w| write(w, &shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row that an earlier release wrote is read, and written back with the same fields.
    #[test]
    fn stored_scenarios_of_earlier_releases_are_read() {
        let body = concat!(
            r#"{"id":"ID","merchant":"MERCHANT","version":1,"created":5,"deleted":false,"#,
            r#""text":"name = 'a'"}"#
        );
        let body = body
            .replace("ID", ScenarioId::from_number(7).text().as_str())
            .replace("MERCHANT", MerchantId::from_number(1).text().as_str());
        let stored: StoredScenario = serde_json::from_str(&body).unwrap();
        let scenario = Scenario::read(stored).unwrap();
        assert_eq!(scenario.text, "name = 'a'");
        assert_eq!(serde_json::to_string(&scenario.object()).unwrap(), body);
    }
}
