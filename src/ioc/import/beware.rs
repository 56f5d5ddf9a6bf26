//! What curated incidents know better than a list: values that were published as indicators and are none, and hosts that others
//! use too.

use std::collections::BTreeSet;

use super::Imported;
use crate::ioc::model::Incident;

impl Imported {
    /// Leaves out what the curated incidents call no indicator, and takes shared hosts as context only.
    pub fn beware(&mut self, curated: &[Incident]) {
        let none: BTreeSet<String> =
            curated.iter().flat_map(|i| &i.not_indicators).map(|n| n.value.to_lowercase()).collect();
        let shared: BTreeSet<&str> =
            curated.iter().flat_map(|i| &i.network).filter(|n| n.context_only).map(|n| n.value.as_str()).collect();
        let mut left: Vec<(&str, String)> = Vec::new();
        for incident in &mut self.incidents {
            let mut wrong = |value: &str| {
                let wrong = none.contains(&value.to_lowercase());
                left.extend(wrong.then(|| ("published as an indicator, and known to be none", value.to_owned())));
                wrong
            };
            incident.network.retain(|n| !wrong(&n.value));
            incident.artifacts.retain(|a| ![&a.sha256, &a.sha1, &a.md5].into_iter().flatten().any(|h| wrong(h)));
            incident.files.retain(|f| ![&f.sha256, &f.sha1, &f.md5].into_iter().flatten().any(|h| wrong(h)));
            for name in incident.network.iter_mut().filter(|n| !n.context_only && shared.contains(n.value.as_str())) {
                name.context_only = true;
                left.push(("a host that others use too: kept as context, no finding alone", name.value.clone()));
            }
        }
        left.into_iter().for_each(|(why, value)| self.leave(why, &value));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Reading, read};
    use crate::ioc::Database;

    #[test]
    fn known_traps_are_avoided() {
        let curated = Database::embedded().unwrap().incidents;
        let trap = curated.iter().flat_map(|i| &i.not_indicators).find(|n| n.value.len() == 64).unwrap();
        let text = format!("{}\nwebhook.site\nevil.example\n{}\n", trap.value, "ab".repeat(32));
        let mut i = read(&[("x.txt".to_owned(), text.into_bytes())], Reading::default()).unwrap();
        i.beware(&curated);
        assert_eq!(i.incidents[0].artifacts.len(), 1);
        let network: Vec<bool> = i.incidents[0].network.iter().map(|n| n.context_only).collect();
        assert_eq!(network, [true, false]);
        assert_eq!(i.left.len(), 2);
    }
}
