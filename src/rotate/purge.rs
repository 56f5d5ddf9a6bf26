//! Caches, images, lock files; then making anew what was deleted. It comes before rotating: a rebuild from a poisoned cache
//! steals the new secret.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Item, Plan, eradicate,
    shell::quote,
    situation::{Situation, absolute, place, shown, within},
};
use crate::{
    assess::{Finding, FindingKind},
    fact::TreePath,
    text::escape,
    verdict::{Exposure, Phase},
};

/// More entries of one cache than this, and the whole cache goes.
const ENTRIES: usize = 8;

/// The whole phase.
pub fn purge(s: &Situation<'_>, plan: &mut Plan) {
    let first = plan.ids_of(&[Phase::Preserve, Phase::Contain, Phase::Disarm, Phase::Eradicate]);
    let stored = s.findings(|f| f.exposure == Exposure::Cached && f.origin.layer.is_none());
    for (folder, found) in by_cache(&stored) {
        let tree = found.first().map_or("", |f| &*f.origin.tree);
        let item = cache(&folder, &found).after(first.clone());
        plan.add(&[b"cache", tree.as_bytes(), folder.as_bytes()], item);
    }
    let named = s.findings(|f| f.exposure == Exposure::Referenced && f.origin.layer.is_none());
    let (hosts, pins): (Vec<&Finding>, Vec<&Finding>) = named.into_iter().partition(|f| f.kind == FindingKind::Network);
    for (incident, found) in by_incident(s, &pins) {
        plan.add(&[b"pins", incident.as_bytes()], pin(s, &found).after(first.clone()));
    }
    if !hosts.is_empty() {
        let mut item = Item::new(
            Phase::Purge,
            "Find out why the attacker's hosts are named",
            "a block list is harmless, a setting that points there is not",
        );
        item.steps.extend(hosts.iter().map(|f| super::situation::step(format!("{}: {}", place(&f.origin), f.reason))));
        plan.add(&[b"hosts"], item.after(first.clone()));
    }
    eradicate::given(s, plan, Phase::Purge);
    let poisoned = plan.ids_of(&[Phase::Eradicate, Phase::Purge]);
    for image in trees(&s.findings(|f| f.origin.layer.is_some())) {
        plan.add(&[b"image", image.as_bytes()], rebuild_image(s, image).after(poisoned.clone()));
    }
    let rebuilt =
        s.findings(|f| f.origin.layer.is_none() && f.environment.is_some() && f.exposure >= Exposure::Installed);
    if !rebuilt.is_empty() {
        plan.add(&[b"environments"], rebuild(s, &rebuilt).after(poisoned));
    }
}

/// The trees of some findings, sorted.
pub fn trees<'f>(findings: &[&'f Finding]) -> BTreeSet<&'f str> {
    findings.iter().map(|f| &*f.origin.tree).collect()
}

fn by_incident<'f>(s: &Situation<'f>, findings: &[&'f Finding]) -> BTreeMap<&'f str, Vec<&'f Finding>> {
    let mut groups: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for f in findings {
        groups.entry(s.incident_of(f)).or_default().push(f);
    }
    groups
}

/// Findings by the cache that holds them; a file in no cache stands for itself, in its folder.
fn by_cache<'f>(findings: &[&'f Finding]) -> Vec<(TreePath, Vec<&'f Finding>)> {
    let mut groups: BTreeMap<(&str, TreePath), Vec<&Finding>> = BTreeMap::new();
    for f in findings {
        let folder = cache_root(&f.origin.path).map_or_else(|| f.origin.path.parent(), |(root, _)| root);
        groups.entry((&f.origin.tree, folder)).or_default().push(f);
    }
    groups.into_iter().map(|((_, folder), found)| (folder, found)).collect()
}

/// What keeps the cache, by the folders that only it makes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeper {
    Pip,
    Uv,
    Poetry,
}

/// The folder that can go as a whole, by components that only that tool makes. Poetry keeps environments beside its caches,
/// and the parent of a bucket of uv is uv's own only where it is named so.
fn cache_root(path: &TreePath) -> Option<(TreePath, Keeper)> {
    let parts: Vec<&[u8]> = path.components().collect();
    let (at, keeper) = parts.iter().zip(parts.iter().skip(1)).enumerate().find_map(|(n, (above, part))| {
        let ours = |name: &[u8]| name == b"uv" || name.ends_with(b"cache");
        match *part {
            b"http-v2" => Some((n + 2, Keeper::Pip)),
            b"http" | b"wheels" if *above == b"pip" => Some((n + 2, Keeper::Pip)),
            b"artifacts" | b"cache" if *above == b"pypoetry" => Some((n + 2, Keeper::Poetry)),
            part if is_uv_bucket(part) => Some((if ours(above) && n > 0 { n + 1 } else { n + 2 }, Keeper::Uv)),
            _ => None,
        }
    })?;
    Some((TreePath::new(&parts.get(..at)?.join(&b'/'))?, keeper))
}

/// `archive-v0`, `wheels-v5`, `simple-v16` …
fn is_uv_bucket(part: &[u8]) -> bool {
    let names: [&[u8]; 6] = [b"archive-v", b"wheels-v", b"built-wheels-v", b"simple-v", b"sdists-v", b"environments-v"];
    names.iter().any(|n| part.strip_prefix(*n).is_some_and(|v| !v.is_empty() && v.iter().all(u8::is_ascii_digit)))
}

fn cache(folder: &TreePath, found: &[&Finding]) -> Item {
    let tree = found.first().map(|f| within(&f.origin)).unwrap_or_default();
    let keeper = found.first().and_then(|f| cache_root(&f.origin.path)).map(|(_, keeper)| keeper);
    let why = "what is built from it has the payload again";
    let Some(keeper) = keeper else {
        let mut item = Item::new(Phase::Purge, format!("Delete the stored copies in {}{tree}", shown(folder)), why);
        for f in found {
            item = match (&f.origin.inner, f.origin.line) {
                (None, None) => item.run(
                    format!("delete {}", shown(&f.origin.path)),
                    format!("rm -f -- {}", quote(&absolute(&f.origin.path))),
                ),
                _ => item.say(format!("delete or rewrite {}", place(&f.origin))),
            };
        }
        return item;
    };
    let title = format!("Empty the cache {}{tree}", shown(folder));
    let item = Item::new(Phase::Purge, title, why);
    let whole = format!("rm -rf -- {}", quote(&absolute(folder)));
    match keeper {
        Keeper::Pip if found.len() <= ENTRIES => found.iter().fold(item, |item, f| {
            item.run(
                format!("delete the entry {}", shown(&f.origin.path)),
                format!("rm -rf -- {}", entry(&f.origin.path)),
            )
        }),
        Keeper::Pip | Keeper::Poetry => {
            item.run("delete the whole cache, without its own tool, which is Python", whole)
        }
        Keeper::Uv => item.run("delete the whole cache: its entries link to each other", whole),
    }
}

/// An entry of pip's cache is two files: the header, and beside it the bytes.
fn entry(path: &TreePath) -> String {
    let raw = absolute(path);
    match raw.strip_suffix(b".body") {
        Some(header) => format!("{} {}", quote(header), quote(&raw)),
        None => quote(&raw),
    }
}

fn pin(s: &Situation<'_>, found: &[&Finding]) -> Item {
    let mut files: Vec<String> = found.iter().map(|f| format!("{} names {}", place(&f.origin), bare(f))).collect();
    files.sort();
    files.dedup();
    let why = "the next install from it takes the malicious version from any cache or mirror that still has it";
    let title = match files.len() {
        1 => "Change the file that names the malicious version".to_owned(),
        n => format!("Change the {n} files that name the malicious version"),
    };
    let mut item = Item::new(Phase::Purge, title, why);
    for file in files {
        item = item.say(file);
    }
    item.say(format!("write {} instead, and make the lock files anew from it", good(s, found)))
}

fn bare(f: &Finding) -> String {
    let name = f.package.as_deref().unwrap_or(&f.indicator);
    escape(name.strip_prefix("pkg:").unwrap_or(name).as_bytes())
}

/// "litellm 1.82.6 or 1.83.0", for every package in question.
fn good(s: &Situation<'_>, found: &[&Finding]) -> String {
    let mut good: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for f in found {
        let name = f.package.as_deref().and_then(|p| p.strip_prefix("pkg:")).unwrap_or_default();
        let name = name.split_once('/').map_or("", |(_, tail)| tail).split('@').next().unwrap_or_default();
        let incident = s.index.incident(f.incident);
        for p in incident.into_iter().flat_map(|i| &i.packages).filter(|p| p.name == name || name.is_empty()) {
            good.entry(&p.name).or_default().extend(p.safe.iter().map(String::as_str));
        }
    }
    let mut words: Vec<String> = Vec::new();
    for (name, versions) in good.iter().filter(|(_, v)| !v.is_empty()) {
        let versions: Vec<&str> = versions.iter().copied().collect();
        words.push(format!("{name} {}", versions.join(" or ")));
    }
    if words.is_empty() { "a version known to be good".to_owned() } else { words.join(", ") }
}

fn rebuild_image(s: &Situation<'_>, image: &str) -> Item {
    let named = escape(image.as_bytes());
    let word = quote(image.as_bytes());
    let found = s.findings(|f| f.origin.layer.is_some() && &*f.origin.tree == image);
    let layers: BTreeSet<&str> = found.iter().filter_map(|f| f.origin.layer.as_deref()).collect();
    let why = "a layer keeps what it holds, also where a later one hides it; an image built on it has it too";
    let mut item = Item::new(Phase::Purge, format!("Rebuild image {named} and delete the old one everywhere"), why)
        .say(format!("write {} into what it is built from", good(s, &found)))
        .say("build it on a machine that is in order, from a fresh base image, without any build cache (`--no-cache --pull`)");
    for layer in layers {
        item = item.say(format!(
            "no image may keep the layer {}: look for it in every registry and builder",
            escape(layer.as_bytes())
        ));
    }
    item.run("delete the old one on every machine", format!("docker image rm --force -- {word}"))
        .say("delete its tags and manifests in the registries, pull-through caches and build caches (`docker builder prune --all`)")
}

fn rebuild(s: &Situation<'_>, found: &[&Finding]) -> Item {
    let places: BTreeSet<String> = found
        .iter()
        .filter_map(|f| Some(format!("make {}{} anew", shown(&f.environment.as_ref()?.prefix), within(&f.origin))))
        .collect();
    let why = "from emptied caches and changed pins, so that the malicious version cannot come back";
    let mut item = Item::new(Phase::Purge, "Put back what was deleted, in a good version", why)
        .say(format!("pin {}", good(s, found)));
    for place in places {
        item = item.say(place);
    }
    item.say("best on a rebuilt machine; on this one only after a second examination finds nothing that runs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_tool_made_goes_as_a_whole() {
        let root = |p: &str| cache_root(&TreePath::new(p.as_bytes()).unwrap()).map(|(r, _)| shown(&r));
        assert_eq!(root("home/al/.cache/pip/http-v2/a/b/x.body").as_deref(), Some("/home/al/.cache/pip/http-v2"));
        assert_eq!(root("root/.cache/uv/archive-v0/abc/litellm/x.py").as_deref(), Some("/root/.cache/uv"));
        assert_eq!(root("home/al/archive-v0/abc/x").as_deref(), Some("/home/al/archive-v0"));
        assert_eq!(root("cache/archive-v0/abc/x").as_deref(), Some("/cache/archive-v0"));
        let poetry = "home/al/.cache/pypoetry/artifacts/a/b/litellm-1.82.8-py3-none-any.whl";
        assert_eq!(root(poetry).as_deref(), Some("/home/al/.cache/pypoetry/artifacts"));
        assert_eq!(root("home/al/.cache/pypoetry/virtualenvs/x/lib/y"), None);
        assert_eq!(root("home/al/Downloads/litellm-1.82.8-py3-none-any.whl"), None);
        assert_eq!(root("home/al/src/wheels/litellm.whl"), None);
    }
}
