//! The lock file of CocoaPods.
//!
//! ```text
//! project/Podfile.lock, Pods/Manifest.lock       the second is a copy of the first, of what was installed
//! │   PODS:
//! │     - Alamofire (5.4.3)
//! │     - Firebase/Core (10.0.0):                a part of Firebase
//! │       - FirebaseAnalytics (~> 10.0)
//! │   EXTERNAL SOURCES:                          not of a registry of pods
//! │     Mine:
//! │       :path: "../Mine"
//! ```
//!
//! A hit proves that the project resolves to the version; of `Manifest.lock`, that it was fetched into `Pods`; not that it was built. Documented in
//! "What is a Podfile.lock" of CocoaPods.

use std::collections::{HashMap, HashSet};

use super::{ENTRIES, REQUIRED, package, requirement, whole};
use crate::{
    fact::{Ecosystem, Fact, Package, Placement, Requirement, TreePath, Unit},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        content::{has_line, text},
    },
};

const FILE: usize = 8 << 20;

/// `Podfile.lock`.
pub struct Podfile;

static META: Meta = Meta {
    id: "lockfile/podfile",
    title: "the lock file of CocoaPods",
    proves: "the project resolves to the version; not that it was built",
};

impl Surface for Podfile {
    fn meta(&self) -> &'static Meta {
        &META
    }

    /// Nothing is loaded from there.
    fn unit(&self, _: &TreePath, _: bool) -> Option<Unit> {
        None
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        vec![Claim::name("Podfile.lock"), Claim::name("Manifest.lock").in_tail("Pods")]
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        text(head).starts_with("PODS:\n").then_some("Podfile.lock")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let at = file.mtime("mtime of the lock file");
        let text = text(file.all(FILE)?);
        let external = external(&text);
        let mut all = text.trim().is_empty() || has_line(&text, "PODS:") || has_line(&text, "PODS: []");
        let (found, sound) = pods(&text);
        all &= sound;
        for (line, found, needs) in found.into_iter().filter(|(_, p, _)| !external.contains(&*p.name)) {
            let found = Package { requires: needs.into(), ..found };
            out.push_at(None, Some(line), at.clone(), Fact::Package(found));
        }
        whole(all, "Podfile.lock")
    }
}

/// The line of a pod, the pod, and what it asks for.
type Pod = (u32, Package, Vec<Requirement>);

/// The pods, those of which several parts are there once, each with its line; and whether all lines have their form.
fn pods(text: &str) -> (Vec<Pod>, bool) {
    let (mut found, mut all, mut inside): (Vec<Pod>, bool, bool) = (Vec::new(), true, false);
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut open = None;
    for (number, line) in (1_u32..).zip(text.lines()) {
        let body = line.trim_start();
        if line.len() == body.len() {
            if !body.is_empty() {
                inside = body.trim_end() == "PODS:";
                all &= !body.starts_with(['<', '>', '=']);
            }
            continue;
        }
        if !inside {
            continue;
        }
        let entry = body.strip_prefix("- ").map(|e| e.trim_end_matches(':').trim_matches('"'));
        let (name, asked) = entry.map(|e| e.split_once(" (").unwrap_or((e, ""))).unwrap_or_default();
        let asked = asked.trim_end_matches(')');
        if line.len() - body.len() > 2 {
            let needs = requirement(Ecosystem::Cocoapods, name, asked);
            if let (Some((_, package, requires)), Some(needs)) = (open.and_then(|at: usize| found.get_mut(at)), needs)
                && package.name.as_ref() != &*needs.name
                && requires.len() < REQUIRED
                && !requires.contains(&needs)
            {
                requires.push(needs);
            }
            continue;
        }
        open = None;
        let Some(package) = package(Ecosystem::Cocoapods, name, asked, Placement::Listed) else {
            all = false;
            continue;
        };
        let key = format!("{} {}", package.name, package.version);
        if known.len() >= ENTRIES {
            return (found, false);
        }
        open = Some(*known.entry(key).or_insert(found.len()));
        if open == Some(found.len()) {
            found.push((number, package, Vec::new()));
        }
    }
    (found, all)
}

/// Pods of a folder or a repository.
fn external(text: &str) -> HashSet<&str> {
    let mut lines = text.lines().skip_while(|line| line.trim_end() != "EXTERNAL SOURCES:").skip(1);
    let mut found = HashSet::new();
    for line in lines.by_ref().take_while(|line| line.starts_with(' ')) {
        let name =
            line.strip_prefix("  ").filter(|name| !name.starts_with([' ', ':'])).and_then(|n| n.strip_suffix(':'));
        found.extend(name.map(|name| name.trim_matches('"')).map(|name| name.split('/').next().unwrap_or(name)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{
        super::trial::{HOSTILE, asked, said},
        *,
    };

    const TEXT: &str = "PODS:\n  - Alamofire (5.4.3)\n  - Firebase/Analytics (10.0.0):\n    - Firebase/Core\n    - FirebaseCore (~> 10.0)\n  - Firebase/Core (10.0.0):\n    - FirebaseInstallations (= 10.0.0)\n  \
                        - \"Google/NSData+zlib (7.1.0)\"\n  - Mine (0.1.0)\n\nDEPENDENCIES:\n  - Alamofire (~> 5.4)\n\nEXTERNAL SOURCES:\n  Mine:\n    :path: \"../Mine\"\n\nCOCOAPODS: 1.15.2\n";

    fn read(text: &str) -> (Vec<String>, Option<String>) {
        said(&Podfile, "p/Podfile.lock", text.as_bytes())
    }

    #[test]
    fn pods_are_read_once_with_what_they_need() {
        let is =
            ["package Alamofire 5.4.3 Listed@2", "package Firebase 10.0.0 Listed@3", "package Google 7.1.0 Listed@8"];
        assert_eq!(read(TEXT), (is.map(str::to_owned).to_vec(), None));
        let needs = asked(&Podfile, "p/Podfile.lock", TEXT.as_bytes());
        assert_eq!(needs[1], ["FirebaseCore ~> 10.0", "FirebaseInstallations = 10.0.0"]);
        assert_eq!(read(""), (vec![], None));
    }

    #[test]
    fn hostile_files_are_gaps() {
        for text in HOSTILE {
            let (said, flaw) = read(text);
            assert!(said.is_empty() && flaw.is_some(), "{text}");
        }
        for bad in ["  - a\u{1b} (1.0)", "  - a", "  - a (x)", "  x", "  - (1.0)"] {
            let (said, flaw) = read(&TEXT.replace("  - Alamofire (5.4.3)", bad));
            assert_eq!((said.len(), flaw.is_some()), (2, true), "{bad}");
        }
        let many: String = (0..20_000).map(|n| format!("  - A{n} (1.{n})\n    - B (1)\n")).collect();
        assert_eq!(read(&format!("PODS:\n{many}")).0.len(), 20_000);
    }
}
