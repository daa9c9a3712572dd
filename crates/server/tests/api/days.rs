//! Debits on a test clock, day by day.

use testkit::{App, BEGIN_S, DAY_S};

/// A server with a customer on a test clock.
pub(crate) struct Days {
    pub(crate) app: App,
    clock: String,
    pub(crate) customer: String,
    pub(crate) passed: i64,
}

impl Days {
    pub(crate) async fn begin() -> Self {
        let (app, customer, clock) = App::on_clock().await;
        Self { app, clock, customer, passed: 0 }
    }

    pub(crate) async fn pass(&mut self, days: i64) {
        self.passed += days;
        self.app.advance(&self.clock, BEGIN_S + self.passed * DAY_S).await;
    }
}
