//! Sections of `name = value`: `~/.aws/credentials`, `.pypirc`, `.my.cnf`, and TOML files whose secrets stand one per line.

use super::{Findings, Form, Found, numbered};
use crate::{
    credential::{form, model::Fields, reference, tag::Tagger},
    fact::Store,
    surface::Flaw,
};

/// Which keys are secret, and which one is public.
#[derive(Debug)]
pub struct Ini {
    secret: Vec<Box<str>>,
    public: Option<Box<str>>,
    form: Form,
}

/// What is known of the section that is being read.
#[derive(Default)]
struct Section {
    name: Option<String>,
    /// Line of the first secret.
    secret: Option<u32>,
    /// A secret of it is a marker: then the login is the token.
    marked: bool,
    /// The tag of the secret that the data name first, with its position there: lines may change places.
    tag: Option<(usize, Option<String>)>,
    identifier: Option<String>,
    /// The line of the first secret that stands elsewhere, and where.
    points: Option<(u32, Store)>,
}

impl Ini {
    /// From the data.
    pub fn new(fields: &Fields) -> Result<Self, String> {
        let form = Form::for_field(fields.public.as_deref().unwrap_or_default(), fields.public_form.as_deref())?;
        let secret = fields.secret.iter().map(|s| s.as_str().into()).collect();
        Ok(Self { secret, public: fields.public.as_deref().map(Into::into), form })
    }

    /// One credential a section that has a concrete secret.
    pub fn read(&self, bytes: &[u8], out: &mut Findings) -> Result<(), Flaw> {
        let mut section = Section::default();
        for (number, line) in numbered(bytes) {
            let line = line.trim_ascii();
            if matches!(line.first(), None | Some(b'#' | b';')) {
                continue;
            }
            if let Some(name) = section_name(line) {
                section.finish(&self.form, out)?;
                section.name = form::label(name).map(str::to_owned);
            } else if let Some((key, value)) = pair(line) {
                self.pair(key, value, number, &mut section, &out.1);
            }
        }
        section.finish(&self.form, out)
    }

    fn pair(&self, key: &[u8], value: &[u8], number: u32, section: &mut Section, tagger: &Tagger) {
        let is = |k: &str| k.as_bytes().eq_ignore_ascii_case(key);
        let field = self.secret.iter().enumerate().find(|(_, s)| is(s));
        if field.is_some() && section.points.is_none() {
            section.points = reference::store(value).map(|store| (number, store));
        }
        let secret = field.filter(|_| form::concrete(value));
        if let Some((at, field)) = secret {
            if section.tag.as_ref().is_none_or(|(first, _)| at < *first) {
                section.tag = Some((at, tagger.tag(field, value)));
            }
            section.secret = section.secret.or(Some(number));
            section.marked |= form::marks_login(value);
        } else if self.public.as_deref().is_some_and(is) {
            section.identifier = self.form.shown(value);
        }
    }
}

impl Section {
    fn finish(&mut self, form: &Form, out: &mut Findings) -> Result<(), Flaw> {
        let mut done = std::mem::take(self);
        if let Some((line, store)) = done.points {
            out.point(done.name.clone(), Some(line), store);
        }
        let Some(line) = done.secret else {
            return Ok(());
        };
        done.identifier = done.identifier.filter(|_| !(done.marked && matches!(form, Form::Login)));
        let tag = done.tag.and_then(|(_, tag)| tag);
        out.push(Found { inner: done.name, line: Some(line), identifier: done.identifier, tag, ..Found::default() })
    }
}

/// `[name]`, or `[[name]]` of TOML, whatever comment follows.
fn section_name(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"[")?;
    let rest = rest.strip_prefix(b"[").unwrap_or(rest);
    let end = rest.iter().position(|b| *b == b']')?;
    rest.get(..end).map(form::unquoted)
}

/// `name = value`, `name: value`.
fn pair(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|b| matches!(b, b'=' | b':'))?;
    Some((form::unquoted(line.get(..at)?), line.get(at + 1..)?.trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aws(text: &[u8]) -> Vec<Found> {
        let fields = Fields {
            secret: vec!["aws_secret_access_key".into()],
            public: Some("aws_access_key_id".into()),
            public_form: Some("A[KS]IA[A-Z2-7]{16}".into()),
            identity: None,
            name: None,
            used_by: None,
        };
        let mut out = Findings::default();
        Ini::new(&fields).unwrap().read(text, &mut out).unwrap();
        assert!(!format!("{out:?}").contains("CANARY"));
        out.0
    }

    #[test]
    fn what_stands_in_a_store_is_no_secret_and_names_the_store() {
        let fields = Fields {
            secret: vec!["password".into()],
            public: None,
            public_form: None,
            identity: None,
            name: None,
            used_by: None,
        };
        let mut out = Findings::default();
        let text =
            b"[a]\npassword = op://Private/CANARY\n[b]\npassword = CANARY\nuser = op://x/y\n[c]\npassword = ${X}\n";
        Ini::new(&fields).unwrap().read(text, &mut out).unwrap();
        let seen: Vec<_> = out.2.iter().map(|p| (p.inner.as_deref(), p.line, p.store)).collect();
        assert_eq!((seen, out.0.len()), (vec![(Some("a"), Some(2), Store::Onepassword)], 1));
        assert!(!format!("{out:?}").contains("CANARY"));
    }

    #[test]
    fn one_credential_a_section() {
        let text = "\r\n[default]\r\naws_access_key_id = AKIAABCDEFGHIJKLMNOP\r\naws_secret_access_key = CANARY/1+\r\n\
                    [dev] # x\r\nAWS_SECRET_ACCESS_KEY=CANARY2\r\naws_access_key_id=CANARY3\r\n[ghp_CANARY]\naws_secret_access_key=CANARY";
        let found = aws(text.as_bytes());
        let seen: Vec<_> = found.iter().map(|f| (f.inner.as_deref(), f.line, f.identifier.as_deref())).collect();
        assert_eq!(
            seen,
            [
                (Some("default"), Some(4), Some("AKIAABCDEFGHIJKLMNOP")),
                (Some("dev"), Some(6), None),
                (None, Some(9), None)
            ]
        );
    }

    #[test]
    fn a_login_beside_a_marker_is_the_token() {
        let fields = Fields {
            secret: vec!["password".into()],
            public: Some("username".into()),
            public_form: None,
            identity: None,
            name: None,
            used_by: None,
        };
        let ini = Ini::new(&fields).unwrap();
        let read = |user: &str, password: &str| {
            let mut out = Findings::default();
            ini.read(format!("[r]\nusername = {user}\npassword = {password}\n").as_bytes(), &mut out).unwrap();
            out.0.into_iter().map(|f| f.identifier).collect::<Vec<_>>()
        };
        assert_eq!(read("al", "pw"), [Some("al".to_owned())]);
        assert_eq!(read("CANARY", "x-oauth-basic"), [None]);
        assert_eq!(read("3f2504e0-4f89-41d3-9a0c-0305e82c3301", "pw"), [None]);
    }

    #[test]
    fn a_config_without_secrets_is_left_alone() {
        let text = "[default]\nregion = eu\n# aws_secret_access_key = CANARY\ncredential_process = /x\naws_secret_access_key =\n\
                    [b]\naws_secret_access_key = ${SECRET}\n[c]\naws_access_key_id = AKIAABCDEFGHIJKLMNOP\n";
        assert!(aws(text.as_bytes()).is_empty());
        assert!(aws(b"\0\xff[\n=\n:\n[]\n").is_empty());
    }
}
