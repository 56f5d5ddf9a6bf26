//! Files that hold a whole file system in a format that is not read, known by their first bytes.
//!
//! ```text
//! SIF        32 bytes that start a program, `SIF_MAGIC`; its file system is a squashfs further on   Apptainer, Singularity 3 and later
//! squashfs   `hsqs`, behind a first line that starts a program where Singularity 2 made it
//! ```
//!
//! Documented in sylabs/sif and in the kernel's `Documentation/filesystems/squashfs.rst`.

use std::{fs::File, io, os::unix::fs::FileExt as _};

use crate::surface::Flaw;

/// Where a magic stands, and what has it.
static KNOWN: &[(usize, &[u8], &str)] =
    &[(32, b"SIF_MAGIC\0", APPTAINER), (0, b"hsqs", SQUASHFS), (0, b"sqsh", SQUASHFS), (31, b"hsqs", SQUASHFS)];

const APPTAINER: &str = "an image of Apptainer (SIF; `apptainer build --sandbox DIR FILE` unpacks it, `dosimeter scan --root DIR` reads that)";
const SQUASHFS: &str =
    "a squashfs file system (`unsquashfs -d DIR FILE` unpacks it, `dosimeter scan --root DIR` reads that)";

/// What a file is, where it is one of these.
///
/// # Errors
/// Where it cannot be read.
pub(in crate::image) fn of(file: &File) -> io::Result<Option<Flaw>> {
    let mut start = [0; 64];
    let mut filled = 0;
    while let Some(rest) = start.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, u64::try_from(filled).unwrap_or(u64::MAX)) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    let read = start.get(..filled).unwrap_or_default();
    let fits = |(at, magic, _): &&(usize, &[u8], &str)| read.get(*at..).is_some_and(|rest| rest.starts_with(magic));
    Ok(KNOWN.iter().find(fits).map(|(_, _, what)| Flaw::Unsupported(what)))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn what(bytes: &[u8]) -> Option<String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        of(&file).unwrap().map(|flaw| flaw.to_string())
    }

    #[test]
    fn they_are_known_by_their_first_bytes() {
        let launch = b"#!/usr/bin/env run-singularity\n";
        let sif = [launch.as_slice(), b"\0SIF_MAGIC\x0001\0"].concat();
        assert!(what(&sif).unwrap().starts_with("an image of Apptainer"));
        for squashfs in [b"hsqs".to_vec(), b"sqsh\0".to_vec(), [launch.as_slice(), b"hsqs"].concat()] {
            assert!(what(&squashfs).unwrap().starts_with("a squashfs file system"), "{squashfs:?}");
        }
        for other in [&b""[..], b"hsq", b"xhsqs", &sif[1..], &sif[..40], b"SIF_MAGIC\0", &[0; 512]] {
            assert_eq!(what(other), None, "{other:?}");
        }
    }
}
