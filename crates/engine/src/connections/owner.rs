//! The owners of an account. A refresh of the ownership stores a snapshot of them, which never
//! changes.

use crate::connections::account::permitted;
use crate::context::render;
use crate::list::list_body;
use crate::observer::CallFact;
use crate::{ApiResponse, Context, Engine, Error};
use model::bank::Feature;
use model::id::{OwnerId, OwnershipId};
use model::ownership::Ownership;
use store::FindOwnership;
use wire::error::Error as ApiError;
use wire::list::PageParams;

impl Engine {
    /// Lists the owners of a snapshot.
    pub async fn list_owners(
        &self,
        context: &Context,
        id: &str,
        ownership_id: &str,
        page: &PageParams,
    ) -> Result<ApiResponse, Error> {
        let account = self.get_account(context, id, "account").await?;
        self.check_readable(context, account.id, account.status)?;
        permitted(&account.permissions, Feature::Ownership, "account")?;
        let missing = || Error::from(ApiError::no_such("ownership", ownership_id, "ownership"));
        let snapshot: OwnershipId = ownership_id.parse().map_err(|_| missing())?;
        if snapshot.account != account.id {
            return Err(missing());
        }
        let find = FindOwnership { merchant: context.merchant, ownership: snapshot };
        let ownership = self.store.read(find).await?.ok_or_else(missing)?;
        let (from, to, has_more) = owners_page(&ownership, page)?;
        let owners: Vec<_> = ownership.with_ids().skip(from).take(to - from).collect();
        let url = format!("/v1/financial_connections/accounts/{}/owners", account.id);
        let bodies: Vec<Vec<u8>> = owners
            .into_iter()
            .map(|(id, owner)| {
                render(|w| {
                    wire::render::connections::ownership::write_owner(
                        w,
                        id,
                        owner,
                        ownership.created,
                    );
                })
            })
            .collect();
        let body = list_body(&url, has_more, &bodies);
        self.emit_call(context, Some(account.id), CallFact::DataShown);
        Ok(ApiResponse::unchanged(body))
    }
}

/// The owners on a page: from, to (exclusive), and true if more follow.
fn owners_page(ownership: &Ownership, page: &PageParams) -> Result<(usize, usize, bool), Error> {
    let count = ownership.owners.len();
    let limit = page.limit as usize;
    let place = |id_text: &str, param: &str| -> Result<usize, Error> {
        let missing = || Error::from(ApiError::no_such("owner", id_text, param).status(400));
        let id: OwnerId = id_text.parse().map_err(|_| missing())?;
        let index = usize::from(id.index);
        if id.ownership == ownership.id && index < count { Ok(index) } else { Err(missing()) }
    };
    if let Some(id_text) = &page.ending_before {
        let to = place(id_text, "ending_before")?;
        let from = to.saturating_sub(limit);
        return Ok((from, to, from > 0));
    }
    let from = match &page.starting_after {
        Some(id_text) => place(id_text, "starting_after")? + 1,
        None => 0,
    };
    let to = count.min(from + limit);
    Ok((from, to, to < count))
}
