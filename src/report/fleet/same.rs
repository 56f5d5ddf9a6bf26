//! Which items of several machines are one to do.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use crate::{
    credential::FORMS,
    report::{v1, words},
    verdict::Phase,
};

/// Which credentials an item replaces, where each has an identifier: the same on another machine is the same to do.
pub fn replaces(item: &v1::Item, known: &HashMap<&str, &v1::Credential>) -> Option<[u8; 32]> {
    let identified = item.credentials.iter().map(|id| {
        let c = known.get(id.as_str())?;
        // Equal tags are equal values; the name of a user or of a registry is nobody's key.
        let tag = c.tag.as_deref();
        let identifier = c.identifier.as_deref().filter(|id| FORMS.fit(&c.kind, id));
        Some((c.kind.as_str(), tag.or(identifier)?))
    });
    let mut all: Vec<(&str, &str)> = identified.collect::<Option<_>>()?;
    all.sort_unstable();
    all.dedup();
    if item.phase != Phase::Rotate || all.is_empty() {
        return None;
    }
    let mut hash = Sha256::new_with_prefix("replaces");
    for text in all.iter().flat_map(|(kind, id)| [kind, id]) {
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(text);
    }
    Some(hash.finalize().into())
}

/// What an item says. Two that say the same are one to do.
pub fn said(item: &v1::Item) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(item.phase.as_str());
    let mut add = |text: &str| {
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(text);
    };
    add(item.done_at().as_str());
    add(&item.title);
    add(&item.why);
    add(item.urgency.map_or("", |u| u.as_str()));
    for step in &item.steps {
        add(&step.what);
        add(step.command.as_deref().unwrap_or_default());
        add(if step.by_hand { "by hand" } else { "" });
        words::remarks(step).iter().for_each(|remark| add(remark));
    }
    hash.finalize().into()
}
