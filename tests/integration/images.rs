//! An image made by a real engine, saved in every layout and compression.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::program::{run, valid};

/// What buildah keeps below the root of a machine: its images.
pub struct Built {
    folder: tempfile::TempDir,
    driver: &'static str,
}

impl Built {
    /// No image yet.
    pub fn empty(driver: &'static str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), driver }
    }

    /// Three layers: a base, the stand-in installed, the stand-in taken out. Each is an image too.
    pub fn new(driver: &'static str) -> Self {
        let built = Self::empty(driver);
        let site = "usr/lib/python3.11/site-packages";
        let base = built.container("scratch");
        built.put(&base, "etc/passwd", "admin:x:0:0::/root:/bin/sh\n");
        let key = "AKIAQ7RZ3MXT5WNH2KLD";
        built.put(
            &base,
            "root/.aws/credentials",
            &format!("[default]\naws_access_key_id={key}\naws_secret_access_key=CaNaRy7f3kQ9xZ\n"),
        );
        built.tool("buildah", &["config", "--env", "OPENAI_API_KEY=sk-CaNaRy7f3kQ9xZ", "--env", "LANG=C", &base]);
        built.commit(&base, "base:1", "");
        let bad = built.container("base:1");
        built.put(
            &bad,
            &format!("{site}/litellm-1.82.8.dist-info/METADATA"),
            "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n",
        );
        built.put(&bad, &format!("{site}/litellm_init.pth"), "import os\n");
        built.commit(&bad, "base:2", "/bin/sh -c TOKEN=CaNaRy7f3kQ9xZ pip install litellm==1.82.8");
        let gone = built.container("base:2");
        let mount = built.mount(&gone);
        std::fs::remove_dir_all(mount.join(site)).unwrap();
        std::fs::remove_file(mount.join("root/.aws/credentials")).unwrap();
        built.commit(&gone, "demo/app:1.0", "/bin/sh -c pip uninstall -y litellm");
        built
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The root of the machine.
    pub fn root(&self) -> PathBuf {
        self.path("root")
    }

    /// The store below it.
    pub fn store(&self) -> PathBuf {
        self.path("root/var/lib/containers/storage")
    }

    #[allow(clippy::disallowed_types)]
    fn buildah(&self) -> Command {
        let mut command = Command::new("buildah");
        command.args(["--storage-driver", self.driver, "--root"]).arg(self.store());
        command.arg("--runroot").arg(self.path("run"));
        command
    }

    /// Runs an engine's tool and gives what it printed.
    #[allow(clippy::disallowed_types)] // the engine makes the evidence
    pub fn tool(&self, program: &str, args: &[&str]) -> String {
        let mut command = if program == "buildah" { self.buildah() } else { Command::new(program) };
        let output = command.args(args).output().unwrap_or_else(|e| panic!("{program}: {e}; `tests/run` installs it"));
        assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub fn container(&self, from: &str) -> String {
        self.tool("buildah", &["from", "--pull-never", from])
    }

    pub fn mount(&self, container: &str) -> PathBuf {
        self.tool("buildah", &["mount", container]).into()
    }

    pub fn put(&self, container: &str, path: &str, text: &str) {
        let full = self.mount(container).join(path);
        std::fs::create_dir_all(full.parent().unwrap()).unwrap();
        std::fs::write(full, text).unwrap();
    }

    pub fn commit(&self, container: &str, name: &str, created_by: &str) {
        self.tool("buildah", &["config", "--created-by", created_by, container]);
        self.tool("buildah", &["umount", container]);
        self.tool("buildah", &["commit", "-q", "--rm", container, name]);
    }

    pub fn push(&self, target: &str) {
        self.tool("buildah", &["push", "-q", "demo/app:1.0", target]);
    }
}

impl Drop for Built {
    /// What a failed test left mounted would stay, and its folder with it.
    fn drop(&mut self) {
        if std::thread::panicking() && self.driver != "vfs" {
            let _ = self.buildah().args(["umount", "--all"]).output();
        }
    }
}

fn examine(path: &Path) -> Value {
    let said = run(["images", path.to_str().unwrap(), "--format", "json"]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(!said.out.contains("CaNaRy"));
    let report: Value = serde_json::from_str(&said.out).unwrap();
    valid(&report);
    report
}

#[test]
fn every_layout_and_compression_gives_the_same_findings() {
    let built = Built::new("vfs");
    let name = |n: &str| built.path(n).to_str().unwrap().to_owned();
    built.push(&format!("docker-archive:{}:demo/app:1.0", name("docker.tar")));
    built.push(&format!("oci-archive:{}:demo/app:1.0", name("oci.tar")));
    built.push(&format!("oci:{}:demo/app:1.0", name("layout")));
    let zstd = format!("oci:{}:demo/app:1.0", name("zstd"));
    let source = format!("oci-archive:{}", name("oci.tar"));
    built.tool("skopeo", &["--insecure-policy", "copy", "-q", "--dest-compress-format", "zstd", &source, &zstd]);
    built.tool("gzip", &["-k", &name("docker.tar")]);
    built.tool("zstd", &["-q", "-k", &name("docker.tar")]);
    let first = examine(&built.path("docker.tar"));
    let found = first["incidents"][0]["findings"].as_array().unwrap();
    // The uninstall of step 3 started Python while the hook was still there.
    let executed = |f: &Value| f["exposure"] == "executed";
    assert!(
        found.iter().all(|f| executed(f) == (f["kind"] == "file") && (executed(f) || f["exposure"] == "removed")),
        "{found:#?}"
    );
    let package = found.iter().find(|f| f["kind"] == "package").unwrap();
    assert_eq!(package["confidence"], "likely");
    let reason = package["reason"].as_str().unwrap();
    assert!(reason.contains("step 2, RUN `pip install litellm==1.82.8`"), "{reason}");
    assert!(reason.contains("took it out: step 3, RUN `pip uninstall litellm`"), "{reason}");
    assert!(package["location"]["layer"].as_str().unwrap().starts_with("sha256:"));
    assert!(found.iter().any(|f| f["kind"] == "command"));
    for other in ["oci.tar", "layout", "zstd", "docker.tar.gz", "docker.tar.zst"] {
        let report = examine(&built.path(other));
        assert_eq!(report["incidents"], first["incidents"], "{other}");
        assert_eq!(report["credentials"], first["credentials"], "{other}");
    }
    // What a later layer took out was there when the package was put in; what is set for every process is reported by its name.
    assert_eq!(
        credentials(&first),
        [
            ["aws.access_key", "/root/.aws/credentials", "default", "admin", "harvested", "now"],
            ["llm.openai", "/", "ENV OPENAI_API_KEY", "", "harvested", "now"],
        ]
    );
}

/// The credentials of a report: kind, path, place in the file, owner, reach, when to rotate.
pub fn credentials(report: &Value) -> Vec<[&str; 6]> {
    report["credentials"].as_array().unwrap().iter().map(credential).collect()
}

fn credential(c: &Value) -> [&str; 6] {
    let place = &c["location"];
    [&c["kind"], &place["path"], &place["inner"], &c["owner"], &c["reach"], &c["rotate"]]
        .map(|v| v.as_str().unwrap_or_default())
}

#[test]
fn one_input_that_is_no_image_does_not_lose_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let wheel = folder.path().join("root.tar");
    let mut tar = tar::Builder::new(std::fs::File::create(&wheel).unwrap());
    let about = b"Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n";
    let mut header = tar::Header::new_gnu();
    header.set_size(about.len().try_into().unwrap());
    let path = "usr/lib/python3.11/site-packages/litellm-1.82.8.dist-info/METADATA";
    tar.append_data(&mut header, path, about.as_slice()).unwrap();
    tar.finish().unwrap();
    let note = folder.path().join("note.txt");
    std::fs::write(&note, "not a tar").unwrap();
    let said = run(["images", note.to_str().unwrap(), wheel.to_str().unwrap(), "--format", "json"]);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    valid(&report);
    assert_eq!((said.code, &report["verdict"]["exposure"]), (1, &Value::from("installed")));
    assert_eq!(report["coverage"]["gaps"][0]["detail"], "not a saved image: the file is not a tar");
}

#[test]
fn a_saved_image_that_is_scanned_as_a_file_is_reported_as_not_read() {
    let folder = tempfile::tempdir().unwrap();
    for (name, hint) in [("app.tar", true), ("app.tar.zst", true), ("notes.md", false)] {
        let file = folder.path().join(name);
        std::fs::write(&file, "x").unwrap();
        let said = run(["scan", file.to_str().unwrap(), "--format", "json"]);
        let report: Value = serde_json::from_str(&said.out).unwrap();
        valid(&report);
        let gap = &report["coverage"]["gaps"][0];
        assert!(said.code == 3 && gap["location"]["path"].as_str().unwrap().ends_with(name), "{gap}");
        assert_eq!(gap["detail"].as_str().unwrap().contains("`dosimeter images`"), hint, "{gap}");
    }
    let read = folder.path().join("requirements.txt");
    std::fs::write(&read, "click\n").unwrap();
    let said = run(["scan", read.to_str().unwrap(), "--format", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&said.out).unwrap()["coverage"]["gaps"].as_array().unwrap().len(), 0);
}

#[test]
fn what_is_no_image_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.tar");
    std::fs::write(&file, "not a tar").unwrap();
    for path in [file.as_path(), folder.path(), Path::new("/no/such/file")] {
        let said = run(["images", path.to_str().unwrap()]);
        assert!(said.code == 2 && said.err.starts_with("error: `"), "{} {}", said.code, said.err);
        let reasons: Vec<&str> = said.err.trim().split(": ").skip(2).collect();
        assert!((1..=2).contains(&reasons.len()), "said twice: {reasons:?}");
    }
}
