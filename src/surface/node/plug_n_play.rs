//! Yarn's Plug'n'Play: a project without `node_modules`, whose packages Node loads out of zips.
//!
//! ```text
//! app/
//! ├── .pnp.cjs            const RAW_RUNTIME_STATE = '{…}', a JSON text in quotes; yarn 2 wrote `.pnp.js` with `hydrateRuntimeState({…}`
//! ├── .pnp.data.json      the same JSON alone, where `pnpEnableInlining` is off
//! └── .yarn/cache/*.zip, .yarn/unplugged/*
//!
//! "packageRegistryData": [["axios", [["npm:1.14.1", {"packageLocation": "./.yarn/cache/….zip/node_modules/axios/", "packageDependencies": …}]]]]
//! ```
//!
//! A hit proves that the project loads the version from there, not that it ran. What is unplugged is read where it stands. Documented in
//! yarn's "PnP specification".

use serde::Deserialize;
use serde_json::Value;

use super::{
    identity::{is_name, is_version, package},
    install_record::without_virtual,
};
use crate::{
    ecosystem::npm::reference,
    fact::{Fact, Package, Placement, Requirement},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// Two thousand packages have two megabytes.
const FILE: usize = 32 << 20;

/// `.pnp.cjs`, `.pnp.data.json`.
pub struct PlugNPlay;

static META: Meta = Meta {
    id: "node/plug-n-play",
    title: "packages that yarn's Plug'n'Play loads",
    proves: "the project loads the version from there; not that it ran",
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    package_registry_data: Vec<(Option<String>, Vec<Referenced>)>,
}

/// One version of a package; the project itself has no reference.
type Referenced = (Option<String>, Entry);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    package_location: String,
    #[serde(default)]
    package_dependencies: Vec<(String, Value)>,
}

impl Surface for PlugNPlay {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        [".pnp.cjs", ".pnp.js", ".pnp.data.json"].map(Claim::name).into()
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of yarn's list");
        let is_data = file.entry.path.name().ends_with(b".json");
        let text = String::from_utf8_lossy(file.all(FILE)?);
        let malformed = Flaw::malformed("list of Plug'n'Play", "it holds no packages in the form that yarn writes");
        let Some(json) = (if is_data { Some(text.to_string()) } else { state_in(&text) }) else {
            // The packages may stand in the file beside it.
            return if text.contains(".pnp.data.json") { Ok(()) } else { Err(malformed) };
        };
        // Behind an argument stands the rest of the program.
        let state = State::deserialize(&mut serde_json::Deserializer::from_str(&json)).map_err(|_| malformed)?;
        for (name, entries) in &state.package_registry_data {
            for (reference, entry) in entries {
                let (Some(name), Some(reference)) = (name, reference) else {
                    continue;
                };
                let unplugged = entry.package_location.contains(".yarn/unplugged/");
                if let Some(package) = loaded(name, reference, entry).filter(|_| !unplugged) {
                    out.push_at(Some(&entry.package_location), None, at.clone(), Fact::Package(package));
                }
            }
        }
        Ok(())
    }
}

/// The JSON text in the program that yarn writes.
fn state_in(text: &str) -> Option<String> {
    if let Some((_, rest)) = text.split_once("RAW_RUNTIME_STATE =") {
        return quoted(rest.trim_start().strip_prefix('\'')?);
    }
    let (_, rest) = text.split_once("hydrateRuntimeState({")?;
    Some(format!("{{{rest}"))
}

/// A text of JavaScript up to its closing quote.
fn quoted(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '\'' => return Some(plain),
            '\\' => match chars.next()? {
                '\n' => plain.push('\n'),
                'n' => plain.push('\n'),
                other => plain.push(other),
            },
            other => plain.push(other),
        }
    }
}

/// `None` for projects and folders.
fn loaded(name: &str, reference: &str, entry: &Entry) -> Option<Package> {
    let read = |name: &str, reference: &str| reference::locator(&without_virtual(&format!("{name}@{reference}")));
    let found = read(name, reference);
    let version = found.version().filter(|v| is_version(v))?;
    let real = found.name.as_deref().filter(|n| is_name(n))?;
    let requires =
        entry.package_dependencies.iter().filter(|(asked, _)| asked != name).filter_map(|(asked, wanted)| {
            let (target, wanted) = match wanted {
                Value::String(wanted) => (asked.as_str(), wanted.as_str()),
                // An alias: the other name and its reference.
                Value::Array(pair) => (pair.first()?.as_str()?, pair.get(1)?.as_str()?),
                _ => return None,
            };
            let text = without_virtual(&format!("{asked}@{wanted}"));
            Some(Requirement::new(read(target, wanted).name?, text))
        });
    Some(Package { requires: requires.collect(), ..package(real, version, Placement::Loadable) })
}

#[cfg(test)]
mod tests {
    use super::{super::trial::tried, *};

    const STATE: &str = r#"{"packageRegistryData":[
        [null,[[null,{"packageLocation":"./","packageDependencies":[["axios","npm:1.14.1"]],"linkType":"SOFT"}]]],
        ["axios",[["npm:1.14.1",{"packageLocation":"./.yarn/cache/axios-npm-1.14.1-0a-0b.zip/node_modules/axios/",
            "packageDependencies":[["axios","npm:1.14.1"],["plain-crypto-js","npm:4.2.1"],["my-x",["@s/x","npm:1.0.0"]],["no",null]],"linkType":"HARD"}]]],
        ["@s/x",[["virtual:0a1b#npm:1.0.0",{"packageLocation":"./.yarn/__virtual__/x/","packageDependencies":[]}]]],
        ["esbuild",[["npm:0.19.0",{"packageLocation":"./.yarn/unplugged/esbuild-npm-0.19.0-0a/node_modules/esbuild/"}]]],
        ["app",[["workspace:.",{"packageLocation":"./","packageDependencies":[]}]]]]}"#;

    fn program(state: &str) -> String {
        let quoted = state.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\\n");
        format!(
            "#!/usr/bin/env node\n\"use strict\";\n\nconst RAW_RUNTIME_STATE =\n'{quoted}';\n\nfunction $$SETUP_STATE() {{}}\n"
        )
    }

    #[test]
    fn the_list_is_found_in_each_form() {
        let old =
            format!("function $$SETUP_STATE(hydrateRuntimeState) {{ return hydrateRuntimeState({STATE}, {{}}); }}");
        for (name, text) in [(".pnp.cjs", program(STATE)), (".pnp.data.json", STATE.to_owned()), (".pnp.js", old)] {
            let tried = tried(&PlugNPlay, &format!("srv/a/{name}"), text.as_bytes(), &[]);
            assert!(tried.flaw.is_none(), "{name}");
            assert_eq!(tried.said, ["package axios 1.14.1 Loadable", "package @s/x 1.0.0 Loadable"], "{name}");
            let Some(Fact::Package(axios)) = tried.seen.first().map(|s| &s.fact) else { panic!("nothing") };
            let asked: Vec<&str> = axios.requires.iter().map(|r| &*r.name).collect();
            assert_eq!(asked, ["plain-crypto-js", "@s/x"]);
        }
    }

    #[test]
    fn what_holds_no_list_is_a_flaw() {
        for text in [
            "",
            "module.exports = {};",
            "const RAW_RUNTIME_STATE =\n'{",
            "const RAW_RUNTIME_STATE =\n'{}';",
            "hydrateRuntimeState({",
        ] {
            assert!(tried(&PlugNPlay, "a/.pnp.cjs", text.as_bytes(), &[]).flaw.is_some(), "{text}");
        }
        assert!(tried(&PlugNPlay, "a/.pnp.data.json", b"[]", &[]).flaw.is_some());
        // The program alone, where the list stands beside it.
        assert!(tried(&PlugNPlay, "a/.pnp.cjs", b"require('./.pnp.data.json')", &[]).flaw.is_none());
    }
}
