//! The first fact: what stands at the place of a credential now. A value is recognised by an identifier that it alone has, or by its
//! keyed tag; labels, and times of files, prove nothing.

use std::collections::{HashMap, HashSet};

use super::{
    case::Case,
    second,
    v1::{By, Change, Here},
};
use crate::{
    coverage::WALK,
    credential::Forms,
    report::v1::{Credential, Gap, Location, Report},
    text::escape_short,
};

/// Places of one value that are listed.
const PLACES: usize = 20;
/// Of a place, in a reason.
const SHOWN: usize = 200;

/// What the examination of today found, ordered for questions.
pub struct Today<'r> {
    report: &'r Report,
    /// By kind and file.
    at: HashMap<(&'r str, Vec<u8>), Vec<&'r Credential>>,
    /// By kind and identifier.
    named: HashMap<(&'r str, &'r str), Vec<&'r Credential>>,
    /// By kind and tag.
    tagged: HashMap<(&'r str, &'r str), Vec<&'r Credential>>,
    /// Values of the case, by kind and file: what stands there still is nobody else's replacement.
    known: HashSet<(&'r str, Vec<u8>, &'r str)>,
    forms: &'r Forms,
    /// Which machine of a case of several was examined.
    machine: Option<&'r str>,
}

impl<'r> Today<'r> {
    /// Of this report, for questions about that case.
    pub fn new(report: &'r Report, forms: &'r Forms, case: &'r Case, machine: Option<&'r str>) -> Self {
        let (mut at, mut named, mut tagged) = (HashMap::new(), HashMap::new(), HashMap::new());
        for c in &report.credentials {
            at.entry((c.kind.as_str(), file(&c.location))).or_insert_with(Vec::new).push(c);
            if let Some(identifier) = &c.identifier {
                named.entry((c.kind.as_str(), identifier.as_str())).or_insert_with(Vec::new).push(c);
            }
            if let Some(tag) = &c.tag {
                tagged.entry((c.kind.as_str(), tag.as_str())).or_insert_with(Vec::new).push(c);
            }
        }
        let values = |c: &'r Credential| [c.tag.as_deref(), c.identifier.as_deref()].into_iter().flatten();
        let known = case.credentials.iter().flat_map(|c| values(c).map(|v| (c.kind.as_str(), file(&c.location), v)));
        let known = known.collect();
        Self { report, at, named, tagged, known, forms, machine }
    }

    /// The answer for one credential of the case.
    pub fn of(&self, case: &Case, old: &Credential) -> Here {
        if let Err((reason, next)) = self.is_same_target(case, old) {
            return unknown(reason, None, next);
        }
        let own_id = old.identifier.as_deref().filter(|id| self.forms.fit(&old.kind, id));
        let (key_then, key_now) = (case.key_of(old), self.report.run.case_key.as_deref());
        let tag = old.tag.as_deref().filter(|_| key_now.is_some() && key_then == key_now);
        if let Some(here) = self.same(old, own_id, tag) {
            return here;
        }
        let slot = self.slot(old, own_id.is_some());
        if slot.is_empty() {
            return self.gone(old);
        }
        let differs = |now: &&&Credential| -> Option<By> {
            let other = now.identifier.as_deref().filter(|id| self.forms.fit(&now.kind, id));
            match (own_id.and(other), tag.and(now.tag.as_deref())) {
                (Some(_), _) => Some(By::Identifier),
                (None, Some(_)) => Some(By::Tag),
                (None, None) => None,
            }
        };
        let by: Vec<Option<By>> = slot.iter().map(|now| differs(&now)).collect();
        let hint = hint(old, &slot);
        let Some(first) = by.iter().copied().collect::<Option<Vec<By>>>().and_then(|by| by.first().copied()) else {
            let next = match (key_then, key_now, &old.tag) {
                (Some(_), None, Some(_)) => "hand in the case key that the report was written with, `--case-key FILE`",
                _ => LOOK,
            };
            return unknown(incomparable(old, key_then, key_now, own_id.is_some()), hint, next);
        };
        let identifier_now =
            slot.iter().find_map(|now| now.identifier.clone()).filter(|now| Some(now) != old.identifier.as_ref());
        let reason = match first {
            By::Identifier => "another identifier stands at its place".to_owned(),
            By::Tag => "another value stands at its place: its tag differs".to_owned(),
        };
        let places = Vec::new();
        Here { answer: Change::Replaced, by: Some(first), reason, next: None, hint: None, identifier_now, places }
    }

    /// Whether what was examined now is what was examined then.
    fn is_same_target(&self, case: &Case, old: &Credential) -> Result<(), (String, &'static str)> {
        let (then, now) = (case.target_of(old), &self.report.run.target);
        if old.location.layer.is_some() || matches!(then.kind.as_str(), "images" | "sbom") {
            let next = "build the image anew, examine the new one, and attest that it is gone from there";
            return Err(("it stood in an image, which nobody examined now".to_owned(), next));
        }
        // A report of one tree has the label of that tree; one of several machines, their names.
        let elsewhere =
            |what: &str| Err((format!("it stood on `{what}`, which is not what was examined now"), ELSEWHERE));
        if case.machines().next().is_some() {
            let is_it = self.machine == Some(old.location.tree.as_str());
            return if is_it { Ok(()) } else { elsewhere(&old.location.tree) };
        }
        match (then.kind.as_str(), now.kind.as_str()) {
            ("host", "host") if then.id != now.id => elsewhere(&then.id),
            ("inventories", _) => elsewhere(&old.location.tree),
            _ => Ok(()),
        }
    }

    fn same(&self, old: &Credential, own_id: Option<&str>, tag: Option<&str>) -> Option<Here> {
        let by_id = own_id.and_then(|id| self.named.get(&(old.kind.as_str(), id)));
        let by_tag = tag.and_then(|tag| self.tagged.get(&(old.kind.as_str(), tag)));
        let (found, by) = match (by_id, by_tag) {
            (Some(found), _) => (found, By::Identifier),
            (None, Some(found)) => (found, By::Tag),
            (None, None) => return None,
        };
        let mut places: Vec<Location> = found.iter().map(|now| now.location.clone()).collect();
        places.sort();
        let there = places.iter().any(|place| file(place) == file(&old.location));
        let what = match by {
            By::Identifier => "the identifier of the report",
            By::Tag => "the value of the report, by its tag,",
        };
        let reason = match places.first() {
            Some(other) if !there => format!("{what} stands at `{}` now", escape_short(&other.path.0, SHOWN)),
            _ => format!("{what} still stands there"),
        };
        places.truncate(PLACES);
        let next = Some("take the old value out of its place; put the new one in once the machine is safe".to_owned());
        Some(Here { answer: Change::Same, by: Some(by), reason, next, hint: None, identifier_now: None, places })
    }

    /// What stands where the old one stood: the same section or variable of the file, under the same label.
    fn slot(&self, old: &Credential, own_id: bool) -> Vec<&'r Credential> {
        let all = self.at.get(&(old.kind.as_str(), file(&old.location))).map_or([].as_slice(), Vec::as_slice);
        let label = |now: &Credential| match (&old.identifier, &now.identifier) {
            (Some(then), Some(id)) => own_id || self.forms.fit(&now.kind, id) || then == id,
            (None, Some(id)) => self.forms.fit(&now.kind, id) || old.location.inner.is_some(),
            _ => true,
        };
        let of_another = |now: &Credential| {
            let id = now.identifier.as_deref().filter(|id| self.forms.fit(&now.kind, id));
            let values = [now.tag.as_deref(), id].into_iter().flatten();
            values.into_iter().any(|v| self.known.contains(&(now.kind.as_str(), file(&now.location), v)))
        };
        let fits = |now: &&&Credential| now.location.inner == old.location.inner && label(now) && !of_another(now);
        all.iter().filter(fits).copied().collect()
    }

    /// Nothing of its kind stands there, if that could be seen.
    fn gone(&self, old: &Credential) -> Here {
        if let Some(reason) = self.unseen(&old.location) {
            return unknown(reason, None, "examine it as an account that may read it, or look by hand and attest");
        }
        let process = is_process(&old.location);
        let reason = match (process, old.tag.is_some() || old.identifier.is_some()) {
            (true, _) => "the process has ended, and no other has the variable",
            (false, true) => "no such credential stands there any more",
            (false, false) => {
                "no such credential stands there any more; whether its value stands elsewhere cannot be seen"
            }
        };
        Here {
            answer: Change::Gone,
            by: None,
            reason: reason.to_owned(),
            next: None,
            hint: None,
            identifier_now: None,
            places: Vec::new(),
        }
    }

    /// Why a place could not be looked at.
    fn unseen(&self, place: &Location) -> Option<String> {
        let coverage = &self.report.coverage;
        let path = &place.path.0;
        let above = |other: &Location| {
            let folder = other.path.0.strip_suffix(b"/").unwrap_or(&other.path.0);
            path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        let here = |gap: &&Gap| {
            let reads = gap.surface == WALK || gap.surface.starts_with("credential/") || is_process(place);
            (gap.location.path.0 == *path || reads) && above(&gap.location)
        };
        let gaps = coverage.gaps.iter().chain(&coverage.unreadable_without_weight);
        if let Some(gap) = gaps.into_iter().find(here) {
            return Some(format!(
                "`{}` could not be examined: {}",
                escape_short(&gap.location.path.0, SHOWN),
                gap.detail
            ));
        }
        if let Some(left_out) = coverage.exclusions.iter().find(|e| above(&e.location)) {
            let at = escape_short(&left_out.location.path.0, SHOWN);
            return Some(format!("`{at}` was left out: {}", left_out.reason));
        }
        let unlisted = coverage.unreadable_without_weight_unlisted;
        (unlisted > 0)
            .then(|| format!("{unlisted} more files could not be read than are listed: it may be one of them"))
    }
}

/// The path of a place, the number of a process left out: a program that is started anew has another.
fn file(place: &Location) -> Vec<u8> {
    let path = &place.path.0;
    if is_process(place) { b"/proc/*/environ".to_vec() } else { path.clone() }
}

fn is_process(place: &Location) -> bool {
    place.path.0.starts_with(b"/proc/") && place.path.0.ends_with(b"/environ")
}

/// Nobody can say; `next` is what to do about that.
pub fn unknown(reason: String, hint: Option<String>, next: &str) -> Here {
    let (by, identifier_now, places) = (None, None, Vec::new());
    Here { answer: Change::Unknown, by, reason, next: Some(next.to_owned()), hint, identifier_now, places }
}

/// What to do where it was not this machine.
pub const ELSEWHERE: &str = "verify there with the same file, or name its disk with `--root`";
const LOOK: &str = "look at its place by hand, and attest what stands there";

/// Why two values cannot be compared.
fn incomparable(old: &Credential, then: Option<&str>, now: Option<&str>, own_id: bool) -> String {
    let what = "something stands at its place, and whether it is another value cannot be seen";
    match (then, now, &old.tag) {
        _ if own_id => format!("{what}: it has no identifier now"),
        (None, _, _) => format!("{what}: the report was written without `--case-key`"),
        (Some(_), _, None) => format!("{what}: passwords and short values get no tag"),
        (Some(name), None, Some(_)) => format!("{what}: its tag needs the case key `{name}`, `--case-key FILE`"),
        (Some(_), Some(_), Some(_)) => format!("{what}: what stands there now gets no tag"),
    }
}

/// What the time of the file points to.
fn hint(old: &Credential, slot: &[&Credential]) -> Option<String> {
    let (then, now) = (old.modified?, slot.iter().find_map(|now| now.modified)?);
    Some(match now > then {
        true => format!("its file was written at {}, after the report saw it: a hint, no proof", second(now)),
        false => "its file has the time that it had: a hint that nothing was changed, no proof".to_owned(),
    })
}
