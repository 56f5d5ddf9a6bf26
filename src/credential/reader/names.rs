//! Whether a variable is a secret, by its name and by what its value looks like.

use crate::credential::form;

/// Last words of names that only look secret: `SSL_KEY_FILE`, `AWS_ACCESS_KEY_ID`, `TOKEN_TTL`.
const HARMLESS: &[&str] = &[
    "FILE",
    "FILENAME",
    "PATH",
    "DIR",
    "ID",
    "IDS",
    "NAME",
    "TTL",
    "TYPE",
    "ALGORITHM",
    "ALG",
    "HEADER",
    "ENABLED",
    "LENGTH",
    "LEN",
    "SIZE",
    "EXPIRY",
    "EXPIRES",
    "EXPIRATION",
    "TIMEOUT",
    "HOST",
    "PORT",
    "USER",
    "USERNAME",
    "FORMAT",
    "PREFIX",
    "VERSION",
    "LIMIT",
    "COUNT",
    "MODE",
    "REGION",
    "SOCK",
    "SOCKET",
    "COMMAND",
    "CMD",
    "STYLE",
    "ALIAS",
    "METHOD",
    "ENDPOINT",
    "DOMAIN",
    "HELPER",
    "ISSUER",
    "AUDIENCE",
    "SCOPE",
    "ROUNDS",
    "DAYS",
    "MINUTES",
    "SECONDS",
    "HOURS",
];

/// Words of secret names.
const SECRET: &[&str] = &[
    "PASS",
    "PAT",
    "AUTH",
    "AUTHORIZATION",
    "COOKIE",
    "SALT",
    "CREDENTIAL",
    "CREDENTIALS",
    "CREDS",
    "MNEMONIC",
    "BEARER",
    "WEBHOOK",
];

/// Ends of words of secret names.
const SECRET_ENDS: &[&str] = &["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "PWD"];

/// `apiKey`, `DbPassword`: words of letters alone and of usual length, as in no line of a key.
pub fn is_camel_case(name: &str) -> bool {
    let starts = name.bytes().filter(u8::is_ascii_uppercase).count();
    let mut run = 0;
    let usual = name.bytes().all(|b| {
        run = if b.is_ascii_lowercase() { run + 1 } else { 0 };
        b.is_ascii_alphabetic() && run <= 12
    });
    let capitals = name.as_bytes().windows(2).any(|pair| pair.iter().all(u8::is_ascii_uppercase));
    usual && !capitals && (1..=6).contains(&starts)
}

/// Whether a variable of this name and value is a secret, whoever knows it.
pub fn is_secret(name: &str, value: &[u8]) -> bool {
    looks_secret(name) && holds_secret(name, value)
}

/// Whether the name is one of a secret.
pub fn looks_secret(name: &str) -> bool {
    let mut upper = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && upper.ends_with(|last: char| last.is_ascii_lowercase()) {
            upper.push('_');
        }
        upper.push(c);
    }
    let upper = upper.to_ascii_uppercase();
    let words: Vec<&str> = upper.split(['_', '.', '-']).filter(|w| !w.is_empty()).collect();
    let secret = |w: &&str| SECRET.contains(w) || SECRET_ENDS.iter().any(|e| w.ends_with(e));
    let url = words.last().is_some_and(|w| is_url(w));
    // `key:` and `from_secret:` are words of CI files.
    !["PWD", "OLDPWD", "FROM_SECRET", "DOSIMETER_KEY"].contains(&upper.as_str())
        && name != "key"
        && (words.iter().any(secret) || url)
        && !words.contains(&"PUBLIC")
        && !words.last().is_some_and(|w| HARMLESS.contains(w))
}

fn is_url(word: &str) -> bool {
    matches!(word, "URL" | "URI" | "DSN" | "STRING")
}

/// Whether the value is a secret: a URL must carry a password, a path is none.
pub fn holds_secret(name: &str, value: &[u8]) -> bool {
    const PATHS: &[&str] = &[
        "/etc/",
        "/home/",
        "/run/",
        "/var/",
        "/root/",
        "/opt/",
        "/usr/",
        "/tmp/",
        "/app/",
        "/secrets/",
        "/srv/",
        "/mnt/",
        "/data/",
        "/lib/",
        "/nix/",
        "/builds/",
        "/github/",
        "/workspace/",
        "/Users/",
        "/Volumes/",
        "C:\\",
        "$HOME/",
        "${HOME}/",
        "~/",
        "./",
        "../",
    ];
    const FILES: &[&str] = &[".pem", ".key", ".crt", ".cer", ".json", ".p8", ".p12", ".pfx", ".jks", ".yaml", ".yml"];
    let text = String::from_utf8_lossy(form::unquoted(value));
    let path = PATHS.iter().any(|p| text.starts_with(p)) || FILES.iter().any(|f| text.ends_with(f));
    if !form::concrete(value) || text.len() < 3 || path {
        return false;
    }
    // `GPG_KEY` of the images of Python and others: the fingerprint that a download is checked with.
    let of_gpg = ["GPG", "PGP"].iter().any(|word| name.to_ascii_uppercase().contains(word));
    if of_gpg && text.len() <= 50 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b' ') {
        return false;
    }
    let last = name.rsplit('_').next().unwrap_or(name).to_ascii_uppercase();
    if !is_url(&last) || name.to_ascii_uppercase().contains("WEBHOOK") {
        return true;
    }
    let userinfo = text.split_once("://").and_then(|(scheme, rest)| {
        // A password is often written as it is, with a `/` in it: what is no web address has no `@` behind its host.
        let whole = || if scheme.starts_with("http") { None } else { rest.rsplit_once('@') };
        rest.split(['/', '?']).next()?.rsplit_once('@').or_else(whole)
    });
    let password =
        userinfo.and_then(|(user, _)| user.split_once(':')).is_some_and(|(_, p)| form::concrete(p.as_bytes()));
    let lower = text.to_ascii_lowercase();
    password || ["password=", "pwd=", "accountkey=", "sharedaccesskey=", "sig="].iter().any(|k| lower.contains(k))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_of_gpg_keys_are_public() {
        assert!(!is_secret("GPG_KEY", b"A035C8C19219BA821ECEA86B64E628F8D684696D"));
        assert!(!is_secret("NGINX_GPGKEY", b"573BFD6B3D8FBC641079A6ABABF5BD827BD9BF62"));
        assert!(is_secret("GPG_KEY", b"lQdGBGMabcdefghijklmnopqrstuvwxyz0123456789"));
        assert!(is_secret("APP_KEY", b"A035C8C19219BA821ECEA86B64E628F8D684696D"));
        assert!(!is_secret("DOSIMETER_KEY", b"RWQabcdef0123456789"));
    }
}
