//! What the lines of a log say, one after the other: lists that follow a line, commands that are only shown, what tests print.

use std::collections::HashSet;

use super::{
    engine,
    line::{Form, Line, Stamp},
    node::{self, List},
    packages, rust,
};
use crate::{
    fact::{At, Ecosystem, Fact, Logged, Package, Placement},
    surface::Sink,
};

/// Lines of one list, of a group, or of what a test printed.
const LINES: u32 = 5_000;
/// Facts that wait for what comes after them.
const WAITING: usize = 2_000;
/// Facts of one archive that are remembered.
const KNOWN: usize = 100_000;
/// Letters of the name of a part.
const PART: usize = 200;

/// What the lines that follow are.
#[derive(Debug)]
enum Mode {
    /// Like all others.
    Open,
    /// What uv installed.
    Uv,
    /// What a package manager of Node installed.
    Node(List),
    /// `+ name@version` of npm 6, which count once it says that it added them.
    Old(Vec<Fact>),
    /// A group that begins like the one in which GitHub shows a script before it runs it. What it holds counts where the group turns
    /// out to be somebody else's: `None` once it is known to be GitHub's.
    Shown(Option<Vec<(u32, Option<At>, Fact)>>),
    /// What a test printed.
    Printed,
    /// The package of an action.
    Action(String, String),
}

/// The state of one log.
pub struct Said<'s> {
    form: Form,
    /// What the file calls the part that these lines are.
    part: Option<&'s str>,
    /// When it was written last.
    written: Option<&'s At>,
    mode: Mode,
    /// Lines in this mode.
    lines: u32,
    digest: Option<String>,
    /// What other parts of the same log said: steps are there twice.
    known: Option<&'s mut HashSet<String>>,
    /// The part that the line before was of.
    inner: Option<String>,
    count: u64,
}

impl<'s> Said<'s> {
    pub fn new(
        form: Form,
        part: Option<&'s str>,
        known: Option<&'s mut HashSet<String>>,
        written: Option<&'s At>,
    ) -> Self {
        Self { form, part, written, mode: Mode::Open, lines: 0, digest: None, known, inner: None, count: 0 }
    }

    /// How many facts there were.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Takes a line; `before` is what stands before it. Whether the next one is wanted whatever it holds.
    pub fn line(&mut self, raw: &[u8], before: &[u8], number: u32, out: &mut Sink<'_>) -> bool {
        let raw = String::from_utf8_lossy(raw);
        let line = Line::new(self.form, &raw);
        self.enter(line.part);
        self.lines = self.lines.saturating_add(1);
        if self.lines > LINES {
            self.leave(out);
        }
        // A progress bar goes back to the start of its line.
        let last = line.text.split('\r').map(str::trim_end).rfind(|piece| !piece.is_empty()).unwrap_or_default();
        self.text(last, &line, before, number, out);
        for piece in line.text.split('\r').map(str::trim_end).filter(|piece| *piece != last) {
            if matches!(self.mode, Mode::Open) {
                self.alone(piece, line.stamp, number, out);
            }
        }
        !matches!(self.mode, Mode::Open)
    }

    /// The log has ended.
    pub fn end(&mut self, out: &mut Sink<'_>) {
        self.leave(out);
    }

    /// Notes the part that a line is of.
    fn enter(&mut self, part: Option<(&str, &str)>) {
        let Some((job, step)) = part else {
            return;
        };
        let named = match step {
            "" | "UNKNOWN STEP" => job.to_owned(),
            step => format!("{job} / {step}"),
        };
        if self.inner.as_ref() != Some(&named) {
            self.inner = Some(named.chars().take(PART).collect());
        }
    }

    fn text(&mut self, text: &str, line: &Line<'_>, before: &[u8], number: u32, out: &mut Sink<'_>) {
        match std::mem::replace(&mut self.mode, Mode::Open) {
            Mode::Open => {}
            Mode::Uv => {
                if self.rows(number, line.stamp, Ecosystem::Pypi, out, |take| packages::uv_row(text, take)) {
                    self.mode = Mode::Uv;
                    return;
                }
            }
            Mode::Node(list) => {
                if self.rows(number, line.stamp, Ecosystem::Npm, out, |take| node::row(list, text, take)) {
                    self.mode = Mode::Node(list);
                    return;
                }
            }
            Mode::Old(mut waiting) => {
                if let Some((name, version)) = node::old_row(text).filter(|_| waiting.len() < WAITING) {
                    waiting.push(package(Ecosystem::Npm, name, version, Logged::Installed));
                    self.mode = Mode::Old(waiting);
                    return;
                }
                if node::is_old_end(text) {
                    waiting.into_iter().for_each(|fact| self.push(number, line.stamp, fact, out));
                    return;
                }
            }
            Mode::Shown(held) => return self.shown(held, text, line, number, out),
            Mode::Printed => {
                if !["=====", "_____", "-----"].iter().any(|rule| text.starts_with(rule)) || is_captured(text) {
                    self.mode = Mode::Printed;
                    return;
                }
            }
            Mode::Action(name, reference) => {
                let commit = text.strip_prefix("Source commit SHA: ").map(str::trim_end);
                if let Some(commit) = commit {
                    let fact = engine::action(&name, &reference, Some(commit));
                    fact.into_iter().for_each(|fact| self.push(number, line.stamp, fact, out));
                    return;
                }
                if ["Version: ", "Digest: "].iter().any(|start| text.starts_with(start)) {
                    self.mode = Mode::Action(name, reference);
                    return;
                }
                // Without its commit.
                let fact = engine::action(&name, &reference, None);
                fact.into_iter().for_each(|fact| self.push(number, line.stamp, fact, out));
            }
        }
        self.lines = 0;
        if let Some(mode) = self.begins(text, line, before, number, out) {
            self.mode = mode;
        } else if !line.is_script {
            self.alone(text, line.stamp, number, out);
        }
    }

    /// What begins with a line.
    fn begins(&mut self, text: &str, line: &Line<'_>, before: &[u8], number: u32, out: &mut Sink<'_>) -> Option<Mode> {
        if text.starts_with("##[group]Run ") {
            return Some(Mode::Shown(Some(Vec::new())));
        }
        if is_captured(text) {
            return Some(Mode::Printed);
        }
        if packages::is_uv_list(text) {
            return Some(Mode::Uv);
        }
        if let Some(list) = node::heads(text) {
            return Some(Mode::Node(list));
        }
        if let Some((name, version)) = node::old_row(text) {
            return Some(Mode::Old(vec![package(Ecosystem::Npm, name, version, Logged::Installed)]));
        }
        if node::is_leaf(text) && self.is_below_head(before) {
            self.rows(number, line.stamp, Ecosystem::Npm, out, |take| node::row(List::Tree, text, take));
            return Some(Mode::Node(List::Tree));
        }
        let (name, reference) = engine::package(text)?;
        Some(Mode::Action(name.to_owned(), reference.to_owned()))
    }

    /// Whether the line before heads a tree of `npm ls`.
    fn is_below_head(&self, before: &[u8]) -> bool {
        let above = before.strip_suffix(b"\n").unwrap_or_default();
        let start = memchr::memrchr(b'\n', above).map_or(0, |end| end + 1);
        let raw = String::from_utf8_lossy(above.get(start..).unwrap_or_default());
        node::heads_tree(Line::new(self.form, &raw).text.trim_end())
    }

    /// A line of a group that may only show a script.
    fn shown(
        &mut self,
        held: Option<Vec<(u32, Option<At>, Fact)>>,
        text: &str,
        line: &Line<'_>,
        number: u32,
        out: &mut Sink<'_>,
    ) {
        if text.starts_with("##[endgroup]") {
            self.mode = Mode::Shown(held);
            return self.leave(out);
        }
        // Only GitHub's own groups have these.
        let is_own = line.is_script || text.starts_with("shell: ") || matches!(text, "with:" | "env:");
        let held = held.filter(|_| !is_own).map(|mut held| {
            if held.len() < WAITING {
                self.each_alone(text, &mut |fact| held.push((number, line.stamp.and_then(Stamp::at), fact)));
            }
            held
        });
        self.mode = Mode::Shown(held);
    }

    /// Ends what goes on: what waited for its end counts, where nothing speaks against it.
    fn leave(&mut self, out: &mut Sink<'_>) {
        match std::mem::replace(&mut self.mode, Mode::Open) {
            Mode::Shown(Some(held)) => {
                for (number, at, fact) in held {
                    self.put(number, at, fact, out);
                }
            }
            Mode::Action(name, reference) => {
                let fact = engine::action(&name, &reference, None);
                fact.into_iter().for_each(|fact| self.put(0, None, fact, out));
            }
            _ => {}
        }
        self.lines = 0;
    }

    /// What a line says that needs no other one.
    fn alone(&mut self, text: &str, stamp: Option<Stamp<'_>>, number: u32, out: &mut Sink<'_>) {
        if let Some(digest) = engine::digest(text) {
            self.digest = Some(digest.to_owned());
            return;
        }
        let mut found = Vec::new();
        self.each_alone(text, &mut |fact| found.push(fact));
        found.into_iter().for_each(|fact| self.push(number, stamp, fact, out));
        if text.starts_with("Status: ") {
            self.digest = None;
        }
    }

    fn each_alone(&self, text: &str, take: &mut dyn FnMut(Fact)) {
        packages::said(text, &mut |name, version, logged| take(package(Ecosystem::Pypi, name, version, logged)));
        node::said(text, &mut |name, version, logged| take(package(Ecosystem::Npm, name, version, logged)));
        rust::said(text, &mut |name, version, logged| take(package(Ecosystem::Cargo, name, version, logged)));
        if let Some(fact) = engine::said(text, self.digest.as_deref()).or_else(|| engine::fetched(text)) {
            take(fact);
        }
    }

    /// The facts of a row; whether it was one.
    fn rows(
        &mut self,
        number: u32,
        stamp: Option<Stamp<'_>>,
        ecosystem: Ecosystem,
        out: &mut Sink<'_>,
        row: impl FnOnce(&mut packages::Take<'_>) -> Option<()>,
    ) -> bool {
        let mut found = Vec::new();
        let is_row = row(&mut |name, version, logged| found.push(package(ecosystem, name, version, logged))).is_some();
        found.into_iter().for_each(|fact| self.push(number, stamp, fact, out));
        is_row
    }

    fn push(&mut self, number: u32, stamp: Option<Stamp<'_>>, fact: Fact, out: &mut Sink<'_>) {
        self.put(number, stamp.and_then(Stamp::at), fact, out);
    }

    fn put(&mut self, number: u32, at: Option<At>, fact: Fact, out: &mut Sink<'_>) {
        self.count = self.count.saturating_add(1);
        if let Some(known) = self.known.as_deref_mut().filter(|known| known.len() < KNOWN)
            && !known.insert(format!("{at:?} {fact:?}"))
        {
            return;
        }
        let inner = self.part.or(self.inner.as_deref());
        let line = Some(number).filter(|n| *n > 0);
        out.push_at(inner, line, at.or_else(|| self.written.cloned()), fact);
    }
}

/// Whether a line of a text says something alone.
pub fn says(text: &str) -> bool {
    let said = Said::new(Form::Plain, None, None, None);
    text.lines().any(|line| {
        let mut any = false;
        said.each_alone(line.trim_end(), &mut |_| any = true);
        any
    })
}

/// Whether pytest says that what follows was printed by a test.
fn is_captured(text: &str) -> bool {
    text.starts_with("---") && text.contains(" Captured std")
}

fn package(ecosystem: Ecosystem, name: &str, version: &str, logged: Logged) -> Fact {
    Fact::Package(Package {
        ecosystem,
        name: crate::ecosystem::normal_name(ecosystem, name).into(),
        version: version.into(),
        placement: Placement::Logged(logged),
        requires: [].into(),
        artifacts: Vec::new(),
    })
}
