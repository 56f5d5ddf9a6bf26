//! Settings of a repository: where it was cloned from and where it pushes to.
//!
//! ```text
//! .git/config, .git/modules/NAME/config, NAME.git/config      [remote "origin"] url = https://github.com/owner/name.git
//! .gitmodules                                                 [submodule "x"] url = git@github.com:owner/name
//! ```
//!
//! Of an address on GitHub the repository's name is reported, of every other one whether an indicator knows it: an account or a token in
//! it never leaves here. A hit proves that somebody set this remote; it travels with no clone, but a submodule does. Documented in
//! git-config(1) and gitmodules(5).

use crate::{
    fact::{Fact, Held, TraceKind, TreePath},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Shows, Sink, Surface,
        content::{line_starts, text},
        fetched,
    },
};

/// Far above any settings.
const FILE: usize = 4 << 20;
/// Remotes of one file.
const MOST: usize = 5000;

/// `.git/config`, `.gitmodules`.
pub struct Config;

static META: Meta = Meta {
    id: "git/config",
    title: "remotes and submodules of repositories",
    proves: "a repository here fetches from there or pushes to there; not that anything of it ran",
};

impl Surface for Config {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Git, Shows::Network]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("config").in_suffix(".git"), Claim::name("config").within(".git"), Claim::name(".gitmodules")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (line_starts(&text, "[core]") && line_starts(&text, "[remote \"")).then_some(".git/config")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the settings");
        let interest = file.interest;
        let text = text(file.all(FILE)?);
        let mut remote = false;
        let mut left = MOST;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if let Some(section) = line.strip_prefix('[') {
                remote = section.starts_with("remote") || section.starts_with("submodule");
                continue;
            }
            let Some((key, value)) = line.split_once('=').filter(|_| remote) else {
                continue;
            };
            if !["url", "pushurl"].contains(&key.trim().to_ascii_lowercase().as_str()) {
                continue;
            }
            let value = value.trim().trim_matches('"');
            for fact in facts(value, interest) {
                left = left.checked_sub(1).ok_or(Flaw::Unsupported("a file of more than 5000 remotes"))?;
                out.push_at(None, Some(number), at.clone(), fact);
            }
        }
        Ok(())
    }
}

/// What the address of a remote says.
fn facts(url: &str, interest: &Interest) -> Vec<Fact> {
    let repository = repository(url).map(|name| fetched::fact(TraceKind::Repository, &name, Held::Named));
    let address =
        interest.traces.address(&https_address(url)).map(|(kind, value)| fetched::fact(kind, value, Held::Named));
    repository.into_iter().chain(address).collect()
}

/// `git@host:path` and `ssh://git@host/path` as `https://host/path`, without the ending.
fn https_address(url: &str) -> String {
    let url = url.trim_start_matches("git+");
    let rest = match url.split_once("://") {
        Some((_, rest)) => rest.to_owned(),
        // The first colon of an address that ssh takes ends the host.
        None => url.replacen(':', "/", 1),
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("https://{host}{}", path.trim_end_matches('/').trim_end_matches(".git"))
}

/// `owner/name` of an address on GitHub, by any name that ssh settings give to it.
pub fn repository(url: &str) -> Option<String> {
    let plain = https_address(url);
    let (host, path) = plain.strip_prefix("https://")?.split_once('/')?;
    host.to_ascii_lowercase().contains("github").then_some(())?;
    let mut parts = path.split('/').filter(|p| !p.is_empty());
    let (owner, name) = (parts.next()?, parts.next()?);
    let good = |part: &str| part.len() <= 200 && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    (parts.next().is_none() && good(owner) && good(name)).then(|| format!("{owner}/{name}"))
}

/// Whether a path lies in a repository's own folder, below a folder of it of this name.
pub(super) fn is_in(path: &TreePath, name: &[u8]) -> bool {
    let mut parts = path.components().skip_while(|c| !c.ends_with(b".git"));
    parts.next().is_some() && parts.any(|c| c == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::python::trial::tried;

    fn said(text: &str) -> Vec<String> {
        let interest =
            Interest::with_traces(&[(TraceKind::Url, "https://git.evil.example/o"), (TraceKind::Host, "bad.example")]);
        let tried = tried(&Config, "p/.git/config", text.as_bytes(), &interest);
        assert!(tried.flaw.is_none());
        tried.traces()
    }

    #[test]
    fn every_form_of_an_address() {
        for url in [
            "https://github.com/Owner/name.git",
            "https://x-access-token:ghp_s3cr3t@github.com/Owner/name",
            "git@github.com:Owner/name.git",
            "ssh://git@github.com:22/Owner/name",
            "git@github.com-work:Owner/name/",
            "git://github.com/Owner/name",
            "\"https://github.com/Owner/name\"",
        ] {
            assert_eq!(said(&format!("[core]\n[remote \"o\"]\n\turl = {url}\n")), ["repository Owner/name 3"], "{url}");
        }
        let other =
            "[remote \"o\"]\n\turl = https://me:tok@git.evil.example/o/n.git\n\tpushurl = git@bad.example:x/y\n";
        assert_eq!(said(other), ["url https://git.evil.example/o 2", "host bad.example 3"]);
    }

    #[test]
    fn what_is_no_remote() {
        for text in [
            "[url \"x\"]\n\turl = https://github.com/o/n\n",
            "[remote \"o\"]\n\tfetch = +refs/heads/*:refs/remotes/o/*\n",
            "[remote \"o\"]\n\turl = /srv/github/o\n",
            "[remote \"o\"]\n\turl = https://gitlab.example/o/n\n",
            "[remote \"o\"]\n\turl = https://github.com/o\n",
            "[remote \"o\"]\n\turl = https://github.com/o/n;x\n",
            "[user]\n\turl = https://bad.example/\n",
            "[remote \"o\"]\n\turl =\n",
            "[remote",
            "\0\u{fffd}",
        ] {
            assert_eq!(said(text), [""; 0], "{text}");
        }
    }
}
