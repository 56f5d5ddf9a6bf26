//! Installed gems: what RubyGems and Bundler write into a gem home.
//!
//! ```text
//! specifications/NAME-VERSION.gemspec                                Ruby code that RubyGems wrote; `default/`: what Ruby brings
//! │   # stub: rest-client 1.6.13 ruby lib                            since RubyGems 2.1
//! │   s.name = "rest-client".freeze
//! │   s.version = "1.6.13"
//! │   s.add_runtime_dependency(%q<mime-types>.freeze, [">= 1.16"])   `add_dependency` since RubyGems 3.4
//! │   s.extensions = ["ext/extconf.rb".freeze]
//! extensions/x86_64-linux/3.1.0/NAME-VERSION/gem.build_complete      its native code was built: `extconf.rb` ran
//! ```
//!
//! A hit proves that the version stands where Ruby loads it; `gem.build_complete`, that the code which builds it ran. What the file says
//! counts; where its name says something else, both are reported. The file is read as text and never run. Documented in RubyGems'
//! "Specification Reference".

use crate::{
    ecosystem::{
        gem::{full_name, is_name, package_of},
        is_version, same_version,
    },
    fact::{Ecosystem, Fact, Package, Placement, Requirement, ScriptOutcome, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
    tree::Kind,
};

/// The largest of a big application have some ten thousand bytes.
const FILE: usize = 4 << 20;
/// More than any gem has.
const REQUIREMENTS: usize = 2_000;
const BUILT: &[u8] = b"gem.build_complete";

/// `specifications/*.gemspec`.
pub struct Gems;

static META: Meta = Meta {
    id: "ruby/gems",
    title: "installed gems",
    proves: "the version stands where Ruby loads it; not that it ran",
};

impl Surface for Gems {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![
            Claim::suffix(".gemspec").in_tail("specifications"),
            Claim::suffix(".gemspec").in_tail("specifications/default"),
            Claim::name("gem.build_complete").within("extensions"),
        ]
    }

    fn named(&self, path: &TreePath, kind: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        let (name, version) = by_name(path).filter(|_| kind != Kind::Dir)?;
        Some((path.clone(), Fact::Named(package(name, version))))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = &file.entry.path;
        if path.name() == BUILT {
            if let Some((name, version)) = package_of(path) {
                let fact = Fact::InstallScript { name, version, folder: None, outcome: ScriptOutcome::Succeeded };
                out.push(file.mtime("mtime of gem.build_complete"), fact);
            }
            return Ok(());
        }
        let at = file.mtime("mtime of the gemspec");
        let named = by_name(path);
        let known = named.is_some_and(|(name, _)| file.interest.knows_package(Ecosystem::Gem, name));
        let read = read(&String::from_utf8_lossy(file.all(FILE)?));
        let Some(found) = read else {
            return match known {
                true => Err(Flaw::malformed("gemspec", "it says no name or no version")),
                false => Ok(()),
            };
        };
        if let Some((name, version)) = named
            && (name != &*found.name || !same_version(Ecosystem::Gem, version, &found.version))
        {
            let what =
                format!("its file name says {name} {version}, the gemspec says {} {}", found.name, found.version);
            out.push(None, Fact::Disagreement { names: [name.into(), (*found.name).into()], what });
            out.push(None, Fact::Named(package(name, version)));
        }
        out.push(at, Fact::Package(found));
        Ok(())
    }
}

/// Name and version by the file's name.
fn by_name(path: &TreePath) -> Option<(&str, &str)> {
    full_name(std::str::from_utf8(path.name()).ok()?.strip_suffix(".gemspec")?)
}

fn package(name: &str, version: &str) -> Package {
    super::package(name, version, Placement::Loadable)
}

/// What a gemspec says, in the form that RubyGems writes: one assignment a line, of the variable that its block names.
fn read(text: &str) -> Option<Package> {
    let (mut name, mut version, mut platform, mut requires) = (None, None, None, Vec::new());
    for line in text.lines().map(str::trim_start) {
        let Some(said) = line.strip_prefix("s.") else {
            continue;
        };
        if let Some(value) = assigned(said, "name") {
            name = name.or(Some(value));
        } else if let Some(value) = assigned(said, "version") {
            version = version.or(Some(value));
        } else if let Some(value) = assigned(said, "platform") {
            platform = platform.or(Some(value));
        } else if let Some(required) = required(said) {
            // The same again for versions of RubyGems that know no kinds of dependency.
            if requires.len() < REQUIREMENTS && !requires.contains(&required) {
                requires.push(required);
            }
        }
    }
    let stub = text.lines().find_map(|l| l.strip_prefix("# stub: "));
    let mut of_stub = stub.unwrap_or_default().split(' ');
    let (stub_name, stub_version, stub_platform) = (of_stub.next(), of_stub.next(), of_stub.next());
    let name = name.or(stub_name).filter(|n| is_name(n))?;
    let version = version.or(stub_version).filter(|v| is_version(Ecosystem::Gem, v))?;
    let platform = platform.or(stub_platform).filter(|p| *p != "ruby" && is_name(p));
    let whole = platform.map_or_else(|| version.to_owned(), |p| format!("{version}-{p}"));
    let whole = if is_version(Ecosystem::Gem, &whole) { whole } else { version.to_owned() };
    Some(Package { requires: requires.into(), ..package(name, &whole) })
}

/// `x` of `name = "x".freeze`.
fn assigned<'t>(said: &'t str, key: &str) -> Option<&'t str> {
    let value = said.strip_prefix(key)?.trim_start().strip_prefix('=')?;
    quoted(value).map(|(text, _)| text)
}

/// The first literal of a text, as RubyGems writes them, and what follows: `"x"`, `'x'`, `%q{x}`, `%q<x>`.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let (open, close) =
        [("\"", '"'), ("'", '\''), ("%q{", '}'), ("%q<", '>')].into_iter().find(|(open, _)| text.starts_with(open))?;
    text.get(open.len()..)?.split_once(close)
}

/// `add_runtime_dependency(%q<middle>.freeze, [">= 1.0".freeze, "< 3"])`: what the gem needs to run.
fn required(said: &str) -> Option<Requirement> {
    let (call, arguments) = said.split_once('(')?;
    if !matches!(call, "add_runtime_dependency" | "add_dependency") {
        return None;
    }
    let (name, mut rest) = quoted(arguments).filter(|(name, _)| is_name(name))?;
    let mut text = name.to_owned();
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-~<>=! ".contains(c);
    while let Some((bound, after)) = rest.split_once('"').and_then(|(_, rest)| rest.split_once('"')) {
        let sep = if text.len() == name.len() { " " } else { ", " };
        if bound.len() > 100 || !bound.chars().all(plain) || text.len() > 1000 {
            break;
        }
        text.push_str(sep);
        text.push_str(bound);
        rest = after;
    }
    Some(Requirement::new(name, text))
}
