//! From extracts of logs to the third fact.

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use super::{
    log::{Extract, LOGS},
    provider::Subject,
    v1::{Quiet, Silence},
};

/// Whether it was used since it ended, at `since` where anybody knows. `began` is when the incident did, `now` is today.
pub fn state(
    subject: &Subject<'_>,
    since: Option<Timestamp>,
    extracts: &[Extract],
    began: Option<Timestamp>,
    now: Timestamp,
) -> Silence {
    let kind = subject.old.kind.as_str();
    let own: Vec<&Extract> = extracts.iter().filter(|e| e.log.kinds().contains(&kind)).collect();
    if own.is_empty() {
        let known = LOGS.iter().find(|log| log.kinds().contains(&kind));
        let reason = match known {
            Some(log) => format!("no log was handed in: {}", log.title()),
            None => "no log of its kind is read: review it, and attest what it shows".to_owned(),
        };
        return silence(Quiet::Unknown, reason);
    }
    let Some(id) = subject.own_id else {
        let why = own.iter().find_map(|e| e.log.nameless());
        return silence(Quiet::Unknown, why.unwrap_or("nothing identifies it in the log").to_owned());
    };
    if let Some(why) = own.iter().find_map(|e| e.log.nameless()) {
        return silence(Quiet::Unknown, why.to_owned());
    }
    let limit = since.unwrap_or(subject.written);
    let mut uses: Vec<(Timestamp, bool)> =
        own.iter().filter_map(|e| e.traces.get(id)).flat_map(|t| t.uses.iter().copied()).collect();
    uses.sort_unstable();
    // Two extracts may overlap.
    uses.dedup();
    let count = |fits: &dyn Fn(Timestamp, bool) -> bool| -> u64 {
        u64::try_from(uses.iter().filter(|(at, refused)| fits(*at, *refused)).count()).unwrap_or(u64::MAX)
    };
    let mut all = Silence {
        since,
        last_use: uses.iter().filter(|(_, refused)| !refused).map(|(at, _)| *at).max(),
        uses_after: count(&|at, refused| at > limit && !refused),
        refused_after: count(&|at, refused| at > limit && refused),
        uses_before: count(&|at, refused| at <= limit && !refused && began.is_none_or(|began| at >= began)),
        source: own.first().map(|e| e.file.clone()),
        ..silence(Quiet::Unknown, String::new())
    };
    let (from, to) = (own.iter().filter_map(|e| e.from).min(), own.iter().filter_map(|e| e.to).max());
    (all.answer, all.reason) = judged(subject, &all, &own, (from, to), now);
    all
}

fn judged(
    subject: &Subject<'_>,
    all: &Silence,
    own: &[&Extract],
    (from, to): (Option<Timestamp>, Option<Timestamp>),
    now: Timestamp,
) -> (Quiet, String) {
    let unknown = |reason: String| (Quiet::Unknown, reason);
    let last = all.last_use.map(|at| format!(", the last at {at}")).unwrap_or_default();
    match (all.since, all.uses_after) {
        (_, 0) => {}
        (Some(ended), n) => return (Quiet::Used, format!("used {n} times after it ended at {ended}{last}")),
        (None, n) => {
            return unknown(format!("used {n} times since the report{last}; no file says when it ended"));
        }
    }
    if let Some(why) = own.iter().find_map(|e| e.incomplete.as_ref()) {
        return unknown(format!("the extract is not all there is: {why}"));
    }
    let (Some(from), Some(to)) = (from, to) else {
        return unknown("the extract holds no event".to_owned());
    };
    // Of the right account: what it is about stands in it.
    let ids = [subject.own_id, subject.here.identifier_now.as_deref()];
    if !ids.into_iter().flatten().any(|id| own.iter().any(|e| e.traces.contains_key(id))) {
        return unknown(
            "neither it nor what replaced it stands in the extract: it may be of another account".to_owned(),
        );
    }
    let (limit, what) = match all.since {
        Some(ended) => (ended, "it ended"),
        None => (subject.written, "the report was written"),
    };
    if from > limit {
        return unknown(format!("the extract begins at {from}, after {what} at {limit}"));
    }
    if to < today(now) {
        return unknown(format!("no use since {limit}, but the extract ends at {to}, before today"));
    }
    let tries = match all.refused_after {
        0 => String::new(),
        n => format!("; {n} times refused: somebody still tries"),
    };
    (Quiet::Silent, format!("no use since {what} at {limit}, up to {to}{tries}"))
}

/// The first moment of today, UTC.
fn today(now: Timestamp) -> Timestamp {
    let start = now.to_zoned(TimeZone::UTC).start_of_day();
    start.map_or(now.checked_sub(24.hours()).unwrap_or(now), |start| start.timestamp())
}

fn silence(answer: Quiet, reason: String) -> Silence {
    Silence {
        answer,
        reason,
        since: None,
        last_use: None,
        uses_after: 0,
        refused_after: 0,
        uses_before: 0,
        source: None,
    }
}
