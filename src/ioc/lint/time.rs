//! Windows, and how far and how long a value may be trusted.

use jiff::{SignedDuration, Timestamp};

use super::Lint;
use crate::ioc::model::{Incident, Standing};

/// Later than now, whatever the time zone of who wrote it.
pub fn is_future(time: Timestamp, now: Timestamp) -> bool {
    now.checked_add(SignedDuration::from_hours(24)).is_ok_and(|limit| time > limit)
}

impl Lint<'_> {
    pub(super) fn time(&mut self) {
        let incident = self.incident;
        for (n, w) in incident.windows.iter().enumerate() {
            let place = format!("windows[{n}]");
            self.text(format!("{place}.artifact"), &w.artifact);
            if w.end.is_some_and(|end| w.start >= end) {
                self.say(place.clone(), "the start is not before the end", "exchange them, or mend the date");
            }
            for (field, time) in [("start", Some(w.start)), ("end", w.end)] {
                self.past(format!("{place}.{field}"), time);
            }
            self.twice(&format!("{place}.covers"), w.covers.iter().map(String::as_str));
            for (m, covered) in w.covers.iter().enumerate() {
                if !self.is_named(covered) {
                    let hint = "write `ecosystem/name` or `ecosystem/name@version` as in `packages` or the list, `oci/…` as \
                                in `images`, `action/owner/name` as in `actions`, `git/…`, `kubernetes/…`";
                    let what = format!("`{covered}` names nothing of the incident");
                    self.say(format!("{place}.covers[{m}]"), what, hint);
                }
            }
        }
        for (place, standing) in standings(incident) {
            self.standing(&place, standing);
        }
        for (list, examples) in [("examples", &incident.examples), ("near_misses", &incident.near_misses)] {
            for (n, e) in examples.iter().enumerate() {
                self.past(format!("{list}[{n}].at"), e.at);
            }
        }
    }

    fn past(&mut self, place: String, time: Option<Timestamp>) {
        if let Some(time) = time.filter(|t| is_future(*t, self.now)) {
            self.say(place, format!("`{time}` is in the future"), "write a time that has passed, in UTC");
        }
    }

    fn standing(&mut self, place: &str, standing: &Standing) {
        if let (Some(from), Some(until)) = (standing.valid_from, standing.until)
            && from >= until
        {
            let what = "`valid_from` is not before `until`";
            self.say(format!("{place}.standing"), what, "exchange them, or mend the date");
        }
        if let Some(withdrawn) = &standing.withdrawn {
            let place = format!("{place}.standing.withdrawn");
            self.text(format!("{place}.why"), &withdrawn.why);
            if withdrawn.on.in_tz("UTC").is_ok_and(|d| is_future(d.timestamp(), self.now)) {
                self.say(format!("{place}.on"), format!("`{}` is in the future", withdrawn.on), "write the day it was");
            }
        }
    }

    /// Whether a window's `covers` names something of the incident.
    fn is_named(&self, covered: &str) -> bool {
        let i = self.incident;
        let own = i.packages.iter().map(|p| (p.ecosystem, &p.name, &p.versions));
        let listed = self.rows.iter().map(|r| (r.ecosystem, &r.name, &r.versions));
        let package = own.chain(listed).any(|(ecosystem, name, versions)| {
            let rest = covered.strip_prefix(ecosystem.purl_type()).and_then(|c| c.strip_prefix('/'));
            match rest.and_then(|c| c.strip_prefix(name.as_str())) {
                Some("") => true,
                Some(rest) => rest.strip_prefix('@').is_some_and(|v| versions.iter().any(|known| known == v)),
                None => false,
            }
        });
        package
            || covered.strip_prefix("oci/").is_some_and(|c| i.images.iter().any(|x| x.repository == c))
            || covered.strip_prefix("git/").is_some_and(|c| i.git.iter().any(|x| x.value == c))
            || covered.strip_prefix("kubernetes/").is_some_and(|c| i.kubernetes.iter().any(|x| x.value.contains(c)))
            || covered.strip_prefix("action/").is_some_and(|c| i.actions.iter().any(|x| x.repository == c))
    }
}

fn standings(i: &Incident) -> Vec<(String, &Standing)> {
    fn list<'i, T>(name: &str, items: &'i [T], of: fn(&'i T) -> &'i Standing) -> Vec<(String, &'i Standing)> {
        items.iter().enumerate().map(|(n, item)| (format!("{name}[{n}]"), of(item))).collect()
    }
    let mut all = list("packages", &i.packages, |x| &x.standing);
    all.extend(i.package_list.iter().map(|p| ("package_list".to_owned(), &p.standing)));
    all.extend(list("artifacts", &i.artifacts, |x| &x.standing));
    all.extend(list("files", &i.files, |x| &x.standing));
    all.extend(list("network", &i.network, |x| &x.standing));
    all.extend(list("processes", &i.processes, |x| &x.standing));
    all.extend(list("images", &i.images, |x| &x.standing));
    all.extend(list("actions", &i.actions, |x| &x.standing));
    all.extend(list("strings", &i.strings, |x| &x.standing));
    all.extend(list("git", &i.git, |x| &x.standing));
    all
}
