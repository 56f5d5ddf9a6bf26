//! Actions that a runner fetched for its jobs.
//!
//! ```text
//! _work/_actions/OWNER/NAME/REF/…            a self-hosted runner of GitHub; REF.completed beside it
//! └── action.yml                             read for its place alone
//! ~/.cache/act/OWNER-NAME@REF/action.yml     act, which runs workflows on this machine
//! ```
//!
//! The runner deletes the whole folder at the start of each job and fetches what the job uses: it shows the last job only, and that this
//! job ran it, and that this is a runner, but for act. Documented in the source of the runner and of act.

use crate::{
    fact::{Fact, Platform, TreePath, Usage, Use, UseKind},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface},
};

/// `_work/_actions`.
pub struct Runner;

static META: Meta = Meta {
    id: "workflow/runner",
    title: "actions that runners fetched",
    proves: "the runner fetched the action for its last job, which runs it right after that",
};

impl Surface for Runner {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Actions, Shows::Network, Shows::Strings]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let files = ["action.yml", "action.yaml"].map(|name| Claim::name(name).within("_actions"));
        files.into_iter().chain(["action.yml", "action.yaml"].map(|name| Claim::name(name).within("act"))).collect()
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        // The folder is made anew for each job; files keep the times of their archive.
        let at = file
            .entry
            .btime
            .map(|t| crate::fact::At::new(t, "birth time"))
            .or_else(|| file.mtime("mtime of the action"));
        if file.entry.path.components().any(|part| part == b"_actions") && !by_place(&file.entry.path).is_empty() {
            out.push(at.clone(), Fact::Platform(Platform::CiRunner));
        }
        for (name, reference) in by_place(&file.entry.path) {
            let (name, reference) = (name.into(), reference.into());
            let fact = Use { kind: UseKind::Action, name, reference, digest: None, usage: Usage::Fetched };
            out.push(at.clone(), Fact::Use(fact));
        }
        Ok(())
    }
}

/// The action and its reference: more than one pair where the place leaves open which part is what.
fn by_place(path: &TreePath) -> Vec<(String, String)> {
    let Some(parts) = path.components().map(|c| std::str::from_utf8(c).ok()).collect::<Option<Vec<&str>>>() else {
        return Vec::new();
    };
    let good = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-+".contains(c));
    let mut pairs = Vec::new();
    if let Some(at) = parts.iter().position(|part| *part == "_actions") {
        if let Some([owner, name, rest @ .., _]) = parts.get(at + 1..) {
            // A reference with a slash, or an action in a folder of its repository.
            let references = (1..=rest.len().min(2)).filter_map(|n| Some(rest.get(..n)?.join("/")));
            pairs.extend(references.map(|reference| (format!("{owner}/{name}"), reference)));
        }
    } else if let [.., ".cache", "act", folder, _] = parts.as_slice()
        && let Some((name, reference)) = folder.split_once('@')
    {
        // Owner and name are joined by a sign that both may hold.
        let splits = name.match_indices('-').filter_map(|(at, _)| Some((name.get(..at)?, name.get(at + 1..)?)));
        pairs.extend(splits.map(|(owner, name)| (format!("{owner}/{name}"), reference.to_owned())));
    }
    pairs.retain(|(name, reference)| name.split('/').all(good) && reference.split('/').all(good));
    pairs.truncate(10);
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_says_the_action() {
        let says = |path: &str| -> String {
            let pairs = by_place(&TreePath::new(path.as_bytes()).unwrap());
            pairs.iter().map(|(name, reference)| format!("{name}@{reference}")).collect::<Vec<_>>().join(" ")
        };
        for (path, is) in [
            ("r/_work/_actions/o/n/v1/action.yml", "o/n@v1"),
            ("r/_work/_actions/o/n/release/v1/action.yml", "o/n@release o/n@release/v1"),
            ("r/_work/_actions/o/n/v3/init/x/action.yml", "o/n@v3 o/n@v3/init"),
            ("h/.cache/act/o-n-x@v4/action.yml", "o/n-x@v4 o-n/x@v4"),
            ("r/_work/p/p/action.yml", ""),
            ("r/_actions/action.yml", ""),
            ("r/_actions/o/n/action.yml", ""),
            ("h/.cache/act/x/action.yml", ""),
            ("r/_actions/o/n/v 1/action.yml", ""),
        ] {
            assert_eq!(says(path), is, "{path}");
        }
    }
}
