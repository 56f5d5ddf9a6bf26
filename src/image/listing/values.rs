//! Values of Helm charts: a convention, which the charts' own templates give a meaning to.
//!
//! ```text
//! image: {registry: registry.example, repository: team/app, tag: "1.2", digest: ""}
//! sidecar: {image: registry.example/sidecar:3}
//! web: {image: registry.example/web, imageTag: "7"}
//! global: {imageRegistry: mirror.example}          Bitnami's charts: in front of each that has a `registry`
//! ```
//!
//! A tag that is not written is often the version of the chart's application: such an image is left out.

use serde_json::{Map, Value};

use super::{ImageUse, Listing, User};
use crate::ecosystem::oci;

const NO_TAG: &str = "its tag is not written here: the chart gives it (`helm template` writes it out)";

pub(super) fn read(values: &Value, listing: &mut Listing) {
    let global = values.pointer("/global/imageRegistry").and_then(Value::as_str).unwrap_or_default();
    walk(values, &mut Vec::new(), global, listing);
}

fn walk<'v>(value: &'v Value, path: &mut Vec<&'v str>, global: &str, listing: &mut Listing) {
    match value {
        Value::Array(list) => list.iter().for_each(|v| walk(v, path, global, listing)),
        Value::Object(map) => {
            image_of(map, path, global, listing);
            for (key, value) in map {
                path.push(key);
                match value.as_str() {
                    Some(text) if is_image_key(key) => named(text, map, path, listing),
                    _ => walk(value, path, global, listing),
                }
                path.pop();
            }
        }
        _ => {}
    }
}

fn is_image_key(key: &str) -> bool {
    key.to_ascii_lowercase().ends_with("image")
}

/// A text below a key, whatever its type.
fn word(map: &Map<String, Value>, key: &str) -> String {
    match map.get(key) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// A mapping that is an image in parts.
fn image_of(map: &Map<String, Value>, path: &[&str], global: &str, listing: &mut Listing) {
    let (tag, digest) = (word(map, "tag"), word(map, "digest"));
    let is_image = path.last().is_some_and(|key| is_image_key(key));
    let has = |key: &str| map.contains_key(key);
    let mut repository = word(map, "repository");
    if repository.is_empty() && is_image {
        repository = word(map, "name");
    }
    if repository.is_empty() || !(is_image || has("tag") || has("digest") || has("pullPolicy")) {
        return;
    }
    let registry = if has("registry") && !global.is_empty() { global.to_owned() } else { word(map, "registry") };
    let slash = if registry.is_empty() { "" } else { "/" };
    let mut image = format!("{}{slash}{repository}", registry.trim_end_matches('/'));
    if oci::parse(&image).is_none() {
        // The address of a repository of charts, or a template.
        return;
    }
    let complete = !tag.is_empty() || !digest.is_empty() || is_complete(&image);
    if !tag.is_empty() {
        image = format!("{image}:{tag}");
    }
    if !digest.is_empty() {
        image = format!("{image}@{digest}");
    }
    put(image, complete, path, listing);
}

/// An image in one text, its tag perhaps beside it.
fn named(text: &str, map: &Map<String, Value>, path: &[&str], listing: &mut Listing) {
    let text = text.trim();
    if text.is_empty() || oci::parse(text).is_none() || !text.contains(['/', ':', '@']) && !map.contains_key("tag") {
        return;
    }
    let beside = ["tag", "imageTag"].map(|key| word(map, key)).into_iter().find(|tag| !tag.is_empty());
    match beside {
        Some(tag) if !is_complete(text) => put(format!("{text}:{tag}"), true, path, listing),
        _ => put(text.to_owned(), is_complete(text), path, listing),
    }
}

/// Whether a tag or a digest is written.
fn is_complete(image: &str) -> bool {
    image.contains('@') || image.rsplit('/').next().is_some_and(|last| last.contains(':'))
}

fn put(image: String, complete: bool, path: &[&str], listing: &mut Listing) {
    let place = if path.is_empty() { "the values".to_owned() } else { path.join(".") };
    if !complete {
        listing.leave_out(&place, NO_TAG);
    } else if oci::parse(&image).is_some() {
        listing.add_use(ImageUse { image, image_id: None, by_default: false, user: User::Value(place) });
    } else {
        listing.not_read(&place);
    }
}
