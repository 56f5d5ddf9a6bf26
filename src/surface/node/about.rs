//! What is read of a `package.json`: hundreds of thousands lie on a developer's machine, so that most of each is passed over.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::Value;

use crate::{ecosystem::npm::reference, fact::Requirement, surface::Flaw};

type Texts = BTreeMap<Box<str>, Box<str>>;

/// Requirements that are taken of one package: no real one has so many.
const REQUIRED: usize = 5000;

/// What a `package.json` says of its package.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct About {
    /// As written; `None` where it says none.
    pub name: Option<String>,
    /// As written; `None` where it says none.
    pub version: Option<String>,
    /// What it asks for itself: of its peers and of what it can do without, the marker says so.
    pub requires: Vec<Requirement>,
    /// Something is run when it is installed.
    pub runs_at_install: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Manifest<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    version: Option<Cow<'a, str>>,
    dependencies: Texts,
    optional_dependencies: Texts,
    peer_dependencies: Texts,
    peer_dependencies_meta: BTreeMap<Box<str>, PeerMeta>,
    scripts: Scripts,
    gypfile: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PeerMeta {
    optional: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Scripts {
    preinstall: Option<Box<str>>,
    install: Option<Box<str>>,
    postinstall: Option<Box<str>>,
}

/// Reads one.
///
/// # Errors
/// Where it is no object in JSON.
pub fn read(bytes: &[u8]) -> Result<About, Flaw> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // A list would be read as the fields in their order.
    if bytes.trim_ascii_start().first().is_some_and(|b| *b == b'[') {
        return Err(Flaw::malformed("package.json", "it is no object"));
    }
    let manifest = serde_json::from_slice(bytes).or_else(|_| odd(bytes))?;
    Ok(about(manifest))
}

/// With a field twice, of which the last counts, or of a kind that Node passes over.
fn odd(bytes: &[u8]) -> Result<Manifest<'static>, Flaw> {
    let value: Value = serde_json::from_slice(bytes).map_err(|_| Flaw::malformed("package.json", "it is no JSON"))?;
    let Value::Object(fields) = value else {
        return Err(Flaw::malformed("package.json", "it is no object"));
    };
    let text = |v: Option<&Value>| v.and_then(Value::as_str).map(str::to_owned);
    let texts = |key: &str| {
        let pairs = fields.get(key).and_then(Value::as_object).into_iter().flatten();
        pairs.filter_map(|(k, v)| Some((k.as_str().into(), v.as_str()?.into()))).collect::<Texts>()
    };
    let script = |key: &str| text(fields.get("scripts").and_then(|s| s.get(key))).map(Into::into);
    let meta = fields.get("peerDependenciesMeta").and_then(Value::as_object).into_iter().flatten();
    let optional = |v: &Value| v.get("optional").and_then(Value::as_bool).unwrap_or(false);
    Ok(Manifest {
        name: text(fields.get("name")).map(Into::into),
        version: text(fields.get("version")).map(Into::into),
        dependencies: texts("dependencies"),
        optional_dependencies: texts("optionalDependencies"),
        peer_dependencies: texts("peerDependencies"),
        peer_dependencies_meta: meta.map(|(k, v)| (k.as_str().into(), PeerMeta { optional: optional(v) })).collect(),
        scripts: Scripts {
            preinstall: script("preinstall"),
            install: script("install"),
            postinstall: script("postinstall"),
        },
        gypfile: fields.get("gypfile").and_then(Value::as_bool).unwrap_or(false),
    })
}

fn about(manifest: Manifest<'_>) -> About {
    let mut requires = Vec::new();
    let mut add = |asked: &Texts, marker: &dyn Fn(&str) -> Option<&'static str>| {
        for (name, wanted) in asked.iter().take(REQUIRED) {
            requires.push(requirement(name, wanted, marker(name)));
        }
    };
    // An optional one stands among the others too.
    let optional = &manifest.optional_dependencies;
    add(&manifest.dependencies, &|name| optional.contains_key(name).then_some("optional"));
    let mut rest = manifest.optional_dependencies.clone();
    rest.retain(|name, _| !manifest.dependencies.contains_key(name));
    add(&rest, &|_| Some("optional"));
    let meta = &manifest.peer_dependencies_meta;
    add(&manifest.peer_dependencies, &|name| {
        Some(if meta.get(name).is_some_and(|m| m.optional) { "optional peer" } else { "peer" })
    });
    let scripts = &manifest.scripts;
    let script = [&scripts.preinstall, &scripts.install, &scripts.postinstall];
    let runs_at_install = manifest.gypfile || script.iter().any(|s| s.as_ref().is_some_and(|s| !s.trim().is_empty()));
    let owned = |text: Option<Cow<'_, str>>| text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
    About { name: owned(manifest.name), version: owned(manifest.version), requires, runs_at_install }
}

/// `my-axios` with `npm:axios@^1.0.0` asks for `axios`.
fn requirement(name: &str, wanted: &str, marker: Option<&str>) -> Requirement {
    let is_alias = wanted.trim_start().starts_with("npm:") || wanted.trim_start().starts_with("jsr:");
    let real = is_alias.then(|| reference::read(wanted).name).flatten();
    let text = format!("{name}@{wanted}");
    let plain = Requirement::new(real.as_deref().unwrap_or(name), text);
    Requirement { marker: marker.map(Into::into), ..plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Vec<String> {
        let about = read(text.as_bytes()).unwrap();
        let said = |r: &Requirement| format!("{} {} {}", r.name, r.text, r.marker.as_deref().unwrap_or("-"));
        about.requires.iter().map(said).collect()
    }

    #[test]
    fn what_matters_is_read_and_the_rest_passed_over() {
        let about = read(br#"{"name":"a","readme":"{}","version":" 1.0.0 ","x":[[{}]],"scripts":{"test":"t"}}"#);
        let about = about.unwrap();
        assert_eq!((about.name.as_deref(), about.version.as_deref()), (Some("a"), Some("1.0.0")));
        assert!(!about.runs_at_install);
        for scripts in [r#""scripts":{"postinstall":"node x"}"#, r#""scripts":{"install":"x"}"#, r#""gypfile":true"#] {
            assert!(read(format!("{{{scripts}}}").as_bytes()).unwrap().runs_at_install, "{scripts}");
        }
        for scripts in [r#""scripts":{"prepare":"x","postinstall":" "}"#, r#""gypfile":false"#] {
            assert!(!read(format!("{{{scripts}}}").as_bytes()).unwrap().runs_at_install, "{scripts}");
        }
    }

    #[test]
    fn every_kind_of_requirement_says_what_it_is() {
        let text = r#"{"dependencies":{"b":"^1","o":"2","my-c":"npm:@s/c@3.0.0"},"optionalDependencies":{"o":"2","p":"1"},
            "peerDependencies":{"q":"*","r":"1"},"peerDependenciesMeta":{"r":{"optional":true}},"devDependencies":{"z":"1"}}"#;
        assert_eq!(
            asked(text),
            [
                "b b@^1 -",
                "@s/c my-c@npm:@s/c@3.0.0 -",
                "o o@2 optional",
                "p p@1 optional",
                "q q@* peer",
                "r r@1 optional peer"
            ]
        );
    }

    #[test]
    fn what_node_reads_is_read_however_odd() {
        let twice = read(br#"{"name":"axios","version":"1.14.1","name":"harmless"}"#).unwrap();
        assert_eq!(twice.name.as_deref(), Some("harmless"));
        let odd =
            read(br#"{"name":"axios","version":"1.14.1","scripts":"x","dependencies":["b"],"gypfile":"no"}"#).unwrap();
        assert_eq!((odd.name.as_deref(), odd.version.as_deref()), (Some("axios"), Some("1.14.1")));
        let null = read(br#"{"name":null,"version":2,"dependencies":{"b":null,"c":"1"}}"#).unwrap();
        assert_eq!((null.name, null.version, null.requires.len()), (None, None, 1));
        assert_eq!(read(b"\xef\xbb\xbf{\"name\":\"a\"}").unwrap().name.as_deref(), Some("a"));
        assert_eq!(read(br#"{"name":"\u0061xios"}"#).unwrap().name.as_deref(), Some("axios"));
    }

    #[test]
    fn what_is_no_package_is_a_flaw() {
        for bytes in ["", "[]", "null", "{", "{\"name\":\"a\"", "<html>", "\0\0", "{\"name\":\"a\"} trailing"] {
            assert!(read(bytes.as_bytes()).is_err(), "{bytes}");
        }
        assert!(read(format!("{{\"x\":{}", "[".repeat(100_000)).as_bytes()).is_err());
        let many: String = (0..20_000).map(|n| format!("\"p{n}\":\"1\",")).collect();
        let text = format!("{{\"dependencies\":{{{many}\"z\":\"1\"}}}}");
        assert_eq!(read(text.as_bytes()).unwrap().requires.len(), REQUIRED);
    }
}
