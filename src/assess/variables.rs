//! Which variables a payload takes: of its own process, of others, and of the files that set them.

use crate::{
    accounts::Accounts,
    fact::{Origin, TreePath},
    interest::glob,
    ioc::model::{Harvest, Way},
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

/// Whether a payload takes the variable that a credential was read from, of those of its own process.
pub fn takes_variable(harvest: &Harvest, origin: &Origin) -> bool {
    harvest.environment && (origin.inner.is_none() || names(&harvest.variables, origin.inner.as_deref()))
}

/// Whether one of these patterns, of which there may be none, names a variable.
pub fn names(patterns: &[String], variable: Option<&str>) -> bool {
    // The configuration of an image has the kind of its line in front.
    let name = variable.map(|v| v.rsplit(' ').next().unwrap_or(v).to_ascii_uppercase());
    patterns.is_empty() || name.is_some_and(|n| patterns.iter().any(|wanted| glob(&wanted.to_ascii_uppercase(), &n)))
}

/// Whether a payload reads the variables of every process that it may.
pub fn reads_every_process(harvest: &Harvest) -> bool {
    harvest.beyond.iter().any(|b| b.way == Way::Processes && b.asks.iter().any(|asked| asked == "*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_every_shell_exports_is_in_the_environment() {
        let sets = |p: &str| sets_environment(None, &path(p));
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
    fn a_payload_that_picks_variables_takes_those_alone() {
        let takes = |variables: &[&str], name: Option<&str>| {
            let variables = variables.iter().map(|v| (*v).to_owned()).collect();
            let harvest = Harvest { environment: true, variables, ..Harvest::default() };
            let mut origin = Origin::file(&"host".into(), path("x"));
            origin.inner = name.map(Into::into);
            takes_variable(&harvest, &origin)
        };
        let picks = ["*TOKEN*", "AWS_*"];
        for name in ["NPM_TOKEN", "npm_token_2", "AWS_SECRET_ACCESS_KEY", "ENV NPM_TOKEN"] {
            assert!(takes(&picks, Some(name)), "{name}");
        }
        for name in ["OPENAI_API_KEY", "MY_AWS_KEY", "ENV DATABASE_URL"] {
            assert!(!takes(&picks, Some(name)) && takes(&[], Some(name)), "{name}");
        }
        // Which variable it was is not known.
        assert!(takes(&picks, None));
        assert!(!takes_variable(&Harvest::default(), &Origin::file(&"host".into(), path("x"))));
    }
}
