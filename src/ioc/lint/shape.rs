//! JSON, and where in it something does not fit.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::Problem;
use crate::ioc::{database::Header, model::Incident};

/// The incident that a text describes.
pub fn incident(file: &str, text: &str) -> Result<Incident, Problem> {
    read(file, text, "`iocs/README.md` lists every field and its values")
}

/// What is wrong with `database.json`.
pub fn header(file: &str, text: &str, now: Timestamp) -> Option<Problem> {
    let hint = "write `{\"sequence\": 1, \"created\": \"2026-01-01T00:00:00Z\"}` with numbers of your own";
    let header: Header = match read(file, text, hint) {
        Ok(header) => header,
        Err(problem) => return Some(problem),
    };
    let problem = |place: &str, what: String, hint: &str| Problem {
        file: file.to_owned(),
        place: place.to_owned(),
        what,
        hint: hint.to_owned(),
    };
    if header.sequence == 0 {
        let hint = "count releases from 1: a bundle with a lower number than the one in use is refused";
        return Some(problem("sequence", "no number of a release".to_owned(), hint));
    }
    let late = super::time::is_future(header.created, now);
    late.then(|| problem("created", format!("`{}` is in the future", header.created), "write when it was made, in UTC"))
}

fn read<T: DeserializeOwned>(file: &str, text: &str, hint: &str) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_str(text);
    let read = serde_path_to_error::deserialize(&mut json);
    let (path, error) = match read {
        Ok(value) => match json.end() {
            Ok(()) => return Ok(value),
            Err(error) => (String::new(), error),
        },
        Err(error) => (error.path().to_string(), error.into_inner()),
    };
    let what = error.to_string();
    let what = what.split(" at line ").next().unwrap_or(&what).to_owned();
    let position = format!("line {}, column {}", error.line(), error.column());
    let (place, hint) = match error.classify() {
        Category::Data if path == "." || path.is_empty() => (position, hint),
        Category::Data => (format!("{path} ({position})"), hint),
        _ => (position, "this is not JSON: look for a missing or superfluous comma, quote or bracket before it"),
    };
    Err(Problem { file: file.to_owned(), place, what, hint: hint.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_the_shape_name_path_and_line() {
        let fault = |text: &str| incident("x.json", text).map(|_| ()).unwrap_err();
        let wrong = fault("{\"schema\": \"x\",\n \"packages\": [{\"ecosystem\": \"none\"}]}");
        assert_eq!(wrong.place, "packages[0].ecosystem (line 2, column 34)");
        assert!(wrong.what.starts_with("unknown variant `none`, expected one of `pypi`"), "{}", wrong.what);
        assert_eq!(fault("{\"schema\": \"x\",,}").place, "line 1, column 16");
        assert!(fault("{\"schema\": \"x\",,}").hint.contains("not JSON"));
        assert_eq!(fault("{}").what, "missing field `schema`");
        assert_eq!(fault("{\"what\": 1}").place, "what (line 1, column 7)");
    }

    #[test]
    fn a_header_counts_from_one_and_is_not_of_tomorrow() {
        let now: Timestamp = "2026-11-25T00:00:00Z".parse().unwrap();
        let fault = |text: &str| header("database.json", text, now).map(|p| p.place);
        assert_eq!(fault(r#"{"sequence": 1, "created": "2026-11-23T00:00:00Z"}"#), None);
        assert_eq!(fault(r#"{"sequence": 0, "created": "2026-11-23T00:00:00Z"}"#).as_deref(), Some("sequence"));
        assert_eq!(fault(r#"{"sequence": 1, "created": "2027-11-23T00:00:00Z"}"#).as_deref(), Some("created"));
        assert!(fault(r#"{"sequence": -1}"#).is_some_and(|p| p.starts_with("sequence (line 1")));
        assert!(fault("").is_some_and(|p| p.starts_with("line 1")));
    }
}
