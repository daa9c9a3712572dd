//! Objects that are looked up and changed whole.

use super::{Memory, event, page, reply};
use crate::store::Failure;
use crate::{
    ChangeObject, CreateObject, Created, FindObject, FindObjectByLookup, Kind, ListObjects, Listed,
    Object, Written,
};
use model::id::MerchantId;
use model::limits::MERCHANTS_MAX;
use std::sync::Arc;

pub(crate) fn create(command: &CreateObject, memory: &mut Memory) -> Result<Created, Failure> {
    let CreateObject { object, kind_max, events, reply } = command;
    if !reply::record_optional(reply.as_ref(), memory) {
        return Ok(Created::KeyTaken);
    }
    if memory.merchants.insert(object.merchant()) && memory.merchants.len() as u64 > MERCHANTS_MAX {
        return Ok(Created::MerchantsFull);
    }
    let there = live(memory, object.merchant(), object.kind()).count();
    if kind_max.is_some_and(|kind_max| there >= kind_max) {
        return Ok(Created::KindFull);
    }
    let key = (object.merchant(), object.kind(), object.number());
    if memory.objects.insert(key, Arc::new(object.clone())).is_some() {
        return Err(Failure::Exists);
    }
    event::insert_many(events, memory)?;
    Ok(Created::Done)
}

pub(crate) fn change(command: &ChangeObject, memory: &mut Memory) -> Result<Written, Failure> {
    let ChangeObject { object, events, reply } = command;
    if !reply::record_optional(reply.as_ref(), memory) {
        return Ok(Written::KeyTaken);
    }
    if !replace(object, memory) {
        return Ok(Written::Stale);
    }
    event::insert_many(events, memory)?;
    Ok(Written::Done)
}

/// Replaces an object if its version is one above the stored one; answers whether it is.
pub(super) fn replace(object: &Object, memory: &mut Memory) -> bool {
    let key = (object.merchant(), object.kind(), object.number());
    let Some(stored) = memory.objects.get_mut(&key) else { return false };
    let fits = stored.version() + 1 == object.version();
    if fits {
        *stored = Arc::new(object.clone());
    }
    fits
}

/// The objects of a kind that are not deleted.
fn live(memory: &Memory, merchant: MerchantId, kind: Kind) -> impl Iterator<Item = &Object> {
    memory
        .objects
        .range((merchant, kind, 0)..=(merchant, kind, u64::MAX))
        .map(|(_, object)| object.as_ref())
        .filter(|object| !object.deleted())
}

pub(crate) fn find(command: &FindObject, memory: &Memory) -> Result<Option<Object>, Failure> {
    let FindObject { merchant, kind, number } = command;
    Ok(memory.objects.get(&(*merchant, *kind, *number)).map(|object| object.as_ref().clone()))
}

pub(crate) fn find_by_lookup(
    command: &FindObjectByLookup,
    memory: &Memory,
) -> Result<Option<Object>, Failure> {
    let FindObjectByLookup { merchant, kind, lookup } = command;
    let found = live(memory, *merchant, *kind)
        .filter(|object| object.lookup().as_ref() == Some(lookup))
        .max_by_key(|object| object.place());
    Ok(found.cloned())
}

pub(crate) fn list(command: &ListObjects, memory: &Memory) -> Result<Listed<Object>, Failure> {
    let rows = live(memory, command.merchant, command.kind)
        .filter(|object| command.lookup.is_none() || object.lookup() == command.lookup)
        .filter(|object| object.clock() == command.clock)
        .filter(|object| command.created.contains(object.created().0))
        .map(|object| (object.place(), object.clone()));
    Ok(page(rows, command.page))
}
