//! Two servers with the same seed and the same fixed time, each with its own workers and with deliveries in
//! flight.

use testkit::{
    BEGIN_S, Client, DAY_S, FC, HOLDER, LINK, Recorder, Response, path_of, start_process,
};

/// Responses in their order, and the webhooks of both endpoints in the order of their bodies.
type Bytes = (Vec<(String, String)>, Vec<String>);

/// The calls of a run, and the responses to them.
struct Run {
    client: Client,
    responses: Vec<(String, String)>,
}

impl Run {
    async fn post(&mut self, path: &str, form: &str) -> Response {
        let response = self.client.post(path, form).await.ok();
        self.note(response)
    }

    async fn get(&mut self, path: &str) -> Response {
        let response = self.client.get(path).await.ok();
        self.note(response)
    }

    fn note(&mut self, response: Response) -> Response {
        let id = response.header("request-id").unwrap().to_owned();
        self.responses.push((id, response.body.clone()));
        response
    }

    /// Starts a subscription of a new customer on the clock, which is paid each week.
    async fn payer(&mut self, clock: &str) {
        let customer = self.post("/v1/customers", &format!("test_clock={clock}")).await.id();
        self.client.gold().await;
        let price = self.client.price(500, "recurring[interval]=week").await;
        self.client.pays_by(&customer, "success").await;
        let item = format!("items[0][price]={price}");
        let subscription = self.client.subscription(&customer, &item).await;
        let subscription = self.note(subscription);
        self.get(&path_of(&subscription.text("/latest_invoice"))).await;
    }

    /// Links an account of a new customer on the clock and subscribes to it. No call waits for the
    /// refresh before it.
    async fn customer(&mut self, clock: &str, prefetch: &str) {
        let customer = self.post("/v1/customers", &format!("test_clock={clock}")).await.id();
        let session = format!(
            "{HOLDER}={customer}&permissions[]=transactions&permissions[]=balances{prefetch}"
        );
        let session = self.post(&format!("{FC}/sessions"), &session).await;
        let secret = format!("client_secret={}", session.text("/client_secret"));
        let account = self.post(LINK, &secret).await.text("/accounts/data/0/id");
        let path = format!("{FC}/accounts/{account}");
        self.post(&format!("{path}/subscribe"), "features[]=transactions").await;
        self.post(&format!("{path}/refresh"), "features[]=transactions&features[]=balance").await;
        self.get(&path).await;
        self.get(&format!("{FC}/transactions?account={account}&limit=100")).await;
    }
}

/// Makes all calls on a new server, whose workers poll at this interval. The receivers respond to this
/// many webhooks, and to the others only at the end.
async fn run(receivers: [&Recorder; 2], poll_ms: &str, responding: usize) -> Bytes {
    let time = BEGIN_S.to_string();
    let settings = [
        ("seed", "7"),
        ("time", time.as_str()),
        ("poll-ms", poll_ms),
        ("public-url", "http://bank.example"),
    ];
    let (started, _) = start_process(&settings).await;
    let client = Client::of(&started.local_url);
    let mut run = Run { client, responses: Vec::new() };
    for receiver in receivers {
        receiver.hold_after(responding);
        let endpoint = format!("url={}&enabled_events[]=*", receiver.url);
        run.post("/v1/webhook_endpoints", &endpoint).await;
    }
    let clocks = "/v1/test_helpers/test_clocks";
    let clock = run.post(clocks, &format!("frozen_time={BEGIN_S}")).await.id();
    for prefetch in ["", "&prefetch[]=balances&prefetch[]=transactions"] {
        run.customer(&clock, prefetch).await;
    }
    run.payer(&clock).await;
    let advance = format!("{clocks}/{clock}/advance");
    for days in [7, 12] {
        run.post(&advance, &format!("frozen_time={}", BEGIN_S + days * DAY_S)).await;
        run.get(&format!("{clocks}/{clock}")).await;
        run.get(&format!("{FC}/accounts?limit=100")).await;
    }
    for receiver in receivers {
        receiver.release();
    }
    let events = run.client.ids("/v1/events?limit=100").await;
    let mut webhooks = Vec::new();
    for receiver in receivers {
        receiver.arrived(events.len()).await;
        webhooks.extend(receiver.take().into_iter().map(|post| post.body));
    }
    webhooks.sort();
    run.responses.push((String::new(), events.join(" ")));
    started.stop().await.unwrap();
    (run.responses, webhooks)
}

/// Equal calls have equal responses and equal webhooks, byte by byte, whether receivers respond at once
/// or hold their responses back, and however fast the workers are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seed_repeats_all_bytes() {
    let receivers = [Recorder::start().await.unwrap(), Recorder::start().await.unwrap()];
    let receivers = [&receivers[0], &receivers[1]];
    let first = run(receivers, "5", usize::MAX).await;
    for (poll_ms, responding) in [("500", 3), ("20", 0), ("1", 7)] {
        let again = run(receivers, poll_ms, responding).await;
        for (one, other) in first.0.iter().zip(&again.0) {
            assert_eq!(one, other);
        }
        assert_eq!(first, again);
    }
    assert!(first.1.len() > 80, "{} webhooks", first.1.len());
}
