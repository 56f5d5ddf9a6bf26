//! Maven: `group:artifact`, compared exactly. A version is one only by its exact text, since a repository keeps `1.0` and `1.0.0`
//! apart; the order is that of `ComparableVersion`.

use std::cmp::Ordering;

use crate::fact::{EnvironmentKind, TreePath};

pub(super) const SEMANTICS: super::Semantics = super::Semantics { name, same, order, is_version, admits };

/// An archive that is loaded, with all that is in it.
pub const ARCHIVE: EnvironmentKind = EnvironmentKind::new("java-archive");

/// `group:artifact`, written with `/` in package URLs.
fn name(name: &str) -> String {
    name.replacen('/', ":", 1)
}

/// A snapshot is also found as one of its builds (`1.0-20260101.120000-1`).
fn same(known: &str, found: &str) -> bool {
    let base = known.strip_suffix("-SNAPSHOT").and_then(|base| found.strip_prefix(base)?.strip_prefix('-'));
    base.and_then(|build| build.split_once('.')).is_some_and(|(day, rest)| {
        let (time, number) = rest.split_once('-').unwrap_or_default();
        day.len() == 8 && time.len() == 6 && [day, time, number].into_iter().all(super::is_number)
    })
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Number(String),
    Word(String),
}

/// Items of each depth: what follows a `-`, or a change between digits and letters, stands one deeper, behind all others.
type Levels = Vec<Vec<Item>>;

fn order(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (parse(a)?, parse(b)?);
    Some(lists(&a, &b))
}

fn parse(text: &str) -> Option<Levels> {
    if text.is_empty() || text.chars().any(char::is_whitespace) {
        return None;
    }
    let text = text.to_lowercase();
    let mut levels: Levels = vec![Vec::new()];
    let mut word = String::new();
    // A word before a digit or at the end stands as if `-` came before it.
    let put = |levels: &mut Levels, word: &mut String, before_digit: bool, deeper: bool| {
        if deeper && levels.last().is_some_and(|level| !level.is_empty()) {
            levels.push(Vec::new());
        }
        if let Some(level) = levels.last_mut() {
            level.push(item(&std::mem::take(word), before_digit));
        }
    };
    for c in text.chars() {
        let digit = word.chars().next_back().is_some_and(|w| w.is_ascii_digit());
        match c {
            '.' | '-' => {
                put(&mut levels, &mut word, false, false);
                if c == '-' {
                    levels.push(Vec::new());
                }
                continue;
            }
            c if !word.is_empty() && c.is_ascii_digit() != digit => {
                put(&mut levels, &mut word, !digit, !digit);
                levels.push(Vec::new());
            }
            _ => {}
        }
        word.push(c);
    }
    if !word.is_empty() {
        let letters = !word.ends_with(|c: char| c.is_ascii_digit());
        put(&mut levels, &mut word, false, letters);
    }
    for level in &mut levels {
        while level.last().is_some_and(|i| void(i) == Ordering::Equal) {
            level.pop();
        }
    }
    while levels.last().is_some_and(Vec::is_empty) {
        levels.pop();
    }
    Some(levels)
}

fn item(text: &str, before_digit: bool) -> Item {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return Item::Number(text.trim_start_matches('0').to_owned());
    }
    Item::Word(match text {
        "a" if before_digit => "alpha".to_owned(),
        "b" if before_digit => "beta".to_owned(),
        "m" if before_digit => "milestone".to_owned(),
        "ga" | "final" | "release" => String::new(),
        "cr" => "rc".to_owned(),
        other => other.to_owned(),
    })
}

/// Known words before and after none, unknown ones behind all, by their letters.
fn rank(word: &str) -> (usize, &str) {
    let known = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
    match known.iter().position(|k| *k == word) {
        Some(at) => (at, ""),
        None => (known.len(), word),
    }
}

/// An item beside nothing.
fn void(item: &Item) -> Ordering {
    match item {
        Item::Number(n) if n.is_empty() => Ordering::Equal,
        Item::Number(_) => Ordering::Greater,
        Item::Word(w) => rank(w).cmp(&rank("")),
    }
}

fn items(a: &Item, b: &Item) -> Ordering {
    match (a, b) {
        (Item::Number(a), Item::Number(b)) => super::digits(a, b),
        (Item::Number(_), Item::Word(_)) => Ordering::Greater,
        (Item::Word(_), Item::Number(_)) => Ordering::Less,
        (Item::Word(a), Item::Word(b)) => rank(a).cmp(&rank(b)),
    }
}

/// A list stands after words and before numbers at its place.
fn lists(mut a: &[Vec<Item>], mut b: &[Vec<Item>]) -> Ordering {
    loop {
        let (left, deeper_left) = a.split_first().map_or((&[][..], &[][..]), |(l, d)| (l.as_slice(), d));
        let (right, deeper_right) = b.split_first().map_or((&[][..], &[][..]), |(l, d)| (l.as_slice(), d));
        for at in 0..left.len().max(right.len()) {
            let unequal = match (left.get(at), right.get(at)) {
                (Some(x), Some(y)) => items(x, y),
                (Some(x), None) => beside(x, at == right.len(), deeper_right),
                (None, Some(y)) => beside(y, at == left.len(), deeper_left).reverse(),
                (None, None) => Ordering::Equal,
            };
            if unequal != Ordering::Equal {
                return unequal;
            }
        }
        if left.len() != right.len() {
            // The list of the shorter one was compared with an item; the other's stands beside nothing.
            let longer = if left.len() > right.len() { deeper_left } else { deeper_right };
            let rest = longer.iter().flatten().map(void).find(|o| *o != Ordering::Equal).unwrap_or(Ordering::Equal);
            return if left.len() > right.len() { rest } else { rest.reverse() };
        }
        if deeper_left.is_empty() && deeper_right.is_empty() {
            return Ordering::Equal;
        }
        (a, b) = (deeper_left, deeper_right);
    }
}

/// An item beside the list of a shorter version, or beside nothing where that has none or it came before.
fn beside(item: &Item, at_list: bool, list: &[Vec<Item>]) -> Ordering {
    match item {
        Item::Number(_) if at_list && !list.is_empty() => Ordering::Greater,
        Item::Word(_) if at_list && !list.is_empty() => Ordering::Less,
        item => void(item),
    }
}

fn is_version(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || "\\/:\"<>|?*[](),".contains(c))
}

/// `[1.0,2.0)`; a plain version is itself.
fn admits(specifier: &str, version: &str) -> bool {
    super::nuget::interval(specifier, version, order)
        .unwrap_or_else(|| order(version, specifier).is_none_or(|o| o == Ordering::Equal))
}

/// What a store of Maven or Gradle says of a file in it.
#[derive(Debug, PartialEq, Eq)]
pub struct Stored {
    /// `org.acme`
    pub group: String,
    /// `a`
    pub artifact: String,
    /// `1.2.3`
    pub version: String,
}

/// What a file is by where it stands: `repository/org/acme/a/1.2.3/a-1.2.3.jar`, `files-2.1/org.acme/a/1.2.3/<SHA-1>/a-1.2.3.jar`. Sources and
/// documentation of an artifact are not its code.
pub fn stored(path: &TreePath) -> Option<Stored> {
    let parts: Vec<&str> = std::str::from_utf8(path.as_bytes()).ok()?.split('/').collect();
    let at = |name: &str| parts.iter().rposition(|part| *part == name);
    let (group, artifact, version, file) = match at("files-2.1") {
        Some(at) => match parts.get(at + 1..)? {
            [group, artifact, version, _, file] => ((*group).to_owned(), *artifact, *version, *file),
            _ => return None,
        },
        None => match parts.get(at("repository")? + 1..)? {
            [group @ .., artifact, version, file] if !group.is_empty() => (group.join("."), *artifact, *version, *file),
            _ => return None,
        },
    };
    let (stem, _) = file.rsplit_once('.')?;
    let rest = stem.strip_prefix(artifact)?.strip_prefix('-')?;
    // A snapshot's file may have the time of its build.
    let base = version.strip_suffix("-SNAPSHOT").unwrap_or(version);
    let rest = rest.strip_prefix(version).or_else(|| rest.strip_prefix(base).filter(|_| base != version))?;
    let sound = is_group(&group) && is_part(artifact) && is_part(version) && (rest.is_empty() || rest.starts_with('-'));
    let is_code = !["-sources", "-javadoc", "-tests", "-test-sources"].contains(&rest);
    let (artifact, version) = (artifact.to_owned(), version.to_owned());
    (sound && is_code).then_some(Stored { group, artifact, version })
}

/// Whether a text can be a group, safe to show.
pub fn is_group(text: &str) -> bool {
    text.len() <= 200 && text.split('.').all(is_part)
}

/// Whether a text can be the name of an artifact, or a version, safe to show.
pub fn is_part(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._+-".contains(&b);
    (1..=200).contains(&text.len()) && text.bytes().all(plain) && text.bytes().any(|b| b.is_ascii_alphanumeric())
}
