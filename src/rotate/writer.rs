//! The one place that makes commands of steps: POSIX `sh` for Linux and macOS, without options that only GNU's tools know; plain
//! words for a Windows disk.

use super::{
    shell::quote,
    situation::absolute,
    step::{Action, Step, Unit},
};
use crate::{fact::TreePath, text::escape, verdict::Place};

/// The system that the commands are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum System {
    /// Linux, a BSD, or nobody knows.
    #[default]
    Unix,
    /// macOS.
    Mac,
    /// Windows.
    Windows,
}

impl System {
    /// By the report's word for it.
    pub fn named(os: Option<&str>) -> Self {
        match os.and_then(|o| o.split(' ').next()) {
            Some("macos") => Self::Mac,
            Some("windows") => Self::Windows,
            _ => Self::Unix,
        }
    }
}

/// A step as a person and a shell read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// In words.
    pub what: String,
    /// For `sh`.
    pub command: Option<String>,
    /// A person has to look before.
    pub by_hand: bool,
    /// What it shows where all is well.
    pub expect: Option<String>,
    /// Nobody could check the command.
    pub unchecked: bool,
    /// Where it is done, if not where its item is.
    pub place: Option<Place>,
}

/// Writes the steps of one checklist.
#[derive(Debug, Clone)]
pub struct Writer<'w> {
    /// Where the commands run.
    pub system: System,
    /// Id of the case, for the marker beside the evidence: the same from run to run.
    pub case: &'w str,
}

/// The links that enable the unit `$f`, where its manager could not remove them: beside it, or where the units of a package and of
/// `~/.local/share` are enabled.
const LINKS: &str = r#"case $f in */.local/share/systemd/user/*) d=${f%%/.local/share/*}/.config/systemd/user ;; ./lib/systemd/* | ./usr/lib/systemd/*) d=${f#*lib/}; d=./etc/${d%/*} ;; */systemd/user/* | */systemd/system/*) d=${f%/*} ;; *) d= ;; esac; for l in "$d"/*.wants/"${f##*/}" "$d"/*.requires/"${f##*/}"; do if [ -n "$d" ] && [ -L "$l" ]; then set -- "$@" "$l"; fi; done"#;

impl Writer<'_> {
    /// One step of the item with this id.
    pub fn write(&self, item: &str, step: &Step) -> Written {
        if self.system == System::Windows {
            return self.in_words(step);
        }
        let by_hand = matches!(
            step.action,
            Action::ShowProcess(_)
                | Action::EndProcess(_)
                | Action::Given(_)
                | Action::ShowUsers(..)
                | Action::ShowLinger(_)
        );
        Written {
            what: step.what.clone(),
            command: self.command(item, &step.action),
            by_hand,
            expect: step.expect.clone(),
            unchecked: step.unchecked,
            place: step.place,
        }
    }

    fn command(&self, item: &str, action: &Action) -> Option<String> {
        Some(match action {
            Action::Say => return None,
            Action::MakeEvidence => self.make_evidence(),
            Action::Keep(paths) => {
                let words: Vec<String> = paths.iter().map(|p| encoded(&absolute(p))).collect();
                format!("keep {item} {}", words.join(" "))
            }
            Action::StopUnit(unit) => format!("{} disable --now -- {}", manager(unit), quote(unit.name.as_bytes())),
            Action::MaskUnit(unit) => format!("{} mask -- {}", manager(unit), quote(unit.name.as_bytes())),
            Action::ShowLinger(account) => {
                format!("loginctl show-user --property=Linger -- {}", quote(account.as_bytes()))
            }
            Action::UnloadAgent { uid, plist } => {
                let plist = quote(&absolute(plist));
                match uid {
                    // Whoever is logged in without a screen has the other domain alone.
                    Some(uid) => format!("launchctl bootout gui/{uid} {plist} || launchctl bootout user/{uid} {plist}"),
                    None => format!("launchctl bootout system {plist}"),
                }
            }
            Action::ShowUsers(paths, texts) => self.show_users(paths, texts),
            Action::ShowProcess(pid) => format!("ps -o user=,args= -p {pid}"),
            Action::EndProcess(pid) => format!("kill -KILL {pid}"),
            Action::Given(command) => command.clone(),
        })
    }

    /// A folder in the caller's own home with a marker, and what fills it: nothing goes before its archive can be read back and has
    /// its digest in the marker. With `ROOT` set, another root than `/` is meant. Only what POSIX has, and `mktemp -d`, `tar` and a
    /// digest that Debian, Alpine and macOS have.
    fn make_evidence(&self) -> String {
        use crate::surface::host::kept_evidence::{HEAD, MARKER};
        let digest = match self.system {
            // Older ones have no `sha256sum`; whoever works on a copy of the disk may have nothing else.
            System::Mac => {
                r#"if command -v sha256sum >/dev/null; then sha256sum "$n.tar"; else shasum -a 256 "$n.tar"; fi"#
            }
            _ => r#"sha256sum "$n.tar""#,
        };
        let case = self.case;
        let make = format!(
            r#"EVIDENCE=$(mktemp -d "$HOME/dosimeter-evidence.XXXXXX") && printf '{HEAD}\ncase {case}\n' >"$EVIDENCE/{MARKER}" && echo "$EVIDENCE""#
        );
        // GNU's tar alone reads a backslash in a name as the start of another byte, and alone has a word against it.
        // The words are decoded here: no shell but this one has to know how to write a byte that cannot be shown.
        let keep = format!(
            r#"keep() ( n=$1; shift; cd "${{ROOT:-/}}" || exit; for f do shift; f=$(printf '%b.' "$f"); f=.${{f%.}}; if [ -e "$f" ] || [ -L "$f" ]; then set -- "$@" "$f"; fi; {LINKS}; done; if [ $# = 0 ]; then echo "$n: nothing is left to move" >&2; exit 0; fi; t=${{EVIDENCE:?}}/$n.tar; case $(tar --version 2>/dev/null) in *GNU*) u=--no-unquote;; *) u=;; esac; if [ ! -e "$t" ] && tar $u -cf - "$@" >"$t" && tar tf - <"$t" >/dev/null && (cd "$EVIDENCE" && {digest} >>{MARKER}); then rm -rf "$@"; else echo "$n: not moved" >&2; exit 1; fi )"#
        );
        format!("{make}; {keep}")
    }

    /// By the command line, and on Linux by what is loaded. Contents of `/proc` are searched and never shown.
    /// A program of an activated environment has its path nowhere on its command line: its variables and its folder tell. Only root
    /// sees those of other accounts.
    fn show_users(&self, paths: &[TreePath], texts: &[String]) -> String {
        let words: String = paths.iter().map(|p| format!(" -e {}", quote(&absolute(p)))).collect();
        let own: String = texts.iter().map(|t| format!(" -e {}", quote(t.as_bytes()))).collect();
        let lines = format!("ps -eo pid,user,args | grep -F{words}{own} | grep -vF -e 'grep -F'");
        let elsewhere = format!(
            "; grep -lsF{words} /proc/[0-9]*/maps /proc/[0-9]*/environ; for p in /proc/[0-9]*/exe /proc/[0-9]*/cwd; do t=$(readlink \"$p\") && echo \"$p $t\"; done 2>/dev/null | grep -F{words}"
        );
        let root = "; [ \"$(id -u)\" = 0 ] || echo 'not as root: processes of other accounts do not show'";
        format!("{lines}{}{root}", if self.system == System::Mac { "" } else { &elsewhere })
    }

    fn in_words(&self, step: &Step) -> Written {
        let windows = |p: &TreePath| escape(&absolute(p)).replace('/', "\\");
        let list = |paths: &[TreePath]| paths.iter().map(windows).collect::<Vec<_>>().join(", ");
        let what = match &step.action {
            Action::MakeEvidence => {
                "keep a folder on another disk for what is taken out below: copy there first, compare, then delete"
                    .to_owned()
            }
            Action::Keep(paths) | Action::ShowUsers(paths, _) => format!("{}: {}", step.what, list(paths)),
            _ => step.what.clone(),
        };
        Written { what, command: None, by_hand: false, expect: None, unchecked: false, place: step.place }
    }
}

/// Speaking to the manager of an account that is not logged in starts it, and with it every unit that is enabled: the payload.
/// `systemctl --machine=ACCOUNT@` would need systemd 248: Debian 11, Ubuntu 20.04 and RHEL 8 have an older one.
fn manager(unit: &Unit) -> String {
    match &unit.account {
        Some(account) => {
            let account = quote(account.as_bytes());
            format!(
                "systemctl is-active --quiet \"user@$(id -u -- {account}).service\" && runuser -u {account} -- env XDG_RUNTIME_DIR=\"/run/user/$(id -u -- {account})\" systemctl --user"
            )
        }
        None => "systemctl".to_owned(),
    }
}

/// A path as `keep` decodes it: whatever is no plain printable byte is `\0` and three octal digits, so that one word in single quotes
/// holds any path, in every shell.
fn encoded(raw: &[u8]) -> String {
    use std::fmt::Write as _;
    let visible = std::str::from_utf8(raw).ok().filter(|t| !t.chars().any(crate::text::hidden));
    let mut word = String::new();
    let escaped = |word: &mut String, bytes: &[u8]| bytes.iter().for_each(|b| _ = write!(word, "\\0{b:03o}"));
    match visible {
        Some(text) => text.chars().for_each(|c| match c {
            '\'' | '\\' => escaped(&mut word, c.to_string().as_bytes()),
            c => word.push(c),
        }),
        None => raw.iter().for_each(|b| match b {
            b' '..=b'~' if !matches!(b, b'\'' | b'\\') => word.push(char::from(*b)),
            b => escaped(&mut word, &[*b]),
        }),
    }
    if super::shell::is_plain(&word) { word } else { format!("'{word}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_is_one_word_in_single_quotes() {
        assert_eq!(encoded(b"/home/dev/x.py"), "/home/dev/x.py");
        assert_eq!(encoded(b"/a b/$(id)`x`"), "'/a b/$(id)`x`'");
        assert_eq!(encoded(b"/it's\\c"), r"'/it\0047s\0134c'");
        assert_eq!(encoded(b"/a\n\xff"), r"'/a\0012\0377'");
        assert_eq!(encoded("/straße".as_bytes()), "'/straße'");
    }

    #[test]
    fn a_manager_that_does_not_run_is_not_started() {
        let writer = Writer { system: System::Unix, case: "0123456789abcdef" };
        let stop = |account: Option<&str>| {
            let unit = Unit { name: "x y.service".into(), account: account.map(Into::into) };
            writer.write("s-1", &Step::new("stop it", Action::StopUnit(unit))).command.unwrap()
        };
        assert_eq!(stop(None), "systemctl disable --now -- 'x y.service'");
        assert_eq!(
            stop(Some("al")),
            "systemctl is-active --quiet \"user@$(id -u -- al).service\" && runuser -u al -- env XDG_RUNTIME_DIR=\"/run/user/$(id -u -- al)\" systemctl --user disable --now -- 'x y.service'"
        );
    }

    #[test]
    fn what_runs_from_files_is_shown_by_a_person_alone() {
        let path = TreePath::new(b"home/al/it's").unwrap();
        let step = Step::new("look", Action::ShowUsers(vec![path], vec!["a b".to_owned()]));
        let of = |system: System| Writer { system, case: "0123456789abcdef" }.write("s-1", &step);
        let unix = of(System::Unix);
        assert!(unix.by_hand);
        assert_eq!(
            unix.command.unwrap(),
            concat!(
                r"ps -eo pid,user,args | grep -F -e '/home/al/it'\''s' -e 'a b' | grep -vF -e 'grep -F'; ",
                r"grep -lsF -e '/home/al/it'\''s' /proc/[0-9]*/maps /proc/[0-9]*/environ; ",
                r#"for p in /proc/[0-9]*/exe /proc/[0-9]*/cwd; do t=$(readlink "$p") && echo "$p $t"; done 2>/dev/null | grep -F -e '/home/al/it'\''s'; "#,
                r#"[ "$(id -u)" = 0 ] || echo 'not as root: processes of other accounts do not show'"#
            )
        );
        assert!(!of(System::Mac).command.unwrap().contains("/proc"));
        assert_eq!(of(System::Windows).what, r"look: \home\al\it's");
    }

    #[test]
    fn a_windows_disk_has_words_and_no_command() {
        let writer = Writer { system: System::Windows, case: "0123456789abcdef" };
        let path = TreePath::new(b"Users/al/x.pth").unwrap();
        let said = writer.write("s-1", &Step::new("move it to the evidence", Action::Keep(vec![path])));
        assert_eq!((said.what.as_str(), said.command), (r"move it to the evidence: \Users\al\x.pth", None));
        assert_eq!(writer.write("s-1", &Step::new("x", Action::Given("y".into()))).command, None);
        assert_eq!(System::named(Some("macos")), System::Mac);
        assert_eq!(System::named(Some("debian 12")), System::Unix);
    }
}
