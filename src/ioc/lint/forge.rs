//! Actions, images, and what stands in git.

use std::collections::HashSet;

use super::{Lint, files::is_hex, names};
use crate::{
    fact::Ecosystem,
    ioc::model::{ActionIndicator, GitKind, ImageIndicator},
};

impl Lint<'_> {
    pub(super) fn forge(&mut self) {
        let incident = self.incident;
        for (n, a) in incident.actions.iter().enumerate() {
            self.action(&format!("actions[{n}]"), a);
        }
        let mut commits = HashSet::new();
        for (n, a) in incident.actions.iter().enumerate() {
            for (m, commit) in a.commits.iter().enumerate() {
                if !commits.insert((a.repository.to_ascii_lowercase(), commit)) {
                    let place = format!("actions[{n}].commits[{m}]");
                    self.say(place, format!("`{commit}` is listed twice"), "remove one");
                }
            }
        }
        for (n, i) in incident.images.iter().enumerate() {
            self.image(&format!("images[{n}]"), i);
        }
        let mut met = HashSet::new();
        for (n, g) in incident.git.iter().enumerate() {
            self.text(format!("git[{n}].value"), &g.value);
            self.text(format!("git[{n}].what"), &g.what);
            if !met.insert((g.kind, &g.value)) {
                self.say(format!("git[{n}].value"), format!("`{}` is listed twice", g.value), "remove one");
            }
            if g.kind == GitKind::Commit && !((7..=40).contains(&g.value.len()) && is_hex(&g.value)) {
                let hint = "write the commit's 40 hex digits, or the first 7 at least";
                self.say(format!("git[{n}].value"), format!("`{}` is no commit", g.value), hint);
            }
        }
        for (n, k) in incident.kubernetes.iter().enumerate() {
            self.text(format!("kubernetes[{n}].value"), &k.value);
        }
    }

    fn action(&mut self, place: &str, a: &ActionIndicator) {
        let parts: Vec<&str> = a.repository.split('/').collect();
        let fits = matches!(parts[..], [owner, name] if !owner.is_empty() && !name.is_empty());
        if !fits || a.repository.contains(|c: char| c.is_whitespace() || "@:*".contains(c)) {
            let what = format!("`{}` is no repository", a.repository);
            self.say(
                format!("{place}.repository"),
                what,
                "write `owner/name`; tags and commits have fields of their own",
            );
        }
        self.text(format!("{place}.runs"), &a.runs);
        if a.tags.is_empty() && a.moved_tags.is_empty() && a.commits.is_empty() {
            self.say(place, "neither tags nor commits", "give `tags`, `moved_tags` with `from`, or `commits`");
        }
        for (n, commit) in a.commits.iter().enumerate() {
            if commit.len() != 40 || !is_hex(commit) {
                let hint = "40 lower-case hex digits; one that the source cuts goes to `git`, kind `commit`";
                self.say(format!("{place}.commits[{n}]"), format!("`{commit}` is no commit"), hint);
            }
        }
        if !a.moved_tags.is_empty() && a.from.is_none() {
            let hint = "say when the tags were moved; tags that never named anything else go to `tags`";
            self.say(format!("{place}.from"), "missing beside `moved_tags`", hint);
        }
        if a.from.zip(a.until).is_some_and(|(from, until)| from >= until) {
            self.say(format!("{place}.from"), "not before `until`", "exchange them, or mend the date");
        }
        if a.moved_tags.is_empty() && (a.from.is_some() || a.until.is_some()) {
            let hint = "they say when `moved_tags` were moved: list those, or remove the times";
            self.say(format!("{place}.from"), "`from` or `until` without `moved_tags`", hint);
        }
        if let Some(n) = a.safe.iter().position(|tag| a.tags.contains(tag)) {
            self.say(format!("{place}.safe[{n}]"), "also listed as malicious", "remove it from one list");
        }
        for (n, tag) in a.moved_tags.iter().enumerate() {
            if a.tags.contains(tag) || a.safe.contains(tag) {
                let hint = "a tag that named something else before or after is in `moved_tags` only";
                self.say(format!("{place}.moved_tags[{n}]"), format!("`{tag}` is also in another list"), hint);
            }
        }
        for (field, tags) in [("tags", &a.tags), ("moved_tags", &a.moved_tags), ("safe", &a.safe)] {
            self.twice(&format!("{place}.{field}"), tags.iter().map(String::as_str));
            for (n, tag) in tags.iter().enumerate() {
                if tag.contains(|c: char| c.is_whitespace() || "@:".contains(c)) || tag.is_empty() {
                    let what = format!("`{tag}` is no tag");
                    self.say(format!("{place}.{field}[{n}]"), what, "write the tag only, without the action's name");
                }
            }
        }
    }

    fn image(&mut self, place: &str, i: &ImageIndicator) {
        if let Some(form) = names::fault(Ecosystem::Oci, &i.repository) {
            let what = format!("`{}` is no repository", i.repository);
            self.say(format!("{place}.repository"), what, format!("write {form}"));
        }
        if i.tags.is_empty() && i.floating_tags.is_empty() && i.digests.is_empty() {
            self.say(place, "neither tags nor digests", "give `tags`, `floating_tags` or `digests`");
        }
        for (n, digest) in i.digests.iter().enumerate() {
            let hex = digest.strip_prefix("sha256:");
            if !hex.is_some_and(|h| (12..=64).contains(&h.len()) && is_hex(h)) {
                let hint = "`sha256:` and 64 lower-case hex digits, or the first 12 at least";
                self.say(format!("{place}.digests[{n}]"), format!("`{digest}` is no digest"), hint);
            }
        }
        self.twice(&format!("{place}.digests"), i.digests.iter().map(String::as_str));
        let tags = || i.tags.iter().chain(&i.floating_tags);
        if let Some(tag) = tags().find(|t| t.is_empty() || t.contains(|c: char| c.is_whitespace() || ":/@".contains(c)))
        {
            let what = format!("`{tag}` is no tag");
            self.say(format!("{place}.tags"), what, "write the tag only, without the repository");
        }
        self.twice(&format!("{place}.tags"), tags().map(String::as_str));
    }
}
