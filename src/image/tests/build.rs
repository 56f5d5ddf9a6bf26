//! Saved images, put together by hand so that they can be wrong.

use std::{fmt::Write as _, io::Write as _};

use sha2::{Digest as _, Sha256};

use crate::text::hex;

pub(super) const SITE: &str = "usr/lib/python3/dist-packages";
pub(super) const METADATA: &[u8] = b"Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n";

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Pack {
    Plain,
    Gzip,
    Zstd,
}
pub(super) const PACKS: [Pack; 3] = [Pack::Plain, Pack::Gzip, Pack::Zstd];

pub(super) fn pack(how: Pack, bytes: &[u8]) -> Vec<u8> {
    match how {
        Pack::Plain => bytes.to_vec(),
        Pack::Gzip => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(bytes).unwrap();
            gzip.finish().unwrap()
        }
        Pack::Zstd => zstd::encode_all(bytes, 1).unwrap(),
    }
}

/// A tar that is put together by hand, so that it can be wrong.
#[derive(Default, Clone)]
pub(super) struct Tar(pub(super) Vec<u8>);

impl Tar {
    pub(super) fn raw(mut self, name: &[u8], kind: tar::EntryType, link: &str, size: u64, body: &[u8]) -> Self {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mtime(1_763_000_000);
        header.set_uid(7);
        header.set_mode(0o644);
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self.0.extend(body);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(super) fn file(self, name: &str, body: &[u8]) -> Self {
        self.raw(name.as_bytes(), tar::EntryType::Regular, "", body.len() as u64, body)
    }

    pub(super) fn link(self, kind: tar::EntryType, name: &str, target: &str) -> Self {
        self.raw(name.as_bytes(), kind, target, 0, b"")
    }

    pub(super) fn dir(self, name: &str) -> Self {
        self.raw(name.as_bytes(), tar::EntryType::Directory, "", 0, b"")
    }

    pub(super) fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

pub(super) fn site(rest: &str) -> String {
    format!("{SITE}/{rest}")
}

/// A base, the bad version put in, something unrelated, the bad version taken out.
pub(super) fn layers() -> Vec<Vec<u8>> {
    let info = site("litellm-1.82.8.dist-info");
    let base =
        Tar::default().dir("usr").file(&site("click-8.1.7.dist-info/METADATA"), b"Name: click\nVersion: 8.1.7\n");
    let bad = Tar::default()
        .file(&format!("{info}/METADATA"), METADATA)
        .file(&site("litellm_init.pth"), b"import os\n")
        .file(&site("stays.pth"), b"import os\n");
    let other = Tar::default().file("var/log/x", b"x");
    let gone = Tar::default()
        .dir("usr/lib/python3/dist-packages")
        .file(&site(".wh.litellm-1.82.8.dist-info"), b"")
        .file(&site(".wh.litellm_init.pth"), b"");
    [base, bad, other, gone].map(Tar::end).into()
}

pub(super) fn sha(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn config(layers: &[Vec<u8>]) -> String {
    let ids: Vec<String> = layers.iter().map(|l| format!("\"sha256:{}\"", sha(l))).collect();
    let mut history =
        String::from(r#"{"created":"2026-03-24T10:00:00Z","created_by":"ENV TOKEN=s3cr3t","empty_layer":true}"#);
    for (i, _) in layers.iter().enumerate() {
        let _ = write!(
            history,
            r#",{{"created":"2026-03-24T11:0{i}:00.5Z","created_by":"RUN |1 TOKEN=s3cr3t /bin/sh -c step{i} # buildkit"}}"#
        );
    }
    format!(
        r#"{{"architecture":"amd64","os":"linux","created":"2026-03-24T12:00:00Z","config":{{"Env":["PATH=/bin","TOKEN=s3cr3t"]}},
        "rootfs":{{"type":"layers","diff_ids":[{}]}},"history":[{history}]}}"#,
        ids.join(",")
    )
}

/// docker save up to 24.
pub(super) fn saved(layers: &[Vec<u8>]) -> Vec<u8> {
    let config = config(layers);
    let names: Vec<String> = (0..layers.len()).map(|i| format!("\"id{i}/layer.tar\"")).collect();
    let mut tar = Tar::default();
    for (i, layer) in layers.iter().enumerate() {
        tar = tar.dir(&format!("id{i}/")).file(&format!("id{i}/layer.tar"), layer);
    }
    let id = sha(config.as_bytes());
    let manifest = format!(
        r#"[{{"Config":"{id}.json","RepoTags":["demo/app:1.0","demo/app:latest"],"Layers":[{}]}}]"#,
        names.join(",")
    );
    tar.file(&format!("{id}.json"), config.as_bytes()).file("manifest.json", manifest.as_bytes()).end()
}

/// Files of an OCI layout with one image.
pub(super) fn oci(layers: &[Vec<u8>], how: Pack) -> Vec<(String, Vec<u8>)> {
    let blob = |bytes: &[u8]| (format!("blobs/sha256/{}", sha(bytes)), bytes.to_vec());
    let config = config(layers);
    let packed: Vec<Vec<u8>> = layers.iter().map(|l| pack(how, l)).collect();
    let listed: Vec<String> = packed
        .iter()
        // The media type lies, as containers-storage's does.
        .map(|p| {
            format!(
                r#"{{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","digest":"sha256:{}"}}"#,
                sha(p)
            )
        })
        .collect();
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:{}"}},"layers":[{}]}}"#,
        sha(config.as_bytes()),
        listed.join(",")
    );
    let index = format!(
        r#"{{"manifests":[{{"mediaType":"x","digest":"sha256:{}","annotations":{{"io.containerd.image.name":"demo/app:1.0"}}}}]}}"#,
        sha(manifest.as_bytes())
    );
    let mut files: Vec<_> = packed.iter().map(|p| blob(p)).collect();
    files.extend([blob(config.as_bytes()), blob(manifest.as_bytes())]);
    files.push(("oci-layout".into(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()));
    files.push(("index.json".into(), index.into_bytes()));
    files
}

pub(super) fn tar_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    files.iter().fold(Tar::default().dir("blobs/"), |tar, (name, body)| tar.file(name, body)).end()
}

/// docker save from 25 on: both kinds of manifest.
pub(super) fn hybrid(layers: &[Vec<u8>]) -> Vec<u8> {
    let mut files = oci(layers, Pack::Plain);
    let names: Vec<String> = layers.iter().map(|l| format!("\"blobs/sha256/{}\"", sha(l))).collect();
    let config = sha(config(layers).as_bytes());
    let list = names.join(",");
    let manifest = format!(
        r#"[{{"Config":"blobs/sha256/{config}","RepoTags":["demo/app:1.0"],"Layers":[{list}],"LayerSources":{{}}}}]"#
    );
    files.push(("manifest.json".into(), manifest.into_bytes()));
    tar_of(&files)
}
