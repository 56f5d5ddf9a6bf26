//! Build files of container images: what their `RUN` lines install.
//!
//! ```text
//! Dockerfile, Dockerfile.dev, app.Dockerfile, Containerfile
//!
//! RUN pip install --no-cache-dir \
//!     # a comment within
//!     "litellm==1.82.8"
//! RUN ["pip", "install", "litellm==1.82.8"]
//! RUN <<EOF                                    a here-document: the script itself
//! RUN pip install -r deps/base.txt             that file is read too, after the walk
//! ```
//!
//! Only an exact version counts; one in a variable does where an `ARG` or `ENV` of the file gives its value. A hit proves that the file
//! names the version: what was built from it is judged where the image is. Documented in the Dockerfile reference.

use super::{
    include::{Includes, named_by_command},
    listing::{Listing, text},
    pin::Pin,
};
use crate::{
    fact::{CommandAction, Ecosystem, TreePath},
    interest::Interest,
    shell::{Build, open_documents},
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::is_build_file},
};

/// Far above any file of its kind.
const FILE: usize = 4 << 20;
/// One instruction with its continuations.
const STEP: usize = 64 << 10;

/// Files that one build file copies and that are remembered.
const COPIED: usize = 100;
/// Requirement files of one build file that are followed.
const NAMED: usize = 200;

/// `Dockerfile` and its kin.
pub struct Dockerfile;

static META: Meta = Meta {
    id: "python/dockerfile",
    title: "build files of images that install Python packages",
    proves: "the file names the version; not that an image was built from it",
};

impl Surface for Dockerfile {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        Claim::build_files()
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        is_build_file(head).then_some("Dockerfile")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the build file");
        let text = text(file.all(FILE)?);
        let mut files = Files::new(out);
        let mut listing = Listing::new(out, at);
        let mut build = Build::default();
        let mut lines = (1..).zip(text.lines());
        while let Some((number, line)) = lines.next() {
            let (instruction, start) = match (run(line), sets(line)) {
                (Some(start), _) => ("RUN ", start),
                (None, Some(start)) => ("", start),
                (None, None) => {
                    files.copied(line);
                    continue;
                }
            };
            let mut next = || lines.next().map(|(_, line)| line);
            let step = step(start, &mut next);
            if step.len() > STEP {
                listing.gap(&Flaw::malformed("build file", "an instruction is too long"));
                continue;
            }
            files.installed(&step);
            let commands = build.step(&format!("{instruction}{step}"));
            let installing = commands.iter().filter(|c| c.action != CommandAction::Uninstall);
            let wanted = installing.flat_map(|c| &c.wanted).filter(|w| w.ecosystem == Ecosystem::Pypi);
            for pin in wanted.filter_map(|w| Pin::new(&w.name, w.pinned.as_deref()?)) {
                listing.push(pin, Some(number));
            }
        }
        files.end(out);
        Ok(())
    }
}

/// An instruction that sets variables for those behind it.
fn sets(line: &str) -> Option<&str> {
    let (word, _) = line.trim_start().split_once(char::is_whitespace)?;
    (word.eq_ignore_ascii_case("arg") || word.eq_ignore_ascii_case("env")).then_some(line)
}

/// The requirement files that steps name. In the image they stand elsewhere, so each is looked for where `COPY` took it from, in the
/// folder of the build file, and in the one above it, which often is the context of the build.
struct Files {
    includes: Includes,
    /// Source and destination of what was copied, as written.
    copied: Vec<(String, String)>,
    above: TreePath,
    /// How many more names are followed.
    left: usize,
}

impl Files {
    fn new(out: &Sink<'_>) -> Self {
        let above = out.origin().path.parent().parent();
        Self { includes: Includes::new(out), copied: Vec::new(), above, left: NAMED }
    }

    /// `COPY a b/ c/`, also in JSON, also behind `ONBUILD`.
    fn copied(&mut self, line: &str) {
        let mut words =
            line.split_whitespace().map(|w| w.trim_matches(['"', '\'', '[', ']', ','])).filter(|w| !w.is_empty());
        let mut word = words.next().unwrap_or_default();
        if word.eq_ignore_ascii_case("onbuild") {
            word = words.next().unwrap_or_default();
        }
        if !(word.eq_ignore_ascii_case("copy") || word.eq_ignore_ascii_case("add")) {
            return;
        }
        let mut paths: Vec<&str> = words.filter(|w| !w.starts_with("--")).collect();
        let Some(to) = paths.pop() else {
            return;
        };
        let more = paths.into_iter().map(|from| (from.to_owned(), to.to_owned()));
        self.copied.extend(more.take(COPIED.saturating_sub(self.copied.len())));
    }

    fn installed(&mut self, step: &str) {
        for named in named_by_command(step) {
            self.left = self.left.saturating_sub(1);
            if self.left == 0 {
                return;
            }
            let base = last(&named);
            for (from, to) in &self.copied {
                if last(to) == base || last(from) == base {
                    self.includes.add(from);
                    self.includes.add_from(&self.above, from);
                } else if !last(from).contains('.') {
                    // A folder that was copied as a whole.
                    self.includes.add(&format!("{from}/{base}"));
                }
            }
            let relative = named.trim_start_matches('/');
            self.includes.add(relative);
            self.includes.add_from(&self.above, relative);
            self.includes.add(base);
        }
    }

    fn end(self, out: &mut Sink<'_>) {
        self.includes.end(out);
    }
}

fn last(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

/// What stands behind `RUN`, also behind `ONBUILD`.
fn run(line: &str) -> Option<&str> {
    let (word, rest) = line.trim_start().split_once(char::is_whitespace)?;
    if word.eq_ignore_ascii_case("onbuild") { run(rest) } else { word.eq_ignore_ascii_case("run").then_some(rest) }
}

/// The whole instruction: joined lines, without comments between them, and the bodies of its here-documents.
fn step<'t>(start: &'t str, next: &mut dyn FnMut() -> Option<&'t str>) -> String {
    let mut step = String::new();
    let mut line = start;
    while let Some(part) = line.trim_end().strip_suffix('\\') {
        step.push_str(part);
        step.push(' ');
        let is_part = |l: &&str| !l.trim_start().starts_with('#') && !l.trim().is_empty();
        line = std::iter::from_fn(&mut *next).find(is_part).unwrap_or_default();
    }
    step.push_str(line);
    let whole = step.trim_start().starts_with("<<");
    let marks = if step.contains("<<") { open_documents(&step) } else { Vec::new() };
    if whole {
        step.clear();
    }
    for (mark, tabs) in marks {
        for line in std::iter::from_fn(&mut *next) {
            let end = if tabs { line.trim_start_matches('\t') } else { line } == mark;
            if !(end && whole) {
                step.push('\n');
                step.push_str(line);
            }
            if end {
                break;
            }
        }
    }
    step
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{claims, read},
        *,
    };

    fn pins(text: &str) -> Vec<String> {
        let read = read(&Dockerfile, "p/Dockerfile", text.as_bytes());
        assert!(read.gaps.is_empty());
        read.pins
    }

    #[test]
    fn steps_that_install() {
        for step in [
            "RUN pip install litellm==1.82.8",
            "run --mount=type=cache,target=/c pip install 'litellm[proxy]==1.82.8'",
            "RUN apt-get update && \\\n    # why\n\n    pip install \\\n litellm==1.82.8",
            "RUN [\"pip\", \"install\", \"litellm==1.82.8\"]",
            "RUN <<EOF\nset -e\npip install litellm==1.82.8\nEOF",
            "RUN <<-'EOF' bash\n\tpip install litellm==1.82.8\n\tEOF",
            "RUN bash <<EOF\npip install litellm==1.82.8\nEOF",
            "ONBUILD RUN uv pip install --system litellm==1.82.8",
            "RUN V=1.82.8; pip install litellm==$V",
            "RUN cat <<A > x && pip install litellm==1.82.8\npip install x==1\nA",
        ] {
            assert_eq!(pins(&format!("FROM x\r\n{step}\nCMD [\"x\"]\n")), ["litellm 1.82.8@2"], "{step}");
        }
    }

    #[test]
    fn steps_that_name_it_only() {
        for step in [
            "# RUN pip install litellm==1.82.8",
            "RUN pip install litellm",
            "RUN pip install 'litellm!=1.82.8'",
            "RUN pip uninstall litellm==1.82.8",
            "RUN echo pip install litellm==1.82.8",
            "RUN cat <<EOF > x\npip install litellm==1.82.8\nEOF",
            "COPY x y\npip install litellm==1.82.8",
            "LABEL a=\"RUN pip install litellm==1.82.8\"",
            "RUN pip install litellm==$V",
            "RUN",
            "RUN \\",
            "RUN <<",
            "RUN <<EOF",
        ] {
            assert!(pins(step).is_empty(), "{step}");
        }
        let long = format!("RUN {}pip install litellm==1.82.8\nRUN pip install a==1\n", "x \\\n".repeat(30_000));
        let got = read(&Dockerfile, "p/Dockerfile", long.as_bytes());
        assert_eq!((got.pins, got.gaps.len()), (vec!["a 1@30002".to_owned()], 1));
    }

    #[test]
    fn requirement_files_that_steps_name() {
        let includes = |text: &str| read(&Dockerfile, "p/docker/Dockerfile", text.as_bytes()).includes;
        let has = |text: &str, file: &str| includes(text).contains(&format!("python/requirements /p/{file}"));
        assert!(has("RUN pip install -r deps/base.txt", "docker/deps/base.txt"));
        assert!(has("RUN pip install -r deps/base.txt", "deps/base.txt"));
        assert!(has("COPY deps/base.txt /tmp/all.txt\nRUN pip install -r /tmp/all.txt", "docker/deps/base.txt"));
        assert!(has(
            "COPY [\"deps/base.txt\", \"/tmp/\"]\nRUN [\"pip\", \"install\", \"-r\", \"/tmp/base.txt\"]",
            "deps/base.txt"
        ));
        assert!(has("COPY deps /deps\nRUN uv pip install --requirement=/deps/base.txt", "docker/deps/base.txt"));
        for text in ["RUN pip install x", "# RUN pip install -r a.txt", "RUN grep -r a.txt .", "COPY a.txt b.txt"] {
            assert!(includes(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn names_that_are_claimed() {
        for path in ["Dockerfile", "Dockerfile.dev", "a/api.Dockerfile", "Containerfile", "x.dockerfile"] {
            assert!(claims(&Dockerfile, path), "{path}");
        }
        assert!(!claims(&Dockerfile, "MyDockerfile") && !claims(&Dockerfile, "Dockerfiles"));
    }
}
