//! The grammar of POSIX `sh`, as far as a line needs it that a person is to copy: whether a shell takes it, what it starts, and
//! what stands in quotes. Unlike the rest of this module it reads our own texts, so what it does not know is a fault.

mod parser;

pub use parser::parse;

/// What a shell would not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `'…`, `"…`, a backtick: never closed.
    Quote,
    /// `$(…`, `${…`, `(…`: never closed.
    Bracket,
    /// `;;`, `| |`, a closing word or bracket that closes nothing.
    Unexpected,
    /// `if` without `fi`, `for` without `done` …
    Unfinished,
    /// Brackets within brackets, more than anybody reads.
    Deep,
}

impl Fault {
    /// A few words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quote => "a quote that never closes",
            Self::Bracket => "a bracket that never closes",
            Self::Unexpected => "a word or operator where a command has to stand",
            Self::Unfinished => "a compound command that never ends",
            Self::Deep => "brackets within brackets within brackets",
        }
    }
}

/// One command with its words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// `NAME=value` before the command.
    pub assignments: Vec<Word>,
    /// The program and its arguments; none where only variables are set.
    pub words: Vec<Word>,
    /// Its standard output goes to a file.
    pub to_file: bool,
    /// Its standard output goes to the next command.
    pub to_pipe: bool,
}

impl Command {
    /// The program, behind what only starts another one.
    pub fn program(&self) -> &str {
        self.behind().0
    }

    /// The words behind the program.
    pub fn arguments(&self) -> &[Word] {
        self.behind().1
    }

    fn behind(&self) -> (&str, &[Word]) {
        const STARTERS: &[&str] = &["sudo", "env", "exec", "command", "nohup", "time", "xargs", "nice"];
        let mut words = self.words.as_slice();
        loop {
            let Some((first, rest)) = words.split_first() else {
                return ("", &[]);
            };
            let name = first.text.rsplit('/').next().unwrap_or_default();
            let started = rest.iter().position(|w| !w.text.starts_with('-') && !w.text.contains('='));
            match started.and_then(|at| rest.get(at..)) {
                Some(behind) if STARTERS.contains(&name) => words = behind,
                _ => return (name, rest),
            }
        }
    }
}

/// One word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Word {
    /// Without its quotes; what a shell would put in stays as it is written.
    pub text: String,
    /// A variable or a command stands in it outside quotes: its value is cut into words.
    pub splits: bool,
    /// A variable or a command stands in it at all.
    pub expands: bool,
}

/// Whether every `mark` of a text stands outside quotes, so that a quoted word may be put in its place.
pub fn is_bare(text: &str, mark: &str) -> bool {
    let open = text.match_indices(mark).any(|(at, _)| is_quoted(text.get(..at).unwrap_or_default()));
    !open
}

/// Whether the text ends inside quotes. What stands in `$(…)` has quotes of its own.
fn is_quoted(before: &str) -> bool {
    let mut open: Vec<char> = Vec::new();
    let mut chars = before.chars().peekable();
    while let Some(c) = chars.next() {
        match (open.last(), c) {
            (Some('\''), '\'') | (Some('"'), '"') | (Some('`'), '`') => _ = open.pop(),
            (Some('\''), _) => {}
            (_, '\\') => _ = chars.next(),
            (_, '$') if chars.next_if_eq(&'(').is_some() => open.push(')'),
            (Some(')'), ')') => _ = open.pop(),
            (Some('"'), '\'') => {}
            (_, '\'' | '"' | '`') => open.push(c),
            _ => {}
        }
    }
    matches!(open.last(), Some('\'' | '"' | '`'))
}

#[cfg(test)]
mod tests;
