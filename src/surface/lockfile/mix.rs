//! The lock file of Mix, for Elixir and Erlang.
//!
//! ```text
//! project/mix.lock
//! │   %{
//! │     "jason": {:hex, :jason, "1.4.1", "<inner checksum>", [:mix], [{:decimal, "~> 1.0", [hex: :decimal, …]}], "hexpm", "<SHA-256>"},
//! │     "own": {:git, "https://…", "<commit>", []},
//! │   }
//! ```
//!
//! A repository of an organisation (`"hexpm:acme"`) is another registry. A hit proves that the project resolves to the version; not that it was
//! fetched or built. Documented in "mix deps.get" of Mix, the form by Hex's code.

use super::{ENTRIES, REQUIRED, archive, package, requirement, whole};
use crate::{
    fact::{Ecosystem, Fact, Package, Placement, Requirement, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Sink, Surface, content::text},
};

const FILE: usize = 8 << 20;

/// `mix.lock`.
pub struct Mix;

static META: Meta = Meta {
    id: "lockfile/mix",
    title: "the lock file of Mix (Elixir, Erlang)",
    proves: "the project resolves to the version; not that it was fetched or built",
};

impl Surface for Mix {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("mix.lock")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = text(head);
        (text.trim_start().starts_with("%{") && text.contains("{:hex, :")).then_some("mix.lock")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of mix.lock");
        let text = text(file.all(FILE)?);
        let (mut all, mut count) = (true, 0);
        for (number, line) in (1_u32..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') || matches!(line, "%{" | "}" | "%{}") {
                continue;
            }
            let Some((_, entry)) = line.strip_prefix('"').and_then(|l| l.split_once("\": {:")) else {
                all = false;
                continue;
            };
            let Some(entry) = entry.strip_prefix("hex, ") else {
                continue;
            };
            count += 1;
            match found(entry).filter(|_| count <= ENTRIES) {
                None => all = false,
                Some(Entry::Private) => {}
                Some(Entry::Package(found)) => out.push_at(None, Some(number), at.clone(), Fact::Package(found)),
            }
        }
        whole(all, "mix.lock")
    }
}

enum Entry {
    /// Of a registry of somebody's own.
    Private,
    Package(Package),
}

/// `:jason, "1.4.1", "<sum>", [:mix], [ … ], "hexpm", "<sum>"},`
fn found(entry: &str) -> Option<Entry> {
    let (name, rest) = atom(entry)?;
    let (version, rest) = quoted(rest.strip_prefix(", ")?)?;
    let package = package(Ecosystem::Hex, name, version, Placement::Listed)?;
    // The two last texts, behind the lists.
    let (lists, tail) = rest.rsplit_once("], ").unwrap_or((rest, ""));
    let repository = quoted(tail);
    if repository.is_some_and(|(repository, _)| repository != "hexpm") {
        return Some(Entry::Private);
    }
    let sum = repository.and_then(|(_, rest)| quoted(rest.strip_prefix(", ")?)).map(|(sum, _)| sum);
    let artifacts = sum.and_then(archive).into_iter().collect();
    Some(Entry::Package(Package { requires: asked(lists).into(), artifacts, ..package }))
}

/// Each `{:decimal, "~> 1.0", [hex: :decimal, …]}`.
fn asked(lists: &str) -> Vec<Requirement> {
    let one = |text: &str| {
        let (name, rest) = atom(text)?;
        let (asked, rest) = quoted(rest.strip_prefix(", ")?)?;
        let own = rest.split_once("[hex: ").and_then(|(_, rest)| atom(rest)).map(|(name, _)| name);
        requirement(Ecosystem::Hex, own.unwrap_or(name), asked)
    };
    lists.split('{').skip(1).filter_map(one).take(REQUIRED).collect()
}

/// `:jason`, `:"jason"`, and what follows.
fn atom(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix(':')?;
    if text.starts_with('"') {
        return quoted(text);
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    text.split_at_checked(end)
}

fn quoted(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('"')?.split_once('"')
}

#[cfg(test)]
mod tests {
    use super::{
        super::trial::{HOSTILE, asked, said},
        *,
    };

    const SUM: &str = "07aa33f5a1b2c3d4e5f60718293a4b5c6d7e8f9012345678901234567890abcd";

    fn read(text: &str) -> (Vec<String>, Option<String>) {
        said(&Mix, "p/mix.lock", text.as_bytes())
    }

    #[test]
    fn entries_of_all_ages_are_read() {
        let text = format!(
            "%{{\n  \"jason\": {{:hex, :jason, \"1.4.1\", \"{SUM}\", [:mix], [{{:decimal, \"~> 1.0 or ~> 2.0\", [hex: :decimal, repo: \"hexpm\", optional: true]}}], \"hexpm\", \"{SUM}\"}},\n  \
             \"old\": {{:hex, :old_name, \"0.1.0\"}},\n  \"own\": {{:git, \"https://forge.example/a/own.git\", \"0123abc\", []}},\n  \
             \"mine\": {{:hex, :mine, \"1.0.0\", \"{SUM}\", [:mix], [], \"hexpm:acme\", \"{SUM}\"}},\n}}\n"
        );
        let is = ["package jason 1.4.1 Listed@2", "package old_name 0.1.0 Listed@3"];
        assert_eq!(read(&text), (is.map(str::to_owned).to_vec(), None));
        assert_eq!(asked(&Mix, "p/mix.lock", text.as_bytes())[0], ["decimal ~> 1.0 or ~> 2.0"]);
        assert_eq!(read("%{\n}\n"), (vec![], None));
        assert_eq!(read(""), (vec![], None));
    }

    #[test]
    fn hostile_files_are_gaps() {
        for text in HOSTILE {
            let (said, flaw) = read(text);
            assert!(said.is_empty() && flaw.is_some(), "{text}");
        }
        for bad in
            ["{:hex, :a\u{1b}, \"1.0.0\"}", "{:hex, :a, \"x\"}", "{:hex}", "{:hex, :a", "{:hex, \"a\", \"1.0.0\"}"]
        {
            let (said, flaw) = read(&format!("%{{\n\"b\": {{:hex, :b, \"1.0.0\"}},\n\"a\": {bad},\n}}"));
            assert_eq!(said.len(), 1, "{bad}");
            assert!(flaw.is_some() || bad == "{:hex}", "{bad}");
        }
        let long = format!(
            "\"a\": {{:hex, :a, \"1.0.0\", \"x\", [:mix], [{}], \"hexpm\", \"y\"}},\n",
            "{:b, \"~> 1.0\", []}, ".repeat(20_000)
        );
        assert_eq!(read(&long).0, ["package a 1.0.0 Listed@1"]);
    }
}
