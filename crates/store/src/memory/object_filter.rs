//! Filters of objects.

use super::Memory;
use super::object::live;
use crate::store::Failure;
use crate::{FindOtherWithValue, Object, ObjectsOf};

pub(crate) fn find_other(
    command: &FindOtherWithValue,
    memory: &Memory,
) -> Result<Option<u64>, Failure> {
    let FindOtherWithValue { merchant, kind, filter, value, except } = command;
    let of = ObjectsOf::value(*filter, value);
    let others = live(memory, *merchant, *kind).filter(|object| object.number() != *except);
    Ok(others
        .filter(|object| of.has(object))
        .max_by_key(|object| object.place())
        .map(Object::number))
}
