//! Objects that are read and replaced as a whole.

use super::{Memory, event, idempotency, in_turns, page, place, precondition};
use crate::store::Failure;
use crate::{
    ChangeObject, ChangeObjects, Changed, CreateObject, Created, FindObject, FindObjectByLookup,
    Kind, ListDueObjects, ListObjects, Listed, Object, ObjectsOf, Written,
};
use model::Word;
use model::clock::AccountTime;
use model::id::MerchantId;
use std::sync::Arc;

pub(crate) fn create(command: &CreateObject, memory: &mut Memory) -> Result<Created, Failure> {
    let CreateObject { object, requires, kind_max, events, reply } = command;
    if !idempotency::record_optional(reply.as_ref(), memory) {
        return Ok(Created::KeyTaken);
    }
    if !precondition::all_hold(requires, memory) {
        return Ok(Created::VersionConflict);
    }
    if !place::take(object.merchant(), memory) {
        return Ok(Created::MerchantsFull);
    }
    let there = live(memory, object.merchant(), object.kind()).count();
    if kind_max.is_some_and(|kind_max| there >= kind_max) {
        return Ok(Created::KindFull);
    }
    let key = (object.merchant(), object.kind(), object.number());
    if memory.rows.objects.insert(key, Arc::new(object.clone())).is_some() {
        return Err(Failure::Exists);
    }
    event::insert_many(events, memory)?;
    Ok(Created::Done)
}

pub(crate) fn change(command: &ChangeObject, memory: &mut Memory) -> Result<Written, Failure> {
    let ChangeObject { object, requires, events, reply } = command;
    if !idempotency::record_optional(reply.as_ref(), memory) {
        return Ok(Written::KeyTaken);
    }
    if !precondition::all_hold(requires, memory) || !replace(object, memory) {
        return Ok(Written::VersionConflict);
    }
    event::insert_many(events, memory)?;
    Ok(Written::Done)
}

pub(crate) fn change_many(
    command: &ChangeObjects,
    memory: &mut Memory,
) -> Result<Changed, Failure> {
    let ChangeObjects { objects, requires, events, reply } = command;
    if !idempotency::record_optional(reply.as_ref(), memory) {
        return Ok(Changed::KeyTaken);
    }
    let mut admitted = None;
    for merchant in objects.iter().map(Object::merchant) {
        if admitted.replace(merchant) != Some(merchant) && !place::take(merchant, memory) {
            return Ok(Changed::MerchantsFull);
        }
    }
    for object in objects {
        if let Object::PlatformTie(tie) = object
            && tie.version == 1
        {
            place::keep(object.merchant(), memory);
        }
    }
    if !precondition::all_hold(requires, memory) || !put_many(objects, memory) {
        return Ok(Changed::VersionConflict);
    }
    event::insert_many(events, memory)?;
    Ok(Changed::Done)
}

/// Creates the objects at version 1 and replaces the others. Returns true if all match.
pub(super) fn put_many(objects: &[Object], memory: &mut Memory) -> bool {
    objects.iter().all(|object| {
        if object.version() != 1 {
            return replace(object, memory);
        }
        let key = (object.merchant(), object.kind(), object.number());
        memory.rows.objects.insert(key, Arc::new(object.clone())).is_none()
    })
}

/// Replaces an object. Returns true if its version is one above the stored one.
pub(super) fn replace(object: &Object, memory: &mut Memory) -> bool {
    let key = (object.merchant(), object.kind(), object.number());
    let Some(stored) = memory.rows.objects.get_mut(&key) else { return false };
    let fits = stored.version() + 1 == object.version();
    if fits {
        *stored = Arc::new(object.clone());
    }
    fits
}

/// The objects of a kind that are not deleted.
pub(super) fn live(
    memory: &Memory,
    merchant: MerchantId,
    kind: Kind,
) -> impl Iterator<Item = &Object> {
    with_deleted(memory, merchant, kind).filter(|object| !object.deleted())
}

/// The objects of a kind that a list may contain. A deleted object has only the filters that stay
/// taken.
pub(super) fn listed<'a>(
    memory: &'a Memory,
    merchant: MerchantId,
    kind: Kind,
    of: &ObjectsOf,
) -> impl Iterator<Item = &'a Object> + use<'a> {
    let is_filter = matches!(of, ObjectsOf::Filter(..));
    with_deleted(memory, merchant, kind).filter(move |object| is_filter || !object.deleted())
}

/// The objects of a kind.
pub(super) fn with_deleted(
    memory: &Memory,
    merchant: MerchantId,
    kind: Kind,
) -> impl Iterator<Item = &Object> {
    memory
        .rows
        .objects
        .range((merchant, kind, 0)..=(merchant, kind, u64::MAX))
        .map(|(_, object)| object.as_ref())
}

pub(crate) fn find(command: &FindObject, memory: &Memory) -> Result<Option<Object>, Failure> {
    let FindObject { merchant, kind, number } = command;
    Ok(memory.rows.objects.get(&(*merchant, *kind, *number)).map(|object| object.as_ref().clone()))
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
    let rows = listed(memory, command.merchant, command.kind, &command.of)
        .filter(|object| command.of.has(object))
        .filter(|object| command.created.contains(object.created().0))
        .map(|object| (object.place(), object.clone()));
    Ok(page(rows, command.page))
}

pub(crate) fn list_due(command: &ListDueObjects, memory: &Memory) -> Result<Vec<Object>, Failure> {
    let ListDueObjects { now, limit } = *command;
    let due = due(memory, now, usize::MAX, |object| object.clock().is_none());
    Ok(in_turns(due, Object::merchant).into_iter().take(limit).collect())
}

/// The objects with due work that match `among`, the longest due first.
pub(super) fn due(
    memory: &Memory,
    now: AccountTime,
    limit: usize,
    among: impl Fn(&Object) -> bool,
) -> Vec<Object> {
    let mut due: Vec<_> = memory
        .rows
        .objects
        .values()
        .filter(|object| among(object) && object.due_at().is_some_and(|at| at <= now))
        .collect();
    due.sort_by_key(|object| {
        (object.due_at(), object.number(), object.merchant(), object.kind().word())
    });
    due.into_iter().take(limit).map(|object| object.as_ref().clone()).collect()
}
