//! The owners of an account: the snapshot (`financial_connections.account_ownership`) and each
//! owner in it (`financial_connections.account_owner`).

use crate::json::JsonWriter;
use crate::list::write_list;
use model::bank::BankOwner;
use model::clock::AccountTime;
use model::id::{OwnerId, OwnershipId};
use model::limits::PAGE_ROWS_MAX;
use model::ownership::Ownership;

/// The value of `object` of a snapshot.
pub const OBJECT: &str = "financial_connections.account_ownership";
/// The value of `object` of an owner.
pub const OWNER_OBJECT: &str = "financial_connections.account_owner";

/// Returns the path of the list of a snapshot's owners.
pub fn owners_url(id: OwnershipId) -> String {
    format!("/v1/financial_connections/accounts/{}/owners?ownership={id}", id.account)
}

/// Writes a snapshot with the first page of its owners.
pub fn write(writer: &mut JsonWriter, ownership: &Ownership) {
    writer.object(|w| {
        w.key("id").plain(ownership.id.text());
        w.key("object").plain(OBJECT);
        w.key("created").integer(ownership.created.0);
        w.key("owners");
        let page_rows = PAGE_ROWS_MAX as usize;
        let has_more = ownership.owners.len() > page_rows;
        let page = ownership.with_ids().take(page_rows);
        write_list(w, &owners_url(ownership.id), has_more, page, |w, (id, owner)| {
            write_owner(w, id, owner, ownership.created);
        });
    });
}

/// Writes an owner. `refreshed_at` is the time of the snapshot.
pub fn write_owner(
    writer: &mut JsonWriter,
    id: OwnerId,
    owner: &BankOwner,
    refreshed_at: AccountTime,
) {
    writer.object(|w| {
        w.key("id").plain(id.text());
        w.key("object").plain(OWNER_OBJECT);
        w.key("email").optional_string(owner.email.as_deref());
        w.key("name").string(&owner.name);
        w.key("ownership").plain(id.ownership.text());
        w.key("phone").optional_string(owner.phone.as_deref());
        w.key("raw_address").optional_string(owner.raw_address.as_deref());
        w.key("refreshed_at").integer(refreshed_at.0);
    });
}

#[cfg(test)]
mod tests {
    use crate::render::samples::{indented, ownership};

    /// Owners are in a list of their own, with null for fields that the bank does not give.
    #[test]
    fn writes_a_snapshot() {
        let json = indented(|w| super::write(w, &ownership()));
        insta::assert_snapshot!(json.replace("owners?", "owners?\n"), @r#"
        {
          "id": "fcaowns_000000000010AkWEvDwfZ6OX",
          "object": "financial_connections.account_ownership",
          "created": 1700000000,
          "owners": {
            "object": "list",
            "data": [
              {
                "id": "fcaown_0000000000101FSzjvPAcXxY",
                "object": "financial_connections.account_owner",
                "email": "ada@example.com",
                "name": "Ada Lovelace",
                "ownership": "fcaowns_000000000010AkWEvDwfZ6OX",
                "phone": null,
                "raw_address": "12 St James's Square",
                "refreshed_at": 1700000000
              }
            ],
            "has_more": false,
            "url": "/v1/financial_connections/accounts/fca_00000000001N2iOZR8XeONQK/owners?
        ownership=fcaowns_000000000010AkWEvDwfZ6OX"
          }
        }
        "#);
    }
}
