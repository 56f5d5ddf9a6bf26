//! Install commands of an image's build whose package stands in the layer that they made: that says which version they took, and they
//! say how it came there. One finding speaks for both.

use std::collections::HashSet;

use super::{Finding, FindingKind, Moment};
use crate::{ecosystem::purl::Purl, ioc::index::IncidentId, text::escape, verdict::Exposure};

/// What came with a layer: the incident, the tree, the layer, the package as a command may name it.
type Brought = (IncidentId, String, String, String);

/// Drops the findings of such commands; each becomes a line of the timeline.
pub fn drop_what_stands(findings: &mut Vec<Finding>) -> Vec<Moment> {
    let place = |f: &Finding, package: String| {
        Some((f.incident, f.origin.tree.to_string(), f.origin.layer.as_deref()?.to_owned(), package))
    };
    let stands = |f: &&Finding| f.kind == FindingKind::Package && f.exposure >= Exposure::Installed;
    let both = |f: &Finding| -> Vec<Brought> {
        let package = f.package.as_deref().and_then(Purl::parse);
        let bare = package.map(|p| Purl { version: None, ..p }.to_string());
        f.package.clone().into_iter().chain(bare).filter_map(|p| place(f, p)).collect()
    };
    let brought: HashSet<Brought> = findings.iter().filter(stands).flat_map(both).collect();
    let mut moments = Vec::new();
    findings.retain(|f| {
        let is_command = f.kind == FindingKind::Command && f.exposure == Exposure::Removed;
        let named = f.package.clone().filter(|_| is_command).and_then(|p| place(f, p));
        if !named.is_some_and(|named| brought.contains(&named)) {
            return true;
        }
        moments.extend(f.at.as_ref().map(|at| Moment {
            at: at.time,
            what: format!(
                "a step of the build asked for {}",
                escape(f.package.as_deref().unwrap_or_default().as_bytes())
            ),
            source: at.source.to_string(),
            finding: None,
        }));
        false
    });
    moments
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use crate::{
        assess::{Case, Evidence, assess},
        credential::Catalog,
        fact::{At, Ecosystem, Fact, Origin, Package, Placement, Seen, TreePath},
        ioc::{Database, Index},
        shell::from_image_history,
    };

    /// The kinds of findings of an image in which a step made one layer, and a version stands in another or the same.
    fn kinds(step: &str, made: &str, version: &str, stands: &str) -> String {
        let seen = |path: String, layer: &str, surface, fact| {
            let path = TreePath::new(path.as_bytes()).unwrap();
            let unit = Some(Arc::new(crate::ecosystem::pypi::unit_around(&path, false)));
            let mut origin = Origin::file(&"app:1".into(), path);
            origin.layer = Some(layer.into());
            let at = At::unix(1_774_350_000, "time");
            Evidence::from(Seen { surface, origin, at, uid: Some(0), gid: None, mode: None, unit, fact })
        };
        let folder = format!("v/lib/python3.12/site-packages/litellm-{version}.dist-info");
        let package = Fact::Package(Package {
            ecosystem: Ecosystem::Pypi,
            name: "litellm".into(),
            version: version.into(),
            placement: Placement::Loadable,
            artifacts: Vec::new(),
            requires: [].into(),
        });
        let mut evidence = vec![
            seen(format!("{folder}/METADATA"), stands, "python/dist-info", package),
            seen(format!("{folder}/INSTALLER"), stands, "python/dist-info", Fact::Installer { name: "pip".into() }),
        ];
        let command = |c| seen(String::new(), made, "image/history", Fact::Command(c));
        evidence.extend(from_image_history(step).into_iter().map(command));
        let (index, catalog) = (Index::new(Database::embedded().unwrap(), &[]), Catalog { kinds: Vec::new() });
        let found = assess(Case { index: &index, catalog: &catalog, evidence, accounts: BTreeMap::new() });
        found.findings.iter().map(|f| f.kind.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_command_whose_package_stands_in_its_layer_is_no_finding_of_its_own() {
        let (open, pinned) = ("RUN pip install litellm", "RUN pip install litellm==1.82.8");
        assert_eq!(kinds(open, "sha256:a", "1.82.8", "sha256:a"), "package");
        assert_eq!(kinds(pinned, "sha256:a", "1.82.8", "sha256:a"), "package");
        // Another version, another layer, another package.
        assert_eq!(kinds(pinned, "sha256:a", "1.82.7", "sha256:a"), "package command");
        assert_eq!(kinds(pinned, "sha256:b", "1.82.8", "sha256:a"), "package command");
        assert_eq!(kinds("RUN pip install telnyx==4.87.1", "sha256:a", "1.82.8", "sha256:a"), "package command");
    }
}
