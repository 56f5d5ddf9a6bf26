//! From listings to the second fact.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    listing::{Listing, Standing},
    log::{Extract, ended},
    second,
    v1::{AtProvider, Change, Here, Life, Unclaimed},
};
use crate::report::v1::Credential;

/// Unclaimed entries that are named.
const UNCLAIMED: usize = 10_000;

/// One credential, as far as it is known.
pub struct Subject<'s> {
    /// Of the report.
    pub old: &'s Credential,
    /// Its identifier, where that is another one for each value.
    pub own_id: Option<&'s str>,
    /// What stands at its place.
    pub here: &'s Here,
    /// When the report was written, UTC.
    pub written: Timestamp,
}

/// Whether it is accepted, by all that was handed in.
pub fn state(subject: &Subject<'_>, listings: &[Listing], extracts: &[Extract]) -> AtProvider {
    let kind = subject.old.kind.as_str();
    let mut answers: Vec<AtProvider> =
        listings.iter().filter(|l| l.form.kinds().contains(&kind)).map(|l| by_listing(subject, l)).collect();
    answers.extend(by_log(subject, extracts));
    // Alive weighs most; a time of its end is worth more than none.
    let weight = |a: &AtProvider| match a.answer {
        Life::Alive => 3,
        Life::Dead if a.ended.is_some() => 2,
        Life::Dead => 1,
        Life::Unknown => 0,
    };
    let mut worst: Option<AtProvider> = None;
    for answer in answers {
        if worst.as_ref().is_none_or(|w| weight(w) < weight(&answer)) {
            worst = Some(answer);
        }
    }
    worst.unwrap_or_else(|| {
        let mut readers = super::listing::FORMS.iter().filter(|form| form.kinds().contains(&kind));
        let unknown = |reason: String| answer(Life::Unknown, reason, None, None);
        match readers.next().map(|form| form.command()) {
            Some(command) => unknown(format!("no listing was handed in: `{command}`"))
                .next(&format!("on a clean machine, write `{command}` into a file, and hand it in with `--listing`")),
            None => {
                unknown("no listing of its kind is read".to_owned()).next("ask its provider, and attest what it says")
            }
        }
    })
}

fn answer(answer: Life, reason: String, ended: Option<Timestamp>, source: Option<&str>) -> AtProvider {
    AtProvider { answer, reason, next: None, ended, source: source.map(str::to_owned) }
}

impl AtProvider {
    /// With what to do about it.
    fn next(self, next: &str) -> Self {
        Self { next: Some(next.to_owned()), ..self }
    }
}

fn by_listing(subject: &Subject<'_>, listing: &Listing) -> AtProvider {
    let source = Some(listing.file.as_str());
    let unknown = |reason: String| answer(Life::Unknown, reason, None, source);
    if let Some(why) = listing.form.nameless() {
        let reason = format!("{why}; {}", made_before(subject, listing));
        return unknown(reason).next("look there by hand whether it is among them, revoke it, and attest that");
    }
    let Some(id) = subject.own_id else {
        let reason = "nothing identifies it: no entry can be known to be this one".to_owned();
        return unknown(reason).next("look there by hand, and attest what it says");
    };
    if let Some(entry) = listing.entry(id) {
        return match &entry.standing {
            Standing::Active => answer(Life::Alive, "the listing has it, active".to_owned(), None, source).next(REVOKE),
            Standing::Ended { how, at } => answer(Life::Dead, format!("the listing has it: {how}"), *at, source),
        };
    }
    if let Some(why) = &listing.entries.incomplete {
        let reason = format!("the listing has it not, and is not all there is: {why}");
        return unknown(reason).next("fetch the whole of it, and hand that in");
    }
    // Whose it is: the owner that the report names, or the one of what replaced it.
    let accounts = &listing.accounts;
    let by_owner = subject.old.location.inner.as_ref().is_some_and(|owner| accounts.contains(owner));
    let new = subject.here.identifier_now.as_deref().filter(|_| subject.here.answer == Change::Replaced);
    let by_new = new.is_some_and(|new| listing.entry(new).is_some());
    if by_owner || by_new {
        let because = if by_owner { "is of its owner" } else { "has what replaced it" };
        let open = listing.form.leaves_open().map(|open| format!("; {open}")).unwrap_or_default();
        return answer(Life::Dead, format!("the listing {because}, and has it no more{open}"), None, source);
    }
    let of = if accounts.is_empty() { String::new() } else { format!(" of {}", accounts.join(", ")) };
    let has = if listing.entries.list.is_empty() { "is empty" } else { "has it not" };
    let reason = format!("the listing{of} {has}, and nothing shows that it is of the right account");
    unknown(reason).next("hand in the listing of the account that it belonged to, or attest that this one is")
}

/// What to do about one that is accepted.
const REVOKE: &str = "revoke it, as the plan's item says";

/// What the times of a listing whose entries cannot be recognised point to.
fn made_before(subject: &Subject<'_>, listing: &Listing) -> String {
    let live = listing.entries.list.iter().filter(|e| e.standing == Standing::Active);
    let older = live.filter(|e| e.created.is_none_or(|at| at <= subject.written)).count();
    match older {
        0 if listing.entries.incomplete.is_none() => {
            "no live entry was made before the report: it is dead if the listing is of its account".to_owned()
        }
        0 => "no live entry on this page was made before the report".to_owned(),
        n => format!("{n} live made before the report, of which it may be one"),
    }
}

/// A log that holds the end of it.
fn by_log(subject: &Subject<'_>, extracts: &[Extract]) -> Option<AtProvider> {
    let id = subject.own_id?;
    let own = || extracts.iter().filter(|e| e.log.kinds().contains(&subject.old.kind.as_str()));
    // The extracts of one log say one thing together.
    let changes = own().filter_map(|e| e.traces.get(id)).flat_map(|t| t.changes.iter().copied());
    let (at, how) = ended(changes.collect())?;
    let has = |e: &&Extract| e.traces.get(id).is_some_and(|t| t.changes.iter().any(|(when, _)| *when >= at));
    let file = own().find(has)?.file.as_str();
    Some(match how {
        Some(how) => answer(Life::Dead, format!("the log has its end: {how}"), Some(at), Some(file)),
        None => {
            let reason = format!("the log has it made active again at {}", second(at));
            answer(Life::Alive, reason, None, Some(file)).next(REVOKE)
        }
    })
}

/// Entries that were made since the incident began and that nobody owns: `known` are the identifiers of the report and of today.
/// `changed` counts, by kind, the credentials that were changed here: so many new entries are their replacements.
pub fn unclaimed(
    listings: &[Listing],
    began: Option<Timestamp>,
    written: Timestamp,
    known: &BTreeSet<&str>,
    changed: &dyn Fn(&[&str]) -> usize,
) -> Vec<Unclaimed> {
    let mut all = Vec::new();
    for listing in listings {
        let nameless = listing.form.nameless().is_some();
        let mut expected = if nameless { changed(listing.form.kinds()) } else { 0 };
        for entry in listing.entries.list.iter().filter(|e| e.standing == Standing::Active) {
            let Some(created) = entry.created.filter(|at| *at >= began.unwrap_or(written)) else { continue };
            if !nameless && known.contains(entry.id.as_str()) {
                continue;
            }
            let in_window = created <= written;
            if !in_window && expected > 0 {
                expected -= 1;
                continue;
            }
            if all.len() < UNCLAIMED {
                all.push(Unclaimed {
                    id: entry.id.clone(),
                    account: entry.account.clone(),
                    label: entry.label.clone(),
                    created,
                    in_window,
                    source: listing.file.clone(),
                });
            }
        }
    }
    all.sort_by(|a, b| (a.created, &a.id, &a.source).cmp(&(b.created, &b.id, &b.source)));
    // Two listings may have one entry.
    all.dedup_by(|a, b| a.id == b.id && a.created == b.created);
    all
}
