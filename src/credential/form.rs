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
    // App Service and Functions of Azure; Spring; Kong; vals; CyberArk.
    "@Microsoft.KeyVault(",
    "@Microsoft.AppConfiguration(",
    "keyvault:",
    "akv://",
    "azkv://",
    "awssm://",
    "aws-sm:",
    "aws_secrets_manager:",
    "awssecretsmanager:",
    "gcpsm://",
    "gcp-sm:",
    "gsm://",
    "sm://",
    "vault://",
    "{vault://",
    "secret://",
    "secretmanager:",
    "ref+",
    "bws://",
    "keeper://",
    "akeyless:",
    "conjur:",
    "keychain:",
    "ssm-secure:",
    // TensorZero, Bifrost, programs in JavaScript and Python.
    "env::",
    "process.env.",
    "os.environ[",
    "os.getenv(",
    "os.environ.get(",
    // Concourse; Octopus; CloudFormation.
    "((",
    "#{",
    "!Ref ",
    "!Sub ",
    "!GetAtt ",
    "!ImportValue ",
    "!ENV ",
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

/// `concrete` for files that hold logins and nothing else: there `x` is a password too.
pub fn literal(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value);
    !text.is_empty() && !is_reference(&text) && !is_placeholder(&text)
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
    let dotted = ["env.", "vault.", "secrets."].iter().find_map(|s| text.strip_prefix(s));
    let dotted =
        dotted.is_some_and(|name| !name.is_empty() && name.bytes().all(|b| is_name(b) || b"./-#".contains(&b)));
    let percent = text.strip_prefix('%').and_then(|t| t.strip_suffix('%'));
    let percent = percent.is_some_and(|name| !name.is_empty() && name.bytes().all(is_name));
    // A secret of Azure Key Vault by its address, and one of Google's Secret Manager by its full name.
    let address = text.strip_prefix("https://").is_some_and(|t| t.contains(".vault.azure.net/secrets/"))
        || text.starts_with("//secretmanager.googleapis.com/");
    variable
        || dotted
        || percent
        || address
        || REFERENCES.iter().any(|r| text.starts_with(r))
        || (text.starts_with("@") && text.contains("://"))
}

fn is_name(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
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

/// Passwords that are none: the login beside one is the token.
const MARKERS: &[&str] =
    &["x-oauth-basic", "x-oauth-token", "x-token-auth", "x-access-token", "oauth2", "oauth", "token"];

/// Whether a password says that the login beside it is the secret: empty, or a known marker.
pub fn marks_login(password: &[u8]) -> bool {
    let password = unquoted(password);
    password.is_empty() || MARKERS.iter().any(|m| m.as_bytes().eq_ignore_ascii_case(password))
}

/// `label` for where a login stands. People paste keys there: a UUID, or a long number, is none that may be shown.
pub fn login(text: &[u8]) -> Option<&str> {
    label(text).filter(|text| !is_uuid(text) && !runs(text).any(|run| run.len() >= 16))
}

fn is_uuid(text: &str) -> bool {
    let text = text.trim_matches(|c| matches!(c, '{' | '}'));
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// Letters and digits without anything between them.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
}

/// A text that names something (a profile, a host, a user) and may be shown: plain characters, short, and nothing like a token.
pub fn label(text: &[u8]) -> Option<&str> {
    variable(text).filter(|text| !is_random(text))
}

/// `label` for names of variables and settings, which are long words: `mavenCentralPassword`.
pub fn variable(text: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-@:/ +[]".contains(c);
    // `user:password@host`
    let login = text.split_once(':').is_some_and(|(_, rest)| rest.contains('@'));
    let fits = !text.is_empty() && text.len() <= LABEL && text.chars().all(plain) && !login && !is_token(text);
    fits.then_some(text)
}

/// Whether a text looks more like a secret than like what people call something: a token, a shorter run of letters and digits, a
/// long one of letters alone. Errs towards yes: a name that is withheld costs less than a secret that is shown.
pub fn is_random(text: &str) -> bool {
    let has = |s: &str, of: fn(&u8) -> bool| s.as_bytes().iter().any(of);
    is_token(text)
        || runs(text).any(|run| {
            let (letters, digits) = (has(run, u8::is_ascii_alphabetic), has(run, u8::is_ascii_digit));
            (run.len() >= 15 && letters && digits) || (run.len() >= 20 && letters)
        })
}

/// Starts of tokens.
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

/// Whether a text begins as tokens of some provider do.
pub fn has_token_start(text: &str) -> bool {
    STARTS.iter().any(|s| text.starts_with(s))
}

/// Whether a text has the start or the length of a token.
pub fn is_token(text: &str) -> bool {
    let digits = |s: &str| s.bytes().any(|b| b.is_ascii_digit());
    let letters = |s: &str| s.bytes().any(|b| b.is_ascii_alphabetic());
    has_token_start(text) || runs(text).any(|run| (run.len() >= 16 && digits(run) && letters(run)) || run.len() >= 40)
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
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf",
            "projects/acme/secrets/openai/versions/latest",
            "@Microsoft.KeyVault(SecretUri=https://acme.vault.azure.net/secrets/openai/)",
            "https://acme.vault.azure.net/secrets/openai/0123456789abcdef0123456789abcdef",
            "//secretmanager.googleapis.com/projects/1/secrets/x",
            "ref+vault://secret/app#/key",
            "{vault://aws/openai/key}",
            "env.OPENAI_API_KEY",
            "vault.secret/data/llm#openai",
            "env::OPENAI_API_KEY",
            "process.env.OPENAI_API_KEY",
            "%OPENAI_API_KEY%",
            "((openai-key))",
            "#{OpenAiKey}",
            "ENC[AES256_GCM,data:abc,iv:x,tag:y,type:str]",
            "Bearer os.environ/KEY",
        ] {
            assert!(!concrete(value.as_bytes()), "{value}");
        }
        for value in [
            "hunter2",
            "\"pa ss\"",
            "'$ecret!'",
            "$ecret!",
            "sk-1234",
            "a-very-long-value",
            "p@$$w0rd",
            "1234",
            "env.!x",
            "%x%y",
            "100%",
            "envoy",
            "#1!pass",
            "(x)y",
            "vaultpw1",
            "https://h.example/secrets/abc",
        ] {
            assert!(concrete(value.as_bytes()), "{value}");
        }
        assert!(concrete(b"caf\xe9\xff1"));
    }

    #[test]
    fn where_a_login_stands_keys_are_pasted() {
        for text in ["al", "al@git.example", "deploy-bot", "gitlab+deploy-token-42", "123456789012"] {
            assert_eq!(login(text.as_bytes()), Some(text));
        }
        for text in [
            "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
            "3F2504E0-4F89-41D3-9A0C-0305E82C3301",
            "1234567890123456",
            "dALWmCH5oB41b8J",
        ] {
            assert_eq!(login(text.as_bytes()), None, "{text}");
        }
        for marker in ["", "\"\"", "x-oauth-basic", "X-OAUTH-BASIC"] {
            assert!(marks_login(marker.as_bytes()), "{marker}");
        }
        for password in ["hunter2", "x", "x-oauth", "x-oauth-basic2"] {
            assert!(!marks_login(password.as_bytes()), "{password}");
        }
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
        // One less of each kind is a name.
        for (text, shown) in [
            ("dALWmCH5oB41b8J", false),
            ("dALWmCH5oB41b8", true),
            ("dwbNSqsCODTKcXcmbBTF", false),
            ("dwbNSqsCODTKcXcmbBT", true),
            ("team/dwbnsqscodtkcxcmbbtf@git.example", false),
            ("kubernetes-admin@kubernetes", true),
            ("123456789012", true),
            ("1234567890123456", true),
            ("3f2504e0-4f89-41d3-9a0c-0305e82c3301", true),
        ] {
            assert_eq!(label(text.as_bytes()).is_some(), shown, "{text}");
        }
        assert_eq!(label(&[b'a'; 101]), None);
        assert_eq!(label(b"\xff"), None);
        assert_eq!(label(b"https://al:pw@registry.example"), None);
    }
}
