//! GitHub Actions: `owner/name[/path]@reference`. A repository is compared without regard to case, a tag or branch exactly, a
//! commit by its first digits.

/// `owner/name` of a use, lower case, without a path inside the repository.
pub fn repository(text: &str) -> String {
    let text = text.strip_prefix("https://github.com/").or_else(|| text.strip_prefix("github.com/")).unwrap_or(text);
    text.split('/').take(2).collect::<Vec<_>>().join("/").to_ascii_lowercase()
}

/// A tag or branch without `refs/tags/` or `refs/heads/`.
pub fn short_reference(reference: &str) -> &str {
    ["refs/tags/", "refs/heads/"].iter().find_map(|r| reference.strip_prefix(r)).unwrap_or(reference)
}

/// Whether a reference can be a commit: 7 to 64 hex digits. One of digits only is one from 12 on: before it is a date.
pub fn is_commit(reference: &str) -> bool {
    let hex = reference.bytes().all(|b| b.is_ascii_hexdigit());
    hex && (7..=64).contains(&reference.len()) && (reference.len() >= 12 || !super::is_number(reference))
}

/// Whether one is the beginning of the other. Both at least 7 digits.
pub fn same_commit(known: &str, found: &str) -> bool {
    let (known, found) = (known.to_ascii_lowercase(), found.to_ascii_lowercase());
    known.len().min(found.len()) >= 7 && (known.starts_with(&found) || found.starts_with(&known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_lose_case_and_path_and_no_more() {
        assert_eq!(repository("Owner/Name/sub/dir"), "owner/name");
        assert_eq!(repository("https://github.com/Owner/Name"), "owner/name");
        assert_ne!(repository("owner/name-x"), "owner/name");
        assert_eq!(
            (short_reference("refs/tags/v1"), short_reference("v1"), short_reference("tags/v1")),
            ("v1", "v1", "tags/v1")
        );
    }

    #[test]
    fn commits_are_distinguished_from_tags() {
        assert!(is_commit("0e58ed8") && is_commit("123456789012") && is_commit(&"ab".repeat(20)));
        for tag in ["v1", "20240101", "abc123", "0e58ed8x", "1.2.3", ""] {
            assert!(!is_commit(tag), "{tag}");
        }
        assert!(same_commit("0e58ed8671d6", "0E58ED8") && same_commit("0e58ed8", "0e58ed8671d6"));
        assert!(!same_commit("0e58ed8671d6", "0e58ed9") && !same_commit("0e58ed8671d6", "0e58"));
    }
}
