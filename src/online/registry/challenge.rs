//! `WWW-Authenticate`: how a server wants to be asked (RFC 9110, section 11.6.1).

/// Bytes read of all such headers of one answer.
const BYTES: usize = 16 << 10;
const CHALLENGES: usize = 16;
const PARAMETERS: usize = 32;

/// One way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Challenge {
    /// `basic`, `bearer`: lower case.
    pub(super) scheme: String,
    /// Lower-case names and their values.
    parameters: Vec<(String, String)>,
}

impl Challenge {
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }
}

/// The ways that an answer names. What cannot be read ends the list.
pub(super) fn challenges<'h>(values: impl Iterator<Item = &'h str>) -> Vec<Challenge> {
    let (mut all, mut left) = (Vec::new(), BYTES);
    for value in values {
        let Some(rest) = left.checked_sub(value.len()) else { break };
        left = rest;
        read(value, &mut all);
    }
    all.truncate(CHALLENGES);
    all
}

fn read(text: &str, all: &mut Vec<Challenge>) {
    let mut rest = text;
    while all.len() < CHALLENGES {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let Some((word, after)) = token(rest) else { return };
        let value = after.trim_start().strip_prefix('=').map(str::trim_start);
        match (value, all.last_mut()) {
            // `name=value` belongs to the scheme before it.
            (Some(value), Some(challenge)) => {
                let Some((value, after)) = quoted(value).or_else(|| token(value).map(|(t, a)| (t.to_owned(), a)))
                else {
                    return;
                };
                if challenge.parameters.len() < PARAMETERS {
                    challenge.parameters.push((word.to_ascii_lowercase(), value));
                }
                rest = after;
            }
            (Some(_), None) => return,
            (None, _) => {
                all.push(Challenge { scheme: word.to_ascii_lowercase(), parameters: Vec::new() });
                rest = after;
            }
        }
    }
}

fn token(text: &str) -> Option<(&str, &str)> {
    let in_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~/:?".contains(c);
    let end = text.find(|c| !in_token(c)).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(word, _)| !word.is_empty())
}

fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.strip_prefix('"')?.chars();
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => value.push(chars.next()?),
            c => value.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let all = challenges(
            [
                r#"Bearer realm="https://auth.registry.example/token?a=b,c",service="registry \"x\"" , scope="repository:a/b:pull,push""#,
                "Basic realm=plain, Negotiate",
            ]
            .into_iter(),
        );
        let schemes: Vec<&str> = all.iter().map(|c| c.scheme.as_str()).collect();
        assert_eq!(schemes, ["bearer", "basic", "negotiate"]);
        assert_eq!(all[0].parameter("realm"), Some("https://auth.registry.example/token?a=b,c"));
        assert_eq!(
            (all[0].parameter("service"), all[0].parameter("scope")),
            (Some(r#"registry "x""#), Some("repository:a/b:pull,push"))
        );
        assert_eq!((all[1].parameter("realm"), all[2].parameter("realm")), (Some("plain"), None));
    }

    #[test]
    fn hostile_ones_end() {
        for text in [
            "",
            ",,,",
            "=",
            "a=b",
            "Bearer realm=\"",
            "Bearer realm=\"\\",
            "Bearer =x",
            "\u{e9} \"",
            "Bearer realm=\"x\" \"y\"",
        ] {
            assert!(challenges([text].into_iter()).len() <= 1, "{text}");
        }
        assert_eq!(challenges([",a".repeat(1000).as_str()].into_iter()).len(), CHALLENGES);
        assert!(challenges(["x".repeat(BYTES + 1).as_str()].into_iter()).is_empty());
        let many = format!("Bearer {}", "a=b,".repeat(1000));
        assert_eq!(challenges([many.as_str()].into_iter())[0].parameters.len(), PARAMETERS);
    }
}
