//! Texts that start by themselves, or with a project: hooks, tasks, scripts of a shell. Only the indicator's own words and the commands
//! that install leave here.

use crate::{
    fact::{At, Command, CommandAction, Fact, Held, TreePath},
    interest::Interest,
    shell,
    surface::{Flaw, Opened, Sink, container::used, fetched, starts},
};

/// A longer command is none that anybody wrote.
const COMMAND: usize = 64 << 10;
/// Commands of one file.
const MOST: usize = 1000;
/// Of a name that a file gives.
const NAME: usize = 64;

/// When a text starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// With a session, a login, a boot, or something that its owner does all day.
    ByItself,
    /// Once somebody opens, trusts or uses the project that holds it.
    InProject,
    /// Once somebody asks for it.
    ByHand,
}

/// Reports the commands and scripts of one file.
pub struct Hooks<'o, 's, 'i> {
    out: &'o mut Sink<'s>,
    interest: &'i Interest,
    at: Option<At>,
    sha256: String,
    left: usize,
    /// A command was too long to be read.
    long: bool,
}

impl<'o, 's, 'i> Hooks<'o, 's, 'i> {
    /// # Errors
    /// When the medium fails.
    pub fn new(file: &mut Opened<'_, '_>, interest: &'i Interest, out: &'o mut Sink<'s>) -> Result<Self, Flaw> {
        let at = file.entry.btime.map(|t| At::new(t, "birth time")).or_else(|| file.mtime("mtime of the file"));
        Ok(Self { out, interest, at, sha256: file.sha256()?, left: MOST, long: false })
    }

    /// A command, or a few in one text, that stands on a line of the file. `what` says of what it is part, where
    /// that is no more than the line; `folder` where it starts.
    pub fn command(&mut self, text: &str, what: &str, line: Option<u32>, when: When, folder: Option<&str>) {
        self.long |= text.len() > COMMAND;
        let Some(left) = self.left.checked_sub(1).filter(|_| text.len() <= COMMAND) else { return };
        self.left = left;
        let mut facts = traces(text, self.interest, when, &self.sha256);
        facts.extend(installs(text).map(Fact::Command));
        facts.extend(shell::images(text).iter().filter_map(|image| used(image)));
        facts.extend(started(text, when, None, folder));
        // One without a line would be taken for its whole file.
        let line = line.or(Some(1));
        for fact in facts {
            self.out.push_at(Some(what).filter(|what| !what.is_empty()), line, self.at.clone(), fact);
        }
    }

    /// A script, or settings in lines.
    pub fn script(&mut self, text: &str, when: When, account: Option<&str>) {
        for (number, line) in logical_lines(text) {
            for fact in traces(&line, self.interest, when, &self.sha256) {
                self.out.push_at(None, Some(number), self.at.clone(), fact);
            }
        }
        for command in installs(text) {
            let Some(left) = self.left.checked_sub(1) else { break };
            self.left = left;
            let line = command.wanted.first().and_then(|wanted| line_with(text, &wanted.name));
            self.out.push_at(None, line, self.at.clone(), Fact::Command(command));
        }
        for image in shell::images(text) {
            let Some(left) = self.left.checked_sub(1) else { break };
            self.left = left;
            let line = line_with(text, &image);
            if let Some(fact) = used(&image) {
                self.out.push_at(None, line, self.at.clone(), fact);
            }
        }
        for fact in started(text, when, account, None) {
            self.out.push(self.at.clone(), fact);
        }
    }

    /// Something else that the file says, on a line of it.
    pub fn fact(&mut self, what: &str, line: Option<u32>, fact: Fact) {
        self.out.push_at(Some(what), line, self.at.clone(), fact);
    }

    /// An address that a setting names.
    pub fn address(&mut self, value: &str, what: &str, line: Option<u32>, when: When) {
        if let Some((kind, known)) = self.interest.traces.address(value) {
            self.fact(what, line, fetched::fact(kind, known, held(when)));
        }
    }

    /// Whether commands were left out.
    ///
    /// # Errors
    /// Where there were too many of them, or one was too long.
    pub fn finish(self) -> Result<(), Flaw> {
        if self.long {
            return Err(Flaw::TooLarge(u64::try_from(COMMAND).unwrap_or(u64::MAX)));
        }
        if self.left == 0 { Err(Flaw::Unsupported("a file of more than 1000 commands")) } else { Ok(()) }
    }
}

fn held(when: When) -> Held {
    match when {
        When::ByItself => Held::Starts,
        When::InProject => Held::InProject,
        When::ByHand => Held::Named,
    }
}

/// What a line holds of addresses, texts and command lines of payloads.
fn traces(line: &str, interest: &Interest, when: When, sha256: &str) -> Vec<Fact> {
    let mut facts = fetched::held_by(line, interest, held(when));
    if when != When::ByHand && !line.trim_start().starts_with('#') {
        let parts = line.split([';', '&', '|']).filter(|part| !fetched::only_mentions(part));
        let mut texts: Vec<_> = parts.flat_map(|part| interest.texts_in(part.as_bytes())).collect();
        texts.sort_unstable();
        texts.dedup();
        if !texts.is_empty() {
            facts.push(Fact::Autostart { texts, sha256: sha256.to_owned(), in_project: when == When::InProject });
        }
    }
    facts
}

fn installs(text: &str) -> impl Iterator<Item = Command> {
    let commands = shell::typed_commands(text).into_iter();
    commands.filter(|c| c.action != CommandAction::Start && !c.wanted.is_empty())
}

fn started(text: &str, when: When, account: Option<&str>, folder: Option<&str>) -> Vec<Fact> {
    let mut facts = starts::in_folder(text, account, folder);
    if when != When::ByItself {
        facts.iter_mut().for_each(starts::only_where_enabled);
    }
    facts
}

/// Lines as a shell reads them, with the number of their first: a backslash at the end joins the next.
fn logical_lines(text: &str) -> impl Iterator<Item = (u32, String)> {
    let mut lines = (1..).zip(text.lines());
    std::iter::from_fn(move || {
        let (number, first) = lines.next()?;
        let mut whole = first.to_owned();
        while whole.ends_with('\\') && whole.len() < COMMAND {
            whole.pop();
            let Some((_, more)) = lines.next() else { break };
            whole.push(' ');
            whole.push_str(more);
        }
        Some((number, whole))
    })
}

/// The first line that holds a word, as a word, and is no comment.
fn line_with(text: &str, word: &str) -> Option<u32> {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let holds = |line: &str| {
        line.match_indices(word).any(|(at, _)| {
            let (before, behind) =
                (line.get(..at).unwrap_or_default(), line.get(at + word.len()..).unwrap_or_default());
            !before.ends_with(part) && !behind.starts_with(part)
        })
    };
    let mut lines = (1..).zip(text.lines());
    lines.find(|(_, line)| !line.trim_start().starts_with('#') && holds(line)).map(|(number, _)| number)
}

/// A name that a file gives, where it is safe to show; else a number.
pub fn shown(name: &str, number: usize) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-@/: ".contains(c);
    if !name.is_empty() && name.len() <= NAME && name.chars().all(plain) {
        format!("`{name}`")
    } else {
        format!("{number}")
    }
}

/// Whether a path below a home's folder is the account's own: `home/ada/.claude/settings.json` with one folder is, the same of a project
/// is not.
pub fn is_of_home(path: &TreePath, folders: usize) -> bool {
    let parts: Vec<&[u8]> = path.components().collect();
    let Some(home) = parts.len().checked_sub(folders + 1).and_then(|end| parts.get(..end)) else {
        return false;
    };
    match home {
        [b"root"] | [b"var", b"root"] | [b"private", b"var", b"root"] => true,
        [.., above, _] => matches!(*above, b"home" | b"Users"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_are_no_projects() {
        let is = |path: &str, folders| is_of_home(&TreePath::new(path.as_bytes()).unwrap(), folders);
        for path in ["home/ada/.claude/x", "root/.claude/x", "Users/bo/.claude/x", "var/home/ada/.claude/x"] {
            assert!(is(path, 1), "{path}");
        }
        for path in ["home/ada/src/.claude/x", "srv/app/.claude/x", ".claude/x", "x", "home/.claude/x"] {
            assert!(!is(path, 1), "{path}");
        }
        assert!(is("home/ada/.bashrc", 0) && !is("home/ada/dotfiles/.bashrc", 0));
    }

    #[test]
    fn joined_lines_keep_the_number_of_the_first() {
        let lines: Vec<_> = logical_lines("a\\\nb\nc\\").collect();
        assert_eq!(lines, [(1, "a b".to_owned()), (3, "c".to_owned())]);
        assert!(logical_lines(&"\\\n".repeat(200_000)).all(|(_, line)| line.len() <= COMMAND + 1));
    }

    #[test]
    fn names_are_shown_where_they_are_plain() {
        assert_eq!(
            (shown("build it", 1), shown("\u{1b}[31m", 2), shown("", 3)),
            ("`build it`".into(), "2".into(), "3".into())
        );
    }
}
