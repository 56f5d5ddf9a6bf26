//! What stands already where a report goes. After a clean-up less is found than was taken: an earlier list is the only one that says
//! what to replace, and a later report that lacks any of it does not take its place.

use std::{
    collections::HashSet,
    io::{BufReader, Read},
};

use anyhow::ensure;

use super::{Place, place::Kind, shown};
use crate::{
    commands::input,
    report::{count, v1::Report},
};

/// Bytes of an id: `f-` and 16 hex digits of a finding, `s-` and 8 of an item. Every format but the table writes one of them.
const FINDING: (&[u8], usize) = (b"f-", 16);
const ITEM: (&[u8], usize) = (b"s-", 8);

/// The findings and items of what stands at a place.
#[derive(Debug, Default)]
pub struct Earlier {
    ids: HashSet<Vec<u8>>,
}

impl Earlier {
    /// Of a regular file; of all else nothing.
    pub fn at(place: &Place) -> Self {
        let path = place.real().filter(|_| place.kind() == Kind::File);
        let input = path.and_then(|path| input::open(path).ok()).filter(|i| i.regular().is_some());
        input.map_or_else(Self::default, |input| Self::of(input.take(input::REPORT)))
    }

    fn of(text: impl Read) -> Self {
        let (mut ids, mut word) = (HashSet::new(), Vec::new());
        let longest = FINDING.0.len() + FINDING.1 + 1;
        // What cannot be read to its end is known as far as it could be.
        for byte in BufReader::with_capacity(1 << 16, text).bytes().map_while(Result::ok).chain([b'\n']) {
            if byte.is_ascii_alphanumeric() || byte == b'-' {
                if word.len() < longest {
                    word.push(byte);
                }
            } else {
                if is_id(&word, FINDING) || is_id(&word, ITEM) {
                    ids.insert(std::mem::take(&mut word));
                }
                word.clear();
            }
        }
        Self { ids }
    }

    /// Refuses a report that lacks any of it.
    ///
    /// # Errors
    /// How much it lacks, and what to do.
    pub fn allows(&self, place: &Place, report: &Report) -> anyhow::Result<()> {
        let findings = report.incidents.iter().flat_map(|i| &i.findings).map(|f| &f.id);
        let new: HashSet<&[u8]> =
            findings.chain(report.checklist.iter().map(|i| &i.id)).map(String::as_bytes).collect();
        let lost = self.ids.iter().filter(|id| !new.contains(id.as_slice()));
        let (findings, items): (Vec<_>, Vec<_>) = lost.partition(|id| is_id(id, FINDING));
        let findings = Some(findings.len()).filter(|n| *n > 0).map(|n| count(n, "finding"));
        let items = Some(items.len()).filter(|n| *n > 0).map(|n| count(n, "item"));
        let what: Vec<String> = findings.into_iter().chain(items).collect();
        let named = shown(place.named());
        let both = match place.named().extension().is_some_and(|e| e.eq_ignore_ascii_case("json")) {
            true => format!("; `dosimeter rotate --update {named} NEW` keeps both"),
            false => String::new(),
        };
        ensure!(
            what.is_empty(),
            "`{named}` stays as it is: it lists {} that this report does not, and what was taken is still taken\n\
             hint: name a new file{both}; `--force-output` writes there all the same",
            what.join(" and ")
        );
        Ok(())
    }
}

fn is_id(word: &[u8], (start, digits): (&[u8], usize)) -> bool {
    word.strip_prefix(start).is_some_and(|rest| rest.len() == digits && rest.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<String> {
        let mut ids: Vec<String> =
            Earlier::of(text.as_bytes()).ids.into_iter().map(|id| String::from_utf8(id).unwrap()).collect();
        ids.sort();
        ids
    }

    #[test]
    fn ids_are_found_in_every_format() {
        assert_eq!(
            ids(
                "{\"id\": \"f-0123456789abcdef\", \"s-0123abcd\":1}\n- [ ] `s-00000001`\nkeep s-00000002 /x\na,s-00000003"
            ),
            ["f-0123456789abcdef", "s-00000001", "s-00000002", "s-00000003", "s-0123abcd"]
        );
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        assert!(ids("s-0123abc s-0123abcde xs-0123abcd s-0123abcg f-0123 c-0123456789abcdef S-0123ABCD").is_empty());
        assert!(ids("").is_empty());
    }
}
