//! Compiled code of modules that an indicator names: a sign that they were imported.
//!
//! ```text
//! litellm/proxy/__pycache__/proxy_server.cpython-312.pyc
//! bytes 0-3 magic (two bytes of version, CR LF) | 4-7 flags | flags 0: 8-11 source mtime, 12-15 source size; flags 1 or 3: a hash
//! ```
//!
//! pip compiles all it installs and lists the files in `RECORD`; uv and poetry compile nothing, so there the file was born by the
//! first import. A hit proves that the module was compiled; whether by an import is judged with `RECORD` and `INSTALLER`. The
//! header gives mtime and size of the source that was compiled, even where it was replaced since. Installers that are asked to
//! (`--compile-bytecode`) and `compileall` compile every module at once, so that the modules beside it are reported too.
//! Documented in PEP 552.

use jiff::Timestamp;

use crate::{
    ecosystem::pypi::unit_around,
    fact::{Fact, TreePath, Unit},
    interest::Interest,
    surface::{Claim, Flaw, Meta, Opened, Shows, Sink, Surface},
};

/// `<module>.cpython-*.pyc`.
pub struct Bytecode;

static META: Meta = Meta {
    id: "python/bytecode",
    title: "compiled modules that an incident names",
    proves: "the module was compiled; with no installer that compiles, that it was imported",
};

impl Surface for Bytecode {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn shows(&self) -> &'static [Shows] {
        &[Shows::Files]
    }

    fn unit(&self, path: &TreePath, inner: bool) -> Option<Unit> {
        Some(unit_around(path, inner))
    }

    fn claims(&self, interest: &Interest) -> Vec<Claim> {
        let claim = |module: &String| match module.rsplit_once('/') {
            None => Claim::affix(&format!("{module}.cpython-"), ".pyc"),
            Some((folder, module)) => {
                Claim::affix(&format!("{module}.cpython-"), ".pyc").in_tail(&format!("{folder}/__pycache__"))
            }
        };
        let beside = |folder: &String| Claim::affix("", ".pyc").in_tail(&format!("{folder}/__pycache__"));
        interest.modules.iter().map(claim).chain(interest.module_folders.iter().map(beside)).collect()
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let (name, folder) = (file.entry.path.name(), file.entry.path.parent());
        let folder = if folder.name() == b"__pycache__" { folder.parent() } else { folder };
        let module = std::str::from_utf8(name).ok().and_then(|n| n.split_once(".cpython-")).map(|(m, _)| m);
        let Some(module) = module.filter(|m| file.interest.wants_module(folder.as_bytes(), m)) else {
            return Ok(());
        };
        let at = file.mtime("mtime of the bytecode");
        let (source_mtime, source_size) = header(file.head(16)?)?;
        out.push(at, Fact::Bytecode { module: module.into(), source_mtime, source_size });
        Ok(())
    }
}

/// The source's mtime and size, where the header has them.
fn header(head: &[u8]) -> Result<(Option<Timestamp>, Option<u32>), Flaw> {
    let Some(&[_, _, cr, lf, flags @ .., m0, m1, m2, m3, s0, s1, s2, s3]) = head.first_chunk::<16>() else {
        return Err(Flaw::Truncated("pyc"));
    };
    if [cr, lf] != *b"\r\n" {
        return Err(Flaw::malformed("pyc", "no magic number"));
    }
    if flags != [0; 4] {
        return Ok((None, None));
    }
    let mtime = Timestamp::from_second(u32::from_le_bytes([m0, m1, m2, m3]).into()).ok();
    Ok((mtime, Some(u32::from_le_bytes([s0, s1, s2, s3]))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_names_the_source() {
        // As CPython 3.11 writes it: struct.pack('<IIII', 0x0a0d0da7, 0, 1774347132, 4242).
        let head = b"\xa7\x0d\x0d\x0a\0\0\0\0\x7c\x63\xc2\x69\x92\x10\0\0rest";
        let (mtime, size) = header(head).unwrap();
        assert_eq!((mtime.map(|t| t.as_second()), size), (Some(1_774_347_132), Some(4242)));
    }

    #[test]
    fn a_hash_based_header_has_neither() {
        let head = b"\xa7\x0d\x0d\x0a\x03\0\0\0abcdefgh";
        assert!(matches!(header(head), Ok((None, None))));
    }

    #[test]
    fn what_is_no_bytecode_is_a_flaw() {
        assert!(matches!(header(b""), Err(Flaw::Truncated(_))));
        assert!(matches!(header(b"\xa7\x0d\x0d\x0a\0\0\0\0\x7c\x63\xc2"), Err(Flaw::Truncated(_))));
        assert!(matches!(header(b"0123456789abcdef"), Err(Flaw::Malformed { .. })));
    }

    #[test]
    fn modules_beside_it_are_reported() {
        use super::super::trial::tried;
        let mut interest = Interest::default();
        interest.modules.insert("oven".to_owned());
        interest.module_folders.insert("cook/hot".to_owned());
        let head = b"\xa7\x0d\x0d\x0a\0\0\0\0\x7c\x63\xc2\x69\x92\x10\0\0";
        for (path, count) in [
            ("s/cook/hot/__pycache__/oven.cpython-312.pyc", 1),
            ("s/cook/hot/__pycache__/pan.cpython-312.pyc", 1),
            ("s/cook/hot/__pycache__/pan.pyc", 0),
            ("s/cook/__pycache__/pan.cpython-312.pyc", 0),
            ("s/xcook/hot/__pycache__/pan.cpython-312.pyc", 0),
        ] {
            assert_eq!(tried(&Bytecode, path, head, &interest).seen.len(), count, "{path}");
        }
    }

    #[test]
    fn a_package_s_own_module_counts_in_its_folder_only() {
        use super::super::trial::tried;
        let modules = ["cook/__init__", "oven"].map(str::to_owned);
        let mut interest = Interest::default();
        interest.modules.extend(modules);
        let head = b"\xa7\x0d\x0d\x0a\0\0\0\0\x7c\x63\xc2\x69\x92\x10\0\0";
        for (path, count) in [
            ("s/cook/__pycache__/__init__.cpython-312.pyc", 1),
            ("s/other/__pycache__/__init__.cpython-312.pyc", 0),
            ("s/cook/sub/__pycache__/__init__.cpython-312.pyc", 0),
            ("s/any/__pycache__/oven.cpython-312.pyc", 1),
        ] {
            assert_eq!(tried(&Bytecode, path, head, &interest).seen.len(), count, "{path}");
        }
    }
}
