//! The results of tools: a JSON object, or an error with the API's message and the next step.

use crate::advance::NO_CLOCK;
use crate::server::ServerError;
use serde_json::{Value, json};
use std::error::Error;

/// The error of a tool.
#[derive(Debug, thiserror::Error)]
pub(super) enum ToolError {
    /// The arguments do not match the tool's schema.
    #[error("invalid arguments: {0}")]
    Arguments(#[from] serde_json::Error),
    /// A call failed, or its response could not be processed.
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// The result of a tool, as the protocol has it: as JSON, and as text for agents that read text only.
pub(super) fn result_of(done: Result<Value, ToolError>) -> Value {
    let (content, is_error) = match done {
        Ok(value) => (value, false),
        Err(error) => (json!({"error": shown(&error)}), true),
    };
    json!({
        "content": [{"type": "text", "text": content.to_string()}],
        "structuredContent": content,
        "isError": is_error,
    })
}

/// An error as an object. An error of the API has its status, its code, its parameter and its message.
fn shown(error: &ToolError) -> Value {
    let ToolError::Server(error) = error else {
        return json!({
            "message": error.to_string(),
            "help": "Compare the arguments with the input schema of the tool",
        });
    };
    if let ServerError::Rejected { status, code, param, message, .. } = error {
        let or_null = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
        return json!({
            "status": status,
            "code": or_null(code),
            "param": or_null(param),
            "message": message,
            "help": help(error),
        });
    }
    json!({"message": with_causes(error), "help": help(error)})
}

/// The message of an error, with its causes.
pub(super) fn with_causes(error: &ServerError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The advice of an error. Advice that names flags of other commands names the tool or the argument
/// instead.
fn help(error: &ServerError) -> Option<String> {
    let help = match error {
        ServerError::Rejected { param, .. }
            if param == "institution" || param.starts_with("accounts[") =>
        {
            "list_banks returns the banks and their accounts"
        }
        ServerError::Rejected { code, .. }
            if code == "financial_connections_no_successful_transaction_refresh" =>
        {
            "Call refresh_account with the feature transactions first"
        }
        ServerError::Usage { problem, .. } if problem == NO_CLOCK => {
            "Call link_account with new_test_clock, because days pass on a test clock only"
        }
        ServerError::Late { .. } => {
            "Call the tool again with a larger timeout_s. The server continues with the work"
        }
        _ => return error.help(),
    };
    Some(help.to_owned())
}
