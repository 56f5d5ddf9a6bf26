//! How each ecosystem writes and compares names and versions: one file an ecosystem or family. `iocs/README.md` has the table.

pub mod action;
pub mod apk;
pub mod aur;
pub mod brew;
pub mod browser;
pub mod cargo;
pub mod composer;
pub mod cran;
pub mod deb;
pub mod extension;
pub mod gem;
pub mod generic;
pub mod golang;
pub mod jetbrains;
pub mod marker;
pub mod maven;
pub mod npm;
pub mod nuget;
pub mod oci;
pub mod purl;
pub mod pypi;
mod requirement;
pub mod rpm;
pub mod semantic;
pub mod swift;

use std::cmp::Ordering;

use crate::fact::{Ecosystem, TreePath, Unit};

/// The longest version that is read as one; a longer text is equal to itself only. Nobody publishes one of 200 characters.
const LONGEST: usize = 256;

/// What an ecosystem says of names and versions. Every text may be hostile; versions have at most `LONGEST` bytes.
struct Semantics {
    /// A name as it is compared.
    name: fn(&str) -> String,
    /// Whether a version that was found is the known one.
    same: fn(&str, &str) -> bool,
    /// `None` where one of them is no version there.
    order: fn(&str, &str) -> Option<Ordering>,
    /// Whether a text is a version there.
    is_version: fn(&str) -> bool,
    /// Whether what somebody asked for could have given this version; what cannot be read could.
    admits: fn(&str, &str) -> bool,
}

fn semantics(ecosystem: Ecosystem) -> &'static Semantics {
    match ecosystem {
        Ecosystem::Pypi => &pypi::SEMANTICS,
        Ecosystem::Npm => &npm::SEMANTICS,
        Ecosystem::Cargo => &cargo::SEMANTICS,
        Ecosystem::Golang => &golang::SEMANTICS,
        Ecosystem::Gem => &gem::SEMANTICS,
        Ecosystem::Maven => &maven::SEMANTICS,
        Ecosystem::Nuget => &nuget::SEMANTICS,
        Ecosystem::Composer => &composer::SEMANTICS,
        Ecosystem::Vscode | Ecosystem::Openvsx => &extension::SEMANTICS,
        Ecosystem::Jetbrains => &jetbrains::SEMANTICS,
        Ecosystem::Chrome | Ecosystem::Firefox => &browser::SEMANTICS,
        Ecosystem::Oci => &oci::SEMANTICS,
        Ecosystem::Deb => &deb::SEMANTICS,
        Ecosystem::Rpm => &rpm::SEMANTICS,
        Ecosystem::Aur => &aur::SEMANTICS,
        Ecosystem::Hex => &semantic::HEX,
        Ecosystem::Pub => &semantic::PUB,
        Ecosystem::Cocoapods => &semantic::COCOAPODS,
        Ecosystem::Swift => &swift::SEMANTICS,
        Ecosystem::Cran => &cran::SEMANTICS,
        Ecosystem::Conan => &semantic::CONAN,
        Ecosystem::Apk => &apk::SEMANTICS,
        Ecosystem::Brew => &brew::SEMANTICS,
        Ecosystem::Generic => &generic::SEMANTICS,
    }
}

/// The name of the package that a file is of.
type PackageOf = fn(&TreePath) -> Option<Box<str>>;

/// How installed packages of an ecosystem lie on a disk.
struct Layout {
    ecosystem: Ecosystem,
    /// What is loaded together with a file.
    unit: fn(&TreePath) -> Option<Unit>,
    /// Whether a program reads start-up code of its units.
    is_interpreter: fn(&TreePath) -> bool,
    /// The name that start-up code had before somebody renamed it.
    original: fn(&[u8]) -> Option<&[u8]>,
    /// The name of the package that a file is of, where packages that fit nothing only say who asked for one that does: then they need
    /// not be kept as facts.
    leads_to: Option<PackageOf>,
    /// The entry of a package manager's own store that a file lies in, from which nothing is loaded.
    store_entry: fn(&TreePath) -> Option<TreePath>,
}

static LAYOUTS: &[Layout] = &[
    pypi::LAYOUT,
    npm::LAYOUT,
    gem::LAYOUT,
    extension::LAYOUT,
    jetbrains::LAYOUT,
    browser::LAYOUT,
    cargo::LAYOUT,
    golang::LAYOUT,
    nuget::LAYOUT,
    aur::LAYOUT,
];

/// Where else the same package may come from: an editor's place does not say from which marketplace an extension was taken.
pub fn sibling(ecosystem: Ecosystem) -> Option<Ecosystem> {
    match ecosystem {
        Ecosystem::Vscode => Some(Ecosystem::Openvsx),
        Ecosystem::Openvsx => Some(Ecosystem::Vscode),
        _ => None,
    }
}

/// The ecosystems whose installed packages are known by where they lie.
pub fn with_layouts() -> impl Iterator<Item = Ecosystem> {
    LAYOUTS.iter().map(|layout| layout.ecosystem)
}

/// Whether packages of an ecosystem that fit nothing only say who asked for one that does.
pub fn only_lead(ecosystem: Ecosystem) -> bool {
    layout(ecosystem).is_some_and(|layout| layout.leads_to.is_some())
}

/// Whether packages of an ecosystem explain nothing of each other: a system's own, of which each stands for itself, and what programs and
/// folders of vendored code consist of.
pub fn stands_alone(ecosystem: Ecosystem) -> bool {
    use Ecosystem::{Apk, Aur, Brew, Cargo, Deb, Golang, Maven, Nuget, Rpm};
    matches!(ecosystem, Apk | Aur | Brew | Cargo | Deb | Golang | Maven | Nuget | Rpm)
}

/// The name of the package that a file is of, where packages of its ecosystem only lead to others.
pub fn package_around(ecosystem: Ecosystem, path: &TreePath) -> Option<Box<str>> {
    layout(ecosystem)?.leads_to?(path)
}

fn layout(ecosystem: Ecosystem) -> Option<&'static Layout> {
    LAYOUTS.iter().find(|layout| layout.ecosystem == ecosystem)
}

/// What is loaded together with a file, by the layouts of all ecosystems: of several one in another, the innermost.
pub fn unit_of(path: &TreePath) -> Option<Unit> {
    LAYOUTS.iter().filter_map(|layout| (layout.unit)(path)).max_by_key(|unit| unit.folder.as_bytes().len())
}

/// Whether a program reads start-up code of some ecosystem.
pub fn is_interpreter(program: &TreePath) -> bool {
    LAYOUTS.iter().any(|layout| (layout.is_interpreter)(program))
}

/// The name that start-up code had before somebody renamed it: `x.pth` of `x.pth.bak`.
pub fn original_name(name: &[u8]) -> Option<&[u8]> {
    LAYOUTS.iter().find_map(|layout| (layout.original)(name))
}

/// The entry of a package manager's own store that a file lies in: nothing loads it from there.
pub fn store_entry(path: &TreePath) -> Option<TreePath> {
    LAYOUTS.iter().find_map(|layout| (layout.store_entry)(path))
}

/// By whose rules a file lies in a package, installed or in a store: of several one in another, the innermost.
pub fn around(path: &TreePath) -> Option<Ecosystem> {
    let stored = || LAYOUTS.iter().find(|layout| (layout.store_entry)(path).is_some()).map(|layout| layout.ecosystem);
    unit_of(path).map(|unit| unit.ecosystem).or_else(stored)
}

/// A name as its ecosystem compares it.
pub fn normal_name(ecosystem: Ecosystem, name: &str) -> Box<str> {
    (semantics(ecosystem).name)(name.trim()).into()
}

/// Whether a version that was found is the known one. What cannot be read as a version counts by its exact text.
pub fn same_version(ecosystem: Ecosystem, known: &str, found: &str) -> bool {
    let (known, found) = (known.trim(), found.trim());
    known == found || short(known) && short(found) && (semantics(ecosystem).same)(known, found)
}

/// Whether a version that was found is meant by an indicator: `*`, a range (`>=1.2,<1.4`), or one version.
pub fn fits(ecosystem: Ecosystem, pattern: &str, found: &str) -> bool {
    match pattern.trim() {
        "*" => true,
        range if is_range(range) => within(ecosystem, range, found.trim()),
        known => same_version(ecosystem, known, found),
    }
}

/// Whether a pattern is a range rather than one version.
pub fn is_range(pattern: &str) -> bool {
    pattern.trim_start().starts_with(['<', '>'])
}

/// Whether an indicator may list this: `*`, a range with bounds that are versions, or a version.
pub fn is_pattern(ecosystem: Ecosystem, pattern: &str) -> bool {
    match pattern.trim() {
        "*" => true,
        range if is_range(range) => range.split(',').all(|clause| {
            let (operator, bound) = clause_of(clause);
            matches!(operator, ">" | ">=" | "<" | "<=") && order(ecosystem, bound, bound).is_some()
        }),
        known => is_version(ecosystem, known),
    }
}

/// Whether a version lies in a range. A version that cannot be compared lies in none. A variant of a bound (a local part, a
/// rebuild) counts as the bound itself.
fn within(ecosystem: Ecosystem, range: &str, found: &str) -> bool {
    range.split(',').all(|clause| {
        let (operator, bound) = clause_of(clause);
        let Some(order) = order(ecosystem, found, bound) else {
            return false;
        };
        let order = if same_version(ecosystem, bound, found) { Ordering::Equal } else { order };
        match operator {
            ">=" => order != Ordering::Less,
            ">" => order == Ordering::Greater,
            "<=" => order != Ordering::Greater,
            "<" => order == Ordering::Less,
            _ => false,
        }
    })
}

/// `>= 1.2` is `>=` and `1.2`.
fn clause_of(clause: &str) -> (&str, &str) {
    let clause = clause.trim();
    let bound = clause.trim_start_matches(['<', '>', '=', '!', '~', '^']);
    (clause.strip_suffix(bound).unwrap_or_default(), bound.trim())
}

/// How two versions compare in their ecosystem; `None` where one of them is no version there.
pub fn order(ecosystem: Ecosystem, a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (a.trim(), b.trim());
    if short(a) && short(b) { (semantics(ecosystem).order)(a, b) } else { None }
}

/// Whether a text is a version of its ecosystem.
pub fn is_version(ecosystem: Ecosystem, text: &str) -> bool {
    short(text) && (semantics(ecosystem).is_version)(text)
}

/// Whether what somebody asked for (`>=1.80,!=1.82.7`) could have given a version that an indicator means. What cannot be read
/// could.
pub fn admits(ecosystem: Ecosystem, specifier: &str, pattern: &str) -> bool {
    let specifier = specifier.trim();
    let open = specifier.is_empty() || pattern == "*" || is_range(pattern);
    open || specifier.len() > 16 * LONGEST || !short(pattern) || (semantics(ecosystem).admits)(specifier, pattern)
}

fn short(text: &str) -> bool {
    text.len() <= LONGEST
}

/// Numbers of any length, as text.
fn digits(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Whether a text is a number.
fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Numbers apart by dots; what is missing at the end is zero.
fn dotted(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (x, y) => match digits(x.unwrap_or_default(), y.unwrap_or_default()) {
                Ordering::Equal => {}
                unequal => return unequal,
            },
        }
    }
}

/// Marks of a pre-release as Semantic Versioning orders them: numbers first, a longer list after its own beginning, none last.
fn prerelease(a: &str, b: &str) -> Ordering {
    let word = |a: &str, b: &str| match (is_number(a), is_number(b)) {
        (true, true) => digits(a, b),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    };
    if a.is_empty() || b.is_empty() {
        return b.len().min(1).cmp(&a.len().min(1));
    }
    let (mut left, mut right) = (a.split('.'), b.split('.'));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) => match word(x, y) {
                Ordering::Equal => {}
                unequal => return unequal,
            },
        }
    }
}

#[cfg(test)]
mod tests;
