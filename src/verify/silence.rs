//! From extracts of logs to the third fact.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{
    log::{Asked, Extract, LOGS},
    provider::Subject,
    second,
    v1::{Quiet, Silence},
};
use crate::verdict::WATCH_DAYS;

/// Hours between two files of a log that are no hole in it: a trail writes one where something happens.
const HOLE: i64 = 24;
/// Regions that a sentence names.
const NAMED: usize = 3;

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
        return match known {
            Some(log) => unknown(
                format!("no log was handed in: {}", log.title()),
                Some(format!(
                    "hand in an extract of it (`--log {}=FILE`), fetched as the plan's part C says",
                    log.name()
                )),
            ),
            None => unknown(
                "no log of its kind is read".to_owned(),
                Some("review the log that the plan's part C names, and attest what it shows".to_owned()),
            ),
        };
    }
    if let Some(why) = own.iter().find_map(|e| e.nameless()) {
        return unknown(why.to_owned(), Some("look for it there by hand, and attest what the log shows".to_owned()));
    }
    let Some(id) = subject.own_id else {
        let reason = "nothing identifies it in the log".to_owned();
        return unknown(reason, Some("look for it there by hand, and attest what the log shows".to_owned()));
    };
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
        ..unknown(String::new(), None)
    };
    (all.answer, all.reason, all.next) = judged(subject, id, &all, &own, now);
    all
}

type Judged = (Quiet, String, Option<String>);

fn judged(subject: &Subject<'_>, id: &str, all: &Silence, own: &[&Extract], now: Timestamp) -> Judged {
    let unknown = |reason: String, next: &str| (Quiet::Unknown, reason, Some(next.to_owned()));
    let last = all.last_use.map(|at| format!(", the last at {}", second(at))).unwrap_or_default();
    match (all.since, all.uses_after) {
        (_, 0) => {}
        (Some(ended), n) => {
            let next = "see that it is dead at its provider, and find out who used it, and what for";
            let times = times(n);
            return (
                Quiet::Used,
                format!("used {times} after it ended at {}{last}", second(ended)),
                Some(next.to_owned()),
            );
        }
        (None, n) => {
            let reason = format!("used {} since the report{last}; no file says when it ended", times(n));
            return unknown(
                reason,
                "hand in what says when it ended: the log of its end, or the plan with its time of revoking",
            );
        }
    }
    if let Some(why) = own.iter().find_map(|e| e.incomplete.as_ref()) {
        return unknown(format!("the extract is not all there is: {why}"), "fetch the whole of it, and hand that in");
    }
    let (limit, what) = match all.since {
        Some(ended) => (ended, "it ended"),
        None => (subject.written, "the report was written"),
    };
    // Of the right account: what it is about stands in it.
    let ids = [Some(id), subject.here.identifier_now.as_deref()];
    let account = ids.into_iter().flatten().any(|id| own.iter().any(|e| e.traces.contains_key(id)));
    let asked: Vec<&Asked> = own.iter().flat_map(|e| &e.asked).filter(|a| a.id == id).collect();
    if own.iter().all(|e| e.events == 0) {
        let reason = match asked.is_empty() {
            true => {
                "the extract holds no event: neither it nor what replaced it, and nothing says from when to when it was asked for"
            }
            false => {
                "the extract holds no event: neither it nor what replaced it, so that it may be of another account"
            }
        };
        return unknown(reason.to_owned(), UNFILTERED);
    }
    if !account {
        let reason = "neither it nor what replaced it stands in the extract: it may be of another account, or was asked for by another key";
        return unknown(reason.to_owned(), UNFILTERED);
    }
    let files: Vec<(Timestamp, Timestamp)> = own.iter().filter_map(|e| e.span()).collect();
    let by_files = reach(limit, files, SignedDuration::from_hours(HOLE));
    let by_search = searched(limit, &asked, now);
    let (Reach { to: reach, hole }, parts) = match (by_files, by_search) {
        (Some(files), Some((search, parts))) if search.to > files.to => (search, parts),
        (Some(files), _) => (files, own.iter().flat_map(|e| &e.parts).map(String::as_str).collect()),
        (None, Some(search)) => search,
        (None, None) => return begins_late(own, id, limit, what),
    };
    let hole = hole.map(|from| format!("; the next begins at {}, and what lies between is missing", second(from)));
    let hole = hole.unwrap_or_default();
    let tries = match all.refused_after {
        0 => String::new(),
        n => format!("; {} refused: somebody still tries", times(n)),
    };
    let (days, over) = (reach.duration_since(limit).as_hours() / 24, reach > limit);
    let (limit, reach) = (second(limit), second(reach));
    if !over {
        return unknown(
            format!("the extract ends at {reach}, and {what} at {limit}{hole}"),
            &format!("hand the log in again, from {} on", watched(limit)),
        );
    }
    if days < WATCH_DAYS {
        return unknown(
            format!(
                "silent for {days} of {WATCH_DAYS} days: no use since {what} at {limit}, up to {reach}{hole}{tries}"
            ),
            &format!("hand the log in again, from {} on", watched(limit)),
        );
    }
    (
        Quiet::Silent,
        format!("no use in {days} days since {what} at {limit}, up to {reach}{}{tries}", within(parts)),
        None,
    )
}

/// What to do where an extract says too little of itself.
const UNFILTERED: &str = "fetch it without the filter by key, or by the command of the plan's part C, which writes behind its output \
                          what it asked for and for how long; or attest who looked, where, and from when to when";

fn begins_late(own: &[&Extract], id: &str, limit: Timestamp, what: &str) -> Judged {
    let from = own.iter().filter_map(|e| e.span()).map(|(from, _)| from).min();
    let (reason, next) = match from {
        Some(from) => (
            format!("the extract begins at {}, after {what} at {}", second(from), second(limit)),
            "fetch it from before that moment on",
        ),
        None => {
            let only = own.iter().find_map(|e| e.only());
            let what = match only {
                Some(only) if only == id => "events of this key alone",
                Some(_) => "events of one other key alone",
                None => "what was done to keys, and nothing that was done with them",
            };
            let reason = format!(
                "the extract holds {what}, as one does that is asked for by that: how far it reaches it does not say"
            );
            (reason, UNFILTERED)
        }
    };
    (Quiet::Unknown, reason, Some(next.to_owned()))
}

/// How far something runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reach {
    to: Timestamp,
    /// Where it begins again, after more than a hole.
    hole: Option<Timestamp>,
}

/// How far spans that follow one another run on from `limit`; `None` where none of them has begun by then.
fn reach(limit: Timestamp, mut spans: Vec<(Timestamp, Timestamp)>, tolerated: SignedDuration) -> Option<Reach> {
    spans.sort_unstable();
    let (first, rest) = spans.split_first()?;
    let mut reach = Some(Reach { to: first.1, hole: None }).filter(|_| first.0 <= limit)?;
    for (from, to) in rest {
        if from.duration_since(reach.to.max(limit)) > tolerated {
            reach.hole = Some(*from);
            break;
        }
        reach.to = reach.to.max(*to);
    }
    Some(reach)
}

/// The same of searches for the key: as far as that of the region that reaches least.
fn searched<'a>(limit: Timestamp, asked: &[&'a Asked], now: Timestamp) -> Option<(Reach, Vec<&'a str>)> {
    let mut parts: BTreeMap<&str, Vec<(Timestamp, Timestamp)>> = BTreeMap::new();
    for a in asked {
        // Nobody can have asked for what is to come.
        parts.entry(&a.part).or_default().push((a.from, a.to.min(now)));
    }
    let each = parts.into_values().map(|spans| reach(limit, spans, SignedDuration::ZERO));
    let least = each.collect::<Option<Vec<Reach>>>()?.into_iter().min_by_key(|reach| reach.to)?;
    Some((least, asked.iter().map(|a| a.part.as_str()).collect()))
}

fn within(mut parts: Vec<&str>) -> String {
    parts.sort_unstable();
    parts.dedup();
    parts.retain(|part| !part.is_empty());
    let more = parts.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    parts.truncate(NAMED);
    if parts.is_empty() { String::new() } else { format!(", in {}{more}", parts.join(", ")) }
}

/// The moment from which on the watch is over.
fn watched(limit: Timestamp) -> Timestamp {
    limit.checked_add(SignedDuration::from_hours(24 * WATCH_DAYS)).unwrap_or(limit)
}

fn times(n: u64) -> String {
    if n == 1 { "once".to_owned() } else { format!("{n} times") }
}

fn unknown(reason: String, next: Option<String>) -> Silence {
    Silence {
        answer: Quiet::Unknown,
        reason,
        next,
        since: None,
        last_use: None,
        uses_after: 0,
        refused_after: 0,
        uses_before: 0,
        source: None,
    }
}
