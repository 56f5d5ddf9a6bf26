//! Since when: the earliest time that can be trusted, with its source, and when the artefacts were on offer.

use jiff::{Timestamp, tz::TimeZone};

use super::hits::package;
use crate::{report::v1, text::printable, verdict::Exposure};

/// The windows of what was found, and the times of the findings with their sources.
struct Known<'r> {
    windows: Vec<&'r v1::Window>,
    times: Vec<(Timestamp, &'r str)>,
}

fn known(report: &v1::Report) -> Known<'_> {
    let (mut windows, mut times) = (Vec::new(), Vec::new());
    for incident in &report.incidents {
        let start = incident.windows.iter().map(|w| w.start).min();
        let far = || incident.findings.iter().filter(|f| f.exposure >= Exposure::Removed);
        let own: Vec<String> = far().filter_map(package).collect();
        let known = windows.len();
        windows.extend(incident.windows.iter().filter(|w| own.contains(&w.artifact)));
        if windows.len() == known && far().next().is_some() {
            windows.extend(&incident.windows);
        }
        for f in far() {
            let source = f.at_source.as_deref().unwrap_or_default();
            // A copy has the time of the copy, and what is older than the first upload was set by hand.
            let trusted = !source.is_empty() && !source.contains("birth");
            times.extend(f.at.filter(|at| trusted && start.is_none_or(|s| *at >= s)).map(|at| (at, source)));
        }
    }
    Known { windows, times }
}

/// From when on logs are read: since it was first on offer.
pub fn opened(report: &v1::Report) -> Option<String> {
    known(report).windows.iter().map(|w| w.start).min().map(minute)
}

/// The earliest time that can be trusted, and when the artefacts were on offer.
pub fn since(report: &v1::Report) -> String {
    let Known { windows, times } = known(report);
    let opened = windows.iter().map(|w| w.start).min();
    let closed = windows.iter().map(|w| w.end).max_by_key(|end| (end.is_none(), *end)).flatten();
    let earliest = times.into_iter().min();
    let window = match (opened, closed) {
        (None, _) => String::new(),
        (Some(start), None) => format!("on offer since {}", minute(start)),
        (Some(start), Some(end)) => format!("on offer {}", span(start, end, earliest.map(|(at, _)| at))),
    };
    match (earliest, opened, closed) {
        // A cache, a mirror or the time of a copy: it may have been there before.
        (Some((at, source)), Some(start), Some(end)) if at > end => {
            format!(
                "{} at the earliest (on offer until {}); times here are later: {} ({})",
                minute(start),
                minute(end),
                minute(at),
                printable(source)
            )
        }
        (Some((at, source)), None, _) => format!("{} ({})", minute(at), printable(source)),
        (Some((at, source)), ..) => format!("{} ({}); {window}", minute(at), printable(source)),
        (None, None, _) => "not known".to_owned(),
        (None, ..) => format!("not known here; {window}"),
    }
}

/// "2026-03-24 11:05 UTC".
fn minute(at: Timestamp) -> String {
    format!("{} UTC", at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M"))
}

/// "2026-03-24 10:52 to 16:00 UTC"; without a day that was named before.
fn span(start: Timestamp, end: Timestamp, before: Option<Timestamp>) -> String {
    let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    let short = |at: Timestamp, known: Option<Timestamp>| {
        let form = if known.is_some_and(|k| day(k) == day(at)) { "%H:%M" } else { "%Y-%m-%d %H:%M" };
        at.to_zoned(TimeZone::UTC).strftime(form).to_string()
    };
    format!("{} to {} UTC", short(start, before), short(end, Some(start)))
}
