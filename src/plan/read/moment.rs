//! Times as people and their spreadsheets write them.

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::{Offset, TimeZone},
};

/// Why a text is no time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is none, or has not the form of one that is read.
    None,
    /// It may mean either day.
    Either(Date, Date),
}

/// RFC 3339, or a day with a time in UTC or without, the year in four digits: `2026-03-24 11:05`, `3/24/2026 11:05 AM`, `24.03.2026`,
/// `24-Mar-2026`. A day that is a month too is ambiguous.
///
/// # Errors
/// Why it is none.
pub fn moment(text: &str) -> Result<Timestamp, Fault> {
    if let Ok(exact) = text.trim().parse() {
        return Ok(exact);
    }
    let plain: String = text.chars().map(|c| if c.is_whitespace() || c == ',' { ' ' } else { c }).collect();
    let mut words = split_off_day(&plain);
    let days = words.iter().take_while(|w| !is_time(w)).count();
    let day: Vec<String> = words.drain(..days).collect();
    let day = date(&day)?;
    let (time, offset) = time(&words).ok_or(Fault::None)?;
    let at = DateTime::from_parts(day, time).to_zoned(TimeZone::fixed(offset));
    at.map(|z| z.timestamp()).map_err(|_| Fault::None)
}

/// Words, with the `T` between day and time taken for a blank.
fn split_off_day(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let joined = words.first().and_then(|w| {
        let (day, time) = w.split_once(['T', 't'])?;
        (day.ends_with(|c: char| c.is_ascii_digit()) && time.starts_with(|c: char| c.is_ascii_digit()))
            .then(|| [day.to_owned(), time.to_owned()])
    });
    if let Some(joined) = joined {
        words.splice(..1, joined);
    }
    words
}

/// `11:05`, and `11.05` of those who write it so: a day has three parts.
fn is_time(word: &str) -> bool {
    word.contains(':') || word.split('.').collect::<Vec<_>>().as_slice().len() == 2 && !word.ends_with('.')
}

fn date(words: &[String]) -> Result<Date, Fault> {
    let parts: Vec<&str> = match words {
        [one] => one.trim_end_matches('.').split(['-', '/', '.']).collect(),
        [_, _, _] => words.iter().map(|w| w.trim_end_matches('.')).collect(),
        _ => return Err(Fault::None),
    };
    let [a, b, c] = parts.as_slice() else { return Err(Fault::None) };
    let (first, second, third) = (number(a), number(b), number(c));
    let new = |year: Option<i16>, month: Option<i16>, day: Option<i16>| {
        Date::new(year?, i8::try_from(month?).ok()?, i8::try_from(day?).ok()?).ok()
    };
    let found = if a.len() == 4 {
        new(first, second.or_else(|| month(b)), third)
    } else if c.len() != 4 {
        // Two digits of a year may be a day.
        None
    } else if let Some(named) = month(a) {
        new(third, Some(named), second)
    } else if let Some(named) = month(b) {
        new(third, Some(named), first)
    } else {
        match (new(third, second, first), new(third, first, second)) {
            (Some(x), Some(y)) if x != y => return Err(Fault::Either(x, y)),
            (x, y) => x.or(y),
        }
    };
    found.ok_or(Fault::None)
}

fn number(text: &str) -> Option<i16> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// By its English name, or the start of it.
fn month(text: &str) -> Option<i16> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let text = text.to_ascii_lowercase();
    let named = |m: &str| m == text || text.len() == 3 && m.starts_with(&text) || text == "sept" && m == "september";
    let at = MONTHS.iter().position(|m| named(m))?;
    i16::try_from(at + 1).ok()
}

/// The time of the day, midnight where there is none, and how far its clock is from UTC.
fn time(words: &[String]) -> Option<(Time, Offset)> {
    let joined = words.concat().to_ascii_uppercase().replace("A.M.", "AM").replace("P.M.", "PM");
    if joined.is_empty() {
        return Some((Time::midnight(), Offset::UTC));
    }
    let clock = joined.trim_end_matches("UTC").trim_end_matches("GMT").trim_end_matches('Z');
    let (clock, offset) = match clock.rfind(['+', '-', '\u{2212}']) {
        Some(at) => (clock.get(..at)?, offset(clock.get(at..)?)?),
        None => (clock, Offset::UTC),
    };
    let half = [("AM", 0), ("PM", 12)].into_iter().find_map(|(word, add)| Some((clock.strip_suffix(word)?, add)));
    let digits = half.map_or(clock, |(rest, _)| rest);
    let parts: Option<Vec<i8>> =
        digits.split([':', '.']).take(4).map(|p| i8::try_from(number(p).filter(|_| !p.is_empty())?).ok()).collect();
    let parts = parts?;
    let (hour, minute, second) = match parts.as_slice() {
        [h, m] => (*h, *m, 0),
        [h, m, s] => (*h, *m, *s),
        _ => return None,
    };
    let hour = match half {
        Some((_, add)) if (1..=12).contains(&hour) => hour % 12 + add,
        Some(_) => return None,
        None => hour,
    };
    Some((Time::new(hour, minute, second, 0).ok()?, offset))
}

/// `+02:00`, `+0200`, `+02`.
fn offset(text: &str) -> Option<Offset> {
    let west = !text.starts_with('+');
    let digits: String = text.chars().skip(1).filter(|c| *c != ':').collect();
    let (hours, minutes) = match digits.len() {
        2 => (number(&digits)?, 0),
        4 => (number(digits.get(..2)?)?, number(digits.get(2..)?)?),
        _ => return None,
    };
    let seconds = i32::from(hours) * 3600 + i32::from(minutes) * 60;
    Offset::from_seconds(if west { -seconds } else { seconds }).ok().filter(|_| hours < 15 && minutes < 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_and_spreadsheets_write_them() {
        for text in [
            "2026-03-24T11:05:00Z",
            "2026-03-24T11:05:00.000Z",
            "2026-03-24 11:05",
            "2026-03-24 11:05 UTC",
            "2026-03-24T11:05",
            "2026-3-24 11:05:00",
            "2026/03/24 11:05",
            "3/24/2026 11:05",
            "3/24/2026 11:05:00 AM",
            "3/24/2026, 11:05\u{202f}AM",
            "24/03/2026 11:05",
            "24.03.2026 11:05",
            "24.3.2026, 11:05:00",
            "24.03.2026 11.05",
            "24-03-2026 11:05",
            "24-Mar-2026 11:05",
            "24 March 2026 11:05",
            "Mar 24, 2026 11:05",
            "24.03.2026\u{a0}11:05 GMT",
            "2026-03-24 13:05+02:00",
            "2026-03-24 04:05 -0700",
        ] {
            assert_eq!(moment(text).map(|t| t.to_string()), Ok("2026-03-24T11:05:00Z".to_owned()), "{text}");
        }
        assert_eq!(moment("3/24/2026 12:05 AM").unwrap().to_string(), "2026-03-24T00:05:00Z");
        assert_eq!(moment("3/24/2026 12:05 PM").unwrap().to_string(), "2026-03-24T12:05:00Z");
        for text in ["2026-03-24", "24.03.2026", "3/24/2026", " 2026-03-24 "] {
            assert_eq!(moment(text).map(|t| t.to_string()), Ok("2026-03-24T00:00:00Z".to_owned()), "{text}");
        }
        // Either way the same day.
        assert_eq!(moment("3/3/2026").unwrap().to_string(), "2026-03-03T00:00:00Z");
    }

    #[test]
    fn a_day_that_may_be_a_month_is_no_day() {
        let either = |text: &str| match moment(text) {
            Err(Fault::Either(a, b)) => format!("{a} {b}"),
            other => format!("{other:?}"),
        };
        assert_eq!(either("3/4/2026 11:05"), "2026-04-03 2026-03-04");
        assert_eq!(either("03.04.2026"), "2026-04-03 2026-03-04");
        assert_eq!(either("03-04-2026 9:00"), "2026-04-03 2026-03-04");
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "yesterday",
            "the day before",
            "24.03.26",
            "3/24/26 11:05",
            "24-Mar-26",
            "2026-13-01",
            "2026-02-30",
            "31/31/2026",
            "2026-03-24 25:00",
            "2026-03-24 13:05 PM",
            "2026-03-24 11:05 CET",
            "2026-03-24 11",
            "11:05",
            "46105.4618",
            "2026-03-24 11:05+99:00",
            "2026-03-24 :",
            "2026",
            "99999-01-01",
            "-",
            "2026-03-24 2026-03-25",
            "\u{661}/\u{662}/2026",
        ] {
            assert_eq!(moment(text), Err(Fault::None), "{text}");
        }
    }
}
