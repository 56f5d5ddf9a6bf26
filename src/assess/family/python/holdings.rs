//! The files and folders that a distribution is, by its own list, its metadata and its name: what is taken out with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    assess::{
        Case, Evidence, Finding, FindingKind,
        rule::Rule,
        units::{Folder, Units, folder_of},
    },
    ecosystem::{
        purl::Purl,
        pypi::{normalise, store_entry},
    },
    fact::{Ecosystem, Fact, TreePath},
    ioc::{Index, model::Incident},
    verdict::Exposure,
};

/// Ends of the names of folders that describe a distribution.
const DESCRIPTIONS: &[&[u8]] = &[b".dist-info", b".egg-info"];

/// Gives findings of packages the files that they are.
pub fn find(case: &Case<'_>, units: &Units, findings: &mut [Finding]) {
    let belongings = Belongings::new(&case.evidence, units);
    let is_own = |f: &&mut Finding| {
        let here = f.kind == FindingKind::Package && f.ecosystem == Some(Ecosystem::Pypi) && f.origin.inner.is_none();
        here && f.holdings.is_none() && f.exposure >= Exposure::Cached
    };
    for f in findings.iter_mut().filter(is_own) {
        f.holdings = Some(match f.exposure {
            Exposure::Cached => stored(&f.origin.path),
            Exposure::Removed => left_over(f),
            _ => installed(case.index, &belongings, f),
        });
    }
}

/// What an uninstall left; what else shows that something was there is no file of it.
fn left_over(f: &Finding) -> Vec<TreePath> {
    let folder = f.origin.path.parent();
    let named = folder.name().starts_with(b"~") || folder.name().ends_with(b".dist-info");
    let whole = f.rule == Rule::PackageLeftOver && f.origin.line.is_none() && folder.components().count() >= 2;
    if whole && named { vec![folder] } else { Vec::new() }
}

fn installed(index: &Index, belongings: &Belongings, f: &Finding) -> Vec<TreePath> {
    let path = &f.origin.path;
    let folder = path.parent();
    if folder.name() == b"EGG-INFO" {
        return vec![folder.parent()];
    }
    let describes = |p: &TreePath| DESCRIPTIONS.iter().any(|end| p.name().ends_with(end));
    // Else one file: an egg, a wheel on the path, Debian's egg-info, conda's record.
    let metadata = if describes(&folder) { folder } else { path.clone() };
    let mut all = BTreeSet::from([metadata.clone()]);
    if describes(&metadata) {
        all.extend(by_name(index.incident(f.incident), f, &metadata.parent()));
    }
    all.extend(belongings.listed(&f.origin.tree, path).unwrap_or_default().iter().cloned());
    all.into_iter().collect()
}

/// What has the package's name beside its metadata: a list that the payload wrote may leave it out.
fn by_name(incident: Option<&Incident>, f: &Finding, site: &TreePath) -> Vec<TreePath> {
    let purl = f.package.as_deref().and_then(Purl::parse);
    let normal = purl.map(|p| normalise(&p.name)).unwrap_or_default();
    let modules = incident.into_iter().flat_map(|i| &i.files);
    let modules = modules.filter(|m| m.package.as_deref().is_some_and(|p| normalise(p) == normal));
    let tops = modules.flat_map(|m| &m.paths).filter_map(|p| p.strip_prefix("site:"));
    let tops = tops.map(|p| p.split('/').next().unwrap_or(p)).filter(|t| !t.is_empty() && !t.contains('*'));
    let mut all: Vec<TreePath> = tops.map(|t| site.join(t.as_bytes())).collect();
    if !normal.is_empty() {
        let module = normal.replace('-', "_");
        all.extend([module.clone(), format!("{module}.py")].map(|n| site.join(n.as_bytes())));
    }
    all
}

/// The entry of a cache: its bytes with what describes them; else the file.
fn stored(path: &TreePath) -> Vec<TreePath> {
    if let Some(unpacked) = store_entry(path) {
        return vec![unpacked];
    }
    let folder = path.parent();
    // conda: an unpacked package, by its `info`.
    if folder.name() == b"info" && path.name() == b"index.json" && !folder.parent().as_bytes().is_empty() {
        return vec![folder.parent()];
    }
    if DESCRIPTIONS.iter().any(|e| folder.name().ends_with(e)) {
        return vec![folder];
    }
    // pip: the header, and beside it the bytes.
    match path.as_bytes().strip_suffix(b".body") {
        Some(header) => TreePath::new(header).into_iter().chain([path.clone()]).collect(),
        None => vec![path.clone()],
    }
}

/// Paths by the metadata of their distribution.
struct Belongings(BTreeMap<Folder, Vec<TreePath>>);

impl Belongings {
    /// Collects the lists. A list is written by whoever made the package: what bears the name of another distribution beside it
    /// stays where it is.
    fn new(evidence: &[Evidence], units: &Units) -> Self {
        let mut all = BTreeMap::new();
        for Evidence { seen, .. } in evidence {
            let Fact::Listed { paths } = &seen.fact else {
                continue;
            };
            let (tree, key) = (seen.origin.tree.clone(), key(&seen.origin.path));
            let own = stem(key.name());
            let beside = units.in_folder(&tree, &folder_of(seen));
            let others = || beside.into_iter().flat_map(|s| &s.distributions).filter(|d| *d.package.name != *own);
            let foreign = |p: &&TreePath| {
                let name = stem(p.name());
                name != own && others().any(|d| *d.package.name == *name)
            };
            all.insert((tree, key), paths.iter().filter(|p| !foreign(p)).cloned().collect());
        }
        Self(all)
    }

    /// What the distribution says is its, by the file that holds its metadata; `None` where it has no list.
    fn listed(&self, tree: &Arc<str>, metadata: &TreePath) -> Option<&[TreePath]> {
        self.0.get(&(tree.clone(), key(metadata))).map(Vec::as_slice)
    }
}

/// conda has a file for each distribution, the others a folder.
fn key(path: &TreePath) -> TreePath {
    if path.parent().name() == b"conda-meta" { path.clone() } else { path.parent() }
}

/// The distribution's or module's name in a file's name.
fn stem(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let name = name.split('-').next().unwrap_or_default();
    normalise(name.split_once(".py").map_or(name, |(stem, _)| stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn an_entry_of_a_cache_goes_and_never_the_cache() {
        let of = |p: &str| stored(&path(p)).iter().map(|p| p.text().into_owned()).collect::<Vec<_>>();
        assert_eq!(
            of("h/.cache/pip/http-v2/a/b/x.body"),
            ["/h/.cache/pip/http-v2/a/b/x", "/h/.cache/pip/http-v2/a/b/x.body"]
        );
        assert_eq!(of("h/.cache/uv/archive-v0/abc/litellm-1.dist-info/METADATA"), ["/h/.cache/uv/archive-v0/abc"]);
        assert_eq!(of("c/pkgs/litellm-1-py_0/info/index.json"), ["/c/pkgs/litellm-1-py_0"]);
        assert_eq!(of("h/x/litellm-1.whl"), ["/h/x/litellm-1.whl"]);
        assert_eq!(of("h/x/litellm-1.dist-info/METADATA"), ["/h/x/litellm-1.dist-info"]);
    }
}
