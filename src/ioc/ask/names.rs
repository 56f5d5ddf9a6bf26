//! Incidents by the names people have for them, and indicators of which only a part is given.

use crate::{
    ecosystem::{action, oci},
    ioc::{
        index::Index,
        model::Incident,
        query::{Found, Query},
    },
};

/// Numbers that databases give.
const NUMBERS: &[&str] = &["mal-", "ghsa-", "cve-", "pysec-", "rustsec-", "go-20", "gsd-", "snyk-"];

/// Whether a text has the form of such a number.
pub fn is_number(text: &str) -> bool {
    let text = text.to_lowercase();
    NUMBERS.iter().any(|n| text.starts_with(n)) && text.contains(|c: char| c.is_ascii_digit())
}

/// Letters and digits with one dash between: `Shai Hulud` is `shai-hulud`.
fn slug(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

/// The id without its year and month.
fn stem(id: &str) -> &str {
    let end = id.find("-20").unwrap_or(id.len());
    id.get(..end).unwrap_or(id)
}

impl Index {
    /// The incidents that a text names: by id, alias, actor, or by a number that one of their sources has.
    pub fn incidents_called(&self, text: &str) -> Vec<Found> {
        let asked = slug(text);
        // A word of two letters is in every actor.
        if asked.len() < 3 {
            return Vec::new();
        }
        let number = is_number(text);
        let incidents = self.database.incidents.iter().enumerate();
        let named = incidents.filter_map(|(at, i)| {
            let place = if number { numbered(i, &asked) } else { called(i, &asked) }?;
            let what = i.title.clone();
            Some(Found { incident: at, place, indicator: format!("incident/{}", i.id), what })
        });
        named.collect()
    }

    /// An action without its tag, an image without its tag, the beginning of a commit.
    pub fn in_part(&self, query: &Query, text: &str) -> Vec<Found> {
        let mut all = Vec::new();
        let owned = text.split('/').filter(|p| !p.is_empty()).count() >= 2;
        let repository = matches!(query, Query::Text(_)).then(|| action::repository(text)).filter(|_| owned);
        let commit = action::is_commit(text) && matches!(query, Query::Text(_));
        let bare = !text.contains('@') && !text.rsplit('/').next().is_some_and(|last| last.contains(':'));
        let image = bare && matches!(query, Query::Text(_)) && oci::parse(text).is_some();
        for (at, incident) in self.database.incidents.iter().enumerate() {
            let mut add = |list: &str, n: usize, indicator: String, what: &str| {
                all.push(Found { incident: at, place: format!("{list}[{n}]"), indicator, what: what.to_owned() });
            };
            for (n, a) in incident.actions.iter().enumerate().filter(|(_, a)| a.standing.withdrawn.is_none()) {
                if repository.as_deref() == Some(&action::repository(&a.repository)) {
                    add("actions", n, format!("action/{}", a.repository), &a.runs);
                }
                if commit && let Some(c) = a.commits.iter().find(|c| action::same_commit(c, text)) {
                    add("actions", n, format!("action/{}@{c}", a.repository), &a.runs);
                }
            }
            for (n, g) in incident.git.iter().enumerate().filter(|(_, g)| g.standing.withdrawn.is_none()) {
                if commit && g.value.len() == 40 && action::same_commit(&g.value, text) {
                    add("git", n, format!("git/{}", g.value), &g.what);
                }
            }
            for (n, i) in incident.images.iter().enumerate().filter(|(_, i)| i.standing.withdrawn.is_none()) {
                if image && oci::same_image(&format!("{text}:x"), &i.repository, "x") {
                    let tags: Vec<&str> = i.tags.iter().chain(&i.floating_tags).map(String::as_str).collect();
                    add("images", n, format!("image/{}", i.repository), &format!("tags {}", tags.join(", ")));
                }
            }
        }
        all
    }
}

fn called(i: &Incident, asked: &str) -> Option<String> {
    if i.id == asked || stem(&i.id) == asked {
        return Some("id".to_owned());
    }
    let alias = |a: &String| !is_number(a) && (slug(a) == asked || slug(a).strip_prefix("the-") == Some(asked));
    if let Some(n) = i.aliases.iter().position(alias) {
        return Some(format!("aliases[{n}]"));
    }
    let actor = i.attribution.as_ref().map(|a| slug(&a.actor))?;
    // Whole words of it only.
    let within = format!("-{actor}-").contains(&format!("-{asked}-"));
    (within && !COMMON_WORDS.contains(&asked)).then(|| "attribution".to_owned())
}

/// Words in the descriptions of actors that name nobody.
const COMMON_WORDS: &[&str] = &[
    "account",
    "and",
    "cluster",
    "code",
    "copycat",
    "denied",
    "github",
    "its",
    "korea",
    "linked",
    "marker",
    "north",
    "operators",
    "perhaps",
    "the",
    "tied",
];

fn numbered(i: &Incident, asked: &str) -> Option<String> {
    if let Some(n) = i.aliases.iter().position(|a| slug(a) == asked) {
        return Some(format!("aliases[{n}]"));
    }
    let within = |t: &str| format!("-{}-", slug(t)).contains(&format!("-{asked}-"));
    let source = i.sources.iter().find(|(_, s)| within(&s.title) || s.url.as_deref().is_some_and(within));
    source.map(|(key, _)| format!("sources.{key}"))
}
