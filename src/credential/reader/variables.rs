//! `NAME=value` lines: `.env` files, shell start-up files, `/etc/environment`, `Environment=` of systemd, `*.tfvars`.
//!
//! Only names come out. A name must look like the name of a variable and either belong to a kind or hold a word such as
//! `TOKEN`, so that no line of a value that spans lines (a PEM key in quotes) can pass for one.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    Findings, Form, Found,
    assignments::{Each, assignments},
    names::{holds_secret, is_camel_case, looks_secret},
};
use crate::{
    credential::{Kind, form, reference},
    interest::glob,
    surface::Flaw,
};

/// What joins the words of a name.
const JOINTS: &[u8] = b"_.-";

/// Longest name that is shown.
const NAME: usize = 64;

/// The variables that kinds name.
#[derive(Debug, Default)]
pub struct Vocabulary {
    exact: HashMap<Box<str>, Meaning>,
    patterns: Vec<(Box<str>, Meaning)>,
    /// Forms of public variables, by name.
    public: HashMap<Box<str>, Form>,
    /// Variables that say where a file is: `GOOGLE_APPLICATION_CREDENTIALS`.
    paths: HashSet<Box<str>>,
}

#[derive(Debug, Clone)]
struct Meaning {
    kind: Arc<str>,
    public: Option<Box<str>>,
    /// Values of the kind are chosen by people.
    password: bool,
}

impl Vocabulary {
    /// Takes in what a kind names.
    ///
    /// # Errors
    /// Where a form is no regular expression.
    pub fn add(&mut self, kind: &Kind) -> Result<(), String> {
        let moved = kind.places.iter().flat_map(|place| &place.moved_by);
        self.paths.extend(moved.map(|by| by.name.as_str().into()));
        for variable in &kind.variables {
            let mut public = None;
            if let (Some(name), Some(form)) = (&variable.public, &variable.public_form) {
                public = Some(name.as_str().into());
                self.public.insert(name.as_str().into(), Form::new(Some(form))?);
            }
            let meaning = Meaning { kind: kind.id.as_str().into(), public, password: kind.password };
            let name = variable.name.as_str().into();
            if variable.name.contains('*') {
                self.patterns.push((name, meaning));
            } else {
                self.exact.insert(name, meaning);
            }
        }
        Ok(())
    }

    fn meaning(&self, name: &str) -> Option<&Meaning> {
        self.exact.get(name).or_else(|| self.patterns.iter().find(|(p, _)| glob(p, name)).map(|(_, m)| m))
    }
}

/// A secret variable; its value is not here.
struct Secret<'v> {
    name: String,
    line: u32,
    meaning: Option<&'v Meaning>,
    tag: Option<String>,
}

/// One credential per variable that holds a secret.
pub fn read(words: &Vocabulary, bytes: &[u8], out: &mut Findings) -> Result<(), Flaw> {
    push_secrets(words, |each| assignments(bytes, each), out)
}

/// One credential each secret variable of a running process: `NAME=value`, each ended by a NUL.
pub fn environ(words: &Vocabulary, bytes: &[u8], out: &mut Findings) -> Result<(), Flaw> {
    let entries = bytes.split(|b| *b == 0);
    let pairs = entries.filter_map(|entry| entry.split_at_checked(memchr::memchr(b'=', entry)?));
    let each_pair = |each: &mut Each<'_>| {
        pairs.for_each(|(name, value)| each(0, name, value.get(1..).unwrap_or_default()));
        Ok(())
    };
    push_secrets(words, each_pair, out)
}

fn push_secrets(
    words: &Vocabulary,
    variables: impl FnOnce(&mut Each<'_>) -> Result<(), Flaw>,
    out: &mut Findings,
) -> Result<(), Flaw> {
    let tagger = out.1.clone();
    let (mut secrets, mut public) = (Vec::<Secret<'_>>::new(), HashMap::new());
    let outcome = variables(&mut |line, name, value| {
        let Some(name) = shaped(name, words) else {
            return;
        };
        if let Some(shown) = words.public.get(name).and_then(|form| form.shown(value)) {
            public.insert(name.to_owned(), shown);
        }
        let meaning = words.meaning(name);
        let named = meaning.is_some() || (looks_secret(name) && !words.paths.contains(name));
        if named && let Some(store) = reference::store(value) {
            out.point(Some(name.to_owned()), Some(line).filter(|line| *line > 0), store);
        }
        let secret = named && holds_secret(name, value);
        if secret && secrets.len() <= super::MOST && !secrets.iter().any(|s| s.name == name) {
            let tag = match meaning {
                Some(known) => tagger.for_kind(known.kind.clone(), known.password).tag(name, value),
                None => tagger.tag(name, value),
            };
            secrets.push(Secret { name: name.to_owned(), line, meaning, tag });
        }
    });
    for secret in secrets {
        let identifier = secret.meaning.and_then(|m| public.get(m.public.as_deref()?).cloned());
        out.push(Found {
            kind: secret.meaning.map(|m| m.kind.clone()),
            inner: Some(secret.name),
            line: Some(secret.line).filter(|line| *line > 0),
            identifier,
            note: None,
            tag: secret.tag,
        })?;
    }
    outcome
}

/// The name, if it is formed as names of variables are: words joined by `_`, `.` or `-` in one case (unless a kind knows it), or
/// `camelCase` without digits; no long run.
fn shaped<'n>(name: &'n [u8], words: &Vocabulary) -> Option<&'n str> {
    let name = std::str::from_utf8(name).ok()?;
    let all = |letter: fn(&u8) -> bool| name.bytes().all(|b| letter(&b) || b.is_ascii_digit() || JOINTS.contains(&b));
    let known = all(u8::is_ascii_alphabetic) && words.meaning(name).is_some();
    let fits = (known || all(u8::is_ascii_uppercase) || all(u8::is_ascii_lowercase) || is_camel_case(name))
        && name.len() <= NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.split(['_', '.', '-']).all(|word| word.len() <= 24)
        && !form::is_token(name);
    fits.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Store;

    type Row = (Option<String>, String, Option<u32>, Option<String>);

    fn names(text: &[u8]) -> (Vec<Row>, bool) {
        let kind: Kind = serde_json::from_str(
            r#"{"schema":"s","id":"aws.access_key","name":"n","provider":"p","lane":"standard","tier":1,"order":1,"places":[],
            "mode":"expire","rotation":[],"sources":[],"variables":[{"name":"AWS_SECRET_ACCESS_KEY","public":"AWS_ACCESS_KEY_ID",
            "public_form":"AKIA[A-Z2-7]{16}"},{"name":"TF_TOKEN_*"},{"name":"DATABASE_URL"}]}"#,
        )
        .unwrap();
        let mut words = Vocabulary::default();
        words.add(&kind).unwrap();
        let mut out = Findings::default();
        let ok = read(&words, text, &mut out).is_ok();
        assert!(!format!("{out:?}").contains("CANARY"));
        let row = |f: Found| (f.kind.map(|k| k.to_string()), f.inner.unwrap_or_default(), f.line, f.identifier);
        (out.0.into_iter().map(row).collect(), ok)
    }

    fn only(text: &str) -> Vec<String> {
        names(text.as_bytes()).0.into_iter().map(|r| r.1).collect()
    }

    #[test]
    fn what_stands_in_a_store_is_no_secret_and_names_the_store() {
        let words = Vocabulary::default();
        let text = b"A_TOKEN=op://Private/CANARY/x\nexport DB_PASSWORD='vault:secret/data/CANARY#p'\nNAME=op://Private/x\nB_TOKEN=${A}\nC_KEY=CANARYabc123456\n";
        let mut out = Findings::default();
        read(&words, text, &mut out).unwrap();
        let seen: Vec<_> = out.2.iter().map(|p| (p.inner.as_deref(), p.line, p.store)).collect();
        assert_eq!(
            seen,
            [(Some("A_TOKEN"), Some(1), Store::Onepassword), (Some("DB_PASSWORD"), Some(2), Store::Vault)]
        );
        assert_eq!(out.0.len(), 1);
        assert!(!format!("{out:?}").contains("CANARY"));
        let many = "A_TOKEN=op://x/y\n".repeat(super::super::MOST + 5);
        let mut out = Findings::default();
        read(&words, many.as_bytes(), &mut out).unwrap();
        assert_eq!(out.2.len(), super::super::MOST);
    }

    #[test]
    fn known_names_make_their_own_kind() {
        let text = b"AWS_SECRET_ACCESS_KEY=CANARY\r\nAWS_ACCESS_KEY_ID=AKIAABCDEFGHIJKLMNOP\r\nMY_TOKEN='CANARY'\r\n";
        let aws = Some("aws.access_key".to_owned());
        assert_eq!(
            names(text).0,
            [
                (aws.clone(), "AWS_SECRET_ACCESS_KEY".into(), Some(1), Some("AKIAABCDEFGHIJKLMNOP".into())),
                (None, "MY_TOKEN".into(), Some(3), None)
            ]
        );
        let hidden = names(b"AWS_ACCESS_KEY_ID=CANARY\nAWS_SECRET_ACCESS_KEY=CANARY").0;
        assert_eq!(hidden, [(aws, "AWS_SECRET_ACCESS_KEY".into(), Some(2), None)]);
        assert_eq!(only("TF_TOKEN_app_x=CANARY\nXF_TOKEN_app=CANARY"), ["TF_TOKEN_app_x"]);
    }

    #[test]
    fn every_dialect_is_read() {
        let text = "export A_TOKEN=CANARY; \nset -gx B_KEY 'CANARY'\nEnvironment=\"C_SECRET=CA NARY\" D_PASSWORD=CANARY X=1\n\
                    db_password = \"CANARY\"\nset -x E_TOKEN CANARY\n  export F_PASS=\"CANARY\" # x\nsetenv G_PAT CANARY\nSETUVAR --export H_TOKEN:CANARY=\n";
        assert_eq!(
            only(text),
            ["A_TOKEN", "B_KEY", "C_SECRET", "D_PASSWORD", "db_password", "E_TOKEN", "F_PASS", "G_PAT", "H_TOKEN"]
        );
    }

    #[test]
    fn other_spellings_of_names_are_read() {
        let text = "A_TOKEN: CANARY=1\n- B_KEY: \"CANARY: x\"\n  \"c_password\": \"CANARY\",\nmy.api.token=CANARY\nd-api-key: CANARY\n\
                    apiKey=CANARY\nGithubToken = 'CANARY'\n- E_PAT=CANARY\nF_SECRET: |-\n  CANARY\n  CANARY\nG_URL=redis://:CA/NA#RY@h:1/0";
        let want = ["A_TOKEN", "B_KEY", "c_password", "my.api.token", "d-api-key", "apiKey", "GithubToken", "E_PAT"];
        assert_eq!(only(text), [&want[..], &["F_SECRET", "G_URL"]].concat());
        let text = "A_TOKEN:\n  from_secret: a_token\ncache:\n  key: one-key\nscript:\n  - echo A_TOKEN: x1\nA_TOKEN: $X\nmaxTokens: 5\n\
                    C_TOKEN = credentials('c-token')\nG_KEY=certs/server.pem\nH_CREDENTIALS=/srv/x/y\nhttp://h/A_TOKEN: x1\nX_URL=https://h/a:b@c\n";
        assert_eq!(only(text), [""; 0]);
    }

    #[test]
    fn the_environment_of_a_process_is_ended_by_nuls() {
        let text = b"A_TOKEN=\"CANARY\nB_TOKEN=x\0C_TOKEN=\0PATH=/bin\0D_KEY=CANARY=\0NOTHING\0=x\0E_TOKEN=CANARY";
        let mut out = Findings::default();
        environ(&Vocabulary::default(), text, &mut out).unwrap();
        assert!(!format!("{out:?}").contains("CANARY"));
        let seen: Vec<_> = out.0.iter().map(|f| (f.inner.as_deref(), f.line)).collect();
        assert_eq!(seen, [(Some("A_TOKEN"), None), (Some("D_KEY"), None), (Some("E_TOKEN"), None)]);
    }

    #[test]
    fn further_assignments_of_a_line_are_read() {
        let text = "export A_TOKEN=CANARY B_TOKEN='CANARY x' x C_TOKEN=\"CANARY\" # D_TOKEN=CANARY\nE_TOKEN=CANARY; F_TOKEN=CANARY;\n\
                    G_TOKEN='it'\\''CANARY'\nH_TOKEN=\"CANARY I_TOKEN=CANARY\"\nreadonly J_TOKEN=CANARY\nNOTE=see password=CANARY\n";
        assert_eq!(
            only(text),
            ["A_TOKEN", "B_TOKEN", "C_TOKEN", "E_TOKEN", "F_TOKEN", "G_TOKEN", "H_TOKEN", "J_TOKEN"]
        );
    }

    #[test]
    fn a_quote_without_an_end_hides_nothing_below_it() {
        let (found, ok) = names(b"A_TOKEN=\"CANARY\nB_TOKEN=CANARY\nC_TOKEN='CANARY\nD_TOKEN=<<X\nE_TOKEN=CANARY\n");
        let read: Vec<&str> = found.iter().map(|r| r.1.as_str()).collect();
        assert_eq!((read, ok), (vec!["A_TOKEN", "B_TOKEN", "C_TOKEN", "E_TOKEN"], false));
        // Each looks for its end only once.
        names(format!("{}A_KEY=\"x\n", "A_KEY='x\n".repeat(99_999)).as_bytes());
    }

    #[test]
    fn a_variable_that_says_where_a_file_is_holds_none() {
        let kind: Kind = serde_json::from_str(
            r#"{"schema":"s","id":"x.y","name":"n","provider":"p","lane":"standard","tier":1,"order":1,"mode":"expire","rotation":[],
            "sources":[],"places":[{"path":"~/x","moved_by":[{"name":"X_CREDENTIALS"}],"reader":{"format":"opaque"}}]}"#,
        )
        .unwrap();
        let mut words = Vocabulary::default();
        words.add(&kind).unwrap();
        let mut out = Findings::default();
        read(&words, b"X_CREDENTIALS=x/CANARY\nY_CREDENTIALS=x/CANARY\n", &mut out).unwrap();
        assert_eq!(out.0.iter().map(|f| f.inner.as_deref()).collect::<Vec<_>>(), [Some("Y_CREDENTIALS")]);
    }

    #[test]
    fn values_that_span_lines_leak_no_line() {
        let text = "K_KEY=\"-----BEGIN PRIVATE KEY-----\nCANARY_KEY=abcdef\nAPI_TOKEN=CANARY\n-----END\\\"x\n\"\nT_TOKEN=<<-'EOF'\nX_TOKEN=CANARY\nEOF\nZ_TOKEN=CANARY";
        assert_eq!(only(text), ["K_KEY", "T_TOKEN", "Z_TOKEN"]);
        let (found, ok) = names(b"A_TOKEN=CANARY\nB_KEY='x\nC_TOKEN=CANARY\n");
        assert_eq!((found.len(), ok), (2, false));
        // The body of a key without quotes: base64 is in mixed case, and its `=` has nothing behind it.
        assert_eq!(only("MIIEvQIBADANBgkqKEY==\nCANARYTOKENCANARYTOKENCANARYTOKEN=x1y\nabcKEY=CANARY\n"), [""; 0]);
    }

    #[test]
    fn what_holds_no_secret_is_left_alone() {
        let text = "A_TOKEN=\nB_TOKEN=\"\"\nC_TOKEN=${X}\nD_TOKEN=op://a/b\nE_KEY_FILE=/etc/x\nF_KEY=/etc/ssl/x.key\nPWD=/x\n\
                    G_TOKEN=<token>\nH_TOKEN=changeme\n# I_TOKEN=CANARY\nPUBLIC_KEY=CANARY\nMAX_TOKENS=4096\nKEYBOARD=us\n\
                    J_URL=https://example.org/x\nDATABASE_URL=postgres://localhost/x\nAWS_ACCESS_KEY_ID=AKIAABCDEFGHIJKLMNOP\n\
                    K_TOKEN=xxx\nL_TOKEN=your_token_here\nSSH_AUTH_SOCK=/run/x\nGIT_AUTHOR=me\nM_URL=https://u:${P}@h/\nN_TOKEN=on\n";
        assert_eq!(only(text), [""; 0]);
        let urls = "DATABASE_URL=postgres://u:CANARY@h/x\nS_DSN=https://CANARY@h/1\nX_WEBHOOK_URL=https://h/CANARY\nC_STRING=Server=h;Password=CANARY";
        assert_eq!(only(urls), ["DATABASE_URL", "X_WEBHOOK_URL", "C_STRING"]);
    }

    #[test]
    fn bytes_that_are_no_text_do_no_harm() {
        assert_eq!(only("\u{1b}[31m_TOKEN=CANARY\nA\0_TOKEN=CANARY"), [""; 0]);
        assert_eq!(names(b"\xff\xfe_KEY=CANARY\nA_KEY=\xff\xfeCANARY1").0.len(), 1);
        let (found, ok) = names("A_KEY=CANARY\n".repeat(10_000).as_bytes());
        assert_eq!((found.len(), ok), (1, true));
    }
}
