//! Looking at a value without keeping it: is it a secret or only points to one, and may a public one be shown?

/// Longest label that is shown.
const LABEL: usize = 100;

/// Starts of values that say where a secret is, not what it is.
const REFERENCES: &[&str] = &[
    "op://",
    "vault:",
    "os.environ/",
    "secretref:",
    "arn:aws:",
    "projects/",
    "file:",
    "ssm:",
    "{{",
    "${{",
    "<%",
    "%(",
    "$(",
    "`",
    "ENC[",
    "!vault",
    "$ANSIBLE_VAULT",
    "!secret",
    "env:",
    "keyring:",
    "bao:",
    "doppler:",
    "infisical:",
    // A Jenkinsfile.
    "credentials(",
];

/// What people write where a secret is to be filled in.
const PLACEHOLDERS: &[&str] = &[
    "changeme",
    "change_me",
    "change-me",
    "changeit",
    "placeholder",
    "redacted",
    "removed",
    "todo",
    "tbd",
    "none",
    "null",
    "nil",
    "undefined",
    "example",
    "replaceme",
    "replace_me",
    "replace-me",
    "dummy",
    "fake",
    "foo",
    "bar",
    "foobar",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
];

/// Starts that only placeholders have.
const PLACEHOLDER_STARTS: &[&str] = &[
    "your_",
    "your-",
    "your ",
    "my_secret_here",
    "example_",
    "example-",
    "insert_",
    "insert-",
    "replace_with",
    "replace-with",
    "change_this",
];

/// Whether a value is a secret itself: not empty, not a reference to one, not a placeholder.
pub fn concrete(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(unquoted(value));
    // A header.
    let text = ["Bearer ", "Basic ", "token "].iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(&text);
    let something = text.chars().any(|c| c.is_alphanumeric() && !matches!(c, 'x' | 'X'));
    something && !is_reference(text) && !is_placeholder(text)
}

fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    PLACEHOLDERS.contains(&lower.as_str())
        || PLACEHOLDER_STARTS.iter().any(|p| lower.starts_with(p))
        || (text.starts_with('<') && text.ends_with('>'))
        || ["xxxx", "your_", "your-", "<your"].iter().any(|p| lower.contains(p))
        || lower.ends_with("...")
        || lower.ends_with("_here")
        || lower.ends_with("-here")
        // The keys of vendors' documentation.
        || text.ends_with("EXAMPLE")
        || text.ends_with("EXAMPLEKEY")
}

fn is_reference(text: &str) -> bool {
    let variable = text.strip_prefix('$').is_some_and(|rest| {
        let name = rest.strip_prefix('{').and_then(|r| r.strip_suffix('}')).unwrap_or(rest);
        let name = name.split([':', '-', '?']).next().unwrap_or(name);
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
    });
    variable || REFERENCES.iter().any(|r| text.starts_with(r)) || (text.starts_with("@") && text.contains("://"))
}

/// Without surrounding blanks and one pair of quotes.
pub fn unquoted(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    for quote in [b"\"", b"'"] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|v| v.strip_suffix(quote)) {
            return inner.trim_ascii();
        }
    }
    value
}

/// A text that names something (a profile, a host, a user) and may be shown: plain characters, short, and no token.
pub fn label(text: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-@:/ +[]".contains(c);
    // `user:password@host`
    let login = text.split_once(':').is_some_and(|(_, rest)| rest.contains('@'));
    let fits = !text.is_empty() && text.len() <= LABEL && text.chars().all(plain) && !login && !is_token(text);
    fits.then_some(text)
}

/// Whether a text looks like a token rather than like a name. Errs towards yes: what is a token is not shown.
pub fn is_token(text: &str) -> bool {
    const STARTS: &[&str] = &[
        "ghp_",
        "gho_",
        "ghs_",
        "ghu_",
        "ghr_",
        "github_pat_",
        "glpat-",
        "gldt-",
        "sk-",
        "sk_",
        "rk_",
        "npm_",
        "pypi-",
        "xox",
        "hvs.",
        "hvb.",
        "dop_v1_",
        "AIza",
        "eyJ",
        "hf_",
        "gsk_",
        "r8_",
        "dckr_",
        "ATATT",
        "ATBB",
        "SG.",
        "pul-",
        "tskey-",
        "nvapi-",
        "xai-",
        "fo1_",
        "lin_",
        "shpat_",
        "ya29.",
        "1//",
        "GOCSPX",
        "cfut_",
        "cfat_",
        "cfk_",
    ];
    let digits = |s: &str| s.bytes().any(|b| b.is_ascii_digit());
    let letters = |s: &str| s.bytes().any(|b| b.is_ascii_alphabetic());
    STARTS.iter().any(|s| text.starts_with(s))
        || text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|run| (run.len() >= 16 && digits(run) && letters(run)) || run.len() >= 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_placeholders_are_no_secrets() {
        for value in [
            "",
            "  ",
            "\"\"",
            "''",
            "${VAR}",
            "$VAR",
            "${VAR:-}",
            "${env.PASSWORD}",
            "${{ secrets.TOKEN }}",
            "$(pass show x)",
            "`cat x`",
            "op://a/b/c",
            "vault:secret/x#y",
            "os.environ/OPENAI_API_KEY",
            "<placeholder>",
            "<your-key>",
            "changeme",
            "CHANGEME",
            "xxx",
            "XXXXXXXX",
            "sk-xxxxxxxxxxxx",
            "your_api_key",
            "{{ vault_pw }}",
            "%(DB_PASS)s",
            "AKIAIOSFODNN7EXAMPLE",
            "null",
            "***",
            "...",
            "true",
            "put_key_here",
            "sk-...",
            "Bearer ${TOKEN}",
            "sk-ant-your-key",
            "sk-<your key>",
            "credentials('deploy')",
            "dummy",
        ] {
            assert!(!concrete(value.as_bytes()), "{value}");
        }
        for value in
            ["hunter2", "\"pa ss\"", "'$ecret!'", "$ecret!", "sk-1234", "a-very-long-value", "p@$$w0rd", "1234"]
        {
            assert!(concrete(value.as_bytes()), "{value}");
        }
        assert!(concrete(b"caf\xe9\xff1"));
    }

    #[test]
    fn labels_are_plain_and_no_tokens() {
        for text in
            ["default", "profile dev-eu", "al@git.example:8443", "smtp.example", "registry.example/team", "arn-x"]
        {
            assert_eq!(label(text.as_bytes()), Some(text));
        }
        for text in [
            "",
            "a\u{1b}[31m",
            "ghp_abc",
            "x\ny",
            "0123456789abcdef01234567",
            "aB3dE6gH9jK2mN5p",
            "q7wz4k2m9x1c5v8b",
            "al@Q7WZ4K2M9X1C5V8B.example",
            "a\u{202e}b",
            "eyJhbGci",
        ] {
            assert_eq!(label(text.as_bytes()), None, "{text}");
        }
        assert_eq!(label(&[b'a'; 101]), None);
        assert_eq!(label(b"\xff"), None);
        assert_eq!(label(b"https://al:pw@registry.example"), None);
    }
}
