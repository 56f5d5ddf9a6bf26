//! Files that the caller names: certificates, credentials, mirrors. They are its own, and no evidence.

use std::{fs::File, io::Read as _, path::Path};

use reqwest::Certificate;
use rustix::fs::{self as sys, Mode, OFlags};

use super::error::RegistryError;
use crate::text::escape_short;

/// Bytes of one.
const FILE: u64 = 4 << 20;

/// The whole of a file that the caller named; `None` where there is none.
pub(super) fn own_file(path: &Path) -> Result<Option<Vec<u8>>, RegistryError> {
    let refused =
        |why: String| RegistryError::File { file: escape_short(path.as_os_str().as_encoded_bytes(), 200), why };
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let fd = match sys::open(path, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(None),
        Err(e) => return Err(refused(e.to_string())),
    };
    let file = File::from(fd);
    let meta = file.metadata().map_err(|e| refused(e.to_string()))?;
    if !meta.is_file() || meta.len() > FILE {
        return Err(refused(format!("it is no file of at most {FILE} bytes")));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0) + 1);
    file.take(FILE).read_to_end(&mut bytes).map_err(|e| refused(e.to_string()))?;
    Ok(Some(bytes))
}

/// The certificates of a file.
pub(super) fn certificates(path: &Path) -> Result<Vec<Certificate>, RegistryError> {
    let refused = |why: &str| RegistryError::File {
        file: escape_short(path.as_os_str().as_encoded_bytes(), 200),
        why: why.to_owned(),
    };
    let bytes = own_file(path)?.ok_or_else(|| refused("there is no such file"))?;
    let all = Certificate::from_pem_bundle(&bytes).map_err(|_| refused("it holds no certificates in PEM form"))?;
    if all.is_empty() { Err(refused("it holds no certificates in PEM form")) } else { Ok(all) }
}
