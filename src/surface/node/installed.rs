//! Installed packages: the `package.json` of each folder from which Node loads a package.
//!
//! ```text
//! node_modules/axios/package.json                           npm, yarn classic, bun; nested and bundled ones too
//! node_modules/@s/x/package.json
//! node_modules/.pnpm/axios@1.0.0/node_modules/axios/…       pnpm; `.bun`, `.deno`, `.store`, `.aube`, `.mise` likewise. What links to it is not
//!                                                           read again
//! .yarn/unplugged/axios-npm-1.0.0-f00d/node_modules/axios/… yarn with Plug'n'Play, for packages with scripts
//! lib/node_modules/npm/package.json                         global
//! ```
//!
//! A hit proves that the version stands where Node loads it; in the cache of yarn classic or bun, that it is stored. What the file says
//! counts, not the folder: an alias stands under another name. Where a folder bears a known name and the file says another one, or the
//! folder of a virtual store says another version, both are reported. Documented in npm's `folders` and `package.json` pages.

use super::{
    about::{self, About},
    identity::{self, is_name, is_version, package, stored_version},
};
use crate::{
    ecosystem::{
        npm::layout::{Installed, is_stored, package_of},
        same_version,
    },
    fact::{Ecosystem, Fact, Package, Placement, ScriptOutcome, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
    tree::Kind,
};

/// npm refuses much smaller ones; old versions of it wrote the whole readme into it.
const FILE: usize = 4 << 20;

/// `node_modules/*/package.json`.
pub struct InstalledPackage;

static META: Meta = Meta {
    id: "node/installed",
    title: "installed Node packages",
    proves: "the version stands where Node loads it; not that it ran",
};

impl Surface for InstalledPackage {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![
            Claim::name("package.json").in_packages("node_modules"),
            // yarn's pnpm linker: `node_modules/.store/x-npm-1.0.0-f00d/package`.
            Claim::name("package.json").in_tail("package"),
            Claim::name("binding.gyp").in_packages("node_modules"),
        ]
    }

    fn names_folders(&self) -> bool {
        true
    }

    fn named(&self, path: &TreePath, _: Kind, _: &Interest) -> Option<(TreePath, Fact)> {
        // Asked of each folder: most are not in a `node_modules`, and fewer lie right in one.
        let (file, name, version) = identity::by_place(path)?;
        let placement = placement(path);
        Some((file, Fact::Named(package(&name, &version, placement))))
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = &file.entry.path;
        let Some(installed) = package_of(path).filter(|i| i.folder == path.parent()) else {
            return Ok(());
        };
        let at = file.mtime("mtime of package.json");
        if path.name() == b"binding.gyp" {
            // Without an install script of its own, npm builds such a package; its version stands in the other file.
            let fact = script(&installed.name, "", &installed.folder, ScriptOutcome::Declared);
            out.push(file.mtime("mtime of binding.gyp"), fact);
            return Ok(());
        }
        let known_folder = file.interest.knows_package(Ecosystem::Npm, &installed.name);
        let about = about::read(file.all(FILE)?)?;
        let Some(found) = found(&about, &installed, placement(path)) else {
            // Node loads by the folder; nothing says which version it is.
            return match known_folder {
                true => Err(Flaw::malformed("package.json", "it says neither name nor version")),
                false => Ok(()),
            };
        };
        compare(out, &installed, known_folder, &found);
        if about.runs_at_install {
            out.push(at.clone(), script(&found.name, &found.version, &installed.folder, ScriptOutcome::Declared));
        }
        out.push(at, Fact::Package(found));
        Ok(())
    }
}

/// By the file; its name is the folder's where it has none, since Node does not ask for it.
fn found(about: &About, installed: &Installed, placement: Placement) -> Option<Package> {
    let version = about.version.as_deref().filter(|v| is_version(v))?;
    let name = about.name.as_deref().filter(|n| is_name(n)).or(Some(&installed.name)).filter(|n| is_name(n))?;
    Some(Package { requires: about.requires.as_slice().into(), ..package(name, version, placement) })
}

/// Reports what the folder says where it says something else.
fn compare(out: &mut Sink<'_>, installed: &Installed, known: bool, found: &Package) {
    let stored = stored_version(installed);
    let other_version = stored.as_deref().filter(|v| !same_version(Ecosystem::Npm, v, &found.version));
    let other_name = known && *installed.name != *found.name;
    if other_version.is_none() && !other_name {
        return;
    }
    let version = other_version.unwrap_or(&found.version);
    let says = format!("{} {version}", installed.name);
    let what = format!("its folder says {says}, package.json says {} {}", found.name, found.version);
    out.push(None, Fact::Disagreement { names: [installed.name.clone(), (*found.name).into()], what });
    // Of a virtual store the walk asks for the name; nobody else says this one.
    if stored.is_none() {
        out.push(None, Fact::Named(package(&installed.name, version, found.placement)));
    }
}

fn placement(path: &TreePath) -> Placement {
    if is_stored(path) { Placement::Cached } else { Placement::Loadable }
}

/// What is known of an install script of an installed package.
fn script(name: &str, version: &str, folder: &TreePath, outcome: ScriptOutcome) -> Fact {
    Fact::InstallScript { name: name.into(), version: version.into(), folder: Some(folder.clone()), outcome }
}

#[cfg(test)]
mod tests {
    use super::{super::trial::tried, *};

    const AXIOS: &[u8] = br#"{"name":"axios","version":"1.14.1","dependencies":{"plain-crypto-js":"^4.2.1"}}"#;

    fn said(path: &str, bytes: &[u8]) -> Vec<String> {
        tried(&InstalledPackage, path, bytes, &["axios", "plain-crypto-js"]).said
    }

    #[test]
    fn every_place_of_a_package_is_read() {
        let sha1 = "0123456789abcdef0123456789abcdef01234567";
        for (folder, placement) in [
            ("a/node_modules/axios".to_owned(), "Loadable"),
            ("a/node_modules/b/node_modules/axios".to_owned(), "Loadable"),
            ("a/node_modules/.pnpm/axios@1.14.1/node_modules/axios".to_owned(), "Loadable"),
            ("a/node_modules/.store/axios-npm-1.14.1-0a1b2c3d4e/package".to_owned(), "Loadable"),
            ("a/.yarn/unplugged/axios-npm-1.14.1-0a1b2c3d4e/node_modules/axios".to_owned(), "Loadable"),
            ("usr/lib/node_modules/axios".to_owned(), "Loadable"),
            ("h/.npm/_npx/0a1b/node_modules/axios".to_owned(), "Loadable"),
            (format!("h/.cache/yarn/v6/npm-axios-1.14.1-{sha1}-integrity/node_modules/axios"), "Cached"),
        ] {
            let path = format!("{folder}/package.json");
            assert_eq!(said(&path, AXIOS), [format!("package axios 1.14.1 {placement}")], "{path}");
        }
    }

    #[test]
    fn a_package_json_that_is_no_package_is_left_alone() {
        for path in [
            "a/package.json",
            "a/node_modules/axios/dist/package.json",
            "a/node_modules/axios/test/package.json",
            "a/package/package.json",
            "a/node_modules/package.json",
            "a/node_modules/.bin/package.json",
        ] {
            assert_eq!(said(path, AXIOS), [""; 0], "{path}");
        }
    }

    #[test]
    fn the_file_says_what_an_alias_is() {
        assert_eq!(said("a/node_modules/my-axios/package.json", AXIOS), ["package axios 1.14.1 Loadable"]);
        let other = br#"{"name":"harmless","version":"1.14.1"}"#;
        assert_eq!(
            said("a/node_modules/axios/package.json", other),
            [
                "disagreement its folder says axios 1.14.1, package.json says harmless 1.14.1",
                "named axios 1.14.1 Loadable",
                "package harmless 1.14.1 Loadable"
            ]
        );
        assert_eq!(said("a/node_modules/b/package.json", other), ["package harmless 1.14.1 Loadable"]);
        let unnamed = br#"{"version":"1.14.1"}"#;
        assert_eq!(said("a/node_modules/axios/package.json", unnamed), ["package axios 1.14.1 Loadable"]);
    }

    #[test]
    fn a_file_that_was_rewritten_disagrees_with_the_virtual_store() {
        let path = "a/node_modules/.pnpm/plain-crypto-js@4.2.1/node_modules/plain-crypto-js";
        let clean = br#"{"name":"plain-crypto-js","version":"4.2.0"}"#;
        assert_eq!(
            said(&format!("{path}/package.json"), clean),
            [
                "disagreement its folder says plain-crypto-js 4.2.1, package.json says plain-crypto-js 4.2.0",
                "package plain-crypto-js 4.2.0 Loadable"
            ]
        );
        let named = InstalledPackage.named(&TreePath::new(path.as_bytes()).unwrap(), Kind::Dir, &Interest::default());
        let Some((file, Fact::Named(p))) = named else { panic!("nothing") };
        assert_eq!((file.name(), &*p.name, &*p.version), (b"package.json".as_slice(), "plain-crypto-js", "4.2.1"));
    }

    #[test]
    fn an_install_script_is_reported() {
        let with = br#"{"name":"plain-crypto-js","version":"4.2.1","scripts":{"postinstall":"node setup.js"}}"#;
        assert_eq!(
            said("a/node_modules/plain-crypto-js/package.json", with),
            ["script plain-crypto-js 4.2.1 Declared", "package plain-crypto-js 4.2.1 Loadable"]
        );
        let other = br#"{"name":"b","version":"0.19.0","scripts":{"prepare":"node install.js"}}"#;
        assert_eq!(said("a/node_modules/b/package.json", other), ["package b 0.19.0 Loadable"]);
        assert_eq!(said("a/node_modules/axios/binding.gyp", b"{}"), ["script axios  Declared"]);
        assert_eq!(said("a/node_modules/axios/deps/binding.gyp", b"{}"), [""; 0]);
    }

    #[test]
    fn a_known_package_that_cannot_be_read_is_a_flaw() {
        for bytes in [b"".as_slice(), b"{", b"{}", br#"{"name":"axios"}"#, br#"{"version":"\u001b1"}"#, b"[]"] {
            let flaw = tried(&InstalledPackage, "a/node_modules/axios/package.json", bytes, &["axios"]).flaw;
            assert!(flaw.is_some(), "{bytes:?}");
        }
        // Half of the world's packages have such files among their tests.
        assert!(tried(&InstalledPackage, "a/node_modules/b/package.json", b"{}", &["axios"]).flaw.is_none());
    }
}
