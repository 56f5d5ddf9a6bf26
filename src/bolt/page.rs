//! One page of a tree of keys.

use super::BoltError;

/// Bytes before the elements: the page's number, its kind, how many elements it has, how many pages it runs on into.
pub const HEADER: usize = 16;
/// Bytes of what describes one element.
const ELEMENT: usize = 16;
/// Bytes of a bucket's root and sequence, before the page of one without a root.
const BUCKET: usize = 16;

const BRANCH: u16 = 1;
const LEAF: u16 = 2;

const DAMAGED: BoltError = BoltError::Malformed("a damaged page");

/// What a page holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Element<'p> {
    /// The number of a page below.
    Below(u64),
    /// A key and its value.
    Value(&'p [u8], &'p [u8]),
    /// A bucket by its name and the number of its root page.
    Bucket(&'p [u8], u64),
    /// A bucket by its name and the page within its value.
    Inline(&'p [u8], &'p [u8]),
}

/// How many pages this one runs on into, from its header.
pub fn runs_on(header: &[u8], number: u64) -> Result<u64, BoltError> {
    if u64_at(header, 0) != Some(number) {
        return Err(BoltError::Malformed("a page with another number"));
    }
    u32_at(header, 12).map(u64::from).ok_or(DAMAGED)
}

/// The elements of a page.
pub fn elements(page: &[u8]) -> Result<impl Iterator<Item = Result<Element<'_>, BoltError>>, BoltError> {
    let kind = u16_at(page, 8).ok_or(DAMAGED)?;
    if kind != BRANCH && kind != LEAF {
        return Err(BoltError::Malformed("a page that is none of a tree"));
    }
    let count = u16_at(page, 10).ok_or(DAMAGED)?;
    // Where elements overlapped, a small page could stand for much.
    let mut left = page.len();
    Ok((0..usize::from(count)).map(move |n| {
        let at = HEADER + n * ELEMENT;
        let element = if kind == BRANCH { below(page, at) } else { leaf(page, at) };
        let (element, len) = element.ok_or(DAMAGED)?;
        left = left.checked_sub(ELEMENT + len).ok_or(BoltError::Malformed("keys that overlap"))?;
        Ok(element)
    }))
}

fn below(page: &[u8], at: usize) -> Option<(Element<'_>, usize)> {
    let len = usize::try_from(u32_at(page, at + 4)?).ok()?;
    Some((Element::Below(u64_at(page, at + 8)?), len))
}

fn leaf(page: &[u8], at: usize) -> Option<(Element<'_>, usize)> {
    let number = |at| usize::try_from(u32_at(page, at)?).ok();
    let (start, key, value) = (at.checked_add(number(at + 4)?)?, number(at + 8)?, number(at + 12)?);
    let middle = start.checked_add(key)?;
    let end = middle.checked_add(value)?;
    let (key, value) = (page.get(start..middle)?, page.get(middle..end)?);
    let element = match u32_at(page, at)? {
        0 => Element::Value(key, value),
        _ => match u64_at(value, 0)? {
            0 => Element::Inline(key, value.get(BUCKET..)?),
            root => Element::Bucket(key, root),
        },
    };
    Some((element, end - start))
}

pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}

pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}
