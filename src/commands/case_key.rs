//! The key that tags are made with, out of the file that `--case-key` names.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use rustix::fs as sys;
use zeroize::Zeroizing;

use super::{input, output};
use crate::credential::tag::CaseKey;

/// More than 64 digits and a line end.
const MOST: u64 = 80;

/// The key in a file, a pipe or standard input (`-`). Whoever has it could confirm guesses at secrets: a file that others may
/// read is refused, and so is one among the evidence, which is handed on.
///
/// # Errors
/// Where it cannot be read, others may read it, it is part of the evidence, or it is no key.
pub fn read(path: &Path, evidence: &[PathBuf]) -> anyhow::Result<CaseKey> {
    let shown = output::shown(path);
    let what = || format!("`{shown}` cannot be the case key");
    let input = input::open(path).with_context(what)?;
    if let Some((file, _)) = input.regular() {
        let stat = sys::fstat(file).with_context(what)?;
        let own = stat.st_uid == rustix::process::geteuid().as_raw() || stat.st_uid == 0;
        ensure!(
            stat.st_mode & 0o077 == 0 && own,
            "`{shown}` cannot be the case key: others may read it\nhint: make it yours alone, `chmod 600 {shown}`, or make a new one: \
             `(umask 077; head -c 32 /dev/urandom > case.key)`"
        );
        let evidence = evidence.iter().find(|named| output::is_within(path, named));
        if let Some(named) = evidence {
            let named = output::shown(named);
            bail!(
                "`{shown}` cannot be the case key: it is part of `{named}`, which is evidence\nhint: keep it elsewhere"
            );
        }
    }
    let bytes = Zeroizing::new(input::read_whole(input, path, MOST).with_context(what)?);
    CaseKey::new(&bytes).map_err(|error| {
        anyhow::anyhow!(
            "`{shown}` cannot be the case key: {error}\nhint: `(umask 077; head -c 32 /dev/urandom > case.key)` makes one"
        )
    })
}
