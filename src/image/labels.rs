//! The labels of an image: metadata for people and programs, into which builds have put tokens. Whoever pulls the image reads them.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;

use super::plan::Secrets;

/// Labels that are looked at, and bytes of a value.
const MOST: usize = 10_000;
const VALUE: usize = 64 << 10;

/// Values by key. They are seen by the one function that looks for secrets, and go with it.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Labels(Option<BTreeMap<String, Option<String>>>);

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Labels(..)")
    }
}

impl Labels {
    /// The secrets among them, by key. `find` reads `NAME=value` lines.
    pub(super) fn secrets(self, find: &dyn Fn(&[u8]) -> Secrets) -> Secrets {
        let mut lines = String::new();
        let mut keys: BTreeMap<String, String> = BTreeMap::new();
        for (key, value) in self.0.unwrap_or_default().into_iter().take(MOST) {
            let Some(value) = value.filter(|v| v.len() <= VALUE) else { continue };
            let name = variable(&key);
            lines.push_str(&format!("{name}={}\n", value.replace(['\r', '\n'], " ")));
            keys.entry(name).or_insert(key);
        }
        let found = if lines.is_empty() { Vec::new() } else { find(lines.as_bytes()) };
        found.into_iter().map(|(name, secret)| (keys.remove(&name).unwrap_or(name), secret)).collect()
    }
}

/// `com.example.api-token` as a variable would be called: `COM_EXAMPLE_API_TOKEN`.
fn variable(key: &str) -> String {
    let sign = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = key.chars().take(128).map(sign).collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') { name } else { format!("_{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Credential;

    #[test]
    fn secrets_are_known_by_their_keys() {
        let labels: Labels =
            serde_json::from_str(r#"{"com.example.api-token":"s3cr3t","a":"b\nX_TOKEN=y","n":null,"1":"x"}"#).unwrap();
        assert!(!format!("{labels:?}").contains("s3cr3t"));
        let find = |lines: &[u8]| {
            assert_eq!(lines, b"_1=x\nA=b X_TOKEN=y\nCOM_EXAMPLE_API_TOKEN=s3cr3t\n");
            let kind = "env.process".into();
            vec![(
                "COM_EXAMPLE_API_TOKEN".to_owned(),
                Credential { kind, identifier: None, note: None, named_by: None, tag: None },
            )]
        };
        let found = labels.secrets(&find);
        assert_eq!(found[0].0, "com.example.api-token");
        assert!(Labels::default().secrets(&|_| panic!("nothing to look for")).is_empty());
    }
}
