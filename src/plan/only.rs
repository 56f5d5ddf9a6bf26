//! A part of the plan, for whoever works on it.

use std::collections::BTreeSet;

use super::named::called;
use crate::{
    report::v1::{Credential, Item, Report, Work},
    text::escape,
    verdict::Urgency,
};

/// Words of each sort that are listed.
const LISTED: usize = 20;

/// Leaves the items that are about one of these words. Gives back the words that no item is about; then all are left as they are.
pub fn only_for<'w>(plan: &mut Report, wanted: &'w [String]) -> Vec<&'w str> {
    let fits = |item: &Item, word: &str| is_about(plan, item, word);
    let unknown = |word: &&String| !plan.checklist.iter().any(|i| fits(i, word));
    let unknown: Vec<&str> = wanted.iter().filter(unknown).map(String::as_str).collect();
    if unknown.is_empty() {
        let shown: Vec<bool> = plan.checklist.iter().map(|i| wanted.iter().any(|word| fits(i, word))).collect();
        for (item, shown) in plan.checklist.iter_mut().zip(shown) {
            item.left_out = !shown;
        }
    }
    unknown
}

fn is_about(plan: &Report, item: &Item, word: &str) -> bool {
    let credentials = || plan.credentials.iter().filter(|c| item.credentials.contains(&c.id));
    let machine = || plan.machines.is_empty() && is_same(called(&plan.run.target), word);
    credentials().any(|c| is_same(&c.provider, word) || is_same(&c.kind, word))
        || owner(plan, item).is_some_and(|owner| owns(owner, word))
        || item.machines.iter().any(|m| is_same(m, word))
        || machine()
}

fn owner<'p>(plan: &'p Report, item: &Item) -> Option<&'p str> {
    let work: Option<&Work> = plan.work.iter().find(|w| w.item == item.id);
    work.map(|w| w.owner.as_str()).filter(|o| !o.trim().is_empty())
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
    let owners = plan.checklist.iter().filter_map(|i| owner(plan, i)).map(str::to_owned).collect();
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
