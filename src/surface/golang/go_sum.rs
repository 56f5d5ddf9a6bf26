//! The sums of the modules that a project in Go was ever built with.
//!
//! ```text
//! project/go.sum, go.work.sum
//! │   example.com/a v1.2.3 h1:…=            the module's archive
//! │   example.com/a v1.2.4/go.mod h1:…=     its go.mod alone, to choose versions: says nothing of its code
//! ```
//!
//! A hit proves that somebody who works on the project once fetched the version; not that it was fetched here, nor that it is still the one taken:
//! lines of earlier versions stay until `go mod tidy`. Documented in "Go Modules Reference".

use super::package;
use crate::{
    ecosystem::golang::{is_name, is_release, unpacked},
    fact::{Fact, Placement},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
};

const FILE: usize = 64 << 20;
const LINES: usize = 500_000;

/// `go.sum`, `go.work.sum`.
pub struct GoSum;

static META: Meta = Meta {
    id: "golang/go-sum",
    title: "sums of the modules that a project in Go used",
    proves: "somebody who works on the project fetched the version once; not that it was fetched here",
};

/// Whether a surface is the one that reads sums of modules.
pub fn reads(surface: &str) -> bool {
    surface == META.id
}

impl Surface for GoSum {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("go.sum"), Claim::name("go.work.sum")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        let first = text.lines().next().unwrap_or_default();
        row(first).is_some().then_some("go.sum")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        if unpacked(&file.entry.path).is_some() {
            return Ok(());
        }
        let at = file.mtime("mtime of the file");
        let text = text(file.all(FILE)?);
        let mut whole = text.lines().nth(LINES).is_none();
        for (number, line) in (1_u32..).zip(text.lines()).take(LINES) {
            match row(line) {
                Some((_, version)) if version.ends_with("/go.mod") => {}
                Some((name, version)) => {
                    let fact = Fact::Package(package(name, version, Placement::Listed));
                    out.push_at(None, Some(number), at.clone(), fact);
                }
                None => whole &= line.trim().is_empty(),
            }
        }
        if whole { Ok(()) } else { Err(Flaw::malformed("go.sum", "lines of another form than Go writes")) }
    }
}

/// Module and version of a line.
fn row(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    let (name, version, sum) = (words.next()?, words.next()?, words.next()?);
    let release = version.strip_suffix("/go.mod").unwrap_or(version);
    (words.next().is_none() && sum.starts_with("h1:") && is_name(name) && is_release(release))
        .then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::{super::trial::said, *};

    fn read(text: &str) -> (Vec<String>, Option<String>) {
        said(&GoSum, "p/go.sum", text.as_bytes(), &[])
    }

    #[test]
    fn sums_of_archives_count() {
        let text = "example.com/a v1.2.3 h1:Ab+/=\nexample.com/a v1.2.3/go.mod h1:Ab=\nexample.com/a v1.2.4/go.mod h1:Ab=\n\n\
                    example.com/b v2.0.0+incompatible h1:Ab=\n";
        let is = ["package example.com/a v1.2.3 Listed@1", "package example.com/b v2.0.0+incompatible Listed@5"];
        assert_eq!(read(text), (is.map(str::to_owned).to_vec(), None));
        assert_eq!(said(&GoSum, "h/go/pkg/mod/x.example/y@v1.0.0/go.sum", text.as_bytes(), &[]), (vec![], None));
    }

    #[test]
    fn hostile_files_are_gaps() {
        for text in
            ["x", "a v1.0.0", "a\u{1b} v1.0.0 h1:x", "a latest h1:x", "\u{0}", "<<<<<<< HEAD", "a v1.0.0 sha256:00"]
        {
            let (said, flaw) = read(&format!("a v1.0.0 h1:x\n{text}\n"));
            assert_eq!((said.len(), flaw.is_some()), (1, true), "{text}");
        }
        assert_eq!(read(""), (vec![], None));
        assert_eq!(read(&"a v1.0.0 h1:x\n".repeat(50_000)).0.len(), 50_000);
    }
}
