//! RubyGems: versions as `Gem::Version` orders them; a platform behind a version (`1.15.0-x86_64-linux`) is another file of the
//! same release. Where gem homes lie.
//!
//! ```text
//! /var/lib/gems/3.1.0                      Debian; /usr/lib/ruby/gems/3.1.0, ~/.rbenv/versions/3.1.2/lib/ruby/gems/3.1.0
//! ~/.local/share/gem/ruby/3.1.0            `gem install --user-install`; ~/.gem/ruby/2.7.0 before RubyGems 3.3
//! ~/.rvm/gems/ruby-3.1.2@app               rvm
//! app/vendor/bundle/ruby/3.1.0             `bundle config path`; app/.bundle/ruby/3.1.0
//! ├── specifications/NAME-VERSION.gemspec  also `default/`
//! ├── gems/NAME-VERSION/
//! └── extensions/PLATFORM/3.1.0/NAME-VERSION/gem.build_complete
//! ```

use std::cmp::Ordering;

use crate::fact::{Ecosystem, EnvironmentKind, TreePath, Unit, ends_in};

pub(super) const SEMANTICS: super::Semantics =
    super::Semantics { name: str::to_owned, same, order, is_version, admits };

/// How gem homes lie.
pub(super) const LAYOUT: super::Layout = super::Layout {
    ecosystem: Ecosystem::Gem,
    unit: unit_of,
    is_interpreter: |_| false,
    original: |_| None,
    leads_to: Some(|path| package_of(path).map(|(name, _)| name)),
    store_entry: |_| None,
};

/// Gems of a version manager, or of `GEM_HOME`.
pub const HOME: EnvironmentKind = EnvironmentKind::new("gem-home");
/// Gems that Bundler put into a project.
pub const BUNDLE: EnvironmentKind = EnvironmentKind::new("gem-bundle");

/// The gem home that a path lies in.
pub fn unit_of(path: &TreePath) -> Option<Unit> {
    let home = home_of(path)?;
    let ends = |folder: &TreePath, end: &[u8]| ends_in(folder.as_bytes(), end);
    let above = home.parent().parent();
    let of_all = [b"usr/".as_slice(), b"var/", b"opt/", b"Library/"].iter().any(|s| home.as_bytes().starts_with(s));
    let of_user = || [b".gem/ruby".as_slice(), b".local/share/gem/ruby"].iter().any(|u| ends(&home.parent(), u));
    let (root, kind) = match () {
        () if ends(&above, b"vendor/bundle") => (above.parent().parent(), BUNDLE),
        () if ends(&above, b".bundle") => (above.parent(), BUNDLE),
        () if of_user() => (home.clone(), EnvironmentKind::USER),
        () if of_all => (home.clone(), EnvironmentKind::SYSTEM),
        () => (home.clone(), HOME),
    };
    let usual = has_usual_name(&home);
    Some(Unit { ecosystem: Ecosystem::Gem, folder: home, root, kind, usual })
}

/// The outermost folder of a usual name that has a folder of gem homes above the path, else what holds the `specifications` that a
/// `.gemspec` lies in: `GEM_HOME` may be any folder (`/usr/local/bundle`).
fn home_of(path: &TreePath) -> Option<TreePath> {
    let (mut found, mut here) = (None, path.parent());
    while !here.as_bytes().is_empty() {
        let above = here.parent();
        if PARTS.contains(&here.name()) && has_usual_name(&above) {
            found = Some(above.clone());
        }
        here = above;
    }
    let folder = path.parent();
    let folder = if folder.name() == b"default" { folder.parent() } else { folder };
    let described = folder.name() == SPECIFICATIONS && path.name().ends_with(b".gemspec");
    found.or_else(|| described.then(|| folder.parent()))
}

/// `3.1.0`, `ruby-3.1.2@app` among the gems of rvm, `rubygems-integration/all`.
fn has_usual_name(home: &TreePath) -> bool {
    let (name, above) = (home.name(), home.parent());
    let is_number = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    let engines = [b"ruby-".as_slice(), b"jruby-", b"truffleruby-", b"rbx-"];
    name.contains(&b'.') && name.split(|b| *b == b'.').all(is_number)
        || above.name() == b"gems" && engines.iter().any(|engine| name.starts_with(engine))
        || above.name() == b"rubygems-integration" && name == b"all"
}

const SPECIFICATIONS: &[u8] = b"specifications";
/// Folders of a gem home.
const PARTS: [&[u8]; 4] = [SPECIFICATIONS, b"gems", b"extensions", b"cache"];

/// Name and version of the gem that a file in a gem home is of.
pub fn package_of(path: &TreePath) -> Option<(Box<str>, Box<str>)> {
    let home = home_of(path)?;
    let below = std::str::from_utf8(path.below(&home)?).ok()?;
    let parts: Vec<&str> = below.split('/').collect();
    let full = match parts.as_slice() {
        ["specifications", "default", file] | ["specifications", file] => file.strip_suffix(".gemspec")?,
        ["cache", file] => file.strip_suffix(".gem")?,
        ["gems", folder, ..] | ["extensions", _, _, folder, ..] => folder,
        _ => return None,
    };
    let (name, version) = full_name(full)?;
    Some((name.into(), version.into()))
}

/// `nokogiri-1.15.0-x86_64-linux` is `nokogiri` and `1.15.0-x86_64-linux`. A version in a full name has no `-`.
pub fn full_name(text: &str) -> Option<(&str, &str)> {
    let parts = || text.match_indices('-').filter_map(|(at, _)| Some((text.get(..at)?, text.get(at + 1..)?)));
    let sound = |version: &str| !split(version).0.contains('-') && is_version(version);
    parts().rfind(|(name, version)| is_name(name) && version.len() < 256 && sound(version))
}

/// Whether a text can be the name of a gem, so that it is safe to show.
pub fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    (1..=200).contains(&text.len()) && text.bytes().all(plain) && text.bytes().any(|b| b.is_ascii_alphabetic())
}

/// What the names of platforms hold.
const PLATFORMS: [&str; 16] = [
    "linux", "darwin", "mingw", "mswin", "java", "jruby", "ruby", "freebsd", "openbsd", "netbsd", "solaris", "aix",
    "cygwin", "dalvik", "android", "wasi",
];

/// A known one without a platform is found with any; one with a platform only with that.
fn same(known: &str, found: &str) -> bool {
    let ((known, wanted), (found, platform)) = (split(known), split(found));
    let plain = |p: &str| p.is_empty() || p == "ruby";
    order(known, found) == Some(Ordering::Equal) && (plain(wanted) || wanted == platform)
}

/// Version and platform, the latter empty where there is none.
pub fn split(text: &str) -> (&str, &str) {
    match text.split_once('-') {
        Some((version, rest)) if PLATFORMS.iter().any(|p| rest.contains(p)) => (version, rest),
        _ => (text, ""),
    }
}

fn order(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (segments(split(a).0)?, segments(split(b).0)?);
    for at in 0..a.len().max(b.len()) {
        let part = |of: &[String]| of.get(at).map_or("0", String::as_str).to_owned();
        let (x, y) = (part(&a), part(&b));
        let unequal = match (super::is_number(&x), super::is_number(&y)) {
            (true, true) => super::digits(&x, &y),
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => x.cmp(&y),
        };
        if unequal != Ordering::Equal {
            return Some(unequal);
        }
    }
    Some(Ordering::Equal)
}

/// Numbers and words, without the zeros before the first word and at the end. A `-` begins a pre-release.
fn segments(text: &str) -> Option<Vec<String>> {
    let (release, _) = text.split_once('-').unwrap_or((text, ""));
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let sound = super::is_number(release.split('.').next().unwrap_or_default()) && text.split('.').all(word);
    if !sound || text.ends_with('-') {
        return None;
    }
    let mut all: Vec<String> = Vec::new();
    let mut last = None;
    for c in text.replace('-', ".pre.").chars() {
        let kind = if c.is_ascii_digit() { Some(true) } else { c.is_ascii_alphabetic().then_some(false) };
        match (kind, all.last_mut()) {
            (Some(_), Some(part)) if kind == last => part.push(c),
            (Some(_), _) => all.push(c.to_string()),
            (None, _) => {}
        }
        last = kind;
    }
    let zero = |s: &String| s.bytes().all(|b| b == b'0');
    let words = all.split_off(all.iter().position(|s| !super::is_number(s)).unwrap_or(all.len()));
    let trimmed = |mut part: Vec<String>| {
        while part.last().is_some_and(zero) {
            part.pop();
        }
        part
    };
    Some([trimmed(all), trimmed(words)].concat())
}

fn is_version(text: &str) -> bool {
    segments(split(text).0).is_some()
}

/// `~> 1.2, != 1.2.4`.
fn admits(specifier: &str, version: &str) -> bool {
    specifier.split(',').all(|clause| {
        let (operator, bound) = super::clause_of(clause.trim().trim_matches(['\'', '"']));
        let Some(order) = order(version, bound) else {
            return true;
        };
        match operator {
            "" | "=" => order == Ordering::Equal,
            "!=" => order != Ordering::Equal,
            ">" => order == Ordering::Greater,
            ">=" => order != Ordering::Less,
            "<" => order == Ordering::Less,
            "<=" => order != Ordering::Greater,
            "~>" => order != Ordering::Less && below_next(version, bound),
            _ => true,
        }
    })
}

/// Whether a version starts with the numbers of a bound but for its last (`~> 1.2.3`: below 1.3).
fn below_next(version: &str, bound: &str) -> bool {
    let numbers = |t: &str| t.split('.').take_while(|p| super::is_number(p)).map(str::to_owned).collect::<Vec<_>>();
    let mut kept = numbers(bound);
    if kept.len() > 1 {
        kept.pop();
    }
    let version = numbers(version);
    kept.iter()
        .enumerate()
        .all(|(at, k)| super::digits(k, version.get(at).map_or("0", String::as_str)) == Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gem_home_around_a_file_is_found() {
        let of = |path: &str| {
            unit_of(&TreePath::new(path.as_bytes()).unwrap())
                .map(|u| format!("{} {} {}", u.folder.text(), u.root.text(), u.kind.word()))
        };
        for (path, is) in [
            ("var/lib/gems/3.1.0/specifications/a-1.0.gemspec", "/var/lib/gems/3.1.0 /var/lib/gems/3.1.0 system"),
            ("usr/lib/ruby/gems/3.1.0/gems/a-1.0/lib/a.rb", "/usr/lib/ruby/gems/3.1.0 /usr/lib/ruby/gems/3.1.0 system"),
            ("h/.gem/ruby/2.7.0/gems/a-1.0/x/specifications/b-2.gemspec", "/h/.gem/ruby/2.7.0 /h/.gem/ruby/2.7.0 user"),
            (
                "h/.rvm/gems/ruby-3.1.2@app/specifications/default/a-1.gemspec",
                "/h/.rvm/gems/ruby-3.1.2@app /h/.rvm/gems/ruby-3.1.2@app gem-home",
            ),
            (
                "h/app/vendor/bundle/ruby/3.1.0/specifications/a-1.gemspec",
                "/h/app/vendor/bundle/ruby/3.1.0 /h/app gem-bundle",
            ),
            ("h/app/.bundle/ruby/3.1.0/gems/a-1/a.rb", "/h/app/.bundle/ruby/3.1.0 /h/app gem-bundle"),
            ("usr/local/bundle/specifications/a-1.gemspec", "/usr/local/bundle /usr/local/bundle system"),
        ] {
            assert_eq!(of(path).as_deref(), Some(is), "{path}");
        }
        for path in
            ["h/app/a.gemspec", "h/gems/a-1.0/lib/a.rb", "h/app/specifications/a.rb", "h/3.1.0/src/a.rb", "h/cache/x"]
        {
            assert_eq!(of(path), None, "{path}");
        }
    }

    #[test]
    fn a_full_name_is_taken_apart() {
        for (full, is) in [
            ("rest-client-1.6.13", Some(("rest-client", "1.6.13"))),
            ("nokogiri-1.15.0-x86_64-linux", Some(("nokogiri", "1.15.0-x86_64-linux"))),
            ("a-2-b-1.0.0.rc1", Some(("a-2-b", "1.0.0.rc1"))),
            ("a", None),
            ("a-b", None),
            ("-1.0", None),
            ("a\u{1b}-1.0", None),
        ] {
            assert_eq!(full_name(full), is, "{full}");
        }
    }
}
