//! Words of a shell command, so that a path of any bytes means exactly that path and shows as harmless text.

use std::fmt::Write as _;

use crate::{shell::syntax::parse, text::hidden};

/// One word of POSIX `sh`: plain where that is safe, `'…'` where that is enough, else what `printf` writes, for bytes that cannot be
/// shown. No quote stands inside the last: where a shell reads it otherwise it is another word, and still no command.
pub fn quote(raw: &[u8]) -> String {
    let text = std::str::from_utf8(raw).ok().filter(|t| !t.chars().any(hidden));
    match text {
        Some(t) if is_plain(t) => t.to_owned(),
        // fish reads a backslash in single quotes.
        Some(t) if !t.contains('\\') => format!("'{}'", t.replace('\'', r"'\''")),
        _ => printed(raw),
    }
}

/// Whether a text needs no quotes anywhere in a command, and is no option.
pub fn is_plain(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+:@%,=".contains(&b);
    !text.is_empty() && !text.starts_with(['-', '=']) && text.bytes().all(plain)
}

/// Programs of every POSIX system, and of systemd, launchd and OpenSSH: what their options mean does not change with a vendor's release.
const OWN: &[&str] = &[
    "",
    ":",
    "[",
    "awk",
    "cat",
    "cd",
    "chmod",
    "cmp",
    "command",
    "cp",
    "crontab",
    "cut",
    "date",
    "diff",
    "dirname",
    "echo",
    "exit",
    "export",
    "false",
    "find",
    "fuser",
    "getent",
    "grep",
    "head",
    "id",
    "journalctl",
    "kill",
    "launchctl",
    "loginctl",
    "ls",
    "mkdir",
    "mktemp",
    "mv",
    "pgrep",
    "printf",
    "ps",
    "pwd",
    "read",
    "rm",
    "runuser",
    "sed",
    "set",
    "sh",
    "sha256sum",
    "shasum",
    "shift",
    "sleep",
    "sort",
    "ssh-add",
    "ssh-keygen",
    "stat",
    "systemctl",
    "tail",
    "tar",
    "tee",
    "test",
    "touch",
    "tr",
    "true",
    "umask",
    "uname",
    "uniq",
    "wc",
    "who",
    "zgrep",
];

/// Whether a command starts nothing but a system's own programs.
pub fn own_tools(command: &str) -> bool {
    parse(command).is_ok_and(|commands| commands.iter().all(|c| OWN.contains(&c.program())))
}

/// `%b` reads a backslash, a zero and three octal digits as that byte.
fn printed(raw: &[u8]) -> String {
    let mut word = String::new();
    for b in raw {
        match b {
            b' '..=b'~' if !matches!(b, b'\'' | b'\\') => word.push(char::from(*b)),
            _ => {
                let _ = write!(word, "\\0{b:03o}");
            }
        }
    }
    format!("\"$(printf %b '{word}')\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_stay_as_they_are() {
        assert_eq!(quote(b"/home/alice/.venv/lib/python3.11"), "/home/alice/.venv/lib/python3.11");
        assert_eq!(quote(b""), "''");
        assert_eq!(quote(b"-rf"), "'-rf'");
        assert_eq!(quote(b"=ls"), "'=ls'");
    }

    #[test]
    fn odd_bytes_keep_their_value_and_lose_their_power() {
        assert_eq!(quote(b"/a b/$(id)`x`"), "'/a b/$(id)`x`'");
        assert_eq!(quote(b"/it's"), r"'/it'\''s'");
        assert_eq!(quote(br"/a\'$(x)'"), r#""$(printf %b '/a\0134\0047$(x)\0047')""#);
        assert_eq!(quote(b"/a\x1b[31m\n\xff1"), r#""$(printf %b '/a\0033[31m\0012\03771')""#);
        assert_eq!(quote("/x\u{202e}y".as_bytes()), r#""$(printf %b '/x\0342\0200\0256y')""#);
        assert_eq!(quote("/straße".as_bytes()), "'/straße'");
        assert_eq!(quote(b"~/x"), "'~/x'");
        assert_eq!(quote(b"/a!b"), "'/a!b'");
    }
}
