//! Which tool installed a unit, and whether it would have run a script there: by what the tool wrote down, its settings, and what it does
//! where nothing is set.

use std::{collections::HashMap, sync::Arc};

use crate::{
    assess::{Evidence, Finding},
    ecosystem::{purl::Purl, same_version},
    fact::{Ecosystem, Fact, Origin, TreePath, Unit},
    text::escape,
};

/// Packages whose scripts Bun 1.3 runs where a project trusts none by name.
static BUN_TRUSTS: &str = include_str!("bun_trusted.txt");

/// What installs packages, as far as it matters for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    Npm,
    Pnpm,
    /// Yarn 1.
    Classic,
    /// Yarn 2 and later.
    Berry,
    Bun,
    Deno,
    /// Alone, and as what mise installs `npm:` packages with.
    Aube,
}

/// The tools of all units, and what they may run.
pub struct Tools<'e> {
    /// By the folder below which they hold.
    settings: HashMap<(Arc<str>, TreePath), Vec<Setting<'e>>>,
    /// By the record that it left there, or the lock file that it alone writes.
    of_unit: HashMap<(&'e Arc<str>, TreePath), Tool>,
}

struct Setting<'e> {
    by: &'static str,
    allowed: &'e [Box<str>],
    origin: &'e Origin,
}

/// What kind of word a setting is: those before go before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    /// Nothing runs, whatever lists say: `ignore-scripts`.
    Switch,
    /// A list of packages.
    List,
    /// What holds for all others.
    Others,
    /// What the tool does where nothing is set.
    Default,
}

impl<'e> Tools<'e> {
    /// Looks through the evidence.
    pub fn new(evidence: &'e [Evidence]) -> Self {
        let mut tools = Self { settings: HashMap::new(), of_unit: HashMap::new() };
        for seen in evidence.iter().map(|e| &e.seen) {
            match &seen.fact {
                Fact::Recorded { .. } | Fact::InstallScript { .. } => {
                    if let (Some(tool), Some(unit)) = (tool_of(&seen.origin.path), &seen.unit) {
                        tools.of_unit.insert((&seen.origin.tree, unit.root.clone()), tool);
                    }
                }
                Fact::ScriptsBlocked { by, root, allowed } => {
                    let here = tools.settings.entry((seen.origin.tree.clone(), root.clone())).or_default();
                    here.push(Setting { by, allowed, origin: &seen.origin });
                }
                _ => {}
            }
        }
        tools
    }

    /// Why the tool that installed a package ran no script of it; `None` where it may have.
    pub fn blocks(&self, finding: &Finding, package: &Purl) -> Option<String> {
        let unit = finding.unit.as_ref()?;
        let tool = self.tool(finding, unit)?;
        if tool == Tool::Deno {
            return Some(
                "Deno runs no scripts but those that somebody allows, and nothing shows that one ran".to_owned(),
            );
        }
        let mut settings: Vec<_> = self.above(finding, unit).into_iter().filter(|s| s.is_read_by(tool)).collect();
        // The nearest word of a kind goes first, which the sort keeps so.
        settings.sort_by_key(|s| s.word());
        let mut switch_is_off = false;
        for setting in settings {
            let word = setting.word();
            if word == Word::Switch && switch_is_off {
                continue;
            }
            match setting.runs(package) {
                Some(true) if word == Word::Switch => switch_is_off = true,
                Some(true) => return None,
                Some(false) => return Some(setting.why()),
                None => {}
            }
        }
        let runs_none = "aube runs no scripts but those that somebody allows, and nothing shows that one ran";
        (tool == Tool::Aube).then(|| runs_none.to_owned())
    }

    /// The name of the tool that installed a package, where that is known.
    pub fn name(&self, finding: &Finding) -> Option<&'static str> {
        let tool = self.tool(finding, finding.unit.as_ref()?)?;
        Some(match tool {
            Tool::Npm => "npm",
            Tool::Pnpm => "pnpm",
            Tool::Classic | Tool::Berry => "yarn",
            Tool::Bun => "bun",
            Tool::Deno => "deno",
            Tool::Aube => "aube",
        })
    }

    /// What holds for a unit, from its own folder up.
    fn above(&self, finding: &Finding, unit: &Unit) -> Vec<&Setting<'e>> {
        let (mut found, mut folder) = (Vec::new(), unit.root.clone());
        loop {
            let key = (finding.origin.tree.clone(), folder);
            found.extend(self.settings.get(&key).into_iter().flatten());
            folder = key.1.parent();
            if key.1.as_bytes().is_empty() {
                return found;
            }
        }
    }

    /// By what the unit holds, else by its record, else by a lock file of a tool that leaves no record.
    fn tool(&self, finding: &Finding, unit: &Unit) -> Option<Tool> {
        let has = |name: &[u8]| finding.origin.path.components().any(|part| part == name);
        let by_place = [(b".pnpm".as_slice(), Tool::Pnpm), (b".bun", Tool::Bun), (b".deno", Tool::Deno)];
        let by_place = by_place.iter().find(|(name, _)| has(name)).map(|(_, tool)| *tool);
        // mise has a `~/.mise` too, in which npm installs.
        let parts: Vec<&[u8]> = finding.origin.path.components().collect();
        let of_aube = |w: &[&[u8]]| matches!(w, [b"node_modules", b".aube" | b".mise"]);
        let by_place = by_place.or_else(|| parts.windows(2).any(of_aube).then_some(Tool::Aube));
        let by_record = self.of_unit.get(&(&finding.origin.tree, unit.root.clone())).copied();
        let locked = |s: &&Setting<'e>| s.by == "bun" && s.word() != Word::Switch;
        let unplugged = has(b"unplugged").then_some(Tool::Berry);
        let by_lock = || self.above(finding, unit).into_iter().find(locked).map(|_| Tool::Bun);
        by_record.or(by_place).or(unplugged).or_else(by_lock)
    }
}

/// The tool that writes a record of this name into the `node_modules` that it made.
fn tool_of(record: &TreePath) -> Option<Tool> {
    match record.name() {
        b".package-lock.json" => Some(Tool::Npm),
        b".modules.yaml" => Some(Tool::Pnpm),
        b".yarn-integrity" => Some(Tool::Classic),
        b".yarn-state.yml" => Some(Tool::Berry),
        _ => None,
    }
}

impl Setting<'_> {
    fn word(&self) -> Word {
        match (self.by, self.origin.path.name()) {
            (_, b"bun.lock" | b"bun.lockb" | b"yarn.lock") => Word::Default,
            (_, b"package.json" | b"pnpm-workspace.yaml" | b"aube-workspace.yaml") => Word::List,
            (_, b".yarnrc.yml") => Word::Others,
            _ => Word::Switch,
        }
    }

    /// Whether a tool reads it. Lists of npm allow what they name and block nothing: it warns of the others and runs them.
    fn is_read_by(&self, tool: Tool) -> bool {
        let of_npm = self.by == "npm" && self.origin.path.name() != b"package.json";
        let name = self.origin.path.name();
        match tool {
            Tool::Npm => of_npm,
            // pnpm reads `.npmrc`.
            Tool::Pnpm => self.by == "pnpm" || of_npm,
            Tool::Classic => {
                of_npm || self.by == "yarn" && !matches!(name, b".yarnrc.yml" | b"yarn.lock" | b"package.json")
            }
            Tool::Berry => self.by == "yarn" && !matches!(name, b".yarnrc" | b".yarn-integrity"),
            Tool::Bun => self.by == "bun",
            Tool::Deno => false,
            // It reads what is written for pnpm too.
            Tool::Aube => matches!(self.by, "aube" | "pnpm") || of_npm,
        }
    }

    /// Whether the script of a package runs by this word; `None` where it says nothing of it.
    fn runs(&self, package: &Purl) -> Option<bool> {
        let names = |entry: &str| {
            let at = entry.char_indices().skip(1).find(|(_, c)| *c == '@').map_or(entry.len(), |(at, _)| at);
            let (name, versions) = entry.split_at_checked(at).unwrap_or((entry, ""));
            let versions = versions.trim_start_matches('@').trim_start_matches("npm:");
            let version = package.version.as_deref().unwrap_or_default();
            name == &*package.name
                && (versions.is_empty()
                    || versions.split("||").any(|v| same_version(Ecosystem::Npm, v.trim(), version)))
        };
        let refused = self.allowed.iter().any(|a| a.strip_prefix('!').is_some_and(names));
        let allowed = !refused && self.allowed.iter().any(|a| names(a));
        let has = |mark: &str| self.allowed.iter().any(|a| &**a == mark);
        // A list of those that must not run says nothing of the others.
        let only_refuses = !self.allowed.is_empty() && self.allowed.iter().all(|a| a.starts_with('!'));
        match (refused, allowed || has("*")) {
            (true, _) => Some(false),
            (_, true) => Some(true),
            _ if has("?") || only_refuses => None,
            _ if self.is_buns_default() && BUN_TRUSTS.lines().any(|name| name == &*package.name) => Some(true),
            _ => Some(false),
        }
    }

    /// Bun has a list of its own where a project has none.
    fn is_buns_default(&self) -> bool {
        self.by == "bun" && self.word() == Word::Default && self.allowed.is_empty()
    }

    fn why(&self) -> String {
        let place = escape(self.origin.path.text().as_bytes());
        match (self.word(), self.origin.path.name()) {
            (_, b".yarn-integrity") => format!("`{place}` says that yarn ran with its scripts switched off"),
            (Word::Default, _) => format!(
                "{} runs no scripts of packages that nobody allowed, `{place}` is of a version that does so, and nothing shows that one ran",
                self.by
            ),
            _ => format!("`{place}` keeps {} from running scripts now, and nothing shows that one ran", self.by),
        }
    }
}
