//! Property lists of macOS, XML and binary, into the values that JSON has.
//!
//! Binary: `bplist00`, objects, a table of their offsets, and a trailer of 32 bytes that says the width of offsets and references, how many
//! objects there are, which is the top one and where the table begins. Documented in plist(5) and in Core Foundation's `CFBinaryPList.c`.

use std::borrow::Cow;

use crate::surface::{Flaw, node::json::Node};

/// Values of one list.
const VALUES: usize = 50_000;
const DEPTH: usize = 32;
/// Bytes of a text of a binary list that count as one more value: many references may name the same long text.
const PART: usize = 64;
const WHAT: &str = "property list";

/// The top value of a list.
///
/// # Errors
/// Where it is none, ends early, or is deeper or larger than any is.
pub fn read(bytes: &[u8]) -> Result<Node<'static>, Flaw> {
    if bytes.starts_with(b"bplist") {
        return Binary::new(bytes).and_then(|list| list.top()).ok_or(Flaw::malformed(WHAT, "it is no binary one"));
    }
    let text = String::from_utf8_lossy(bytes);
    let (_, inner) = text.split_once("<plist").ok_or(Flaw::malformed(WHAT, "it is neither XML nor binary"))?;
    let (_, inner) = inner.split_once('>').ok_or(Flaw::Truncated(WHAT))?;
    let mut xml = Xml { rest: inner, left: VALUES };
    match xml.value(0) {
        Some(Item::Value(node)) => Ok(node),
        _ if xml.rest.trim().is_empty() => Err(Flaw::Truncated(WHAT)),
        _ => Err(Flaw::malformed(WHAT, "it is no XML of that form")),
    }
}

/// What stands next in XML.
enum Item {
    Value(Node<'static>),
    Key(String),
    /// A closing tag.
    End,
}

struct Xml<'t> {
    rest: &'t str,
    left: usize,
}

impl Xml<'_> {
    /// The next tag, without comments and instructions; whether it closes itself.
    fn tag(&mut self) -> Option<(String, bool)> {
        loop {
            let (_, behind) = self.rest.split_once('<')?;
            if let Some(comment) = behind.strip_prefix("!--") {
                self.rest = comment.split_once("-->")?.1;
                continue;
            }
            let (tag, after) = behind.split_once('>')?;
            self.rest = after;
            if !tag.starts_with(['!', '?']) {
                let closed = tag.ends_with('/');
                let name = tag.trim_end_matches('/').split_whitespace().next().unwrap_or_default();
                return Some((name.to_owned(), closed));
            }
        }
    }

    fn value(&mut self, depth: usize) -> Option<Item> {
        self.left = self.left.checked_sub(1)?;
        let (name, closed) = self.tag()?;
        if depth > DEPTH || name.len() > 16 {
            return None;
        }
        if name.starts_with('/') {
            return Some(Item::End);
        }
        let value = match name.as_str() {
            "true" | "false" => {
                if !closed {
                    self.text(&name)?;
                }
                Node::Flag(name == "true")
            }
            "dict" | "array" if closed => Node::List(Vec::new()),
            "dict" => {
                let (mut fields, mut key) = (Vec::new(), None);
                loop {
                    match self.value(depth + 1)? {
                        Item::End => break,
                        Item::Key(name) => key = Some(name),
                        Item::Value(node) => fields.extend(key.take().map(|key| (Cow::Owned(key), node))),
                    }
                }
                Node::Map(fields)
            }
            "array" => {
                let mut items = Vec::new();
                while let Item::Value(node) = self.value(depth + 1)? {
                    items.push(node);
                }
                Node::List(items)
            }
            _ if closed => Node::Text(Cow::Borrowed("")),
            "key" => return Some(Item::Key(self.text("key")?)),
            "string" => Node::Text(Cow::Owned(self.text("string")?)),
            other => {
                self.text(other)?;
                Node::Other
            }
        };
        Some(Item::Value(value))
    }

    /// What stands before the closing tag.
    fn text(&mut self, name: &str) -> Option<String> {
        let (text, after) = self.rest.split_once(&format!("</{name}>"))?;
        self.rest = after;
        if let Some(inner) = text.trim().strip_prefix("<![CDATA[").and_then(|t| t.strip_suffix("]]>")) {
            return Some(inner.to_owned());
        }
        Some(unescaped(text))
    }
}

fn unescaped(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let entity = part.split_once(';').and_then(|(name, rest)| Some((character(name)?, rest)));
        match entity {
            Some((character, rest)) => {
                plain.push(character);
                plain.push_str(rest);
            }
            None => {
                plain.push('&');
                plain.push_str(part);
            }
        }
    }
    plain
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        name => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

struct Binary<'b> {
    bytes: &'b [u8],
    table: usize,
    offset: usize,
    reference: usize,
    count: usize,
    top: usize,
}

impl<'b> Binary<'b> {
    fn new(bytes: &'b [u8]) -> Option<Self> {
        let trailer = bytes.get(bytes.len().checked_sub(32)?..)?;
        let (offset, reference) = (usize::from(*trailer.get(6)?), usize::from(*trailer.get(7)?));
        let wide = |at: usize| number(trailer.get(at..at + 8)?);
        let (count, top, table) = (wide(8)?, wide(16)?, wide(24)?);
        let good = (1..=8).contains(&offset) && (1..=8).contains(&reference);
        good.then_some(Self { bytes, table, offset, reference, count, top })
    }

    fn top(&self) -> Option<Node<'static>> {
        self.object(self.top, 0, &mut { VALUES })
    }

    fn object(&self, index: usize, depth: usize, left: &mut usize) -> Option<Node<'static>> {
        *left = left.checked_sub(1)?;
        if index >= self.count || depth > DEPTH {
            return None;
        }
        let at = self.table.checked_add(index.checked_mul(self.offset)?)?;
        let at = number(self.bytes.get(at..at.checked_add(self.offset)?)?)?;
        let marker = *self.bytes.get(at)?;
        let (kind, low) = (marker >> 4, usize::from(marker & 0xf));
        if matches!(kind, 0..=4 | 8) {
            return Some(if matches!(marker, 8 | 9) { Node::Flag(marker == 9) } else { Node::Other });
        }
        let (len, at) = self.length(low, at.checked_add(1)?)?;
        let block = |size: usize| self.bytes.get(at..at.checked_add(len.checked_mul(size)?)?);
        *left = left.checked_sub(len / PART)?;
        Some(match kind {
            5 | 7 => Node::Text(Cow::Owned(String::from_utf8_lossy(block(1)?).into_owned())),
            6 => {
                let pairs = block(2)?.chunks_exact(2);
                let units: Vec<u16> = pairs.filter_map(|p| Some(u16::from_be_bytes(p.try_into().ok()?))).collect();
                Node::Text(Cow::Owned(String::from_utf16_lossy(&units)))
            }
            0xa..=0xc => {
                let mut items = Vec::new();
                for reference in block(self.reference)?.chunks_exact(self.reference) {
                    items.push(self.object(number(reference)?, depth + 1, left)?);
                }
                Node::List(items)
            }
            0xd => {
                let (keys, values) = block(self.reference.checked_mul(2)?)?.split_at_checked(len * self.reference)?;
                let references = |part: &'b [u8]| part.chunks_exact(self.reference);
                let mut fields = Vec::new();
                for (key, value) in references(keys).zip(references(values)) {
                    let key = self.object(number(key)?, depth + 1, left)?;
                    let value = self.object(number(value)?, depth + 1, left)?;
                    if let Node::Text(key) = key {
                        fields.push((key, value));
                    }
                }
                Node::Map(fields)
            }
            _ => return None,
        })
    }

    /// A length and where what it counts begins: the low half of the marker, or a number behind it.
    fn length(&self, low: usize, at: usize) -> Option<(usize, usize)> {
        if low < 0xf {
            return Some((low, at));
        }
        let size = 1_usize.checked_shl(u32::from(*self.bytes.get(at)? & 0xf))?;
        let begin = at.checked_add(1)?;
        let end = begin.checked_add(size)?;
        Some((number(self.bytes.get(begin..end)?)?, end))
    }
}

/// Big-endian, of at most eight bytes.
fn number(bytes: &[u8]) -> Option<usize> {
    let fits = bytes.len() <= 8;
    let value = bytes.iter().fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    fits.then_some(value).and_then(|value| usize::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{"Program": "/x", "RunAtLoad": true, "A": ["a", "é"]}`, as Python's `plistlib` writes it.
    const BINARY: &[u8] = include_bytes!("../../../tests/fixtures/plist/agent.plist");

    #[test]
    fn both_forms_give_the_same() {
        let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict><!-- <key>X</key> -->\
                   <key>Program</key><string>/x</string><key>RunAtLoad</key><true/>\
                   <key>A</key><array><string>a</string><string>&#233;</string></array></dict></plist>";
        let (text, binary) = (read(xml.as_bytes()).unwrap(), read(BINARY).unwrap());
        for list in [&text, &binary] {
            assert_eq!(list.text_of("Program"), Some("/x"));
            assert!(list.flag("RunAtLoad"));
            let items: Vec<_> = list.get("A").unwrap().items().iter().filter_map(Node::text).collect();
            assert_eq!(items, ["a", "é"]);
        }
        assert_eq!(unescaped("&lt;a&gt; &amp;&amp; &quot;&apos;&#x41;&#99999999;&x;&"), "<a> && \"'A&#99999999;&x;&");
    }

    #[test]
    fn hostile_lists_end() {
        for cut in 0..BINARY.len() {
            let _ = read(&BINARY[..cut]);
        }
        for at in 0..BINARY.len() {
            for byte in [0, 0x1f, 0x7f, 0xa1, 0xdf, 0xff] {
                let mut bytes = BINARY.to_vec();
                bytes[at] = byte;
                let _ = read(&bytes);
            }
        }
        // An array that holds itself many times over.
        let mut bomb = b"bplist00\xaf\x10\x64".to_vec();
        bomb.extend([0; 100]);
        let table = bomb.len();
        bomb.push(8);
        bomb.extend([0; 6]);
        bomb.extend([1, 1]);
        for value in [1, 0, table] {
            bomb.extend(u64::try_from(value).unwrap().to_be_bytes());
        }
        assert!(read(&bomb).is_err());
        let deep = format!("<plist>{}", "<array>".repeat(100_000));
        let flat = format!("<plist><array>{}</array></plist>", "<true/>".repeat(100_000));
        for text in [&*deep, &*flat, "<plist>", "<plist", "", "<plist><dict><key>x", "<plist></plist>", "<plist><!--"] {
            assert!(read(text.as_bytes()).is_err());
        }
    }

    #[test]
    fn a_text_that_many_references_name_is_not_copied_without_end() {
        // An array of 20,000 references to one text of 60,000 bytes.
        let (count, len) = (20_000_u16, 60_000_u16);
        let mut bytes = b"bplist00".to_vec();
        let text = bytes.len();
        bytes.extend([0x5f, 0x11]);
        bytes.extend(len.to_be_bytes());
        bytes.resize(bytes.len() + usize::from(len), b'a');
        let array = bytes.len();
        bytes.extend([0xaf, 0x11]);
        bytes.extend(count.to_be_bytes());
        bytes.resize(bytes.len() + usize::from(count), 0);
        let table = bytes.len();
        for at in [text, array] {
            bytes.extend(u32::try_from(at).unwrap().to_be_bytes());
        }
        bytes.extend([0, 0, 0, 0, 0, 0, 4, 1]);
        for number in [2, 1, table] {
            bytes.extend(u64::try_from(number).unwrap().to_be_bytes());
        }
        assert!(read(&bytes).is_err());
    }
}
