//! Whether a payload's published list names a file: the harvest rules of `iocs/incidents`, read against one path.

use crate::{
    accounts::Accounts,
    fact::TreePath,
    interest::glob,
    ioc::model::{Harvest, HarvestRule},
};

/// Whether every login, shell or service takes its variables from this file: a payload that takes the environment has them,
/// though it never opens the file.
pub fn sets_environment(accounts: Option<&Accounts>, path: &TreePath) -> bool {
    const HOME: &[&str] = &[
        ".bashrc",
        ".bash_profile",
        ".bash_login",
        ".profile",
        ".zshrc",
        ".zshenv",
        ".zprofile",
        ".zlogin",
        ".kshrc",
        ".pam_environment",
        ".config/fish/config.fish",
        ".config/fish/fish_variables",
        ".config/fish/conf.d/*.fish",
        ".config/environment.d/*.conf",
    ];
    const SYSTEM: &[&str] = &["environment", "profile", "profile.d/*", "environment.d/*"];
    let usual = Accounts::default();
    let fits =
        |below: &[u8], names: &[&str]| std::str::from_utf8(below).is_ok_and(|b| names.iter().any(|n| glob(n, b)));
    let home = accounts.unwrap_or(&usual).below_home(path).is_some_and(|below| fits(below, HOME));
    home || path.as_bytes().strip_prefix(b"etc/").is_some_and(|below| fits(below, SYSTEM))
}

/// What of a line of a harvest list is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// Nothing.
    None,
    /// Whether the payload reads other homes than that of the account that runs it.
    Home,
    /// Whether the payload ran in a folder above the file.
    Folder,
}

/// The line of a harvest list that names this file for this kind, as the report quotes it, and what of it is not known: of several,
/// the one that leaves the least open. `own` says whether the home that holds the file is that of an account which ran the payload.
pub fn listed(
    harvest: &Harvest,
    kind: &str,
    accounts: Option<&Accounts>,
    named_by: Option<&str>,
    path: &TreePath,
    own: bool,
) -> Option<(String, Doubt)> {
    let fits = |r: &&HarvestRule| r.kinds.is_empty() || r.kinds.iter().any(|k| k == kind);
    let lines = harvest.paths.iter().filter(fits).flat_map(|r| lines_of(r, &harvest.homes, accounts, named_by, path));
    let doubt = |line: &str| match line {
        _ if line.starts_with("cwd/") => Doubt::Folder,
        _ if line.starts_with('~') && harvest.homes.is_empty() && !own => Doubt::Home,
        _ => Doubt::None,
    };
    lines.map(|line| (doubt(&line), line)).min_by_key(|(doubt, _)| *doubt).map(|(doubt, line)| (line, doubt))
}

/// The lines of a harvest rule that this path fits, one for each of its folders, as the report quotes them. `named_by` is the variable
/// that leads to the file.
fn lines_of<'r>(
    rule: &'r HarvestRule,
    homes: &'r [String],
    accounts: Option<&'r Accounts>,
    named_by: Option<&'r str>,
    path: &'r TreePath,
) -> impl Iterator<Item = String> + 'r {
    rule.under.iter().filter_map(move |under| {
        if let Some(variable) = under.strip_prefix('$') {
            return (named_by == Some(variable)).then(|| under.clone());
        }
        let below = below(under, homes, accounts, path);
        let fits = |n: &&String| below.iter().any(|b| name_fits(rule, n, b, under == "cwd"));
        let name = rule.names.iter().find(fits)?;
        let between = if rule.depth.unwrap_or(u32::MAX) > 0 && !name.contains('/') { "**/" } else { "" };
        Some(format!("{}/{between}{name}", under.trim_end_matches('/')))
    })
}

/// What stands behind the folder in the path. One of the working folder may be met more than once.
fn below(under: &str, homes: &[String], accounts: Option<&Accounts>, path: &TreePath) -> Vec<String> {
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    if let Some(folder) = under.strip_prefix("cwd") {
        let whole = format!("/{}", text(path.as_bytes()));
        let folder = format!("{folder}/");
        let ends = whole.match_indices(&folder).map(|(at, _)| at + folder.len());
        return ends.filter_map(|end| Some(whole.get(end..)?.to_owned())).collect();
    }
    if let Some(folder) = under.strip_prefix('~') {
        let usual = Accounts::default();
        let rest = accounts.unwrap_or(&usual).below_home(path);
        let rest =
            rest.filter(|rest| homes.is_empty() || is_in_home(homes, accounts.unwrap_or(&usual), path, rest)).map(text);
        let below = |rest: String| match folder.strip_prefix('/') {
            None => Some(rest),
            Some(folder) => Some(rest.strip_prefix(folder)?.strip_prefix('/')?.to_owned()),
        };
        return rest.and_then(below).into_iter().collect();
    }
    let folder = TreePath::new(under.as_bytes());
    let found = folder.and_then(|folder| once_linked(path).iter().find_map(|p| p.below(&folder).map(text)));
    found.into_iter().collect()
}

/// Whether the home in front of `rest` is one that a payload reads, by its own name or by that of a link to it.
fn is_in_home(homes: &[String], accounts: &Accounts, path: &TreePath, rest: &[u8]) -> bool {
    let raw = path.as_bytes();
    let home = raw.get(..raw.len().saturating_sub(rest.len() + 1)).unwrap_or_default();
    let named = |home: &[u8]| {
        std::str::from_utf8(home).is_ok_and(|home| homes.iter().any(|named| glob(named.trim_start_matches('/'), home)))
    };
    named(home)
        || TreePath::new(home).is_some_and(|home| accounts.link_to(&home).is_some_and(|link| named(link.as_bytes())))
}

/// A path, and what it is by the links that every Linux has for `/run`, every macOS for `/etc`, `/tmp` and `/var`: files are met where
/// they really lie.
fn once_linked(path: &TreePath) -> Vec<TreePath> {
    let raw = path.as_bytes();
    let of_run = raw.starts_with(b"run/").then(|| [b"var/", raw].concat());
    let of_private = raw
        .strip_prefix(b"private/")
        .filter(|rest| [&b"etc/"[..], b"tmp/", b"var/"].iter().any(|folder| rest.starts_with(folder)));
    let more = of_run.into_iter().chain(of_private.map(<[u8]>::to_vec)).filter_map(|p| TreePath::new(&p));
    std::iter::once(path.clone()).chain(more).collect()
}

fn name_fits(rule: &HarvestRule, name: &str, below: &str, anywhere: bool) -> bool {
    if name.contains('/') {
        return glob(name, below);
    }
    let folders = below.matches('/').count();
    let base = below.rsplit('/').next().unwrap_or(below);
    let depth = rule.depth.and_then(|d| usize::try_from(d).ok());
    let deep_enough = anywhere || rule.unlimited || depth.is_some_and(|d| folders <= d);
    deep_enough && glob(name, base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(under: &[&str], names: &[&str], depth: u32) -> HarvestRule {
        let own = |l: &[&str]| l.iter().map(|s| (*s).to_owned()).collect();
        HarvestRule { under: own(under), names: own(names), depth: Some(depth), unlimited: false, kinds: Vec::new() }
    }

    fn line_of(rule: &HarvestRule, named_by: Option<&str>, path: &TreePath) -> Option<String> {
        lines_of(rule, &[], None, named_by, path).next()
    }

    #[test]
    fn homes_that_the_payload_does_not_name_are_not_on_its_list() {
        let list = |homes: &[&str]| Harvest {
            paths: vec![rule(&["~"], &[".npmrc"], 0), rule(&["cwd"], &[".npmrc"], 0)],
            homes: homes.iter().map(|h| (*h).to_owned()).collect(),
            ..Harvest::default()
        };
        let accounts = Accounts::new(b"ci:x:9:9::/var/lib/ci:/bin/sh\n", []);
        let line = |homes: &[&str], p: &str, own: bool| {
            let path = TreePath::new(p.as_bytes()).unwrap();
            listed(&list(homes), "npm.token", Some(&accounts), None, &path, own).unwrap()
        };
        let linux = ["/home/*", "/root"];
        for path in ["home/al/.npmrc", "root/.npmrc"] {
            assert_eq!(line(&linux, path, false), ("~/.npmrc".to_owned(), Doubt::None), "{path}");
        }
        for path in ["Users/al/.npmrc", "var/lib/ci/.npmrc", "home/al/src/.npmrc", "var/root/.npmrc"] {
            assert_eq!(line(&linux, path, true), ("cwd/.npmrc".to_owned(), Doubt::Folder), "{path}");
        }
        // A list that names no homes means that of whoever runs it, for certain.
        assert_eq!(line(&[], "Users/al/.npmrc", true).1, Doubt::None);
        assert_eq!(line(&[], "Users/al/.npmrc", false).1, Doubt::Home);
    }

    #[test]
    fn links_that_every_system_has_lead_to_what_rules_name() {
        let found = |under: &str, p: &str| {
            line_of(&rule(&[under], &["token"], 0), None, &TreePath::new(p.as_bytes()).unwrap()).is_some()
        };
        assert!(found("/var/run/secrets", "run/secrets/token") && found("/run/secrets", "run/secrets/token"));
        assert!(found("/etc/vault", "private/etc/vault/token") && found("/tmp", "private/tmp/token"));
        assert!(!found("/var/run/secrets", "srv/run/secrets/token") && !found("/home/x", "private/home/x/token"));
        assert!(!found("/run/secrets", "var/run/secrets/token"));
    }

    #[test]
    fn names_with_folders_below_the_working_folder_may_be_anywhere() {
        let line = |p: &str| {
            line_of(&rule(&["cwd"], &[".docker/config.json"], 0), None, &TreePath::new(p.as_bytes()).unwrap())
        };
        assert!(line("srv/app/.docker/config.json").is_some() && line(".docker/config.json").is_some());
        assert!(line("srv/app/x.docker/config.json").is_none() && line("srv/.docker/x/config.json").is_none());
    }

    #[test]
    fn rules_count_folders_below_their_root() {
        let line = |r: &HarvestRule, p: &str| line_of(r, None, &TreePath::new(p.as_bytes()).unwrap());
        let ssh = rule(&["~/.ssh"], &["*"], 2);
        assert_eq!(line(&ssh, "home/al/.ssh/id_rsa").as_deref(), Some("~/.ssh/**/*"));
        assert!(line(&ssh, "root/.ssh/a/b/key").is_some() && line(&ssh, "root/.ssh/a/b/c/key").is_none());
        assert!(line(&ssh, "srv/x/.ssh/id_rsa").is_none());
        let exact = rule(&["~"], &[".aws/credentials", ".npmrc"], 0);
        assert_eq!(line(&exact, "home/al/.aws/credentials").as_deref(), Some("~/.aws/credentials"));
        assert!(line(&exact, "home/al/src/.npmrc").is_none());
        let env = rule(&["/opt", "~"], &[".env"], 6);
        assert!(line(&env, "opt/a/b/.env").is_some() && line(&env, "opt/1/2/3/4/5/6/7/.env").is_none());
        assert_eq!(
            line(&rule(&["cwd"], &["ansible.cfg"], 0), "srv/deep/er/ansible.cfg").as_deref(),
            Some("cwd/ansible.cfg")
        );
    }
    #[test]
    fn what_every_shell_exports_is_in_the_environment() {
        let sets = |p: &str| sets_environment(None, &TreePath::new(p.as_bytes()).unwrap());
        for path in ["home/al/.bashrc", "root/.profile", "home/al/.config/fish/conf.d/keys.fish", "etc/profile.d/x.sh"]
        {
            assert!(sets(path), "{path}");
        }
        for path in ["home/al/src/.bashrc", "home/al/.env", "home/al/.config/fish/fish_history", "srv/etc/environment"]
        {
            assert!(!sets(path), "{path}");
        }
    }

    #[test]
    fn folders_of_the_working_folder_may_be_anywhere() {
        let line = |p: &str| {
            let rule = rule(&["cwd/target/deploy"], &["*.json"], 1);
            line_of(&rule, None, &TreePath::new(p.as_bytes()).unwrap())
        };
        assert_eq!(line("srv/a/target/deploy/x.json").as_deref(), Some("cwd/target/deploy/**/*.json"));
        assert!(line("target/deploy/x/y.json").is_some() && line("a/target/deploy/b/target/deploy/x.json").is_some());
        for path in ["srv/target/deploy/1/2/x.json", "srv/xtarget/deploy/x.json", "srv/target/x.json", "target/deploy"]
        {
            assert_eq!(line(path), None, "{path}");
        }
    }

    #[test]
    fn a_variable_leads_to_its_file_only() {
        let rule = rule(&["$GOOGLE_APPLICATION_CREDENTIALS"], &["*"], 0);
        let line = |by: Option<&str>| line_of(&rule, by, &TreePath::new(b"srv/x.json").unwrap());
        assert_eq!(line(Some("GOOGLE_APPLICATION_CREDENTIALS")).as_deref(), Some("$GOOGLE_APPLICATION_CREDENTIALS"));
        assert_eq!((line(Some("KUBECONFIG")), line(None)), (None, None));
    }
}
