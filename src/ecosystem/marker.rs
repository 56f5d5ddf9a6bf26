//! Environment markers of Python requirements: `python_version >= '3.8' and extra == 'proxy'`.
//!
//! Read here and not by a crate: those that there are panic on some texts, recurse without bound on others, and take exponential
//! time on a third kind; a hostile package writes what it likes. What is not known of an environment may hold: only what surely
//! does not hold takes a requirement away. Documented in "Dependency specifiers" of packaging.python.org.

use super::pypi::{admits, normalise};

/// Parentheses within parentheses. Real markers have two or three.
const DEPTH: u32 = 24;
/// Longer ones are not read.
const LENGTH: usize = 4096;

/// What is known of the environment that a marker is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Machine {
    /// Major and minor release of its interpreter.
    pub python: Option<(u32, u32)>,
    /// The operating system.
    pub system: Option<System>,
}

/// An operating system, as far as markers distinguish them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Linux.
    Linux,
    /// macOS.
    Darwin,
    /// Windows.
    Windows,
}

/// A marker that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker(Expr);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Expr {
    All(Vec<Expr>),
    Any(Vec<Expr>),
    Is {
        variable: String,
        op: String,
        value: String,
    },
    /// Two literals, or two variables: nobody writes that.
    Unknown,
}

impl Marker {
    /// `None` for what is no marker.
    pub fn new(text: &str) -> Option<Self> {
        let mut tokens = Tokens { rest: (text.len() <= LENGTH).then_some(text)? };
        let expr = any(&mut tokens, 0)?;
        (tokens.next() == Some(Token::End)).then_some(Self(expr))
    }

    /// Whether it holds when this extra was asked for, or none; `None` where that is not known.
    pub fn holds(&self, machine: Machine, extra: Option<&str>) -> Option<bool> {
        holds(&self.0, machine, extra)
    }

    /// The extras that it asks about, normalised.
    pub fn extras(&self) -> Vec<String> {
        let (mut todo, mut found) = (vec![&self.0], Vec::new());
        while let Some(expr) = todo.pop() {
            match expr {
                Expr::All(parts) | Expr::Any(parts) => todo.extend(parts),
                Expr::Is { variable, value, .. } if variable == "extra" => found.push(normalise(value)),
                Expr::Is { .. } | Expr::Unknown => {}
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn holds(expr: &Expr, machine: Machine, extra: Option<&str>) -> Option<bool> {
    match expr {
        Expr::All(parts) => fold(parts, machine, extra, false),
        Expr::Any(parts) => fold(parts, machine, extra, true),
        Expr::Is { variable, op, value } => is(variable, op, value, machine, extra),
        Expr::Unknown => None,
    }
}

/// `decides` ends it: one false of all, one true of any.
fn fold(parts: &[Expr], machine: Machine, extra: Option<&str>, decides: bool) -> Option<bool> {
    let mut known = true;
    for part in parts {
        match holds(part, machine, extra) {
            Some(held) if held == decides => return Some(decides),
            Some(_) => {}
            None => known = false,
        }
    }
    known.then_some(!decides)
}

fn is(variable: &str, op: &str, value: &str, machine: Machine, extra: Option<&str>) -> Option<bool> {
    match variable {
        "extra" => text(&extra.map(normalise).unwrap_or_default(), op, &normalise(value)),
        "python_version" => {
            let (major, minor) = machine.python?;
            version(&format!("{major}.{minor}"), op, value)
        }
        // The micro release is not known: it decides only where the first and the last of them agree.
        "python_full_version" => {
            let (major, minor) = machine.python?;
            let first = version(&format!("{major}.{minor}.0"), op, value)?;
            let last = version(&format!("{major}.{minor}.99"), op, value)?;
            (first == last).then_some(first)
        }
        "os_name" | "os.name" => text(if machine.system? == System::Windows { "nt" } else { "posix" }, op, value),
        "sys_platform" | "sys.platform" => {
            let name = match machine.system? {
                System::Linux => "linux",
                System::Darwin => "darwin",
                System::Windows => "win32",
            };
            text(name, op, value)
        }
        "platform_system" => {
            let name = match machine.system? {
                System::Linux => "Linux",
                System::Darwin => "Darwin",
                System::Windows => "Windows",
            };
            text(name, op, value)
        }
        _ => None,
    }
}

fn text(known: &str, op: &str, value: &str) -> Option<bool> {
    match op {
        "==" | "===" => Some(known == value),
        "!=" => Some(known != value),
        "in" => Some(value.contains(known)),
        "not in" => Some(!value.contains(known)),
        _ => None,
    }
}

fn version(known: &str, op: &str, value: &str) -> Option<bool> {
    match op {
        "in" | "not in" => {
            let listed = value.split([' ', ',', '|']).any(|v| v.trim() == known);
            Some(listed == (op == "in"))
        }
        _ => Some(admits(&format!("{op}{value}"), known)),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token<'t> {
    Open,
    Close,
    Word(&'t str),
    Literal(&'t str),
    Op(&'t str),
    End,
}

struct Tokens<'t> {
    rest: &'t str,
}

impl<'t> Tokens<'t> {
    fn cut(&mut self, at: usize) -> Option<&'t str> {
        let (taken, rest) = self.rest.split_at_checked(at)?;
        self.rest = rest;
        Some(taken)
    }

    /// `None` for what is in no marker.
    fn next(&mut self) -> Option<Token<'t>> {
        self.rest = self.rest.trim_start();
        let Some(first) = self.rest.chars().next() else {
            return Some(Token::End);
        };
        match first {
            '(' => self.cut(1).map(|_| Token::Open),
            ')' => self.cut(1).map(|_| Token::Close),
            '\'' | '"' => {
                self.cut(1)?;
                let text = self.cut(self.rest.find(first)?)?;
                self.cut(1)?;
                Some(Token::Literal(text))
            }
            '<' | '>' | '=' | '!' | '~' => {
                let end = self.rest.find(|c| !"<>=!~".contains(c)).unwrap_or(self.rest.len());
                let op = self.cut(end)?;
                ["<", "<=", ">", ">=", "==", "!=", "~=", "==="].contains(&op).then_some(Token::Op(op))
            }
            c if c.is_ascii_alphabetic() => {
                let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
                let end = self.rest.find(|c| !name(c)).unwrap_or(self.rest.len());
                self.cut(end).map(Token::Word)
            }
            _ => None,
        }
    }

    /// The next one if it is this word.
    fn word(&mut self, word: &str) -> bool {
        let mut ahead = Self { rest: self.rest };
        let is = ahead.next() == Some(Token::Word(word));
        if is {
            self.rest = ahead.rest;
        }
        is
    }
}

fn any(tokens: &mut Tokens<'_>, depth: u32) -> Option<Expr> {
    let mut parts = vec![all(tokens, depth)?];
    while tokens.word("or") {
        parts.push(all(tokens, depth)?);
    }
    Some(if parts.len() == 1 { parts.pop()? } else { Expr::Any(parts) })
}

fn all(tokens: &mut Tokens<'_>, depth: u32) -> Option<Expr> {
    let mut parts = vec![term(tokens, depth)?];
    while tokens.word("and") {
        parts.push(term(tokens, depth)?);
    }
    Some(if parts.len() == 1 { parts.pop()? } else { Expr::All(parts) })
}

fn term(tokens: &mut Tokens<'_>, depth: u32) -> Option<Expr> {
    let left = tokens.next()?;
    if left == Token::Open {
        let inner = (depth < DEPTH).then(|| any(tokens, depth + 1))??;
        return (tokens.next() == Some(Token::Close)).then_some(inner);
    }
    let op = match tokens.next()? {
        Token::Op(op) => op,
        Token::Word("in") => "in",
        Token::Word("not") if tokens.word("in") => "not in",
        _ => return None,
    };
    let is = |variable: &str, op: &str, value: &str| Expr::Is {
        variable: variable.to_owned(),
        op: op.to_owned(),
        value: value.to_owned(),
    };
    match (left, tokens.next()?) {
        (Token::Word(variable), Token::Literal(value)) => Some(is(variable, op, value)),
        (Token::Literal(value), Token::Word(variable)) => Some(match turned(op) {
            Some(op) => is(variable, op, value),
            None => Expr::Unknown,
        }),
        (Token::Word(_), Token::Word(_)) | (Token::Literal(_), Token::Literal(_)) => Some(Expr::Unknown),
        _ => None,
    }
}

/// The operator with its sides changed; `None` where that has no other form.
fn turned(op: &str) -> Option<&'static str> {
    match op {
        "<" => Some(">"),
        "<=" => Some(">="),
        ">" => Some("<"),
        ">=" => Some("<="),
        "==" => Some("=="),
        "===" => Some("==="),
        "!=" => Some("!="),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINUX_311: Machine = Machine { python: Some((3, 11)), system: Some(System::Linux) };
    const WINDOWS: Machine = Machine { python: None, system: Some(System::Windows) };

    fn evaluated(text: &str, machine: Machine, extra: Option<&str>) -> Option<bool> {
        Marker::new(text).unwrap().holds(machine, extra)
    }

    #[test]
    fn markers_hold_as_pip_says() {
        for (text, holds) in [
            ("python_version >= '3.8'", true),
            ("python_version < \"3.8\"", false),
            ("'3.8' <= python_version", true),
            ("python_version in '3.10 3.11'", true),
            ("python_version not in '3.10, 3.11'", false),
            ("python_version ~= '3.9'", true),
            ("python_version == '3.*'", true),
            ("python_full_version >= '3.10.5'", true),
            ("sys_platform == 'win32'", false),
            ("sys_platform != 'win32' and os_name == 'posix'", true),
            ("platform_system == 'Windows' or platform_system == 'Linux'", true),
            ("(sys_platform == 'win32' or python_version > '3') and (os_name == 'posix')", true),
            ("extra == 'x'", false),
            ("platform_machine == 'arm64' and sys_platform == 'darwin'", false),
            ("platform_machine == 'arm64' or sys_platform == 'linux'", true),
        ] {
            assert_eq!(evaluated(text, LINUX_311, None), Some(holds), "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_denied() {
        for (text, machine) in [
            ("platform_machine == 'arm64'", LINUX_311),
            ("python_full_version >= '3.11.4'", LINUX_311),
            ("python_version >= '3.8'", WINDOWS),
            ("sys_platform == 'linux'", Machine::default()),
            ("'a' == 'b'", LINUX_311),
            ("implementation_name == 'pypy' and sys_platform == 'linux'", LINUX_311),
        ] {
            assert_eq!(evaluated(text, machine, None), None, "{text}");
        }
    }

    #[test]
    fn extras_are_asked_for_by_their_normal_name() {
        assert_eq!(evaluated("extra == 'Foo_Bar'", LINUX_311, Some("foo.bar")), Some(true));
        assert_eq!(evaluated("extra == 'a' and sys_platform == 'win32'", LINUX_311, Some("a")), Some(false));
        assert_eq!(evaluated("extra != 'a'", LINUX_311, None), Some(true));
        let marker = Marker::new("extra == 'B' or (extra == 'a' and python_version > '3')").unwrap();
        assert_eq!(marker.extras(), ["a", "b"]);
    }

    #[test]
    fn hostile_texts_are_no_markers() {
        let deep = format!("{}os_name == 'x'{}", "(".repeat(100_000), ")".repeat(100_000));
        let nested = format!("{}os_name == 'x'{}", "(".repeat(500), ")".repeat(500));
        let long = vec!["extra == 'x'"; 10_000].join(" or ");
        for text in [
            "",
            "x",
            "x- > 1",
            "os_name",
            "os_name ==",
            "os_name == 'x",
            "os_name == 'x' and",
            "== 'x'",
            ")",
            "\u{1b}",
            "os_name = 'x'",
            "os_name == 'x' os_name == 'x'",
            "not os_name == 'x'",
            "é == 'x'",
            &deep,
            &nested,
            &long,
        ] {
            assert_eq!(Marker::new(text), None, "{}", text.get(..40).unwrap_or(text));
        }
    }
}
