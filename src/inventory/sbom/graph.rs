//! What depends on what, as a document says it.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::assess::Link;

/// Elements and edges that are kept. Beyond them findings have no chain.
const MOST: usize = 200_000;

/// Elements by number, and who asks for whom.
#[derive(Debug, Default)]
pub(super) struct Graph {
    numbers: HashMap<Box<str>, u32>,
    /// Names and versions, by number.
    named: HashMap<u32, (Box<str>, Option<Box<str>>)>,
    above: HashMap<u32, Vec<u32>>,
    roots: HashSet<u32>,
    edges: usize,
}

impl Graph {
    fn number(&mut self, reference: &str) -> Option<u32> {
        if let Some(number) = self.numbers.get(reference) {
            return Some(*number);
        }
        if self.numbers.len() >= MOST || reference.is_empty() || reference.len() > 1024 {
            return None;
        }
        let number = u32::try_from(self.numbers.len()).ok()?;
        self.numbers.insert(reference.into(), number);
        Some(number)
    }

    /// What an element is called.
    pub(super) fn name(&mut self, reference: &str, name: &str, version: Option<&str>) {
        if name.len() <= 1024
            && let Some(number) = self.number(reference)
        {
            self.named.insert(number, (name.into(), version.map(Into::into)));
        }
    }

    /// One asks for the other.
    pub(super) fn edge(&mut self, from: &str, to: &str) {
        if self.edges < MOST
            && let (Some(from), Some(to)) = (self.number(from), self.number(to))
            && from != to
        {
            self.above.entry(to).or_default().push(from);
            self.edges += 1;
        }
    }

    /// What the document describes: what it asks for was asked for by somebody.
    pub(super) fn root(&mut self, reference: &str) {
        let number = self.number(reference);
        self.roots.extend(number);
    }

    /// The shortest way from what was asked for, else from what nothing asks for.
    pub(super) fn chain(&self, reference: &str) -> Vec<Link> {
        let Some(end) = self.numbers.get(reference) else {
            return Vec::new();
        };
        let (mut met, mut queue) = (HashSet::from([*end]), VecDeque::from([*end]));
        let mut towards: HashMap<u32, u32> = HashMap::new();
        let mut start = None;
        while let Some(at) = queue.pop_front() {
            let mut above = self.above.get(&at).cloned().unwrap_or_default();
            above.sort_unstable();
            if above.iter().any(|a| self.roots.contains(a)) {
                start = Some((at, true));
                break;
            }
            if above.is_empty() && start.is_none() {
                start = Some((at, false));
            }
            for a in above {
                if met.insert(a) {
                    towards.insert(a, at);
                    queue.push_back(a);
                }
            }
        }
        let (mut at, asked) = start.unwrap_or((*end, false));
        let mut links = vec![self.link(at, asked)];
        while let Some(next) = towards.get(&at) {
            at = *next;
            links.push(self.link(at, false));
        }
        links.into_iter().flatten().collect()
    }

    fn link(&self, number: u32, requested: bool) -> Option<Link> {
        let (name, version) = self.named.get(&number)?;
        let version = version.as_deref().map(str::to_owned);
        Some(Link { name: name.to_string(), version, requirement: None, requested })
    }
}
