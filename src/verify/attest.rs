//! What a named person answers for, where no file shows it.

use super::v1::Attested;

/// Longest name and text.
const MOST: usize = 400;

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// Id of a credential (`c-…`), or a public identifier.
    pub id: String,
    /// `here`, `provider` or `silence`; `None` for all three.
    pub fact: Option<&'static str>,
    /// Who.
    pub by: String,
    /// What they say.
    pub text: String,
}

impl Attestation {
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
    pub fn covers(&self, id: &str, identifier: Option<&str>, fact: &str) -> bool {
        self.names(id, identifier) && self.fact.is_none_or(|own| own == fact)
    }

    /// Whether it is about this credential.
    pub fn names(&self, id: &str, identifier: Option<&str>) -> bool {
        self.id == id || identifier == Some(self.id.as_str())
    }

    /// For the answer.
    pub fn about(&self, fact: &str) -> Attested {
        Attested { fact: fact.to_owned(), by: self.by.clone(), text: self.text.clone() }
    }
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
