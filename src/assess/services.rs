//! Environments whose programs a unit, a table of cron or the like starts by itself: as root, or another account than the one whose
//! folder it is, so that what that account can read was in reach; and a sign that start-up code in it ran.

use std::collections::HashMap;

use super::{Account, Case, Finding, rule::Rule, used_by_name as used, whereabouts::folder};
use crate::{
    accounts::Accounts,
    fact::{Command, CommandAction, Fact, Seen, TreePath},
    text::escape,
    verdict::{Confidence, Exposure},
};

/// Of one environment: the files that start it, with what they start.
type Starts<'c> = Vec<(&'c Seen, &'c Command)>;

/// Gives findings the accounts that start them, and lifts those whose code runs at every start.
pub fn look_for_services(case: &Case<'_>, findings: &mut [Finding]) {
    let mut by_prefix: HashMap<(&str, TreePath), Starts<'_>> = HashMap::new();
    for seen in case.evidence.iter().map(|e| &e.seen).filter(|s| s.origin.layer.is_none()) {
        if let Fact::Starts(command) = &seen.fact
            && command.whereabouts.is_here()
            && let Some(prefix) = started(case, seen, command)
        {
            by_prefix.entry((&seen.origin.tree, prefix)).or_default().push((seen, command));
        }
    }
    if by_prefix.is_empty() {
        return;
    }
    for finding in findings.iter_mut().filter(|f| f.origin.inner.is_none() && f.exposure >= Exposure::Removed) {
        let Some(prefix) = finding.environment.as_ref().map(|e| e.prefix.clone()) else {
            continue;
        };
        let Some(starts) = by_prefix.get(&(&*finding.origin.tree, prefix)) else {
            continue;
        };
        let accounts = case.accounts.get(&finding.origin.tree);
        for (seen, command) in starts {
            finding.account = with_starter(finding.account, starter(accounts, seen, command));
        }
        let used = used::names(case, finding);
        let loads = |command: &Command| command.loads.iter().any(|name| used.iter().any(|u| **u == **name));
        let enabled = || starts.iter().filter(|(_, command)| command.action == CommandAction::Start);
        let own = enabled().find(|(_, command)| loads(command));
        let by_itself = own.or_else(|| enabled().next());
        let Some((seen, command)) = by_itself.or_else(|| starts.first()) else {
            continue;
        };
        let who = command.whereabouts.account.as_deref().map(|a| format!(", as `{a}`")).unwrap_or_default();
        let file = escape(&[b"/", seen.origin.path.as_bytes()].concat());
        if by_itself.is_none() {
            let start = format!("`{file}` would start its `{}`{who}; nothing that was found enables it", command.tool);
            finding.reason = format!("{}; {start}", finding.reason);
            continue;
        }
        let starts = format!("`{file}` starts its `{}` by itself{who}", command.tool);
        if finding.exposure != Exposure::Installed {
            continue;
        }
        if finding.by_itself {
            finding.ran(Rule::HookRan, Confidence::Likely, starts);
        } else if own.is_some() {
            finding.ran(Rule::ProgramStarted, Confidence::Likely, format!("{starts}, which loads it"));
        } else if !used.is_empty() {
            finding.reason = format!("{}; {starts}: whether that loads it is not known", finding.reason);
        }
    }
}

/// Where the environment really stands that a file starts. `~` is the home of the account that it names, else of whoever has the file.
fn started(case: &Case<'_>, seen: &Seen, command: &Command) -> Option<TreePath> {
    let named = command.whereabouts.environment.as_deref()?;
    let accounts = case.accounts.get(&seen.origin.tree);
    let of_account = || {
        let accounts = accounts?;
        let home = accounts.home(accounts.uid_of(command.whereabouts.account.as_deref()?)?)?;
        let below = named.strip_prefix('~')?.trim_start_matches('/').split('/').filter(|p| !p.is_empty());
        let place = below.fold(home.clone(), |folder, name| folder.join(name.as_bytes()));
        Some(accounts.real(&place).clone())
    };
    of_account().or_else(|| folder(named, accounts, &seen.origin.path))
}

/// The account that starts it, where that is known to be one.
fn starter(accounts: Option<&Accounts>, seen: &Seen, command: &Command) -> Option<Option<u32>> {
    match command.whereabouts.account.as_deref() {
        Some(name) => Some(accounts.map_or_else(|| (name == "root").then_some(0), |a| a.uid_of(name))),
        // In a home, whoever lives there.
        None => accounts.and_then(|a| a.home_owner(&seen.origin.path)).map(Some),
    }
}

/// Whose code it is, with the account that starts it.
fn with_starter(own: Account, starter: Option<Option<u32>>) -> Account {
    match (own, starter) {
        (_, None) | (Account::Elsewhere, _) => own,
        (Account::Uid(own), Some(Some(uid))) if own == uid => Account::Uid(own),
        // Root reads what everybody else can.
        (Account::Uid(_), Some(Some(0))) | (Account::Uid(0), _) => Account::Uid(0),
        _ => Account::All,
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use super::*;
    use crate::{
        assess::{Evidence, assess},
        credential::Catalog,
        fact::{At, EnvironmentKind, HookContent, HookKind, Origin},
        ioc::{Database, Index},
        shell::typed_commands,
    };

    fn seen(path: &str, fact: Fact) -> Seen {
        let path = TreePath::new(path.as_bytes()).unwrap();
        let unit = Some(Arc::new(crate::ecosystem::pypi::unit_around(&path, false)));
        let (origin, at) = (Origin::file(&"host".into(), path), At::unix(1_774_350_000, "time"));
        Seen { surface: "t", origin, at, uid: Some(1000), gid: None, mode: None, unit, fact }
    }

    /// What becomes of a hook in al's environment, whose account it is, and whether the reason names the file that starts it.
    fn judged(file: &str, start: &str, account: Option<&str>, action: CommandAction) -> (Exposure, Account, bool) {
        let kind = HookKind::Pth;
        let hook =
            Fact::Hook { kind, content: HookContent::Runs, sha256: Some("0".repeat(64)), size: 9, odd: Vec::new() };
        let prefix = TreePath::new(b"home/al/v").unwrap();
        let venv = Fact::Environment { prefix, kind: EnvironmentKind::VENV, asked: Vec::new() };
        let mut command = typed_commands(start).remove(0);
        command.whereabouts.account = account.map(Into::into);
        command.action = action;
        let facts = [
            seen("home/al/v/lib/python3.11/site-packages/litellm_init.pth", hook),
            seen(file, Fact::Starts(command)),
            seen("home/al/v/pyvenv.cfg", venv),
        ];
        let passwd = b"root:x:0:0::/root:/bin/sh\nal:x:1000:1000::/home/al:/bin/sh\nbo:x:1001:1001::/home/bo:/bin/sh\n";
        let links =
            [(&b"opt/app"[..], &b"home/al/v"[..])].map(|(l, r)| (TreePath::new(l).unwrap(), TreePath::new(r).unwrap()));
        let accounts = BTreeMap::from([("host".into(), Accounts::new(passwd, []).with_links(links))]);
        let (index, catalog) = (Index::new(Database::embedded().unwrap(), &[]), Catalog { kinds: Vec::new() });
        let evidence = facts.into_iter().map(Evidence::from).collect();
        let found = assess(Case { index: &index, catalog: &catalog, evidence, accounts }).findings;
        (found[0].exposure, found[0].account, found[0].reason.contains(file))
    }

    #[test]
    fn what_starts_an_environment_by_itself() {
        use CommandAction::Start;
        use Exposure::{Executed, Installed};
        let (al, bo, root) = (Account::Uid(1000), Account::All, Account::Uid(0));
        for (file, start, account, expected) in [
            ("etc/rc.local", "/home/al/v/bin/python x", Some("root"), (Executed, root, true)),
            ("etc/rc.local", "/opt/app/bin/python x", Some("root"), (Executed, root, true)),
            ("var/spool/cron/crontabs/al", "~/v/bin/python x", Some("al"), (Executed, al, true)),
            ("etc/cron.d/x", "/home/al/v/bin/python x", Some("bo"), (Executed, bo, true)),
            ("home/al/.config/autostart/x.desktop", "~/v/bin/python x", None, (Executed, al, true)),
            // Another environment; root's own home.
            ("etc/rc.local", "/home/al/w/bin/python x", Some("root"), (Installed, al, false)),
            ("etc/rc.local", "~/v/bin/python x", Some("root"), (Installed, al, false)),
        ] {
            assert_eq!(judged(file, start, account, Start), expected, "{file} {start}");
        }
    }

    /// What becomes of a version in al's environment whose code runs when it is imported, and what is said of it.
    fn used(version: &str, file: &str, start: &str, action: CommandAction) -> (Exposure, &'static str, String) {
        let site = "home/al/v/lib/python3.11/site-packages/litellm";
        let package = Fact::Package(crate::fact::Package {
            ecosystem: crate::fact::Ecosystem::Pypi,
            name: "litellm".into(),
            version: version.into(),
            placement: crate::fact::Placement::Loadable,
            artifacts: Vec::new(),
            requires: [].into(),
        });
        let mut facts = vec![
            seen(&format!("{site}-{version}.dist-info/METADATA"), package),
            seen(&format!("{site}-{version}.dist-info/INSTALLER"), Fact::Installer { name: "pip".into() }),
        ];
        for mut command in crate::shell::started_programs(start) {
            command.action = action;
            facts.push(seen(file, Fact::Starts(command)));
        }
        let (index, catalog) = (Index::new(Database::embedded().unwrap(), &[]), Catalog { kinds: Vec::new() });
        let evidence = facts.into_iter().map(Evidence::from).collect();
        let found = assess(Case { index: &index, catalog: &catalog, evidence, accounts: BTreeMap::new() }).findings;
        found.first().map(|f| (f.exposure, f.rule.code(), f.reason.clone())).unwrap()
    }

    #[test]
    fn what_starts_the_trojaned_module_by_itself_is_a_use() {
        use CommandAction::{Run, Start};
        let unit = "etc/systemd/system/multi-user.target.wants/gw.service";
        for (file, start) in [
            (unit, "/home/al/v/bin/litellm --config x"),
            (unit, "/home/al/v/bin/python -m litellm"),
            (unit, "/home/al/v/bin/uvicorn litellm.proxy.proxy_server:app"),
            ("etc/cron.d/gw", "/home/al/v/bin/litellm"),
            ("etc/rc2.d/S01gw", "/bin/sh -c '. /home/al/v/bin/activate && litellm'"),
        ] {
            let (exposure, rule, reason) = used("1.82.7", file, start, Start);
            assert_eq!((exposure, rule), (Exposure::Executed, "program-started"), "{start}");
            assert!(
                reason.contains(&format!("`/{file}` starts its `")) && reason.contains("which loads it"),
                "{reason}"
            );
        }
        // Nothing enables it; another environment; another program of this one, which may load it.
        let (exposure, _, reason) = used("1.82.7", unit, "/home/al/v/bin/litellm", Run);
        assert!(exposure == Exposure::Installed && reason.contains("nothing that was found enables it"), "{reason}");
        let (exposure, _, reason) = used("1.82.7", unit, "/home/al/w/bin/litellm", Start);
        assert!(exposure == Exposure::Installed && !reason.contains(unit), "{reason}");
        let (exposure, _, reason) = used("1.82.7", unit, "/home/al/v/bin/gunicorn app:app", Start);
        assert!(exposure == Exposure::Installed && reason.ends_with("by itself: whether that loads it is not known"));
        // Of two starts the one that loads it counts.
        let two = "/home/al/v/bin/celery worker; /home/al/v/bin/litellm";
        assert_eq!(used("1.82.7", unit, two, Start).0, Exposure::Executed);
    }

    #[test]
    fn what_nothing_enables_is_said_and_is_no_sign() {
        let unit = "etc/systemd/system/app.service";
        let found = judged(unit, "/home/al/v/bin/python x", Some("root"), CommandAction::Run);
        // Somebody may start it by hand: what root reads stays in reach.
        assert_eq!(found, (Exposure::Installed, Account::Uid(0), true));
    }
}
