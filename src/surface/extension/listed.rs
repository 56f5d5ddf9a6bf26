//! What an editor wrote down of its extensions.
//!
//! ```text
//! ~/.vscode/extensions/extensions.json      [{"identifier":{"id":"a.b"},"version":"1.2.3","metadata":{"installedTimestamp":1774350000000}}]
//! ~/.config/Code/User/profiles/ID/extensions.json      the same, of a profile
//! ~/.vscode/extensions/.obsolete            {"a.b-1.2.3":true}: uninstalled or replaced, to be deleted at the next start
//! ```
//!
//! A hit in the list proves that the editor had the version installed when it wrote it; one in `.obsolete` that it had it until then. Other
//! files of these names (a project's recommendations) name no versions. Written by VS Code 1.74 and later, and by its kin; not documented.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    ecosystem::{
        extension::{folder_name, is_name, marketplace},
        is_version,
    },
    fact::{At, Ecosystem, Fact, Package, Placement, TreePath, Usage, Use, UseKind},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface},
};

/// Ten thousand extensions have less.
const FILE: usize = 16 << 20;

/// `extensions.json`, `.obsolete`.
pub struct Listed;

static META: Meta = Meta {
    id: "extension/listed",
    title: "lists of extensions that editors keep",
    proves: "the editor had that version installed when it wrote the list; not that it was activated",
};

#[derive(Deserialize)]
struct Entry {
    identifier: Identifier,
    version: String,
    metadata: Option<Value>,
}

#[derive(Deserialize)]
struct Identifier {
    id: String,
}

impl Surface for Listed {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![
            Claim::name("extensions.json").in_tail("extensions"),
            Claim::name("extensions.json").within("profiles"),
            Claim::name(".obsolete").in_tail("extensions"),
        ]
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = file.entry.path.clone();
        let written = file.mtime("mtime of the list");
        let bytes = file.all(FILE)?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
            return Err(Flaw::malformed("list of extensions", "it is no JSON"));
        };
        match value {
            Value::Object(map) if path.name() == b".obsolete" => {
                let marked = map.iter().filter(|(_, value)| **value == Value::Bool(true));
                for (name, version) in marked.filter_map(|(key, _)| folder_name(key)) {
                    out.push_at(
                        Some(&format!("{name}-{version}")),
                        None,
                        written.clone(),
                        left_over(&path, &name, &version),
                    );
                }
                Ok(())
            }
            Value::Array(entries) => {
                for entry in entries.into_iter().filter_map(|e| serde_json::from_value::<Entry>(e).ok()) {
                    let good = is_name(&entry.identifier.id) && is_version(Ecosystem::Vscode, &entry.version);
                    if good {
                        let inner = format!("{}-{}", entry.identifier.id.to_lowercase(), entry.version);
                        out.push_at(
                            Some(&inner),
                            None,
                            installed_at(&entry).or_else(|| written.clone()),
                            recorded(&entry),
                        );
                    }
                }
                Ok(())
            }
            // A project's recommendations.
            Value::Object(_) => Ok(()),
            _ => Err(Flaw::malformed("list of extensions", "it has another form")),
        }
    }
}

fn installed_at(entry: &Entry) -> Option<At> {
    let millis = entry.metadata.as_ref()?.get("installedTimestamp")?.as_i64()?;
    At::unix(millis.checked_div(1000)?, "time in the list of the editor")
}

fn recorded(entry: &Entry) -> Fact {
    Fact::Use(Use {
        kind: UseKind::Extension,
        name: entry.identifier.id.to_lowercase().into(),
        reference: entry.version.as_str().into(),
        digest: None,
        usage: Usage::Recorded,
    })
}

fn left_over(path: &TreePath, name: &str, version: &str) -> Fact {
    Fact::Package(Package {
        ecosystem: marketplace(&path.parent()).unwrap_or(Ecosystem::Vscode),
        name: name.into(),
        version: version.into(),
        placement: Placement::Leftover,
        requires: [].into(),
        artifacts: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::python::trial::tried;

    fn said(path: &str, text: &str) -> (Vec<String>, bool) {
        let tried = tried(&Listed, path, text.as_bytes(), &Interest::default());
        let words = |s: &crate::fact::Seen| {
            let at = s.at.as_ref().map_or(0, |at| at.time.as_second());
            match &s.fact {
                Fact::Use(u) => format!("{} {} {at}", u.name, u.reference),
                Fact::Package(p) => format!("{} {} {:?} {at}", p.name, p.version, p.placement),
                other => format!("{other:?}"),
            }
        };
        (tried.seen.iter().map(words).collect(), tried.flaw.is_some())
    }

    #[test]
    fn lists_and_marks() {
        let list = r#"[{"identifier":{"id":"A.b","uuid":"x"},"version":"1.0.0","metadata":{"installedTimestamp":1774340000123}},
                       {"identifier":{"id":"c.d"},"version":"2.0.0"},{"identifier":{"id":"bad"},"version":"1.0.0"},{"x":1}]"#;
        let is = ["a.b 1.0.0 1774340000", "c.d 2.0.0 1774350000"].map(str::to_owned).to_vec();
        assert_eq!(said("h/.vscode/extensions/extensions.json", list), (is, false));
        let marks = r#"{"a.b-1.0.0":true,"c.d-1.0.0":false,"x":true,"e.f-1.0.0":"true"}"#;
        assert_eq!(
            said("h/.vscode/extensions/.obsolete", marks),
            (vec!["a.b 1.0.0 Leftover 1774350000".to_owned()], false)
        );
    }

    #[test]
    fn other_files_of_the_name() {
        let recommended = r#"{"recommendations":["a.b"]}"#;
        assert_eq!(said("p/x/extensions/extensions.json", recommended), (Vec::new(), false));
        for text in ["[", "", "7", "\"a.b-1.0.0\""] {
            assert_eq!(said("h/.vscode/extensions/extensions.json", text), (Vec::new(), true), "{text}");
        }
    }
}
