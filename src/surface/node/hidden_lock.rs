//! The list that npm keeps of what it unpacked, since npm 7.
//!
//! ```text
//! node_modules/.package-lock.json      {"lockfileVersion": 3, "packages": {"node_modules/axios": {"version": …, "hasInstallScript": true}}}
//! ```
//!
//! A hit proves that npm put the version into that folder. A payload that rewrites its own `package.json` seldom rewrites this one.
//! `hasInstallScript` says that there was a script, not that it ran. npm does not write the list anew when somebody deletes a folder by
//! hand. Documented in npm's `package-lock.json` page, "Hidden Lockfiles".

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

use super::identity::{is_name, is_version, package};
use crate::{
    ecosystem::npm::layout::package_of,
    fact::{Fact, Placement, ScriptOutcome, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

const FILE: usize = 64 << 20;

/// `node_modules/.package-lock.json`.
pub struct HiddenLock;

static META: Meta = Meta {
    id: "node/hidden-lock",
    title: "what npm wrote down that it installed",
    proves: "npm put the version into that folder; not that it is still there, nor that it ran",
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    version: Option<Cow<'a, str>>,
    #[serde(default)]
    has_install_script: bool,
}

impl Surface for HiddenLock {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name(".package-lock.json").in_tail("node_modules")]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of npm's list");
        let root = file.entry.path.parent().parent();
        let mut each = |key: &str, entry: &Entry<'_>| {
            let Some((folder, fact, script)) = recorded(&root, key, entry) else {
                return;
            };
            out.push_at(Some(key), None, at.clone(), fact);
            if let Some((name, version)) = script {
                let (folder, outcome) = (Some(folder), ScriptOutcome::Declared);
                out.push_at(Some(key), None, at.clone(), Fact::InstallScript { name, version, folder, outcome });
            }
        };
        let mut json = serde_json::Deserializer::from_slice(file.all(FILE)?);
        let read = json.deserialize_map(Lock(&mut each)).and_then(|()| json.end());
        read.map_err(|_| Flaw::malformed("list of npm", "it is no lock file in JSON"))
    }
}

type Script = (Box<str>, Box<str>);

/// The folder of an entry, and what the entry says. Links lead to what stands elsewhere, and have no version.
fn recorded(root: &TreePath, key: &str, entry: &Entry<'_>) -> Option<(TreePath, Fact, Option<Script>)> {
    let folder = root.resolve(key.as_bytes())?;
    let installed = package_of(&folder).filter(|i| i.folder == folder)?;
    let name = entry.name.as_deref().unwrap_or(&installed.name);
    let version = entry.version.as_deref().filter(|v| is_version(v) && is_name(name))?;
    let script = entry.has_install_script.then(|| (name.into(), version.into()));
    let package = package(name, version, Placement::Loadable);
    Some((folder.clone(), Fact::Recorded { package, folder }, script))
}

/// The file, entry by entry: a large one is not held as values.
struct Lock<'e>(&'e mut dyn FnMut(&str, &Entry<'_>));

impl<'de> Visitor<'de> for Lock<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a lock file")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key == "packages" {
                map.next_value_seed(Packages(&mut self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct Packages<'e, 'l>(&'l mut &'e mut dyn FnMut(&str, &Entry<'_>));

impl<'de> serde::de::DeserializeSeed<'de> for Packages<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Packages<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("packages by folder")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, entry)) = map.next_entry::<Cow<'de, str>, Entry<'de>>()? {
            (self.0)(&key, &entry);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::trial::tried, *};

    fn said(packages: &str) -> Vec<String> {
        let text = format!(r#"{{"name":"a","lockfileVersion":3,"requires":true,"packages":{{{packages}}}}}"#);
        let tried = tried(&HiddenLock, "srv/a/node_modules/.package-lock.json", text.as_bytes(), &[]);
        assert!(tried.flaw.is_none(), "{packages}");
        tried.said
    }

    #[test]
    fn each_folder_is_a_record() {
        assert_eq!(
            said(
                r#""node_modules/@s/x":{"version":"1.0.0","license":"MIT","engines":{"node":">=4"}},
                "node_modules/b/node_modules/plain-crypto-js":{"version":"4.2.1","hasInstallScript":true,"integrity":"sha512-x"},
                "node_modules/my-axios":{"name":"axios","version":"1.14.1"}"#
            ),
            [
                "recorded @s/x 1.0.0 /srv/a/node_modules/@s/x",
                "recorded plain-crypto-js 4.2.1 /srv/a/node_modules/b/node_modules/plain-crypto-js",
                "script plain-crypto-js 4.2.1 Declared",
                "recorded axios 1.14.1 /srv/a/node_modules/my-axios"
            ]
        );
    }

    #[test]
    fn links_projects_and_what_is_not_safe_to_show_are_passed_over() {
        let odd = r#""packages/web":{"version":"1.0.0"},"":{"name":"a","version":"1.0.0"},"node_modules/web":{"link":true,"resolved":"packages/web"},
            "node_modules/x":{"version":"1\u001b"},"node_modules/\u202e":{"version":"1.0.0"},"node_modules/x/lib":{"version":"1.0.0"}"#;
        assert_eq!(said(odd), [""; 0]);
        assert_eq!(said(""), [""; 0]);
    }

    #[test]
    fn what_is_no_list_is_a_flaw_and_what_was_read_counts() {
        let path = "srv/a/node_modules/.package-lock.json";
        for bytes in ["", "[]", "null", "{\"packages\":[]}", "{\"packages\":{\"a\":1}}", "{} x"] {
            assert!(tried(&HiddenLock, path, bytes.as_bytes(), &[]).flaw.is_some(), "{bytes}");
        }
        let cut = tried(&HiddenLock, path, br#"{"packages":{"node_modules/axios":{"version":"1.14.1"},"node_m"#, &[]);
        assert_eq!(cut.said, ["recorded axios 1.14.1 /srv/a/node_modules/axios"]);
        assert!(cut.flaw.is_some());
    }
}
