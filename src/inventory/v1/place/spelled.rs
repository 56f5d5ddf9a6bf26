//! Paths and names as a line spells them: a text, or an object with bytes. An inventory has hundreds of thousands of them, so that they
//! are read as they come; what serde derives for two forms holds each value twice before it looks at it.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use super::{Name, NameText, Path};

/// One of the two forms.
enum Spelled {
    Text(String),
    Bytes(String),
    Twice { written: String, usual: String },
}

/// The other forms.
#[derive(Deserialize)]
struct Encoded {
    bytes: Option<String>,
    written: Option<String>,
    usual: Option<String>,
}

struct TextOrBytes;

impl<'de> Visitor<'de> for TextOrBytes {
    type Value = Spelled;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or an object with bytes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Spelled, E> {
        Ok(Spelled::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Spelled, E> {
        Ok(Spelled::Text(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Spelled, A::Error> {
        match Encoded::deserialize(MapAccessDeserializer::new(map))? {
            Encoded { bytes: Some(bytes), .. } => Ok(Spelled::Bytes(bytes)),
            Encoded { written: Some(written), usual: Some(usual), .. } => Ok(Spelled::Twice { written, usual }),
            _ => Err(Error::missing_field("bytes")),
        }
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(match from.deserialize_any(TextOrBytes)? {
            Spelled::Text(text) => Self::Text(text),
            Spelled::Bytes(bytes) => Self::Bytes { bytes },
            Spelled::Twice { written, usual } => Self::Spelled { written, usual },
        })
    }
}

impl<'de> Deserialize<'de> for NameText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(match from.deserialize_any(TextOrBytes)? {
            Spelled::Text(text) => Self::Text(text),
            Spelled::Bytes(bytes) => Self::Bytes { bytes },
            Spelled::Twice { .. } => return Err(Error::custom("a name has one spelling")),
        })
    }
}

struct OneOrThree;

impl<'de> Visitor<'de> for OneOrThree {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of a name, or of a name, a size and a time")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Name, A::Error> {
        let length = |n| Error::invalid_length(n, &self);
        let name = list.next_element()?.ok_or_else(|| length(0))?;
        let Some(size) = list.next_element()? else {
            return Ok(Name::Bare([name]));
        };
        let changed = list.next_element()?.ok_or_else(|| length(2))?;
        match list.next_element::<IgnoredAny>()? {
            None => Ok(Name::File(name, size, changed)),
            Some(_) => Err(length(4)),
        }
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(OneOrThree)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(line: &str) -> Option<String> {
        let path: Path = serde_json::from_str(line).ok()?;
        assert_eq!(path.is_path(), path.read().is_some());
        path.read().map(|p| p.text().into_owned())
    }

    #[test]
    fn a_path_is_a_text_or_bytes() {
        for (line, is) in [
            (r#""/a/b""#, Some("/a/b")),
            (r#""a//./b/""#, Some("/a/b")),
            (r#""""#, Some("/")),
            (r#""/\u0061\"b""#, Some("/a\"b")),
            // `a/` and a byte that is no UTF-8.
            (r#"{"bytes":"YS//"}"#, Some("/a/\u{fffd}")),
            (r#"{"later":1,"bytes":"YQ=="}"#, Some("/a")),
            (r#"{"written":"/LIB/x","usual":"/lib/x"}"#, Some("/LIB/x")),
            (r#"{"written":"/LIB/x","usual":"/bin/x"}"#, None),
            (r#"{"written":"/LIB/x"}"#, None),
            (r#"{"written":"/../x","usual":"/../x"}"#, None),
            (r#""/a/../b""#, None),
            (r#""a\u0000b""#, None),
            (r#"{"bytes":"Li4="}"#, None),
            (r#"{"bytes":"YQBi"}"#, None),
            (r#"{"bytes":"!"}"#, None),
            (r#"{"bytes":1}"#, None),
            (r#"{"bytes":"YQ==","bytes":"YQ=="}"#, None),
            ("{}", None),
            ("1", None),
            ("null", None),
        ] {
            assert_eq!(path(line).as_deref(), is, "{line}");
        }
    }

    #[test]
    fn a_name_stands_alone_or_with_size_and_time() {
        let read = |line: &str| serde_json::from_str::<Name>(line).ok().and_then(Name::read);
        let listed = |line: &str| read(line).map(|l| (l.name, l.size, l.changed));
        assert_eq!(listed(r#"["a",1,-2]"#), Some((b"a".to_vec(), Some(1), Some(-2))));
        assert_eq!(listed(r#"[{"bytes":"/w=="}]"#), Some((vec![0xff], None, None)));
        for line in [
            "[]",
            r#""a""#,
            r#"["a",1]"#,
            r#"["a",-1,2]"#,
            r#"["a",1,2,3]"#,
            r#"["a",1.5,2]"#,
            r#"["a",null]"#,
            r#"[["a"]]"#,
            r#"["a/b"]"#,
            r#"[".."]"#,
        ] {
            assert!(listed(line).is_none(), "{line}");
        }
    }
}
