//! What of a hostile text may be shown as a name or a version.

/// Whether a text can be a name, so that it is safe to show.
pub fn is_name(text: &str) -> bool {
    let plain =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~!*'()".contains(c));
    let fits = match text.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/').is_some_and(|(scope, name)| plain(scope) && plain(name)),
        None => plain(text),
    };
    text.len() <= 214 && fits
}

/// Whether a text can be a version, so that it is safe to show. Wider than node-semver: some old packages have others.
pub fn is_version(text: &str) -> bool {
    let digits = text.strip_prefix('v').unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && text.len() <= 200
        && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-+_".contains(c))
}
