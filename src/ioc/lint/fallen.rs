//! The list of withdrawn advisories: sound by itself, and no curated incident calls malicious what it takes back.

use jiff::{Timestamp, civil::Date};

use super::{Problem, Read, names, packages::version_fault};
use crate::{
    ecosystem::{fits, normal_name},
    ioc::withdrawn::{SCHEMA, Withdrawals},
};

fn problem(file: &str, place: String, what: impl Into<String>, hint: &str) -> Problem {
    Problem { file: file.to_owned(), place, what: what.into(), hint: hint.to_owned() }
}

/// What is wrong with the list itself. `now` is what no day may be later than.
pub fn check(file: &str, text: &str, now: Timestamp) -> Vec<Problem> {
    let list = match Withdrawals::parse(file, text) {
        Ok(list) => list,
        Err(error) => {
            let hint = "the schema is `iocs/schema/withdrawn.schema.json`";
            return vec![problem(file, "file".to_owned(), error.to_string(), hint)];
        }
    };
    let mut problems = Vec::new();
    let mut say = |place: String, what: String, hint: &str| problems.push(problem(file, place, what, hint));
    if list.schema != SCHEMA {
        say("schema".to_owned(), format!("`{}` is not a known format", list.schema), "write `dosimeter.withdrawn/1`");
    }
    let mut numbers = std::collections::HashSet::new();
    for (n, w) in list.advisories.iter().enumerate() {
        let place = |field: &str| format!("advisories[{n}].{field}");
        if w.ids.is_empty() {
            say(place("ids"), "no number".to_owned(), "list the numbers of the advisory");
        }
        for id in &w.ids {
            if !id.contains('-') || id.contains(char::is_whitespace) {
                say(
                    place("ids"),
                    format!("`{id}` is no number"),
                    "write it as its database does: `MAL-2026-1`, `GHSA-…`",
                );
            }
            if !numbers.insert(id.to_ascii_lowercase()) {
                say(place("ids"), format!("`{id}` is listed twice"), "remove one");
            }
        }
        if let Some(form) = names::fault(w.ecosystem, &w.name) {
            let what = format!("`{}` is no name of {}", w.name, w.ecosystem.purl_type());
            say(place("name"), what, &format!("write {form}"));
        }
        if w.versions.is_empty() {
            say(place("versions"), "no version".to_owned(), "list what the advisory called malicious, or `*`");
        }
        for version in &w.versions {
            if crate::ecosystem::is_range(version) {
                say(place("versions"), format!("`{version}` is a range"), "list exact versions, or `*`");
            } else if let Some((what, hint)) = version_fault(w.ecosystem, version) {
                say(place("versions"), what, &hint);
            }
        }
        if let Some(on) = &w.on {
            let day = on.parse::<Date>().ok().and_then(|d| d.in_tz("UTC").ok());
            if day.is_none_or(|d| d.timestamp() > now) {
                say(place("on"), format!("`{on}` is no day, or one to come"), "write YYYY-MM-DD, or null");
            }
        }
        if w.why.trim().is_empty() || w.why.trim() != w.why {
            say(place("why"), "empty, or blanks at its ends".to_owned(), "say it in words");
        }
        if w.sources.is_empty() || w.sources.iter().any(|s| s.url.is_none() || s.title.trim().is_empty()) {
            say(
                place("sources"),
                "a source without title or address".to_owned(),
                "give both: whoever drops an advisory must be able to ask",
            );
        }
    }
    let keys: Vec<_> = list.advisories.iter().map(|w| (w.ecosystem.purl_type(), &w.name)).collect();
    if let Some(n) = keys.windows(2).position(|w| matches!(w, [a, b] if a >= b)) {
        let what = "not in order, or twice".to_owned();
        say(format!("advisories[{}]", n + 1), what, "sort by ecosystem and name, one entry a package and advisory");
    }
    problems
}

/// What a curated incident calls malicious, and the list says was never so.
pub fn against(file: &str, text: &str, read: &[Read]) -> Vec<Problem> {
    let Ok(list) = Withdrawals::parse(file, text) else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    for (n, w) in list.advisories.iter().enumerate() {
        let name = normal_name(w.ecosystem, &w.name);
        for r in read {
            let own = r.incident.packages.iter().map(|p| (p.ecosystem, &p.name, &p.versions));
            let listed = r.rows.iter().map(|row| (row.ecosystem, &row.name, &row.versions));
            let bad = own.chain(listed).filter(|(e, other, _)| *e == w.ecosystem && normal_name(*e, other) == name);
            let hit = bad
                .flat_map(|(_, _, versions)| versions)
                .find(|v| w.versions.iter().any(|known| known == "*" || *v == "*" || fits(w.ecosystem, v, known)));
            if let Some(version) = hit {
                let what = format!("`{}` calls {} {version} malicious", r.file, w.name);
                problems.push(problem(file, format!("advisories[{n}]"), what, "remove it here, or there"));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::check as all;
    use super::*;
    use crate::ioc::embedded;

    fn now() -> Timestamp {
        "2026-11-28T00:00:00Z".parse().unwrap()
    }

    fn list_of_one(more: &str) -> String {
        let base = r#""ids":["MAL-2026-1"],"ecosystem":"npm","name":"made-up","versions":["1.0.0"],"state":"false","on":null,"why":"x","sources":[{"title":"s","url":"https://report.example"}]"#;
        let mut entry: serde_json::Value = serde_json::from_str(&format!("{{{base}}}")).unwrap();
        let more: serde_json::Value = serde_json::from_str(more).unwrap();
        for (key, value) in more.as_object().unwrap() {
            entry[key] = value.clone();
        }
        serde_json::json!({"schema": SCHEMA, "advisories": [entry]}).to_string()
    }

    #[test]
    fn the_embedded_list_has_no_fault() {
        let (_, text) = embedded::files("").into_iter().find(|(n, _)| *n == "withdrawn.json").unwrap();
        assert_eq!(check("withdrawn.json", text, now()), []);
        assert!(Withdrawals::parse("withdrawn.json", text).unwrap().advisories.len() >= 8);
    }

    #[test]
    fn faults_name_their_place() {
        assert_eq!(check("withdrawn.json", &list_of_one("{}"), now()), []);
        for (more, place) in [
            (r#"{"ids":[]}"#, "ids"),
            (r#"{"ids":["x y"]}"#, "ids"),
            (r#"{"ids":["MAL-1","mal-1"]}"#, "ids"),
            (r#"{"name":"made/up"}"#, "name"),
            (r#"{"versions":[]}"#, "versions"),
            (r#"{"versions":[">=1.0.0"]}"#, "versions"),
            (r#"{"versions":["one"]}"#, "versions"),
            (r#"{"on":"2027-01-01"}"#, "on"),
            (r#"{"on":"June"}"#, "on"),
            (r#"{"why":" "}"#, "why"),
            (r#"{"sources":[]}"#, "sources"),
            (r#"{"sources":[{"title":"s","relayed":"x"}]}"#, "sources"),
        ] {
            let found = check("withdrawn.json", &list_of_one(more), now());
            assert_eq!(found.len(), 1, "{more}: {found:?}");
            assert_eq!(found[0].place, format!("advisories[0].{place}"), "{more}");
        }
        assert_eq!(check("withdrawn.json", &list_of_one(r#"{"state":"gone"}"#), now()).len(), 1);
        assert_eq!(check("withdrawn.json", "{", now()).len(), 1);
    }

    #[test]
    fn an_incident_that_lists_the_version_contradicts_it() {
        let (_, text) = embedded::files("incidents").into_iter().find(|(n, _)| *n == "axios-2026-03.json").unwrap();
        let contradicts = |list: &str| {
            let found = all(&[("withdrawn.json", list), ("axios-2026-03.json", text)], now()).1;
            found.iter().any(|p| p.file == "withdrawn.json" && p.what.contains("axios"))
        };
        assert!(contradicts(&list_of_one(r#"{"name":"axios","versions":["1.14.1"]}"#)));
        assert!(contradicts(&list_of_one(r#"{"name":"axios","versions":["*"]}"#)));
        assert!(!contradicts(&list_of_one(r#"{"name":"axios","versions":["1.14.2"]}"#)));
        assert!(!contradicts(&list_of_one(r#"{"name":"axios","versions":["1.14.1"],"ecosystem":"pypi"}"#)));
    }
}
