//! SPDX 3.0 JSON-LD, <https://spdx.github.io/spdx-spec/v3.0.1/>: one list, `@graph`, of elements that name each other by `spdxId`. A
//! package is a `software_Package` with its package URL as a property or among its identifiers; `dependsOn` relationships say what
//! asks for what. Nothing in it says where a package stood, but for what is described: an image of a container.

use serde::{
    Deserialize,
    de::{Deserializer as _, IgnoredAny, MapAccess, Visitor},
};

use super::{Clues, Component, Reader, hash_of, stream::Each};

/// Any element; what a sort of element does not have is absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Element {
    #[serde(rename = "type", alias = "@type")]
    kind: Option<String>,
    #[serde(alias = "@id")]
    spdx_id: Option<String>,
    name: Option<String>,
    #[serde(rename = "software_packageVersion")]
    version: Option<String>,
    #[serde(rename = "software_packageUrl")]
    purl: Option<String>,
    #[serde(rename = "software_primaryPurpose")]
    purpose: Option<String>,
    #[serde(rename = "software_sourceInfo")]
    source: Option<String>,
    #[serde(default)]
    external_identifier: Vec<Identifier>,
    #[serde(default)]
    verified_using: Vec<Hash>,
    from: Option<String>,
    #[serde(default)]
    to: Vec<String>,
    relationship_type: Option<String>,
    #[serde(default)]
    root_element: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identifier {
    external_identifier_type: Option<String>,
    identifier: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hash {
    algorithm: Option<String>,
    hash_value: Option<String>,
}

pub(super) fn read(bytes: &[u8], version: &str, reader: &mut Reader<'_>) -> serde_json::Result<()> {
    reader.sbom.format = format!("SPDX {version}");
    let mut json = serde_json::Deserializer::from_slice(bytes);
    json.deserialize_map(Document(reader))?;
    json.end()
}

struct Document<'r, 's>(&'r mut Reader<'s>);

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(key) = fields.next_key::<String>()? {
            match key.as_str() {
                "@graph" => fields.next_value_seed(Each(&mut |e: Element| element(self.0, e)))?,
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

fn element(reader: &mut Reader<'_>, e: Element) {
    match e.kind.as_deref().map(|k| k.rsplit(['/', ':']).next().unwrap_or(k)) {
        Some("software_Package" | "Package") => {
            reader.image |= e.purpose.as_deref() == Some("container");
            let is_purl = |i: &&Identifier| {
                i.external_identifier_type.as_deref().is_some_and(|t| matches!(t, "packageURL" | "packageUrl" | "purl"))
            };
            let identifier = || e.external_identifier.iter().find(is_purl).and_then(|i| i.identifier.as_deref());
            let paths = e.source.as_deref().and_then(|s| s.rsplit_once(": ")).map(|(_, paths)| paths);
            reader.admit(Component {
                purl: e.purl.as_deref().or_else(identifier),
                name: e.name.as_deref(),
                version: e.version.as_deref(),
                reference: e.spdx_id.as_deref(),
                sha256: e.verified_using.iter().find_map(|h| hash_of(h.algorithm.as_deref(), h.hash_value.as_deref())),
                clues: Clues { cataloger: None, path: paths.and_then(|p| p.split(", ").next()) },
            });
        }
        Some("Relationship" | "LifecycleScopedRelationship" | "software_Relationship") => {
            let from = e.from.unwrap_or_default();
            match e.relationship_type.as_deref() {
                Some("dependsOn") => e.to.iter().for_each(|to| reader.graph.edge(&from, to)),
                Some("describes") => e.to.iter().for_each(|to| reader.graph.root(to)),
                _ => {}
            }
        }
        Some("software_Sbom" | "Sbom" | "SpdxDocument" | "Bom") => {
            if reader.sbom.subject.is_none() {
                reader.sbom.subject = e.name;
            }
            e.root_element.iter().for_each(|r| reader.graph.root(r));
        }
        _ => {}
    }
}
