//! What no printed command may do: put a secret on a screen, into a history or a log; need what only GNU's tools have; name a home
//! without saying whose; destroy what is evidence.

use crate::shell::syntax::{Word, parse};

/// Texts that stand for printing a secret, and those that take the worry away.
const PRINTS: &[(&str, &[&str])] = &[
    ("git config --get", &["--name-only"]),
    ("git config --list", &["--name-only"]),
    ("git config -l", &["--name-only"]),
    ("git credential fill", &[]),
    ("git remote -v", &[]),
    ("wg genkey", &[">"]),
    ("wg genpsk", &[">"]),
    ("wg showconf", &[]),
    ("wg show", &["public-key", "peers", "interfaces"]),
    ("create-access-key", &["(umask 077 &&"]),
    ("create-service-specific-credential", &[]),
    ("get-session-token", &[]),
    ("assume-role", &[]),
    ("get-secret-value", &[]),
    ("get-parameter", &[]),
    ("get-login-password", &[]),
    ("get-access-token", &[]),
    ("print-access-token", &[]),
    ("print-identity-token", &[]),
    ("config-helper", &[]),
    ("secrets versions access", &[]),
    ("keyvault secret show", &[]),
    ("api-keys create", &[]),
    ("service-accounts keys create -", &[]),
    ("get-key-string", &[]),
    ("credential reset", &[]),
    ("account keys list", &[]),
    ("keys renew", &["--output none"]),
    ("connection-string", &[]),
    ("gh auth token", &[]),
    ("--show-token", &[]),
    ("token create", &[]),
    ("tokens create", &[]),
    ("token list --json", &["| grep -E '\"(key|"]),
    ("vault kv get", &[]),
    ("vault read", &[]),
    ("vault print token", &[]),
    ("docker inspect", &["--format"]),
    ("docker image inspect", &["--format"]),
    ("docker history", &[]),
    ("kubectl get secret", &["custom-columns"]),
    ("kubectl describe secret", &[]),
    ("config view --raw", &[]),
    ("kubectl create token", &[]),
    ("terraform apply", &[]),
    ("terraform output", &[]),
    ("terraform show", &[]),
    ("terraform state show", &[]),
    ("state pull", &[]),
    ("pulumi config", &[]),
    ("stack export", &[]),
    ("printenv", &[]),
    ("/environ", &["/environments", "grep -l"]),
    ("op read", &[]),
    ("op item get", &[]),
    ("bw get", &[]),
    ("pass show", &[]),
    ("find-generic-password", &[]),
    ("find-internet-password", &[]),
    ("secret-tool lookup", &[]),
    ("openssl genrsa", &["-out"]),
    ("openssl genpkey", &["-out"]),
    ("age-keygen", &["-o"]),
    ("heroku config", &[]),
    ("heroku auth:token", &[]),
];
/// Programs that show a file.
const SHOWS: &[&str] =
    &["cat", "head", "tail", "less", "more", "strings", "base64", "xxd", "grep", "sed", "awk", "tac", "bat"];
/// Names of files that hold secrets.
const SECRETS: &[&str] = &[
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".pgpass",
    ".my.cnf",
    ".git-credentials",
    ".env",
    "/credentials",
    "id_rsa",
    "id_ed25519",
    ".pem",
    ".kube/config",
    ".docker/config.json",
    "hosts.yml",
    ".vault-token",
    "/etc/shadow",
    "wallet.dat",
    ".tfstate",
    "_history",
    "/environ",
];

/// What a command would print, and what to write instead.
pub(super) fn prints_secret(command: &str) -> Option<(String, &'static str)> {
    let hint = "say in words where to do it, or let the command write to a file that only its maker can read";
    let known =
        |(text, unless): &&(&str, &[&str])| command.contains(text) && !unless.iter().any(|u| command.contains(u));
    if let Some((text, _)) = PRINTS.iter().find(known) {
        return Some((format!("`{text}` prints a secret"), hint));
    }
    for part in parse(command).unwrap_or_default() {
        let bare = part.words.len() == 1 && !part.to_file;
        if let Some(word) =
            part.words.first().filter(|w| bare && ["env", "set", "export", "declare"].contains(&&*w.text))
        {
            return Some((format!("`{}` prints every variable", word.text), hint));
        }
        let (program, words) = (part.program(), part.arguments());
        let short = |w: &&Word| w.text.starts_with('-') && !w.text.starts_with("--");
        let quiet = words.iter().filter(short).any(|w| w.text.contains(['l', 'c', 'q']));
        // What counts or names lines behind it shows none.
        let shows = SHOWS.contains(&program) && !(program == "grep" && quiet) && !part.to_pipe;
        if let Some(name) = SECRETS.iter().find(|n| shows && words.iter().any(|w| w.text.contains(*n))) {
            return Some((format!("`{program}` prints a file called like `{name}`"), hint));
        }
    }
    None
}

/// What a command for the examined machine may not do.
pub(super) fn on_a_host(command: &str) -> Option<(String, &'static str)> {
    let words = || command.split_whitespace();
    if ["~/", "$HOME", "$USER", "$(id -u)", "whoami"].iter().any(|t| command.contains(t)) {
        return Some((
            "the home or name of whoever runs it".to_owned(),
            "write `ACCOUNT`, `UID`, `/home/ACCOUNT/…`: a responder is root",
        ));
    }
    if command.contains("systemctl --user ") && !command.contains("runuser -u ACCOUNT -- env XDG_RUNTIME_DIR=") {
        let hint = "write `runuser -u ACCOUNT -- env XDG_RUNTIME_DIR=\"/run/user/$(id -u ACCOUNT)\" systemctl --user …`: root's own manager has no such unit, and `--machine` needs systemd 248";
        return Some(("a user's unit without its account".to_owned(), hint));
    }
    if command.contains("systemctl --user ") && !command.contains("systemctl is-active ") {
        let hint = "write `systemctl is-active --quiet \"user@$(id -u ACCOUNT).service\" && systemctl --user …`";
        return Some((
            "asking starts the manager of an account that is not logged in, and what is enabled there".to_owned(),
            hint,
        ));
    }
    let gnu = [
        "--parents",
        "--xattrs",
        "-printf",
        "-newermt",
        "--sort=",
        "-i.bak",
        "readlink -f",
        "date -d",
        "xargs -r",
        "stat -c",
    ];
    let perl =
        words().any(|w| w.starts_with('-') && !w.starts_with("--") && w.contains('P')) && command.contains("grep");
    if perl || gnu.iter().any(|t| words().any(|w| w == *t) || (t.contains(' ') && command.contains(t))) {
        return Some((
            "an option that only GNU's tools have".to_owned(),
            "write it for macOS and Alpine too, or in words",
        ));
    }
    let removes = command.split(['|', ';', '&', '(']).filter_map(|p| p.split_whitespace().next());
    if removes.into_iter().any(|p| ["rm", "rmdir", "shred", "unlink", "truncate"].contains(&p))
        || words().any(|w| w == "-delete")
    {
        return Some(("it destroys evidence".to_owned(), "say what to move to the evidence"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_prints_a_secret_is_refused_and_its_look_alike_is_not() {
        for bad in [
            "git config --get-regexp \"^url\"",
            "wg genkey",
            "aws iam create-access-key --user-name USER",
            "terraform apply -replace=X",
            "kubectl get secret x -o yaml",
            "gh auth token | wc -c",
            "env",
            "sudo -i; printenv",
            "cat /home/ACCOUNT/.netrc",
            "tr a b </proc/1/environ",
            "cat /proc/1/environ; grep -lF x /proc/1/maps",
            "grep token /home/ACCOUNT/.npmrc",
            "npm token create",
            "docker inspect app",
        ] {
            assert!(prints_secret(bad).is_some(), "{bad}");
        }
        for good in [
            "git config --name-only --get-regexp x",
            "(umask 077; wg genkey >new.key) && wg pubkey <new.key",
            "kubectl get pods -n kube-system",
            "grep -l token /home/ACCOUNT/.npmrc",
            "npm token list",
            "env A=1 ls",
            "ls -l /home/ACCOUNT/.netrc",
            "terraform plan -out=x",
        ] {
            assert_eq!(prints_secret(good), None, "{good}");
        }
    }

    #[test]
    fn a_host_command_names_the_account_and_works_everywhere() {
        for bad in [
            "systemctl --user disable --now x.service",
            "systemctl --user --machine=ACCOUNT@ disable --now x.service",
            "systemctl is-active --quiet \"user@$(id -u ACCOUNT).service\" && systemctl --user --machine=ACCOUNT@ disable --now x.service",
            "runuser -u ACCOUNT -- env XDG_RUNTIME_DIR=\"/run/user/$(id -u ACCOUNT)\" systemctl --user disable --now x.service",
            "ls ~/.config",
            "grep -nP '[x]' a",
            "find / -newermt 2026-01-01",
            "rm -rf /tmp/x",
            "find /tmp -name x -delete",
            "cp -a --parents a b",
        ] {
            assert!(on_a_host(bad).is_some(), "{bad}");
        }
        for good in [
            "systemctl is-active --quiet \"user@$(id -u ACCOUNT).service\" && runuser -u ACCOUNT -- env XDG_RUNTIME_DIR=\"/run/user/$(id -u ACCOUNT)\" systemctl --user disable --now x.service",
            "systemctl disable --now x.service",
            "ls -l /home/ACCOUNT/.config",
            "grep -rlE 'a|b' /home/ACCOUNT",
        ] {
            assert_eq!(on_a_host(good), None, "{good}");
        }
    }
}
