//! Typed access to stored objects: by number, by the text of an id, and by lookup text.
//!
//! The type parameter is a kind of objects ([`StoredObject`]). For most kinds it is the type of the
//! objects themselves, such as [`Invoice`](model::payments::invoice::Invoice).

use crate::payments::Changes;
use crate::{Context, Engine, Error};
use model::id::MerchantId;
use model::stored::Stored;
use store::{FindObject, FindObjectByLookup, Object, ObjectKey, Precondition, StoredObject};
use wire::error::Error as ApiError;

/// The object in a row that was read by its kind.
pub(crate) fn typed<T: StoredObject>(object: Object) -> T::Object {
    match T::from_object(object) {
        Some(object) => object,
        None => unreachable!("the kind is part of the key that the row was read by"),
    }
}

/// The API error about a parameter that names no object of a kind.
pub(crate) fn missing<T: StoredObject>(text: &str, param: &str) -> ApiError {
    ApiError::no_such(T::NAME, text, param)
}

impl Engine {
    /// The object of this number, if there is one. Deleted objects are found.
    pub async fn find<T: StoredObject>(
        &self,
        merchant: MerchantId,
        number: u64,
    ) -> Result<Option<T::Object>, Error> {
        let find = FindObject { merchant, kind: T::KIND, number };
        Ok(self.store.read(find).await?.map(typed::<T>))
    }

    /// The object with the id `text`. Without one, or if it is deleted, an API error names `param`.
    pub async fn get<T: StoredObject>(
        &self,
        context: &Context,
        text: &str,
        param: &str,
    ) -> Result<T::Object, Error> {
        let object = self.get_with_deleted::<T>(context, text, param).await?;
        if object.deleted() {
            return Err(missing::<T>(text, param).into());
        }
        Ok(object)
    }

    /// The object with the id `text`. Deleted objects are found.
    pub(crate) async fn get_with_deleted<T: StoredObject>(
        &self,
        context: &Context,
        text: &str,
        param: &str,
    ) -> Result<T::Object, Error> {
        let found = self.find_id::<T>(context, text).await?;
        found.ok_or_else(|| missing::<T>(text, param).into())
    }

    /// The object with the id `text`, if there is one. Deleted objects are found.
    pub(crate) async fn find_id<T: StoredObject>(
        &self,
        context: &Context,
        text: &str,
    ) -> Result<Option<T::Object>, Error> {
        match T::parse_number(text) {
            Some(number) => self.find::<T>(context.merchant, number).await,
            None => Ok(None),
        }
    }

    /// The newest object with this lookup text, if there is one. Deleted objects are left out.
    pub(crate) async fn find_by_lookup<T: StoredObject>(
        &self,
        merchant: MerchantId,
        lookup: String,
    ) -> Result<Option<T::Object>, Error> {
        let find = FindObjectByLookup { merchant, kind: T::KIND, lookup };
        Ok(self.store.read(find).await?.map(typed::<T>))
    }

    /// The object with the id `text`, which must be unchanged when the changes are committed.
    pub(crate) async fn get_unchanged<T: StoredObject>(
        &self,
        context: &Context,
        changes: &mut Changes,
        text: &str,
        param: &str,
    ) -> Result<T::Object, Error> {
        let object = self.get::<T>(context, text, param).await?;
        changes.require_unchanged::<T>(&object);
        Ok(object)
    }

    /// The object of this number as it will be after the changes. A stored object must be unchanged
    /// when they are committed, and an absent one must still be absent.
    pub(crate) async fn find_unchanged<T: StoredObject>(
        &self,
        merchant: MerchantId,
        changes: &mut Changes,
        number: u64,
    ) -> Result<Option<T::Object>, Error> {
        if let Some(object) = changes.find(T::KIND, number) {
            return Ok(Some(typed::<T>(object.clone())));
        }
        let found = self.find::<T>(merchant, number).await?;
        let version = found.as_ref().map_or(0, Stored::version);
        let key = ObjectKey { merchant, kind: T::KIND, number };
        changes.requires.push(Precondition::Version(key, version));
        Ok(found)
    }

    /// The object of this number as it will be after the changes, else as it is stored. For
    /// rendering, because it may have changed at the commit.
    pub(crate) async fn find_changed<T: StoredObject>(
        &self,
        merchant: MerchantId,
        changes: &Changes,
        number: u64,
    ) -> Result<Option<T::Object>, Error> {
        match changes.find(T::KIND, number) {
            Some(object) => Ok(Some(typed::<T>(object.clone()))),
            None => self.find::<T>(merchant, number).await,
        }
    }
}
