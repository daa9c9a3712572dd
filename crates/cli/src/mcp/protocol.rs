//! The Model Context Protocol on standard input and output: JSON-RPC, one message per line.
//!
//! A thread reads the lines, because a read of standard input cannot be cancelled. Tools run side by
//! side, so a call that waits holds up no other request, and a cancelled call ends at once. When the
//! input is closed, the running calls are completed. All of them have a time limit.
//!
//! Clients that begin with `server/discover` get the error for an unknown method and then use the
//! handshake, as the protocol says.

use super::Agent;
use super::results::result_of;
use super::tools::Tool;
use crate::output::{self, OutputError};
use crate::server::ServerError;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::io::{self, BufRead, Read as _};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::{AbortHandle, JoinSet};

/// The versions of the protocol, the newest last.
const VERSIONS: [&str; 3] = ["2024-11-05", "2025-06-18", "2025-11-25"];
/// The maximum length of a message in bytes. A scenario has at most 256 KiB before it is escaped.
const MESSAGE_BYTES_MAX: u64 = 2 * 1024 * 1024;
/// The maximum number of messages that wait to be read.
const MESSAGES_WAITING_MAX: usize = 16;
/// The maximum number of calls that run at once.
const CALLS_MAX: usize = 16;

/// An error of JSON-RPC: its code and its message.
type Fault = (i32, String);

const INVALID_JSON: i32 = -32_700;
const INVALID_REQUEST: i32 = -32_600;
const UNKNOWN_METHOD: i32 = -32_601;
const INVALID_PARAMS: i32 = -32_602;
const TOO_MANY: i32 = -32_000;

/// The calls that run, by the ids of their requests. Each task returns its id and its result.
#[derive(Default)]
struct Running {
    tasks: JoinSet<(Value, Value)>,
    by_id: HashMap<String, AbortHandle>,
}

/// Serves the tools until the input ends. Must run on a `LocalSet`.
pub(super) async fn serve(agent: &Agent) -> Result<(), ServerError> {
    let mut messages = read_messages();
    let mut running = Running::default();
    let mut is_open = true;
    while is_open || !running.tasks.is_empty() {
        tokio::select! {
            message = messages.recv(), if is_open => match message {
                Some(line) => take(agent, &line.map_err(|error| unreadable(&error))?, &mut running)?,
                None => is_open = false,
            },
            Some(done) = running.tasks.join_next() => {
                // A cancelled call gets no response.
                if let Ok((id, result)) = done {
                    running.by_id.remove(&id.to_string());
                    respond(&id, Ok(result))?;
                }
            }
        }
    }
    Ok(())
}

/// A line of the input.
enum Line {
    Message(Vec<u8>),
    TooLong,
}

/// The lines of standard input, from a thread of its own. The channel closes when the input does.
fn read_messages() -> Receiver<io::Result<Line>> {
    let (sender, messages) = channel(MESSAGES_WAITING_MAX);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Some(line) = read_line(&mut input).transpose() {
            let is_last = line.is_err();
            if sender.blocking_send(line).is_err() || is_last {
                return;
            }
        }
    });
    messages
}

/// Reads the next line. Returns `None` at the end of the input.
fn read_line(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let read = input.by_ref().take(MESSAGE_BYTES_MAX).read_until(b'\n', &mut line)?;
    if read as u64 == MESSAGE_BYTES_MAX && !line.ends_with(b"\n") {
        input.skip_until(b'\n')?;
        return Ok(Some(Line::TooLong));
    }
    Ok((read > 0).then_some(Line::Message(line)))
}

fn unreadable(error: &io::Error) -> ServerError {
    ServerError::Ended {
        problem: format!("could not read the input: {error}"),
        help: "Start the command by a client of the Model Context Protocol".to_owned(),
    }
}

/// Handles a message: starts a call, or responds at once.
fn take(agent: &Agent, line: &Line, running: &mut Running) -> Result<(), OutputError> {
    let Line::Message(line) = line else {
        let problem = format!("a message has at most {MESSAGE_BYTES_MAX} bytes");
        return respond(&Value::Null, Err((INVALID_REQUEST, problem)));
    };
    if line.trim_ascii().is_empty() {
        return Ok(());
    }
    let Ok(message) = serde_json::from_slice::<Value>(line) else {
        return respond(&Value::Null, Err((INVALID_JSON, "the message is not JSON".to_owned())));
    };
    let (id, params) = (&message["id"], &message["params"]);
    let Some(method) = message["method"].as_str() else {
        let is_response = message.get("result").or(message.get("error")).is_some();
        if is_response {
            // This server makes no requests, so it waits for no response.
            return Ok(());
        }
        return respond(id, Err((INVALID_REQUEST, "the message has no method".to_owned())));
    };
    // A number beyond 64 bits would come back as another one.
    if !(id.is_null() || id.is_string() || id.is_i64() || id.is_u64()) {
        let problem = "the id is neither a text nor a whole number of 64 bits".to_owned();
        return respond(&Value::Null, Err((INVALID_REQUEST, problem)));
    }
    if id.is_null() {
        if method == "notifications/cancelled" {
            running.cancel(&params["requestId"]);
        }
        return Ok(());
    }
    match method {
        "initialize" => respond(id, Ok(handshake(agent, params))),
        "ping" => respond(id, Ok(json!({}))),
        "tools/list" => {
            let tools: Vec<Value> = Tool::ALL.iter().map(|tool| tool.definition()).collect();
            respond(id, Ok(json!({"tools": tools})))
        }
        "tools/call" => match running.start(agent, id, params) {
            Ok(()) => Ok(()),
            Err(fault) => respond(id, Err(fault)),
        },
        other => respond(id, Err((UNKNOWN_METHOD, format!("no method '{other}'")))),
    }
}

/// The response to the handshake. An unknown version gets the newest one of this server.
fn handshake(agent: &Agent, params: &Value) -> Value {
    let wanted = params["protocolVersion"].as_str();
    let known = VERSIONS.iter().rev().find(|version| wanted == Some(**version));
    json!({
        "protocolVersion": known.unwrap_or(&VERSIONS[VERSIONS.len() - 1]),
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "bankfeed", "version": env!("CARGO_PKG_VERSION")},
        "instructions": agent.instructions(),
    })
}

impl Running {
    /// Starts the call of a tool.
    fn start(&mut self, agent: &Agent, id: &Value, params: &Value) -> Result<(), Fault> {
        let Some(name) = params["name"].as_str() else {
            return Err((INVALID_PARAMS, "the call has no name of a tool".to_owned()));
        };
        let Some(tool) = Tool::find(name) else {
            let names: Vec<&str> = Tool::ALL.iter().map(|tool| tool.name()).collect();
            let problem = format!("no tool '{name}'. The tools are {}", names.join(", "));
            return Err((INVALID_PARAMS, problem));
        };
        let arguments = match &params["arguments"] {
            Value::Null => Map::new(),
            Value::Object(arguments) => arguments.clone(),
            _ => return Err((INVALID_PARAMS, "arguments is not an object".to_owned())),
        };
        if self.tasks.len() >= CALLS_MAX {
            let problem =
                format!("Limit reached: at most {CALLS_MAX} calls at once. Wait for one.");
            return Err((TOO_MANY, problem));
        }
        let (agent, own_id) = (agent.clone(), id.clone());
        let task = self
            .tasks
            .spawn_local(async move { (own_id, result_of(tool.call(&agent, arguments).await)) });
        self.by_id.insert(id.to_string(), task);
        Ok(())
    }

    /// Ends the call of a request. The calls of the API that it has made remain.
    fn cancel(&mut self, id: &Value) {
        if let Some(task) = self.by_id.remove(&id.to_string()) {
            task.abort();
        }
    }
}

/// Writes the response to a request.
fn respond(id: &Value, outcome: Result<Value, Fault>) -> Result<(), OutputError> {
    let response = match outcome {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err((code, message)) => {
            json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})
        }
    };
    output::say_json_line(&response)
}
