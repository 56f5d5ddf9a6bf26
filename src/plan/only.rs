//! A part of the plan, for whoever works on it.

use std::collections::{BTreeSet, HashSet};

use super::named::called;
use crate::{
    report::v1::{Credential, Item, Report},
    text::escape,
    verdict::Urgency,
};

/// Words of each sort that are listed.
const LISTED: usize = 20;

/// Leaves the items that are about one of these words. Gives back the words that no item is about; then all are left as they are.
pub fn only_for<'w>(plan: &mut Report, wanted: &'w [String]) -> Vec<&'w str> {
    let fitting: Vec<Vec<bool>> = wanted.iter().map(|word| about(plan, word)).collect();
    let unknown = wanted.iter().zip(&fitting).filter(|(_, fits)| !fits.contains(&true));
    let unknown: Vec<&str> = unknown.map(|(word, _)| word.as_str()).collect();
    if unknown.is_empty() {
        for (n, item) in plan.checklist.iter_mut().enumerate() {
            item.left_out = !fitting.iter().any(|fits| fits.get(n) == Some(&true));
        }
    }
    unknown
}

/// Whether each item is about a word.
fn about(plan: &Report, word: &str) -> Vec<bool> {
    let of = |c: &&Credential| is_same(&c.provider, word) || is_same(&c.kind, word);
    let credentials: HashSet<&str> = plan.credentials.iter().filter(of).map(|c| c.id.as_str()).collect();
    let owned = plan.work.iter().filter(|w| owns(&w.owner, word));
    let owned: HashSet<&str> = owned.map(|w| w.item.as_str()).collect();
    let machine = plan.machines.is_empty() && is_same(called(&plan.run.target), word);
    let fits = |item: &Item| {
        machine
            || owned.contains(item.id.as_str())
            || item.credentials.iter().any(|c| credentials.contains(c.as_str()))
            || item.machines.iter().any(|m| is_same(m, word))
    };
    plan.checklist.iter().map(fits).collect()
}

/// Whatever its case and blanks.
fn is_same(a: &str, b: &str) -> bool {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    plain(a) == plain(b)
}

/// One of several owners, or a name of one: `ann` of "Team A; Ann Smith".
fn owns(owner: &str, word: &str) -> bool {
    let names = |text: &str| -> Vec<String> {
        text.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
    };
    let wanted = names(word);
    let has = |part: &str| {
        let known = names(part);
        !wanted.is_empty() && wanted.iter().all(|w| known.contains(w))
    };
    is_same(owner, word) || owner.split([',', ';', '/', '&', '+']).any(has)
}

/// The words that `only_for` knows in a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// Each sort by its name.
    pub sorts: Vec<(&'static str, BTreeSet<String>)>,
}

/// Of this plan.
pub fn words_for(plan: &Report) -> Words {
    let named: BTreeSet<&str> = plan.checklist.iter().flat_map(|i| &i.credentials).map(String::as_str).collect();
    let due = || plan.credentials.iter().filter(|c| c.rotate != Urgency::No && named.contains(c.id.as_str()));
    let all = |of: &dyn Fn(&Credential) -> &str| due().map(|c| of(c).to_owned()).collect();
    let mut machines: BTreeSet<String> = plan.checklist.iter().flat_map(|i| i.machines.iter().cloned()).collect();
    if plan.machines.is_empty() {
        machines.insert(called(&plan.run.target).to_owned());
    }
    let owners = plan.work.iter().map(|w| w.owner.clone()).filter(|o| !o.trim().is_empty()).collect();
    Words {
        sorts: vec![
            ("provider", all(&|c| &c.provider)),
            ("kind", all(&|c| &c.kind)),
            ("owner", owners),
            ("machine", machines),
        ],
    }
}

impl Words {
    /// A line of each sort.
    pub fn lines(&self) -> String {
        let line = |(sort, words): &(&str, BTreeSet<String>)| {
            let shown: Vec<String> = words.iter().take(LISTED).map(|w| escape(w.as_bytes())).collect();
            let more = words.len().saturating_sub(LISTED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{sort}: {}{more}", if shown.is_empty() { "none yet".to_owned() } else { shown.join(", ") })
        };
        self.sorts.iter().map(line).collect::<Vec<_>>().join("\n  ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_known_by_any_of_the_names() {
        for (owner, word) in [
            ("Ann Smith", "ann"),
            ("Team A; Ann Smith", "team a"),
            ("Team A, Bob", "BOB"),
            ("  Ann  Smith ", "Ann Smith"),
        ] {
            assert!(owns(owner, word), "{owner} {word}");
        }
        for (owner, word) in
            [("Ann Smith", "an"), ("Team A; Bob Smith", "ann smith"), ("Team A, Bob", "a bob"), ("Ann", "")]
        {
            assert!(!owns(owner, word), "{owner} {word}");
        }
    }
}
