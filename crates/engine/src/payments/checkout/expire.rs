//! The end of a Checkout Session that was not completed: by a call, by time, or with its customer.

use crate::due_work::Worked;
use crate::payments::intent::kind_of;
use crate::payments::{Changes, intent_object};
use crate::{ApiResponse, Context, Engine, Error};
use model::Word;
use model::clock::AccountTime;
use model::event::EventType;
use model::payments::checkout::CheckoutSession;
use store::Object;
use wire::error::Error as ApiError;

impl Engine {
    /// Ends a session that is open.
    pub async fn expire_checkout(&self, context: &Context, id: &str) -> Result<ApiResponse, Error> {
        self.change("expire_checkout", async || {
            let mut session = self.get_checkout(context, id, "session").await?;
            let mut changes = self.changes_on(context, session.clock).await?;
            if !session.is_open() {
                let message = format!(
                    "Only a Checkout Session that is open can be expired; this one is {}.",
                    session.status.word()
                );
                return Err(ApiError::invalid(message).into());
            }
            self.expire_open(&mut session, &mut changes).await?;
            self.commit_checkout(context, &session, changes).await
        })
        .await
    }

    /// Ends an open session, and the intent of attempts that failed.
    pub(crate) async fn expire_open(
        &self,
        session: &mut CheckoutSession,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        session.expire();
        session.version += 1;
        let object = Object::Checkout(session.clone());
        changes.emit(&object, EventType::CheckoutSessionExpired);
        changes.put(object);
        if let Some(mut intent) = self.find_intent_of_checkout(session, changes).await?
            && intent.cancelable()
        {
            intent.cancel(None, changes.now);
            intent.version += 1;
            let canceled = kind_of(&intent)
                .event(EventType::PaymentIntentCanceled, EventType::SetupIntentCanceled);
            let object = intent_object(intent);
            changes.emit(&object, canceled);
            changes.put(object);
        }
        Ok(())
    }

    /// Expires a session that was not completed in time.
    pub(crate) async fn checkout_due(
        &self,
        mut session: CheckoutSession,
        now: AccountTime,
    ) -> Result<Worked, Error> {
        if !session.is_open() || session.expires_at > now {
            return Ok(Worked::Nothing);
        }
        let mut changes = Changes::of_work(now);
        self.expire_open(&mut session, &mut changes).await?;
        Ok(Worked::Item(changes.into_item()))
    }
}
