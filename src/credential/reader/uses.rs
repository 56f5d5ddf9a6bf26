//! What opens with a credential under names of its own: the contexts of a kubeconfig name the user whose token they use, and the cluster
//! where it opens something.

use super::{
    form,
    pointer::{Step, steps},
};
use crate::credential::model::UsedBy;

/// Names that are remembered of one file.
const MOST: usize = 200;

/// What is remembered of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A name that opens with a credential.
    Name,
    /// The identifier that it uses.
    Of,
    /// What it calls the address.
    Called,
    /// What an address is called.
    AddressName,
    /// The address.
    Address,
}

/// Where each part stands.
#[derive(Debug)]
pub struct Uses(Vec<(Part, Vec<Step>)>);

impl Uses {
    /// From the data.
    pub fn new(used_by: &UsedBy) -> Result<Self, String> {
        let mut parts = vec![(Part::Name, &used_by.name), (Part::Of, &used_by.of)];
        if let Some(at) = &used_by.at {
            parts.extend([(Part::Called, &at.called), (Part::AddressName, &at.name), (Part::Address, &at.address)]);
        }
        parts.into_iter().map(|(part, pointer)| Ok((part, steps(pointer)?))).collect::<Result<_, String>>().map(Self)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Part, &Vec<Step>)> {
        self.0.iter().map(|(part, steps)| (*part, steps))
    }
}

/// The values of one file, by what the first star stood for.
#[derive(Debug, Default)]
pub struct Met(Vec<(Part, String, String)>);

impl Met {
    /// A value at one of the places.
    pub(super) fn add(&mut self, part: Part, star: &str, value: &[u8]) {
        let value = if part == Part::Address { host(value) } else { value };
        let known = self.0.iter().filter(|(p, ..)| *p == part).count();
        if let Some(label) = form::label(value).filter(|_| known < MOST) {
            self.0.push((part, star.to_owned(), label.to_owned()));
        }
    }

    /// The names of what uses an identifier, in the order of the file, with the host of its address.
    pub(super) fn of(&self, identifier: &str) -> Vec<(String, Option<String>)> {
        let users = self.of_part(Part::Of).filter(|(_, id)| *id == identifier);
        let named = users.filter_map(|(star, _)| Some((self.at(Part::Name, star)?.to_owned(), self.host_of(star))));
        named.collect()
    }

    fn host_of(&self, star: &str) -> Option<String> {
        let called = self.at(Part::Called, star)?;
        let (star, _) = self.of_part(Part::AddressName).find(|(_, name)| *name == called)?;
        self.at(Part::Address, star).map(str::to_owned)
    }

    fn of_part(&self, part: Part) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter(move |(p, ..)| *p == part).map(|(_, star, value)| (star.as_str(), value.as_str()))
    }

    fn at(&self, part: Part, star: &str) -> Option<&str> {
        self.of_part(part).find(|(s, _)| *s == star).map(|(_, value)| value)
    }
}

/// Host and port of an address: what stands before an `@` or behind a `/` may be secret.
fn host(address: &[u8]) -> &[u8] {
    let start = address.windows(3).position(|w| w == b"://").map_or(0, |at| at + 3);
    let rest = address.get(start..).unwrap_or_default();
    let end = rest.iter().position(|b| b"/?#".contains(b)).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or_default();
    authority.rsplit(|b| *b == b'@').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_address_is_shown_and_nothing_else_of_it() {
        for (address, shown) in [
            ("https://k8s.example:6443", "k8s.example:6443"),
            ("https://al:s3cret@k8s.example/path?token=x", "k8s.example"),
            ("k8s.example/a@b", "k8s.example"),
            ("https://[2001:db8::1]:6443#x", "[2001:db8::1]:6443"),
            ("https://", ""),
            ("", ""),
        ] {
            assert_eq!(host(address.as_bytes()), shown.as_bytes(), "{address}");
        }
    }

    #[test]
    fn a_name_leads_over_what_it_calls_the_address() {
        let mut met = Met::default();
        for (part, star, value) in [
            (Part::Address, "1", "https://two.example"),
            (Part::AddressName, "1", "two"),
            (Part::Name, "0", "prod"),
            (Part::Of, "0", "al"),
            (Part::Called, "0", "two"),
            (Part::Name, "1", "test"),
            (Part::Of, "1", "al"),
            (Part::Called, "1", "gone"),
            (Part::Name, "2", "other"),
            (Part::Of, "2", "ann"),
        ] {
            met.add(part, star, value.as_bytes());
        }
        assert_eq!(met.of("al"), [("prod".to_owned(), Some("two.example".to_owned())), ("test".to_owned(), None)]);
        assert_eq!(met.of("nobody"), []);
    }
}
