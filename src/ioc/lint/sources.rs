//! Where values come from.

use std::collections::BTreeSet;

use super::{Lint, hosts};
use crate::ioc::model::Incident;

impl Lint<'_> {
    pub(super) fn sources(&mut self) {
        let incident = self.incident;
        if incident.sources.is_empty() {
            self.say("sources", "none", "say where the values come from");
        }
        for (key, source) in &incident.sources {
            let place = format!("sources.{key}");
            self.text(format!("{place}.title"), &source.title);
            match (&source.url, &source.relayed) {
                (None, None) => {
                    self.say(place, "neither an address nor a description", "give `url`, or `relayed` with what it was")
                }
                (Some(_), Some(_)) => self.say(place, "both `url` and `relayed`", "keep `url`"),
                (Some(url), None) => self.address(&place, url),
                (None, Some(words)) => {
                    self.text(format!("{place}.relayed"), words);
                    if words.contains("://") {
                        let hint = "write the address into `url`; name a registry's page in words";
                        self.say(format!("{place}.relayed"), "holds an address", hint);
                    }
                }
            }
        }
        let mut used: BTreeSet<&str> = BTreeSet::new();
        for (place, keys) in sourced(incident) {
            if keys.is_empty() {
                self.say(format!("{place}.sources"), "no source", "name at least one key of `sources`");
            }
            self.twice(&format!("{place}.sources"), keys.iter().map(String::as_str));
            self.known(&place, keys, &mut used);
        }
        self.known("harvest", &incident.harvest.sources, &mut used);
        for key in incident.sources.keys().filter(|k| !used.contains(k.as_str())) {
            self.say(format!("sources.{key}"), "no value names it", "name it where its values stand, or remove it");
        }
    }

    fn known<'k>(&mut self, place: &str, keys: &'k [String], used: &mut BTreeSet<&'k str>) {
        for (n, key) in keys.iter().enumerate() {
            used.insert(key);
            if !self.incident.sources.contains_key(key) {
                let hint = "add it there, or mend the key";
                self.say(format!("{place}.sources[{n}]"), format!("`{key}` is not in `sources`"), hint);
            }
        }
    }

    fn address(&mut self, place: &str, url: &str) {
        let place = format!("{place}.url");
        let Some(host) = hosts::of_url(url).filter(|h| h.contains('.')) else {
            return self.say(place, format!("`{url}` is not an address"), "write it in full, with https://");
        };
        if !url.starts_with("https://") {
            self.say(place.clone(), "not https", "write https://, or `relayed` where the page has none");
        }
        if hosts::is_registry(host) {
            let hint = "name the page in words, in `relayed`: registries' own pages are not linked";
            self.say(place, format!("`{host}` is a registry"), hint);
        }
    }
}

/// Every value that names sources, with its place.
pub fn sourced(i: &Incident) -> Vec<(String, &[String])> {
    fn list<'i, T>(name: &str, items: &'i [T], of: fn(&'i T) -> &'i [String]) -> Vec<(String, &'i [String])> {
        items.iter().enumerate().map(|(n, item)| (format!("{name}[{n}]"), of(item))).collect()
    }
    let mut all = list("windows", &i.windows, |w| &w.sources);
    all.extend(list("packages", &i.packages, |p| &p.sources));
    all.extend(list("artifacts", &i.artifacts, |a| &a.sources));
    all.extend(list("files", &i.files, |f| &f.sources));
    all.extend(list("network", &i.network, |n| &n.sources));
    all.extend(list("processes", &i.processes, |p| &p.sources));
    all.extend(list("images", &i.images, |x| &x.sources));
    all.extend(list("kubernetes", &i.kubernetes, |k| &k.sources));
    all.extend(list("git", &i.git, |g| &g.sources));
    all.extend(list("actions", &i.actions, |a| &a.sources));
    all.extend(list("strings", &i.strings, |s| &s.sources));
    all.extend(list("not_indicators", &i.not_indicators, |n| &n.sources));
    all.extend(i.package_list.iter().map(|p| ("package_list".to_owned(), p.sources.as_slice())));
    all.extend(list("dead_man_switches", &i.dead_man_switches, |d| &d.sources));
    all.extend(i.attribution.iter().map(|a| ("attribution".to_owned(), a.sources.as_slice())));
    for (n, d) in i.disagreements.iter().enumerate() {
        all.extend(list(&format!("disagreements[{n}].claims"), &d.claims, |c| &c.sources));
    }
    for (n, w) in i.windows.iter().enumerate() {
        all.extend(list(&format!("windows[{n}].published"), &w.published, |c| &c.sources));
    }
    all
}
