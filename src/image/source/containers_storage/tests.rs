//! Stores laid out by hand.
#![allow(clippy::disallowed_methods, reason = "tests make their own inputs")]

use std::{
    fs,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;
use crate::{
    image::planned::{Container, Holds},
    text::hex,
};

const READERS: Readers<'_> =
    Readers { history: &|_, _| Vec::new(), environment: &|_| Vec::new(), arguments: &|_| Vec::new() };

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text))
}

struct Store {
    folder: TempDir,
    images: Vec<String>,
    layers: Vec<String>,
    containers: Vec<String>,
}

impl Store {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self { folder, images: Vec::new(), layers: Vec::new(), containers: Vec::new() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn layer(&mut self, id: &str, parent: &str) {
        let diff = digest(id);
        self.layers
            .push(format!(r#"{{"id":"{id}","parent":"{parent}","diff-digest":"sha256:{diff}","diff-size":12}}"#));
        self.write(&format!("overlay/{id}/diff/of-{id}"), "x");
    }

    /// An image on this layer; its id.
    fn image(&mut self, steps: &[&str], layers: &[&str], names: &str) -> String {
        let step = |s: &&str| format!(r#"{{"created_by":"{s}"}}"#);
        let steps: Vec<String> = steps.iter().map(step).collect();
        let ids: Vec<String> = layers.iter().map(|id| format!(r#""sha256:{}""#, digest(id))).collect();
        let config = format!(r#"{{"history":[{}],"rootfs":{{"diff_ids":[{}]}}}}"#, steps.join(","), ids.join(","));
        let id = digest(&config);
        let manifest = format!(r#"{{"config":{{"digest":"sha256:{id}"}},"layers":[]}}"#);
        let file = STANDARD.encode(format!("sha256:{id}"));
        self.write(&format!("overlay-images/{id}/={file}"), &config);
        self.write(&format!("overlay-images/{id}/manifest"), &manifest);
        let (top, digest) = (layers.last().unwrap_or(&""), digest(&manifest));
        self.images.push(format!(r#"{{"id":"{id}","digest":"sha256:{digest}","layer":"{top}",{names}}}"#));
        id
    }

    fn open(&self, additional: &[&Self]) -> Box<dyn Source> {
        let list = |list: &[String]| format!("[{}]", list.join(","));
        for store in std::iter::once(&self).chain(additional) {
            store.write("overlay-images/images.json", list(&store.images));
            store.write("overlay-layers/layers.json", list(&store.layers));
            store.write("overlay-containers/containers.json", list(&store.containers));
        }
        let fd = |store: &Self| fs::File::open(store.path()).unwrap().into();
        open(fd(self), additional.iter().map(|store| fd(store)).collect()).unwrap()
    }
}

fn members(image: &crate::image::planned::Planned) -> Vec<String> {
    let name = |l: &PlannedLayer| l.member.as_ref().map_or("-".to_owned(), |(m, _)| m.text().into_owned());
    image.layers.iter().map(name).collect()
}

fn why(plan: &Plan) -> Vec<String> {
    plan.flaws.iter().map(|(path, flaw)| format!("{} {flaw}", path.text())).collect()
}

fn files(source: &dyn Source, layer: &str) -> Result<Vec<String>, String> {
    let opened = source.open(&TreePath::new(layer.as_bytes()).unwrap()).map_err(|e| e.to_string())?;
    let Content::Unpacked(mut entries) = opened else { panic!() };
    let all = std::iter::from_fn(|| entries.next().unwrap());
    Ok(all.map(|m| String::from_utf8_lossy(&m.path).into_owned()).collect())
}

#[test]
fn images_containers_and_volumes() {
    let mut store = Store::new();
    store.layer("one", "");
    store.layer("two", "one");
    store.layer("left-over", "");
    let named = r#""names":["registry.example/demo/app:1.0","registry.example/demo/app:latest"]"#;
    let image = store.image(&["a", "b"], &["one", "two"], named);
    store.image(&["a"], &["one"], r#""names-history":null"#);
    let former = store.image(&["c"], &["one"], r#""names":null,"names-history":["registry.example/demo/app:0.9"]"#);
    for layer in ["c1", "c2", "c3"] {
        store.layer(layer, "two");
    }
    let pod = r#"{\"name\":\"k8s_app_web-0_shop_uid_0\",\"pod-name\":\"web-0\"}"#;
    store.containers = vec![
        format!(r#"{{"id":"podman","names":["web"],"image":"{image}","layer":"c1","metadata":"{{}}"}}"#),
        format!(
            r#"{{"id":"crio","names":["k8s_app_web-0_shop_uid_0"],"image":"{image}","layer":"c2","metadata":"{pod}"}}"#
        ),
        r#"{"id":"scratch","names":null,"image":"","layer":"c3"}"#.to_owned(),
    ];
    store.write("overlay-containers/crio/userdata/state.json", r#"{"id":"crio","status":"running"}"#);
    store.write("overlay-containers/crio/userdata/config.json", r#"{"process":{"env":["A=1"]}}"#);
    store.write("volumes/data/_data/file", "x");
    let source = store.open(&[]);
    let plan = source.plan(READERS);
    assert!(plan.is_image && plan.flaws.is_empty(), "{:?}", why(&plan));
    let find = |id: &str| plan.images.iter().find(|i| i.holds == Holds::Image && i.id.as_deref() == Some(id)).unwrap();
    assert_eq!(find(&image).tags, ["registry.example/demo/app:1.0", "registry.example/demo/app:latest"]);
    assert_eq!(members(find(&image)), ["/overlay/one/diff", "/overlay/two/diff"]);
    let first = &find(&image).layers[0];
    assert_eq!((&first.expected.diff_id, &first.expected.blob), (&Some(digest("one")), &None));
    assert_eq!(first.member.as_ref().unwrap().1, 12);
    let old = find(&former);
    assert_eq!(old.tags, [format!("registry.example/demo/app@sha256:{}", old.manifests[0])]);
    let containers: Vec<&Container> =
        plan.images.iter().filter_map(|i| if let Holds::Container(c) = &i.holds { Some(c) } else { None }).collect();
    let known: Vec<_> = containers.iter().map(|c| (c.id.as_str(), c.name.as_str(), c.running)).collect();
    assert_eq!(known, [("podman", "web", None), ("crio", "shop/web-0/app", Some(true)), ("scratch", "scratch", None)]);
    assert_eq!(
        plan.images.iter().filter(|i| i.holds == Holds::Image).count(),
        2,
        "the first step of another is left out"
    );
    assert!(plan.images.iter().any(|i| i.holds == Holds::Volume("data".to_owned())));
    assert_eq!(plan.left_out.len(), 2, "{:?}", plan.left_out);
    let variables: Vec<_> =
        plan.images.iter().filter(|i| i.holds != Holds::Image).map(|i| i.variables.join(" ")).collect();
    assert_eq!(variables, ["", "A", "", ""]);
    assert_eq!(files(&*source, "overlay/c1/diff"), Ok(vec!["of-c1".to_owned()]));
    assert!(files(&*source, "overlay/left-over/diff").is_err());
}

#[test]
fn layers_may_stand_on_those_of_another_store() {
    let (mut own, mut shared) = (Store::new(), Store::new());
    shared.layer("base", "");
    let base = shared.image(&["a"], &["base"], r#""names":["base:1"]"#);
    own.layer("top", "base");
    let image = own.image(&["a", "b"], &["base", "top"], r#""names":["app:1"]"#);
    let source = own.open(&[&shared]);
    let plan = source.plan(READERS);
    assert!(plan.flaws.is_empty(), "{:?}", why(&plan));
    let find = |id: &str| plan.images.iter().find(|i| i.id.as_deref() == Some(id)).unwrap();
    assert_eq!(members(find(&image)), ["/additional-1/overlay/base/diff", "/overlay/top/diff"]);
    assert_eq!(members(find(&base)), ["/additional-1/overlay/base/diff"]);
    assert_eq!(files(&*source, "additional-1/overlay/base/diff"), Ok(vec!["of-base".to_owned()]));
}

#[test]
fn hostile_layers_lead_nowhere() {
    let mut store = Store::new();
    store.layer("ring", "round");
    store.layer("round", "ring");
    store.layer("../../../etc", "");
    store.layer("linked", "");
    store.layer("flat", "");
    fs::remove_dir_all(store.path().join("overlay/linked/diff")).unwrap();
    symlink("/etc", store.path().join("overlay/linked/diff")).unwrap();
    store.write("overlay/flat/composefs-data/composefs.blob", "x");
    store.image(&["a"], &["ring"], r#""names":["ring:1"]"#);
    store.image(&["b"], &["../../../etc"], r#""names":["out:1"]"#);
    store.image(&["c"], &["linked"], r#""names":["linked:1"]"#);
    store.image(&["d"], &["flat"], r#""names":["flat:1"]"#);
    store.images.push(r#"{"id":"../../../etc","layer":"linked"}"#.to_owned());
    store.images.push(r#"{"id":"nothing","layer":"linked","names":["nothing:1"]}"#.to_owned());
    let source = store.open(&[]);
    let plan = source.plan(READERS);
    let found: Vec<_> = plan.images.iter().map(members).collect();
    assert_eq!(
        found,
        [vec![], vec!["-"], vec!["/overlay/linked/diff"], vec!["/overlay/flat/diff"], vec!["/overlay/linked/diff"]]
    );
    let why = why(&plan);
    assert!(why.iter().any(|w| w.contains("stand on themselves")), "{why:?}");
    assert!(
        why.iter().any(|w| w.contains("overlay-images/nothing") && w.contains("a configuration is missing")),
        "{why:?}"
    );
    assert!(files(&*source, "overlay/linked/diff").unwrap_err().contains("is a link"));
    assert!(files(&*source, "overlay/flat/diff").unwrap_err().contains("composefs"));
}

#[test]
fn hostile_json_is_reported() {
    let store = Store::new();
    let source = store.open(&[]);
    for (file, text) in [
        ("overlay-images/images.json", "[[[[".to_owned()),
        ("overlay-layers/layers.json", r#"[{"id":7}]"#.to_owned()),
        ("overlay-containers/containers.json", r#"{"id":"x"}"#.to_owned()),
        ("overlay-containers/volatile-containers.json", format!("[{}{{}}]", "{},".repeat(300_000))),
        ("db.sql", "SQLite format 3".to_owned()),
        ("zfs-images/images.json", "[]".to_owned()),
    ] {
        store.write(file, text);
    }
    let plan = source.plan(READERS);
    let why = why(&plan);
    // Things without an id are reported with those that are too many.
    assert_eq!((plan.images.len(), why.len()), (0, 7), "{why:?}");
    let empty = TempDir::new().unwrap();
    assert!(open(fs::File::open(empty.path()).unwrap().into(), Vec::new()).is_err());
}

#[test]
fn json_of_single_images_and_containers_is_reported_too() {
    let mut store = Store::new();
    ["one", "c1"].into_iter().zip(["", "one"]).for_each(|(layer, below)| store.layer(layer, below));
    let image = store.image(&["a"], &["one"], r#""names":["app:1"]"#);
    store.containers = vec![format!(r#"{{"id":"c","image":"{image}","layer":"c1"}}"#)];
    store.write("overlay-containers/c/userdata/state.json", "[");
    store.write("overlay-containers/c/userdata/config.json", r#"{"process":7}"#);
    let source = store.open(&[]);
    store.write(&format!("overlay-images/{image}/manifest"), "{");
    let why = why(&source.plan(READERS));
    for file in ["c/userdata/state.json", "c/userdata/config.json", &format!("{image}/manifest")] {
        assert!(why.iter().any(|w| w.contains(file)), "{file}: {why:?}");
    }
}

#[test]
fn names_that_no_engine_gives_are_reported() {
    let mut store = Store::new();
    store.layer("one", "");
    store.layer("c1", "one");
    store.layer("../two", "");
    let image = store.image(&["a"], &["one"], r#""names":["app:1"]"#);
    store.images.push(r#"{"id":".hidden","layer":"one"}"#.to_owned());
    store.containers = [("c", image.as_str()), ("a/b", image.as_str()), ("d", "a/b")]
        .map(|(id, image)| format!(r#"{{"id":"{id}","image":"{image}","layer":"c1"}}"#))
        .to_vec();
    let source = store.open(&[]);
    for odd in [b"\xff-images".as_slice(), b"-images", b"a b-images"] {
        fs::create_dir(store.path().join(std::ffi::OsStr::from_bytes(odd))).unwrap();
    }
    let plan = source.plan(READERS);
    let why = why(&plan);
    for expected in [
        "overlay-layers/layers.json",
        "overlay-images/images.json",
        "overlay-containers/containers.json",
        "overlay-containers/d not a valid containers-storage: its image has an id",
        "-images not a valid image store: a name that no engine gives",
        "a b-images",
    ] {
        assert!(why.iter().any(|w| w.contains(expected)), "{expected}: {why:?}");
    }
    assert_eq!((plan.images.len(), why.len()), (3, 7), "{why:?}");
}
