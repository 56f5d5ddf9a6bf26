//! What an installer's own options keep it from: versions younger than a time, or installing at all.
//!
//! ```text
//! uv … --exclude-newer 2026-03-01              pip … --uploaded-prior-to 2026-03-01T00:00:00Z
//! uv … --exclude-newer '7 days'                pip … --uploaded-prior-to P7D
//! ```

use std::str::FromStr as _;

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, civil, tz::TimeZone};

use crate::fact::{CommandAction, Cutoff};

/// pip's, that of uv and pdm, and npm's.
const OPTIONS: &[&str] = &["--uploaded-prior-to", "--exclude-newer", "--before"];
/// Options with which versions are chosen at most. What installs what they chose is another command.
const TRIALS: &[&str] = &["--dry-run", "--no-install"];
/// Options with which a package is fetched and not installed.
const FETCHES: &[&str] = &["--download-only"];
/// Options with which only the manifest and the lock file change, of the tools that know them.
const LOCKS: &[&str] = &["--no-sync", "--frozen", "--lock"];
/// A time without a zone is at most so much earlier than the same time in UTC.
const ZONES: SignedDuration = SignedDuration::from_hours(12);

/// The cutoff among the words of one command.
pub fn cutoff(words: &[String]) -> Option<Cutoff> {
    let value = words.iter().enumerate().find_map(|(at, word)| {
        let rest = OPTIONS.iter().find_map(|option| word.strip_prefix(option))?;
        if rest.is_empty() { words.get(at + 1).map(String::as_str) } else { rest.strip_prefix('=') }
    })?;
    read(value.trim())
}

/// What these words leave of an install.
pub fn left_of_install(tool: &str, words: &[String]) -> CommandAction {
    let has = |options: &[&str]| words.iter().any(|w| options.contains(&w.as_str()));
    if has(TRIALS) || (matches!(tool, "uv" | "poetry" | "pdm") && has(LOCKS)) {
        CommandAction::Resolve
    } else if has(FETCHES) {
        CommandAction::Download
    } else {
        CommandAction::Install
    }
}

/// A date means its whole day. What cannot be read is no cutoff.
fn read(text: &str) -> Option<Cutoff> {
    if let Ok(time) = Timestamp::from_str(text) {
        return Some(Cutoff::At(time));
    }
    let in_zones = |time: civil::DateTime| {
        let time = time.to_zoned(TimeZone::UTC).ok()?.timestamp();
        time.checked_add(ZONES).ok().map(Cutoff::At)
    };
    if text.len() == "2026-03-01".len()
        && let Ok(date) = civil::Date::from_str(text)
    {
        return in_zones(date.tomorrow().ok()?.at(0, 0, 0, 0));
    }
    if let Ok(time) = civil::DateTime::from_str(text) {
        return in_zones(time);
    }
    let age = Span::from_str(text).ok()?.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Some(Cutoff::Age(age.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Cutoff> {
        cutoff(&text.split('|').map(str::to_owned).collect::<Vec<_>>())
    }

    fn at(time: &str) -> Option<Cutoff> {
        Some(Cutoff::At(time.parse().unwrap()))
    }

    #[test]
    fn trials() {
        use CommandAction::{Download, Install, Resolve};
        for (text, left) in [
            ("pip install --dry-run x", Resolve),
            ("uv add --frozen x", Resolve),
            ("poetry add --lock x", Resolve),
            ("conda install --download-only x", Download),
            ("pip install dry-run", Install),
            ("pip install --lock x", Install),
        ] {
            let words: Vec<_> = text.split(' ').map(str::to_owned).collect();
            assert_eq!(left_of_install(&words[0], &words), left, "{text}");
        }
    }

    #[test]
    fn times_dates_and_ages() {
        for (words, expected) in [
            ("uv|add|--exclude-newer|2026-03-01T10:00:00+02:00|x", at("2026-03-01T08:00:00Z")),
            ("uv|add|--exclude-newer=2026-03-01|x", at("2026-03-02T12:00:00Z")),
            ("pip|install|x|--uploaded-prior-to|2026-03-01T10:00:00", at("2026-03-01T22:00:00Z")),
            ("uv|sync|--exclude-newer|7 days", Some(Cutoff::Age(SignedDuration::from_hours(168)))),
            ("uv|sync|--exclude-newer|1 week", Some(Cutoff::Age(SignedDuration::from_hours(168)))),
            ("pip|install|--uploaded-prior-to=P3D|x", Some(Cutoff::Age(SignedDuration::from_hours(72)))),
            ("uv|add|--exclude-newer|1 month", None),
            ("uv|add|--exclude-newer|$DAY", None),
            ("uv|add|--exclude-newer", None),
            ("uv|add|--exclude-newer-package|x=2026-03-01", None),
            ("uv|add|--exclude-newer|9999999999999999 days", None),
            ("uv|add|x", None),
        ] {
            assert_eq!(read(words), expected, "{words}");
        }
    }
}
