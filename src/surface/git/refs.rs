//! Branches and commits that a repository names.
//!
//! ```text
//! .git/packed-refs                       <id> refs/remotes/origin/NAME
//! .git/refs/heads/NAME                   <id>; refs/remotes/origin/NAME, refs/tags/NAME likewise
//! .git/HEAD, FETCH_HEAD, ORIG_HEAD       ref: refs/heads/NAME, or <id>; <id> … branch 'NAME' of …
//! NAME.git/…, .git/modules/NAME/…, .git/worktrees/NAME/…
//! ```
//!
//! A branch is reported whatever asks for it, a commit where an indicator knows it. A branch that a worm made in a repository of a forge
//! comes with the next fetch, also to whoever has nothing to do with it: a hit proves that the repository has it, not that anything ran
//! here. Documented in gitrepository-layout(5).

use super::config::is_in;
use crate::{
    fact::{At, Held, TraceKind},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface, content::text, fetched},
};

/// `packed-refs` of the largest repositories.
const FILE: usize = 64 << 20;

/// `.git/packed-refs`, `.git/refs/**`, `.git/HEAD`.
pub struct Refs;

static META: Meta = Meta {
    id: "git/refs",
    title: "branches and commits that repositories name",
    proves: "a repository here has that branch or commit; it comes with a clone, and shows no run",
};

impl Surface for Refs {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Git]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let heads = ["HEAD", "FETCH_HEAD", "ORIG_HEAD", "packed-refs"];
        let bare = heads.map(|name| Claim::name(name).in_suffix(".git"));
        let inner = heads.map(|name| Claim::name(name).within(".git"));
        bare.into_iter().chain(inner).chain([Claim::any().without_links().nested(".git", "refs")]).collect()
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = file.entry.path.clone();
        let in_refs = is_in(&path, b"refs");
        if is_in(&path, b"logs")
            || is_in(&path, b"objects")
            || !(in_refs || path.components().any(|c| c.ends_with(b".git")))
        {
            return Ok(());
        }
        let at = file.mtime("mtime of the reference");
        let interest = file.interest;
        if in_refs {
            let text = String::from_utf8_lossy(path.as_bytes()).into_owned();
            let name = text.rsplit_once(".git/").map_or("", |(_, below)| below);
            let name = name.find("refs/").and_then(|at| name.get(at..)).unwrap_or_default().to_owned();
            push(out, None, &at, &name);
        }
        let text = text(file.all(FILE)?);
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(name) = line.strip_prefix("ref: ") {
                push(out, Some(number), &at, name.trim());
                continue;
            }
            let line = line.strip_prefix('^').unwrap_or(line);
            let (id, rest) = line.split_once([' ', '\t']).unwrap_or((line.trim(), ""));
            if !is_id(id) {
                continue;
            }
            if interest.traces.commit(&id.to_ascii_lowercase()).is_some() {
                out.push_at(None, Some(number), at.clone(), fetched::fact(TraceKind::Commit, id, Held::Named));
            }
            if rest.starts_with("refs/") {
                push(out, Some(number), &at, rest.trim());
            } else if let Some((_, name)) = rest.split_once("branch '") {
                let name = name.split('\'').next().unwrap_or_default();
                push(out, Some(number), &at, &format!("refs/heads/{name}"));
            }
        }
        Ok(())
    }
}

/// A whole commit id.
pub(super) fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Pushes the branch that a reference names.
fn push(out: &mut Sink<'_>, line: Option<u32>, at: &Option<At>, name: &str) {
    let branch = name.strip_prefix("refs/heads/").or_else(|| {
        let (_, branch) = name.strip_prefix("refs/remotes/")?.split_once('/')?;
        Some(branch)
    });
    if let Some(branch) = branch.filter(|b| *b != "HEAD" && is_branch(b)) {
        out.push_at(None, line, at.clone(), fetched::fact(TraceKind::Branch, branch, Held::Named));
    }
}

/// git refuses control characters and some signs; what is shown has none of them.
fn is_branch(name: &str) -> bool {
    let bad = |c: char| {
        c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c) || !c.is_ascii() && !c.is_alphanumeric()
    };
    (1..=250).contains(&name.len()) && !name.chars().any(bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::python::trial::tried;

    const ID: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";

    fn said(path: &str, text: &str) -> Vec<String> {
        let interest = Interest::with_traces(&[(TraceKind::Commit, ID)]);
        let tried = tried(&Refs, path, text.as_bytes(), &interest);
        assert!(tried.flaw.is_none());
        tried.traces()
    }

    #[test]
    fn branches_and_known_commits() {
        let other = "f".repeat(40);
        let packed = format!(
            "# pack-refs with: peeled\n{other} refs/heads/main\n{ID} refs/remotes/origin/a/b\n{other} refs/tags/v1\n^{ID}\n"
        );
        let wanted =
            ["branch main 2".to_owned(), format!("commit {ID} 3"), "branch a/b 3".to_owned(), format!("commit {ID} 5")];
        assert_eq!(said("p/.git/packed-refs", &packed), wanted);
        assert_eq!(said("p/.git/HEAD", "ref: refs/heads/x/y\n"), ["branch x/y 1"]);
        assert_eq!(said("p.git/HEAD", ID), [format!("commit {ID} 1")]);
        assert_eq!(said("p/.git/refs/heads/x/y", &other), ["branch x/y 0"]);
        assert_eq!(said("p/.git/modules/m/refs/remotes/o/x", &other), ["branch x 0"]);
        let fetched = format!("{other}\tnot-for-merge\tbranch 'x' of https://a.example/o/n\n");
        assert_eq!(said("p/.git/FETCH_HEAD", &fetched), ["branch x 1"]);
    }

    #[test]
    fn look_alikes_and_broken_files() {
        for (path, text) in [
            ("p/refs/heads/x", ID),
            ("p/.git/refs/remotes/origin/HEAD", "x"),
            ("p/.git/packed-refs", "\0\0refs/heads/x"),
            ("p/.git/packed-refs", "0a1b refs/heads/x"),
            ("p/.git/HEAD", "ref: refs/heads/a b"),
            ("p/.git/HEAD", "ref: refs/heads/\u{1b}[31mx"),
            ("p/.git/HEAD", ""),
        ] {
            assert_eq!(said(path, text), [""; 0], "{path} {text}");
        }
    }
}
