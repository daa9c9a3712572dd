//! Scenarios that a merchant has given, and the banks that the merchant sees because of them.
//!
//! A scenario is looked at only when somebody links: an account that was linked from one holds all
//! that it needs. So a scenario may be deleted at any time.

mod export;

use crate::context::{made, render, settled, tries};
use crate::list::list_body;
use crate::{Answer, Context, Engine, Error};
use connectors::sandbox::scenario::{self as bank, ready};
use connectors::{Begin, Connector, Input, Institution, LinkError, Step};
use model::id::{MerchantId, ScenarioId};
use model::limits::SCENARIOS_MAX;
use model::scenario::Scenario;
use std::sync::Arc;
use store::{
    Bounds, ChangeObject, CreateObject, Cursor, FindObject, Kind, ListObjects, Object, ObjectsOf,
    Page,
};
use wire::error::Error as Refusal;
use wire::list::PageParams;
use wire::render::test_helpers::scenario::{ScenarioBank, write};

/// What a create says: the file itself, or the name of one that comes with the server.
#[derive(Clone, Debug)]
pub enum ScenarioInput {
    /// A file of TOML or JSON.
    Text(String),
    /// The name of a ready one.
    Ready(String),
}

/// The banks that a merchant may link; none in live mode, since all that there are are test banks.
pub(crate) struct Banks(Option<Connector>);

impl Banks {
    /// All of them, featured ones first.
    pub(crate) fn institutions(&self) -> Vec<Institution> {
        self.0.as_ref().map(Connector::institutions).unwrap_or_default()
    }

    /// A bank by name or id.
    pub(crate) fn find_institution(&self, given: &str) -> Option<Institution> {
        self.0.as_ref().and_then(|connector| connector.find_institution(given))
    }

    /// Begins a link.
    pub(crate) fn begin(&self, begin: &Begin<'_>) -> Result<Step, LinkError> {
        let connector = self.0.as_ref().ok_or(LinkError::UnknownInstitution)?;
        connector.begin(begin)
    }

    /// Goes on with a link after the holder did something.
    pub(crate) fn advance(&self, state: &[u8], input: &Input) -> Result<Step, LinkError> {
        let connector = self.0.as_ref().ok_or(LinkError::UnknownInstitution)?;
        connector.advance(state, input)
    }
}

impl Engine {
    /// The banks of a merchant: those of the server, and those of the merchant's scenarios, of
    /// which the newest come first.
    pub(crate) async fn banks(&self, merchant: MerchantId, livemode: bool) -> Result<Banks, Error> {
        if livemode {
            return Ok(Banks(None));
        }
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
        let listed = self.store.read(list).await?;
        let scenarios = listed.items.iter().filter_map(|object| match object {
            // One that an older server took and this one does not read offers no banks.
            Object::Scenario(scenario) => bank::Scenario::read(&scenario.text).ok().map(Arc::new),
            _ => None,
        });
        let Connector::Sandbox(sandbox) = &self.connector;
        let sandbox = sandbox.clone().with_scenarios(scenarios.collect::<Vec<_>>());
        Ok(Banks(Some(Connector::Sandbox(sandbox))))
    }

    /// Keeps a scenario.
    pub async fn create_scenario(
        &self,
        context: &Context,
        input: &ScenarioInput,
    ) -> Result<Answer, Error> {
        let text = match input {
            ScenarioInput::Text(text) => text.clone(),
            ScenarioInput::Ready(name) => {
                ready::find(name).map(str::to_owned).ok_or_else(|| {
                    let known: Vec<&str> = ready::names().collect();
                    let message = format!(
                        "No ready scenario is called '{name}'; there are: {}.",
                        known.join(", ")
                    );
                    Refusal::invalid(message).param("name")
                })?
            }
        };
        let read = read(&text)?;
        let scenario = Scenario {
            id: ScenarioId::from_number(self.next_number()),
            merchant: context.merchant,
            version: 1,
            created: self.clock.account_now(),
            deleted: false,
            text,
        };
        let body = scenario_body(&scenario, &read, true);
        let create = CreateObject {
            object: Object::Scenario(scenario),
            kind_max: Some(SCENARIOS_MAX),
            events: Vec::new(),
            reply: context.reply(self, &body),
        };
        made(self.store.write(create).await?)?;
        Ok(Answer::committed(body))
    }

    /// Shows a scenario, with its file.
    pub async fn retrieve_scenario(&self, context: &Context, id: &str) -> Result<Answer, Error> {
        let scenario = self.get_scenario(context, id).await?;
        let read = read(&scenario.text)?;
        Ok(Answer::unchanged(scenario_body(&scenario, &read, true)))
    }

    /// Deletes a scenario. Accounts that were linked from it go on.
    pub async fn delete_scenario(&self, context: &Context, id: &str) -> Result<Answer, Error> {
        for _ in tries() {
            let mut scenario = self.get_scenario(context, id).await?;
            scenario.deleted = true;
            scenario.version += 1;
            // The row stays; nobody reads the file again.
            scenario.text = String::new();
            let body =
                render(|w| wire::render::deleted::write(w, &scenario.id, "bankfeed.scenario"));
            let change = ChangeObject {
                object: Object::Scenario(scenario),
                events: Vec::new(),
                reply: context.reply(self, &body),
            };
            if settled(self.store.write(change).await?)? {
                return Ok(Answer::committed(body));
            }
        }
        Err(Error::Locked)
    }

    /// Lists scenarios, without their files.
    pub async fn list_scenarios(
        &self,
        context: &Context,
        page: &PageParams,
    ) -> Result<Answer, Error> {
        let url = "/v1/test_helpers/financial_connections/scenarios";
        let (all, created) = (ObjectsOf::All, Bounds::default());
        let listed = self.list::<Scenario>(context, all, created, page).await?;
        let body = |scenario: &Scenario| {
            let read = read(&scenario.text).ok()?;
            Some(scenario_body(scenario, &read, false))
        };
        let bodies: Vec<Vec<u8>> = listed.items.iter().filter_map(body).collect();
        Ok(Answer::unchanged(list_body(url, listed.has_more, &bodies)))
    }

    async fn get_scenario(&self, context: &Context, given: &str) -> Result<Scenario, Error> {
        let missing = || Refusal::no_such("scenario", given, "id").into();
        let id: ScenarioId = given.parse().map_err(|_| missing())?;
        let merchant = context.merchant;
        let find = FindObject { merchant, kind: Kind::Scenario, number: id.number() };
        match self.store.read(find).await? {
            Some(Object::Scenario(scenario)) if !scenario.deleted => Ok(scenario),
            _ => Err(missing()),
        }
    }
}

/// Reads a file; what is wrong with it is told with line and key.
fn read(text: &str) -> Result<bank::Scenario, Error> {
    bank::Scenario::read(text).map_err(|error| {
        Refusal::invalid(format!("The scenario cannot be read: {error}.")).param("scenario").into()
    })
}

fn scenario_body(scenario: &Scenario, read: &bank::Scenario, with_text: bool) -> Vec<u8> {
    let outline = read.outline();
    let banks: Vec<ScenarioBank<'_>> = outline
        .iter()
        .map(|(id, name, accounts)| ScenarioBank { id: *id, name, accounts })
        .collect();
    let text = with_text.then_some(scenario.text.as_str());
    render(|w| write(w, scenario, (&read.name, &read.description), &banks, text))
}
