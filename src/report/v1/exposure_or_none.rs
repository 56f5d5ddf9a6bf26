//! The worst of what was found, or `none`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::verdict::Exposure;

#[allow(clippy::ref_option)] // the signature serde asks for
pub fn serialize<S: Serializer>(exposure: &Option<Exposure>, s: S) -> Result<S::Ok, S::Error> {
    match exposure {
        Some(exposure) => exposure.serialize(s),
        None => s.serialize_str("none"),
    }
}

pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Exposure>, D::Error> {
    let word = String::deserialize(d)?;
    let known = Exposure::ALL.into_iter().find(|e| e.as_str() == word);
    if known.is_none() && word != "none" {
        return Err(serde::de::Error::custom("not an exposure"));
    }
    Ok(known)
}
