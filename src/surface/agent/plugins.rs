//! Plug-ins, extensions and skills of agents: from which repositories they came.
//!
//! ```text
//! ~/.claude/plugins/known_marketplaces.json      {"tools": {"source": {"source": "github", "repo": "owner/name"}}}
//! ~/.claude/plugins/installed_plugins.json       {"plugins": {"x@tools": [{"version": "1.2.3", "gitCommitSha": "…", "lastUpdated": "…"}]}}
//! ~/.gemini/extensions/NAME/.gemini-extension-install.json      {"source": "https://github.com/owner/name", "type": "git", "ref": "v1"}
//! ~/.agents/.skill-lock.json  PROJECT/skills-lock.json          {"skills": {"x": {"source": "owner/name", "sourceType": "github", "ref": "…"}}}
//! ```
//!
//! Their hooks and servers are read by `agent/hooks` and `agent/mcp`. A hit proves that the agent was given that repository or commit; not
//! that anything of it ran. Written by Claude Code, Gemini CLI (`packages/cli/src/config/extension.ts`) and the `skills` program.

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    fact::{At, Fact, Held, TraceKind},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface, fetched, git::config::repository, hook::shown},
};

const FILE: usize = 16 << 20;
/// Entries of one file.
const MOST: usize = 5000;

/// `installed_plugins.json`, `.skill-lock.json` and their kin.
pub struct AgentPlugins;

static META: Meta = Meta {
    id: "agent/plugins",
    title: "repositories that agents take plug-ins, extensions and skills from",
    proves: "the agent was given that repository or commit; not that anything of it ran",
};

impl Surface for AgentPlugins {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Git, Shows::Network]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let claude = ["known_marketplaces.json", "installed_plugins.json"];
        let claude = claude.map(|name| Claim::name(name).in_tail(".claude/plugins"));
        let others = [".gemini-extension-install.json", ".skill-lock.json", "skills-lock.json"].map(Claim::name);
        claude.into_iter().chain(others).collect()
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let (path, interest, written) = (file.entry.path.clone(), file.interest, file.mtime("mtime of the list"));
        let Ok(value) = serde_json::from_slice::<Value>(file.all(FILE)?) else {
            return Err(Flaw::malformed("list of plug-ins", "it is no JSON"));
        };
        let entries: Vec<(&str, &Value)> = match path.name() {
            b".gemini-extension-install.json" => vec![("", &value)],
            b"known_marketplaces.json" => {
                fields(&value).map(|(name, entry)| (name, entry.get("source").unwrap_or(&Value::Null))).collect()
            }
            b"installed_plugins.json" => {
                let plugins = value.get("plugins").unwrap_or(&Value::Null);
                let one = fields(plugins).filter(|(_, entry)| entry.is_object());
                let lists = fields(plugins)
                    .flat_map(|(name, entry)| entry.as_array().into_iter().flatten().map(move |entry| (name, entry)));
                one.chain(lists).collect()
            }
            _ => fields(value.get("skills").unwrap_or(&Value::Null)).collect(),
        };
        for (number, (name, entry)) in (1..).zip(entries.into_iter().take(MOST)) {
            let what = if name.is_empty() { "source".to_owned() } else { shown(name, number) };
            let at = time(entry).or_else(|| written.clone());
            for fact in facts(entry, interest) {
                out.push_at(Some(&what), None, at.clone(), fact);
            }
        }
        Ok(())
    }
}

fn fields(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, entry)| (name.as_str(), entry))
}

fn time(entry: &Value) -> Option<At> {
    let text = ["lastUpdated", "updatedAt", "installedAt"].iter().find_map(|key| entry.get(*key)?.as_str())?;
    Some(At::new(text.parse::<Timestamp>().ok()?, "time in the list of the agent"))
}

/// What an entry says of where it came from.
fn facts(entry: &Value, interest: &Interest) -> Vec<Fact> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).filter(|text| text.len() <= 1000);
    let mut found = Vec::new();
    let short = |text: &str| {
        let plain = |part: &str| {
            !part.starts_with('.')
                && !part.is_empty()
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        text.split_once('/').is_some_and(|(owner, name)| plain(owner) && plain(name)).then(|| text.to_owned())
    };
    let on_github =
        text("sourceType").or(text("source")).is_none_or(|kind| kind.contains("github") || kind.contains('/'));
    let names = ["repo", "source"].into_iter().filter_map(text).filter(|_| on_github).find_map(short);
    let addresses = ["url", "sourceUrl", "source"].into_iter().filter_map(text);
    let named = names.or_else(|| addresses.clone().find_map(repository));
    found.extend(named.map(|name| fetched::fact(TraceKind::Repository, &name, Held::Named)));
    let known = addresses.filter_map(|address| interest.traces.address(address));
    found.extend(known.map(|(kind, value)| fetched::fact(kind, value, Held::Named)).take(1));
    let commits = ["gitCommitSha", "commit", "ref"].into_iter().filter_map(text);
    let commits = commits.filter_map(|id| interest.traces.commit(id));
    found.extend(commits.map(|id| fetched::fact(TraceKind::Commit, id, Held::Named)).take(1));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::python::trial::tried;

    fn said(name: &str, text: &str) -> (Vec<String>, bool) {
        let interest =
            Interest::with_traces(&[(TraceKind::Host, "git.evil.example"), (TraceKind::Commit, &"a".repeat(40))]);
        let tried = tried(&AgentPlugins, &format!("home/a/.claude/plugins/{name}"), text.as_bytes(), &interest);
        (tried.traces(), tried.flaw.is_some())
    }

    #[test]
    fn each_list_says_its_repositories() {
        let commit = "a".repeat(40);
        for (name, text, expected) in [
            (
                "known_marketplaces.json",
                r#"{"m":{"source":{"source":"github","repo":"o/n"}}}"#.to_owned(),
                "repository o/n 0".to_owned(),
            ),
            (
                "known_marketplaces.json",
                r#"{"m":{"source":{"source":"git","url":"git@github.com:o/n.git"}}}"#.to_owned(),
                "repository o/n 0".to_owned(),
            ),
            (
                "installed_plugins.json",
                format!(r#"{{"version":2,"plugins":{{"x@m":[{{"gitCommitSha":"{commit}"}}]}}}}"#),
                format!("commit {commit} 0"),
            ),
            (
                "installed_plugins.json",
                format!(r#"{{"plugins":{{"x@m":{{"gitCommitSha":"{commit}"}}}}}}"#),
                format!("commit {commit} 0"),
            ),
            (
                ".gemini-extension-install.json",
                r#"{"source":"https://github.com/o/n","type":"git"}"#.to_owned(),
                "repository o/n 0".to_owned(),
            ),
            (
                ".gemini-extension-install.json",
                r#"{"source":"https://git.evil.example/x","type":"git"}"#.to_owned(),
                "host git.evil.example 0".to_owned(),
            ),
            (
                ".skill-lock.json",
                r#"{"skills":{"s":{"source":"o/n","sourceType":"github"}}}"#.to_owned(),
                "repository o/n 0".to_owned(),
            ),
        ] {
            assert_eq!(said(name, &text), (vec![expected], false), "{text}");
        }
    }

    #[test]
    fn other_sources_and_shapes() {
        for (name, text) in [
            ("installed_plugins.json", "[]"),
            ("installed_plugins.json", r#"{"plugins":{"o/n@m":[{"version":"1"}],"y":7}}"#),
            (".gemini-extension-install.json", r#"{"source":"/home/a/work","type":"link"}"#),
            (".skill-lock.json", r#"{"skills":{"s":{"source":"o/n","sourceType":"gitlab"},"t":{"source":"../x"}}}"#),
            ("skills-lock.json", "{}"),
        ] {
            assert_eq!(said(name, text), (vec![], false), "{text}");
        }
        assert!(said(".skill-lock.json", "{").1 && said(".skill-lock.json", "").1);
    }
}
