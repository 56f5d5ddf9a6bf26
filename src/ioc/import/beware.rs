//! What curated incidents know better than a list: values that were published as indicators and are none, and hosts that others
//! use too; and advisories that were withdrawn and still stand in copies of databases.

use std::collections::BTreeSet;

use super::Imported;
use crate::ioc::{model::Incident, withdrawn::Withdrawals};

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
            incident
                .artifacts
                .retain(|a| ![&a.sha256, &a.sha512, &a.sha1, &a.md5].into_iter().flatten().any(|h| wrong(h)));
            incident.files.retain(|f| ![&f.sha256, &f.sha1, &f.md5].into_iter().flatten().any(|h| wrong(h)));
            for name in incident.network.iter_mut().filter(|n| !n.context_only && shared.contains(n.value.as_str())) {
                name.context_only = true;
                left.push(("a host that others use too: kept as context, no finding alone", name.value.clone()));
            }
        }
        left.into_iter().for_each(|(why, value)| self.leave(why, &value));
    }
}

impl Imported {
    /// Leaves out the versions of withdrawn and false advisories.
    pub fn without(&mut self, withdrawn: &Withdrawals) {
        let mut left: Vec<String> = Vec::new();
        for (ecosystem, name, row) in &mut self.rows {
            row.versions.retain(|v| {
                let fallen = withdrawn.of_row(*ecosystem, name, v, &row.advisory);
                left.extend(fallen.map(|w| w.line()));
                fallen.is_none()
            });
        }
        self.rows.retain(|(_, _, row)| !row.versions.is_empty());
        for incident in &mut self.incidents {
            for p in &mut incident.packages {
                p.versions.retain(|v| {
                    let fallen = withdrawn.of_row(p.ecosystem, &p.name, v, &incident.id);
                    left.extend(fallen.map(|w| w.line()));
                    fallen.is_none()
                });
            }
            incident.packages.retain(|p| !p.versions.is_empty());
        }
        if let Some(taken) = self.taken.get_mut("package versions") {
            *taken = taken.saturating_sub(left.len());
        }
        left.iter().for_each(|what| self.leave("withdrawn or false", what));
    }

    /// What the user should know of packages that are taken although an advisory of them does not hold, a line each.
    pub fn doubts(&self, withdrawn: &Withdrawals) -> Vec<String> {
        let rows = self.rows.iter().flat_map(|(e, n, row)| row.versions.iter().map(move |v| (*e, n, v)));
        let packages = self.incidents.iter().flat_map(|i| &i.packages);
        let packages = packages.flat_map(|p| p.versions.iter().map(move |v| (p.ecosystem, &p.name, v)));
        let mut all: Vec<String> =
            rows.chain(packages).filter_map(|(e, n, v)| withdrawn.of_package(e, n, v)).map(|w| w.line()).collect();
        all.sort();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Reading, read};
    use crate::ioc::{Database, withdrawn::Withdrawals};

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

    const OSV: &str = r#"[
        {"id":"MAL-2026-2853","modified":"2026-04-20T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"react-hook-form"},"versions":["7.73.0"]}]},
        {"id":"MAL-2026-3019","modified":"2026-04-20T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"hls.js"},"versions":["1.7.0-alpha.1.0.canary.11764"]}],
         "database_specific":{"iocs":{"domains":["evil.example"]}}},
        {"id":"MAL-2027-1","modified":"2026-04-20T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"react-hook-form"},"versions":["7.99.0"]}]}]"#;

    #[test]
    fn withdrawn_advisories_are_left_and_reported() {
        let list = Withdrawals::embedded().unwrap();
        let mut i = read(&[("x.json".to_owned(), OSV.as_bytes().to_vec())], Reading::default()).unwrap();
        assert_eq!(i.doubts(&list).len(), 2);
        i.without(&list);
        assert_eq!(i.rows.len(), 1);
        assert_eq!(i.rows[0].2.versions, ["7.99.0"]);
        assert!(i.incidents[0].packages.is_empty());
        assert_eq!((i.left["withdrawn or false"].count, i.taken["package versions"]), (2, 1));
        assert!(i.doubts(&list).is_empty());
    }
}
