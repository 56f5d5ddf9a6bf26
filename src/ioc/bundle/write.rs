//! Making a bundle. Everything is in memory: a quarter of a million packages are some ten megabytes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{BLOCK, BundleError, DIGEST, Head, LARGEST_HEAD, MAGIC, SCHEMA, SIGNED, key, slot};
use crate::{
    ecosystem::normal_name,
    fact::Ecosystem,
    ioc::{feed::FeedRow, model::Incident},
    work,
};

/// What goes into a bundle.
#[derive(Debug, Clone)]
pub struct Content {
    /// What it is, in a few words.
    pub title: String,
    /// Counts releases.
    pub sequence: u64,
    /// UTC.
    pub created: Timestamp,
    /// With their lists.
    pub incidents: Vec<Incident>,
    /// Ecosystem, name as written, what is said of it.
    pub rows: Vec<(Ecosystem, String, FeedRow)>,
}

/// The bytes of a bundle; the same content gives the same bytes.
///
/// # Errors
/// Where it would be larger than the format can say.
pub fn build(content: &Content) -> Result<Vec<u8>, BundleError> {
    const LARGE: BundleError = BundleError::Broken("more than four gigabytes");
    // Each with its position: rows of one package follow each other, and none is copied.
    let mut order: Vec<(Box<[u8]>, &FeedRow)> = Vec::with_capacity(content.rows.len());
    for (ecosystem, name, row) in &content.rows {
        order.push((key(*ecosystem, &normal_name(*ecosystem, name)).into(), row));
    }
    work::done(order.len());
    order.sort_by(|a, b| a.0.cmp(&b.0));
    let count = order.chunk_by(|a, b| a.0 == b.0).count();
    let mut versions = 0;
    let mut body = json(&content.incidents)?;
    let incidents_length = body.len();
    let slots = (count * 3 / 2).next_power_of_two().max(16);
    let mut table = vec![0_u32; slots];
    let mut records = Vec::new();
    let (packages, count) = (count, u64::try_from(slots).map_err(|_| LARGE)?);
    for same in order.chunk_by(|a, b| a.0 == b.0) {
        let Some((key, _)) = same.first() else { continue };
        let rows = merged(same.iter().map(|(_, row)| *row));
        versions += rows.values().map(BTreeSet::len).sum::<usize>();
        let mut at = usize::try_from(slot(key, count)).map_err(|_| LARGE)?;
        while table.get(at).is_some_and(|s| *s != 0) {
            work::done(1);
            at = (at + 1) % slots;
        }
        if let Some(slot) = table.get_mut(at) {
            *slot = u32::try_from(records.len() + 1).map_err(|_| LARGE)?;
        }
        let rows = json(&rows.iter().collect::<Vec<_>>())?;
        records.extend(u16::try_from(key.len()).map_err(|_| BundleError::Broken("a name of 64 KiB"))?.to_le_bytes());
        records.extend_from_slice(key);
        records.extend(u32::try_from(rows.len()).map_err(|_| LARGE)?.to_le_bytes());
        records.extend(rows);
    }
    body.extend(table.iter().flat_map(|s| s.to_le_bytes()));
    body.extend(records);
    let head = Head {
        schema: SCHEMA.to_owned(),
        title: content.title.clone(),
        sequence: content.sequence,
        created: content.created,
        incidents: content.incidents.len(),
        packages,
        versions,
        body: u64::try_from(body.len()).map_err(|_| LARGE)?,
        incidents_length: u64::try_from(incidents_length).map_err(|_| LARGE)?,
        slots: count,
    };
    let head = json(&head)?;
    let mut bundle = MAGIC.to_vec();
    bundle.extend(u32::try_from(head.len()).map_err(|_| LARGE)?.to_le_bytes());
    bundle.extend(head);
    bundle.extend(body.chunks(BLOCK).flat_map(Sha256::digest));
    bundle.extend(body);
    Ok(bundle)
}

fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, BundleError> {
    serde_json::to_vec(value).map_err(|_| BundleError::Broken("a value that JSON cannot say"))
}

/// One row an advisory, its versions sorted, each once.
fn merged<'r>(rows: impl Iterator<Item = &'r FeedRow>) -> BTreeMap<&'r str, BTreeSet<&'r str>> {
    let mut by: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in rows {
        by.entry(&row.advisory).or_default().extend(row.versions.iter().map(String::as_str));
    }
    by
}

/// The part of a bundle that is signed.
///
/// # Errors
/// Where the bytes do not start like a bundle.
pub fn head_of(bundle: &[u8]) -> Result<&[u8], BundleError> {
    parts(bundle).map(|(head, _)| head)
}

/// What is signed, and how long the body behind it is.
fn parts(bundle: &[u8]) -> Result<(&[u8], usize), BundleError> {
    const EARLY: BundleError = BundleError::Broken("it ends too early");
    const LARGE: BundleError = BundleError::Broken("its head is too large");
    let rest = bundle.strip_prefix(MAGIC.as_slice()).ok_or(BundleError::Foreign)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(EARLY)?;
    let length = u64::from(u32::from_le_bytes(*length));
    if length > LARGEST_HEAD {
        return Err(LARGE);
    }
    let length = usize::try_from(length).map_err(|_| LARGE)?;
    let head = Head::parse(rest.get(..length).ok_or(EARLY)?)?;
    let body = usize::try_from(head.body).map_err(|_| EARLY)?;
    let end = MAGIC.len() + 4 + length + body.div_ceil(BLOCK) * DIGEST;
    Ok((bundle.get(..end).ok_or(EARLY)?, body))
}

/// The bundle with its signature behind it: one file, so that both change together. A signature that is there already gives way.
///
/// # Errors
/// Where it is none, is cut off, or has something else behind it.
pub fn with_signature(mut bundle: Vec<u8>, signature: &str) -> Result<Vec<u8>, BundleError> {
    let (head, body) = parts(&bundle)?;
    let end = head.len().checked_add(body);
    let (end, tail) =
        end.and_then(|end| Some((end, bundle.get(end..)?))).ok_or(BundleError::Broken("it ends too early"))?;
    if !tail.is_empty() {
        super::read::signature_in(tail)?;
    }
    bundle.truncate(end);
    let length = u32::try_from(signature.len()).unwrap_or(u32::MAX);
    bundle.extend_from_slice(&[signature.as_bytes(), &length.to_le_bytes(), SIGNED].concat());
    Ok(bundle)
}
