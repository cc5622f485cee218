//! Lists by cursor.
//!
//! A cursor is the id of the last item given and the place after it: the list goes on behind that item while it
//! exists, else at that place. So a list that changes between two pages repeats little and never fails.

use axum::extract::Query;
use axum::http::Uri;
use twocan_api::{List, ListQuery};

use super::problem::{Code, Fault};

/// Items a page unless told.
const USUAL: u32 = 100;
/// Items a page, at most.
const MOST: u32 = 200;

/// The part of `items` that the request's query asks for, each rendered.
pub(super) fn page<T, R>(
    uri: &Uri,
    items: &[T],
    id: impl Fn(&T) -> String,
    render: impl Fn(&T) -> R,
) -> Result<List<R>, Fault> {
    let Query(query) = Query::<ListQuery>::try_from_uri(uri).map_err(|_| Fault::new(Code::BadQuery))?;
    let limit = query.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Code::BadQuery.into());
    }
    let start = query.cursor.map_or(Ok(0), |cursor| start(&cursor, items, &id))?;
    let end = items
        .len()
        .min(start.saturating_add(usize::try_from(limit).unwrap_or(usize::MAX)));
    let shown = items.get(start..end).unwrap_or_default();
    let next = shown
        .last()
        .filter(|_| end < items.len())
        .map(|last| format!("{end}.{}", id(last)));
    Ok(List {
        items: shown.iter().map(render).collect(),
        next,
    })
}

fn start<T>(cursor: &str, items: &[T], id: impl Fn(&T) -> String) -> Result<usize, Fault> {
    let (place, last) = cursor.split_once('.').ok_or(Code::BadQuery)?;
    let place: usize = place.parse().map_err(|_| Fault::new(Code::BadQuery))?;
    let behind = items.iter().position(|item| id(item) == last).map(|at| at + 1);
    Ok(behind.unwrap_or(place).min(items.len()))
}
