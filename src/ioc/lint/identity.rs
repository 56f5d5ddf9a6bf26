//! What the incident is called, and when it was.

use jiff::{ToSpan as _, civil::Date};

use super::{Lint, name};

impl Lint<'_> {
    pub(super) fn identity(&mut self) {
        let i = self.incident;
        if i.schema != "dosimeter.incident/1" {
            self.say("schema", format!("`{}` is not a known format", i.schema), "write `dosimeter.incident/1`");
        }
        let stem = name(self.file);
        let stem = stem.strip_suffix(".json").unwrap_or(stem);
        if i.id != stem {
            self.say("id", format!("`{}` is not the file's name", i.id), format!("write `{stem}`, or rename the file"));
        }
        if i.id.is_empty() || !i.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c)) {
            self.say(
                "id",
                "only lower-case letters, digits, `-` and `.` are allowed",
                "use a form like `litellm-2026-03`",
            );
        }
        match i.date.parse::<Date>() {
            Err(_) => self.say("date", format!("`{}` is not a date", i.date), "write YYYY-MM-DD"),
            Ok(date) => self.date(date),
        }
        self.line("title", &i.title);
        self.text("summary", &i.summary);
        for (n, alias) in i.aliases.iter().enumerate() {
            self.text(format!("aliases[{n}]"), alias);
            if *alias == i.id {
                self.say(format!("aliases[{n}]"), "the id itself", "remove it");
            }
        }
        self.twice("aliases", i.aliases.iter().map(String::as_str));
        if let Some(a) = &i.attribution {
            self.text("attribution.actor", &a.actor);
            if !["high", "medium", "low"].contains(&&*a.confidence) {
                let what = format!("`{}` is no degree", a.confidence);
                self.say("attribution.confidence", what, "write `high`, `medium` or `low`");
            }
        }
        let lists = [i.packages.len(), i.files.len(), i.network.len(), i.images.len(), i.artifacts.len()];
        let more = [i.actions.len(), i.git.len(), i.strings.len(), i.processes.len()];
        if lists.iter().chain(&more).all(|n| *n == 0) && i.package_list.is_none() {
            self.say(
                "packages",
                "the incident has no indicator",
                "add packages, files, artifacts, network names, images, actions or traces in git",
            );
        }
    }

    /// An id may end with the month in which the incident became known: that of `date`, or the next.
    fn date(&mut self, date: Date) {
        if date.in_tz("UTC").is_ok_and(|d| super::time::is_future(d.timestamp(), self.now)) {
            self.say("date", format!("`{date}` is in the future"), "write the day it began or became known");
        }
        let parts: Vec<i16> = self.incident.id.rsplit('-').take(2).map_while(|p| p.parse().ok()).collect();
        let fits = |d: Date| match parts[..] {
            [month, year] if year > 1900 => (d.year(), i16::from(d.month())) == (year, month),
            [year, ..] if year > 1900 => d.year() == year,
            _ => true,
        };
        let next = date.first_of_month().saturating_add(1.month());
        if !fits(date) && !fits(next) {
            let what = format!("`{}` is not of {date}", self.incident.id);
            self.say("id", what, "end it with year and month of `date`, or of the month after it");
        }
    }

    /// A heading: one line, no full stop.
    fn line(&mut self, place: &str, text: &str) {
        self.text(place, text);
        if text.contains('\n') || text.ends_with('.') {
            self.say(place, "not a heading", "one line without a full stop");
        }
    }
}
