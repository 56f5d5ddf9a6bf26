//! The database that is part of the binary: every file of `iocs/`, so that the program starts with no file beside it.

use include_dir::{Dir, include_dir};

static IOCS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/iocs");

/// Names and texts of the files of one folder of `iocs/`, by name.
pub fn files(folder: &str) -> Vec<(&'static str, &'static str)> {
    // `get_dir` knows the folders below, not the top itself.
    let dir = if folder.is_empty() { Some(&IOCS) } else { IOCS.get_dir(folder) };
    let found = dir.into_iter().flat_map(Dir::files);
    let mut files: Vec<_> = found
        .filter(|f| f.path().extension().is_some_and(|e| e == "json" || e == "csv"))
        .filter_map(|f| Some((f.path().file_name()?.to_str()?, f.contents_utf8()?)))
        .collect();
    files.sort_unstable();
    files
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_copy_in_the_binary_is_whole() {
        assert!(super::files("").iter().any(|(name, _)| *name == "database.json"));
        assert!(crate::ioc::Database::embedded().is_ok_and(|d| d.incidents.len() >= 2));
    }
}
