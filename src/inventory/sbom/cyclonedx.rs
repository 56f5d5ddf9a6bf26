//! CycloneDX JSON, <https://cyclonedx.org/docs/1.7/json/>: `components`, one in another, each with a `purl`. Where a package stood
//! is in the properties of syft (`syft:package:foundBy`, `syft:location:0:path`), trivy (`aquasecurity:trivy:PkgType`, `:FilePath`)
//! and cdxgen (`SrcFile`), and since 1.5 in `evidence`.

use serde::Deserialize;

use super::{Clues, Sbom};

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize, Default)]
struct Metadata {
    component: Option<Component>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
    version: Option<String>,
    purl: Option<String>,
    #[serde(default)]
    properties: Vec<Property>,
    evidence: Option<Evidence>,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Property {
    name: Option<String>,
    value: Option<String>,
}

#[derive(Deserialize)]
struct Evidence {
    #[serde(default)]
    occurrences: Vec<Occurrence>,
}

#[derive(Deserialize)]
struct Occurrence {
    location: Option<String>,
}

pub(super) fn read(bytes: &[u8], version: &str) -> serde_json::Result<Sbom> {
    let document: Document = serde_json::from_slice(bytes)?;
    let subject = document.metadata.component;
    let image = subject.as_ref().and_then(|c| c.kind.as_deref()) == Some("container");
    let mut sbom =
        Sbom { format: format!("CycloneDX {version}"), subject: subject.and_then(|c| c.name), ..Sbom::default() };
    for component in &document.components {
        component.admit(&mut sbom, image);
    }
    Ok(sbom)
}

impl Component {
    /// The reader of JSON bounds how deep it goes.
    fn admit(&self, sbom: &mut Sbom, image: bool) {
        // A file or an operating system is no package.
        let is_package =
            self.purl.is_some() || matches!(self.kind.as_deref(), Some("library" | "framework" | "application"));
        if is_package {
            let clues = Clues { cataloger: self.cataloger(), path: self.path(), image };
            sbom.admit(self.purl.as_deref(), self.version.as_deref(), &clues);
        }
        self.components.iter().for_each(|c| c.admit(sbom, image));
    }

    fn property(&self, names: &[&str]) -> Option<&str> {
        let named = |p: &&Property| p.name.as_deref().is_some_and(|n| names.contains(&n));
        self.properties.iter().find(named)?.value.as_deref()
    }

    fn cataloger(&self) -> Option<&str> {
        self.property(&["syft:package:foundBy", "aquasecurity:trivy:PkgType"])
    }

    fn path(&self) -> Option<&str> {
        let occurrence = self.evidence.as_ref().and_then(|e| e.occurrences.iter().find_map(|o| o.location.as_deref()));
        self.property(&["syft:location:0:path", "aquasecurity:trivy:FilePath", "SrcFile"]).or(occurrence)
    }
}
