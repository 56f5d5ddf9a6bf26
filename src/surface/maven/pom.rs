//! What a project of Maven asks for in one version.
//!
//! ```text
//! project/pom.xml
//! │   <dependency>                        also <plugin>, <extension>, <parent>, <annotationProcessorPath>/<path>
//! │     <groupId>org.acme</groupId>       of a plug-in Maven's own where it is missing
//! │     <artifactId>a</artifactId>
//! │     <version>1.2.3</version>          or `[1.2.3]`; a range names none
//! │   <properties><a.version>1.2.3</a.version></properties>   what `${a.version}` stands for; those of a parent are not known here
//! ```
//!
//! A hit proves that the project names the version; not that it was fetched or built. Documented in "POM Reference" of Maven.

use std::collections::BTreeMap;

use super::package;
use crate::{
    ecosystem::{
        is_version,
        maven::{is_group, is_part},
    },
    fact::{Ecosystem, Fact, Placement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
};

const FILE: usize = 16 << 20;
/// Deeper elements are no POM's.
const DEPTH: usize = 200;
const ENTRIES: usize = 20_000;
const PROPERTIES: usize = 5000;
/// Values in values.
const NESTED: usize = 20;
/// A longer text names no artifact.
const LONGEST: usize = 1000;
/// What names an artifact.
const NAMES: [&str; 5] = ["dependency", "plugin", "extension", "parent", "path"];
const PLUGINS: &str = "org.apache.maven.plugins";

/// `pom.xml`.
pub struct Pom;

static META: Meta = Meta {
    id: "maven/pom",
    title: "projects of Maven",
    proves: "the project names the version; not that it was fetched or built",
};

impl Surface for Pom {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("pom.xml")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (text.contains("<project") && text.contains("<modelVersion>")).then_some("pom.xml")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of pom.xml");
        let text = text(file.all(FILE)?);
        let mut values = Values::default();
        let (found, whole) = read(&text, &mut values);
        for entry in found {
            let group = entry.group.or((entry.kind == "plugin").then(|| PLUGINS.to_owned()));
            let (Some(group), Some(artifact), Some((version, line))) = (group, entry.artifact, entry.version) else {
                continue;
            };
            let filled = [&group, &artifact, &version].map(|text| values.fill(text));
            let [Some(group), Some(artifact), Some(version)] = filled else {
                continue;
            };
            // `[1.2.3]` is that version alone.
            let exact = version.strip_prefix('[').and_then(|v| v.strip_suffix(']')).unwrap_or(&version).trim();
            if is_group(&group) && is_part(&artifact) && is_part(exact) && is_version(Ecosystem::Maven, exact) {
                let package = package(&group, &artifact, exact, Placement::Listed);
                out.push_at(None, Some(line), at.clone(), Fact::Package(package));
            }
        }
        if whole { Ok(()) } else { Err(Flaw::malformed("pom.xml", "it is no XML whose elements end")) }
    }
}

/// What `${…}` stands for in one project.
#[derive(Default)]
struct Values(BTreeMap<String, String>);

impl Values {
    fn add(&mut self, name: &str, value: &str) {
        if self.0.len() < PROPERTIES {
            self.0.insert(name.to_owned(), value.to_owned());
        }
    }

    /// A text with its values. `None` where one is not known, or stands for itself.
    fn fill(&self, text: &str) -> Option<String> {
        let mut filled = text.to_owned();
        for _ in 0..NESTED {
            let Some((before, rest)) = filled.split_once("${") else { return Some(filled) };
            let (name, after) = rest.split_once('}')?;
            filled = format!("{before}{}{after}", self.0.get(name)?);
            if filled.len() > LONGEST {
                return None;
            }
        }
        None
    }
}

/// An element that names an artifact.
#[derive(Default)]
struct Named {
    kind: String,
    /// How many elements it is in.
    depth: usize,
    group: Option<String>,
    artifact: Option<String>,
    /// With its line.
    version: Option<(String, u32)>,
}

/// The elements that name an artifact, and whether all elements end.
fn read(text: &str, values: &mut Values) -> (Vec<Named>, bool) {
    let (mut found, mut open) = (Vec::new(), Vec::<Named>::new());
    let mut stack: Vec<&str> = Vec::new();
    let (mut rest, mut line) = (text, 1_u32);
    let (mut whole, mut any) = (true, false);
    while let Some((before, behind)) = rest.split_once('<') {
        line = line.saturating_add(lines(before));
        // The text of `groupId` and its kin is what stands between two tags.
        let end = if behind.starts_with("!--") {
            "-->"
        } else if behind.starts_with("![CDATA[") {
            "]]>"
        } else {
            ">"
        };
        let Some((tag, after)) = behind.split_once(end) else {
            return (found, false);
        };
        rest = after;
        if tag.starts_with(['!', '?']) {
            line = line.saturating_add(lines(tag));
            continue;
        }
        if let Some(name) = tag.strip_prefix('/').map(str::trim) {
            if stack.pop() != Some(name) {
                return (found, false);
            }
            let value = before.trim();
            match (stack.as_slice(), name) {
                (["project", "properties"], name) => values.add(name, value),
                (["project"], "version" | "groupId" | "artifactId") => {
                    ["project.", "pom.", ""].iter().for_each(|start| values.add(&format!("{start}{name}"), value));
                }
                (["project", "parent"], "version" | "groupId") => {
                    values.add(&format!("project.parent.{name}"), value);
                    // A project without its own has its parent's, which stands before it.
                    values.add(&format!("project.{name}"), value);
                }
                _ => {}
            }
            if let Some(last) = open.last_mut().filter(|last| last.depth + 1 == stack.len()) {
                match name {
                    "groupId" => last.group = Some(value.to_owned()),
                    "artifactId" => last.artifact = Some(value.to_owned()),
                    "version" => last.version = Some((value.to_owned(), line)),
                    _ => {}
                }
            }
            if open.last().is_some_and(|last| last.depth == stack.len()) {
                whole &= found.len() < ENTRIES;
                found.extend(open.pop().filter(|_| whole));
            }
        } else {
            let name = tag.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
            if !tag.ends_with('/') {
                if NAMES.contains(&name) {
                    open.push(Named { kind: name.to_owned(), depth: stack.len(), ..Named::default() });
                }
                stack.push(name);
                any = true;
                if stack.len() > DEPTH {
                    return (found, false);
                }
            }
        }
        line = line.saturating_add(lines(tag));
    }
    (found, whole && any && stack.is_empty())
}

fn lines(text: &str) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', text.as_bytes()).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    fn of(inner: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<project xmlns=\"x\">\n<dependencies>\n{inner}\n</dependencies>\n</project>\n"
        )
    }

    fn read(text: &str) -> (Vec<String>, Option<String>) {
        said(&Pom, "p/pom.xml", text.as_bytes(), &[])
    }

    const ONE: &str = "<dependency>\n<groupId>org.acme</groupId>\n<artifactId> a </artifactId>\n<version>1.2.3</version>\n</dependency>";

    #[test]
    fn artifacts_with_a_version_are_read() {
        assert_eq!(read(&of(ONE)), (vec!["package org.acme:a 1.2.3 Listed@7".into()], None));
        let more = "<plugin><artifactId>maven-x-plugin</artifactId><version>[2.0]</version><dependencies><dependency><groupId>g</groupId>\
                    <artifactId>b</artifactId><version>1</version></dependency></dependencies></plugin><x a='1'/>";
        let is = ["package g:b 1 Listed@4", "package org.apache.maven.plugins:maven-x-plugin 2.0 Listed@4"];
        assert_eq!(read(&of(more)), (is.map(str::to_owned).to_vec(), None));
    }

    #[test]
    fn properties_of_the_project_are_filled_in() {
        let project = |properties: &str, version: &str| {
            let one = ONE.replace("1.2.3", version);
            format!(
                "<project>\n<parent><groupId>org.parent</groupId><version>7</version></parent><properties>{properties}</properties>\
                 <dependencies>{one}</dependencies></project>"
            )
        };
        for (properties, version, is) in [
            ("<v>1.2.3</v>", "${v}", "1.2.3"),
            ("<a.v>1.${b}</a.v><b>9</b>", "${a.v}", "1.9"),
            ("<v>1</v>", "${project.parent.version}", "7"),
            ("<v>1</v>", "${project.version}", "7"),
        ] {
            let found = read(&project(properties, version)).0;
            assert_eq!(found, [format!("package org.acme:a {is} Listed@5")], "{version}");
        }
        for (properties, version) in
            [("<v>${v}</v>", "${v}"), ("<a>${b}${b}</a><b>${a}${a}</b>", "${a}"), ("<w>1</w>", "${v}"), ("", "${v")]
        {
            assert_eq!(read(&project(properties, version)), (vec![], None), "{version}");
        }
    }

    #[test]
    fn exclusions_comments_ranges_and_properties_name_nothing() {
        let exclusion = "<dependency><groupId>g</groupId><artifactId>b</artifactId><exclusions><exclusion><groupId>org.acme</groupId>\
                         <artifactId>a</artifactId><version>1</version></exclusion></exclusions></dependency>";
        for inner in [
            format!("<!-- {ONE} -->"),
            format!("<![CDATA[ {ONE} ]]>"),
            ONE.replace("1.2.3", "${v}"),
            ONE.replace("1.2.3", "[1.2,1.3)"),
            ONE.replace("<version>1.2.3</version>", ""),
            ONE.replace("dependency", "exclusion"),
            exclusion.into(),
        ] {
            assert_eq!(read(&of(&inner)), (vec![], None), "{inner}");
        }
        assert_eq!(
            read("<project><groupId>org.acme</groupId><artifactId>a</artifactId><version>1</version></project>"),
            (vec![], None)
        );
    }

    #[test]
    fn hostile_files_are_gaps() {
        for text in ["", "<", "<project>", "</project>", "<a></b>", "\u{0}", "<!--", &"<a>".repeat(10_000), "text"] {
            let found = read(text);
            assert!(found.0.is_empty() && found.1.is_some(), "{text}");
        }
        let (said, flaw) = read(&of(&format!("{ONE}\n<<<<<<< HEAD\n")));
        assert_eq!((said.len(), flaw.is_some()), (1, true));
        for bad in ["a\u{1b}", "a b", "../x", ""] {
            assert_eq!(read(&of(&ONE.replace("org.acme", bad))).0, [""; 0], "{bad}");
        }
        assert_eq!(read(&of(&ONE.repeat(15_000))).0.len(), 15_000);
        assert!(read(&of(&"<".repeat(1 << 20))).1.is_some());
    }
}
