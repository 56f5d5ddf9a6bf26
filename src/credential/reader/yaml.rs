//! YAML, read as events: aliases are never expanded, so an alias bomb is a few lines of text.

use yaml_rust2::{Event, parser::Parser};

use super::{
    Findings,
    pointer::{Pointers, Walk},
};
use crate::surface::Flaw;

/// Deeper than any configuration.
const DEPTH: usize = 64;

/// Where the reader is in a container.
enum Frame {
    /// The next event is a key.
    Key,
    /// The next event is a key's value.
    Value,
    /// A container is the key.
    InKey,
    /// Position of the next element.
    Element(usize),
}

struct Reader<'p> {
    walk: Walk<'p>,
    frames: Vec<Frame>,
}

/// One credential each place that a pointer leads to, in every document of the file.
pub fn read(pointers: &Pointers, bytes: &[u8], out: &mut Findings) -> Result<(), Flaw> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(Flaw::malformed("YAML text", "not UTF-8"));
    };
    let mut reader = Reader { walk: Walk::new(pointers, out.1.clone()), frames: Vec::new() };
    let outcome = reader.run(text);
    reader.walk.finish(out)?;
    outcome
}

impl Reader<'_> {
    fn run(&mut self, text: &str) -> Result<(), Flaw> {
        let mut parser = Parser::new(text.chars());
        loop {
            // The scanner's own message may quote the text.
            let (event, mark) = parser.next_token().map_err(|_| Flaw::malformed("YAML text", "bad syntax"))?;
            let line = u32::try_from(mark.line()).ok();
            match event {
                Event::StreamEnd => return Ok(()),
                Event::Scalar(value, _, _, tag) => match tag {
                    Some(tag) if tag.suffix == "vault" => self.node(None, |w| w.unseen(line, false)),
                    _ => self.node(Some(&value), |w| w.leaf(value.as_bytes(), line)),
                },
                Event::Alias(_) => self.node(None, |w| w.unseen(line, true)),
                Event::MappingStart(..) => self.open(Frame::Key)?,
                Event::SequenceStart(..) => self.open(Frame::Element(0))?,
                Event::MappingEnd | Event::SequenceEnd => {
                    self.frames.pop();
                    self.close();
                }
                _ => {}
            }
        }
    }

    /// A key or a value that is no container.
    fn node(&mut self, key: Option<&str>, leaf: impl FnOnce(&mut Walk<'_>)) {
        if let Some(frame @ Frame::Key) = self.frames.last_mut() {
            *frame = Frame::Value;
            self.walk.key(key.unwrap_or_default());
            return;
        }
        if let Some(Frame::Element(at)) = self.frames.last() {
            self.walk.element(*at);
        }
        leaf(&mut self.walk);
        self.close();
    }

    fn open(&mut self, inside: Frame) -> Result<(), Flaw> {
        if self.frames.len() >= DEPTH {
            return Err(Flaw::Unsupported("YAML of more than 64 levels"));
        }
        match self.frames.last_mut() {
            Some(frame @ Frame::Key) => {
                *frame = Frame::InKey;
                // What is inside the key is not below the values' path.
                self.walk.key("");
            }
            Some(Frame::Element(at)) => self.walk.element(*at),
            _ => {}
        }
        self.frames.push(inside);
        Ok(())
    }

    /// A value, or a key that is a container, has ended.
    fn close(&mut self) {
        match self.frames.last_mut() {
            Some(frame @ Frame::InKey) => *frame = Frame::Value,
            Some(frame @ Frame::Value) => {
                *frame = Frame::Key;
                self.walk.up();
            }
            Some(Frame::Element(at)) => {
                *at += 1;
                self.walk.up();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        credential::{model::Fields, reader::Found},
        fact::Store,
    };

    fn run(secret: &[&str], public: Option<&str>, text: &[u8]) -> (Vec<Found>, bool) {
        let fields = Fields {
            secret: secret.iter().map(|s| (*s).into()).collect(),
            public: public.map(Into::into),
            public_form: None,
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
    fn model_lists_and_general_settings() {
        let text = b"model_list:\r\n  - model_name: gpt\r\n    litellm_params:\r\n      model: openai/x\r\n      api_key: CANARY-1\r\n  - model_name: b\r\n    litellm_params: {api_key: os.environ/B}\r\n  - {litellm_params: {api_key: \"CANARY\"}, model_name: c}\r\ngeneral_settings:\r\n  master_key: \"sk-CANARY\"\r\n";
        let (found, ok) = run(&["/model_list/*/litellm_params/api_key"], Some("/model_list/*/model_name"), text);
        let seen: Vec<_> = found.iter().map(|f| (f.identifier.as_deref(), f.line)).collect();
        assert_eq!((seen, ok), (vec![(Some("gpt"), Some(5)), (Some("c"), Some(8))], true));
        assert_eq!(run(&["/general_settings/master_key"], None, text).0.len(), 1);
    }

    #[test]
    fn what_stands_in_a_store_names_the_store() {
        let fields = Fields {
            secret: vec!["/p/*/api_key".into(), "/env/*secret".into()],
            public: None,
            public_form: None,
            identity: None,
            name: None,
            used_by: None,
        };
        let text = b"p:\n  a: {api_key: 'op://Private/CANARY'}\n  b: {api_key: CANARY}\n  c: {other: 'op://x/y'}\nenv:\n  A_TOKEN: 'vault:CANARY'\n  NAME: 'vault:CANARY'\n  B_KEY: ENC[AES256_GCM,data:CANARY,type:str]\n";
        let mut out = Findings::default();
        read(&Pointers::new(&fields).unwrap(), text, &mut out).unwrap();
        let seen: Vec<_> = out.2.iter().map(|p| (p.inner.as_deref(), p.store)).collect();
        let all = [(Some("a"), Store::Onepassword), (Some("A_TOKEN"), Store::Vault), (Some("B_KEY"), Store::Sops)];
        assert_eq!((seen, out.0.len()), (all.to_vec(), 1));
        assert!(!format!("{out:?}").contains("CANARY"));
    }

    #[test]
    fn odd_keys_documents_and_tags_do_not_shift_the_path() {
        let text = b"? [a, {b: c}]\n: {x: 1}\n? {k: v}\n: 2\nk: CANARY\n---\nk: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n---\n- k: CANARY\n---\nk: ~\n---\nk: *a\n";
        let (found, _) = run(&["/k"], None, text);
        assert_eq!(found.first().map(|f| f.line), Some(Some(5)));
        assert_eq!(found.len(), 1);
        let (found, _) = run(
            &["/*/password"],
            None,
            b"default: &d\n  password: CANARY\ndev:\n  <<: *d\nprod:\n  password: <%= ENV['X'] %>\n",
        );
        assert_eq!(found.iter().map(|f| f.inner.as_deref()).collect::<Vec<_>>(), [Some("default")]);
    }

    #[test]
    fn hostile_text_ends() {
        let mut bomb = String::from("a: &a [x,x,x,x,x,x,x,x,x]\n");
        for (at, c) in ('b'..='z').enumerate() {
            let before = char::from(b'a' + u8::try_from(at).unwrap());
            bomb.push_str(&format!("{c}: &{c} [{}]\n", vec![format!("*{before}"); 9].join(",")));
        }
        bomb.push_str("k: CANARY\n");
        assert_eq!(run(&["/k"], None, bomb.as_bytes()).0.len(), 1);
        for text in [
            b"[".repeat(1 << 20),
            b"{".repeat(1 << 20),
            b"- ".repeat(1 << 19),
            b"a: ".repeat(1 << 18),
            b"? ".repeat(1 << 19),
            b"&a ".repeat(1 << 18),
            b"!".repeat(1 << 20),
            b"'".repeat((1 << 20) - 1),
            b"\xff\xfe".to_vec(),
            b"a: \0CANARY\n".to_vec(),
            b"%".repeat(1 << 20),
            b"\t".repeat(1 << 20),
            b"k: \"CANARY".to_vec(),
            b"--- ".repeat(1 << 18),
            b"*".repeat(1 << 20),
            b"a: |\n ".repeat(1 << 17),
            b"[a: ".repeat(1 << 18),
        ] {
            run(&["/k", "/*/*"], None, &text);
        }
    }
}
