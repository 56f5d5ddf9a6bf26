//! JSON, read as a stream: a file of 16 MiB costs no more memory than its bytes.

use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{
    Findings,
    pointer::{Pointers, Walk},
};
use crate::{credential::tag::Tagger, surface::Flaw};

/// One credential each place that a pointer leads to.
pub fn read(pointers: &Pointers, bytes: &[u8], out: &mut Findings) -> Result<(), Flaw> {
    if bytes.trim_ascii().is_empty() {
        return Ok(());
    }
    let (mut walk, mut outcome) = walked(pointers, bytes, &out.1);
    if outcome.is_err()
        && let Some(strict) = strict(bytes)
    {
        (walk, outcome) = walked(pointers, &strict, &out.1);
    }
    walk.finish(out)?;
    // serde_json's own message may quote a key or a value.
    outcome.map_err(|e| {
        if e.is_eof() { Flaw::Truncated("the JSON text") } else { Flaw::malformed("JSON text", "bad syntax") }
    })
}

fn walked<'p>(pointers: &'p Pointers, bytes: &[u8], tagger: &Tagger) -> (Walk<'p>, serde_json::Result<()>) {
    let mut walk = Walk::new(pointers, tagger.clone());
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let outcome = Node(&mut walk).deserialize(&mut json).and_then(|()| json.end());
    (walk, outcome)
}

/// The text without the comments and last commas that editors allow in their settings (`.vscode/mcp.json`); `None` where it
/// has none.
fn strict(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(bytes.len());
    // Position in `plain` of a comma that nothing has followed yet.
    let (mut comma, mut changed) = (None, false);
    let mut rest = bytes.iter().copied().peekable();
    while let Some(b) = rest.next() {
        match (b, rest.peek()) {
            (b'"', _) => {
                plain.push(b);
                while let Some(inside) = rest.next() {
                    plain.push(inside);
                    match inside {
                        b'"' => break,
                        b'\\' => plain.extend(rest.next()),
                        _ => {}
                    }
                }
            }
            (b'/', Some(b'/')) => {
                changed = true;
                while rest.next_if(|b| *b != b'\n').is_some() {}
                continue;
            }
            (b'/', Some(b'*')) => {
                changed = true;
                rest.next();
                while let Some(inside) = rest.next() {
                    if inside == b'*' && rest.next_if_eq(&b'/').is_some() {
                        break;
                    }
                }
                continue;
            }
            (b']' | b'}', _) => {
                if let Some(last) = comma.and_then(|at| plain.get_mut(at)) {
                    *last = b' ';
                    changed = true;
                }
                plain.push(b);
            }
            _ => plain.push(b),
        }
        match b {
            b',' => comma = plain.len().checked_sub(1),
            b if b.is_ascii_whitespace() => {}
            _ => comma = None,
        }
    }
    changed.then_some(plain)
}

/// The value that comes next.
struct Node<'w, 'p>(&'w mut Walk<'p>);

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        if self.0.leads() { json.deserialize_any(self) } else { json.deserialize_ignored_any(IgnoredAny).map(|_| ()) }
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.leaf(text.as_bytes(), None);
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.0.leaf(number.to_string().as_bytes(), None);
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.0.leaf(number.to_string().as_bytes(), None);
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        for at in 0.. {
            self.0.element(at);
            let next = elements.next_element_seed(Node(self.0))?;
            self.0.up();
            if next.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(key) = members.next_key::<std::borrow::Cow<'de, str>>()? {
            self.0.key(&key);
            members.next_value_seed(Node(self.0))?;
            self.0.up();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::{model::Fields, reader::Found};

    fn run(secret: &[&str], public: Option<&str>, form: Option<&str>, text: &[u8]) -> (Vec<Found>, bool) {
        let fields = Fields {
            secret: secret.iter().map(|s| (*s).into()).collect(),
            public: public.map(Into::into),
            public_form: form.map(Into::into),
            identity: None,
            name: None,
            used_by: None,
        };
        let mut out = Findings::default();
        let outcome = read(&Pointers::new(&fields).unwrap(), text, &mut out);
        assert!(!format!("{out:?}{outcome:?}").contains("CANARY"));
        (out.0, outcome.is_ok())
    }

    #[test]
    fn stars_join_the_secret_and_its_public_part() {
        let text = br#"{"users":[{"user":{"token":"CANARY1"},"name":"admin"},{"name":"exec","user":{"exec":{}}},
            {"name":"ghp_CANARY","user":{"token":"CANARY2"}}]}"#;
        let (found, _) = run(&["/users/*/user/token"], Some("/users/*/name"), None, text);
        assert_eq!(found.iter().map(|f| f.identifier.as_deref()).collect::<Vec<_>>(), [Some("admin"), None]);
    }

    #[test]
    fn a_star_may_be_the_identifier() {
        let text =
            br#"{"auths":{"registry.example":{"auth":"CANARY"},"x.example":{},"CANARY\u001b":{"auth":"CANARY"}}}"#;
        let (found, _) = run(&["/auths/*/auth", "/auths/*/identitytoken"], Some("*1"), Some("[a-z.]+"), text);
        let seen: Vec<_> = found.iter().map(|f| (f.inner.as_deref(), f.identifier.as_deref())).collect();
        assert_eq!(seen, [(Some("registry.example"), Some("registry.example")), (None, None)]);
    }

    #[test]
    fn elements_without_a_name_are_distinguished() {
        let text = br#"[{"id":"a1","s":"CANARY"},{"id":"a2","s":"CANARY"},{"s":"CANARY"},{"s":"CANARY"},{"s":""}]"#;
        let (found, _) = run(&["/*/s"], Some("/*/id"), None, text);
        let seen: Vec<_> = found.iter().map(|f| (f.inner.as_deref(), f.identifier.as_deref())).collect();
        assert_eq!(seen, [(None, Some("a1")), (None, Some("a2")), (Some("2"), None), (Some("3"), None)]);
    }

    #[test]
    fn among_variables_only_secret_names_count() {
        let text =
            br#"{"s":{"a":{"env":{"A_TOKEN":"CANARY","NODE_ENV":"production","B_KEY":"${X}","C_URL":"https://h/x"},
            "h":{"Content-Type":"text/x","Authorization":"Bearer CANARY","apiKey":"CANARY"}}}}"#;
        let (found, _) = run(&["/s/*/env/*secret", "/s/*/h/*secret"], Some("*1"), None, text);
        let seen: Vec<_> = found.iter().map(|f| f.inner.as_deref()).collect();
        assert_eq!(seen, [Some("a/A_TOKEN"), Some("a/Authorization"), Some("a/apiKey")]);
    }

    #[test]
    fn comments_and_last_commas_are_read_over() {
        let text = b"// {\"a\":\n{ /* \" */ \"u\": \"https://x//CANARY\\\"//\", // c }\n \"k\": [\"CANARY\", /* , */ \n],\r\n}\n// end";
        let (found, ok) = run(&["/k/*"], None, None, text);
        assert_eq!((found.len(), ok), (1, true));
        for text in [&b"{\"k\":[\"CANARY\",,]}"[..], b"{\"k\":[1]/*", b"/", b"{\"k\": /x \"CANARY\"}", b"//\n\"CANARY"]
        {
            assert!(!run(&["/k/*"], None, None, text).1);
        }
    }

    #[test]
    fn a_file_without_secrets_is_left_alone() {
        for text in [
            &br#"{"credsStore":"pass","auths":{"a":{}}}"#[..],
            b"",
            b"[]",
            b"{\"auths\":{\"a\":{\"auth\":\"\"}}}",
            b"7",
        ] {
            assert_eq!(run(&["/auths/*/auth"], None, None, text), (Vec::new(), true));
        }
    }

    #[test]
    fn broken_and_hostile_text_is_a_flaw_and_quotes_nothing() {
        let balanced = [b"[".repeat(1 << 20), b"]".repeat(1 << 20)].concat();
        assert_eq!(run(&["/0/0/0"], None, None, &balanced), (Vec::new(), true));
        let deep_object = br#"{"a":"#.repeat(1 << 17);
        for text in [&b"{\"auths\":{\"CANARY"[..], b"{CANARY}", b"\xff\xfe{\0", b"\0", b"{\"a\":1}CANARY", &deep_object]
        {
            let (found, ok) = run(&["/a/a/a", "/*/*/*/*"], None, None, text);
            assert!(found.is_empty() && !ok);
        }
    }

    #[test]
    fn a_long_line_is_read() {
        let text = format!("{{\"x\":[{}1],\"y\":\"{}\",\"k\":\"CANARY\"}}", "1,".repeat(2 << 20), "z".repeat(1 << 20));
        let (found, ok) = run(&["/k"], None, None, text.as_bytes());
        assert_eq!((found.len(), ok), (1, true));
    }

    #[test]
    fn what_stands_before_the_damage_is_kept() {
        let (found, ok) = run(&["/k"], None, None, b"{\"k\":\"CANARY\",");
        assert_eq!((found.len(), ok), (1, false));
    }
}
