//! Places, as a report writes them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap as _};

use crate::fact::Origin;

/// Bytes that are a string in JSON where they are UTF-8, and `{"bytes": base64}` where not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathText(pub Vec<u8>);

impl Serialize for PathText {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if let Ok(text) = std::str::from_utf8(&self.0) {
            return s.serialize_str(text);
        }
        let mut map = s.serialize_map(Some(1))?;
        map.serialize_entry("bytes", &STANDARD.encode(&self.0))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for PathText {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Text(String),
            Bytes { bytes: String },
        }
        match Either::deserialize(d)? {
            Either::Text(text) => Ok(Self(text.into_bytes())),
            Either::Bytes { bytes } => STANDARD.decode(bytes).map(Self).map_err(serde::de::Error::custom),
        }
    }
}

/// A place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Location {
    /// `host`, or an image.
    pub tree: String,
    /// Absolute within the tree.
    pub path: PathText,
    /// A member or section of that file.
    pub inner: Option<String>,
    /// From 1.
    pub line: Option<u32>,
    /// Digest of the image layer.
    pub layer: Option<String>,
}

impl From<&Origin> for Location {
    fn from(origin: &Origin) -> Self {
        let path = [b"/", origin.path.written()].concat();
        Self {
            tree: origin.tree.to_string(),
            path: PathText(path),
            inner: origin.inner.as_deref().map(str::to_owned),
            line: origin.line,
            layer: origin.layer.as_deref().map(str::to_owned),
        }
    }
}
