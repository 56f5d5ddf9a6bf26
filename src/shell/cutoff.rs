//! What an installer's own options keep it from: versions younger than a time, or installing at all.
//!
//! ```text
//! uv … --exclude-newer 2026-03-01              pip … --uploaded-prior-to 2026-03-01T00:00:00Z
//! uv … --exclude-newer '7 days'                pip … --uploaded-prior-to P7D
//! ```

use std::str::FromStr as _;

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, civil, tz::TimeZone};

use crate::fact::Cutoff;

/// pip's, and that of uv and pdm.
const OPTIONS: &[&str] = &["--uploaded-prior-to", "--exclude-newer"];
/// Options with which a package is fetched at most. What is only locked is no trial: the next command installs it.
const TRIALS: &[&str] = &["--dry-run", "--download-only"];
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

/// Whether these words keep a command from installing anything.
pub fn is_trial(words: &[String]) -> bool {
    words.iter().any(|w| TRIALS.contains(&w.as_str()))
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

    fn of(text: &str) -> Option<Cutoff> {
        cutoff(&text.split('|').map(str::to_owned).collect::<Vec<_>>())
    }

    fn at(time: &str) -> Option<Cutoff> {
        Some(Cutoff::At(time.parse().unwrap()))
    }

    #[test]
    fn trials() {
        let is = |text: &str| is_trial(&text.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert!(is("pip install --dry-run x") && is("conda install --download-only x"));
        assert!(!is("pip install dry-run") && !is("poetry add --lock x"));
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
            assert_eq!(of(words), expected, "{words}");
        }
    }
}
