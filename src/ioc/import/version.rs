//! Versions as other databases write them, in this program's syntax.

use serde_json::Value;

use crate::ecosystem::{is_range, is_version};
use crate::fact::Ecosystem;

/// The ranges of OSV events (`introduced`, `fixed`, `last_affected`), in their order. `introduced: "0"` is every version.
pub fn ranges<'v>(events: impl Iterator<Item = (&'v str, &'v Value)>) -> Result<Vec<String>, String> {
    let (mut ranges, mut open): (Vec<String>, Option<&str>) = (Vec::new(), None);
    for (kind, version) in events {
        let version = version.as_str().ok_or_else(|| format!("`{kind}` of a range is not a text"))?;
        match kind {
            "introduced" => {
                ranges.extend(open.replace(version).map(|from| written(from, "", "")));
            }
            "fixed" | "last_affected" => {
                let from = open.take().ok_or_else(|| format!("a range has `{kind}` before `introduced`"))?;
                ranges.push(written(from, if kind == "fixed" { "<" } else { "<=" }, version));
            }
            // What is above it is of another branch.
            "limit" => {}
            other => return Err(format!("`{other}` is no event of a range")),
        }
    }
    ranges.extend(open.map(|from| written(from, "", "")));
    Ok(ranges)
}

fn written(from: &str, operator: &str, to: &str) -> String {
    match (from, operator) {
        ("0", "") => "*".to_owned(),
        ("0", _) => format!("{operator}{to}"),
        (_, "") => format!(">={from}"),
        (_, "<=") if from == to => from.to_owned(),
        _ => format!(">={from},{operator}{to}"),
    }
}

/// Every version means that the others need no mention.
pub fn simplified(mut versions: Vec<String>) -> Vec<String> {
    if versions.iter().any(|v| v == "*") {
        return vec!["*".to_owned()];
    }
    versions.sort();
    versions.dedup();
    versions
}

/// Whether a text is a version, a range or `*` of this ecosystem.
pub fn is_good(ecosystem: Ecosystem, version: &str) -> bool {
    let one = |v: &str| {
        !v.is_empty()
            && v.len() <= 256
            && !v.chars().any(|c| c.is_whitespace() || crate::text::hidden(c))
            && is_version(ecosystem, v)
    };
    if is_range(version) {
        return version.split(',').all(|clause| {
            let digits = clause.trim_start_matches(['<', '>', '=']);
            ["<", "<=", ">", ">="].contains(&clause.strip_suffix(digits).unwrap_or_default()) && one(digits)
        });
    }
    version == "*" || one(version)
}

/// The versions of a cell. `None` where it is prose: nobody can know what it means.
pub fn cell(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    if let Some(range) = text.strip_prefix("range:") {
        let range: serde_json::Map<String, Value> = serde_json::from_str(range).ok()?;
        let order = ["introduced", "fixed", "last_affected"];
        let events = order.iter().filter_map(|k| Some((*k, range.get(*k)?)));
        return ranges(events).ok().filter(|r| !r.is_empty());
    }
    if ["*", "all", "any", "all versions", "any version"].contains(&text.to_ascii_lowercase().as_str()) {
        return Some(vec!["*".to_owned()]);
    }
    if text.starts_with(['<', '>']) && !text.contains(['|', ';']) {
        let range: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let clause = |c: &str| c.trim_start_matches(['<', '>', '=']).starts_with(|c: char| c.is_ascii_digit());
        let every = range.split(',').all(|c| c.starts_with(['<', '>']) && clause(c));
        // `>= 1.0 < 2.0` without a comma would be glued to one number.
        let glued = range.split(',').any(|c| c.trim_start_matches(['<', '>', '=']).contains(['<', '>', '=']));
        return (every && !glued).then(|| vec![range]);
    }
    let words = text.split(|c: char| c.is_whitespace() || ",;|".contains(c)).filter(|w| !w.is_empty() && *w != "=");
    let versions: Option<Vec<String>> = words.map(as_version).collect();
    versions.filter(|v| !v.is_empty())
}

/// `1.0.0`, `=1.0.0`, `v1.0.0`.
fn as_version(word: &str) -> Option<String> {
    let word = word.trim_start_matches('=').trim_matches(['"', '\'']);
    let digits = word.strip_prefix(['v', 'V']).unwrap_or(word);
    let good = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_alphanumeric() || "._-+!~:".contains(c));
    good.then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_become_ranges() {
        let of = |json: &str| {
            let events: Vec<serde_json::Map<String, Value>> = serde_json::from_str(json).unwrap();
            ranges(events.iter().flatten().map(|(k, v)| (k.as_str(), v)))
        };
        assert_eq!(of(r#"[{"introduced":"0"}]"#).unwrap(), ["*"]);
        assert_eq!(of(r#"[{"introduced":"0"},{"fixed":"1.4"}]"#).unwrap(), ["<1.4"]);
        assert_eq!(of(r#"[{"introduced":"1.2"},{"fixed":"1.4"}]"#).unwrap(), [">=1.2,<1.4"]);
        assert_eq!(of(r#"[{"introduced":"1.2"},{"last_affected":"1.4"}]"#).unwrap(), [">=1.2,<=1.4"]);
        assert_eq!(of(r#"[{"introduced":"1.2"},{"last_affected":"1.2"}]"#).unwrap(), ["1.2"]);
        assert_eq!(of(r#"[{"introduced":"1"},{"fixed":"2"},{"introduced":"3"}]"#).unwrap(), [">=1,<2", ">=3"]);
        assert!(of(r#"[{"fixed":"2"}]"#).is_err() && of(r#"[{"introduced":2}]"#).is_err());
        assert!(of(r#"[{"invented":"2"}]"#).is_err());
    }

    #[test]
    fn cells_are_versions_or_prose() {
        let of = |t: &str| cell(t).unwrap_or_default().join(" ");
        assert_eq!(of("1.82.7, 1.82.8"), "1.82.7 1.82.8");
        assert_eq!(of("= 1.0.1 || = 1.0.2"), "1.0.1 1.0.2");
        assert_eq!(of("*"), "*");
        assert_eq!(of(r#"range:{"introduced": "1.0.3"}"#), ">=1.0.3");
        assert_eq!(of(">= 1.2, < 1.4"), ">=1.2,<1.4");
        assert_eq!(of("v0.0.0-20260805040439-27421527967b"), "v0.0.0-20260805040439-27421527967b");
        for prose in
            ["0.2.0 to 0.2.6", "All tags not starting with v except 0.35.0", "", ">= 1.0 < 2.0", "latest", "before 2.0"]
        {
            assert_eq!(cell(prose), None, "{prose}");
        }
        assert_eq!(cell("range:{\"fixed\": \"1\"}"), None);
    }
}
