//! CycloneDX JSON, <https://cyclonedx.org/docs/1.7/json/>: `components`, one in another, each with a `purl`. Where a package stood
//! is in the properties of syft (`syft:package:foundBy`, `syft:location:0:path`), trivy (`aquasecurity:trivy:PkgType`, `:FilePath`)
//! and cdxgen (`SrcFile`), and since 1.5 in `evidence`. `dependencies` says by `bom-ref` what asks for what.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{Clues, Component, Reader, hash_of, stream::Each};

/// A text that is not copied where it needs no unescaping.
type Text<'t> = Cow<'t, str>;

#[derive(Deserialize)]
struct Property<'t> {
    #[serde(borrow)]
    name: Option<Text<'t>>,
    #[serde(borrow)]
    value: Option<Text<'t>>,
}

#[derive(Deserialize)]
struct Evidence<'t> {
    #[serde(borrow, default)]
    occurrences: Vec<Occurrence<'t>>,
}

#[derive(Deserialize)]
struct Occurrence<'t> {
    #[serde(borrow)]
    location: Option<Text<'t>>,
}

#[derive(Deserialize)]
struct Hash<'t> {
    #[serde(borrow)]
    alg: Option<Text<'t>>,
    #[serde(borrow)]
    content: Option<Text<'t>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dependency<'t> {
    #[serde(borrow, rename = "ref")]
    reference: Option<Text<'t>>,
    #[serde(borrow, default)]
    depends_on: Vec<Text<'t>>,
}

pub(super) fn read(bytes: &[u8], version: &str, reader: &mut Reader<'_>) -> serde_json::Result<()> {
    reader.sbom.format = format!("CycloneDX {version}");
    let mut json = serde_json::Deserializer::from_slice(bytes);
    Document(reader).deserialize(&mut json)?;
    json.end()
}

struct Document<'r, 's>(&'r mut Reader<'s>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(key) = fields.next_key::<Text<'_>>()? {
            match &*key {
                "components" => fields.next_value_seed(Components(self.0))?,
                "metadata" => fields.next_value_seed(Metadata(self.0))?,
                "dependencies" => fields.next_value_seed(Each(&mut |d: Dependency<'_>| {
                    let from = d.reference.unwrap_or_default();
                    d.depends_on.iter().for_each(|to| self.0.graph.edge(&from, to));
                }))?,
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// What the document describes; of its components nothing is a package of it.
struct Metadata<'r, 's>(&'r mut Reader<'s>);

impl<'de> DeserializeSeed<'de> for Metadata<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        #[derive(Deserialize)]
        struct Fields<'t> {
            #[serde(borrow)]
            component: Option<Subject<'t>>,
        }
        #[derive(Deserialize)]
        struct Subject<'t> {
            #[serde(borrow, rename = "type")]
            kind: Option<Text<'t>>,
            #[serde(borrow)]
            name: Option<Text<'t>>,
            #[serde(borrow, rename = "bom-ref")]
            reference: Option<Text<'t>>,
        }
        if let Some(subject) = Fields::deserialize(d)?.component {
            self.0.sbom.subject = subject.name.map(Text::into_owned);
            self.0.image |= subject.kind.as_deref() == Some("container");
            subject.reference.iter().for_each(|r| self.0.graph.root(r));
        }
        Ok(())
    }
}

struct Components<'r, 's>(&'r mut Reader<'s>);

impl<'de> DeserializeSeed<'de> for Components<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Components<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of components")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(One(self.0))?.is_some() {}
        Ok(())
    }
}

/// One component, and those in it, which the reader of JSON bounds in depth.
struct One<'r, 's>(&'r mut Reader<'s>);

impl<'de> DeserializeSeed<'de> for One<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for One<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a component")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let (mut kind, mut name, mut version, mut purl) = (None, None, None, None);
        let (mut reference, mut found_by, mut place, mut seen_at) = (None, None, None, None);
        let mut sha256 = None;
        while let Some(key) = fields.next_key::<Text<'_>>()? {
            match &*key {
                "type" => kind = fields.next_value::<Option<Text<'_>>>()?,
                "name" => name = fields.next_value::<Option<Text<'_>>>()?,
                "version" => version = fields.next_value::<Option<Text<'_>>>()?,
                "purl" => purl = fields.next_value::<Option<Text<'_>>>()?,
                "bom-ref" => reference = fields.next_value::<Option<Text<'_>>>()?,
                "components" => fields.next_value_seed(Components(self.0))?,
                "properties" => fields.next_value_seed(Each(&mut |p: Property<'de>| {
                    let known = match p.name.as_deref() {
                        Some("syft:package:foundBy" | "aquasecurity:trivy:PkgType") => &mut found_by,
                        Some("syft:location:0:path" | "aquasecurity:trivy:FilePath" | "SrcFile") => &mut place,
                        _ => return,
                    };
                    if known.is_none() {
                        *known = p.value;
                    }
                }))?,
                "evidence" => {
                    let evidence: Option<Evidence<'_>> = fields.next_value()?;
                    seen_at = evidence.and_then(|e| e.occurrences.into_iter().find_map(|o| o.location));
                }
                "hashes" => fields.next_value_seed(Each(&mut |h: Hash<'_>| {
                    sha256 = sha256.take().or_else(|| hash_of(h.alg.as_deref(), h.content.as_deref()));
                }))?,
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        // A file or an operating system is no package.
        if purl.is_some() || matches!(kind.as_deref(), Some("library" | "framework" | "application")) {
            let path = place.as_deref().or(seen_at.as_deref());
            self.0.admit(Component {
                purl: purl.as_deref(),
                name: name.as_deref(),
                version: version.as_deref(),
                reference: reference.as_deref(),
                sha256,
                clues: Clues { cataloger: found_by.as_deref(), path },
            });
        }
        Ok(())
    }
}
