//! The connection of `bankfeed listen` to its server: lost, found again, and the events in between.
//!
//! The command asks every second if the server is ready. A server that restarts on its database still
//! has the endpoint, and delivers what it has not delivered. A server with a new database, or after the
//! endpoint was deleted, gets another endpoint. The events that no endpoint of the command has received
//! are then sent again. So no event since the start of the command is lost, and none that it has
//! forwarded comes again.

use super::{ListenFlags, Receiver, create_endpoint, greet, path_of};
use crate::events::{self, EVENTS, THIN_EVENTS};
use crate::global::GlobalFlags;
use crate::output;
use crate::server::{Server, ServerError, text};
use model::limits::{LISTEN_CHECK_MS, LISTEN_EVENTS_MAX};
use serde_json::Value;
use std::time::Duration;

/// The checks after which the endpoint is looked up too. Between two of them, a server may have been
/// replaced by another one.
const CHECKS_PER_LOOK_UP: u32 = 15;
/// The checks of a missing server that are left out at most, one after the other.
const CHECKS_LEFT_OUT_MAX: u32 = 15;

/// The server of a running `bankfeed listen`.
pub(super) struct Connection<'a> {
    pub(super) server: &'a Server,
    pub(super) flags: &'a ListenFlags,
    pub(super) global: &'a GlobalFlags,
    pub(super) receiver: &'a Receiver,
    /// The URL of the receiver.
    pub(super) url: String,
    pub(super) endpoint: Value,
    /// The newest event before the start of the command.
    before: Option<String>,
    is_lost: bool,
}

impl<'a> Connection<'a> {
    /// Creates the endpoint.
    pub(super) async fn open(
        server: &'a Server,
        flags: &'a ListenFlags,
        global: &'a GlobalFlags,
        receiver: &'a Receiver,
        url: String,
    ) -> Result<Self, ServerError> {
        let before = newest(server, flags, 1).await?.first().map(|event| text(event, "id"));
        let endpoint = create_endpoint(server, &url, flags).await?;
        Ok(Self { server, flags, global, receiver, url, endpoint, before, is_lost: false })
    }

    /// Keeps the endpoint until an error that waiting does not end.
    pub(super) async fn keep(&mut self) -> ServerError {
        let mut ticks = tokio::time::interval(Duration::from_millis(LISTEN_CHECK_MS));
        // The first tick comes at once.
        ticks.tick().await;
        let (mut checks, mut left_out, mut pause) = (0, 0, 1);
        loop {
            ticks.tick().await;
            if left_out > 0 {
                left_out -= 1;
                continue;
            }
            checks += 1;
            let looks_up = self.is_lost || checks % CHECKS_PER_LOOK_UP == 0;
            match self.check(looks_up).await {
                Ok(()) => {
                    if std::mem::take(&mut self.is_lost) {
                        output::remark(&format!("the server at {} is back", self.server.base()));
                    }
                    pause = 1;
                }
                Err(error) if may_end(&error) => {
                    if !std::mem::replace(&mut self.is_lost, true) {
                        let base = self.server.base();
                        output::remark(&format!("lost the server at {base}; waiting for it"));
                    }
                    left_out = pause;
                    pause = (2 * pause).min(CHECKS_LEFT_OUT_MAX);
                }
                Err(error) => return error,
            }
        }
    }

    /// Deletes the endpoint. A missing server deletes none.
    pub(super) async fn close(self) -> Result<(), ServerError> {
        match self.server.call("DELETE", &self.path(), &[]).await {
            Err(_) if self.is_lost => Ok(()),
            deleted => deleted.map(|_| ()),
        }
    }

    fn path(&self) -> String {
        format!("{}/{}", path_of(self.flags), text(&self.endpoint, "id"))
    }

    /// Checks that the server is ready, and that it has the endpoint if that is looked up.
    async fn check(&mut self, looks_up: bool) -> Result<(), ServerError> {
        self.server.check_ready().await?;
        if !looks_up {
            return Ok(());
        }
        match self.server.get(&self.path(), &[]).await {
            Err(ServerError::Rejected { status: 404, .. }) => self.replace_endpoint().await,
            found => found.map(|_| ()),
        }
    }

    /// Creates another endpoint, and has the events sent to it that it missed.
    async fn replace_endpoint(&mut self) -> Result<(), ServerError> {
        self.endpoint = create_endpoint(self.server, &self.url, self.flags).await?;
        output::remark("the server no longer had the webhook endpoint, so it gets another one");
        greet(&self.endpoint, self.flags, self.global)?;
        let endpoint = text(&self.endpoint, "id");
        let events = newest(self.server, self.flags, LISTEN_EVENTS_MAX).await?;
        let ids = events.iter().map(|event| text(event, "id"));
        let since = ids.take_while(|id| Some(id) != self.before.as_ref());
        let missed = since.zip(&events).filter(|(id, event)| {
            !self.receiver.has_forwarded(id) && takes(&self.flags.events, &text(event, "type"))
        });
        let mut missed: Vec<String> = missed.map(|(id, _)| id).collect();
        // The oldest first, as they would have come.
        missed.reverse();
        for id in missed {
            let path = format!("/v1/test_helpers/events/{id}/deliveries");
            let deliveries = self.server.get(&path, &[]).await?;
            let mut deliveries = deliveries["data"].as_array().into_iter().flatten();
            if deliveries.any(|delivery| delivery["webhook_endpoint"] == endpoint.as_str()) {
                continue;
            }
            let path = format!("{EVENTS}/{id}/retry");
            self.server.post(&path, &[("webhook_endpoint", &endpoint)]).await?;
        }
        Ok(())
    }
}

/// The newest events, newest first.
async fn newest(
    server: &Server,
    flags: &ListenFlags,
    limit: usize,
) -> Result<Vec<Value>, ServerError> {
    if flags.thin {
        events::list_thin(server, THIN_EVENTS, &[], limit).await
    } else {
        server.list(EVENTS, &[], Some(limit)).await
    }
}

/// True if the types of an endpoint include this one.
fn takes(types: &[String], event_type: &str) -> bool {
    types.iter().any(|typed| match typed.strip_suffix('*') {
        Some(beginning) => event_type.starts_with(beginning),
        None => typed == event_type,
    })
}

/// True if a later call may succeed.
fn may_end(error: &ServerError) -> bool {
    match error {
        ServerError::Unreachable { .. }
        | ServerError::Stranger { .. }
        | ServerError::Ended { .. } => true,
        ServerError::Rejected { status, .. } => *status == 429 || *status >= 500,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The types of an endpoint are names, families of names, or all.
    #[test]
    fn types_select_events() {
        let takes = |types: &[&str], name| {
            let types: Vec<String> = types.iter().map(|typed| (*typed).to_owned()).collect();
            takes(&types, name)
        };
        assert!(takes(&["*"], "customer.created"));
        assert!(takes(&["a.b", "customer.*"], "customer.created"));
        assert!(!takes(&["customer.updated", "payout.*"], "customer.created"));
    }
}
