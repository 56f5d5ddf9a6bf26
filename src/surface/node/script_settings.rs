//! Settings by which an installer runs no install scripts, or those of few packages.
//!
//! ```text
//! .npmrc, /etc/npmrc, <prefix>/etc/npmrc       ignore-scripts=true                     npm, pnpm, yarn classic
//! .yarnrc                                      ignore-scripts true                     yarn classic
//! .yarnrc.yml                                  enableScripts: false                    yarn 2 and later
//! pnpm-workspace.yaml, aube-workspace.yaml     onlyBuiltDependencies, neverBuiltDependencies, allowBuilds, ignoreScripts
//! package.json                                 pnpm.onlyBuiltDependencies …, aube.allowBuilds …; trustedDependencies (bun); allowScripts (npm 11);
//!                                              dependenciesMeta: {"x": {"built": false}} (yarn 2 and later)
//! .bashrc, .profile, /etc/environment …        npm_config_ignore_scripts=true, YARN_ENABLE_SCRIPTS=false
//! bunfig.toml                                  [install] ignoreScripts = true
//! ```
//!
//! A hit proves that the setting stands there now; not since when, nor that nobody set it aside on the command line or by a variable.
//! Documented in npm's `config`, pnpm's `settings`, yarn's `yarnrc` and bun's `lifecycle` pages.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::identity::is_name;
use crate::{
    fact::{Fact, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

const FILE: usize = 4 << 20;
/// Files in which people set variables of theirs.
const SHELL: &[&str] =
    &[".bashrc", ".bash_profile", ".profile", ".zshrc", ".zshenv", ".zprofile", "config.fish", ".envrc"];
/// Packages that are taken of one list.
const LISTED: usize = 2000;

/// `.npmrc`, `.yarnrc.yml`, `pnpm-workspace.yaml`, `package.json`, `bunfig.toml`.
pub struct ScriptSettings;

static META: Meta = Meta {
    id: "node/script-settings",
    title: "settings that keep installers from running scripts",
    proves: "the setting stands there now; not that it did when something was installed",
};

impl Surface for ScriptSettings {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![
            Claim::name(".npmrc"),
            Claim::name("npmrc").in_tail("etc"),
            Claim::name(".yarnrc"),
            Claim::name(".yarnrc.yml"),
            Claim::name("pnpm-workspace.yaml"),
            Claim::name("aube-workspace.yaml"),
            Claim::name("bunfig.toml"),
            Claim::name(".bunfig.toml"),
            Claim::name("package.json").in_own_work(),
            Claim::name("environment").in_tail("etc"),
        ]
        .into_iter()
        .chain(SHELL.iter().map(|name| Claim::name(name)))
        .collect()
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the settings");
        let path = file.entry.path.clone();
        let text = String::from_utf8_lossy(file.all(FILE)?);
        let found = match path.name() {
            b"package.json" => of_manifest(&text),
            b".npmrc" | b"npmrc" => switch("npm", set(&text, '=', "ignore-scripts"), "true"),
            b".yarnrc" => switch("yarn", set(&text, ' ', "ignore-scripts"), "true"),
            b".yarnrc.yml" => switch("yarn", set(&text, ':', "enableScripts"), "false"),
            b"pnpm-workspace.yaml" => of_workspace("pnpm", &text).into_iter().collect(),
            b"aube-workspace.yaml" => of_workspace("aube", &text).into_iter().collect(),
            b"bunfig.toml" | b".bunfig.toml" => switch("bun", set(&text, '=', "ignoreScripts"), "true"),
            _ => of_shell(&text),
        };
        for (by, allowed) in found {
            let allowed = allowed.into_iter().map(Into::into).collect();
            out.push(at.clone(), Fact::ScriptsBlocked { by, root: root_of(&path), allowed });
        }
        Ok(())
    }
}

type Blocked = (&'static str, Vec<String>);

/// `/etc/npmrc`, `<prefix>/etc/npmrc` and `/etc/environment` hold for everybody.
fn root_of(path: &TreePath) -> TreePath {
    match path.name() {
        b"npmrc" | b"environment" => TreePath::root(),
        // `~/.config/fish/config.fish`
        b"config.fish" => path.parent().parent().parent(),
        _ => path.parent(),
    }
}

/// A setting that blocks all scripts where it has this value, and none where it has another one.
fn switch(by: &'static str, is: Option<String>, blocks: &str) -> Vec<Blocked> {
    let all = |is: String| if is == blocks { Vec::new() } else { vec!["*".to_owned()] };
    is.map(|is| (by, all(is))).into_iter().collect()
}

/// Variables that installers read as settings, as start-up files of shells set them.
fn of_shell(text: &str) -> Vec<Blocked> {
    const VARIABLES: &[(&str, &str, &str)] = &[
        ("npm_config_ignore_scripts", "npm", "true"),
        ("pnpm_config_ignore_scripts", "pnpm", "true"),
        ("yarn_ignore_scripts", "yarn", "true"),
        ("yarn_enable_scripts", "yarn", "false"),
    ];
    let mut last: BTreeMap<&str, Blocked> = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        let line = line.strip_prefix("export ").or_else(|| line.strip_prefix("set -gx ")).unwrap_or(line).trim_start();
        let Some((name, value)) = line.split_once('=').or_else(|| line.split_once(' ')) else {
            continue;
        };
        let value = value.split([';', '#', ' ']).next().unwrap_or_default().trim_matches(['"', '\'']);
        let value = match value {
            "1" => "true",
            "0" => "false",
            value => value,
        };
        let known = VARIABLES.iter().find(|(variable, ..)| name.eq_ignore_ascii_case(variable));
        if let Some((variable, by, blocks)) = known.filter(|_| matches!(value, "true" | "false")) {
            last.extend(switch(by, Some(value.to_owned()), blocks).into_iter().map(|blocked| (*variable, blocked)));
        }
    }
    last.into_values().collect()
}

/// The value of the last line that sets `key`. `key[]=` and `//host/:key=` are others.
fn set(text: &str, separator: char, key: &str) -> Option<String> {
    let setting = |line: &str| {
        let line = line.trim();
        let (found, is) = line.split_once(separator)?;
        let found = found.trim().trim_matches('"');
        let found = found.strip_prefix("--install.").or_else(|| found.strip_prefix("--add.")).unwrap_or(found);
        let is = is.split([';', '#']).next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        (found == key).then(|| is.to_owned())
    };
    text.lines().filter_map(setting).next_back()
}

/// Whether `key` is set so.
fn is_set(text: &str, separator: char, key: &str, value: &str) -> bool {
    set(text, separator, key).as_deref() == Some(value)
}

fn of_manifest(text: &str) -> Vec<Blocked> {
    // Most projects have none of them.
    let names =
        ["trustedDependencies", "BuiltDependencies", "allowBuilds", "allowScripts", "AllowAllBuilds", "\"built\""];
    if !names.iter().any(|name| text.contains(name)) {
        return Vec::new();
    }
    let Ok(Value::Object(fields)) = serde_json::from_str(text.trim_start_matches('\u{feff}')) else {
        // The manifest's own surface says that it cannot be read.
        return Vec::new();
    };
    let mut found = Vec::new();
    if let Some(Value::Array(trusted)) = fields.get("trustedDependencies") {
        found.push(("bun", names_of(trusted.iter().filter_map(Value::as_str))));
    }
    if let Some(Value::Object(allowed)) = fields.get("allowScripts") {
        found.push(("npm", decided(allowed.iter().map(|(k, v)| (k.as_str(), v.as_bool() != Some(false))))));
    }
    // Of yarn, by package, whatever its setting is for the others.
    let built = fields.get("dependenciesMeta").and_then(Value::as_object).into_iter().flatten();
    let built: Vec<(&str, bool)> =
        built.filter_map(|(k, meta)| Some((k.as_str(), meta.get("built")?.as_bool()?))).collect();
    if !built.is_empty() {
        let mut named = decided(built.into_iter());
        named.push("?".to_owned());
        found.push(("yarn", named));
    }
    for by in ["pnpm", "aube"] {
        found.extend(fields.get(by).and_then(Value::as_object).and_then(|lists| of_pnpm(by, lists)));
    }
    found
}

/// The lists of `pnpm` in a manifest, and of `aube`, which has the same.
fn of_pnpm(by: &'static str, pnpm: &Map<String, Value>) -> Option<Blocked> {
    if pnpm.get("dangerouslyAllowAllBuilds") == Some(&Value::Bool(true)) {
        return Some((by, vec!["*".to_owned()]));
    }
    let list = |key: &str| pnpm.get(key).and_then(Value::as_array);
    let (only, never) = (list("onlyBuiltDependencies"), list("neverBuiltDependencies"));
    let builds = pnpm.get("allowBuilds").and_then(Value::as_object);
    (only.is_some() || never.is_some() || builds.is_some()).then(|| {
        let texts = |list: Option<&Vec<Value>>| names_of(list.into_iter().flatten().filter_map(Value::as_str));
        let mut allowed = texts(only);
        allowed.extend(texts(never).into_iter().map(|n| format!("!{n}")));
        let builds = builds.into_iter().flatten();
        allowed.extend(decided(builds.map(|(k, v)| (k.as_str(), v.as_bool() == Some(true)))));
        (by, allowed)
    })
}

/// `pnpm-workspace.yaml`, `aube-workspace.yaml`, whose lists and maps stand at the top, one item per line.
fn of_workspace(by: &'static str, text: &str) -> Option<Blocked> {
    if is_set(text, ':', "dangerouslyAllowAllBuilds", "true") {
        return Some((by, vec!["*".to_owned()]));
    }
    let ignores = is_set(text, ':', "ignoreScripts", "true");
    let mut lists: BTreeMap<&str, Vec<(String, bool)>> = BTreeMap::new();
    let mut current = "";
    let plain = |item: &str| item.trim().trim_matches(['"', '\'']).to_owned();
    for line in text.lines().map(|l| l.split(" #").next().unwrap_or(l)).filter(|l| !l.trim().is_empty()) {
        if !line.starts_with([' ', '-', '#']) {
            let (key, rest) = line.split_once(':').unwrap_or((line, ""));
            current = ["onlyBuiltDependencies", "neverBuiltDependencies", "allowBuilds"]
                .into_iter()
                .find(|k| *k == key.trim())
                .unwrap_or_default();
            if !current.is_empty() {
                let items = rest.trim().trim_start_matches('[').trim_end_matches(']').split(',').map(plain);
                let items = items.filter(|i| !i.is_empty() && !i.starts_with('{')).map(|i| (i, true));
                lists.entry(current).or_default().extend(items);
            }
        } else if !current.is_empty() {
            let line = line.trim();
            let item = match (line.strip_prefix("- "), line.rsplit_once(':')) {
                (Some(item), _) => (plain(item), true),
                (None, Some((name, value))) => (plain(name), value.trim() == "true"),
                (None, None) => continue,
            };
            lists.entry(current).or_default().push(item);
        }
    }
    (ignores || !lists.is_empty()).then(|| {
        let named = lists.iter().filter(|_| !ignores).flat_map(|(key, items)| {
            items.iter().map(|(name, yes)| (name.as_str(), *yes && *key != "neverBuiltDependencies"))
        });
        (by, decided(named))
    })
}

fn names_of<'v>(names: impl Iterator<Item = &'v str>) -> Vec<String> {
    decided(names.map(|name| (name, true)))
}

/// `x`, or `!x` where it must not run. A version behind the name stays: `x@1.0.0`.
fn decided<'v>(names: impl Iterator<Item = (&'v str, bool)>) -> Vec<String> {
    let bare = |name: &str| {
        let at = name.char_indices().skip(1).find(|(_, c)| *c == '@').map_or(name.len(), |(at, _)| at);
        is_name(name.get(..at).unwrap_or_default()) && name.len() <= 300 && !name.contains(char::is_control)
    };
    let said = names.filter(|(name, _)| bare(name)).take(LISTED);
    said.map(|(name, yes)| if yes { name.to_owned() } else { format!("!{name}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::trial::tried, *};

    fn said(path: &str, text: &str) -> Vec<String> {
        tried(&ScriptSettings, path, text.as_bytes(), &[]).said
    }

    #[test]
    fn every_installer_has_a_setting_of_its_own() {
        for (path, text, is) in [
            ("srv/a/.npmrc", "registry=https://registry.example/\nignore-scripts = true\n", "npm in /srv/a but []"),
            ("home/al/.npmrc", "ignore-scripts=false\nignore-scripts=\"true\"\n", "npm in /home/al but []"),
            ("usr/etc/npmrc", "ignore-scripts=true", "npm in / but []"),
            ("srv/a/.yarnrc", "--install.ignore-scripts true\n", "yarn in /srv/a but []"),
            ("srv/a/.yarnrc.yml", "nodeLinker: pnp\nenableScripts: false\n", "yarn in /srv/a but []"),
            ("srv/a/bunfig.toml", "[install]\nignoreScripts = true\n", "bun in /srv/a but []"),
            (
                "srv/a/pnpm-workspace.yaml",
                "packages:\n  - 'web'\nonlyBuiltDependencies:\n  - esbuild\n  - '@s/x'\nneverBuiltDependencies:\n- fsevents\n",
                r#"pnpm in /srv/a but ["!fsevents", "esbuild", "@s/x"]"#,
            ),
            (
                "srv/a/pnpm-workspace.yaml",
                "allowBuilds:\n  esbuild: true\n  '@s/x': false\ncatalog:\n  y: true\n",
                r#"pnpm in /srv/a but ["esbuild", "!@s/x"]"#,
            ),
            ("srv/a/pnpm-workspace.yaml", "onlyBuiltDependencies: []\n", "pnpm in /srv/a but []"),
            ("srv/a/aube-workspace.yaml", "allowBuilds:\n  x: true\n", r#"aube in /srv/a but ["x"]"#),
            ("srv/a/package.json", r#"{"aube":{"allowBuilds":{"x":true}}}"#, r#"aube in /srv/a but ["x"]"#),
            ("srv/a/package.json", r#"{"trustedDependencies":["esbuild"]}"#, r#"bun in /srv/a but ["esbuild"]"#),
            (
                "srv/a/package.json",
                r#"{"pnpm":{"onlyBuiltDependencies":["esbuild"],"allowBuilds":{"x":false,"y@1.0.0":true}}}"#,
                r#"pnpm in /srv/a but ["esbuild", "!x", "y@1.0.0"]"#,
            ),
            (
                "srv/a/package.json",
                r#"{"allowScripts":{"esbuild":true,"x":false}}"#,
                r#"npm in /srv/a but ["esbuild", "!x"]"#,
            ),
            ("srv/a/.npmrc", "ignore-scripts=true\nignore-scripts=false\n", r#"npm in /srv/a but ["*"]"#),
            ("srv/a/.yarnrc.yml", "enableScripts: true\n", r#"yarn in /srv/a but ["*"]"#),
            (
                "srv/a/pnpm-workspace.yaml",
                "onlyBuiltDependencies:\n  - x\ndangerouslyAllowAllBuilds: true\n",
                r#"pnpm in /srv/a but ["*"]"#,
            ),
            (
                "srv/a/package.json",
                r#"{"dependenciesMeta":{"x":{"built":false},"y":{"built":true},"z":{"unplugged":true}}}"#,
                r#"yarn in /srv/a but ["!x", "y", "?"]"#,
            ),
            ("home/al/.bashrc", "ls\nexport npm_config_ignore_scripts=true # safe\n", "npm in /home/al but []"),
            ("home/al/.config/fish/config.fish", "set -gx YARN_ENABLE_SCRIPTS 0\n", "yarn in /home/al but []"),
            ("etc/environment", "NPM_CONFIG_IGNORE_SCRIPTS=\"true\"\n", "npm in / but []"),
        ] {
            assert_eq!(said(path, text), [format!("blocked by {is}")], "{path} {text}");
        }
    }

    #[test]
    fn what_blocks_nothing_is_left_alone() {
        for (path, text) in [
            ("srv/a/.npmrc", "#ignore-scripts=true\n;ignore-scripts=true\n//host/:ignore-scripts=true\n"),
            ("srv/a/.npmrc", ""),
            ("home/al/.bashrc", "# npm_config_ignore_scripts=true\nexport npm_config_ignore_scripts=$X\nexport a=true"),
            ("home/al/.bashrc", "my_npm_config_ignore_scripts=true"),
            ("srv/a/bunfig.toml", "[install]\nexact = true\n"),
            ("srv/a/pnpm-workspace.yaml", "packages:\n  - web\n"),
            ("srv/a/package.json", r#"{"scripts":{"test":"allowScripts"}}"#),
            ("srv/a/package.json", r#"{"trustedDependencies":"#),
            ("srv/a/package.json", r#"{"pnpm":{"overrides":{"onlyBuiltDependencies":"1"}}}"#),
        ] {
            assert_eq!(said(path, text), [""; 0], "{path} {text}");
        }
    }

    #[test]
    fn hostile_lists_are_bounded_and_shown_only_where_safe() {
        let many: Vec<String> = (0..9000).map(|n| format!("\"p{n}\"")).collect();
        let text = format!(r#"{{"trustedDependencies":["\u001b[2J",{}]}}"#, many.join(","));
        let tried = tried(&ScriptSettings, "a/package.json", text.as_bytes(), &[]);
        let Some(Fact::ScriptsBlocked { allowed, .. }) = tried.seen.first().map(|s| &s.fact) else { panic!("nothing") };
        assert_eq!((allowed.len(), allowed.first().map(|n| &**n)), (LISTED, Some("p0")));
    }
}
