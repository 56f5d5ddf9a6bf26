//! `authorized_keys` of a server: options, the type, the key and a comment on a line. Documented in sshd(8).

use jiff::Timestamp;

use super::{
    Document, Entries, Form,
    ssh_keys::{ELSEWHERE, accepted, fingerprint},
};

/// The form.
pub struct Lines;

impl Form for Lines {
    fn name(&self) -> &'static str {
        "authorized_keys"
    }

    fn command(&self) -> &'static str {
        "authorized_keys"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["ssh.user_private_key"]
    }

    fn fits(&self, document: &Document<'_>) -> bool {
        lines(document).next().is_some() && lines(document).all(|line| key(line).is_some())
    }

    fn read(&self, document: &Document<'_>, _: Timestamp, out: &mut Entries) {
        lines(document).filter_map(key).for_each(|id| out.push(accepted(id)));
    }

    fn leaves_open(&self) -> Option<&'static str> {
        Some(ELSEWHERE)
    }
}

fn lines<'d>(document: &Document<'d>) -> impl Iterator<Item = &'d str> {
    let text = match document {
        Document::Text(text) => *text,
        Document::Json(_) => "",
    };
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The fingerprint of a line's key, which may stand behind options; these may hold blanks in quotes.
fn key(line: &str) -> Option<String> {
    const TYPES: &[&str] = &["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"];
    let starts = TYPES.iter().flat_map(|kind| line.match_indices(kind)).map(|(at, _)| at);
    let begins = |at: &usize| *at == 0 || line.get(..*at).is_some_and(|before| before.ends_with([' ', '\t']));
    starts.filter(begins).find_map(|at| fingerprint(line.get(at..)?))
}
