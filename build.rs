//! What is found by being there: the indicator files are embedded, and every surface file is registered, so that adding one
//! touches that file alone.

#![allow(clippy::disallowed_methods)] // reads its own sources and writes what cargo asks for

use sha2::{Digest as _, Sha256};
use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=iocs");
    println!("cargo::rerun-if-changed=src/surface");
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    // Hashing them at every start would take as long as parsing them.
    println!("cargo::rustc-env=INDICATORS_DIGEST=sha256:{}", digest(&Path::new(&root).join("iocs"))?);
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let mut all = String::from("&[\n");
    for place in sorted(&Path::new(&root).join("src/surface"))?.iter().filter(|p| p.is_dir()) {
        let name = stem(place);
        // A macro, which the folder's `mod.rs` calls: the modules are then those beside it. With paths in here, two checkouts that
        // share a target folder would read each other's sources.
        let mut modules = String::from("macro_rules! surface_modules { () => {\n");
        for file in sorted(place)? {
            let Some(surface) = surface_in(&fs::read_to_string(&file)?).map(str::to_owned) else { continue };
            let _ = writeln!(modules, "    pub mod {};", stem(&file));
            let _ = writeln!(all, "    &{name}::{}::{surface},", stem(&file));
        }
        modules.push_str("} }\n");
        fs::write(Path::new(&out).join(format!("surface_{name}.rs")), modules)?;
    }
    all.push(']');
    fs::write(Path::new(&out).join("surfaces.rs"), all)
}

/// Of the header, the withdrawn advisories and the incident files, by name.
fn digest(iocs: &Path) -> io::Result<String> {
    let mut hash = Sha256::new_with_prefix(fs::read(iocs.join("database.json"))?);
    hash.update(fs::read(iocs.join("withdrawn.json"))?);
    let data = |p: &&PathBuf| p.extension().is_some_and(|e| e == "json" || e == "csv");
    for file in sorted(&iocs.join("incidents"))?.iter().filter(data) {
        hash.update(fs::read(file)?);
    }
    Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

/// The type of the first `impl Surface for X {` of a file; `None` in a file that helps others.
fn surface_in(text: &str) -> Option<&str> {
    text.lines().find_map(|l| l.strip_prefix("impl Surface for ")?.strip_suffix(" {"))
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|e| Ok(e?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
}
