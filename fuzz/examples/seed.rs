//! `cargo run --example seed`: fills `corpus/<target>` from the program's fixtures and examples.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io::Write as _,
    path::{Path, PathBuf},
};

use dosimeter::ioc::bundle;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for case in json_below(&root.join("tests/fixtures/surface"))? {
        for list in ["finds", "leaves"] {
            for tree in case[list].as_array().into_iter().flatten() {
                for (path, text) in tree["files"].as_object().into_iter().flatten() {
                    keep("surface", &[path.as_bytes(), b"\n", text.as_str().unwrap_or_default().as_bytes()].concat())?;
                }
            }
        }
    }
    for incident in json_below(&root.join("iocs/incidents"))? {
        for list in ["examples", "near_misses"] {
            for example in incident[list].as_array().into_iter().flatten() {
                for (path, text) in example["files"].as_object().into_iter().flatten() {
                    keep("surface", &[path.as_bytes(), b"\n", text.as_str().unwrap_or_default().as_bytes()].concat())?;
                }
            }
        }
        let file = [b"incident.json\n".as_slice(), incident.to_string().as_bytes()].concat();
        keep("import", &file)?;
    }
    for cases in json_below(&root.join("tests/fixtures/credential/kinds"))? {
        for case in cases.as_array().into_iter().flatten() {
            let (path, text) = (case["path"].as_str().unwrap_or_default(), case["text"].as_str().unwrap_or_default());
            keep("credential", &[path.as_bytes(), b"\n", text.as_bytes()].concat())?;
        }
    }
    for folder in ["history", "python-locks", "uv-cache"] {
        for file in files_below(&root.join("tests/fixtures").join(folder))? {
            let path = match folder {
                "history" => format!("home/a/.{}", name(&file).replace("bash_plain", "bash_history")),
                "python-locks" => format!("home/a/p/{}", name(&file).trim_end_matches(".sample")),
                _ => format!("home/a/.cache/uv/wheels-v5/pypi/click/{}", name(&file)),
            };
            let bytes = fs::read(&file)?;
            keep("surface", &[path.as_bytes(), b"\n", bytes.as_slice()].concat())?;
            if folder == "history" {
                keep("shell", &bytes)?;
            }
        }
    }
    for line in [
        "pip install litellm==1.82.8",
        "/bin/sh -c #(nop)  ENV A=b",
        "RUN |1 V=1.82.8 /bin/sh -c pip install litellm==$V # buildkit",
        "RUN [\"pip\", \"install\", \"x\"]",
        "sudo -u a env X=1 bash -c 'uv pip install \"litellm>=1.82\" && cat <<E\nnpm i axios@1.14.1\nE\n'",
    ] {
        keep("shell", line.as_bytes())?;
    }
    keep("import", b"list.csv\necosystem,package,version\npypi,litellm,1.82.8\n")?;
    keep("import", b"list.txt\nlitellm==1.82.8\nnpm:axios@1.14.1\nhttps://evil.example/x\n")?;
    keep("import", b"stix.json\n{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[{\"type\":\"indicator\",\"pattern\":\"[domain-name:value = 'evil.example']\"}]}")?;
    keep("import", b"osv.json\n{\"id\":\"MAL-2026-1\",\"affected\":[{\"package\":{\"ecosystem\":\"PyPI\",\"name\":\"litellm\"},\"versions\":[\"1.82.8\"]}]}")?;
    keep("bundle", &bundle())?;
    for gzip in [false, true] {
        keep("image", &docker_archive(gzip))?;
    }
    Ok(())
}

fn bundle() -> Vec<u8> {
    let incidents = dosimeter::ioc::Database::embedded().expect("embedded indicators").incidents;
    let incidents = incidents.into_iter().take(2).collect();
    let content = bundle::Content {
        title: "seed".into(),
        sequence: 1,
        created: jiff::Timestamp::UNIX_EPOCH,
        incidents,
        rows: Vec::new(),
    };
    bundle::build(&content).expect("a bundle of two incidents")
}

/// One image of two layers, the second with a whiteout and a link.
fn docker_archive(gzip: bool) -> Vec<u8> {
    let site = "usr/lib/python3/site-packages";
    let metadata = "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n";
    let first = tar(&[
        (&format!("{site}/litellm-1.82.8.dist-info/METADATA"), metadata.as_bytes()),
        (&format!("{site}/litellm_init.pth"), b"import os\n"),
        ("etc/passwd", b"root:x:0:0::/root:/bin/sh\n"),
    ]);
    let second = tar(&[(&format!("{site}/litellm-1.82.8.dist-info/.wh.METADATA"), b"")]);
    let digest = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>();
    let layers = [first, second];
    let ids: Vec<String> = layers.iter().map(|l| format!("sha256:{}", digest(l))).collect();
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/usr/bin", "V=1"]},
        "rootfs": {"type": "layers", "diff_ids": ids},
        "history": [{"created_by": "RUN |1 V=1.82.8 /bin/sh -c pip install litellm==$V # buildkit"}, {"created_by": "x"}],
    });
    let config = config.to_string();
    let stored: Vec<Vec<u8>> = layers.iter().map(|l| if gzip { gzipped(l) } else { l.clone() }).collect();
    let names: Vec<String> = stored.iter().map(|l| format!("blobs/sha256/{}", digest(l))).collect();
    let config_name = format!("blobs/sha256/{}", digest(config.as_bytes()));
    let manifest = serde_json::json!([{"Config": config_name, "RepoTags": ["x:1"], "Layers": names}]).to_string();
    let mut files: Vec<(&str, &[u8])> = vec![("manifest.json", manifest.as_bytes()), (&config_name, config.as_bytes())];
    files.extend(names.iter().map(String::as_str).zip(stored.iter().map(Vec::as_slice)));
    tar(&files)
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory")
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(u64::try_from(bytes.len()).expect("small"));
        header.set_mode(0o644);
        archive.append_data(&mut header, name, *bytes).expect("memory");
    }
    archive.into_inner().expect("memory")
}

/// Writes one input, named by its content.
fn keep(target: &str, bytes: &[u8]) -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    fs::write(folder.join(format!("{:016x}", hasher.finish())), bytes)
}

fn name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

fn files_below(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => found.extend(files_below(&path)?),
            false => found.push(path),
        }
    }
    found.sort();
    Ok(found)
}

fn json_below(folder: &Path) -> std::io::Result<Vec<Value>> {
    let files = files_below(folder)?.into_iter().filter(|p| p.extension().is_some_and(|e| e == "json"));
    files.map(|p| Ok(serde_json::from_slice(&fs::read(p)?)?)).collect()
}
