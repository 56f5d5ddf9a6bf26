//! Hooks of pre-commit and lefthook.
//!
//! ```text
//! .pre-commit-config.yaml         repos: [{repo: https://github.com/o/n, rev: v1 | COMMIT,
//!                                   hooks: [{id: x, language: python, additional_dependencies: ["a==1"], entry: …}]}]
//! lefthook.yml  .lefthook.yml     pre-commit: {commands: {lint: {run: npx eslint}}}
//! ```
//!
//! The hooks of a repository come from there when they are set up, and run before each commit. What a hook needs beside it is installed by
//! the manager of its language, which the entry says, or else the form of the text. A hit proves that the file names it; not that it was set
//! up. Documented in "pre-commit" (pre-commit.com) and in lefthook's "Configuration".

use crate::{
    fact::{Held, TraceKind},
    interest::Interest,
    shell,
    surface::{
        Claim, CommandSource, Flaw, Meta, Opened, Shows, Sink, Surface,
        content::text,
        fetched,
        git::config::repository,
        hook::{Hooks, When, shown},
        yaml::{self, Scalar},
    },
};

const FILE: usize = 4 << 20;
const WHAT: &str = "hook of pre-commit";

/// `.pre-commit-config.yaml`, `lefthook.yml`.
pub struct PreCommit;

static META: Meta = Meta {
    id: "project/pre-commit",
    title: "hooks of pre-commit and lefthook",
    proves: "the file names it; not that it was set up or ran",
};

impl Surface for PreCommit {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Git, Shows::Images, Shows::Network, Shows::Strings, Shows::Processes]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        [
            ".pre-commit-config.yaml",
            ".pre-commit-config.yml",
            "lefthook.yml",
            "lefthook.yaml",
            ".lefthook.yml",
            ".lefthook.yaml",
        ]
        .map(|name| Claim::name(name).in_own_work())
        .into()
    }

    fn commands(&self) -> CommandSource {
        CommandSource::Configured
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let (path, interest) = (file.entry.path.clone(), file.interest);
        let text = text(file.all(FILE)?).into_owned();
        let mut hooks = Hooks::new(file, interest, out)?;
        let end = if path.name().starts_with(b".pre-commit") {
            let mut hook = Hook::default();
            let end = yaml::scalars(&text, &mut |scalar: &Scalar<'_>| hook.scalar(scalar, interest, &mut hooks));
            hook.finish(&mut hooks);
            end
        } else {
            yaml::scalars(&text, &mut |scalar: &Scalar<'_>| {
                if let [.., name, key] = scalar.keys
                    && key == "run"
                {
                    let what = format!("command {} of lefthook", shown(name, 0));
                    hooks.command(scalar.text, &what, Some(scalar.line), When::InProject, None);
                }
            })
        };
        end.and(hooks.finish())
    }
}

/// The hook that is being read: its language may stand behind what it needs.
#[derive(Default)]
struct Hook {
    language: String,
    local: bool,
    needs: Vec<(String, u32)>,
    entry: Option<(String, u32)>,
}

/// Dependencies of one hook.
const NEEDS: usize = 200;

impl Hook {
    fn scalar(&mut self, scalar: &Scalar<'_>, interest: &Interest, hooks: &mut Hooks<'_, '_, '_>) {
        let keys: Vec<&str> = scalar.keys.iter().map(String::as_str).collect();
        let (line, value) = (Some(scalar.line), scalar.text);
        match keys.as_slice() {
            ["repos", "", "repo"] => {
                self.finish(hooks);
                self.local = matches!(value, "local" | "meta");
                if let Some(name) = repository(value) {
                    hooks.fact(WHAT, line, fetched::fact(TraceKind::Repository, &name, Held::Named));
                }
                hooks.address(value, WHAT, line, When::InProject);
            }
            ["repos", "", "rev"] => {
                if let Some(commit) = interest.traces.commit(value) {
                    hooks.fact(WHAT, line, fetched::fact(TraceKind::Commit, commit, Held::Named));
                }
            }
            ["repos", "", "hooks", "", "id"] => self.finish(hooks),
            ["repos", "", "hooks", "", "language"] => value.clone_into(&mut self.language),
            ["repos", "", "hooks", "", "entry"] => self.entry = Some((value.to_owned(), scalar.line)),
            ["repos", "", "hooks", "", "additional_dependencies", ""] if self.needs.len() < NEEDS => {
                self.needs.push((value.to_owned(), scalar.line));
            }
            _ => {}
        }
    }

    /// Reports what the hook needs and starts.
    fn finish(&mut self, hooks: &mut Hooks<'_, '_, '_>) {
        for (need, line) in std::mem::take(&mut self.needs) {
            let install = shell::quoted(&[&self.installs(&need)[..], &[&need]].concat());
            hooks.command(&install, WHAT, Some(line), When::InProject, None);
        }
        if let Some((entry, line)) = self.entry.take() {
            hooks.command(&entry, WHAT, Some(line), When::InProject, None);
        }
        self.language.clear();
    }

    fn installs(&self, need: &str) -> Vec<&'static str> {
        match self.language.as_str() {
            "node" => vec!["npm", "install"],
            "golang" => vec!["go", "install"],
            "ruby" => vec!["gem", "install"],
            "rust" => vec!["cargo", "install"],
            "python" => vec!["pip", "install"],
            // `@scope/name`, `name@1.2.3`; a direct reference of pip has spaces.
            _ if need.starts_with('@') || need.contains('@') && !need.contains([' ', '=', '<', '>', '~']) => {
                vec!["npm", "install"]
            }
            _ => vec!["pip", "install"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fact::Fact, surface::python::trial::tried};

    fn said(name: &str, text: &str) -> (Vec<String>, bool) {
        let interest =
            Interest::with_traces(&[(TraceKind::Host, "evil.example"), (TraceKind::Commit, &"a".repeat(40))]);
        let tried = tried(&PreCommit, &format!("p/{name}"), text.as_bytes(), &interest);
        let words = |s: &crate::fact::Seen| {
            let line = s.origin.line.unwrap_or(0);
            match &s.fact {
                Fact::Trace(t) => format!("{} {} {:?}:{line}", t.kind.as_str(), t.value, t.held),
                Fact::Command(c) => format!("{} {}:{line}", c.tool, c.wanted[0].name),
                other => format!("{other:?}"),
            }
        };
        (tried.seen.iter().map(words).collect(), tried.flaw.is_some())
    }

    #[test]
    fn repositories_commits_and_needs() {
        let text = format!(
            "repos:\n- repo: https://github.com/o/n\n  rev: {}\n  hooks:\n  - id: a\n    additional_dependencies: ['x==1', '@s/y@2.0.0']\n\
             \x20 - id: b\n    additional_dependencies:\n    - z@1.0.0\n    language: node\n- repo: local\n  hooks:\n  - id: c\n    \
             language: system\n    entry: curl https://evil.example/x\n",
            "a".repeat(40)
        );
        let expected = [
            "repository o/n Named:2".to_owned(),
            format!("commit {} Named:3", "a".repeat(40)),
            "pip x:6".to_owned(),
            "npm @s/y:6".to_owned(),
            "npm z:9".to_owned(),
            "host evil.example InProject:15".to_owned(),
        ];
        assert_eq!(said(".pre-commit-config.yaml", &text), (expected.to_vec(), false));
        let run = "pre-commit:\n  commands:\n    lint:\n      run: npx -y x@1.0.0\n      glob: '*.js'\n";
        assert_eq!(said("lefthook.yml", run), (vec!["npx x:4".to_owned()], false));
    }

    #[test]
    fn what_names_nothing_and_what_is_damaged() {
        for text in [
            "",
            "repos: []\n",
            "# - repo: https://github.com/o/n\n",
            "repos:\n- repo: https://gitlab.example/o/n\n  rev: v1\n  hooks:\n  - id: a\n    args: ['x==1', npx x@1.0.0]\n",
            "default_language_version:\n  python: x==1\n",
        ] {
            assert_eq!(said(".pre-commit-config.yaml", text), (vec![], false), "{text}");
        }
        assert!(said(".pre-commit-config.yaml", "repos: [").1);
        assert_eq!(said("lefthook.yml", "pre-commit:\n  parallel: true\n").0, [""; 0]);
        let many = format!("repos:\n- repo: local\n  hooks:\n{}", "  - id: a\n    entry: npx x@1.0.0\n".repeat(3000));
        let (found, flaw) = said(".pre-commit-config.yaml", &many);
        assert_eq!((found.len(), flaw), (1000, true));
    }
}
