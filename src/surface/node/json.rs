//! JSON of any size, an entry at a time: only one entry of a section is held at once, and texts are borrowed from the file, so that
//! the line of each is known.

use std::{borrow::Cow, cell::Cell, fmt};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::surface::Flaw;

/// Values of one entry.
const VALUES: u32 = 400_000;

/// A value as far as lock files need it.
#[derive(Debug, PartialEq)]
pub enum Node<'t> {
    Text(Cow<'t, str>),
    Flag(bool),
    Map(Vec<(Cow<'t, str>, Node<'t>)>),
    List(Vec<Node<'t>>),
    Other,
}

impl<'t> Node<'t> {
    /// A field; of one that stands twice, the last.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.fields().iter().rev().find(|(k, _)| k == key).map(|(_, node)| node)
    }

    pub fn fields(&self) -> &[(Cow<'t, str>, Self)] {
        if let Self::Map(fields) = self { fields } else { &[] }
    }

    pub fn items(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { &[] }
    }

    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    pub fn flag(&self, key: &str) -> bool {
        self.get(key) == Some(&Self::Flag(true))
    }
}

/// Takes an entry: its section, its key, its value.
type Each<'e, 't> = dyn FnMut(&str, Cow<'t, str>, Node<'t>) + 'e;

/// Hands on the entries of these top-level objects in the order of the file. A section that is a text is one entry with an empty key;
/// all other sections are passed over.
pub fn stream<'t>(text: &'t str, sections: &[&str], each: &mut Each<'_, 't>) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_str(text);
    Document { sections, each }.deserialize(&mut json)?;
    json.end()
}

/// All of a text, where that has no more values than an entry may have.
pub fn whole(text: &str) -> serde_json::Result<Node<'_>> {
    let mut json = serde_json::Deserializer::from_str(text);
    let left = Cell::new(VALUES);
    let node = Bounded(&left).deserialize(&mut json)?;
    json.end()?;
    Ok(node)
}

/// What is wrong with a file, without quoting it.
pub fn flaw(error: &serde_json::Error, what: &'static str) -> Flaw {
    if error.is_eof() { Flaw::Truncated(what) } else { Flaw::malformed(what, "it is no JSON of that form") }
}

struct Document<'e, 'c, 't> {
    sections: &'e [&'e str],
    each: &'e mut Each<'c, 't>,
}

impl<'t> DeserializeSeed<'t> for Document<'_, '_, 't> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'t> Visitor<'t> for Document<'_, '_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(name)) = map.next_key::<Key<'t>>()? {
            if self.sections.contains(&&*name) {
                map.next_value_seed(Section { name: &name, each: &mut *self.each })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Key<'t>(#[serde(borrow)] Cow<'t, str>);

struct Section<'e, 'c, 't> {
    name: &'e str,
    each: &'e mut Each<'c, 't>,
}

impl<'t> DeserializeSeed<'t> for Section<'_, '_, 't> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Section<'_, '_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key::<Key<'t>>()? {
            let left = Cell::new(VALUES);
            let node = map.next_value_seed(Bounded(&left))?;
            (self.each)(self.name, key, node);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_borrowed_str<E: Error>(self, text: &'t str) -> Result<(), E> {
        (self.each)(self.name, Cow::Borrowed(""), Node::Text(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        (self.each)(self.name, Cow::Borrowed(""), Node::Text(Cow::Owned(text.to_owned())));
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A value of so many parts at most.
#[derive(Clone, Copy)]
struct Bounded<'b>(&'b Cell<u32>);

impl Bounded<'_> {
    fn spend<E: Error>(self) -> Result<(), E> {
        let left = self.0.get().checked_sub(1).ok_or_else(|| E::custom("an entry of too many values"))?;
        self.0.set(left);
        Ok(())
    }
}

impl<'t> DeserializeSeed<'t> for Bounded<'_> {
    type Value = Node<'t>;

    fn deserialize<D: Deserializer<'t>>(self, json: D) -> Result<Node<'t>, D::Error> {
        self.spend()?;
        json.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Bounded<'_> {
    type Value = Node<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Node<'t>, A::Error> {
        let mut fields = Vec::new();
        while let Some(Key(key)) = map.next_key::<Key<'t>>()? {
            fields.push((key, map.next_value_seed(self)?));
        }
        Ok(Node::Map(fields))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<Node<'t>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'t str) -> Result<Node<'t>, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node<'t>, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Node<'t>, E> {
        Ok(Node::Flag(flag))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Node<'t>, E> {
        Ok(Node::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Node<'t>, E> {
        Ok(Node::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Node<'t>, E> {
        Ok(Node::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Node<'t>, E> {
        Ok(Node::Other)
    }
}

/// Lines of texts that were borrowed from a file, asked for in its order.
pub struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: u32,
}

impl<'t> Lines<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    /// `None` for a text with escapes, and for one that stands before the last.
    pub fn line_of(&mut self, part: &str) -> Option<u32> {
        let offset = part.as_ptr().addr().checked_sub(self.text.as_ptr().addr())?;
        let between = self.text.as_bytes().get(self.at..offset)?;
        let breaks = u32::try_from(memchr::memchr_iter(b'\n', between).count()).ok()?;
        self.line = self.line.checked_add(breaks)?;
        self.at = offset;
        Some(self.line)
    }
}

/// The same text as JSON: comments and commas before a closing bracket become spaces.
pub fn without_comments(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let (mut at, mut comma) = (0, None);
    let blank = |bytes: &mut [u8], from: usize, to: usize| {
        let range = bytes.get_mut(from..to).unwrap_or_default();
        range.iter_mut().filter(|b| **b != b'\n').for_each(|b| *b = b' ');
    };
    while let Some(byte) = bytes.get(at).copied() {
        let rest = bytes.get(at..).unwrap_or_default();
        match byte {
            b'"' => {
                comma = None;
                at += string_length(rest);
                continue;
            }
            b'/' if rest.starts_with(b"//") => {
                let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                blank(&mut bytes, at, at + end);
                at += end;
                continue;
            }
            b'/' if rest.starts_with(b"/*") => {
                let end = memchr::memmem::find(rest, b"*/").map_or(rest.len(), |end| end + 2);
                blank(&mut bytes, at, at + end);
                at += end;
                continue;
            }
            b',' => comma = Some(at),
            b'}' | b']' => {
                if let Some(comma) = comma.take() {
                    blank(&mut bytes, comma, comma + 1);
                }
            }
            b' ' | b'\n' | b'\r' | b'\t' => {}
            _ => comma = None,
        }
        at += 1;
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// With both quotes.
fn string_length(text: &[u8]) -> usize {
    let mut at = 1;
    loop {
        match text.get(at) {
            None => return text.len(),
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<(String, Option<u32>)> {
        let (mut found, mut lines) = (Vec::new(), Lines::new(text));
        let _ = stream(text, &["a", "t"], &mut |section, key, _| {
            found.push((format!("{section}/{key}"), lines.line_of(&key)));
        });
        found
    }

    #[test]
    fn entries_come_with_their_lines() {
        let text = "{\"x\":{\"y\":1},\n\"a\":{\n\"b\":[],\"\\u0063\":1,\n\"d\":{}},\"t\":\"v\"}";
        let expected = [("a/b", Some(3)), ("a/c", None), ("a/d", Some(4))].map(|(k, l)| (k.to_owned(), l));
        assert_eq!(entries(text)[..3], expected);
        assert_eq!(entries("{\"a\":[1],\"t\":null}"), []);
    }

    #[test]
    fn an_entry_of_too_many_values_ends_the_reading() {
        let many = "1,".repeat(500_000);
        let text = format!("{{\"a\":{{\"b\":[{many}1],\"c\":1}}}}");
        assert!(stream(&text, &["a"], &mut |_, _, _| panic!("an entry")).is_err());
    }

    #[test]
    fn comments_and_last_commas_become_spaces() {
        let gap = |n: usize| " ".repeat(n);
        for (text, plain) in [
            ("{\"a\": [1, 2,], }", "{\"a\": [1, 2 ]  }".to_owned()),
            ("[1, // x,\n]", format!("[1{}\n]", gap(7))),
            ("[1 /* , */ , /* \n */ ]", format!("[1{}\n{}]", gap(14), gap(4))),
            ("[\"//\", \"/*\", \",]\", \"\\\",]\"]", "[\"//\", \"/*\", \",]\", \"\\\",]\"]".to_owned()),
            ("[1,\"", "[1,\"".to_owned()),
            ("/*", gap(2)),
            ("é,]", "é ]".to_owned()),
        ] {
            assert_eq!(without_comments(text), plain, "{text}");
        }
    }
}
