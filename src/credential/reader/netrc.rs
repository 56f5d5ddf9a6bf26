//! `.netrc`, as wide as the programs that read it: curl and Python's `netrc`. Words stand in any order and on any line, quoted or
//! not; a `#` where a keyword would stand hides the rest of its line; a macro ends with an empty line.
//!
//! ```text
//! machine git.example login al password "a \"b\" c"
//! machine pypi.example
//!   account x user bo            # `user` is another word for `login`
//!   password s3
//! default login anonymous password al@example
//! macdef init
//!   cd /pub
//! ```

use super::{Findings, Found};
use crate::{credential::form, surface::Flaw};

/// One credential each password, and each login that is a token itself.
pub fn read(bytes: &[u8], out: &mut Findings) -> Result<(), Flaw> {
    let mut words = Words { bytes, at: 0, line: 1, open_quote: false };
    let mut entry = Entry::default();
    while let Some(word) = words.next() {
        if word.text.starts_with(b"#") && !word.quoted {
            words.skip_line();
        } else if word.is(b"machine") || word.is(b"default") {
            entry.finish(out)?;
            let host = if word.is(b"machine") { words.next().map(|w| w.text) } else { None };
            entry = Entry { host, line: word.line, ..Entry::default() };
        } else if word.is(b"macdef") {
            entry.finish(out)?;
            entry = Entry::default();
            words.next();
            words.skip_macro();
        } else if word.is(b"login") || word.is(b"user") {
            if entry.password.is_some() && entry.login.is_some() {
                entry.next(word.line, out)?;
            }
            entry.login = words.next().map(|w| w.text);
        } else if word.is(b"password") {
            if entry.password.is_some() {
                entry.next(word.line, out)?;
            }
            entry.password = words.next().map(|w| w.text);
        } else if word.is(b"account") {
            words.next();
        }
    }
    entry.finish(out)?;
    if words.open_quote { Err(Flaw::malformed("netrc file", "a quote that does not end")) } else { Ok(()) }
}

/// What is known of one login.
#[derive(Default)]
struct Entry {
    host: Option<Vec<u8>>,
    login: Option<Vec<u8>>,
    password: Option<Vec<u8>>,
    /// Of the word that it starts with.
    line: u32,
}

impl Entry {
    /// Another login of the same machine follows.
    fn next(&mut self, line: u32, out: &mut Findings) -> Result<(), Flaw> {
        self.finish(out)?;
        *self = Self { host: self.host.take(), line, ..Self::default() };
        Ok(())
    }

    fn finish(&self, out: &mut Findings) -> Result<(), Flaw> {
        let login = self.login.as_deref();
        let password = self.password.as_deref().unwrap_or_default();
        let marked = form::marks_login(password);
        // Without a password a login that could not be shown is the secret.
        let token = || login.is_some_and(|l| form::concrete(l) && form::login(l).is_none());
        let secret = if password.is_empty() { token() } else { form::literal(password) };
        if !secret {
            return Ok(());
        }
        let host = self.host.as_deref().and_then(form::label);
        let login = login.filter(|_| !marked).and_then(form::login);
        let identifier = host.map(|host| login.map_or_else(|| host.to_owned(), |login| format!("{login}@{host}")));
        let tag = match self.login.as_deref().filter(|_| marked) {
            Some(login) => out.1.tag("", login),
            None => out.1.tag("password", password),
        };
        out.push(Found { line: Some(self.line.max(1)), identifier, tag, ..Found::default() })
    }
}

struct Word {
    text: Vec<u8>,
    line: u32,
    quoted: bool,
}

impl Word {
    fn is(&self, keyword: &[u8]) -> bool {
        !self.quoted && self.text.eq_ignore_ascii_case(keyword)
    }
}

struct Words<'b> {
    bytes: &'b [u8],
    at: usize,
    line: u32,
    /// A quote was met that does not end.
    open_quote: bool,
}

impl Words<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn step(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        self.line += u32::from(byte == b'\n');
        Some(byte)
    }

    fn next(&mut self) -> Option<Word> {
        while self.peek()?.is_ascii_whitespace() {
            self.step();
        }
        let line = self.line;
        if self.peek() == Some(b'"') && !self.open_quote {
            let start = (self.at, self.line);
            if let Some(text) = self.quoted() {
                return Some(Word { text, line, quoted: true });
            }
            // Then no later quote ends either: from here on they are signs like others, as older programs read them.
            (self.at, self.line) = start;
            self.open_quote = true;
        }
        let start = self.at;
        while let Some(byte) = self.peek().filter(|b| !b.is_ascii_whitespace()) {
            self.step();
            // Python takes the sign behind a backslash as it is, a blank too.
            if byte == b'\\' && self.peek().is_some_and(|b| b != b'\n' && b != b'\r') {
                self.step();
            }
        }
        let text = self.bytes.get(start..self.at).unwrap_or_default().to_vec();
        Some(Word { text, line, quoted: false })
    }

    fn quoted(&mut self) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        self.step();
        loop {
            match self.step()? {
                b'"' => return Some(text),
                b'\\' => text.push(match self.step()? {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    other => other,
                }),
                byte => text.push(byte),
            }
        }
    }

    /// Behind the end of the line; whether there was more than that end on it.
    fn skip_line(&mut self) -> bool {
        let mut something = false;
        while let Some(byte) = self.step() {
            if byte == b'\n' {
                break;
            }
            something |= byte != b'\r';
        }
        something
    }

    fn skip_macro(&mut self) {
        self.skip_line();
        while self.skip_line() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &[u8]) -> (Vec<(u32, Option<String>)>, bool) {
        let mut out = Findings::default();
        let ok = read(text, &mut out).is_ok();
        assert!(!format!("{out:?}").contains("CANARY"), "{out:?}");
        (out.0.into_iter().map(|f| (f.line.unwrap(), f.identifier)).collect(), ok)
    }

    /// Line and identifier; an identifier that is withheld is empty.
    fn seen(text: &str) -> Vec<(u32, String)> {
        read_all(text.as_bytes()).0.into_iter().map(|(line, id)| (line, id.unwrap_or_default())).collect()
    }

    fn assert_one(text: &str, line: u32, id: &str) {
        assert_eq!(seen(text), [(line, id.to_owned())], "{text}");
    }

    #[test]
    fn words_stand_in_any_order_and_on_any_line() {
        assert_one("machine a.example login al password CANARY", 1, "al@a.example");
        assert_one("machine a.example password CANARY login al\n", 1, "al@a.example");
        assert_one("\nmachine\n\ta.example\r\n  account CANARY2\n  password\n CANARY\n user\n al", 2, "al@a.example");
        assert_one("MACHINE a.example Login al PASSWORD CANARY", 1, "al@a.example");
        assert_one("machine a.example password CANARY", 1, "a.example");
        assert_one("machine a.example user al password x", 1, "al@a.example");
        // A value may look like a keyword.
        assert_one("machine a.example login password password CANARY", 1, "password@a.example");
        assert_one("machine login login machine password CANARY account default", 1, "machine@login");
        // Words that nobody knows are passed over.
        assert_one("machine a.example port 443 protocol https login al password CANARY", 1, "al@a.example");
        assert_one("default login me password CANARY", 1, "");
        assert_one("login al password CANARY", 1, "");
    }

    #[test]
    fn quotes_hold_blanks_and_escapes() {
        assert_one(r#"machine "q.example" login "u 3" password "CANARY \" login x""#, 1, "u 3@q.example");
        assert_one(
            "machine q.example login al password \"CANARY\nCANARY\"\nmachine x.example login no",
            1,
            "al@q.example",
        );
        // A quoted word is no keyword and no comment.
        assert_one("machine q.example \"login\" x login al password \"#CANARY\"", 1, "al@q.example");
        assert_one(r"machine q.example login al password CANARY\ password\ x", 1, "al@q.example");
        assert_one("machine q.example login al password #CANARY", 1, "al@q.example");
        let (found, ok) = read_all(b"machine q.example login al password \"CANARY\nmachine r.example password CANARY");
        assert_eq!((found.len(), ok), (2, false));
    }

    #[test]
    fn several_machines_and_several_logins_of_one() {
        assert_eq!(
            seen(
                "machine a.example login al password CANARY\n  login bo\n  password CANARY\nmachine b.example password CANARY login cy"
            ),
            [(1, "al@a.example".to_owned()), (2, "bo@a.example".to_owned()), (4, "cy@b.example".to_owned())]
        );
        assert_eq!(
            seen("machine a.example password CANARY login al password CANARY login bo"),
            [(1, "al@a.example".to_owned()), (1, "bo@a.example".to_owned())]
        );
    }

    #[test]
    fn comments_macros_and_what_is_no_secret_are_left_alone() {
        for text in [
            "# machine a.example login al password CANARY\n",
            "machine a.example login al # password CANARY\n",
            "machine a.example # login al password CANARY\nlogin al",
            "machine a.example login al",
            "machine a.example login al password \"\"",
            "machine a.example login al password ${TOKEN}",
            "machine a.example login al password changeme",
            "macdef init\nmachine a.example login al password CANARY\n",
            "machine a.example login al macdef m\npassword CANARY\n",
            "machine",
            "machine a.example login",
            "machine a.example login al password",
            "",
            "\"",
        ] {
            assert_eq!(seen(text), [], "{text}");
        }
        assert_one("macdef init\n cd /pub\n\nmachine a.example login al password CANARY", 4, "al@a.example");
        assert_one("macdef init\r\n cd /pub\r\n\r\nmachine a.example login al password CANARY", 4, "al@a.example");
    }

    #[test]
    fn a_login_that_is_a_token_is_a_secret() {
        assert_one("machine a.example login CANARYdALWmCH5oB41b password x-oauth-basic", 1, "a.example");
        assert_one("machine a.example login CANARY password x-oauth-basic", 1, "a.example");
        assert_one("machine a.example login dALWmCH5oB41b8J password \"\"", 1, "a.example");
        assert_one("machine a.example login 3f2504e0-4f89-41d3-9a0c-0305e82c3301", 1, "a.example");
        assert_one("machine a.example login 3f2504e0-4f89-41d3-9a0c-0305e82c3301 password CANARY", 1, "a.example");
        assert_one("machine dALWmCH5oB41b8J login al password CANARY", 1, "");
        assert_one("machine a\u{202e}b login al password CANARY", 1, "");
    }

    #[test]
    fn hostile_text_is_bounded() {
        for text in [
            b"\"\\\" ".repeat(1 << 18),
            b"\" ".repeat((1 << 19) - 1),
            b"\\".repeat(1 << 20),
            b"machine ".repeat(1 << 17),
            b"macdef x\n\n".repeat(1 << 16),
            b"\xff\0\"\\".repeat(1 << 18),
            b"#".repeat(1 << 20),
        ] {
            assert!(read_all(&text).0.len() <= 1000);
        }
        let (found, ok) = read_all(&b"password CANARY ".repeat(2000));
        assert_eq!((found.len(), ok), (1000, false));
    }
}
