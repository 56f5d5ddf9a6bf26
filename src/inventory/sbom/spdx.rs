//! SPDX 2.3 JSON, <https://spdx.github.io/spdx-spec/v2.3/>: `packages`, each with a package URL among its `externalRefs`. Where a
//! package stood is in the words of `sourceInfo`, behind the last `: `.

use serde::Deserialize;

use super::{Clues, Sbom};

#[derive(Deserialize)]
struct Document {
    name: Option<String>,
    #[serde(default)]
    packages: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    version_info: Option<String>,
    source_info: Option<String>,
    primary_package_purpose: Option<String>,
    #[serde(default)]
    external_refs: Vec<Reference>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    reference_type: Option<String>,
    reference_locator: Option<String>,
}

pub(super) fn read(bytes: &[u8]) -> serde_json::Result<Sbom> {
    let document: Document = serde_json::from_slice(bytes)?;
    let image = document.packages.iter().any(|p| p.primary_package_purpose.as_deref() == Some("CONTAINER"));
    let mut sbom = Sbom { format: "SPDX 2.3".to_owned(), subject: document.name, ..Sbom::default() };
    for item in &document.packages {
        let is_purl = |r: &&Reference| r.reference_type.as_deref() == Some("purl");
        let purl = item.external_refs.iter().find(is_purl).and_then(|r| r.reference_locator.as_deref());
        let source = item.source_info.as_deref();
        // "acquired package info from installed python package manifest file: /a, /b"
        let paths = source.and_then(|s| s.rsplit_once(": ")).map(|(_, paths)| paths);
        let path = paths.and_then(|p| p.split(", ").next());
        // Syft says so of lock files as well: the path alone tells them apart.
        let cataloger = None;
        sbom.admit(purl, item.version_info.as_deref(), &Clues { cataloger, path, image });
    }
    Ok(sbom)
}
