//! What pnpm, yarn, Deno and aube write down beside the packages that they installed.
//!
//! ```text
//! node_modules/.modules.yaml       pnpm; YAML until 9, JSON since 10: `ignoredBuilds` (scripts that it did not run), `pendingBuilds`
//! node_modules/.yarn-state.yml     yarn 2 and later with node-modules: "axios@npm:1.14.1": locations: ["node_modules/axios"]
//! node_modules/.yarn-integrity     yarn classic: lockfileEntries: {"axios@^1": "https://…/axios/-/axios-1.14.1.tgz#sha1"};
//!                                  flags: ["ignoreScripts"] of an install that ran none
//! node_modules/.deno/axios@1.14.1/.scripts-warned      Deno: not run, since nobody allowed it; `.scripts-run`: run
//! node_modules/.aube/axios@1.14.1/node_modules/.aube-side-effects-cache-<SHA-256 of the name>      aube (`.mise` of mise's): run, or put
//!                                                     there as an earlier run left it
//! ```
//!
//! A hit proves that the installer put the version there, or that it did not run a script. What pnpm does not list may have run, or may
//! have none. Not documented; read in pnpm's `modules-yaml` and yarn's `integrity-checker` and `nodeLinker` sources, and
//! aube's `side_effects_cache`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::identity::{entry_parts, is_name, is_version, package};
use crate::{
    ecosystem::npm::reference::{self, Reference},
    fact::{At, Ecosystem, Fact, Placement, ScriptOutcome, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
    text::hex,
};

const FILE: usize = 32 << 20;
/// What aube's marks begin with.
const MARK: &str = ".aube-side-effects-cache-";

/// `.modules.yaml`, `.yarn-state.yml`, `.yarn-integrity`.
pub struct InstallRecord;

static META: Meta = Meta {
    id: "node/install-record",
    title: "what pnpm, yarn, Deno and aube wrote down that they installed",
    proves: "the installer put the version there, or did not run its script; not that it is still there",
};

impl Surface for InstallRecord {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let records = [".modules.yaml", ".yarn-state.yml", ".yarn-integrity"];
        let records = records.map(|name| Claim::name(name).in_tail("node_modules"));
        let marks = [Claim::name(".scripts-warned"), Claim::name(".scripts-run"), Claim::affix(MARK, "")];
        records.into_iter().chain(marks).collect()
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the installer's record");
        let root = file.entry.path.parent().parent();
        let name = file.entry.path.name().to_vec();
        if name.starts_with(b".scripts-") || name.starts_with(MARK.as_bytes()) {
            let found = of_deno(&file.entry.path, file.interest);
            if let Some(fact) = found.or_else(|| of_aube(&file.entry.path, file.interest)) {
                out.push(at, fact);
            }
            return Ok(());
        }
        let bytes = file.all(FILE)?;
        match name.as_slice() {
            b".modules.yaml" => modules(bytes, at.as_ref(), out),
            b".yarn-state.yml" => yarn_state(bytes, &root, at.as_ref(), out),
            _ => yarn_integrity(bytes, &root, at.as_ref(), out),
        }
    }
}

/// What the name of an empty file says of the package beside it.
fn of_deno(marker: &TreePath, interest: &Interest) -> Option<Fact> {
    let entry = marker.parent();
    let (name, version) = entry_parts(std::str::from_utf8(entry.name()).ok()?)?;
    if entry.parent().name() != b".deno" || !interest.knows_package(Ecosystem::Npm, &name) {
        return None;
    }
    let ran = marker.name() == b".scripts-run";
    let outcome = if ran { ScriptOutcome::Started } else { ScriptOutcome::Skipped };
    let folder = entry.join(b"node_modules").resolve(name.as_bytes());
    Some(Fact::InstallScript { name: name.into(), version: version.into(), folder, outcome })
}

/// What the name of aube's mark says of the package beside it: a scoped one's stands in the folder of the scope.
fn of_aube(mark: &TreePath, interest: &Interest) -> Option<Fact> {
    let hash = std::str::from_utf8(mark.name()).ok()?.strip_prefix(MARK)?;
    let beside = mark.parent();
    let modules = if beside.name().starts_with(b"@") { beside.parent() } else { beside };
    let entry = modules.parent();
    let (name, version) = entry_parts(std::str::from_utf8(entry.name()).ok()?)?;
    let is_aubes = matches!(entry.parent().name(), b".aube" | b".mise") && modules.name() == b"node_modules";
    if !is_aubes || hash != hex(&Sha256::digest(&name)) || !interest.knows_package(Ecosystem::Npm, &name) {
        return None;
    }
    let folder = modules.resolve(name.as_bytes());
    Some(Fact::InstallScript { name: name.into(), version: version.into(), folder, outcome: ScriptOutcome::Started })
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Modules {
    ignored_builds: Vec<Value>,
    pending_builds: Vec<Value>,
}

fn modules(bytes: &[u8], at: Option<&At>, out: &mut Sink<'_>) -> Result<(), Flaw> {
    let text = std::str::from_utf8(bytes).map_err(|_| Flaw::malformed("record of pnpm", "it is no UTF-8"))?;
    let skipped: Vec<String> = if text.trim_start().starts_with('{') {
        let modules: Modules = serde_json::from_str(text)
            .map_err(|_| Flaw::malformed("record of pnpm", "it is no JSON of the form that pnpm writes"))?;
        let lists = modules.ignored_builds.iter().chain(&modules.pending_builds);
        lists.filter_map(|v| v.as_str().map(str::to_owned)).collect()
    } else if text.contains(':') {
        ["ignoredBuilds", "pendingBuilds"].iter().flat_map(|key| list_of(text, key)).collect()
    } else {
        return Err(Flaw::malformed("record of pnpm", "it holds no fields"));
    };
    for text in skipped {
        let (name, version) = name_and_version(&reference::locator(&text));
        if let Some(name) = name {
            let (name, version) = (name.into(), version.unwrap_or_default().into());
            let fact = Fact::InstallScript { name, version, folder: None, outcome: ScriptOutcome::Skipped };
            out.push(at.cloned(), fact);
        }
    }
    Ok(())
}

/// The items of a list at the top of a YAML document, as pnpm writes it: `key: []`, or one item per line.
fn list_of(text: &str, key: &str) -> Vec<String> {
    let mut lines = text.lines().skip_while(|line| line.split_once(':').is_none_or(|(k, _)| k != key));
    let first = lines.next().and_then(|line| line.split_once(':')).map_or("", |(_, rest)| rest.trim());
    let plain = |item: &str| item.trim().trim_matches(['"', '\'']).to_owned();
    if let Some(items) = first.strip_prefix('[').and_then(|f| f.strip_suffix(']')) {
        return items.split(',').map(plain).filter(|item| !item.is_empty()).collect();
    }
    lines.map_while(|line| line.trim_start().strip_prefix("- ")).map(plain).collect()
}

fn yarn_state(bytes: &[u8], root: &TreePath, at: Option<&At>, out: &mut Sink<'_>) -> Result<(), Flaw> {
    let text = std::str::from_utf8(bytes).map_err(|_| Flaw::malformed("record of yarn", "it is no UTF-8"))?;
    if !text.contains("__metadata:") {
        return Err(Flaw::malformed("record of yarn", "it has no head"));
    }
    let mut found: (Option<String>, Option<String>) = (None, None);
    let mut number = 0_u32;
    for line in text.lines() {
        number = number.saturating_add(1);
        if let Some(place) = line.trim_start().strip_prefix("- ") {
            let place = place.trim().trim_matches(['"', '\'']);
            let folder = root.resolve(place.as_bytes());
            if let ((Some(name), Some(version)), Some(folder)) = (&found, folder) {
                let package = package(name, version, Placement::Loadable);
                out.push_at(None, Some(number), at.cloned(), Fact::Recorded { package, folder });
            }
        } else if !line.starts_with([' ', '#']) && !line.is_empty() {
            let key = line.trim_end().trim_end_matches(':').trim_matches('"');
            found = name_and_version(&reference::locator(without_virtual(key).as_str()));
        }
    }
    Ok(())
}

/// `x@virtual:0a…#npm:1.0.0` is `x@npm:1.0.0`, made for its peers.
pub fn without_virtual(key: &str) -> String {
    match key.split_once("@virtual:") {
        Some((name, rest)) => format!("{name}@{}", rest.split_once('#').map_or("", |(_, real)| real)),
        None => key.to_owned(),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Integrity {
    #[serde(default)]
    lockfile_entries: BTreeMap<String, Value>,
    #[serde(default)]
    flags: Vec<Value>,
}

fn yarn_integrity(bytes: &[u8], root: &TreePath, at: Option<&At>, out: &mut Sink<'_>) -> Result<(), Flaw> {
    let read: Integrity = match bytes.trim_ascii_start().first() {
        Some(b'{') => serde_json::from_slice(bytes).ok(),
        _ => None,
    }
    .ok_or(Flaw::malformed("record of yarn", "it is no JSON of the form that yarn writes"))?;
    if read.flags.iter().any(|flag| flag.as_str() == Some("ignoreScripts")) {
        let fact = Fact::ScriptsBlocked { by: "yarn", root: root.clone(), allowed: [].into() };
        out.push(at.cloned(), fact);
    }
    for (asked, resolved) in &read.lockfile_entries {
        let resolved = reference::read(resolved.as_str().unwrap_or_default());
        // A registry of another form gives the version only; the name is what was asked for.
        let name = resolved.name.clone().or_else(|| reference::locator(asked).name).filter(|n| is_name(n));
        if let (Some(name), Some(version)) = (name, resolved.version().filter(|v| is_version(v))) {
            let package = package(&name, version, Placement::Loadable);
            out.push_at(Some(&name), None, at.cloned(), Fact::Recorded { package, folder: root.clone() });
        }
    }
    Ok(())
}

/// Where they are safe to show.
fn name_and_version(reference: &Reference) -> (Option<String>, Option<String>) {
    let version = reference.version().filter(|v| is_version(v)).map(str::to_owned);
    (reference.name.clone().filter(|n| is_name(n)), version)
}

#[cfg(test)]
mod tests {
    use super::{super::trial::tried, *};

    fn said(name: &str, text: &str) -> Vec<String> {
        let tried = tried(&InstallRecord, &format!("srv/a/node_modules/{name}"), text.as_bytes(), &[]);
        assert!(tried.flaw.is_none(), "{text}");
        tried.said
    }

    #[test]
    fn scripts_that_pnpm_did_not_run_are_reported() {
        let json = r#"{"hoistPattern":["*"],"ignoredBuilds":["plain-crypto-js@4.2.1","@s/x"],"pendingBuilds":[]}"#;
        let is = ["script plain-crypto-js 4.2.1 Skipped", "script @s/x  Skipped"];
        assert_eq!(said(".modules.yaml", json), is);
        let yaml = "hoistPattern:\n  - '*'\nignoredBuilds:\n  - plain-crypto-js@4.2.1\n  - '@s/x'\npendingBuilds: []\nskipped:\n  - no@1.0.0\n";
        assert_eq!(said(".modules.yaml", yaml), is);
        let old = "layoutVersion: 5\npendingBuilds:\n  - /esbuild/0.19.0\n  - /@s/x@1.0.0(react@18.0.0)\nskipped: []\n";
        assert_eq!(said(".modules.yaml", old), ["script esbuild 0.19.0 Skipped", "script @s/x 1.0.0 Skipped"]);
        assert_eq!(
            said(".modules.yaml", "pendingBuilds: [a@1.0.0, b]\n"),
            ["script a 1.0.0 Skipped", "script b  Skipped"]
        );
    }

    #[test]
    fn a_mark_of_aube_says_that_the_script_ran() {
        // By `printf plain-crypto-js | sha256sum`, and of `@s/x`.
        const PLAIN: &str = "8ef43df4af8f3f5603cba22253e588f0406d27aed831c2f603e56c0d47356c4f";
        const SCOPED: &str = "960211b206f06ab7def19622fcf6f172dbb2dda9ec102e57e7f52352e3ccf722";
        let said = |folder: &str, hash: &str| {
            let path = format!("srv/a/{folder}/.aube-side-effects-cache-{hash}");
            tried(&InstallRecord, &path, b"v1\n", &["plain-crypto-js", "@s/x"]).said
        };
        let of_plain = "node_modules/.mise/plain-crypto-js@4.2.1/node_modules";
        assert_eq!(said(of_plain, PLAIN), ["script plain-crypto-js 4.2.1 Started"]);
        assert_eq!(said(&of_plain.replace(".mise", ".aube"), PLAIN), ["script plain-crypto-js 4.2.1 Started"]);
        assert_eq!(said("node_modules/.aube/@s+x@1.0.0/node_modules/@s", SCOPED), ["script @s/x 1.0.0 Started"]);
        for (folder, hash) in [
            // Of a neighbour, of another tool's store, of no store.
            (of_plain, SCOPED),
            (of_plain, ""),
            ("node_modules/.pnpm/plain-crypto-js@4.2.1/node_modules", PLAIN),
            ("node_modules", PLAIN),
            ("node_modules/.aube/plain-crypto-js/node_modules", PLAIN),
        ] {
            assert_eq!(said(folder, hash), [""; 0], "{folder} {hash}");
        }
    }

    #[test]
    fn a_record_that_names_no_skipped_script_says_nothing() {
        for text in ["hoistPattern:\n  - '*'\npendingBuilds: []\nskipped: []\n", "{\"pendingBuilds\":[1,\"\\u001b\"]}"]
        {
            assert_eq!(said(".modules.yaml", text), [""; 0], "{text}");
        }
    }

    #[test]
    fn folders_that_yarn_filled_are_records() {
        let state = "# Warning: generated\n\n__metadata:\n  version: 1\n  nmMode: classic\n\n\"@s/x@npm:20.1.0\":\n  locations:\n    - \"node_modules/@s/x\"\n\n\
                     \"demo@workspace:.\":\n  locations:\n    - \"\"\n\n\"axios@virtual:0a1b#npm:1.14.1\":\n  locations:\n    - \"node_modules/axios\"\n    - \"web/node_modules/axios\"\n";
        assert_eq!(
            said(".yarn-state.yml", state),
            [
                "recorded @s/x 20.1.0 /srv/a/node_modules/@s/x",
                "recorded axios 1.14.1 /srv/a/node_modules/axios",
                "recorded axios 1.14.1 /srv/a/web/node_modules/axios"
            ]
        );
    }

    #[test]
    fn yarn_classic_lists_where_each_came_from() {
        let text = r#"{"topLevelPatterns":["axios@^1"],"lockfileEntries":{
            "@s/x@^1.0.0":"https://registry.example/@s/x/-/x-1.0.0.tgz#0a",
            "axios@^1":"https://registry.example/axios/-/axios-1.14.1.tgz#0a","left@file:../left":"file:../left","n":1}}"#;
        assert_eq!(said(".yarn-integrity", text), ["recorded @s/x 1.0.0 /srv/a", "recorded axios 1.14.1 /srv/a"]);
    }

    #[test]
    fn what_is_no_record_is_a_flaw() {
        for (name, bytes) in [
            (".modules.yaml", b"".as_slice()),
            (".modules.yaml", b"{"),
            (".modules.yaml", b"\xff"),
            (".yarn-state.yml", b"x: y\n"),
            (".yarn-state.yml", b"\xff"),
            (".yarn-integrity", b""),
            (".yarn-integrity", b"[]"),
        ] {
            assert!(
                tried(&InstallRecord, &format!("a/node_modules/{name}"), bytes, &[]).flaw.is_some(),
                "{name} {bytes:?}"
            );
        }
        let long = format!("pendingBuilds:\n{}", "  - x@1.0.0\n".repeat(20_000));
        assert_eq!(said(".modules.yaml", &long).len(), 20_000);
    }
}
