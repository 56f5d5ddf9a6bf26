//! Credentials: which kinds there are (data in `iocs/credentials`), and finding them without ever holding a value.

pub mod form;
mod identifies;
pub mod lint;
pub mod model;
pub mod moved;
pub mod place;
mod reader;
mod reference;
pub mod surface;
mod systems;
pub mod tag;

use std::sync::Arc;

pub use identifies::{FORMS, Forms};
pub use model::Kind;
pub use reader::identity;
pub use surface::{CredentialSurface, ENVIRONMENT, META, is_environ, is_environment};

use crate::ioc::embedded;

/// All kinds.
#[derive(Debug, Default, Clone)]
pub struct Catalog {
    /// By id.
    pub kinds: Vec<Arc<Kind>>,
}

impl Catalog {
    /// The copy in the binary.
    ///
    /// # Errors
    /// Only where the build put a broken file in; names the file.
    pub fn embedded() -> Result<Self, String> {
        let mut kinds = Vec::new();
        for (file, text) in embedded::files("credentials") {
            let kind: Kind = serde_json::from_str(text).map_err(|e| format!("{file}: {e}"))?;
            kinds.push(Arc::new(kind));
        }
        kinds.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Self { kinds })
    }

    /// One kind.
    pub fn kind(&self, id: &str) -> Option<&Kind> {
        self.kinds.iter().find(|k| k.id == id).map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests;
