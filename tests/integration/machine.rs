//! A made-up machine in a temporary folder: `Machine::new().venv("app").dist("litellm", "1.82.8")`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

/// The header of a module that Python 3.11 compiled: magic, flags, time and size of the source.
pub const PYC: [u8; 16] = [0xa7, 0x0d, 0x0d, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// A root folder with one home, `/home/alice`.
pub struct Machine {
    folder: tempfile::TempDir,
    site: PathBuf,
}

impl Machine {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let machine = Self { folder, site: PathBuf::new() };
        machine.file("etc/passwd", "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/bash\n")
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Any file, by its path from the root.
    pub fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let full = self.folder.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, text).unwrap();
        self
    }

    /// A file of alice.
    pub fn home(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.file(&format!("home/alice/{path}"), text)
    }

    /// A virtual environment of alice; what follows goes into it.
    pub fn venv(mut self, name: &str) -> Self {
        let prefix = format!("home/alice/{name}");
        self.site = PathBuf::from(format!("{prefix}/lib/python3.11/site-packages"));
        self.file(&format!("{prefix}/pyvenv.cfg"), "home = /usr/bin\nversion = 3.11.2\n")
    }

    /// A distribution in the environment, as pip leaves it.
    pub fn dist(self, name: &str, version: &str) -> Self {
        self.dist_requiring(name, version, &[])
    }

    /// The same, with requirements.
    pub fn dist_requiring(self, name: &str, version: &str, requires: &[&str]) -> Self {
        let info = self.info(name, version);
        let requires: String = requires.iter().map(|r| format!("Requires-Dist: {r}\n")).collect();
        self.file(
            &format!("{info}/METADATA"),
            format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}\n"),
        )
        .file(&format!("{info}/INSTALLER"), "pip\n")
        .file(&format!("{info}/RECORD"), format!("{}/METADATA,,\n", info.rsplit('/').next().unwrap()))
    }

    /// Marks a distribution as asked for.
    pub fn requested(self, name: &str, version: &str) -> Self {
        let info = self.info(name, version);
        self.file(&format!("{info}/REQUESTED"), "")
    }

    /// A file in the environment that a distribution's RECORD lists.
    pub fn owned(self, name: &str, version: &str, path: &str, text: &str) -> Self {
        use base64::Engine as _;
        let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let hash = engine.encode(Sha256::digest(text));
        let record = self.root().join(self.info(name, version)).join("RECORD");
        let mut rows = fs::read_to_string(&record).unwrap();
        rows.push_str(&format!("{path},sha256={hash},{}\n", text.len()));
        fs::write(record, rows).unwrap();
        self.site_file(path, text)
    }

    /// A file in the environment that nothing lists.
    pub fn site_file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.site.join(path).to_string_lossy().into_owned();
        self.file(&path, text)
    }

    fn info(&self, name: &str, version: &str) -> String {
        format!("{}/{}-{version}.dist-info", self.site.display(), name.replace('-', "_"))
    }
}
