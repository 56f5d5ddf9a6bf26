//! Compose files.
//!
//! ```text
//! name: shop
//! services:
//!   web: {image: "registry.example/web:${TAG:-1}"}
//!   job: {build: .}                 left out: no registry has its image
//!   api: {<<: *defaults, extends: {file: other.yaml, service: api}}
//! include: [other.yaml]             left out: another file
//! ```

use serde_json::{Map, Value};

use super::{ImageUse, Listing, User, variables};

/// `<<` in `<<`.
const MERGES: usize = 8;

pub(super) fn read(file: &Value, listing: &mut Listing) {
    let project = file.get("name").and_then(Value::as_str).and_then(variables::resolve).map(|r| r.text);
    if file.get("include").is_some_and(|i| !i.is_null()) {
        listing.leave_out("include", "another file: name it too");
    }
    let Some(services) = file.get("services").and_then(Value::as_object) else {
        return;
    };
    for (name, service) in services {
        let Some(service) = service.as_object() else {
            continue;
        };
        let place = format!("service {name}");
        let built = key(service, "build", MERGES).is_some_and(|b| !b.is_null());
        let named = key(service, "image", MERGES).filter(|image| !image.is_null());
        let Some(image) = named.and_then(Value::as_str) else {
            if named.is_some() {
                listing.not_read(&place);
                continue;
            }
            let from = key(service, "extends", MERGES).is_some();
            let reason = match (built, from) {
                (true, _) => "it is built from a Dockerfile, and its image has the name of project and service",
                (false, true) => "it extends another service, which names the image",
                (false, false) => "no image is written",
            };
            listing.leave_out(&place, reason);
            continue;
        };
        match variables::resolve(image) {
            Some(image) if !image.text.trim().is_empty() => {
                let user = User::Service { project: project.clone(), service: name.clone(), built };
                listing.add_use(ImageUse { image: image.text, image_id: None, by_default: image.by_default, user });
            }
            _ => listing.leave_out(&place, "its image depends on variables without a default"),
        }
    }
}

/// A key of a mapping, or of what is merged into it.
fn key<'v>(map: &'v Map<String, Value>, name: &str, depth: usize) -> Option<&'v Value> {
    let own = map.get(name);
    if own.is_some() {
        return own;
    }
    let depth = depth.checked_sub(1)?;
    match map.get("<<")? {
        Value::Object(merged) => key(merged, name, depth),
        Value::Array(several) => several.iter().filter_map(Value::as_object).find_map(|m| key(m, name, depth)),
        _ => None,
    }
}
