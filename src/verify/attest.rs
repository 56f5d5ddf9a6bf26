//! What a named person answers for, where no file shows it.

use super::{case::Case, v1::Attested};
use crate::{credential::Forms, report::v1::Credential};

/// Longest name and text.
const MOST: usize = 400;

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// Id of a credential (`c-…`), its public identifier, or what the plan calls the item that replaces it (`B5`).
    pub id: String,
    /// `here`, `provider` or `silence`; `None` for all three.
    pub fact: Option<&'static str>,
    /// Who.
    pub by: String,
    /// What they say.
    pub text: String,
}

/// A statement that is about nothing, or about more than one thing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// No such item or credential.
    #[error("no credential of this case is called so")]
    Nothing,
    /// An item of another kind.
    #[error("that item replaces no credential")]
    NoSecret,
    /// Several credentials, which may be in different states.
    #[error("that is {count} credentials, which may be in different states: {ids}")]
    Several {
        /// How many.
        count: usize,
        /// The first of them.
        ids: String,
    },
}

/// Ids that a message names.
const NAMED: usize = 5;

impl Attestation {
    /// The same of each credential that it names, by its id; of a key that only a listing has as it is.
    ///
    /// # Errors
    /// Where it names nothing, or what is more than one credential.
    pub fn resolved(self, case: &Case, forms: &Forms) -> Result<Vec<Self>, Unclear> {
        let by_id = case.credentials.iter().find(|c| c.id == self.id);
        let item = case.item(&self.id);
        let mut named: Vec<&Credential> = match (by_id, item) {
            (Some(one), _) => vec![one],
            (None, Some((item, _))) => case.credentials.iter().filter(|c| item.credentials.contains(&c.id)).collect(),
            (None, None) => Vec::new(),
        };
        if by_id.is_none() {
            named.extend(case.credentials.iter().filter(|c| c.identifier.as_deref() == Some(self.id.as_str())));
        }
        named.sort_by(|a, b| a.id.cmp(&b.id));
        named.dedup_by(|a, b| a.id == b.id);
        let Some(first) = named.first() else {
            return match item {
                Some(_) => Err(Unclear::NoSecret),
                None if looks_like_ours(&self.id) => Err(Unclear::Nothing),
                None => Ok(vec![self]),
            };
        };
        if by_id.is_none() && item.is_some_and(|(item, replaces)| !replaces && !item.credentials.is_empty()) {
            return Err(Unclear::NoSecret);
        }
        // One that has an identifier of its own, or a tag, is the same wherever it stands.
        let is_own = first.identifier.as_deref().is_some_and(|id| forms.fit(&first.kind, id));
        let same_id = |c: &&Credential| c.kind == first.kind && c.identifier == first.identifier;
        let key = case.key_of(first);
        let same_tag = |c: &&Credential| c.kind == first.kind && c.tag == first.tag && case.key_of(c) == key;
        let one = is_own && named.iter().all(same_id) || first.tag.is_some() && named.iter().all(same_tag);
        if named.len() > 1 && !one {
            let ids: Vec<&str> = named.iter().take(NAMED).map(|c| c.id.as_str()).collect();
            let more = if named.len() > NAMED { " …" } else { "" };
            return Err(Unclear::Several { count: named.len(), ids: format!("{}{more}", ids.join(", ")) });
        }
        Ok(named.iter().map(|c| Self { id: c.id.clone(), ..self.clone() }).collect())
    }

    /// From `ID [here|provider|silence] by NAME: TEXT`.
    ///
    /// # Errors
    /// What it lacks.
    pub fn parse(line: &str) -> Result<Self, &'static str> {
        const FORM: &str = "write `ID by NAME: TEXT`, or `ID here by …`, `ID provider by …`, `ID silence by …`";
        let (head, text) = line.split_once(':').map(|(head, text)| (head, text.trim())).ok_or(FORM)?;
        // The id of a fingerprint holds a colon itself.
        let (head, text) = match head.ends_with("SHA256") && !head.contains(" by ") {
            true => {
                let at = line.find(" by ").ok_or(FORM)?;
                let colon = at + line.get(at..).and_then(|rest| rest.find(':')).ok_or(FORM)?;
                (line.get(..colon).ok_or(FORM)?, line.get(colon + 1..).ok_or(FORM)?.trim())
            }
            false => (head, text),
        };
        let (about, by) = head.split_once(" by ").ok_or(FORM)?;
        let mut words = about.split_whitespace();
        let id = words.next().ok_or(FORM)?;
        let fact = match words.next() {
            None => None,
            Some("here") => Some("here"),
            Some("provider") => Some("provider"),
            Some("silence") => Some("silence"),
            Some(_) => return Err(FORM),
        };
        let by = by.trim();
        if words.next().is_some() || by.is_empty() || text.is_empty() || by.len() > MOST || text.len() > MOST {
            return Err(FORM);
        }
        Ok(Self { id: id.to_owned(), fact, by: by.to_owned(), text: text.to_owned() })
    }

    /// Whether it is about this fact of a credential.
    pub fn covers(&self, id: &str, fact: &str) -> bool {
        self.id == id && self.fact.is_none_or(|own| own == fact)
    }

    /// For the answer.
    pub fn about(&self, fact: &str) -> Attested {
        Attested { fact: fact.to_owned(), by: self.by.clone(), text: self.text.clone() }
    }
}

/// Whether an id has the form of one that this program makes: `c-…`, `s-…`, `B5`.
fn looks_like_ours(id: &str) -> bool {
    let number = |rest: &str| !rest.is_empty() && rest.len() <= 4 && rest.bytes().all(|b| b.is_ascii_digit());
    let label = id.strip_prefix(['A', 'B', 'C', 'D', 'a', 'b', 'c', 'd']).is_some_and(number);
    id.starts_with("c-") || id.starts_with("s-") || label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_a_subject_a_name_and_a_text() {
        let read = |line: &str| Attestation::parse(line).map(|a| (a.id, a.fact, a.by, a.text));
        let own = |id: &str, fact, by: &str, text: &str| Ok((id.to_owned(), fact, by.to_owned(), text.to_owned()));
        assert_eq!(read("c-1 by Jo Li: revoked: 10:02"), own("c-1", None, "Jo Li", "revoked: 10:02"));
        assert_eq!(read("AKIA1 provider by jo:x"), own("AKIA1", Some("provider"), "jo", "x"));
        assert_eq!(read("SHA256:ab/c silence by jo: no use"), own("SHA256:ab/c", Some("silence"), "jo", "no use"));
        for bad in [
            "",
            "c-1",
            "c-1 by jo",
            "c-1 by : x",
            "c-1 by jo:",
            " by jo: x",
            "c-1 dead by jo: x",
            "c-1 a b by jo: x",
            "by jo: x",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(read(&format!("c-1 by jo: {}", "x".repeat(401))).is_err());
    }
}
