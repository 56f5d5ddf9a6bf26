//! Gives up what a command does not need, by the table of `sandbox::PROFILES`.

use std::path::{Path, PathBuf};

use crate::sandbox::{PROFILES, Profile, Sandbox};

/// For a command of the table.
pub fn begin(command: &str) -> Sandbox {
    static FALLBACK: Profile = Profile {
        command: "any",
        sockets: crate::sandbox::Sockets::None,
        reads: "what was opened before",
        writes: "the files of `-o`",
    };
    Sandbox::begin(PROFILES.iter().find(|p| p.command == command).unwrap_or(&FALLBACK))
}

/// The places that inputs named on the command line are read from: lists and signatures lie beside a file.
pub fn with_neighbours(inputs: &[PathBuf]) -> Vec<PathBuf> {
    let beside = |path: &PathBuf| {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if path.is_dir() { path.clone() } else { folder.to_owned() }
    };
    inputs.iter().flat_map(|path| [path.clone(), beside(path)]).collect()
}
