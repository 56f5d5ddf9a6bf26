//! RPM packages: `epoch:version-release`, ordered as `rpm` does.

use std::cmp::Ordering;

use rpm_version::Evr;

pub(super) const SEMANTICS: super::Semantics = super::Semantics { name, same, order, is_version, admits };

/// What `rpm -qa` writes behind a name or release.
const ARCHITECTURES: [&str; 14] = [
    "noarch",
    "x86_64",
    "x86_64_v2",
    "i386",
    "i586",
    "i686",
    "aarch64",
    "armv7hl",
    "ppc64le",
    "s390x",
    "riscv64",
    "loongarch64",
    "src",
    "nosrc",
];

/// `xz-libs.x86_64` is `xz-libs`, but `python3.11` has no architecture.
fn name(name: &str) -> String {
    without_architecture(name).to_owned()
}

fn without_architecture(text: &str) -> &str {
    text.rsplit_once('.').filter(|(_, a)| ARCHITECTURES.contains(a)).map_or(text, |(rest, _)| rest)
}

/// A known one without a release is found with any, as in a dependency.
fn same(known: &str, found: &str) -> bool {
    let (Some(known), Some(found)) = (parse(known), parse(found)) else {
        return false;
    };
    let found = if known.release().is_empty() {
        Evr::new(found.epoch().to_owned(), found.version().to_owned(), String::new())
    } else {
        found
    };
    known.cmp(&found) == Ordering::Equal
}

fn order(a: &str, b: &str) -> Option<Ordering> {
    Some(parse(a)?.cmp(&parse(b)?))
}

fn parse(text: &str) -> Option<Evr<'_>> {
    let text = without_architecture(text.strip_prefix("(none):").unwrap_or(text));
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
    let fine = |t: &str| t.chars().all(|c| c.is_ascii_alphanumeric() || "._+~^".contains(c));
    let sound = super::is_number(epoch) && !version.is_empty() && fine(version) && fine(release);
    sound.then(|| Evr::new(epoch, version, release))
}

fn is_version(text: &str) -> bool {
    parse(text).is_some()
}

fn admits(specifier: &str, version: &str) -> bool {
    !specifier.starts_with('=') || same(version, specifier.trim_start_matches('=').trim())
}

/// Name and version of `xz-5.6.0-1.fc40.x86_64`, as `rpm -qa` writes it; `None` without an architecture.
pub fn split(text: &str) -> Option<(&str, &str)> {
    let whole = without_architecture(text.strip_suffix(".rpm").unwrap_or(text));
    let (rest, _) = whole.rsplit_once('-').filter(|_| whole.len() < text.len())?;
    let (name, _) = rest.rsplit_once('-')?;
    Some((name, whole.get(name.len() + 1..)?))
}
