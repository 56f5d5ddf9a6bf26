//! The records of a file, one at a time: JSON lines, an array, an object that holds them in a list, or CSV with a head.

use std::{
    fmt,
    io::{BufReader, Read},
};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::Unreadable;

/// Lists that are the records of an object around them.
const LISTS: &[&str] = &["Records", "Events", "entries", "items"];
/// Fields around a list that say that there is more.
const MORE: &[&str] = &["NextToken", "nextToken", "nextPageToken"];
/// Bytes that show what a file is; some begin with the mark of UTF-8.
const HEAD: u64 = 1 << 10;
/// Columns of CSV.
const COLUMNS: usize = 500;

/// Takes a record.
type Take<'t> = dyn FnMut(&Value) + 't;
/// Takes the name of a list of records, and the fields before it.
type Around<'t> = dyn FnMut(&str, &Map<String, Value>) + 't;

/// Hands each record on, and what stands around lists of them; says where there is another page.
pub fn each_record(
    input: &mut dyn Read,
    take: &mut Take<'_>,
    around: &mut Around<'_>,
    cut: &mut Option<&'static str>,
) -> Result<(), Unreadable> {
    let mut head = Vec::new();
    (&mut *input).take(HEAD).read_to_end(&mut head)?;
    let start = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
    let first = start.iter().copied().find(|b| !b.is_ascii_whitespace());
    let mut input = BufReader::with_capacity(1 << 16, start.chain(input));
    match first {
        None => Ok(()),
        Some(b'{' | b'[') => json(&mut input, take, around, cut),
        Some(_) => csv(input, take),
    }
}

fn json(
    input: &mut dyn Read,
    take: &mut Take<'_>,
    around: &mut Around<'_>,
    cut: &mut Option<&'static str>,
) -> Result<(), Unreadable> {
    let mut stream = serde_json::Deserializer::from_reader(input);
    // Documents may stand one after the other.
    while stream.end().is_err() {
        match (Top { take, around, cut }).deserialize(&mut stream) {
            Ok(()) => {}
            Err(e) if e.is_io() => return Err(Unreadable::Io(e.into())),
            // The parser's own words may quote the file.
            Err(e) => return Err(Unreadable::Syntax { line: e.line(), column: e.column() }),
        }
    }
    Ok(())
}

/// A document.
struct Top<'t, 'a> {
    take: &'t mut Take<'a>,
    around: &'t mut Around<'a>,
    cut: &'t mut Option<&'static str>,
}

impl<'de> DeserializeSeed<'de> for Top<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(record) = list.next_element::<Value>()? {
            crate::stop::check().map_err(A::Error::custom)?;
            (self.take)(&record);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        crate::stop::check().map_err(A::Error::custom)?;
        let (mut own, mut holds) = (Map::new(), false);
        while let Some(key) = fields.next_key::<String>()? {
            if LISTS.contains(&key.as_str()) {
                if fields.next_value_seed(List(self.take))? {
                    holds = true;
                    (self.around)(&key, &own);
                }
            } else if holds {
                let value = fields.next_value::<Option<IgnoredAny>>()?;
                if value.is_some() && MORE.contains(&key.as_str()) {
                    *self.cut = Some("it is one page of several");
                }
            } else {
                let value = fields.next_value()?;
                own.insert(key, value);
            }
        }
        // Some services leave an empty list out.
        let bare = own.keys().all(|key| MORE.contains(&key.as_str()));
        if !holds && !bare {
            (self.take)(&Value::Object(own));
        } else if MORE.iter().any(|more| own.get(*more).is_some_and(|token| !token.is_null())) {
            *self.cut = Some("it is one page of several");
        }
        Ok(())
    }
}

/// The list of records of an object; whether it is one.
struct List<'t, 'a>(&'t mut Take<'a>);

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        while let Some(record) = list.next_element::<Value>()? {
            crate::stop::check().map_err(A::Error::custom)?;
            (self.0)(&record);
        }
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<bool, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
}

fn csv(input: impl Read, take: &mut Take<'_>) -> Result<(), Unreadable> {
    let failed = |e: csv::Error| match e.into_kind() {
        csv::ErrorKind::Io(e) => Unreadable::Io(e),
        _ => Unreadable::Form,
    };
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(input);
    let head = rows.headers().map_err(failed)?.clone();
    if head.len() < 2 || head.len() > COLUMNS {
        return Err(Unreadable::Form);
    }
    for row in rows.records() {
        crate::stop::check()?;
        let row = row.map_err(failed)?;
        let fields = head.iter().zip(&row).filter(|(_, value)| !value.is_empty());
        let fields = fields.map(|(name, value)| (name.to_owned(), Value::from(value)));
        take(&Value::Object(fields.collect()));
    }
    Ok(())
}
