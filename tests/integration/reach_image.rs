//! A saved image that holds LiteLLM 1.82.8: root's files, variables of its configuration, what a layer took out, and an account of its own.

use std::{fs, io::Cursor, path::Path};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    program::run,
    reach::{OFF_LIST, ON_LIST, Planted, SECRET, aws, compare, key, open, own},
};

fn layer(files: &[(&str, &str, u64, u32)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, text, uid, mode) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len().try_into().unwrap());
        header.set_uid(*uid);
        header.set_gid(*uid);
        header.set_mode(*mode);
        tar.append_data(&mut header, path.trim_start_matches('/'), Cursor::new(text)).unwrap();
    }
    tar.into_inner().unwrap()
}

fn sha(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// As `docker save` writes it.
fn save(to: &Path, layers: &[Vec<u8>], config: Value) {
    let ids: Vec<String> = layers.iter().map(|l| format!("sha256:{}", sha(l))).collect();
    let history: Vec<Value> = layers.iter().map(|_| json!({"created_by": "COPY"})).collect();
    let config = json!({"architecture": "amd64", "os": "linux", "config": config, "history": history,
        "rootfs": {"type": "layers", "diff_ids": ids}})
    .to_string();
    let name = format!("{}.json", sha(config.as_bytes()));
    let names: Vec<String> = (0..layers.len()).map(|n| format!("{n}/layer.tar")).collect();
    let manifest = json!([{"Config": name, "RepoTags": ["demo/app:1.0"], "Layers": names}]).to_string();
    let mut tar = tar::Builder::new(fs::File::create(to).unwrap());
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len().try_into().unwrap());
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes).unwrap();
    };
    for (name, bytes) in names.iter().zip(layers) {
        add(name, bytes);
    }
    add(&name, config.as_bytes());
    add("manifest.json", manifest.as_bytes());
    tar.finish().unwrap();
}

#[test]
fn in_an_image_its_root_and_its_variables() {
    let site = "usr/lib/python3.11/site-packages";
    let metadata = "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n";
    let env = format!("APP_SECRET={SECRET}\n");
    let bad = [
        (format!("{site}/litellm-1.82.8.dist-info/METADATA"), metadata),
        (format!("{site}/litellm_init.pth"), "import os\n"),
    ];
    let app = |p: Planted| p.of(10001);
    let rows: Vec<(Planted, &str)> = vec![
        (own("/root/.aws/credentials", aws()), ON_LIST),
        (own("/root/.pypirc", format!("[pypi]\nusername = __token__\npassword = pypi-{SECRET}\n")), OFF_LIST),
        (own("/root/.ssh/a/b/deploy", key()), ON_LIST),
        (own("/root/.ssh/a/b/c/deploy", key()), OFF_LIST),
        (app(own("/home/app/.netrc", format!("machine api.example login app password {SECRET}\n"))), ON_LIST),
        (app(own("/app/.env", env.clone())), ON_LIST),
        (open("/app/1/2/3/4/5/6/.env", env.clone()), ON_LIST),
        // Where the process was started is not known.
        (open("/usr/src/web/.env", env.clone()), "harvested possible soon"),
        (own("/etc/shadow", format!("app:$6${SECRET}:19000:0:99999:7:::\n")), ON_LIST),
        (open("/usr/local/certs/site.pem", key()), OFF_LIST),
    ];
    let held: Vec<(&str, &str, u64, u32)> = rows.iter().map(|(p, _)| p.entry()).collect();
    let early = [
        ("root/.vault-token", SECRET, 0, 0o600),
        ("etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:10001:10001::/home/app:/bin/sh\n", 0, 0o644),
    ];
    let early = layer(&[&early[..], &held].concat());
    let middle = layer(&bad.each_ref().map(|(path, text)| (path.as_str(), *text, 0, 0o644)));
    let late = layer(&[("root/.wh..vault-token", "", 0, 0o644)]);
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("app.tar");
    let config = json!({"Env": ["PATH=/usr/bin", format!("OPENAI_API_KEY=sk-{SECRET}"), "LANG=C"], "User": "app"});
    save(&to, &[early, middle, late], config);
    let said = run(["images", to.to_str().unwrap(), "--format", "json"]);
    let report: Value = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}{}", said.out, said.err));
    let mut expected: Vec<(&str, &str)> = rows.iter().map(|(p, words)| (p.path, *words)).collect();
    // It stood there when the payload came in; whoever has the image still has it.
    expected.push(("/root/.vault-token", ON_LIST));
    expected.push(("/", ON_LIST));
    compare(&report, &expected);
    let gone = report["credentials"].as_array().unwrap().iter().find(|c| c["location"]["path"] == "/root/.vault-token");
    assert!(gone.unwrap()["reason"].as_str().unwrap().ends_with("but whoever has the image can read it"));
}
