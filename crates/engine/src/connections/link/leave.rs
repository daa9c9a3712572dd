//! Leaving a flow without ending it, and continuing it.
//!
//! A left flow stays at its pane, and its carrier does not change. The next flow of the same carrier
//! is the left one, until it expires. A holder who wants to end the carrier takes the step
//! [`LinkStep::Cancel`](super::LinkStep::Cancel) instead.
//!
//! After a crash the flow is either left or not. A repeated call has the same result.

use super::open;
use crate::connections::carrier::Carrier;
use crate::payments::Changes;
use crate::{Context, Engine, Error};
use model::id::RequestId;
use model::link::LinkFlow;
use store::Object;
use wire::address::HostedPage;

impl Engine {
    /// Leaves a flow. A flow that has ended or expired stays as it is. Returns `None` for an unknown
    /// token.
    ///
    /// No version is named, because a holder can leave from every pane. A step that runs at the same
    /// time keeps its effect.
    pub async fn leave_link_flow(
        &self,
        token: &str,
        request: RequestId,
    ) -> Result<Option<()>, Error> {
        self.change("leave_link_flow", async || {
            let Some(opened) = self.open_flow(token, request).await? else {
                return Ok(Some(None));
            };
            let needs = opened.carrier.requirements();
            let mut flow = opened.flow;
            let mut changes = self.changes_on(&opened.context, needs.clock).await?;
            let now = changes.now;
            let over = flow.run.end().is_some() || now >= flow.expires_at();
            if over || flow.left || open(&needs, now).is_err() {
                return Ok(Some(Some(())));
            }
            flow.left = true;
            flow.version += 1;
            changes.put(Object::LinkFlow(flow));
            Ok(self.write_changes(changes, None).await?.then_some(Some(())))
        })
        .await
    }

    /// The flow of a carrier that the holder left, or a new one. It is not stored yet. The changes have
    /// the preconditions to store it. `page` is the hosted page that it begins on, with the number
    /// of its object.
    pub(crate) async fn begin_flow(
        &self,
        context: &Context,
        carrier: &Carrier,
        page: Option<(HostedPage, u64)>,
    ) -> Result<(LinkFlow, Changes), Error> {
        let (new, changes) = self.new_flow(context, carrier, page).await?;
        let left = self.find_by_lookup::<LinkFlow>(context.merchant, new.carrier.clone()).await?;
        // A flow of a hosted page leads back to that page, so no other page continues it.
        let continues = |left: &LinkFlow| left.page == new.page && changes.now < left.expires_at();
        Ok(match left.filter(continues) {
            Some(left) => {
                let version = left.version + 1;
                (LinkFlow { left: false, version, ..left }, changes)
            }
            None => (new, changes),
        })
    }
}
