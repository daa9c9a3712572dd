//! A server with a seed and a fixed time repeats its responses.

use testkit::{HOLDER, Response, start_process};

/// The maximum number of polls while a refresh is running.
const POLLS_MAX: usize = 10_000;

/// Links an account on a server that runs its own workers. Returns all responses to POSTs, and the
/// objects that can be read at the end. `polls` further reads occur in between.
async fn run(seed: &str, polls: usize) -> Vec<(String, String)> {
    let settings = [("seed", seed), ("time", "1767225600"), ("poll-ms", "5")];
    let (started, app) = start_process(&settings).await;
    let mut answers = Vec::new();
    let mut note = |reply: Response| {
        let reply = reply.ok();
        answers.push((reply.header("request-id").unwrap().to_owned(), reply.body.clone()));
        reply
    };
    for _ in 0..polls {
        app.get("/v1/customers").await.ok();
    }
    let hook = "url=http://127.0.0.1:9/&enabled_events[]=*&metadata[a]=b";
    note(app.post("/v1/webhook_endpoints", hook).await);
    let customer = note(app.post("/v1/customers", "email=ada@example.com").await).id();
    let session = format!("{HOLDER}={customer}&permissions[]=transactions&prefetch[]=transactions");
    let session = note(app.post("/v1/financial_connections/sessions", &session).await);
    let secret = format!("client_secret={}", session.text("/client_secret"));
    let linked = app.post("/v1/test_helpers/financial_connections/link", &secret).await;
    let account = note(linked).text("/accounts/data/0/id");
    let path = format!("/v1/financial_connections/accounts/{account}");
    let ended = async || {
        let status = app.get(&path).await.ok().at("/transaction_refresh/status");
        status == "succeeded"
    };
    let mut polled = 0;
    while !ended().await {
        polled += 1;
        assert!(polled < POLLS_MAX, "the refresh did not end");
    }
    note(app.post(&format!("{path}/disconnect"), "").await);
    let read = app.get("/v1/financial_connections/accounts").await.ok();
    answers.push((String::new(), read.body));
    started.stop().await.unwrap();
    answers
}

/// Two runs of the same calls return the same bytes, however often one of them polls in between.
/// Another seed returns other responses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn same_seed_same_answers() {
    let first = run("7", 0).await;
    assert_eq!(first, run("7", 3).await);
    let other = run("8", 0).await;
    assert!(first.iter().zip(&other).take(5).all(|(one, two)| one != two));
}
