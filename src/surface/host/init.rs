//! What starts with the machine beside units of systemd: scripts of init, programs of supervisors.
//!
//! ```text
//! /etc/rc.local, /etc/rc.d/rc.local, /etc/local.d/*.start      scripts that run once at the end of the start
//! /etc/init.d/NAME, /etc/rc.d/init.d/NAME                      System V, OpenRC (`command=`, `command_user=`)
//! /etc/rc2.d/S01NAME, /etc/rc.d/rc3.d/S01NAME, /etc/runlevels/default/NAME      links that say which of them run
//! /etc/init/NAME.conf                                          Upstart (`exec`, `setuid`)
//! /etc/supervisord.conf, /etc/supervisor/**, /etc/supervisord.d/*      supervisor (`command=`, `user=`, `autostart=`)
//! /etc/sv/NAME/run, /etc/service/NAME/run, /etc/services.d/NAME/run, /etc/s6-overlay/**, /etc/cont-init.d/*    runit, s6
//! /etc/network/if-up.d/*, /etc/NetworkManager/dispatcher.d/**, /etc/update-motd.d/*    scripts of other programs of root
//! ```
//!
//! A hit says that a line holds a text that an indicator asks for, or starts a program of an environment; the line itself never
//! leaves this reader. It does not say that it was run. Documented in init(8), openrc-run(8), init(5) of Upstart, the configuration of
//! supervisor, runsv(8) and s6-supervise.

use crate::{
    fact::{At, Fact, TreePath},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface, starts},
};

const LIMIT: usize = 1 << 20;
/// Starts of one file.
const MOST: usize = 200;

/// Single files, by folder.
const FILES: &[(&str, &[&str])] = &[
    ("etc", &["rc.local", "supervisord.conf"]),
    ("etc/rc.d", &["rc.local", "rc.M", "rc.S"]),
    ("usr/local/etc", &["supervisord.conf"]),
];

/// Folders of scripts.
const FOLDERS: &[&str] = &[
    "etc/init.d",
    "etc/rc.d/init.d",
    "etc/local.d",
    "etc/init",
    "etc/rc.d",
    "usr/local/etc/rc.d",
    "etc/cont-init.d",
    "etc/network/if-up.d",
    "etc/update-motd.d",
];

/// The same, with folders below them.
const TREES: &[&str] = &[
    "etc/supervisor",
    "etc/supervisord.d",
    "usr/local/etc/supervisord.d",
    "etc/runlevels",
    "etc/NetworkManager/dispatcher.d",
    "etc/s6",
    "etc/s6-overlay",
    "etc/s6-rc",
];

/// Folders with a folder for each service, in which `run` starts it.
const SERVICES: &[&str] =
    &["etc/sv", "etc/service", "service", "etc/services.d", "etc/runit", "var/service", "var/lib/supervise"];

/// Scripts and supervisors.
pub struct Init;

static META: Meta = Meta {
    id: "host/init",
    title: "scripts of init, programs of supervisors",
    proves: "a script or setting with that text stands there; not that it ran",
};

impl Surface for Init {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Files, Shows::Network, Shows::Strings, Shows::Processes]
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let files = FILES.iter().flat_map(|(folder, names)| names.iter().map(|n| Claim::name(n).in_root(folder)));
        let folders = FOLDERS.iter().map(|folder| Claim::any().in_root(folder));
        let levels = ["0", "1", "2", "3", "4", "5", "6", "S"];
        let levels = levels.iter().flat_map(|l| [format!("etc/rc{l}.d"), format!("etc/rc.d/rc{l}.d")]);
        let levels = levels.map(|folder| Claim::affix("S", "").in_root(&folder));
        let trees = TREES.iter().map(|folder| Claim::any().below(folder));
        let services = SERVICES.iter().map(|folder| Claim::name("run").below(folder));
        files.chain(folders).chain(levels).chain(trees).chain(services).collect()
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let interest = file.interest;
        let at = file.entry.btime.map(|t| At::new(t, "birth time")).or_else(|| file.mtime("mtime of the script"));
        let text = file.all(LIMIT)?;
        let lines = text.split(|b| *b == b'\n').filter(|l| !l.trim_ascii_start().starts_with(b"#"));
        let mut texts: Vec<_> = lines.flat_map(|l| interest.texts_in(l)).collect();
        texts.sort_unstable();
        texts.dedup();
        let path = file.entry.path.clone();
        // What a link of a run level leads to speaks for itself.
        if !is_link(&path) {
            let fact = Fact::Autostart { texts, sha256: file.sha256()?, in_project: false };
            out.push(at.clone(), fact);
        }
        let text = String::from_utf8_lossy(file.all(LIMIT)?).into_owned();
        started(&text, &path).into_iter().for_each(|fact| out.push(at.clone(), fact));
        Ok(())
    }
}

/// Of a run level: `etc/rc2.d/S01app`, `etc/runlevels/default/app`.
fn is_link(path: &TreePath) -> bool {
    let folder = path.parent();
    let folder = folder.as_bytes();
    let level = folder.strip_prefix(b"etc/rc.d/").or_else(|| folder.strip_prefix(b"etc/")).unwrap_or_default();
    folder.starts_with(b"etc/runlevels/") || (level.starts_with(b"rc") && level.ends_with(b".d") && level.len() == 5)
}

/// What a script or a supervisor starts, and as whom: root, where it does not say another.
fn started(text: &str, path: &TreePath) -> Vec<Fact> {
    let place = path.as_bytes();
    if [&b"etc/supervisor"[..], b"usr/local/etc/supervisord"].iter().any(|start| place.starts_with(start)) {
        return by_supervisor(text);
    }
    let value = |keys: &[&str]| {
        let lines = text.lines().map(str::trim).filter(|l| !l.starts_with('#'));
        let mut named = lines.filter_map(|l| {
            let (key, value) = l.split_once(['=', ' '])?;
            keys.contains(&key).then(|| value.trim().trim_matches(['"', '\'']))
        });
        named
            .next_back()
            .and_then(|v| v.split(':').next())
            .filter(|v| !v.is_empty() && !v.contains('$'))
            .map(str::to_owned)
    };
    let account = value(&["command_user", "setuid", "DAEMON_USER", "USER", "RUN_AS", "RUNAS"]);
    let account = account.as_deref().unwrap_or("root");
    let mut facts = starts::in_text(text, Some(account));
    if facts.is_empty() {
        // `DAEMON=/srv/v/bin/python`, started by words that hold variables.
        let named = text.lines().map(str::trim).filter(|l| is_setting(l)).flat_map(|line| {
            let cut = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '=' | ';' | '(' | ')' | '`');
            line.split(cut).filter(|word| word.starts_with('/') && word.contains("/bin/"))
        });
        facts = named.flat_map(|word| starts::in_text(word, Some(account))).take(MOST).collect();
    }
    // A script of init runs where a link of a run level says so.
    let scripts = [&b"etc/init.d/"[..], b"etc/rc.d/init.d/"];
    if scripts.iter().any(|start| place.starts_with(start)) {
        facts.iter_mut().for_each(starts::only_where_enabled);
    }
    facts
}

/// `DAEMON=…`, of a script of a shell.
fn is_setting(line: &str) -> bool {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let key = line.split_once('=').map(|(key, _)| key).unwrap_or_default();
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// `[program:x]` with `command=`, `user=` and `autostart=`.
fn by_supervisor(text: &str) -> Vec<Fact> {
    let mut facts = Vec::new();
    let sections = text.split("\n[").flat_map(|s| s.strip_prefix('[').or(Some(s)));
    for section in sections
        .filter(|s| s.starts_with("program:") || s.starts_with("eventlistener:") || s.starts_with("fcgi-program:"))
    {
        let value = |key: &str| {
            let lines = section.lines().map(str::trim).filter_map(|l| l.split_once('='));
            let mut values = lines.filter(|(k, _)| k.trim() == key);
            values.next_back().map(|(_, v)| v.split(" ;").next().unwrap_or(v).trim())
        };
        let account = Some(value("user").unwrap_or("root"));
        let mut found = starts::in_folder(value("command").unwrap_or_default(), account, value("directory"));
        if value("autostart").is_some_and(|v| matches!(v, "false" | "no" | "0" | "off")) {
            found.iter_mut().for_each(starts::only_where_enabled);
        }
        facts.append(&mut found);
        if facts.len() >= MOST {
            break;
        }
    }
    facts.truncate(MOST);
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::CommandAction;

    /// `tool environment account`, with `?` where only a link elsewhere would start it.
    fn commands(path: &str, text: &str) -> Vec<String> {
        let path = TreePath::new(path.as_bytes()).unwrap();
        let shown = |fact: Fact| {
            let Fact::Starts(c) = fact else { panic!("{fact:?}") };
            let mark = if c.action == CommandAction::Start { "" } else { "?" };
            let of = |text: &Option<Box<str>>| text.as_deref().unwrap_or("-").to_owned();
            format!("{mark}{} {} {}", c.tool, of(&c.whereabouts.environment), of(&c.whereabouts.account))
        };
        started(text, &path).into_iter().map(shown).collect()
    }

    #[test]
    fn what_starts_with_the_machine_and_as_whom() {
        let debian = "#!/bin/sh\n# /srv/w/bin/python\nDAEMON=/srv/v/bin/python\nstart-stop-daemon --start --exec $DAEMON -- app.py\n";
        for (path, text, expected) in [
            ("etc/rc.local", "#!/bin/sh -e\n/srv/v/bin/python /srv/app.py &\nexit 0\n", "python /srv/v root"),
            ("etc/rc.local", "/srv/v/bin/my-app --port 1 &\n", "my-app /srv/v root"),
            ("etc/rc.local", "su dev -c '/srv/v/bin/gunicorn app'\n", "gunicorn /srv/v dev"),
            ("etc/rc.local", "cd /srv/app && v/bin/python x.py\n", "python /srv/app/v root"),
            ("etc/init.d/app", debian, "?python /srv/v root"),
            ("etc/rc2.d/S01app", debian, "python /srv/v root"),
            (
                "etc/init.d/app",
                "start-stop-daemon -c bob --start --exec /srv/v/bin/python -- app\n",
                "?python /srv/v bob",
            ),
            (
                "etc/runlevels/default/app",
                "#!/sbin/openrc-run\ncommand=\"/srv/v/bin/python\"\ncommand_user=\"dev:dev\"\n",
                "python /srv/v dev",
            ),
            (
                "etc/init/app.conf",
                "start on runlevel [2345]\nsetuid dev\nexec /srv/v/bin/python x\n",
                "python /srv/v dev",
            ),
            (
                "etc/supervisor/conf.d/a.conf",
                "[program:a]\ncommand = /srv/v/bin/celery worker ; x\nuser=dev\n[program:b]\ncommand=/bin/true\n",
                "celery /srv/v dev",
            ),
            (
                "etc/supervisord.conf",
                "[supervisord]\n[program:a]\ncommand=/srv/v/bin/python x\nautostart=false\n",
                "?python /srv/v root",
            ),
            (
                "etc/supervisor/conf.d/a.conf",
                "[program:a]\ndirectory=/srv/app\ncommand=uv run litellm --config x\nuser=dev\n",
                "litellm /srv/app/.venv dev",
            ),
            ("etc/sv/app/run", "#!/bin/sh\nexec chpst -u dev /srv/v/bin/python x 2>&1\n", "python /srv/v dev"),
            (
                "etc/services.d/app/run",
                "#!/usr/bin/with-contenv bash\ns6-setuidgid dev /srv/v/bin/python x\n",
                "python /srv/v dev",
            ),
        ] {
            assert_eq!(commands(path, text), [expected], "{path}: {text}");
        }
    }

    #[test]
    fn what_starts_nothing_of_an_environment() {
        for (path, text) in [
            ("etc/rc.local", "/srv/v/bin/uv sync\n/srv/v/bin/python -S x\ncat /srv/v/bin/my-app\n/usr/local/bin/app\n"),
            ("etc/rc.local", "# /srv/v/bin/python x\n/usr/bin/python3 /srv/app.py\npython app.py\n"),
            ("etc/supervisor/conf.d/a.conf", "[supervisorctl]\ncommand=/srv/v/bin/python x\n"),
            ("etc/supervisor/conf.d/a.conf", "[program:a]\ncommand=\n;command=/srv/v/bin/python\n"),
            ("etc/init.d/app", "\0\u{1b}[=\n=\n"),
            ("etc/init.d/app", ""),
        ] {
            assert_eq!(commands(path, text), [""; 0], "{path}: {text}");
        }
        assert!(commands("etc/rc.local", &"/srv/v/bin/python x\n".repeat(5000)).len() <= MOST);
        assert!(commands("etc/init.d/a", &"D=/srv/v/bin/python\n".repeat(5000)).len() <= MOST);
        assert!(
            commands("etc/supervisord.conf", &"[program:a]\ncommand=/srv/v/bin/python x\n".repeat(5000)).len() <= MOST
        );
    }
}
