//! What names an inventory holds, and of what.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use serde_json::Value;

use super::{
    NAMES, Names, Numbered, Sort, addresses, is_home, is_path, job, own_parts, own_trace, words::is_structure,
};
use crate::interest::{Interest, WantedFolder};

impl Names {
    /// None yet. `values` are what indicators call repositories and the like.
    pub(super) fn new(interest: &Interest, values: &[String]) -> Self {
        let mut known: BTreeSet<String> = interest.traces.hosts().map(str::to_owned).collect();
        known.extend(values.iter().cloned());
        for file in &interest.files {
            if let WantedFolder::Tail(folder) | WantedFolder::Root(folder) = &file.folder {
                known.extend(folder.split('/').map(str::to_owned));
            }
        }
        Self { found: BTreeMap::new(), homes: BTreeSet::new(), known }
    }

    fn add(&mut self, name: &str, sort: Sort) {
        let name = name.trim_matches(['[', ']', '.']);
        // Of an account that is called as folders everywhere are, the home and the account are hidden, and no other folder.
        let hidden = sort == Sort::User || !self.known.contains(name) && !is_structure(name);
        if hidden && !name.is_empty() && !name.bytes().all(|b| b.is_ascii_digit()) && self.found.len() <= NAMES {
            let sort = self.found.get(name).copied().map_or(sort, |s| s.min(sort));
            self.found.insert(name.to_owned(), sort);
        }
    }

    /// Takes those of a line.
    pub(super) fn collect(&mut self, value: &Value, key: &str) -> io::Result<()> {
        match value {
            Value::String(text) => self.text(text, key),
            Value::Array(list) => {
                if key == "names" || key == "owners" {
                    self.pairs(list);
                }
                list.iter().try_for_each(|v| self.collect(v, key))?;
            }
            Value::Object(fields) => {
                if let Some(Value::Object(host)) = fields.get("host").filter(|_| fields.len() == 1)
                    && let Some(name) = host.get("name").and_then(Value::as_str)
                {
                    self.host(name);
                }
                if let Some(value) = own_trace(fields).filter(|value| !self.known.contains(*value)) {
                    for part in value.split('/') {
                        self.add(part, Sort::Repository);
                    }
                }
                if let Some(image) = fields.get("container").and_then(|c| c.get("name")?.as_str()) {
                    for part in image.split(['/', ':', '@']) {
                        self.add(part, if part.contains('.') { Sort::Host } else { Sort::Repository });
                    }
                }
                if let Some(Value::Object(target)) = fields.get("target")
                    && target.get("kind").and_then(Value::as_str) == Some("host")
                {
                    self.host(target.get("id").and_then(Value::as_str).unwrap_or_default());
                }
                fields.iter().try_for_each(|(key, v)| self.collect(v, key))?;
            }
            _ => {}
        }
        if self.found.len() > NAMES {
            return Err(io::Error::other("the inventory holds more names than can be hidden"));
        }
        Ok(())
    }

    /// Accounts by number, of which those of the system are no secret.
    fn pairs(&mut self, list: &[Value]) {
        for pair in list.iter().filter_map(Value::as_array) {
            if let [Value::Number(uid), Value::String(name)] = pair.as_slice()
                && uid.as_u64().is_some_and(|uid| (500..65_534).contains(&uid) || uid > 65_535)
            {
                self.add(name, Sort::User);
            }
        }
    }

    fn text(&mut self, text: &str, key: &str) {
        match key {
            "tree" | "machine" if job(text).is_some() => {
                self.add(job(text).map_or("", |(_, run)| run), Sort::Identifier);
                return;
            }
            "account" => self.add(text, Sort::User),
            "own_names" => self.host(text),
            "machine" => {
                let (user, host) = text.rsplit_once('@').unwrap_or(("", text));
                self.add(user, Sort::User);
                self.host(host.split([':', '/']).next().unwrap_or_default());
            }
            "identifier" | "note" => self.add(text, Sort::Identifier),
            // What somebody called a server of an editor.
            "inner" => {
                let name = text.strip_prefix("server `").and_then(|rest| rest.split_once("` of "));
                self.add(name.map_or("", |(name, _)| name), Sort::Identifier);
            }
            "homes" => {
                let (above, name) = text.rsplit_once('/').unwrap_or(("", text));
                self.homes.insert(text.to_owned());
                if !above.is_empty() {
                    self.add(name, Sort::User);
                }
            }
            _ => {}
        }
        if is_path(text) {
            let parts: Vec<&str> = text.split('/').collect();
            let last = parts.len().saturating_sub(1);
            if let Some(name) = parts.get(2).filter(|_| is_home(&parts, 2)) {
                self.add(name, Sort::User);
            }
            for (at, part) in own_parts(&parts) {
                if at < last
                    || matches!(
                        key,
                        "folder" | "root" | "roots" | "prefix" | "prefixes" | "site" | "mounts" | "directory" | "links"
                    )
                {
                    self.add(part, Sort::Dir);
                }
            }
        }
        for address in addresses(text) {
            self.host(address.host);
            for part in address.path.split('/').filter(|p| !p.is_empty()) {
                self.add(part.strip_suffix(".git").unwrap_or(part), Sort::Repository);
            }
        }
    }

    /// A host, and the domains above it but for the last label.
    fn host(&mut self, name: &str) {
        if name.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback() || a.is_unspecified()) {
            return;
        }
        self.add(name, Sort::Host);
        let mut rest = name;
        while let Some((label, above)) = rest.split_once('.') {
            if rest == name {
                self.add(label, Sort::Host);
            }
            if above.contains('.') {
                self.add(above, Sort::Host);
            }
            rest = above;
        }
    }

    /// Each with its pseudonym.
    pub(super) fn numbered(self) -> io::Result<Numbered> {
        let mut counts: BTreeMap<Sort, usize> = BTreeMap::new();
        let mut names = BTreeMap::new();
        for (name, sort) in self.found {
            let count = counts.entry(sort).or_default();
            *count += 1;
            names.insert(name, format!("{}-{count}", sort.word()));
        }
        Ok(Numbered { names, known: self.known })
    }
}
