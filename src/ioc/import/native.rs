//! This program's own incident files, with their lists.

use super::{ImportError, Imported};
use crate::ioc::database;

/// One incident file; its list is looked for among `files`.
///
/// # Errors
/// Where it is broken.
pub fn read(file: &str, text: &str, files: &[(String, Vec<u8>)]) -> Result<Imported, ImportError> {
    let list = format!("{}.csv", file.strip_suffix(".json").unwrap_or(file));
    let mut own = vec![(file, text)];
    own.extend(
        files
            .iter()
            .find(|(name, _)| *name == list)
            .and_then(|(n, b)| Some((n.as_str(), std::str::from_utf8(b).ok()?))),
    );
    let incidents = database::incidents(&own, file)
        .map_err(|e| ImportError::Broken { file: file.to_owned(), what: e.to_string() })?;
    let mut imported = Imported { incidents, ..Imported::default() };
    imported.took("incidents", 1);
    Ok(imported)
}
