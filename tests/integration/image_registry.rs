//! Images of a real registry, asked over its interface, and on its disk.

use std::{
    collections::BTreeSet,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    image_stores::{examined, found, image, text},
    images::Built,
    program::{Said, command, run, said, valid},
};

/// A registry on this machine, for as long as it is held.
struct Server {
    folder: tempfile::TempDir,
    process: Child,
    address: String,
}

impl Server {
    #[allow(clippy::disallowed_types, clippy::zombie_processes)] // the registry is what is asked; Drop waits for it
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let config = format!(
            "version: 0.1\nlog: {{level: info, accesslog: {{disabled: true}}}}\n\
             storage:\n  filesystem: {{rootdirectory: {}}}\nhttp: {{addr: '127.0.0.1:0'}}\n",
            text(&path("storage"))
        );
        std::fs::write(path("config.yml"), config).unwrap();
        let log = std::fs::File::create(path("log")).unwrap();
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(path("config.yml"))
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|e| panic!("docker-registry: {e}; `tests/run` installs it"));
        let mut server = Self { folder, process, address: String::new() };
        server.address = server.listening();
        server
    }

    /// It takes a free port, and says which.
    fn listening(&mut self) -> String {
        let begun = Instant::now();
        loop {
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
            let port = log.split_once("listening on 127.0.0.1:").and_then(|(_, rest)| {
                let end = rest.find(|c: char| !c.is_ascii_digit())?;
                rest.get(..end).map(|port| format!("127.0.0.1:{port}"))
            });
            if let Some(address) = port {
                return address;
            }
            assert!(self.process.try_wait().unwrap().is_none(), "docker-registry ended: {log}");
            assert!(begun.elapsed() < Duration::from_secs(60), "docker-registry does not listen: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn push(&self, built: &Built, name: &str, to: &str) {
        let from =
            format!("containers-storage:[vfs@{}+{}]localhost/{name}", text(&built.store()), text(&built.path("run")));
        let to = format!("docker://{}/{to}", self.address);
        built.tool("skopeo", &["--insecure-policy", "copy", "-q", "--dest-tls-verify=false", &from, &to]);
    }

    fn storage(&self) -> PathBuf {
        self.folder.path().join("storage")
    }

    /// Where it keeps a blob.
    fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").unwrap();
        self.storage().join(format!("docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]))
    }

    /// The digest of what a tag leads to, and its manifest, as they are on its disk.
    fn manifest(&self, repository: &str, tag: &str) -> (String, Value) {
        let link = format!("docker/registry/v2/repositories/{repository}/_manifests/tags/{tag}/current/link");
        let digest = std::fs::read_to_string(self.storage().join(link)).unwrap();
        let manifest = serde_json::from_slice(&std::fs::read(self.blob(&digest)).unwrap()).unwrap();
        (digest, manifest)
    }

    fn layers(&self, repository: &str, tag: &str) -> Vec<String> {
        let (_, manifest) = self.manifest(repository, tag);
        manifest["layers"].as_array().unwrap().iter().map(|l| l["digest"].as_str().unwrap().to_owned()).collect()
    }

    fn named(&self, rest: &str) -> String {
        format!("{}/{rest}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const SITE: &str = "usr/lib/python3.11/site-packages";

fn package(built: &Built, container: &str, name: &str, version: &str) {
    let about = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
    built.put(container, &format!("{SITE}/{name}-{version}.dist-info/METADATA"), &about);
}

/// On one base with a harmless package: the stand-in, its look-alike, and one that took the stand-in out again.
fn images() -> Built {
    let built = Built::empty("vfs");
    let base = built.container("scratch");
    built.put(&base, "etc/passwd", "admin:x:0:0::/root:/bin/sh\n");
    package(&built, &base, "harmless_stand_in", "1.2.3");
    built.commit(&base, "base:1", "");
    let bad = built.container("base:1");
    package(&built, &bad, "litellm", "1.82.8");
    built.put(&bad, &format!("{SITE}/litellm_init.pth"), "import os\n");
    built.commit(&bad, "bad:1", "/bin/sh -c pip install litellm==1.82.8");
    let twin = built.container("base:1");
    package(&built, &twin, "litellm", "1.82.6");
    built.commit(&twin, "good:1", "/bin/sh -c pip install litellm==1.82.6");
    let gone = built.container("bad:1");
    let mount = built.mount(&gone).join(SITE);
    std::fs::remove_dir_all(mount.join("litellm-1.82.8.dist-info")).unwrap();
    std::fs::remove_file(mount.join("litellm_init.pth")).unwrap();
    built.commit(&gone, "gone:1", "/bin/sh -c pip uninstall -y litellm");
    built
}

fn pushed() -> (Built, Server) {
    let (built, server) = (images(), Server::start());
    for (name, to) in [("bad:1", "team/bad:1"), ("good:1", "team/good:1"), ("gone:1", "other/gone:1")] {
        server.push(&built, name, to);
    }
    (built, server)
}

/// The report without what differs between two runs on the same evidence.
fn same(mut report: Value) -> Value {
    report["run"].take();
    report["coverage"]["bytes_read"].take();
    report
}

fn gaps(report: &Value) -> Vec<String> {
    let all = report["coverage"]["gaps"].as_array().unwrap();
    all.iter()
        .map(|g| format!("{} {}", g["location"]["tree"].as_str().unwrap(), g["detail"].as_str().unwrap()))
        .collect()
}

/// What was found in each of these images of one report.
fn each(report: &Value, names: &[&str]) -> Vec<BTreeSet<[String; 7]>> {
    names.iter().map(|name| found(report, image(report, name))).collect()
}

#[test]
fn a_whole_registry_is_examined() {
    let (built, server) = pushed();
    let (report, said) = examined(&[&server.named(""), "-v"]);
    assert_eq!((said.code, gaps(&report)), (1, Vec::new()), "{}", said.err);
    let spent =
        said.err.lines().find(|l| l.contains("requests to registries")).unwrap_or_else(|| panic!("{}", said.err));
    let numbers: Vec<u64> = spent.split(' ').filter_map(|word| word.parse().ok()).collect();
    assert!(numbers[0] >= 10 && numbers[1] >= 1000 && numbers[2] == 0, "{spent}");
    let of = |repository: &str| server.layers(repository, "1").into_iter();
    let layers: BTreeSet<String> = of("team/bad").chain(of("team/good")).chain(of("other/gone")).collect();
    assert_eq!(report["sweep"]["layers"], layers.len());
    assert_eq!(layers.len(), 4);
    assert!(said.err.contains("4 layers read"), "{}", said.err);
    let all = ["team/bad:1", "team/good:1", "other/gone:1"];
    let exposures: Vec<&str> = all.iter().map(|name| image(&report, name)["exposure"].as_str().unwrap()).collect();
    assert_eq!(exposures, ["installed", "none", "executed"]);
    let bad = found(&report, image(&report, "team/bad:1"));
    assert!(bad.iter().any(|f| f[1] == "package" && f[2] == "installed"), "{bad:#?}");

    // As the saved image, and as one that is named alone.
    let saved = built.path("bad.tar");
    built.tool("buildah", &["push", "-q", "bad:1", &format!("docker-archive:{}:bad:1", text(&saved))]);
    let (of_file, _) = examined(&[text(&saved)]);
    assert_eq!(found(&of_file, &of_file["sweep"]["images"][0]), bad);
    let (digest, _) = server.manifest("team/bad", "1");
    for name in ["team/bad:1", &format!("team/bad@{digest}")] {
        let (alone, said) = examined(&[&server.named(name)]);
        assert_eq!((said.code, alone["sweep"]["images"].as_array().unwrap().len()), (1, 1), "{name}");
        assert_eq!(found(&alone, &alone["sweep"]["images"][0]), bad, "{name}");
        assert_eq!(alone["sweep"]["images"][0]["digests"][0], digest.as_str());
    }
    let (team, _) = examined(&[&server.named("team/")]);
    assert_eq!(each(&team, &all[..2]), each(&report, &all[..2]));
    assert_eq!(team["sweep"]["images"].as_array().unwrap().len(), 2);

    // The look-alike alone is clear; what is not there is said, and takes nothing from the others.
    let (good, said) = examined(&[&server.named("team/good:1")]);
    assert_eq!((said.code, good["incidents"].as_array().unwrap().len()), (0, 0), "{}", said.err);
    for (beside, code) in [("team/good:1", 3), ("team/bad:1", 1)] {
        let (report, said) = examined(&[&server.named("team/bad:nope"), &server.named(beside)]);
        assert_eq!(said.code, code, "{}", said.err);
        let gaps = gaps(&report);
        assert!(gaps.len() == 1 && gaps[0].contains("nope"), "{gaps:?}");
        assert_eq!(found(&report, image(&report, beside)).is_empty(), code == 3);
    }

    // Its own storage says the same, and more: what no tag leads to any more.
    let (stored, said) = examined(&["--blob-store", text(&server.storage())]);
    assert_eq!((said.code, gaps(&stored)), (1, Vec::new()));
    assert_eq!(each(&stored, &all), each(&report, &all));
    assert_eq!(stored["sweep"]["layers"], 4);
    server.push(&built, "good:1", "team/bad:1");
    let untagged = |report: &Value| {
        let all = report["sweep"]["images"].as_array().unwrap();
        let it = all.iter().find(|i| i["digests"].as_array().unwrap().contains(&Value::from(digest.as_str())));
        it.map(|it| found(report, it))
    };
    assert_eq!(untagged(&examined(&["--blob-store", text(&server.storage())]).0), Some(bad));
    assert_eq!(untagged(&examined(&[&server.named("team/")]).0), None);
}

#[test]
fn what_layers_hold_is_read_once() {
    let (_built, server) = pushed();
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("layers");
    let whole = server.named("");
    let with = |more: &[&str]| examined(&[&[whole.as_str(), "-v", "--layer-cache", text(&cache)], more].concat());
    let (plain, _) = examined(&[&whole]);
    let (first, said) = with(&[]);
    assert!(said.err.contains("4 layers read"), "{}", said.err);
    assert_eq!(same(first.clone()), same(plain));
    let nothing_read = |said: &Said| assert!(said.err.contains("0 layers read, 0 bytes; 4 known"), "{}", said.err);
    let (second, said) = with(&[]);
    nothing_read(&said);
    assert_eq!((said.code, same(second)), (1, same(first.clone())));

    // An indicator that nobody had when the layers were read.
    let (asked, said) = with(&["--ioc", "pypi:harmless-stand-in@1.2.3"]);
    nothing_read(&said);
    let all = ["team/bad:1", "team/good:1", "other/gone:1"];
    for (name, more) in all.iter().zip(each(&asked, &all)) {
        let own: Vec<_> = more.difference(&found(&first, image(&first, name))).cloned().collect();
        assert!(own.len() == 1 && own[0][5].contains("harmless_stand_in-1.2.3.dist-info"), "{name} {own:#?}");
    }
    let (fresh, _) = examined(&[&whole, "--ioc", "pypi:harmless-stand-in@1.2.3"]);
    assert_eq!(same(asked), same(fresh));
    let (other, said) = with(&["--ioc", "pypi:harmless-stand-in@1.2.4"]);
    nothing_read(&said);
    assert_eq!(each(&other, &all), each(&first, &all));

    // A damaged entry is read anew, and mended by that.
    let entry = std::fs::read_dir(&cache).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&entry).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x20;
    std::fs::write(&entry, bytes).unwrap();
    let (mended, said) = with(&[]);
    assert!(said.err.contains("1 layers read") && said.err.contains("1 of these with a damaged entry"), "{}", said.err);
    assert_eq!(same(mended), same(first.clone()));
    nothing_read(&with(&[]).1);
    let (anew, said) = with(&["--reread"]);
    assert!(said.err.contains("4 layers read"), "{}", said.err);
    assert_eq!(same(anew), same(first));

    shared_by_others(&cache, &whole);
}

fn shared_by_others(cache: &Path, whole: &str) {
    std::fs::set_permissions(cache, std::fs::Permissions::from_mode(0o777)).unwrap();
    let refused = run(["images", whole, "--layer-cache", text(cache)]);
    assert!(refused.code == 2 && refused.err.contains("--trust-shared-cache"), "{} {}", refused.code, refused.err);
    assert_eq!(refused.out, "");
    let (_, said) = examined(&[whole, "-v", "--layer-cache", text(cache), "--trust-shared-cache"]);
    assert!(said.code == 1 && said.err.contains("0 layers read"), "{}", said.err);
}

#[test]
fn a_layer_that_was_tampered_with_takes_nothing_from_the_others() {
    let (_built, server) = pushed();
    let all = ["team/bad:1", "team/good:1", "other/gone:1"];
    let (before, _) = examined(&[&server.named("")]);
    let own = server.layers("team/good", "1").pop().unwrap();
    let path = server.blob(&own);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x20;
    std::fs::write(&path, bytes).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("layers");
    for _ in 0..2 {
        let (after, said) = examined(&[&server.named(""), "-v", "--layer-cache", text(&cache)]);
        assert_eq!((said.code, each(&after, &all)), (1, each(&before, &all)), "{}", said.err);
        let gaps = gaps(&after);
        assert!(!gaps.is_empty() && gaps.iter().all(|g| g.contains("team/good:1")), "{gaps:?}");
        assert_eq!(image(&after, "team/good:1")["complete"], false);
        assert_eq!(image(&after, "team/bad:1")["complete"], true);
    }
    let (alone, said) = examined(&[&server.named("team/good:1"), "--layer-cache", text(&cache)]);
    assert_eq!((said.code, alone["incidents"].as_array().unwrap().len()), (3, 0), "{}", said.err);
    let (stored, said) = examined(&["--blob-store", text(&server.storage())]);
    assert_eq!((said.code, each(&stored, &all)), (1, each(&before, &all)));
}

#[test]
fn pods_of_a_cluster_lead_to_their_images() {
    let (_built, server) = pushed();
    let (digest, _) = server.manifest("team/bad", "1");
    let name = |rest: &str| server.named(rest);
    let pod = |pod: &str, node: &str, container: &str, image: &str, id: &str| {
        let running = json!({"startedAt": "2026-03-24T12:00:00Z"});
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": pod, "namespace": "shop"},
            "spec": {"nodeName": node, "containers": [{"name": container, "image": image}]},
            "status": {"containerStatuses": [
                {"name": container, "image": image, "imageID": id, "state": {"running": running}}
            ]},
        })
    };
    let of_bad = format!("{}@{digest}", name("team/bad"));
    let mut waiting = pod("cart-1", "node-b", "cart", &name("team/good:1"), "");
    waiting["status"] = json!({"phase": "Pending"});
    let dump = json!({"apiVersion": "v1", "kind": "List", "items": [
        pod("web-1", "node-a", "app", &name("team/bad:1"), &of_bad),
        // What runs is known by its digest, whatever its tag means by now.
        pod("web-2", "node-b", "app", &name("team/bad:gone"), &format!("docker-pullable://{of_bad}")),
        waiting,
    ]});
    let examined = |typed: &[&str]| {
        let mut listed = command();
        listed.args(["images", "-", "--format", "json"]).args(typed);
        let mut process = listed.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        process.stdin.take().unwrap().write_all(dump.to_string().as_bytes()).unwrap();
        said(process.wait_with_output().unwrap())
    };
    // A list leads to nothing on this machine, unless its registry was typed too.
    let said = examined(&[]);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    let why = gaps(&report);
    assert_eq!((said.code, why.len()), (3, 1), "{why:?} {}", said.err);
    assert!(why[0].contains("only a list names it"), "{why:?}");
    let said = examined(&[&name("team/bad:1")]);
    assert_eq!(said.code, 1, "{}", said.err);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    valid(&report);
    assert_eq!(gaps(&report), Vec::<String>::new());
    assert_eq!(report["sweep"]["images"].as_array().unwrap().len(), 2, "{:#}", report["sweep"]);
    let all = report["sweep"]["images"].as_array().unwrap();
    let users = |exposure: &str| -> Vec<(String, String, Option<bool>)> {
        let image = all.iter().find(|i| i["exposure"] == exposure).unwrap();
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        let user = |u: &Value| {
            assert_eq!(u["kind"], "pod");
            (text(&u["name"]), text(&u["node"]), u["running"].as_bool())
        };
        image["used_by"].as_array().unwrap().iter().map(user).collect()
    };
    let used = |name: &str, node: &str, running| (name.to_owned(), node.to_owned(), running);
    assert_eq!(
        users("installed"),
        [used("shop/web-1/app", "node-a", Some(true)), used("shop/web-2/app", "node-b", Some(true))]
    );
    let clear = users("none");
    assert_eq!(clear.len(), 1);
    assert_eq!((clear[0].0.as_str(), clear[0].1.as_str()), ("shop/cart-1/cart", "node-b"));
}
