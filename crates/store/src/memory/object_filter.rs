//! Filters of objects.

use super::Memory;
use super::object::{listed, with_deleted};
use crate::store::Failure;
use crate::{CountObjects, FindOtherWithValue, Object, ObjectsOf, exact};

pub(crate) fn find_other(
    command: &FindOtherWithValue,
    memory: &Memory,
) -> Result<Option<u64>, Failure> {
    let FindOtherWithValue { merchant, kind, filter, value, except } = command;
    let of = ObjectsOf::value(*filter, value);
    let others = with_deleted(memory, *merchant, *kind).filter(|object| object.number() != *except);
    Ok(others
        .filter(|object| of.has(object))
        .max_by_key(|object| object.place())
        .map(Object::number))
}

pub(crate) fn count(command: &CountObjects, memory: &Memory) -> Result<u32, Failure> {
    let CountObjects { merchant, kind, of, limit } = command;
    let count =
        |of: &ObjectsOf| listed(memory, *merchant, *kind, of).filter(|one| of.has(one)).count();
    let all: usize = match of {
        ObjectsOf::Filter(filter, values) => {
            values.iter().map(|value| count(&ObjectsOf::value(*filter, value))).sum()
        }
        ObjectsOf::Numbers(numbers) => numbers.len(),
        of => count(of),
    };
    Ok(exact(all.min(*limit as usize), "the limit has 32 bits"))
}
