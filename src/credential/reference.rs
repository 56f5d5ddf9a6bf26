//! Values that are no secret and say which store holds it: `op://…`, `vault:…`, an ARN. What is recognised here is what `form` takes for a
//! reference; of the reference itself nothing is kept but the store.

use super::form;
use crate::fact::Store;

/// How references into each store begin.
const STARTS: &[(Store, &[&str])] = &[
    (Store::Vault, &["vault:", "{vault://", "bao:", "ref+vault://", "!vault "]),
    (
        Store::Aws,
        &[
            "arn:aws:secretsmanager:",
            "arn:aws:ssm:",
            "ssm:",
            "ssm-secure:",
            "awssm://",
            "aws-sm:",
            "aws_secrets_manager:",
            "awssecretsmanager:",
            "ref+awssecrets://",
            "ref+awsssm://",
            "{{resolve:secretsmanager:",
            "{{resolve:ssm",
        ],
    ),
    (Store::Gcp, &["gcpsm://", "gcp-sm:", "gsm://", "sm://", "//secretmanager.googleapis.com/", "ref+gcpsecrets://"]),
    (Store::Azure, &["@Microsoft.KeyVault(", "keyvault:", "akv://", "azkv://", "ref+azurekeyvault://"]),
    (Store::Onepassword, &["op://", "ref+op://", "{{ op://", "{{op://"]),
    (Store::Sops, &["ENC[AES256_GCM,", "ref+sops://"]),
];

/// The store that a value points into; `None` for a secret, a placeholder, and what points to a variable or a file.
pub fn store(value: &[u8]) -> Option<Store> {
    let text = std::str::from_utf8(form::unquoted(value)).ok()?;
    let known = STARTS.iter().find(|(_, starts)| starts.iter().any(|start| text.starts_with(start)));
    let store = known.map(|(store, _)| *store).or_else(|| by_parts(text))?;
    // What is read as a secret is one.
    (!form::concrete(value)).then_some(store)
}

/// By more than its start.
fn by_parts(text: &str) -> Option<Store> {
    if text.starts_with("projects/") && text.contains("/secrets/") {
        return Some(Store::Gcp);
    }
    (text.starts_with("https://") && text.contains(".vault.azure.net/secrets/")).then_some(Store::Azure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_its_store() {
        for (value, expected) in [
            ("vault:secret/data/app#DB_PASSWORD", Store::Vault),
            ("bao:kv/app#key", Store::Vault),
            ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf", Store::Aws),
            ("'arn:aws:ssm:eu-west-1:123456789012:parameter/app/key'", Store::Aws),
            ("{{resolve:secretsmanager:app:SecretString:password}}", Store::Aws),
            ("projects/p/secrets/app/versions/latest", Store::Gcp),
            ("sm://app", Store::Gcp),
            ("@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/a)", Store::Azure),
            ("https://v.vault.azure.net/secrets/a/0", Store::Azure),
            ("\"op://Private/app/password\"", Store::Onepassword),
            ("ENC[AES256_GCM,data:abc,iv:def,tag:ghi,type:str]", Store::Sops),
        ] {
            assert_eq!(store(value.as_bytes()), Some(expected), "{value}");
        }
    }

    #[test]
    fn secrets_and_what_points_elsewhere_name_none() {
        for value in [
            "",
            "hvs.CANARYCANARYCANARY",
            "${DB_PASSWORD}",
            "os.environ/OPENAI_API_KEY",
            "file:/run/secrets/x",
            "arn:aws:iam::123456789012:role/app",
            "projects/p/locations/l",
            "vaultCANARY1234",
            "opCANARY://x",
            "https://user:CANARY@v.example/secrets/",
            "changeme",
        ] {
            assert_eq!(store(value.as_bytes()), None, "{value}");
        }
        assert_eq!(store(b"op://\xff"), None);
    }
}
