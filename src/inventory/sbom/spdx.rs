//! SPDX 2.3 JSON, <https://spdx.github.io/spdx-spec/v2.3/>: `packages`, each with a package URL among its `externalRefs`. Where a
//! package stood is in the words of `sourceInfo`, behind the last `: `. `relationships` says what depends on what.

use serde::{
    Deserialize,
    de::{Deserializer as _, IgnoredAny, MapAccess, Visitor},
};

use super::{Clues, Component, Reader, hash_of, stream::Each};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    #[serde(rename = "SPDXID")]
    id: Option<String>,
    name: Option<String>,
    version_info: Option<String>,
    source_info: Option<String>,
    primary_package_purpose: Option<String>,
    #[serde(default)]
    external_refs: Vec<Reference>,
    #[serde(default)]
    checksums: Vec<Checksum>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    reference_type: Option<String>,
    reference_locator: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    algorithm: Option<String>,
    checksum_value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    #[serde(default)]
    spdx_element_id: String,
    #[serde(default)]
    relationship_type: String,
    #[serde(default)]
    related_spdx_element: String,
}

pub(super) fn read(bytes: &[u8], reader: &mut Reader<'_>) -> serde_json::Result<()> {
    reader.sbom.format = "SPDX 2.3".to_owned();
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
                "name" => self.0.sbom.subject = fields.next_value()?,
                "packages" => fields.next_value_seed(Each(&mut |item: Item| package(self.0, &item)))?,
                "relationships" => {
                    fields.next_value_seed(Each(&mut |r: Relationship| match r.relationship_type.as_str() {
                        "DEPENDS_ON" => self.0.graph.edge(&r.spdx_element_id, &r.related_spdx_element),
                        "DEPENDENCY_OF" => self.0.graph.edge(&r.related_spdx_element, &r.spdx_element_id),
                        "DESCRIBES" => self.0.graph.root(&r.related_spdx_element),
                        _ => {}
                    }))?
                }
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

fn package(reader: &mut Reader<'_>, item: &Item) {
    reader.image |= item.primary_package_purpose.as_deref() == Some("CONTAINER");
    let is_purl = |r: &&Reference| r.reference_type.as_deref() == Some("purl");
    let purl = item.external_refs.iter().find(is_purl).and_then(|r| r.reference_locator.as_deref());
    // "acquired package info from installed python package manifest file: /a, /b"
    let paths = item.source_info.as_deref().and_then(|s| s.rsplit_once(": ")).map(|(_, paths)| paths);
    let path = paths.and_then(|p| p.split(", ").next());
    let sha256 = item.checksums.iter().find_map(|c| hash_of(c.algorithm.as_deref(), c.checksum_value.as_deref()));
    reader.admit(Component {
        purl,
        name: item.name.as_deref(),
        version: item.version_info.as_deref(),
        reference: item.id.as_deref(),
        sha256,
        // Syft says so of lock files as well: the path alone tells them apart.
        clues: Clues { cataloger: None, path },
    });
}
