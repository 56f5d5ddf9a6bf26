//! What an extract says that it was asked for: the commands of the plan write it behind their output, since a search for one key holds
//! nothing after the key's last use.
//!
//! ```text
//! {"asked": {"log": "cloudtrail", "id": "AKIA…", "part": "eu-west-1", "from": "2026-11-01", "to": "2026-11-29T12:00:00Z"}}
//! ```
//!
//! `part` is the region, where the log has a part for each. It is written only where the search ended without an error.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::Value;

use super::text;

/// A search that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The name of the log.
    pub log: String,
    /// The credential that it was asked for.
    pub id: String,
    /// The region; empty where the log has none.
    pub part: String,
    /// UTC.
    pub from: Timestamp,
    /// UTC.
    pub to: Timestamp,
}

impl Asked {
    /// Whether a record is to be one.
    pub fn is_one(record: &Value) -> bool {
        record.as_object().is_some_and(|o| o.len() == 1 && o.contains_key("asked"))
    }

    /// From a record; `None` where it is none, or says no time.
    pub fn read(record: &Value) -> Option<Self> {
        let asked = record.get("asked").filter(|_| Self::is_one(record))?;
        let own = |pointer: &str| text(asked, pointer).map(str::to_owned);
        let (from, to) = (time(text(asked, "/from")?)?, time(text(asked, "/to")?)?);
        let part = own("/part").unwrap_or_default();
        (from <= to).then_some(Self { log: own("/log")?, id: own("/id")?, part, from, to })
    }
}

/// A moment; a day is its first. One without a zone would be the clock's of whoever asked.
fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let day: Date = (text.len() == 10).then(|| text.parse().ok())??;
        Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_statement_has_a_log_a_key_and_a_span() {
        let good = |from: &str, to: &str| json!({"asked": {"log": "cloudtrail", "id": "AKIA1", "part": "eu-west-1", "from": from, "to": to}});
        let read = Asked::read(&good("2026-11-01", "2026-11-29T12:00:00Z")).unwrap();
        assert_eq!((read.log.as_str(), read.id.as_str(), read.part.as_str()), ("cloudtrail", "AKIA1", "eu-west-1"));
        assert_eq!(
            (read.from.to_string(), read.to.to_string()),
            ("2026-11-01T00:00:00Z".into(), "2026-11-29T12:00:00Z".into())
        );
        assert!(Asked::read(&good("2026-11-29T12:00:00+01:00", "2026-11-29T12:00:00Z")).is_some());
        for bad in [
            good("START", "2026-11-29T12:00:00Z"),
            good("2026-11-30", "2026-11-29T12:00:00Z"),
            good("2026-11-01T00:00:00", "2026-11-29T12:00:00Z"),
            good("2026-11-01", ""),
            json!({"asked": {"log": "cloudtrail", "from": "2026-11-01", "to": "2026-11-02"}}),
            json!({"asked": "cloudtrail"}),
            json!({"asked": good("2026-11-01", "2026-11-02")["asked"], "eventTime": "x"}),
            json!([]),
            json!(null),
        ] {
            assert_eq!(Asked::read(&bad), None, "{bad}");
        }
    }
}
