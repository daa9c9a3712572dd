//! Preconditions: facts that a decision rests on, besides the versions of the rows that its command
//! replaces.
//!
//! A use case reads objects, decides, and writes one command. Another command may change an object
//! in between. So the command carries a precondition for each object that the decision rests on,
//! and the store checks all of them in the same commit. If one does not hold, the command writes no
//! rows and returns a version conflict, and the use case decides again.

use crate::Kind;
use model::id::{AccountId, MerchantId};
use model::stored::Filter;

/// The key of a stored object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// The owner of the rows.
    pub merchant: MerchantId,
    /// The kind.
    pub kind: Kind,
    /// The number of the object's id.
    pub number: u64,
}

/// A fact that must still be true when a command commits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precondition {
    /// The object exists and is not deleted. Other changes of it do not matter, so the children of
    /// a parent never conflict with each other.
    Exists(ObjectKey),
    /// The object is not deleted. It need not exist.
    NotDeleted(ObjectKey),
    /// The object has this version, or does not exist if the version is 0.
    Version(ObjectKey, u64),
    /// The bank account has this version.
    AccountVersion {
        /// The owner of the rows.
        merchant: MerchantId,
        /// The account's id.
        account: AccountId,
        /// The version that was read.
        version: u64,
    },
    /// No object of the kind has this lookup text. Deleted objects do not count.
    NoneWithLookup {
        /// The owner of the rows.
        merchant: MerchantId,
        /// The kind.
        kind: Kind,
        /// The lookup text.
        lookup: String,
    },
    /// No object of the kind has this value of a filter, except for these. Deleted objects
    /// count only if the filter stays taken.
    NoneWithValue {
        /// The owner of the rows.
        merchant: MerchantId,
        /// The kind.
        kind: Kind,
        /// The filter.
        filter: Filter,
        /// The value.
        value: String,
        /// The numbers of the objects that may have the value, at most
        /// [`model::limits::PAGE_ROWS_MAX`].
        except: Vec<u64>,
    },
}
