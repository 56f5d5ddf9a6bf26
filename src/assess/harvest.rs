//! Whether a payload's published list names a file: the harvest rules of `iocs/incidents`, read against one path.

use crate::{accounts::Accounts, fact::TreePath, interest::glob, ioc::model::HarvestRule};

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

/// The line of a harvest list that names this file for this kind, as the report quotes it, and whether that needs the payload to have
/// run in a certain folder, which nobody knows.
pub fn listed(
    rules: &[HarvestRule],
    kind: &str,
    accounts: Option<&Accounts>,
    named_by: Option<&str>,
    path: &TreePath,
) -> Option<(String, bool)> {
    let fits = |r: &&HarvestRule| r.kinds.is_empty() || r.kinds.iter().any(|k| k == kind);
    let lines = rules.iter().filter(fits).filter_map(|r| line_of(r, accounts, named_by, path));
    let mut somewhere = None;
    for line in lines {
        if !line.starts_with("cwd/") {
            return Some((line, false));
        }
        somewhere.get_or_insert((line, true));
    }
    somewhere
}

/// The line of a harvest rule that this path fits, as the report quotes it. `named_by` is the variable that leads to the file.
pub fn line_of(
    rule: &HarvestRule,
    accounts: Option<&Accounts>,
    named_by: Option<&str>,
    path: &TreePath,
) -> Option<String> {
    rule.under.iter().find_map(|under| {
        if let Some(variable) = under.strip_prefix('$') {
            return (named_by == Some(variable)).then(|| under.clone());
        }
        let below = below(under, accounts, path);
        let fits = |n: &&String| below.iter().any(|b| name_fits(rule, n, b, under == "cwd"));
        let name = rule.names.iter().find(fits)?;
        let between = if rule.depth.unwrap_or(u32::MAX) > 0 && !name.contains('/') { "**/" } else { "" };
        Some(format!("{}/{between}{name}", under.trim_end_matches('/')))
    })
}

/// What stands behind the folder in the path. One of the working folder may be met more than once.
fn below(under: &str, accounts: Option<&Accounts>, path: &TreePath) -> Vec<String> {
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    if let Some(folder) = under.strip_prefix("cwd") {
        let whole = format!("/{}", text(path.as_bytes()));
        let folder = format!("{folder}/");
        let ends = whole.match_indices(&folder).map(|(at, _)| at + folder.len());
        let ends = ends.take(if folder == "/" { 1 } else { usize::MAX });
        return ends.filter_map(|end| Some(whole.get(end..)?.to_owned())).collect();
    }
    if let Some(folder) = under.strip_prefix('~') {
        let usual = Accounts::default();
        let rest = accounts.unwrap_or(&usual).below_home(path).map(text);
        let below = |rest: String| match folder.strip_prefix('/') {
            None => Some(rest),
            Some(folder) => Some(rest.strip_prefix(folder)?.strip_prefix('/')?.to_owned()),
        };
        return rest.and_then(below).into_iter().collect();
    }
    let folder = TreePath::new(under.as_bytes());
    folder.and_then(|folder| path.below(&folder).map(text)).into_iter().collect()
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

    #[test]
    fn rules_count_folders_below_their_root() {
        let line = |r: &HarvestRule, p: &str| line_of(r, None, None, &TreePath::new(p.as_bytes()).unwrap());
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
            line_of(&rule, None, None, &TreePath::new(p.as_bytes()).unwrap())
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
        let line = |by: Option<&str>| line_of(&rule, None, by, &TreePath::new(b"srv/x.json").unwrap());
        assert_eq!(line(Some("GOOGLE_APPLICATION_CREDENTIALS")).as_deref(), Some("$GOOGLE_APPLICATION_CREDENTIALS"));
        assert_eq!((line(Some("KUBECONFIG")), line(None)), (None, None));
    }
}
