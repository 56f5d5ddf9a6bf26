//! What npm, pnpm, yarn and bun say.
//!
//! ```text
//! npm http fetch GET 200 https://…/left-pad/-/left-pad-1.3.0.tgz 870ms (cache updated)
//! npm info run esbuild@0.19.0 postinstall node_modules/esbuild node install.js
//! > esbuild@0.19.0 postinstall                                   npm with --foreground-scripts; npm 6 with the folder behind it
//! npm warn deprecated request@2.88.2: …                          chosen
//! npm warn install-scripts   esbuild@0.19.0 (postinstall: …)     npm 11: installed
//! + left-pad@1.3.0                                               npm 6, above `added 3 packages …`
//! n1@1.0.0 /srv/n1                                               `npm ls`: what follows stands there
//! ├── left-pad@1.3.0
//! .../esbuild@0.19.0/node_modules/esbuild postinstall$ node install.js      pnpm
//! Ignored build scripts: esbuild@0.19.0                          pnpm 10 and later: installed, its script was not run
//! dependencies:                                                  pnpm: what follows was installed
//! + esbuild 0.19.0 (0.28.2 is available)
//! info Direct dependencies                                       yarn 1, `yarn add`
//! ├─ esbuild@0.19.0
//! ➤ YN0013: │ esbuild@npm:0.19.0 can't be found in the cache and will be fetched from the remote registry
//! ➤ YN0007: │ esbuild@npm:0.19.0 must be built because it never has been before or the last one failed
//! ➤ YN0004: │ esbuild@npm:0.19.0 lists build scripts, but all build scripts have been disabled.
//! ➤ YN0085: │ + esbuild@npm:0.19.0, left-pad@npm:1.3.0, and 19 more.
//! bun add v1.4.5 (a7733435c)                                     what follows was installed
//! installed left-pad@1.3.0
//! + esbuild@0.19.0                                               below `bun install v…`
//! ```
//!
//! Watched with npm 6 and 11, pnpm 8, 9 and 12, yarn 1.22, 3.8 and 4.18, bun 1.4.

use super::packages::Take;
use crate::{
    ecosystem::npm::{
        reference::{self, Target},
        shown::{is_name, is_version},
    },
    fact::Logged,
};

const EVENTS: [&str; 3] = ["preinstall", "install", "postinstall"];

/// `left-pad@1.3.0`, `@s/x@1.0.0`.
fn locator(word: &str) -> Option<(&str, &str)> {
    let (name, version) = word.rsplit_once('@')?;
    (is_name(name) && is_version(version)).then_some((name, version))
}

/// What a line says alone.
pub fn said(text: &str, take: &mut Take<'_>) {
    if let Some(rest) = text.strip_prefix("npm ") {
        npm(rest, take);
    } else if let Some((word, rest)) = text.strip_prefix("> ").and_then(|r| r.split_once(' ')) {
        let event = rest.split(' ').next().unwrap_or_default();
        let folder = rest.get(event.len()..).unwrap_or_default().trim_start();
        let is_event = EVENTS.contains(&event) && (folder.is_empty() || folder.contains("node_modules"));
        if let Some((name, version)) = locator(word).filter(|_| is_event) {
            take(name, version, Logged::Ran);
        }
    } else if let Some((name, version)) = pnpm_script(text) {
        take(&name, &version, Logged::Ran);
    } else if let Some((frame, rest)) = framed(text).and_then(|text| text.split_once("Ignored build scripts: ")) {
        if frame.chars().all(|c| !c.is_ascii_alphanumeric()) {
            let words = rest.split(", ").map(|w| w.trim_end_matches([' ', '.', '\u{2502}']));
            words.filter_map(locator).for_each(|(name, version)| take(name, version, Logged::Blocked));
        }
    } else if let Some(rest) = text.strip_prefix("\u{27a4} YN00") {
        berry(rest, take);
    }
}

/// A text that may stand in a frame.
fn framed(text: &str) -> Option<&str> {
    text.starts_with(|c: char| c == 'I' || !c.is_ascii_alphanumeric()).then_some(text)
}

/// Behind `npm `.
fn npm(text: &str, take: &mut Take<'_>) {
    if let Some(rest) = text.strip_prefix("http fetch GET 200 ") {
        let url = rest.split(' ').next().unwrap_or_default();
        if let reference::Reference { name: Some(name), target: Target::Tarball { version: Some(version), .. } } =
            reference::read(url)
            && is_name(&name)
            && is_version(&version)
        {
            take(&name, &version, Logged::Downloaded);
        }
    } else if let Some(rest) = text.strip_prefix("info run ") {
        let mut words = rest.splitn(3, ' ');
        let (word, event, rest) = (words.next(), words.next(), words.next().unwrap_or_default());
        // How it ended is another line.
        let starts = event.is_some_and(|event| EVENTS.contains(&event)) && !rest.starts_with('{');
        if let Some((name, version)) = word.and_then(locator).filter(|_| starts) {
            take(name, version, Logged::Ran);
        }
    } else if let Some(rest) = text.strip_prefix("warn ").or_else(|| text.strip_prefix("WARN ")) {
        let (kind, rest) = rest.split_once(' ').unwrap_or_default();
        let rest = rest.trim_start();
        let word = rest.split(' ').next().unwrap_or_default();
        match kind {
            "deprecated" => {
                if let Some((name, version)) = locator(word.trim_end_matches(':')) {
                    take(name, version, Logged::Resolved);
                }
            }
            "install-scripts" => {
                let listed = rest.get(word.len()..).is_some_and(|r| r.starts_with(" (") && r.contains("install: "));
                if let Some((name, version)) = locator(word).filter(|_| listed) {
                    take(name, version, Logged::Installed);
                }
            }
            _ => {}
        }
    }
}

/// `.../esbuild@0.19.0/node_modules/esbuild postinstall$ node install.js`
fn pnpm_script(text: &str) -> Option<(String, String)> {
    let (place, rest) = text.split_once(' ')?;
    let event = rest.split('$').next()?;
    if !EVENTS.contains(&event) || !rest.contains('$') {
        return None;
    }
    let (store, own) = place.rsplit_once("/node_modules/")?;
    let entry = store.rsplit('/').next()?;
    let version = entry.strip_prefix(&*own.replace('/', "+"))?.strip_prefix('@')?;
    let version = version.split(['_', '(']).next()?;
    (is_name(own) && is_version(version)).then(|| (own.to_owned(), version.to_owned()))
}

/// Behind `➤ YN00`: the rest of the code, and what it says.
fn berry(text: &str, take: &mut Take<'_>) {
    let Some((code, rest)) = text.split_once(": ") else {
        return;
    };
    let rest = rest.trim_start_matches(['\u{2502}', ' ']);
    let of = |word: &str| {
        let (name, version) = word.rsplit_once("@npm:")?;
        // A hash of what it is bound to may follow.
        let version = version.split('#').next()?;
        (is_name(name) && is_version(version)).then(|| (name.to_owned(), version.to_owned()))
    };
    let first = rest.split(' ').next().unwrap_or_default();
    let after = rest.get(first.len()..).unwrap_or_default();
    let logged = match code {
        "13" if after.starts_with(" can't be found in the cache and will be fetched") => Logged::Downloaded,
        "07" if after.starts_with(" must be built because") => Logged::Ran,
        "04" | "05" if after.starts_with(" lists build scripts, but") => Logged::Blocked,
        "85" => {
            let added = rest.strip_prefix("+ ").unwrap_or_default();
            let words = added.split(", ").filter_map(|word| of(word.trim_end_matches('.')));
            words.for_each(|(name, version)| take(&name, &version, Logged::Resolved));
            return;
        }
        _ => return,
    };
    if let Some((name, version)) = of(first) {
        take(&name, &version, logged);
    }
}

/// Which list follows a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// pnpm: `+ esbuild 0.19.0`.
    Pnpm,
    /// yarn 1: `├─ esbuild@0.19.0`.
    Yarn,
    /// bun: `+ esbuild@0.19.0`, `installed esbuild@0.19.0`.
    Bun,
    /// `npm ls`.
    Tree,
}

/// The list that a line heads.
pub fn heads(text: &str) -> Option<List> {
    match text {
        "dependencies:" | "devDependencies:" | "optionalDependencies:" => Some(List::Pnpm),
        "info Direct dependencies" | "info All dependencies" => Some(List::Yarn),
        _ if text.starts_with("bun install v") || text.starts_with("bun add v") => Some(List::Bun),
        _ => None,
    }
}

/// A row of a list; `None` where it has ended.
pub fn row(list: List, text: &str, take: &mut Take<'_>) -> Option<()> {
    match list {
        List::Pnpm => {
            let Some(rest) = text.strip_prefix("+ ") else {
                return text.starts_with("- ").then_some(());
            };
            let mut words = rest.split(' ');
            let (name, version) = (words.next()?, words.next()?);
            if is_name(name) && is_version(version) {
                take(name, version, Logged::Installed);
            }
            Some(())
        }
        List::Yarn => {
            let rest = ["\u{251c}\u{2500} ", "\u{2514}\u{2500} "].iter().find_map(|start| text.strip_prefix(start))?;
            let (name, version) = locator(rest)?;
            take(name, version, Logged::Installed);
            Some(())
        }
        List::Bun => {
            let rest = text.strip_prefix("+ ").or_else(|| text.strip_prefix("installed "));
            let word = rest.and_then(|rest| rest.split(' ').next()).unwrap_or_default();
            if let Some((name, version)) = locator(word) {
                take(name, version, Logged::Installed);
            }
            let ends = text.contains(" installed [") || text.contains("(no changes)") || text.starts_with("error:");
            (!ends).then_some(())
        }
        List::Tree => {
            let (name, version) = leaf(text)?;
            take(name, version, Logged::Installed);
            Some(())
        }
    }
}

/// `│ ├─┬ ajv@6.15.0`, with a word of npm behind it.
fn leaf(text: &str) -> Option<(&str, &str)> {
    let inner = text.trim_start_matches(['\u{2502}', ' ']);
    let starts = [
        "\u{251c}\u{2500}\u{2500} ",
        "\u{251c}\u{2500}\u{252c} ",
        "\u{2514}\u{2500}\u{2500} ",
        "\u{2514}\u{2500}\u{252c} ",
    ];
    let rest = starts.iter().find_map(|start| inner.strip_prefix(start))?;
    let (word, behind) = rest.split_once(' ').unwrap_or((rest, ""));
    matches!(behind, "" | "deduped" | "extraneous" | "overridden").then(|| locator(word))?
}

/// Whether a line heads a tree of `npm ls`: `n1@1.0.0 /srv/n1`.
pub fn heads_tree(text: &str) -> bool {
    let place = text.split_once(' ').filter(|(word, _)| locator(word).is_some()).map(|(_, place)| place);
    place.is_some_and(|p| p.starts_with('/') || p.as_bytes().get(1..3) == Some(b":\\"))
}

/// Whether a line is of a tree of `npm ls`.
pub fn is_leaf(text: &str) -> bool {
    leaf(text).is_some()
}

/// `+ left-pad@1.3.0` of npm 6.
pub fn old_row(text: &str) -> Option<(&str, &str)> {
    locator(text.strip_prefix("+ ")?)
}

/// Whether npm 6 says that it installed what stands above: `added 3 packages from 1 contributor in 4.651s`.
pub fn is_old_end(text: &str) -> bool {
    let count = |rest: &str| rest.split_once(" package").is_some_and(|(n, _)| n.bytes().all(|b| b.is_ascii_digit()));
    ["added ", "updated "].iter().any(|start| text.strip_prefix(start).is_some_and(count))
}
