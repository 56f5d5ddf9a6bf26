//! Units of systemd: what starts by itself, for the system and for each user.
//!
//! ```text
//! /etc/systemd/system/*.service, *.timer      /usr/lib/systemd/system, /run/systemd/system
//! ~/.config/systemd/user/*.service            /etc/systemd/user, ~/.local/share/systemd/user
//! ├── name.service.d/*.conf                   drop-ins add to a unit
//! └── multi-user.target.wants/*.service       links: these start by themselves
//! ```
//!
//! A hit says that a unit holds a text that an indicator asks for; the unit's own text never leaves this reader. It does not
//! say that the unit was started. Documented in systemd.unit(5).

use crate::{
    fact::{At, Fact, Whereabouts},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Shows, Sink, Surface,
        content::{has_line, line_starts},
        fetched, starts,
    },
};

const LIMIT: usize = 1 << 20;
const FOLDERS: &[&str] = &["systemd/system", "systemd/user", "systemd/transient"];
const ENDINGS: &[&str] = &[".service", ".timer", ".path", ".socket"];

/// systemd units.
pub struct Unit;

/// Of this surface.
pub static META: Meta = Meta {
    id: "systemd/unit",
    title: "systemd units of the system and of users",
    proves: "a unit of that name or with that text stands there; not that it was started",
};

/// Whether a file of this name is a unit.
pub fn is_unit(name: &[u8]) -> bool {
    ENDINGS.iter().any(|e| name.ends_with(e.as_bytes()))
}

impl Surface for Unit {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Files, Shows::Network, Shows::Strings, Shows::Processes]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let mut claims = Vec::new();
        for folder in FOLDERS {
            claims.extend(ENDINGS.iter().map(|e| Claim::suffix(e).in_tail(folder)));
        }
        // Links that say which units start by themselves.
        for folder in [".wants", ".requires", ".upholds"] {
            claims.push(Claim::suffix(".service").in_suffix(folder));
        }
        claims.extend(ENDINGS.iter().map(|e| Claim::suffix(".conf").in_suffix(&format!("{e}.d"))));
        claims
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let text = String::from_utf8_lossy(head);
        (has_line(&text, "[Service]") && line_starts(&text, "ExecStart")).then_some("*.service")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let interest = file.interest;
        let at = file.entry.btime.map(|t| At::new(t, "birth time")).or_else(|| file.mtime("mtime of the unit"));
        let texts = interest.texts_in(&settings(file.all(LIMIT)?));
        let folder = file.entry.path.parent();
        let enabled = is_of_target(folder.name());
        if !enabled {
            let fact = Fact::Autostart { texts, sha256: file.sha256()?, in_project: false };
            out.push(at.clone(), fact);
        }
        let text = String::from_utf8_lossy(file.all(LIMIT)?).into_owned();
        let parts: Vec<&[u8]> = file.entry.path.components().collect();
        let of_user = parts.windows(2).any(|w| matches!(w, [b"systemd", b"user"]));
        for fact in traces(&text, interest) {
            out.push(at.clone(), fact);
        }
        // Of a unit that something else is to want, the link in its folder speaks.
        let only_linked = !enabled && is_for_links(&text);
        for mut fact in started(&text, of_user) {
            if only_linked {
                starts::only_where_enabled(&mut fact);
            }
            out.push(at.clone(), fact);
        }
        Ok(())
    }
}

/// `multi-user.target.wants`.
fn is_of_target(folder: &[u8]) -> bool {
    [&b".wants"[..], b".requires", b".upholds"].iter().any(|end| folder.ends_with(end))
}

/// Whether a unit says what is to want it once it is enabled.
fn is_for_links(text: &str) -> bool {
    let keys = ["WantedBy", "RequiredBy", "UpheldBy"];
    let mut lines = text.lines().map(str::trim_start).filter_map(|l| l.split_once('='));
    lines.any(|(key, value)| keys.contains(&key.trim()) && !value.trim().is_empty())
}

/// The lines of a unit without its comments.
fn settings(unit: &[u8]) -> Vec<u8> {
    let lines = unit.split_inclusive(|b| *b == b'\n');
    let kept =
        lines.filter(|line| !line.trim_ascii_start().starts_with(b"#") && !line.trim_ascii_start().starts_with(b";"));
    kept.collect::<Vec<_>>().concat()
}

/// What its commands hold of known addresses and texts.
fn traces(text: &str, interest: &Interest) -> Vec<Fact> {
    let whole = text.replace("\\\n", " ");
    let commands = whole.lines().map(str::trim_start).filter(|l| l.starts_with("Exec") || l.starts_with("Environment"));
    fetched::started(&commands.collect::<Vec<_>>().join("\n"), interest)
}

/// What the lines of a service start, and as whom: root, but for `User=`; in a user's own session that user.
fn started(text: &str, of_user: bool) -> Vec<Fact> {
    let whole = text.replace("\\\n", " ");
    let value =
        |line: &str, key: &str| line.strip_prefix(key)?.trim_start().strip_prefix('=').map(|v| v.trim().to_owned());
    let lines = || whole.lines().map(str::trim_start);
    let yes = |v: String| matches!(v.as_str(), "yes" | "true" | "1" | "on");
    let account = match lines().filter_map(|l| value(l, "User")).next_back() {
        Some(name) => Some(name),
        None if lines().filter_map(|l| value(l, "DynamicUser")).any(yes) => Some(Whereabouts::UNSAID.to_owned()),
        None => (!of_user).then(|| "root".to_owned()),
    };
    let keys = ["ExecStart", "ExecStartPre", "ExecStartPost"];
    let commands: Vec<String> = lines().filter_map(|l| keys.iter().find_map(|key| value(l, key))).collect();
    let plain = commands.iter().map(|c| c.trim_start_matches(['@', '-', ':', '+', '!', '|']));
    let folder = lines().filter_map(|l| value(l, "WorkingDirectory")).next_back();
    let folder = folder.map(|folder| folder.trim_start_matches('-').replace("%h", "~"));
    let commands = plain.collect::<Vec<_>>().join("\n").replace("%h", "~");
    starts::in_folder(&commands, account.as_deref(), folder.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_no_settings() {
        let text = b"[Service]\n# a\n  ; b\nExecStart=x # c\n\xff\n#";
        assert_eq!(settings(text), b"[Service]\nExecStart=x # c\n\xff\n");
    }

    #[test]
    fn a_service_starts_in_the_folder_that_it_says() {
        let folders = |text: &str| -> Vec<String> {
            let said = |fact: Fact| match fact {
                Fact::Starts(c) => c.whereabouts.folder.as_deref().unwrap_or("-").to_owned(),
                other => panic!("{other:?}"),
            };
            started(text, false).into_iter().map(said).collect()
        };
        let unit = "[Service]\nExecStart=/srv/v/bin/python app.py\n";
        assert_eq!(folders(unit), ["-"]);
        assert_eq!(folders(&format!("{unit}WorkingDirectory=/srv/app\nWorkingDirectory = -/srv/b/\n")), ["/srv/b/"]);
        assert_eq!(folders(&format!("{unit}WorkingDirectory=%h/app\n")), ["~/app"]);
        // A command's own folder counts more; what is no path from the root or a home is none.
        let own =
            "[Service]\nExecStart=/bin/sh -c 'cd /srv/c && /srv/v/bin/python app.py'\nWorkingDirectory=/srv/app\n";
        assert_eq!(folders(own), ["/srv/c"]);
        for other in ["app", "$X", "%i", "", "/srv/\u{1b}[2J", &format!("/{}", "x".repeat(5000))] {
            assert_eq!(folders(&format!("{unit}WorkingDirectory={other}\n")), ["-"], "{other}");
        }
    }

    #[test]
    fn what_a_service_names_from_its_folder_is_known() {
        let places = |line: &str, folder: &str| -> Vec<String> {
            let unit = format!("[Service]\nWorkingDirectory={folder}\nExecStart={line}\n");
            let said = |fact: Fact| match fact {
                Fact::Starts(c) => format!("{} {}", c.tool, c.whereabouts.environment.unwrap_or_default()),
                other => panic!("{other:?}"),
            };
            started(&unit, false).into_iter().map(said).collect()
        };
        for line in ["/bin/bash -c 'source .venv/bin/activate && exec litellm'", "/usr/bin/uv run litellm --port 1"] {
            assert_eq!(places(line, "/srv/app"), ["litellm /srv/app/.venv"], "{line}");
            assert_eq!(places(line, "app"), [""; 0], "{line}");
        }
        assert_eq!(places("/usr/bin/uv run --isolated litellm", "/srv/app"), [""; 0]);
    }

    #[test]
    fn a_service_starts_as_root_or_as_it_says() {
        let as_whom = |text: &str, of_user: bool| -> Vec<String> {
            let said = |fact: Fact| match fact {
                Fact::Starts(c) => format!(
                    "{} {} {}",
                    c.tool,
                    c.whereabouts.environment.unwrap_or_default(),
                    c.whereabouts.account.as_deref().unwrap_or("-")
                ),
                other => panic!("{other:?}"),
            };
            started(text, of_user).into_iter().map(said).collect()
        };
        let unit = "[Service]\nExecStart=-/srv/v/bin/python /srv/app.py \\\n  --port 1\n";
        assert_eq!(as_whom(unit, false), ["python /srv/v root"]);
        assert_eq!(as_whom(unit, true), ["python /srv/v -"]);
        assert_eq!(as_whom(&format!("{unit}User = bob\n"), false), ["python /srv/v bob"]);
        assert_eq!(as_whom(&format!("{unit}DynamicUser=yes\n"), false).len(), 1);
        for other in [
            "[Service]\nExecStart=/usr/bin/python3 /srv/app.py\n",
            "[Service]\nExecStart=python app.py\n",
            "[Service]\nExecReload=/srv/v/bin/python x\n",
            "# ExecStart=/srv/v/bin/python x\n",
            "ExecStart\n=\n",
            "",
        ] {
            assert_eq!(as_whom(other, false), [""; 0], "{other}");
        }
        assert!(as_whom(&format!("ExecStart=/srv/v/bin/python {}\n", "x".repeat(9000)), false).is_empty());
        assert!(as_whom(&unit.repeat(5000), false).len() <= 200);
    }
}
