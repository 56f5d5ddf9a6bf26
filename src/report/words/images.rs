//! What is said of the images of a sweep.

use super::count;
use crate::{report::v1, text::escape, verdict::Confidence};

/// "5000 images: 12 exposed, 3 not examined completely, 4985 with nothing found in what was examined".
pub fn images_counted(sweep: &v1::Sweep) -> String {
    let count = |wanted: &dyn Fn(&v1::SweptImage) -> bool| sweep.images.iter().filter(|i| wanted(i)).count();
    let exposed = count(&|i| i.exposure.is_some());
    let open = count(&|i| i.exposure.is_none() && !i.complete);
    let rest = sweep.images.len() - exposed - open;
    let kinds = match sweep.images.iter().all(|i| i.kind == "image") {
        true => self::count(sweep.images.len(), "image"),
        false => format!("{} images, containers and volumes", sweep.images.len()),
    };
    format!(
        "{kinds} on {}: {exposed} exposed, {open} not examined completely, {rest} with nothing found in what was examined",
        self::count(sweep.layers, "different layer")
    )
}

/// Whether a list of images says something: there are several, or it is known who uses the one.
pub fn lists_images(sweep: &v1::Sweep) -> bool {
    sweep.images.len() > 1 || sweep.images.iter().any(|i| !i.used_by.is_empty())
}

/// The images that a reader has to know of.
pub fn images_by_weight(sweep: &v1::Sweep) -> Vec<&v1::SweptImage> {
    sweep.images.iter().filter(|i| i.exposure.is_some() || !i.complete).collect()
}

/// The incidents of a sweep that each get a column of their own; none where there are more than fit.
pub fn columns(sweep: &v1::Sweep) -> Vec<&str> {
    const MOST: usize = 3;
    let mut ids: Vec<&str> = sweep.images.iter().flat_map(|i| &i.incidents).map(|i| i.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > MOST { Vec::new() } else { ids }
}

/// What an image took, one cell for each of these incidents; one for all, where there are none.
pub fn image_cells(image: &v1::SweptImage, columns: &[&str]) -> Vec<String> {
    let word = |i: &v1::MachineIncident| {
        let maybe = if i.confidence == Confidence::Possible { "possibly " } else { "" };
        format!("{maybe}{}", i.exposure.as_str())
    };
    if columns.is_empty() {
        let all: Vec<String> =
            image.incidents.iter().map(|i| format!("{} {}", escape(i.id.as_bytes()), word(i))).collect();
        return vec![all.join(", ")];
    }
    let cell = |id: &&str| image.incidents.iter().find(|i| i.id == **id).map_or_else(|| "-".to_owned(), word);
    columns.iter().map(cell).collect()
}

/// "2 running: shop/web-1/app on node-3, worker; 1 more".
pub fn users(image: &v1::SweptImage) -> String {
    const SHOWN: usize = 3;
    let running = image.used_by.iter().filter(|u| u.running == Some(true));
    let others = image.used_by.iter().filter(|u| u.running != Some(true));
    let one = |u: &v1::ImageUser| {
        let state = if u.running == Some(false) { " (not running)" } else { "" };
        let node = u.node.as_ref().map(|n| format!(" on {}", escape(n.as_bytes()))).unwrap_or_default();
        format!("{} {}{node}{state}", escape(u.kind.as_bytes()), escape(u.name.as_bytes()))
    };
    let shown: Vec<String> = running.chain(others).take(SHOWN).map(one).collect();
    if shown.is_empty() {
        return "-".to_owned();
    }
    let more = image.used_by.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("; {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// What to build anew, one line each: "layer 1a2b3c4d5e6f, the top of base:1: 40 images".
pub fn bases(sweep: &v1::Sweep) -> Vec<String> {
    const SHOWN: usize = 10;
    let some = |names: &[String]| {
        let shown: Vec<String> = names.iter().take(3).map(|n| escape(n.as_bytes())).collect();
        let more = if names.len() > 3 { " …" } else { "" };
        format!("{}{more}", shown.join(", "))
    };
    let one = |base: &v1::Base| {
        let short: String = base.layer.trim_start_matches("sha256:").chars().take(12).collect();
        let top = if base.names.is_empty() { String::new() } else { format!(", the top of {}", some(&base.names)) };
        format!("layer {}{top}: {} ({})", escape(short.as_bytes()), count(base.images, "image"), some(&base.some))
    };
    sweep.bases.iter().take(SHOWN).map(one).collect()
}
