//! The list of the tools, with their descriptions, the schemas of their arguments and their functions.

use super::results::ToolError;
use super::{Agent, accounts, deliveries, lists, scenarios};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// A tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    LinkAccount,
    RefreshAccount,
    AdvanceClock,
    RunScenario,
    Judge,
    ExplainDelivery,
    ListAccounts,
    ListTransactions,
    ListEvents,
    ListDeliveries,
    ListBanks,
    ListScenarios,
}

/// The arguments of a tool without any.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoArguments {}

impl Tool {
    pub(super) const ALL: [Self; 12] = [
        Self::LinkAccount,
        Self::RefreshAccount,
        Self::AdvanceClock,
        Self::RunScenario,
        Self::Judge,
        Self::ExplainDelivery,
        Self::ListAccounts,
        Self::ListTransactions,
        Self::ListEvents,
        Self::ListDeliveries,
        Self::ListBanks,
        Self::ListScenarios,
    ];

    /// Finds a tool by its name.
    pub(super) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::LinkAccount => "link_account",
            Self::RefreshAccount => "refresh_account",
            Self::AdvanceClock => "advance_clock",
            Self::RunScenario => "run_scenario",
            Self::Judge => "judge",
            Self::ExplainDelivery => "explain_delivery",
            Self::ListAccounts => "list_accounts",
            Self::ListTransactions => "list_transactions",
            Self::ListEvents => "list_events",
            Self::ListDeliveries => "list_deliveries",
            Self::ListBanks => "list_banks",
            Self::ListScenarios => "list_scenarios",
        }
    }

    /// The description, which an agent reads to choose a tool.
    fn description(self) -> &'static str {
        match self {
            Self::LinkAccount => {
                "Link bank accounts at a test bank without a browser. Creates the customer, the \
                 test clock and the session that are not named. Returns the accounts."
            }
            Self::RefreshAccount => {
                "Refresh the balance, the owners or the transactions of a linked account, and wait \
                 for the end. A failed refresh is a result, not an error."
            }
            Self::AdvanceClock => {
                "Advance a test clock, and wait until all due work and the first attempt of each \
                 webhook are done. Each day brings the bank's changes and the daily refreshes."
            }
            Self::RunScenario => {
                "Load a scenario, which is a bank with a timeline, link its accounts on a new test \
                 clock, subscribe them and advance the clock. list_scenarios shows the ready ones."
            }
            Self::Judge => {
                "Report the behaviour of the client with this key that would lose data in \
                 production, with its requests and the fix of each finding. Calls of these tools \
                 do not count."
            }
            Self::ExplainDelivery => {
                "Explain a webhook delivery, or all deliveries of an event: the attempts, the \
                 responses, the likely cause of a failure and the next attempt."
            }
            Self::ListAccounts => "List linked bank accounts, newest first.",
            Self::ListTransactions => {
                "List the transactions of a linked account, newest first. Needs a successful \
                 refresh of the transactions."
            }
            Self::ListEvents => "List events, newest first.",
            Self::ListDeliveries => "List webhook deliveries with their attempts, newest first.",
            Self::ListBanks => "List the test banks with their accounts and their behaviour.",
            Self::ListScenarios => {
                "List the scenarios that come with the server, and those that this key has loaded."
            }
        }
    }

    /// The schema of the arguments.
    fn schema(self) -> Value {
        match self {
            Self::LinkAccount => schema_of::<accounts::Link>(),
            Self::RefreshAccount => schema_of::<accounts::Refresh>(),
            Self::AdvanceClock => schema_of::<accounts::Advance>(),
            Self::RunScenario => schema_of::<scenarios::RunScenario>(),
            Self::Judge => schema_of::<lists::Judge>(),
            Self::ExplainDelivery => schema_of::<deliveries::Explain>(),
            Self::ListAccounts => schema_of::<lists::Accounts>(),
            Self::ListTransactions => schema_of::<lists::Transactions>(),
            Self::ListEvents => schema_of::<lists::Events>(),
            Self::ListDeliveries => schema_of::<lists::Deliveries>(),
            Self::ListBanks | Self::ListScenarios => schema_of::<NoArguments>(),
        }
    }

    /// True if the tool changes no object.
    fn is_read_only(self) -> bool {
        match self {
            Self::LinkAccount
            | Self::RefreshAccount
            | Self::AdvanceClock
            | Self::RunScenario
            // It can forget the observations.
            | Self::Judge => false,
            Self::ExplainDelivery
            | Self::ListAccounts
            | Self::ListTransactions
            | Self::ListEvents
            | Self::ListDeliveries
            | Self::ListBanks
            | Self::ListScenarios => true,
        }
    }

    /// The definition, as the protocol lists it.
    pub(super) fn definition(self) -> Value {
        json!({
            "name": self.name(),
            "description": self.description(),
            "inputSchema": self.schema(),
            "annotations": {
                "readOnlyHint": self.is_read_only(),
                // It can forget the observations.
                "destructiveHint": self == Self::Judge,
                "openWorldHint": false,
            },
        })
    }

    /// Calls the tool.
    pub(super) async fn call(
        self,
        agent: &Agent,
        arguments: Map<String, Value>,
    ) -> Result<Value, ToolError> {
        match self {
            Self::LinkAccount => accounts::link(agent, read(arguments)?).await,
            Self::RefreshAccount => accounts::refresh(agent, read(arguments)?).await,
            Self::AdvanceClock => accounts::advance(agent, read(arguments)?).await,
            Self::RunScenario => scenarios::run(agent, read(arguments)?).await,
            Self::Judge => lists::judge(agent, read(arguments)?).await,
            Self::ExplainDelivery => deliveries::explain(agent, read(arguments)?).await,
            Self::ListAccounts => lists::accounts(agent, read(arguments)?).await,
            Self::ListTransactions => lists::transactions(agent, read(arguments)?).await,
            Self::ListEvents => lists::events(agent, read(arguments)?).await,
            Self::ListDeliveries => lists::deliveries(agent, read(arguments)?).await,
            Self::ListBanks => {
                read::<NoArguments>(arguments)?;
                lists::banks(agent).await
            }
            Self::ListScenarios => {
                read::<NoArguments>(arguments)?;
                scenarios::list(agent).await
            }
        }
    }
}

/// The schema of arguments, without references, because some agents do not follow them.
fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    // They describe the Rust type.
    schema.remove("title");
    schema.remove("description");
    schema.to_value()
}

fn read<T: DeserializeOwned>(arguments: Map<String, Value>) -> Result<T, ToolError> {
    Ok(serde_json::from_value(Value::Object(arguments))?)
}
