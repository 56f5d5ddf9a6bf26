//! A secret among the words of a command: every user of the machine sees those in the list of processes, and the shell keeps them in
//! its history.

use super::Fault;
use crate::shell::syntax::{Command, Word};

const HINT: &str =
    "let it ask, or read from a file or standard input: `--password-stdin <file`, `curl -H @file`, a prompt";

/// Options whose value is a secret.
const OPTIONS: &[&str] = &[
    "--password",
    "--passwd",
    "--pass",
    "--passphrase",
    "--token",
    "--auth-token",
    "--access-token",
    "--api-token",
    "--secret",
    "--secret-key",
    "--secret-access-key",
    "--client-secret",
    "--api-key",
    "--apikey",
    "--private-key",
    "--pat",
    "--otp",
    "--new-password",
    "--db-password",
    "--admin-password",
    "--bearer",
    "--session-token",
    "--secret-string",
    "--secret-binary",
    "--secret-value",
    "--oauth2-bearer",
    "--requirepass",
];
/// Values of such an option that hold no secret.
const NONE: &[&str] = &["-", "@-", "stdin", "prompt", "ask"];
/// Programs, the words that follow, and the options that hold a secret there alone.
const OF_PROGRAM: &[(&str, &str, &[&str])] = &[
    ("gh", "secret", &["-b", "--body"]),
    ("gh", "variable", &["-b", "--body"]),
    ("docker", "login", &["-p"]),
    ("podman", "login", &["-p"]),
    ("helm", "registry", &["-p"]),
    ("sshpass", "", &["-p"]),
    ("redis-cli", "", &["-a", "--pass"]),
    ("curl", "", &["-u", "--user", "-U", "--proxy-user"]),
    ("wget", "", &["--http-password", "--ftp-password"]),
    ("mongosh", "", &["-p"]),
    ("ldapsearch", "", &["-w"]),
    ("ldapmodify", "", &["-w"]),
    ("ldappasswd", "", &["-w", "-s", "-a"]),
    ("openssl", "", &["-k"]),
    ("az", "", &["-p"]),
    ("htpasswd", "", &["-b"]),
];
/// Words of names that stand for a secret: `NEW_TOKEN`, `$NPM_TOKEN`.
const SECRET: &[&str] = &[
    "SECRET",
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PASS",
    "APIKEY",
    "API_KEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
    "MASTER_KEY",
    "CREDENTIALS",
    "PAT",
];
/// Ends of such names that take it back: `TOKEN_ID`, `TOKEN_FILE`.
const HARMLESS: &[&str] = &["ID", "NAME", "FILE", "PATH", "KEY_ID", "ACCESSOR", "PREFIX", "TTL", "TYPE", "URL"];

/// Every secret of one command.
pub fn faults(command: &Command) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut say = |what: String| found.push((what, HINT));
    let (program, words) = (command.program(), command.arguments());
    for set in &command.assignments {
        sets(set).into_iter().for_each(&mut say);
    }
    match program {
        "export" | "declare" | "set" | "setenv" => words.iter().filter_map(sets).for_each(&mut say),
        "echo" | "printf" => {
            let secret =
                words.iter().find(|w| w.text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(is_secret));
            secret
                .map(|w| format!("`{program} {}` puts a secret into a history", w.text))
                .into_iter()
                .for_each(&mut say);
        }
        "vault" if is(words, 0, "login") => {
            let token = words.iter().skip(1).find(|w| !w.text.starts_with('-') && !w.text.contains('='));
            token.map(|w| format!("`{}` is a token among the words", w.text)).into_iter().for_each(&mut say);
        }
        _ => {}
    }
    for (n, word) in words.iter().enumerate() {
        let next = words.get(n + 1).map(|w| w.text.as_str());
        if let Some(option) = secret_option(program, words, word, next) {
            say(format!("the value of `{option}` stands among the words"));
        }
        if is_header(&word.text) && !next_is_file(words, n) {
            say("a header with its token stands among the words".to_owned());
        }
        if has_login(&word.text) {
            say("an address with a password stands among the words".to_owned());
        }
        if word.text.starts_with("pass:") && program == "openssl" {
            say("a passphrase stands among the words".to_owned());
        }
        if program == "mysql" && word.text.len() > 2 && word.text.starts_with("-p") {
            say("the value of `-p` stands among the words".to_owned());
        }
        if program == "redis-cli" && word.text.starts_with('>') {
            say("a new password stands among the words".to_owned());
        }
    }
    found
}

fn is(words: &[Word], at: usize, text: &str) -> bool {
    words.get(at).is_some_and(|w| w.text == text)
}

fn secret_option(program: &str, words: &[Word], word: &Word, next: Option<&str>) -> Option<String> {
    let (name, value) = match word.text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word.text.as_str(), next),
    };
    let own = OF_PROGRAM.iter().any(|(p, first, options)| {
        *p == program && (first.is_empty() || is(words, 0, first)) && options.contains(&name)
    });
    let value = value?;
    // An option that asks stands last, or before another.
    let file = ["--", "@", "file:", "env:"].iter().any(|start| value.starts_with(start));
    let short = value.starts_with('-') && value.len() == 2;
    let holds = !value.is_empty() && !NONE.contains(&value) && !file && !short;
    // `curl -u NAME:` and `curl -u NAME` ask.
    let asks = program == "curl" && value.split_once(':').is_none_or(|(_, password)| password.is_empty());
    ((OPTIONS.contains(&name) || own) && holds && !(own && asks)).then(|| name.to_owned())
}

/// `NAME=value` where the name is a secret's and the value no file and no question.
fn sets(word: &Word) -> Option<String> {
    let (name, value) = word.text.split_once('=')?;
    let asks = value.is_empty() || value.starts_with('/') || value.starts_with("$(cat ") || value.contains("/dev/");
    (is_secret(&name.to_ascii_uppercase()) && !asks).then(|| format!("`{name}=…` stays in a history"))
}

/// Whether a name in CAPITALS stands for a secret.
fn is_secret(name: &str) -> bool {
    let capitals = name.len() > 2 && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let ends = |end: &&&str| name == **end || name.strip_suffix(**end).is_some_and(|rest| rest.ends_with('_'));
    capitals && SECRET.iter().any(|s| ends(&s)) && !HARMLESS.iter().any(|h| ends(&h))
}

fn is_header(text: &str) -> bool {
    const NAMES: &[&str] = &[
        "authorization:",
        "private-token:",
        "x-api-key:",
        "api-key:",
        "x-vault-token:",
        "job-token:",
        "x-auth-token:",
        "cookie:",
    ];
    let lower = text.to_ascii_lowercase();
    let value = NAMES.iter().find_map(|name| lower.split_once(name)).map(|(_, value)| value.trim());
    // The scheme alone begins a file, whose end a person writes.
    value.is_some_and(|v| !["", "bearer", "basic", "token"].contains(&v))
}

/// Text for a file of a header is no header.
fn next_is_file(words: &[Word], at: usize) -> bool {
    at.checked_sub(1).and_then(|n| words.get(n)).is_some_and(|w| w.text == "-F" || w.text == "-e" || w.text == "grep")
}

/// `scheme://user:password@host`.
fn has_login(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(login, _)| login.split_once(':').is_some_and(|(_, p)| !p.is_empty()))
}

#[cfg(test)]
mod tests {
    use crate::shell::syntax::parse;

    fn faults(command: &str) -> Vec<String> {
        parse(command).unwrap().iter().flat_map(super::faults).map(|(what, _)| what).collect()
    }

    #[test]
    fn a_secret_among_the_words_and_its_look_alike() {
        for bad in [
            "mytool login --password NEW",
            "mytool login --password=hunter2",
            "mytool --token \"$TOKEN\"",
            "mytool --api-key KEY list",
            "docker login -u al -p PASSWORD registry.example",
            "gh secret set NPM_TOKEN --body VALUE",
            "curl -u al:pw https://h.example",
            "curl -H 'Authorization: Bearer ghp_x' https://h.example",
            "curl -H \"Authorization: Bearer $TOKEN\" https://h.example",
            "curl -H 'PRIVATE-TOKEN: x' https://h.example",
            "git clone https://al:pw@git.example/x",
            "psql postgres://al:pw@h.example/db",
            "mysql -u al -pNEW",
            "redis-cli -a PASSWORD acl list",
            "redis-cli ACL SETUSER app '>NEW'",
            "openssl pkey -in a -passin pass:NEW",
            "export NPM_TOKEN=x",
            "AWS_SECRET_ACCESS_KEY=x aws s3 ls",
            "export GH_TOKEN=\"$(gh auth token)\"",
            "echo NEW_PASSWORD | docker login --password-stdin",
            "echo \"$NPM_TOKEN\"",
            "printf '%s' \"$GH_TOKEN\" | wc -c",
            "vault login hvs.x",
            "aws secretsmanager put-secret-value --secret-id X --secret-string NEW",
            "sshpass -p x ssh h.example",
        ] {
            assert!(!faults(bad).is_empty(), "{bad}");
        }
        for good in [
            "docker login -u al --password-stdin registry.example <file",
            "mytool login --password",
            "mytool login --password --user al",
            "mytool --token @file",
            "mytool --token -",
            "az acr credential renew --password-name password",
            "gh secret set NPM_TOKEN --repo OWNER/REPO",
            "curl -u al: https://h.example",
            "curl -u al https://h.example",
            "curl -H @header https://h.example",
            "curl -H 'Accept: text/plain' https://h.example",
            "printf 'Authorization: Bearer ' >header",
            "git clone https://git.example/x",
            "git clone https://al@git.example/x",
            "mysql -u al -p",
            "redis-cli --askpass ACL LIST",
            "openssl pkey -in a -passin file:pw",
            "npm token revoke TOKEN_ID",
            "vault token revoke -accessor ACCESSOR",
            "vault login -method=oidc",
            "export NPM_TOKEN_FILE=x",
            "EVIDENCE=/x tar cf a b",
            "echo \"no token found\"",
            "grep -rl API_KEY /srv",
            "aws secretsmanager put-secret-value --secret-id X --secret-string file://new",
        ] {
            assert_eq!(faults(good), [""; 0], "{good}");
        }
    }
}
