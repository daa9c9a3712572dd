//! Objects that the store keeps for the test laboratory without knowing their fields.
//!
//! The store needs the id, the merchant, the version and the time of creation of such an object.
//! The laboratory owns all other fields and converts them to and from its own types. The body in
//! the database is one flat JSON object, so the laboratory may change its types without a
//! migration.

use crate::clock::AccountTime;
use crate::id::{FaultId, MerchantId, ScenarioId};
use crate::stored::{Stored, StoredKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An object with an id of the type `I` and fields that only the laboratory reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpaqueObject<I> {
    /// The object's id.
    pub id: I,
    /// The merchant that owns the object.
    pub merchant: MerchantId,
    /// 1 at first, raised by one by every change.
    pub version: u64,
    /// The time of creation.
    pub created: AccountTime,
    /// True if the object was deleted. Lists leave it out.
    pub deleted: bool,
    /// All other fields of the body.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

/// Implements the traits of stored objects for a kind of opaque objects. A macro, because only the
/// id type and the name differ.
macro_rules! opaque_kinds {
    ($($id:ty = $name:literal;)+) => {
        $(
            impl Stored for OpaqueObject<$id> {
                fn merchant(&self) -> MerchantId {
                    self.merchant
                }

                fn number(&self) -> u64 {
                    self.id.number()
                }

                fn version(&self) -> u64 {
                    self.version
                }

                fn set_version(&mut self, version: u64) {
                    self.version = version;
                }

                fn created(&self) -> AccountTime {
                    self.created
                }

                fn deleted(&self) -> bool {
                    self.deleted
                }
            }

            impl StoredKind for OpaqueObject<$id> {
                type Object = Self;
                const NAME: &'static str = $name;

                fn parse_number(text: &str) -> Option<u64> {
                    text.parse().ok().map(<$id>::number)
                }
            }
        )+
    };
}

opaque_kinds! {
    FaultId = "fault";
    ScenarioId = "scenario";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_keeps_the_fields_that_only_the_laboratory_reads() {
        let body = r#"{"id":"ID","merchant":"MERCHANT","version":2,"created":5,"deleted":false,"seed":18446744073709551615,"share":{"Every":3}}"#
            .replace("ID", &FaultId::from_number(7).to_string())
            .replace("MERCHANT", &MerchantId::from_number(1).to_string());
        let object: OpaqueObject<FaultId> = serde_json::from_str(&body).unwrap();
        assert_eq!((object.number(), object.version, object.created), (7, 2, AccountTime(5)));
        assert_eq!(object.fields["share"]["Every"], 3);
        assert_eq!(serde_json::to_string(&object).unwrap(), body);
    }
}
