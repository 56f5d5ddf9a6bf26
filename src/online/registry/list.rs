//! What a registry lists: repositories, tags, and what refers to an image. Whatever it answers, there is an end.

use std::{collections::HashSet, fmt, marker::PhantomData};

use reqwest::Url;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};

use super::{
    Registry,
    endpoint::{Call, Endpoint},
    error::RegistryError,
    reference::{Digest, is_repository, is_tag},
};

/// Asked for per page; registries may give fewer.
const PAGE: &str = "1000";
const PAGE_COUNT: usize = 1000;
/// Bytes of one page: old registries put all into one.
const BYTES: u64 = 16 << 20;
const PAGES: usize = if cfg!(test) { 40 } else { 10_000 };
/// Names listed in all.
const NAMES: usize = 1_000_000;
/// Bytes of a list of what refers to an image.
const INDEX: u64 = 4 << 20;
const REFERRERS: usize = 10_000;
/// Names of one page.
const PAGE_NAMES: usize = 500_000;
/// Bytes of all pages of one list.
const ALL: u64 = 256 << 20;

/// A list, as far as it was given.
#[derive(Debug, Default)]
pub struct Listed {
    /// Sorted, each once.
    pub names: Vec<String>,
    /// Why there may be more.
    pub trouble: Option<RegistryError>,
}

/// What refers to an image: a signature, an attestation, a list of components. It is noted, and not trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// Of its manifest.
    pub digest: Digest,
    /// What it says that it is, escaped; empty where it says nothing.
    pub kind: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Page {
    #[serde(deserialize_with = "present")]
    tags: Option<Names>,
    #[serde(deserialize_with = "present")]
    repositories: Option<Names>,
}

/// `null` is what Go writes for an empty list.
type Names = Option<Bounded<String, PAGE_NAMES>>;

fn present<'d, D: Deserializer<'d>>(from: D) -> Result<Option<Names>, D::Error> {
    Deserialize::deserialize(from).map(Some)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Index {
    manifests: Option<Bounded<Entry, REFERRERS>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Entry {
    digest: String,
    artifact_type: Option<String>,
}

/// A list of at most `N` elements: three bytes of JSON can stand for fifty in memory.
struct Bounded<T, const N: usize>(Vec<T>);

impl<T, const N: usize> Default for Bounded<T, N> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'d, T: Deserialize<'d>, const N: usize> Deserialize<'d> for Bounded<T, N> {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        struct Visit<T, const N: usize>(PhantomData<T>);
        impl<'d, T: Deserialize<'d>, const N: usize> Visitor<'d> for Visit<T, N> {
            type Value = Bounded<T, N>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {N} elements")
            }

            fn visit_seq<A: SeqAccess<'d>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(next) = list.next_element()? {
                    if all.len() == N {
                        return Err(A::Error::invalid_length(N, &self));
                    }
                    all.push(next);
                }
                Ok(Bounded(all))
            }
        }
        from.deserialize_seq(Visit(PhantomData))
    }
}

impl Registry {
    /// The tags of a repository, as far as they are given.
    pub fn tags(&self, repository: &str) -> Listed {
        self.pages(repository, "tags/list", is_tag)
    }

    /// The repositories of the registry, as far as they are given. Many registries give none.
    pub fn catalog(&self) -> Listed {
        self.pages("", "_catalog", is_repository)
    }

    fn pages(&self, repository: &str, path: &str, fits: fn(&str) -> bool) -> Listed {
        let mut known = HashSet::new();
        let mut trouble = self.all_pages(self.upstream(), repository, path, fits, &mut known).err();
        // A network without a way out has its mirrors.
        for mirror in self.mirrors.iter().filter(|m| m.resolves && !m.is_out()) {
            if known.is_empty() && matches!(trouble, Some(RegistryError::Unreachable { .. })) {
                trouble = self.all_pages(mirror, repository, path, fits, &mut known).err();
            }
        }
        let mut names: Vec<String> = known.into_iter().collect();
        names.sort();
        Listed { names, trouble }
    }

    fn all_pages(
        &self,
        endpoint: &Endpoint,
        repository: &str,
        path: &str,
        fits: fn(&str) -> bool,
        known: &mut HashSet<String>,
    ) -> Result<(), RegistryError> {
        let mut query = vec![("n".to_owned(), PAGE.to_owned())];
        let (mut visited, mut odd, mut left) = (HashSet::new(), 0_usize, ALL);
        let address = endpoint.address(&Call::get(repository, path));
        let malformed = |why| Err(RegistryError::Malformed { address: address.clone(), why });
        for nth in 0..PAGES {
            let pairs: Vec<(&str, &str)> = query.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let call = Call { query: &pairs, ..Call::get(repository, path) };
            let (bytes, head) = match endpoint.whole(&self.wire, &call, BYTES) {
                // Some refuse a length of their own pages.
                Err(RegistryError::Status { status, .. }) if nth == 0 && status.starts_with("400") => {
                    endpoint.whole(&self.wire, &Call::get(repository, path), BYTES)?
                }
                other => other?,
            };
            left = left.saturating_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            if left == 0 {
                return malformed("its pages have more bytes than are read");
            }
            let page = serde_json::from_slice::<Page>(&bytes).ok().and_then(|page| page.tags.or(page.repositories));
            let Some(names) = page.map(|names| names.unwrap_or_default().0) else {
                return malformed("not the list that it should be");
            };
            let (count, before, last) = (names.len(), known.len(), names.last().cloned());
            for name in names {
                if !fits(&name) {
                    odd += 1;
                } else if known.len() < NAMES {
                    known.insert(name);
                } else {
                    return malformed("it lists more names than are examined");
                }
            }
            let is_new = known.len() > before;
            let next = match head.link.as_deref().and_then(next) {
                Some(link) => {
                    let here = endpoint.url(&call);
                    let there = here.join(link).ok().filter(|there| there.host_str() == here.host_str());
                    let Some(there) = there else {
                        return malformed("its next page would be on another host");
                    };
                    if !is_new && nth > 0 {
                        return malformed("it repeats its pages");
                    }
                    pairs_of(&there)
                }
                // Some give no more than a page, and say so nowhere.
                None if is_new && count >= PAGE_COUNT => match last.filter(|last| fits(last)) {
                    Some(last) => vec![("n".to_owned(), PAGE.to_owned()), ("last".to_owned(), last)],
                    None => break,
                },
                None => break,
            };
            if !visited.insert(next.clone()) {
                return malformed("it repeats its pages");
            }
            if nth + 1 == PAGES {
                return malformed("it has more pages than are read");
            }
            query = next;
        }
        if odd > 0 { malformed("names are listed that cannot be names") } else { Ok(()) }
    }

    /// What refers to an image, by the registry's list or by the tag that stands for one.
    ///
    /// # Errors
    /// Where neither can be asked. A registry that knows of nothing is no error.
    pub fn referrers(&self, repository: &str, digest: &Digest) -> Result<Vec<Referrer>, RegistryError> {
        let path = format!("referrers/{digest}");
        let call = Call { accept: Some("application/vnd.oci.image.index.v1+json"), ..Call::get(repository, &path) };
        let bytes = match self.each(false, &|endpoint| endpoint.whole(&self.wire, &call, INDEX)) {
            Ok((bytes, _)) => bytes,
            // Older registries, and those that hide it.
            Err(RegistryError::Missing(_) | RegistryError::Status { .. }) => {
                let tag = digest.as_str().replacen(':', "-", 1);
                match self.manifest(repository, &tag) {
                    Ok(manifest) => manifest.bytes,
                    Err(RegistryError::Missing(_)) => return Ok(Vec::new()),
                    Err(other) => return Err(other),
                }
            }
            Err(other) => return Err(other),
        };
        let odd = || RegistryError::Malformed { address: self.address(&call), why: "not the list that it should be" };
        let index: Index = serde_json::from_slice(&bytes).map_err(|_| odd())?;
        let entries = index.manifests.unwrap_or_default().0.into_iter();
        let kind = |kind: Option<String>| crate::text::escape_short(kind.unwrap_or_default().as_bytes(), 120);
        let all =
            entries.filter_map(|e| Some(Referrer { digest: Digest::parse(&e.digest)?, kind: kind(e.artifact_type) }));
        Ok(all.collect())
    }
}

/// The target of `<…>; rel="next"`.
fn next(header: &str) -> Option<&str> {
    header.split(',').find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next =
            |p: &str| p.trim().strip_prefix("rel=").is_some_and(|r| r.trim_matches('"').eq_ignore_ascii_case("next"));
        parameters.split(';').any(is_next).then_some(target)
    })
}

/// Of the next page no more than this is followed: registries behind a proxy write a wrong scheme, port or path.
fn pairs_of(url: &Url) -> Vec<(String, String)> {
    url.query_pairs().filter(|(name, _)| name != "ns").map(|(n, v)| (n.into_owned(), v.into_owned())).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn links_are_read() {
        let next = super::next;
        assert_eq!(next(r#"</v2/_catalog?last=b&n=2>; rel="next""#), Some("/v2/_catalog?last=b&n=2"));
        assert_eq!(next("<a>; rel=prev, <b>; x=y; rel=next"), Some("b"));
        for none in ["", "<", "<a", "<a>", "<a>; rel=\"prev\"", "a; rel=next"] {
            assert_eq!(next(none), None, "{none}");
        }
    }
}
