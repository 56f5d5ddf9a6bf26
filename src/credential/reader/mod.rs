//! The readers, one per file. Each takes the bytes of a file and gives what may be said about the credentials in it; the value
//! of a secret is looked at where it stands and goes nowhere.

mod assignments;
pub mod identity;
mod ini;
mod json;
mod lines;
mod names;
mod netrc;
mod opaque;
mod pointer;
mod private_key;
mod uses;
mod variables;
mod yaml;

use std::sync::Arc;

use regex::bytes::{Regex, RegexBuilder};

pub use assignments::assignments;
pub use variables::{Vocabulary, environ};

use super::{form, model, tag::Tagger};
use crate::{fact::Store, surface::Flaw};

/// Credentials reported of one file; a file that holds more is an attack or a database.
const MOST: usize = 1000;
/// Bytes that are read of a file that is one credential.
const OPAQUE: usize = 1 << 12;
/// Bytes of a compiled expression.
const EXPRESSION: usize = 1 << 20;

/// One credential in a file: everything that will ever be known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Its kind, where it is not the kind whose place was read.
    pub kind: Option<Arc<str>>,
    /// Section, profile, registry, variable.
    pub inner: Option<String>,
    /// From 1.
    pub line: Option<u32>,
    /// Its public identifier.
    pub identifier: Option<String>,
    /// What else may be said.
    pub note: Option<String>,
    /// The keyed tag of its value, where there is a case key and the value is fit for one.
    pub tag: Option<String>,
}

/// A field for a secret that says only which store holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointing {
    /// Section or variable.
    pub inner: Option<String>,
    /// From 1.
    pub line: Option<u32>,
    /// Which.
    pub store: Store,
}

/// Takes what a reader finds, and makes the tags; beside that, what only points to a secret.
#[derive(Debug, Default)]
pub struct Findings(pub Vec<Found>, pub Tagger, pub Vec<Pointing>);

impl Findings {
    fn push(&mut self, found: Found) -> Result<(), Flaw> {
        if self.0.len() >= MOST {
            return Err(Flaw::Unsupported("a file with more than 1000 credentials"));
        }
        self.0.push(found);
        Ok(())
    }

    /// Takes what points elsewhere, as far as there is room: it is no secret.
    fn point(&mut self, inner: Option<String>, line: Option<u32>, store: Store) {
        if self.2.len() < MOST {
            self.2.push(Pointing { inner, line, store });
        }
    }
}

/// A reader with its expressions compiled.
#[derive(Debug)]
pub enum Compiled {
    /// The file is the credential.
    Opaque,
    /// PEM and OpenSSH.
    PrivateKey,
    /// Sections.
    Ini(ini::Ini),
    /// Pointers into JSON.
    Json(pointer::Pointers),
    /// Pointers into YAML.
    Yaml(pointer::Pointers),
    /// `NAME=value`.
    Variables,
    /// Expressions.
    Lines(lines::Lines),
    /// Logins a machine.
    Netrc,
}

impl Compiled {
    /// From the data.
    ///
    /// # Errors
    /// Where an expression or a pointer is none.
    pub fn new(reader: &model::Reader) -> Result<Self, String> {
        Ok(match reader {
            model::Reader::Opaque => Self::Opaque,
            model::Reader::PrivateKey => Self::PrivateKey,
            model::Reader::Ini(fields) => Self::Ini(ini::Ini::new(fields)?),
            model::Reader::Json(fields) => Self::Json(pointer::Pointers::new(fields)?),
            model::Reader::Yaml(fields) => Self::Yaml(pointer::Pointers::new(fields)?),
            model::Reader::Variables => Self::Variables,
            model::Reader::Lines { rules } => Self::Lines(lines::Lines::new(rules)?),
            model::Reader::Netrc => Self::Netrc,
        })
    }

    /// Bytes that are read at most; a larger file is a gap.
    pub fn limit(&self) -> usize {
        match self {
            Self::Opaque => OPAQUE,
            Self::Json(_) => 16 << 20,
            _ => 1 << 20,
        }
    }

    /// Whether the start of the file is enough.
    pub fn head_only(&self) -> bool {
        matches!(self, Self::Opaque)
    }

    fn is_text(&self) -> bool {
        !matches!(self, Self::Opaque)
    }

    /// Reads one file.
    ///
    /// # Errors
    /// A flaw of the file; what was found before it stays.
    pub fn read(&self, bytes: &[u8], words: &Vocabulary, out: &mut Findings) -> Result<(), Flaw> {
        let text = self.is_text().then(|| from_utf16(bytes)).flatten();
        let bytes = text.as_deref().unwrap_or(bytes);
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match self {
            Self::Opaque => opaque::read(bytes, out),
            Self::PrivateKey => private_key::read(bytes, out),
            Self::Ini(ini) => ini.read(bytes, out),
            Self::Json(pointers) => json::read(pointers, bytes, out),
            Self::Yaml(pointers) => yaml::read(pointers, bytes, out),
            Self::Variables => variables::read(words, bytes, out),
            Self::Lines(lines) => lines.read(bytes, out),
            Self::Netrc => netrc::read(bytes, out),
        }
    }
}

/// Linear in the text, bounded in memory, over bytes.
fn expression(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text)
        .unicode(false)
        .size_limit(EXPRESSION)
        .dfa_size_limit(EXPRESSION)
        .build()
        .map_err(|_| "not a regular expression".to_owned())
}

/// What a public value must look like.
#[derive(Debug)]
enum Form {
    /// Any plain label that is no token.
    Label,
    /// The same where a login stands.
    Login,
    /// This, over all of it.
    Like {
        like: Regex,
        /// Tokens fit it too, so that it vouches for nothing: what looks like one is not shown.
        broad: bool,
    },
}

/// Tokens where a name should be: as an account, a host, a path.
const TOKENS: &[&str] = &[
    "aB3dE6gH9jK2mN5pQ8rS",
    "ab3de6gh9jk2mn5pq8rs",
    "AB3DE6GH9JK2MN5PQ8RS",
    "https://aB3dE6gH9jK2mN5pQ8rS",
    "https://ab3de6gh9jk2mn5pq8rs.example",
    "https://h.example/aB3dE6gH9jK2mN5pQ8rS",
    "aB3dE6gH9jK2mN5pQ8rS@h.example",
    "aB3dE6gH9jK2mN5",
    "https://aB3dE6gH9jK2mN5.example",
    "abcdefghijklmnopqrst",
    "https://abcdefghijklmnopqrst.example",
];

/// A form of file names that are identifiers.
#[derive(Debug)]
pub struct FileName(Form);

impl FileName {
    /// From the data.
    ///
    /// # Errors
    /// Where it is no regular expression.
    pub fn new(form: &str) -> Result<Self, String> {
        Form::new(Some(form)).map(Self)
    }

    /// The identifier that a name is, without its ending.
    pub fn identifier(&self, name: &[u8]) -> Option<String> {
        let end = name.iter().rposition(|b| *b == b'.').unwrap_or(name.len());
        self.0.shown(name.get(..end)?)
    }
}

/// Names of fields that hold who logs in.
const LOGINS: &[&str] = &["user", "username", "user_name", "login", "email", "account", "accountname"];

/// Whether a field of this name holds who logs in.
fn holds_login(field: &str) -> bool {
    LOGINS.iter().any(|l| l.eq_ignore_ascii_case(field))
}

impl Form {
    /// Of a public field of this name.
    fn for_field(field: &str, pattern: Option<&str>) -> Result<Self, String> {
        if pattern.is_none() && holds_login(field) { Ok(Self::Login) } else { Self::new(pattern) }
    }

    fn new(pattern: Option<&str>) -> Result<Self, String> {
        let Some(pattern) = pattern else {
            return Ok(Self::Label);
        };
        let like = expression(&format!("^(?:{pattern})$"))?;
        let broad = TOKENS.iter().any(|token| like.is_match(token.as_bytes()));
        Ok(Self::Like { like, broad })
    }

    /// The value, where it may be shown. Even a declared form is held to printable ASCII.
    fn shown(&self, value: &[u8]) -> Option<String> {
        let value = form::unquoted(value);
        match self {
            Self::Label => form::label(value).map(str::to_owned),
            Self::Login => form::login(value).map(str::to_owned),
            Self::Like { like, broad } => {
                let text = std::str::from_utf8(value).ok()?;
                let plain = text.len() <= 200 && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
                let vouched = like.is_match(value) && !(*broad && form::is_random(text));
                (plain && vouched).then(|| text.to_owned())
            }
        }
    }
}

/// A text that Windows programs wrote (`>` and Notepad of PowerShell 5 write UTF-16 with a mark in front), as UTF-8; `None` for
/// any other.
fn from_utf16(bytes: &[u8]) -> Option<Vec<u8>> {
    let (mark, rest) = bytes.split_first_chunk::<2>()?;
    let unit: fn([u8; 2]) -> u16 = match mark {
        [0xff, 0xfe] => u16::from_le_bytes,
        [0xfe, 0xff] => u16::from_be_bytes,
        _ => return None,
    };
    let units = rest.chunks_exact(2).filter_map(|pair| Some(unit(pair.try_into().ok()?)));
    Some(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>().into_bytes())
}

/// Lines with their numbers, from 1, without line ends.
fn numbered(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> + Clone {
    (1..).zip(bytes.split(|b| *b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_that_tokens_fit_vouches_for_nothing() {
        let shown = |form: &str, value: &str| Form::new(Some(form)).unwrap().shown(value.as_bytes());
        let host = "(?:https?://)?[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[A-Za-z0-9._/-]*)?";
        for name in
            ["registry.example", "https://index.example/v1/", "123456789012.dkr.ecr.eu-west-1.example", "h:5000"]
        {
            assert_eq!(shown(host, name).as_deref(), Some(name));
        }
        for token in ["iyaYbcrkjoEuQSKjz8PRXYH3jW", "h.example/iyaYbcrkjoEu28Kj", "94qu1jp9mimhv7a52i38d.example"] {
            assert_eq!(shown(host, token), None, "{token}");
        }
        // A narrow form is the provider's own word for what is public, however it looks.
        let id = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(shown("[0-9a-f]{40}", id).as_deref(), Some(id));
        assert_eq!(shown("AKIA[A-Z0-9]{16}", "AKIAABCDEFGH2JKLMNOP").as_deref(), Some("AKIAABCDEFGH2JKLMNOP"));
    }

    #[test]
    fn utf16_is_read_like_any_text() {
        let text = "[a]\npassword=CANARY\nuser=al\n";
        let fields = r#"{"format":"ini","secret":["password"],"public":"user"}"#;
        let reader = Compiled::new(&serde_json::from_str(fields).unwrap()).unwrap();
        let little: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        for bytes in [text.as_bytes(), &little, &big, little.get(..little.len() - 1).unwrap()] {
            let mut out = Findings::default();
            reader.read(bytes, &Vocabulary::default(), &mut out).unwrap();
            assert!(!format!("{out:?}").contains("CANARY"));
            assert_eq!(out.0.first().and_then(|f| f.identifier.as_deref()), Some("al"), "{bytes:?}");
            assert_eq!(out.0.len(), 1);
        }
        // Half a character at the end, and bytes that only begin like it.
        let mut out = Findings::default();
        for bytes in [&b"\xff\xfe"[..], b"\xff", b"\xff\xfe\x00\xd8"] {
            reader.read(bytes, &Vocabulary::default(), &mut out).unwrap();
        }
        assert!(out.0.is_empty());
    }
}
