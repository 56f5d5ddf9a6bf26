//! Identifiers that are another one for each value: a key's id, a fingerprint; not the name of a user or of a registry.

use std::{collections::HashMap, sync::LazyLock};

use regex::Regex;

use super::{Catalog, reader::identity};

/// The forms of such identifiers, by kind.
#[derive(Debug, Default)]
pub struct Forms(HashMap<String, Regex>);

/// Those of the kinds of the program.
pub static FORMS: LazyLock<Forms> =
    LazyLock::new(|| Catalog::embedded().map(|catalog| Forms::new(&catalog)).unwrap_or_default());

impl Forms {
    /// Of all kinds.
    pub fn new(catalog: &Catalog) -> Self {
        let form = |text: &str| Regex::new(&format!("^(?:{text})$")).ok();
        let forms = catalog.kinds.iter().filter_map(|k| Some((k.id.clone(), form(k.identifies.as_deref()?)?)));
        Self(forms.collect())
    }

    /// Whether an identifier of a kind is another one for each value.
    pub fn fit(&self, kind: &str, identifier: &str) -> bool {
        let fingerprint = identifier.strip_prefix("SHA256:").is_some_and(|rest| rest.len() == 43);
        fingerprint || identity::is_one(identifier) || self.0.get(kind).is_some_and(|form| form.is_match(identifier))
    }
}
