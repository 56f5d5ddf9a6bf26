#![allow(clippy::disallowed_methods, reason = "tests make their own inputs")]

use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::super::{catalog::Budget, unpacked::CHAIN};
use super::*;
use crate::{
    bolt::testing::Tree,
    image::{inputs::Only, planned::Holds, sweep::keep_wanted},
    text::hex,
};

const META_DB: &[u8] = include_bytes!("../../../../tests/fixtures/bolt/meta.db.gz");
const SNAPSHOTS_DB: &[u8] = include_bytes!("../../../../tests/fixtures/bolt/snapshots.db.gz");
const OVERLAY: &str = "io.containerd.snapshotter.v1.overlayfs";

fn folder(path: &Path) -> OwnedFd {
    fs::File::open(path).unwrap().into()
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

struct Root {
    folder: TempDir,
    meta: Tree,
    snapshots: Tree,
}

impl Root {
    fn new() -> Self {
        let empty = || Tree::Bucket(BTreeMap::new());
        Self { folder: TempDir::new().unwrap(), meta: empty(), snapshots: empty() }
    }

    fn path(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn blob(&self, bytes: &[u8]) -> String {
        let digest = sha256(bytes);
        fs::write(self.path(&format!("{BLOBS}/{}", &digest[7..])), bytes).unwrap();
        digest
    }

    /// An image of these layers, by the digest of its manifest; the layers' tars are their names.
    fn image(&self, layers: &[&str]) -> String {
        let tars: Vec<_> = layers.iter().map(|l| self.blob(l.as_bytes())).collect();
        let ids = tars.iter().map(|d| format!("\"{d}\"")).collect::<Vec<_>>().join(",");
        let config =
            format!(r#"{{"os":"linux","architecture":"amd64","rootfs":{{"type":"layers","diff_ids":[{ids}]}}}}"#);
        let config = self.blob(config.as_bytes());
        let listed =
            tars.iter().map(|d| format!(r#"{{"mediaType":"tar","digest":"{d}","size":1}}"#)).collect::<Vec<_>>();
        let media = "application/vnd.oci.image.config.v1+json";
        let config = format!(r#"{{"mediaType":"{media}","digest":"{config}"}}"#);
        self.blob(format!(r#"{{"config":{config},"layers":[{}]}}"#, listed.join(",")).as_bytes())
    }

    fn name(&mut self, namespace: &str, name: &str, digest: &str) {
        self.meta.set(&["v1", namespace, "images", name, "target", "digest"], digest.as_bytes());
    }

    fn snapshot(&mut self, name: &str, id: u8, kind: u8, parent: Option<&str>) {
        let set = |key: &str, value: &[u8], tree: &mut Tree| tree.set(&["v1", "snapshots", name, key], value);
        set("id", &[id], &mut self.snapshots);
        set("kind", &[kind], &mut self.snapshots);
        if let Some(parent) = parent {
            set("parent", parent.as_bytes(), &mut self.snapshots);
        }
        let (namespace, key) = (name.split('/').next().unwrap(), name.splitn(3, '/').nth(2).unwrap());
        self.meta.set(&["v1", namespace, "snapshots", "overlayfs", key, "name"], name.as_bytes());
        fs::create_dir_all(self.path(&format!("{OVERLAY}/snapshots/{id}/fs")).join("opt")).unwrap();
    }

    fn container(&mut self, namespace: &str, id: &str, image: &str, labels: &[(&str, &str)]) {
        let at = ["v1", namespace, "containers", id];
        for (key, value) in [("image", image), ("snapshotter", "overlayfs"), ("snapshotKey", id)] {
            self.meta.set(&[&at[..], &[key]].concat(), value.as_bytes());
        }
        for (key, value) in labels {
            self.meta.set(&[&at[..], &["labels", key]].concat(), value.as_bytes());
        }
    }

    fn open(&self) -> Containerd {
        fs::write(self.path("io.containerd.metadata.v1.bolt/meta.db"), self.meta.write()).unwrap();
        fs::write(self.path(&format!("{OVERLAY}/metadata.db")), self.snapshots.write()).unwrap();
        Containerd::open(folder(self.folder.path()), None).unwrap()
    }
}

fn plan(store: &Containerd) -> Plan {
    store.plan(Readers { history: &|_, _| Vec::new(), environment: &|_| Vec::new(), arguments: &|_| Vec::new() })
}

/// Each image in a line: what it holds, its names, its layers' members without the folders above.
fn shown(plan: &Plan) -> Vec<String> {
    let member = |layer: &PlannedLayer| match &layer.member {
        None => "missing".to_owned(),
        Some((path, _)) => {
            let text = String::from_utf8(path.as_bytes().to_vec()).unwrap();
            let short = text.strip_prefix(&format!("{OVERLAY}/snapshots/")).map(str::to_owned);
            short.unwrap_or_else(|| text[BLOBS.len() + 1..][..4].to_owned())
        }
    };
    let holds = |image: &Planned| match &image.holds {
        Holds::Image => "image".to_owned(),
        Holds::Container(c) => format!("container {} {} {:?}", c.id, c.name, c.running),
        Holds::Volume(name) => format!("volume {name}"),
    };
    let line = |i: &Planned| {
        let layers = i.layers.iter().map(member).collect::<Vec<_>>().join(" ");
        format!("{} [{}] {layers}", holds(i), i.tags.join(" "))
    };
    plan.images.iter().map(line).collect()
}

fn flaws(plan: &Plan) -> Vec<String> {
    plan.flaws.iter().map(|(path, flaw)| format!("{}: {flaw}", String::from_utf8_lossy(path.as_bytes()))).collect()
}

fn short(bytes: &str) -> String {
    sha256(bytes.as_bytes())[7..11].to_owned()
}

fn inflated(gzip: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(gzip).read_to_end(&mut bytes).unwrap();
    bytes
}

/// The databases were written by containerd 1.6; the blobs are not there, so that only what was unpacked is.
#[test]
fn the_names_and_containers_of_a_real_store_are_read() {
    let root = Root::new();
    fs::write(root.path("io.containerd.metadata.v1.bolt/meta.db"), inflated(META_DB)).unwrap();
    fs::write(root.path(&format!("{OVERLAY}/metadata.db")), inflated(SNAPSHOTS_DB)).unwrap();
    let store = Containerd::open(folder(root.folder.path()), None).unwrap();
    let names: Vec<_> = store.names().iter().filter(|n| !n.name.starts_with("registry.example/many")).collect();
    let manifest = "sha256:7bb695dd444b42ad291a1991a2c3cfcb5d4fd4485c36937aa6a739f39fb5ccd2";
    let listed: Vec<_> = names.iter().map(|n| (n.reference(), n.digest == manifest)).collect();
    let (app, tagged) = (Some("registry.example/demo/app".to_owned()), Some("registry.example/demo/app:1".to_owned()));
    assert_eq!(listed, [(tagged.clone(), true), (app, false), (tagged.clone(), true), (None, true), (tagged, true)]);
    let containers: Vec<_> = store.containers().iter().map(|c| (c.id.clone(), c.name(), c.image.clone())).collect();
    let image = "registry.example/demo/app:1".to_owned();
    assert_eq!(
        containers,
        [("def456".into(), "happy".into(), image.clone()), ("abc123".into(), "shop/web-1/app".into(), image)]
    );
    let plan = plan(&store);
    let shown = shown(&plan);
    assert_eq!(
        shown[..2],
        [
            "container def456 happy None [] 4/fs 5/fs 6/fs 8/fs",
            "container abc123 shop/web-1/app None [] 1/fs 2/fs 3/fs 7/fs",
        ]
    );
    assert_eq!(shown[2..], ["image [] 9/fs 10/fs 11/fs"], "of an image whose manifest is gone");
    assert!(flaws(&plan).iter().any(|f| f.contains("a manifest is missing")), "{:?}", flaws(&plan));
}

#[test]
fn discarded_layers_are_read_where_they_were_unpacked() {
    let mut root = Root::new();
    let image = root.image(&["low", "high"]);
    root.name("k8s.io", "registry.example/app:1", &image);
    root.name("k8s.io", "sha256:0123", &image);
    root.name("default", "registry.example/app:2", &image);
    let (low, high) = (sha256(b"low"), sha256(b"high"));
    let chain = sha256(format!("{low} {high}").as_bytes());
    root.snapshot(&format!("k8s.io/2/{low}"), 1, 3, None);
    root.snapshot(&format!("k8s.io/4/{chain}"), 2, 3, Some(&format!("k8s.io/2/{low}")));
    root.snapshot("k8s.io/5/web", 3, 2, Some(&format!("k8s.io/4/{chain}")));
    root.snapshot("k8s.io/6/look", 4, 1, Some(&format!("k8s.io/4/{chain}")));
    root.container("k8s.io", "web", "registry.example/app:1", &[("nerdctl/name", "evil\u{1b}[2J")]);
    let names = "registry.example/app:2 registry.example/app:1";
    let [l, h] = ["low", "high"].map(short);
    let store = root.open();
    assert_eq!(
        shown(&plan(&store)),
        [
            format!("image [{names}] {l} {h}"),
            format!("container web evil\\u{{1b}}[2J None [registry.example/app:1] {l} {h} 3/fs"),
        ]
    );
    fs::remove_file(root.path(&format!("{BLOBS}/{}", &high[7..]))).unwrap();
    let store = root.open();
    let plan = plan(&store);
    assert_eq!(
        shown(&plan),
        [
            format!("image [{names}] {l} 2/fs"),
            format!("container web evil\\u{{1b}}[2J None [registry.example/app:1] {l} 2/fs 3/fs"),
        ]
    );
    assert_eq!((flaws(&plan), plan.left_out.len()), (vec![], 0));
    let opened = |member: &str| store.open(&TreePath::new(format!("{OVERLAY}/snapshots/{member}").as_bytes()).unwrap());
    let Ok(Content::Unpacked(mut entries)) = opened("3/fs") else {
        panic!("no folder");
    };
    assert_eq!(entries.next().unwrap().unwrap().path, b"opt");
    assert!(entries.next().unwrap().is_none());
    fs::remove_dir_all(root.path(&format!("{OVERLAY}/snapshots/2/fs"))).unwrap();
    symlink("/etc", root.path(&format!("{OVERLAY}/snapshots/2/fs"))).unwrap();
    assert!(opened("2/fs").is_err_and(|flaw| flaw.to_string().contains("a link in a store of images")));
    assert!(opened("9/fs").is_err());
    assert!(matches!(
        store.open(&TreePath::new(format!("{BLOBS}/{}", &low[7..]).as_bytes()).unwrap()),
        Ok(Content::Blob(_))
    ));
}

#[test]
fn what_no_name_leads_to_is_examined() {
    let mut root = Root::new();
    let named = root.image(&["a"]);
    root.name("default", "registry.example/app:1", &named);
    let part = root.image(&["b"]);
    root.blob(format!(r#"{{"manifests":[{{"digest":"{part}"}}]}}"#).as_bytes());
    root.blob(b"\x1f\x8b a layer of nothing");
    root.snapshot("default/1/half", 1, 2, None);
    root.snapshot(&format!("moby/2/{}", "a".repeat(64)), 2, 2, Some("default/1/half"));
    let plan = plan(&root.open());
    let [a, b] = ["a", "b"].map(short);
    assert_eq!(
        shown(&plan),
        [
            format!("image [registry.example/app:1] {a}"),
            format!("image [] {b}"),
            format!("container {0} {0} None [] 1/fs 2/fs", "a".repeat(64)),
        ]
    );
    assert_eq!(plan.left_out.iter().map(|(_, why)| *why).collect::<Vec<_>>(), ["a blob that is part of no image"]);
}

#[test]
fn dockers_own_names_are_used() {
    let mut root = Root::new();
    let image = root.image(&["a"]);
    root.name("moby", "registry.example/app:1", &image);
    let (id, a) = ("b".repeat(64), sha256(b"a"));
    root.snapshot(&format!("moby/1/{a}"), 1, 3, None);
    root.snapshot(&format!("moby/2/{id}-init"), 2, 3, Some(&format!("moby/1/{a}")));
    root.snapshot(&format!("moby/3/{id}"), 3, 2, Some(&format!("moby/2/{id}-init")));
    let text = format!(r#"{{"ID":"{id}","Name":"/web","State":{{"Running":true}},"Config":{{"Env":["A=1"]}}}}"#);
    fs::write(root.path(&format!("docker/containers/{id}/config.v2.json")), text).unwrap();
    fs::write(root.path("docker/containers/broken/config.v2.json"), "{").unwrap();
    root.open();
    let store = Containerd::open(folder(root.folder.path()), Some(folder(&root.folder.path().join("docker")))).unwrap();
    let plan = plan(&store);
    assert_eq!(
        shown(&plan)[1..],
        [format!("container {id} web Some(true) [registry.example/app:1] {} 2/fs 3/fs", short("a"))]
    );
    assert_eq!(
        flaws(&plan),
        ["containers/broken/config.v2.json: not a valid container: not the JSON that it should be"]
    );
}

#[test]
fn hostile_stores_end() {
    assert!(Containerd::open(folder(TempDir::new().unwrap().path()), None).is_err());
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("secret"), "{}").unwrap();
    let mut root = Root::new();
    let image = root.image(&["a"]);
    root.name("n", "not a reference\n", &image);
    root.name("n", "registry.example/none:1", "sha256:short");
    // Snapshots that stand on one another, on themselves, on nothing.
    root.snapshot("n/1/x", 1, 2, Some("n/2/y"));
    root.snapshot("n/2/y", 2, 2, Some("n/1/x"));
    root.snapshot("n/3/z", 3, 2, Some("n/9/none"));
    root.snapshot("n/4/self", 4, 2, Some("n/4/self"));
    root.container("n", "x", "", &[]);
    root.container("n", "ghost", "", &[]);
    root.meta.set(&["v1", "n", "snapshots", "zfs", "k", "name"], b"n/1/k");
    fs::create_dir_all(root.path(&format!("{BLOBS}/{}", "0".repeat(64)))).unwrap();
    symlink(outside.path().join("secret"), root.path(&format!("{BLOBS}/{}", "1".repeat(64)))).unwrap();
    fs::write(root.path(&format!("{BLOBS}/../other")), "x").unwrap();
    fs::write(root.path(&format!("{BLOBS}/not hex")), "x").unwrap();
    let store = root.open();
    let plan = plan(&store);
    assert_eq!(
        shown(&plan),
        [format!("image [] {}", short("a")), "container x x None [] 2/fs 1/fs".into(), "image [] 3/fs".into()]
    );
    let flaws = flaws(&plan).join("\n");
    for expected in [
        "a name is not an image reference",
        "a manifest is missing",
        "ghost: not a valid container: what it wrote is missing",
        "io.containerd.snapshotter.v1.zfs: a plugin of containerd that keeps no folder a layer is not supported",
        "not a file",
        "a name that is none of a blob",
    ] {
        assert!(flaws.contains(expected), "{expected}: {flaws}");
    }
    // A folder of blobs that leads out, and databases of noise.
    let root = Root::new();
    symlink(outside.path(), root.path(BLOBS)).unwrap();
    fs::create_dir_all(root.path(&format!("{OVERLAY}/metadata.db"))).unwrap();
    fs::write(root.path("io.containerd.metadata.v1.bolt/meta.db"), [7; 9000]).unwrap();
    let store = Containerd::open(folder(root.folder.path()), None).unwrap();
    let found = self::plan(&store);
    assert!(found.images.is_empty());
    let flaws = self::flaws(&found).join("\n");
    assert!(flaws.contains("a link in a store of images"), "{flaws}");
    assert!(flaws.contains("not a valid database of containerd: no header of bbolt"), "{flaws}");
}

#[test]
fn containers_and_snapshots_have_one_budget() {
    let mut root = Root::new();
    for (n, id) in ["a", "b", "c", "d"].into_iter().zip(1..) {
        root.snapshot(&format!("n/{id}/{n}"), id, 2, None);
    }
    root.container("n", "a", "", &[]);
    root.container("n", "b", "", &[]);
    let store = root.open();
    let count = |entries, layers| {
        let mut plan = Plan::default();
        containers::plan_within(&store, &mut plan, Budget::new(entries, layers));
        (plan.images.len(), flaws(&plan).iter().filter(|flaw| flaw.contains("more containers")).count())
    };
    assert_eq!(count(10, 100), (4, 0));
    assert_eq!(count(3, 100), (2, 1));
    // Each layer is followed, and planned.
    assert_eq!(count(10, 3), (1, 1));
}

#[test]
fn snapshots_that_stand_on_too_many_are_cut() {
    let mut root = Root::new();
    root.name("n", "registry.example/app:1", "sha256:none");
    for n in 0..2 * CHAIN {
        let at = ["v1", "snapshots", &format!("n/{n}/k{n}")].map(str::to_owned);
        let mut set = |key: &str, value: &[u8]| root.snapshots.set(&[&at[0], &at[1], &at[2], key], value);
        set("kind", &[3]);
        set("parent", format!("n/{0}/k{0}", n + 1).as_bytes());
    }
    let plan = plan(&root.open());
    assert_eq!((plan.images.len(), plan.images[0].layers.len()), (1, CHAIN));
    assert!(flaws(&plan).iter().any(|flaw| flaw.contains("a snapshot that stands on too many")), "{:?}", flaws(&plan));
}

#[test]
fn what_stands_in_a_namespace_is_known() {
    let mut root = Root::new();
    let [app, other, bare, unknown] = ["a", "b", "c", "d"].map(|layer| root.image(&[layer]));
    root.name("k8s.io", "registry.example/app:1", &app);
    root.name("default", "registry.example/app:1", &other);
    root.name("default", "registry.example/old:1", &app);
    // An image that lost its name, and one that no record says anything of.
    root.meta.set(&["v1", "k8s.io", "content", "blob", &bare, "size"], &[1]);
    root.meta.set(&["v1", "default", "content", "blob", "sha256:../../x", "size"], &[1]);
    root.meta.set(&["v1", "default", "content", "ingests", "x", "size"], &[1]);
    root.snapshot(&format!("k8s.io/1/{}", sha256(b"a")), 1, 3, None);
    root.snapshot("k8s.io/2/pod", 2, 2, Some(&format!("k8s.io/1/{}", sha256(b"a"))));
    root.snapshot(&format!("default/3/{}", sha256(b"a")), 3, 3, None);
    root.snapshot("default/4/job", 4, 2, Some(&format!("default/3/{}", sha256(b"a"))));
    root.container("k8s.io", "pod", "registry.example/app:1", &[]);
    root.container("default", "job", "registry.example/old:1", &[]);
    let store = root.open();
    let plan = plan(&store);
    let wanted = |namespace: &str, image: Option<&str>| {
        let image = image.map(|text| Sought::parse(text).unwrap());
        let only = [Only { nth: 0, namespace: Some(namespace.to_owned()), image }];
        let only: Vec<_> = only.iter().map(|only| only.of(&store)).collect();
        let mut images: Vec<Planned> = plan.images.iter().map(again).collect();
        keep_wanted(&mut images, &only);
        let what = |image: &Planned| match &image.holds {
            Holds::Container(container) => container.id.clone(),
            _ => {
                let manifest = format!("sha256:{}", image.manifests.last().unwrap());
                let at = [&app, &other, &bare, &unknown].into_iter().position(|digest| *digest == manifest).unwrap();
                ["app", "other", "bare", "unknown"][at].to_owned()
            }
        };
        let mut found: Vec<String> = images.iter().map(what).collect();
        found.sort();
        found.join(" ")
    };
    assert_eq!(wanted("k8s.io", None), "app bare pod unknown");
    assert_eq!(wanted("default", None), "app job other unknown");
    assert_eq!(wanted("k8s.io", Some("registry.example/app:1")), "app pod");
    assert_eq!(wanted("default", Some("registry.example/app:1")), "other");
    assert_eq!(wanted("default", Some("registry.example/old:1")), "app job");
    assert_eq!(wanted("k8s.io", Some("registry.example/old:1")), "");
    assert_eq!(wanted("k8s.io", Some(&bare)), "bare");
    assert_eq!(wanted("default", Some(&bare)), "");
    assert_eq!(wanted("none", None), "unknown");
}

/// The same image, as far as what is wanted depends on it.
fn again(image: &Planned) -> Planned {
    Planned {
        tags: image.tags.clone(),
        id: image.id.clone(),
        manifests: image.manifests.clone(),
        layers: image.layers.iter().map(same).collect(),
        holds: image.holds.clone(),
        ..Planned::default()
    }
}
