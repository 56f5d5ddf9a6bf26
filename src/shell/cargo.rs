//! Commands of cargo that name crates: `cargo install x@1.2.3`, `cargo install x --version 1.2.3`, `cargo add x@1`, `cargo binstall x`,
//! `cargo update -p x --precise 1.2.3`. What builds without a name builds what the lock file says, which other surfaces read. Documented in
//! the Cargo Book.

use super::{
    args::{Long, Options, base_name},
    python::Recognised,
};
use crate::{
    ecosystem::{
        cargo::{is_name, is_version},
        normal_name,
    },
    fact::{Command, CommandAction, Ecosystem, Wanted},
};
use CommandAction::{Install, Resolve, Uninstall};

static VALUED: &str = "version vers git branch tag rev path root registry index features jobs target target-dir profile bin example config \
        color package rename precise manifest-path message-format timings";
const CARGO: Options = Options { short: "FjpZC", long: Long::Valued(&[VALUED]) };

/// What the words of cargo do; `None` where the program is another one.
pub fn recognise(words: &[String]) -> Option<Recognised<'_>> {
    let (first, rest) = words.split_first()?;
    if base_name(first) != "cargo" {
        return None;
    }
    // `cargo +nightly install x`
    let rest = match rest.split_first() {
        Some((toolchain, behind)) if toolchain.starts_with('+') => behind,
        _ => rest,
    };
    Some((command(rest), None))
}

fn command(rest: &[String]) -> Option<Command> {
    let parsed = CARGO.all(rest);
    let (verb, names) = parsed.plain.split_first()?;
    let action = match *verb {
        "install" | "binstall" => Install,
        "add" | "update" => Resolve,
        "uninstall" => Uninstall,
        _ => return None,
    };
    if parsed.has(&["git", "path", "help", "h", "list", "dry-run"]) {
        return None;
    }
    let exact = *verb != "add";
    let wanted: Vec<Wanted> = match *verb {
        "update" => {
            let version = parsed.values(&["precise"]).next();
            parsed
                .values(&["p", "package"])
                .chain(names.iter().copied())
                .filter_map(|n| wanted(n, version, true))
                .collect()
        }
        _ => {
            let version = parsed.values(&["version", "vers"]).next();
            names.iter().filter_map(|name| wanted(name, version, exact)).collect()
        }
    };
    (!wanted.is_empty()).then(|| Command::for_packages("cargo", action, wanted))
}

/// `x`, `x@1.2.3`: one version where `exact` is how the command reads it, else a range that starts with it.
fn wanted(word: &str, version: Option<&str>, exact: bool) -> Option<Wanted> {
    let (name, own) = word.split_once('@').map_or((word, None), |(name, version)| (name, Some(version)));
    if !is_name(name) || word.len() > 300 {
        return None;
    }
    let name = normal_name(Ecosystem::Cargo, name);
    let asked = own.or(version).unwrap_or_default().trim();
    let said = asked.strip_prefix('=').map(str::trim);
    let pinned = said.or(Some(asked).filter(|_| exact)).filter(|v| is_version(v)).map(Into::into);
    let open = pinned.is_some() || semver::VersionReq::parse(asked).is_err();
    let specifier = match asked {
        asked if asked.starts_with('$') => Wanted::UNSAID,
        _ if open => "",
        asked => asked,
    };
    Some(Wanted { ecosystem: Ecosystem::Cargo, name, pinned, specifier: specifier.into() })
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::said;

    #[test]
    fn crates_that_cargo_is_asked_for() {
        for (text, is) in [
            ("cargo install arone", "install arone@"),
            ("cargo install Ar_one@1.2.3 b", "install ar-one@1.2.3 b@"),
            ("cargo +nightly install --locked arone --version 1.2.3", "install arone@1.2.3"),
            ("cargo install arone --version '^1.2'", "install arone@^1.2"),
            ("cargo add arrayref@0.3.10 -F x", "resolve arrayref@0.3.10"),
            ("cargo add arrayref@=0.3.10", "resolve arrayref@0.3.10"),
            ("cargo update -p arrayref --precise 0.3.10", "resolve arrayref@0.3.10"),
            ("cargo uninstall arone", "uninstall arone@"),
        ] {
            assert_eq!(said(text), [is], "{text}");
        }
        for text in [
            "cargo build",
            "cargo install --path .",
            "cargo install --git https://host.example/x x",
            "cargo search arone",
            "cargo",
            "echo cargo install arone",
            "cargo install ../x",
        ] {
            assert_eq!(said(text), [""; 0], "{text}");
        }
    }
}
