//! Reading the files that the user names: reports and indicators, never evidence.

use std::{
    io::{self, Read as _},
    path::Path,
};

use anyhow::Context as _;

use super::output;

/// More than any report or indicator file has.
const LIMIT: u64 = 1 << 30;

/// The bytes of a file.
///
/// # Errors
/// Where it cannot be read.
#[allow(clippy::disallowed_methods)] // the user's own input
pub fn bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    let shown = output::shown(path);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).with_context(|| format!("cannot open `{shown}`"))?;
    let read = file.take(LIMIT + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read `{shown}`"))?;
    anyhow::ensure!(u64::try_from(read).is_ok_and(|r| r <= LIMIT), "`{shown}` is larger than {} MB", LIMIT >> 20);
    Ok(bytes)
}

/// The text of a file; `-` is standard input.
///
/// # Errors
/// Where it cannot be read, is too large, or is not UTF-8.
#[allow(clippy::disallowed_methods)] // the user's own input
pub fn text(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let shown = output::shown(path);
    let source: Box<dyn io::Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(std::fs::File::open(path).with_context(|| format!("cannot open `{shown}`"))?)
    };
    source.take(LIMIT).read_to_string(&mut text).with_context(|| format!("cannot read `{shown}`"))?;
    Ok(text)
}
