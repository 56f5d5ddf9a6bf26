//! What the kernel's audit recorded of programs that were started.
//!
//! ```text
//! /var/log/audit/audit.log      also rotated: audit.log.1
//!
//! type=SYSCALL msg=audit(1774347072.123:456): arch=c000003e syscall=59 … auid=1000 uid=0 gid=0 … exe="/usr/bin/python3.11"
//! type=EXECVE msg=audit(1774347072.123:456): argc=3 a0="pip" a1="install" a2=6C6974656C6C6D3D3D312E38322E38
//! type=CWD msg=audit(1774347072.123:456): cwd="/home/al"
//! ```
//!
//! A word that holds a space, a quote or a byte beyond ASCII is written in hex. Records of one event have one number and stand together;
//! `execve` is recorded only where rules ask for it. A hit proves that the program was started with these words; not how it ended.
//! Documented in the kernel's audit userspace, `auditd(8)` and `ausearch(8)`.

use super::logged_facts;
use crate::{
    fact::At,
    interest::Interest,
    shell::quoted,
    surface::{Claim, CommandSource, Flaw, Meta, Opened, Shows, Sink, Surface, system::text_lines},
};

/// `audit.log`.
pub struct AuditLog;

static META: Meta = Meta {
    id: "history/audit-log",
    title: "programs that the kernel's audit recorded",
    proves: "the program was started with these words; not how it ended",
};

/// Words of one command.
const WORDS: usize = 500;

impl Surface for AuditLog {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Packages, Shows::Network, Shows::Images]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::affix("audit.log", "").in_root("var/log/audit")]
    }

    fn commands(&self) -> CommandSource {
        CommandSource::Typed
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let is_one = head.starts_with(b"type=") && memchr::memmem::find(head, b" msg=audit(").is_some();
        is_one.then_some("var/log/audit/audit.log")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let interest = file.interest;
        let mut event = Event::default();
        let end = text_lines::each(file, &mut |line, number| {
            let Some((kind, serial, rest)) = record(line) else {
                return;
            };
            if serial != event.serial {
                std::mem::take(&mut event).report(interest, out);
                serial.clone_into(&mut event.serial);
            }
            match kind {
                "SYSCALL" => event.uid = field(rest, "uid").and_then(|uid| uid.parse().ok()),
                "CWD" => event.folder = field(rest, "cwd").map(plain),
                "EXECVE" => {
                    event.line = number;
                    event.words.extend(words(rest));
                }
                _ => {}
            }
        });
        event.report(interest, out);
        end
    }
}

/// The records of one number.
#[derive(Default)]
struct Event {
    /// `1774347072.123:456`.
    serial: String,
    line: u32,
    words: Vec<String>,
    uid: Option<u32>,
    folder: Option<String>,
}

impl Event {
    fn report(self, interest: &Interest, out: &mut Sink<'_>) {
        if self.words.is_empty() {
            return;
        }
        let seconds = self.serial.split('.').next().and_then(|text| text.parse().ok());
        let at = seconds.and_then(|seconds| At::unix(seconds, "time in the audit log"));
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let text = quoted(behind_interpreter(&words));
        let folder = self.folder.filter(|f| f.starts_with('/')).map(Into::into);
        let uid = self.uid.map(|uid| uid.to_string());
        for fact in logged_facts(text.as_bytes(), folder, uid.as_deref(), interest) {
            out.push_at(None, Some(self.line), at.clone(), fact);
        }
    }
}

/// Where the kernel started an interpreter for a script, the script: `/usr/bin/python3 /home/al/v/bin/pip install x`.
fn behind_interpreter<'w, 'a>(words: &'w [&'a str]) -> &'w [&'a str] {
    match words {
        [first, script, ..] if first.starts_with('/') && script.starts_with('/') && !script.contains("..") => {
            words.get(1..).unwrap_or_default()
        }
        _ => words,
    }
}

/// The kind of a record, its number and what follows.
fn record(line: &str) -> Option<(&str, &str, &str)> {
    let (kind, rest) = line.strip_prefix("type=")?.split_once(" msg=audit(")?;
    let (serial, rest) = rest.split_once("):")?;
    Some((kind, serial, rest))
}

/// The value of a field, as written.
fn field<'l>(rest: &'l str, name: &str) -> Option<&'l str> {
    rest.split_whitespace().find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

/// The words of a command.
fn words(rest: &str) -> Vec<String> {
    let numbered = |part: &str| {
        let (name, value) = part.split_once('=')?;
        let number = name.strip_prefix('a')?;
        // Long words come in pieces, `a2[0]`: these name no package.
        (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then(|| plain(value))
    };
    rest.split_whitespace().filter_map(numbered).take(WORDS).collect()
}

/// A value without its quotes, or out of hex.
fn plain(value: &str) -> String {
    if let Some(inner) = value.strip_prefix('"') {
        return inner.strip_suffix('"').unwrap_or(inner).to_owned();
    }
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pairs = value.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? * 16 + digit(*low)?),
        _ => None,
    });
    pairs
        .collect::<Option<Vec<u8>>>()
        .map_or_else(|| value.to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_or_hex() {
        assert_eq!(words(r#" argc=3 a0="pip" a1="install" a2=6C69"#), ["pip", "install", "li"]);
        assert_eq!(words(r#" argc=2 a0="x" a1[0]=6C69 a1_len=2 ab="x" a="y""#), ["x"]);
        assert_eq!((plain("zz"), plain("6C6"), plain("")), ("zz".to_owned(), "6C6".to_owned(), String::new()));
    }

    #[test]
    fn a_script_is_what_was_started() {
        let of = |words: &[&str]| behind_interpreter(words).join(" ");
        assert_eq!(of(&["/usr/bin/python3", "/home/al/v/bin/pip", "install", "x"]), "/home/al/v/bin/pip install x");
        assert_eq!(of(&["pip", "install", "x"]), "pip install x");
        assert_eq!(of(&["/usr/bin/pip", "install", "x"]), "/usr/bin/pip install x");
        assert_eq!(of(&[]), "");
    }

    #[test]
    fn other_lines_are_no_records() {
        for line in ["", "type=", "type=EXECVE msg=audit(1", "node=x type=EXECVE msg=audit(1.2:3): a0=\"x\""] {
            assert_eq!(record(line), None, "{line}");
        }
    }
}
