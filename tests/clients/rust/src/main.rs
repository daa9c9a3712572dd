//! Runs the Rust client `async-stripe` against the real binary, with the calls of Stripe's guide in
//! the order of an integration.
//!
//! The client rejects a response without a field that Stripe's description requires. The program
//! prints a line per step, and at the end `N passed, M failed`.

mod carriers;
mod guide;
mod mistakes;
mod server;

use server::{Inbox, KEY, Server};
use std::error::Error;
use std::process::ExitCode;
use stripe::blocking::Client;
use stripe::{ClientBuilder, RequestStrategy};
use stripe_misc::FinancialConnectionsAccount;
use stripe_webhook::{EventObject, Webhook};

pub type Outcome = Result<(), Box<dyn Error>>;
/// The name of a step, and its function.
pub type Step = (&'static str, fn(&mut Merchant) -> Outcome);

pub const EMAIL: &str = "jenny.rosen@example.com";

/// The state that the steps share. Each step begins where the step before it ended.
pub struct Merchant {
    pub client: Client,
    pub server: Server,
    pub inbox: Inbox,
    pub secret: String,
    pub customer: String,
    pub account: String,
    pub refresh: String,
}

impl Merchant {
    /// A client with this key and this number of tries.
    pub fn client(key: &str, port: u16, tries: u32) -> Result<Client, Box<dyn Error>> {
        let builder = ClientBuilder::new(key).url(format!("http://127.0.0.1:{port}/"));
        Ok(builder.request_strategy(RequestStrategy::ExponentialBackoff(tries)).build_sync()?)
    }

    /// Links an account of a test bank without a browser, as the holder would.
    pub fn link(&self, carrier: &str) -> Outcome {
        Ok(self.server.help("/financial_connections/link", &format!("carrier={carrier}"))?)
    }

    /// Waits for the verified event about the end of a refresh.
    pub fn told(&mut self, refresh: &str) -> Outcome {
        let secret = self.secret.clone();
        let account = self.inbox.wait(&format!("the end of {refresh}"), |delivery| {
            let event = Webhook::construct_event(&delivery.body, &delivery.signature, &secret);
            match event.map(|event| event.data.object) {
                Ok(EventObject::FinancialConnectionsAccountRefreshedTransactions(account)) => {
                    (refresh_of(&account).ok()? == refresh).then_some(account)
                }
                _ => None,
            }
        })?;
        let status = account.transaction_refresh.map(|refresh| refresh.status.to_string());
        equal(status.as_deref(), Some("succeeded"))
    }
}

/// The id of an account's transaction refresh.
pub fn refresh_of(account: &FinancialConnectionsAccount) -> Result<String, &'static str> {
    let refresh = account.transaction_refresh.as_ref().ok_or("nothing was refreshed")?;
    Ok(refresh.id.to_string())
}

pub fn equal<T: PartialEq + std::fmt::Debug>(got: T, wanted: T) -> Outcome {
    holds(got == wanted, &format!("{got:?} is {wanted:?}"))
}

pub fn holds(condition: bool, what: &str) -> Outcome {
    if condition { Ok(()) } else { Err(format!("it does not hold that {what}").into()) }
}

fn main() -> ExitCode {
    let (passed, failed) = run().unwrap_or_else(|error| {
        println!("FAILED rust: {error}");
        (0, 1)
    });
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the steps. The first failure ends the run, because later steps depend on earlier ones.
fn run() -> Result<(u32, u32), Box<dyn Error>> {
    let server = Server::start()?;
    let mut merchant = Merchant {
        client: Merchant::client(KEY, server.port, 3)?,
        server,
        inbox: Inbox::open()?,
        secret: String::new(),
        customer: String::new(),
        account: String::new(),
        refresh: String::new(),
    };
    let version = stripe_shared::version::VERSION;
    let mut passed = 0;
    for (name, act) in guide::STEPS.iter().chain(carriers::STEPS).chain(mistakes::STEPS) {
        if let Err(error) = act(&mut merchant) {
            println!("FAILED rust: {name}: {error}");
            return Ok((passed, 1));
        }
        passed += 1;
        println!("rust async-stripe 1.0.0-rc.9 ({version}): {name}");
    }
    Ok((passed, 0))
}
