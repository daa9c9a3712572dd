//! Tests of `mcp`: a client of the Model Context Protocol on the standard input and output of the
//! command.

use crate::support::{Server, command};
use serde_json::{Value, json};
use std::process::Stdio;
use testkit::process::Process;

/// A session with the command.
struct Session {
    process: Process,
    requests: u64,
}

impl Session {
    /// Starts the command against a server.
    fn of(server: &Server) -> Self {
        Self::with(&["--api-base", &server.url])
    }

    fn with(flags: &[&str]) -> Self {
        let mut mcp = command(&[&["mcp"], flags].concat());
        let process = Process::start_with(mcp.stderr(Stdio::null()), Stdio::piped()).unwrap();
        let mut session = Self { process, requests: 0 };
        let begun = session.request(
            "initialize",
            &json!({
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"},
            }),
        );
        assert_eq!(begun["result"]["serverInfo"]["name"], "bankfeed", "{begun}");
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        session.process.write_line(&initialized.to_string()).unwrap();
        session
    }

    /// Sends a request, and returns the response.
    fn request(&mut self, method: &str, params: &Value) -> Value {
        self.requests += 1;
        let id = self.requests;
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.process.write_line(&request.to_string()).unwrap();
        let response: Value = serde_json::from_str(&self.process.next_line().unwrap()).unwrap();
        assert_eq!(response["id"], id, "{response}");
        response
    }

    /// The structured result of a tool, and true if it is an error.
    fn called(&mut self, tool: &str, arguments: &Value) -> (Value, bool) {
        let response = self.request("tools/call", &json!({"name": tool, "arguments": arguments}));
        let result = &response["result"];
        let content = result["structuredContent"].clone();
        // Agents without structured results read the text.
        let text: Value =
            serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(text, content, "{response}");
        (content, result["isError"] == true)
    }

    /// The structured result of a tool that succeeds.
    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let (content, is_error) = self.called(tool, arguments);
        assert!(!is_error, "{tool}: {content}");
        content
    }

    /// The error of a tool, as status, code, param, message and help.
    fn error(&mut self, tool: &str, arguments: &Value) -> String {
        let (content, is_error) = self.called(tool, arguments);
        assert!(is_error, "{tool}: {content}");
        let error = &content["error"];
        let text = |name: &str| match &error[name] {
            Value::String(text) => text.clone(),
            Value::Null => "-".to_owned(),
            other => other.to_string(),
        };
        let parts = ["status", "code", "param", "message", "help"].map(text);
        parts.join(" | ")
    }
}

/// An agent finds the tools with schemas that reject unknown arguments.
#[test]
fn the_tools_have_schemas() {
    let server = Server::start();
    let mut session = Session::of(&server);
    let listed = session.request("tools/list", &json!({}));
    let tools = listed["result"]["tools"].as_array().unwrap();
    let shown: Vec<String> = tools
        .iter()
        .map(|tool| {
            let schema = &tool["inputSchema"];
            assert_eq!(schema["type"], "object", "{tool}");
            assert_eq!(schema["additionalProperties"], false, "{tool}");
            let names: Vec<&str> = schema["properties"]
                .as_object()
                .map(|properties| properties.keys().map(String::as_str).collect())
                .unwrap_or_default();
            let required: Vec<&str> = schema["required"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let name = tool["name"].as_str().unwrap();
            let reads = tool["annotations"]["readOnlyHint"] == true;
            let kind = if reads { "reads" } else { "writes" };
            format!("{name} {kind}: {} (required: {})", names.join(" "), required.join(" "))
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    link_account writes: accounts bank carrier customer email new_test_clock permissions prefetch subscribe test_clock (required: )
    refresh_account writes: account features timeout_s wait (required: account)
    advance_clock writes: duration test_clock timeout_s (required: duration)
    run_scenario writes: duration name scenario timeout_s (required: )
    judge writes: reset running (required: )
    explain_delivery reads: delivery event (required: )
    list_accounts reads: customer limit starting_after (required: )
    list_transactions reads: account after_refresh limit starting_after (required: account)
    list_events reads: delivery_success limit starting_after type (required: )
    list_deliveries reads: endpoint event limit starting_after status (required: )
    list_banks reads:  (required: )
    list_scenarios reads:  (required: )
    ");
}

/// An agent links an account on a test clock, refreshes it, lets days pass, reads the result, and asks
/// the judge, which does not count the calls of the tools.
#[test]
fn an_agent_does_the_main_job() {
    let server = Server::start();
    let mut session = Session::of(&server);
    let linked = session.call("link_account", &json!({"new_test_clock": true, "subscribe": true}));
    let account = linked["accounts"][0]["id"].as_str().unwrap().to_owned();
    assert!(linked["created_customer"].as_str().unwrap().starts_with("cus_"), "{linked}");

    let refreshed = session.call(
        "refresh_account",
        &json!({"account": account, "features": ["balance", "transactions"]}),
    );
    assert_eq!(refreshed["refreshes"]["balance"]["status"], "succeeded", "{refreshed}");
    let before = refreshed["refreshes"]["transactions"]["id"].as_str().unwrap().to_owned();

    let advanced = session.call("advance_clock", &json!({"duration": "3d"}));
    let passed = advanced["to"].as_i64().unwrap() - advanced["from"].as_i64().unwrap();
    assert_eq!(passed, 3 * 86_400, "{advanced}");

    let listed = session.call("list_accounts", &json!({}));
    assert_eq!(listed["data"][0]["id"], account);
    let rows = session.call("list_transactions", &json!({"account": account, "limit": 2}));
    assert_eq!(rows["data"].as_array().unwrap().len(), 2);
    assert_eq!(rows["has_more"], true);
    let new =
        session.call("list_transactions", &json!({"account": account, "after_refresh": before}));
    assert!(!new["data"].as_array().unwrap().is_empty(), "{new}");
    let events = session.call(
        "list_events",
        &json!({"type": "financial_connections.account.refreshed_transactions", "limit": 100}),
    );
    assert!(events["data"].as_array().unwrap().len() >= 4, "{events}");
    let banks = session.call("list_banks", &json!({}));
    assert_eq!(banks["banks"].as_array().unwrap().len(), 15);

    let report = session.call("judge", &json!({}));
    assert_eq!(report["verdict"], "nothing_seen", "{report}");
}

/// A tool returns the API's error with the argument and the next step, so that the agent can correct
/// its call.
#[test]
fn errors_name_the_next_step() {
    let server = Server::start();
    let mut session = Session::of(&server);
    let errors = [
        session.error("refresh_account", &json!({"account": "fca_123"})),
        session.error("link_account", &json!({"bank": "Test (OAut)"})),
        session.error("link_account", &json!({"bnk": "Test (OAuth)"})),
        session.error("link_account", &json!({"customer": "cus_1", "new_test_clock": true})),
        session.error("link_account", &json!({"permissions": ["all"]})),
        session.error("refresh_account", &json!({})),
        session.error("refresh_account", &json!({"account": "fca_123", "timeout_s": 1_000_000})),
        session.error("advance_clock", &json!({"duration": "3d"})),
        session.error("advance_clock", &json!({"duration": "soon"})),
        session.error("list_accounts", &json!({"limit": 1_000})),
        session.error("explain_delivery", &json!({})),
        session.error("run_scenario", &json!({"name": "overdraw"})),
        session.error("run_scenario", &json!({})),
    ];
    insta::assert_snapshot!(errors.join("\n"), @"
    404 | resource_missing | account | No such Financial Connections account: 'fca_123' | Each key has objects of its own, and this call used sk_test_123, the default
    400 | - | institution | No such institution: 'Test (OAut)'. Did you mean 'Test (OAuth)'? | list_banks returns the banks and their accounts
    - | - | - | invalid arguments: unknown field `bnk`, expected one of `bank`, `accounts`, `customer`, `email`, `test_clock`, `new_test_clock`, `carrier`, `permissions`, `prefetch`, `subscribe` | Compare the arguments with the input schema of the tool
    - | - | - | customer and new_test_clock exclude each other | Leave out customer or new_test_clock
    - | - | - | invalid arguments: unknown variant `all`, expected one of `balances`, `ownership`, `payment_method`, `transactions` | Compare the arguments with the input schema of the tool
    - | - | - | invalid arguments: missing field `account` | Compare the arguments with the input schema of the tool
    - | - | - | timeout_s is 1000000, more than 86400 | Pass a timeout_s of at most 86400
    - | - | - | there is no test clock | Call link_account with new_test_clock, because days pass on a test clock only
    - | - | - | 'soon' is not a duration. Use a unit, such as 3d, 12h or 1w2d | A duration looks like 3d, 12h or 1d12h
    400 | parameter_invalid_integer | limit | Invalid integer: limit must be between 1 and 100 | -
    - | - | - | pass either delivery or event | list_deliveries returns the ids of deliveries and of their events
    400 | - | name | No ready scenario is called 'overdraw'; there are: steady-income, gig-worker, overdrawn, fraud-pattern, closed-account, slow-bank, flaky-bank, busy-business. | -
    - | - | - | pass either name or scenario | list_scenarios returns the names
    ");
    let unknown = session.request("tools/call", &json!({"name": "link", "arguments": {}}));
    assert_eq!(unknown["error"]["code"], -32_602, "{unknown}");
    assert!(unknown["error"]["message"].as_str().unwrap().contains("link_account"), "{unknown}");
    // A rejected link leaves no objects behind.
    assert_eq!(server.call("GET", "/v1/customers", "")["data"], json!([]));
}

/// The explanation of a delivery to a closed port names the cause, the next attempt and the endpoint.
#[test]
fn a_failed_delivery_is_explained() {
    let server = Server::start();
    let endpoint = "url=http://127.0.0.1:1/hook&enabled_events[]=customer.created";
    server.call("POST", "/v1/webhook_endpoints", endpoint);
    server.call("POST", "/v1/customers", "");
    server.call("GET", "/v1/test_helpers/settled", "");
    let mut session = Session::of(&server);
    let listed = session.call("list_deliveries", &json!({"status": "pending"}));
    let delivery = &listed["data"][0];
    for arguments in [json!({"delivery": delivery["id"]}), json!({"event": delivery["event"]})] {
        let explained = session.call("explain_delivery", &arguments);
        let explained = &explained["deliveries"][0];
        assert_eq!(explained["endpoint"]["url"], "http://127.0.0.1:1/hook");
        let hint = "No program listens at http://127.0.0.1:1/hook. Start the receiver.";
        assert_eq!(explained["hints"], json!([hint]));
        let summary = explained["summary"].as_str().unwrap();
        assert!(summary.contains("received no response (the connection was refused)"), "{summary}");
        assert!(summary.contains("The next attempt is due at "), "{summary}");
    }
    let quiet = server.call("POST", "/v1/products", "name=Tea");
    assert_eq!(quiet["object"], "product");
    let events = session.call("list_events", &json!({"type": "product.created"}));
    let explained = session.call("explain_delivery", &json!({"event": events["data"][0]["id"]}));
    assert_eq!(explained["note"], "No endpoint takes this event, so no delivery exists.");
}

/// A scenario runs from the link to the end of the span, also one whose first refresh takes days.
#[test]
fn a_scenario_runs() {
    let server = Server::start();
    let mut session = Session::of(&server);
    let scenarios = session.call("list_scenarios", &json!({}));
    let names: Vec<&str> = scenarios["ready"]
        .as_array()
        .unwrap()
        .iter()
        .map(|ready| ready["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"overdrawn") && names.contains(&"slow-bank"), "{names:?}");
    for name in ["overdrawn", "slow-bank"] {
        let ran = session.call("run_scenario", &json!({"name": name, "duration": "10d"}));
        assert_eq!(ran["test_clock"]["status"], "ready", "{ran}");
        // The last refresh of a slow bank can be pending.
        let ended = "financial_connections.account.refreshed_transactions";
        let events = ran["newest_events"].as_array().unwrap();
        assert!(events.iter().any(|event| event["type"] == ended), "{ran}");
    }
    let text = "name = \"Own\"\n[[accounts]]\nname = \"First\"";
    let ran = session.call("run_scenario", &json!({"scenario": text, "duration": "1d"}));
    assert_eq!(ran["scenario"]["name"], "Own", "{ran}");
    assert_eq!(session.call("list_scenarios", &json!({}))["loaded"].as_array().unwrap().len(), 3);
}

/// Without a server the tools still exist, and their errors say how to start one. The session ends
/// when its input is closed.
#[test]
fn a_missing_server_is_an_error_of_the_tool() {
    let mut session = Session::with(&["--api-base", "http://127.0.0.1:1"]);
    insta::assert_snapshot!(session.error("list_accounts", &json!({})), @"- | - | - | could not reach a server at http://127.0.0.1:1: the connection was refused | Start one with `bankfeed serve --memory`, or name its address with --api-base or BANKFEED_API_BASE");
    session.process.close_input();
    assert_eq!(session.process.end().unwrap().0.code(), Some(0));
}

/// A key for live data is rejected without the flag.
#[test]
fn a_live_key_needs_the_flag() {
    let mut mcp = command(&["mcp", "--api-key", "sk_live_123"]);
    let output = mcp.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("add --live"), "{error}");
}

/// A call that waits holds up no other request. A cancelled call gets no response, and the session ends
/// at once.
#[test]
fn a_waiting_call_is_cancelled() {
    // The delay is an hour, so that the refresh is pending however slow the test is.
    let server = Server::with(&["--memory", "--refresh-delay", "1h"]);
    let account = server.link(&[]);
    let mut session = Session::of(&server);
    let call = json!({
        "jsonrpc": "2.0", "id": "slow", "method": "tools/call",
        "params": {"name": "refresh_account", "arguments": {"account": account, "timeout_s": 3600}},
    });
    session.process.write_line(&call.to_string()).unwrap();
    assert_eq!(session.request("ping", &json!({}))["result"], json!({}));
    let cancelled = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "slow"},
    });
    session.process.write_line(&cancelled.to_string()).unwrap();
    session.process.close_input();
    let (status, rest) = session.process.end().unwrap();
    assert_eq!((status.code(), rest), (Some(0), Vec::new()));
}

/// Messages that are no requests of the protocol get the errors of JSON-RPC. The handshake takes a known
/// version and replaces an unknown one.
#[test]
fn wrong_messages_get_errors() {
    let server = Server::start();
    let mut session = Session::of(&server);
    let mut shown = String::new();
    for line in [
        &b"{"[..],
        b"{\"id\": \"\xff\"}",
        &vec![b' '; 2 * 1024 * 1024],
        b"[]",
        br#"{"jsonrpc":"2.0","id":1}"#,
        br#"{"jsonrpc":"2.0","id":18446744073709551616,"method":"ping"}"#,
        br#"{"jsonrpc":"2.0","id":2,"method":"server/discover"}"#,
        br#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"judge","arguments":[]}}"#,
    ] {
        session.process.write_bytes(line).unwrap();
        shown += &(session.process.next_line().unwrap() + "\n");
    }
    insta::assert_snapshot!(shown, @r#"
    {"error":{"code":-32700,"message":"the message is not JSON"},"id":null,"jsonrpc":"2.0"}
    {"error":{"code":-32700,"message":"the message is not JSON"},"id":null,"jsonrpc":"2.0"}
    {"error":{"code":-32600,"message":"a message has at most 2097152 bytes"},"id":null,"jsonrpc":"2.0"}
    {"error":{"code":-32600,"message":"the message has no method"},"id":null,"jsonrpc":"2.0"}
    {"error":{"code":-32600,"message":"the message has no method"},"id":1,"jsonrpc":"2.0"}
    {"error":{"code":-32600,"message":"the id is neither a text nor a whole number of 64 bits"},"id":null,"jsonrpc":"2.0"}
    {"error":{"code":-32601,"message":"no method 'server/discover'"},"id":2,"jsonrpc":"2.0"}
    {"error":{"code":-32602,"message":"arguments is not an object"},"id":3,"jsonrpc":"2.0"}
    "#);
    for (wanted, used) in [("2025-06-18", "2025-06-18"), ("1999-01-01", "2025-11-25")] {
        let begun = session.request("initialize", &json!({"protocolVersion": wanted}));
        assert_eq!(begun["result"]["protocolVersion"], used, "{begun}");
    }
}
