//! Stores laid out by hand.
#![allow(clippy::disallowed_methods, reason = "tests make their own inputs")]

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
    path::Path,
};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;
use crate::{image::planned::Holds, text::hex};

const READERS: Readers<'_> =
    Readers { history: &|_, _| Vec::new(), environment: &|_| Vec::new(), arguments: &|_| Vec::new() };

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text))
}

struct Store(TempDir);

impl Store {
    fn new() -> Self {
        let store = Self(TempDir::new().unwrap());
        store.write("image/overlay2/repositories.json", r#"{"Repositories":{}}"#);
        store
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A layer on another; its chain id and diff id.
    fn layer(&self, cache: &str, below: Option<&str>) -> (String, String) {
        let diff = digest(cache);
        let chain = below.map_or(diff.clone(), |below| digest(&format!("sha256:{below} sha256:{diff}")));
        let entry = format!("image/overlay2/layerdb/sha256/{chain}");
        self.write(&format!("{entry}/cache-id"), cache);
        self.write(&format!("{entry}/diff"), &format!("sha256:{diff}"));
        self.write(&format!("{entry}/size"), "12");
        if let Some(below) = below {
            self.write(&format!("{entry}/parent"), &format!("sha256:{below}"));
        }
        self.write(&format!("overlay2/{cache}/diff/of-{cache}"), "x");
        (chain, diff)
    }

    /// An image of these diff ids; its id.
    fn image(&self, steps: &[&str], diff_ids: &[&str]) -> String {
        let step = |s: &&str| format!(r#"{{"created_by":"{s}"}}"#);
        let steps: Vec<String> = steps.iter().map(step).collect();
        let ids: Vec<String> = diff_ids.iter().map(|d| format!(r#""sha256:{d}""#)).collect();
        let config = format!(
            r#"{{"os":"linux","history":[{}],"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
            steps.join(","),
            ids.join(",")
        );
        let id = digest(&config);
        self.write(&format!("image/overlay2/imagedb/content/sha256/{id}"), &config);
        id
    }

    fn open(&self) -> Box<dyn Source> {
        open(fs::File::open(self.path()).unwrap().into()).unwrap()
    }
}

fn members(plan: &Plan) -> Vec<Vec<String>> {
    let name = |l: &PlannedLayer| l.member.as_ref().map_or("-".to_owned(), |(m, _)| m.text().into_owned());
    plan.images.iter().map(|i| i.layers.iter().map(name).collect()).collect()
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
    let store = Store::new();
    let (c1, d1) = store.layer("one", None);
    let (c2, d2) = store.layer("two", Some(&c1));
    let image = store.image(&["a", "b"], &[&d1, &d2]);
    let intermediate = store.image(&["a"], &[&d1]);
    let untagged = store.image(&["c"], &[&d1]);
    let manifest = digest("manifest");
    let names = format!(
        r#"{{"Repositories":{{"demo/app":{{"demo/app@sha256:{manifest}":"sha256:{image}","demo/app:1.0":"sha256:{image}"}}}}}}"#
    );
    store.write("image/overlay2/repositories.json", &names);
    let id = "ab".repeat(32);
    let mount = format!("image/overlay2/layerdb/mounts/{id}");
    store.write(&format!("{mount}/mount-id"), "written");
    store.write(&format!("{mount}/parent"), &format!("sha256:{c2}"));
    store.write("overlay2/written/diff/root/new", "x");
    let described = format!(
        r#"{{"Name":"/k8s_app_web-0_shop_uid_1","Image":"sha256:{image}","State":{{"Running":true}},"Config":{{"Env":["A=1","TOKEN=x"]}}}}"#
    );
    store.write(&format!("containers/{id}/config.v2.json"), &described);
    store.write("volumes/data/_data/file", "x");
    store.write("overlay2/of-a-build/diff/x", "x");
    let source = store.open();
    let plan = source.plan(READERS);
    assert!(plan.is_image && plan.flaws.is_empty(), "{:?}", why(&plan));
    let find = |id: &str| plan.images.iter().find(|i| i.holds == Holds::Image && i.id.as_deref() == Some(id));
    let tagged = find(&image).unwrap();
    assert_eq!(tagged.tags, ["demo/app:1.0".to_owned(), format!("demo/app@sha256:{manifest}")]);
    assert_eq!(tagged.manifests, [manifest]);
    let diff_ids: Vec<_> = tagged.layers.iter().map(|l| l.expected.diff_id.clone().unwrap()).collect();
    assert_eq!(diff_ids, [d1, d2]);
    assert!(tagged.layers.iter().all(|l| l.expected.blob.is_none() && l.member.as_ref().unwrap().1 == 12));
    assert!(find(&intermediate).is_none() && find(&untagged).is_some());
    let container =
        plan.images.iter().find_map(|i| if let Holds::Container(c) = &i.holds { Some((c, i)) } else { None });
    let (container, on) = container.unwrap();
    assert_eq!((container.name.as_str(), container.running), ("shop/web-0/app", Some(true)));
    assert_eq!((on.layers.len(), on.steps.len(), on.id.clone()), (3, 2, Some(image)));
    assert_eq!(on.variables, ["A", "TOKEN"]);
    assert!(plan.images.iter().any(|i| i.holds == Holds::Volume("data".to_owned())));
    assert_eq!(plan.left_out.len(), 2, "{:?}", plan.left_out);
    assert_eq!(files(&*source, "overlay2/written/diff"), Ok(vec!["root".to_owned(), "root/new".to_owned()]));
    assert_eq!(files(&*source, "volumes/data/_data"), Ok(vec!["file".to_owned()]));
    assert!(files(&*source, "overlay2/of-a-build/diff").is_err());
}

#[test]
fn hostile_layers_lead_nowhere() {
    let store = Store::new();
    let (c1, d1) = store.layer("one", None);
    store.image(&["a"], &[&d1, &digest("nowhere"), "../../etc"]);
    // A layer folder that is a link, and an id that is a path.
    let (_, linked) = store.layer("linked", None);
    fs::remove_dir_all(store.path().join("overlay2/linked/diff")).unwrap();
    symlink("/etc", store.path().join("overlay2/linked/diff")).unwrap();
    let (out, escaped) = store.layer("out", None);
    store.write(&format!("image/overlay2/layerdb/sha256/{out}/cache-id"), "../../../etc");
    store.image(&["b"], &[&linked]);
    store.image(&["c"], &[&escaped]);
    // A container on a layer that stands on itself.
    store.write(&format!("image/overlay2/layerdb/sha256/{c1}/parent"), &format!("sha256:{c1}"));
    store.write("image/overlay2/layerdb/mounts/loop/parent", &format!("sha256:{c1}"));
    store.write("image/overlay2/layerdb/mounts/loop/mount-id", "../../../../etc");
    let source = store.open();
    let plan = source.plan(READERS);
    let mut found = members(&plan);
    found.sort();
    assert_eq!(found, [vec!["-"], vec!["-"], vec!["/overlay2/linked/diff"], vec!["/overlay2/one/diff", "-", "-"]]);
    let why = why(&plan);
    assert!(why.iter().any(|w| w.contains("mounts/loop") && w.contains("stand on themselves")), "{why:?}");
    assert!(files(&*source, "overlay2/linked/diff").unwrap_err().contains("is a link"));
    assert!(files(&*source, "etc").is_err());
}

#[test]
fn hostile_json_is_reported() {
    let store = Store::new();
    store.write("image/overlay2/repositories.json", r#"{"Repositories":{"a":{"a:1":"sha256:../../x"}}}"#);
    let id = digest("bad");
    store.write(&format!("image/overlay2/imagedb/content/sha256/{id}"), "[[[[");
    store.write("image/overlay2/imagedb/content/sha256/not-an-id", "x");
    store.write("image/zfs/imagedb/content/sha256/00", "{}");
    store.write("image/btrfs/nothing", "");
    store.write(&format!("containers/{id}/config.v2.json"), r#"{"Driver":"overlayfs"}"#);
    store.write(&format!("containers/{}/config.v2.json", digest("other")), r#"{"Driver":7}"#);
    let plan = store.open().plan(READERS);
    let why = why(&plan);
    assert_eq!((plan.images.len(), why.len(), plan.left_out.len()), (0, 3, 1), "{why:?}");
    assert!(why.iter().any(|w| w.contains("zfs")) && !why.iter().any(|w| w.contains("btrfs")), "{why:?}");
    let empty = TempDir::new().unwrap();
    assert!(open(fs::File::open(empty.path()).unwrap().into()).is_err());
}

#[test]
fn a_container_of_whose_image_nothing_is_known_is_examined() {
    let store = Store::new();
    let (c1, _) = store.layer("one", None);
    let id = "cd".repeat(32);
    store.write(&format!("image/overlay2/layerdb/mounts/{id}/mount-id"), "written");
    store.write(&format!("image/overlay2/layerdb/mounts/{id}/parent"), &format!("sha256:{c1}"));
    store.write(&format!("containers/{id}/config.v2.json"), &format!(r#"{{"Name":"/a","Image":"sha256:{id}"}}"#));
    let plan = store.open().plan(READERS);
    assert_eq!(members(&plan), [["/overlay2/one/diff", "/overlay2/written/diff"]]);
    assert_eq!(why(&plan).len(), 1);
}

#[test]
fn copies_of_the_driver_vfs_are_compared_with_those_below() {
    let store = Store::new();
    let (c1, _) = (digest("one"), ());
    let c2 = digest(&format!("sha256:{c1} sha256:{}", digest("two")));
    for (chain, cache, diff) in [(&c1, "one", digest("one")), (&c2, "two", digest("two"))] {
        let entry = format!("image/vfs/layerdb/sha256/{chain}");
        store.write(&format!("{entry}/cache-id"), cache);
        store.write(&format!("{entry}/diff"), &format!("sha256:{diff}"));
    }
    store.write(&format!("image/vfs/layerdb/sha256/{c2}/parent"), &format!("sha256:{c1}"));
    store.write("vfs/dir/one/gone", "x");
    store.write("vfs/dir/two/new", "x");
    let config = format!(r#"{{"rootfs":{{"diff_ids":["sha256:{}","sha256:{}"]}}}}"#, digest("one"), digest("two"));
    store.write(&format!("image/vfs/imagedb/content/sha256/{}", digest(&config)), &config);
    let source = store.open();
    assert_eq!(members(&source.plan(READERS)), [["/vfs/dir/one", "/vfs/dir/two"]]);
    assert_eq!(files(&*source, "vfs/dir/one"), Ok(vec!["gone".to_owned()]));
    assert_eq!(files(&*source, "vfs/dir/two"), Ok(vec!["gone".to_owned(), "new".to_owned()]));
    // A damaged list of names is reported, and the layer read without it.
    store.write(&format!("image/vfs/layerdb/sha256/{c2}/tar-split.json.gz"), "no gzip");
    let Ok(Content::Unpacked(mut entries)) = source.open(&path_of("vfs/dir/two")) else {
        panic!("no folder");
    };
    assert_eq!(std::iter::from_fn(|| entries.next().unwrap()).count(), 2);
    let unread = entries.unread();
    assert!(unread.len() == 1 && unread[0].1.to_string().contains("compressed data are damaged"), "{unread:?}");
}

#[test]
fn what_is_in_place_of_folders_is_reported() {
    let store = Store::new();
    store.write("image/other/imagedb/content/sha256/x", "{}");
    store.write("volumes/data/_data", "a file");
    fs::create_dir_all(store.path().join("volumes/linked")).unwrap();
    symlink("/etc", store.path().join("volumes/linked/_data")).unwrap();
    store.write("containers", "a file");
    let plan = store.open().plan(READERS);
    let why = why(&plan);
    for expected in ["/image/other a store of such a driver", "/volumes/linked/_data", "/containers not a valid folder"]
    {
        assert!(why.iter().any(|w| w.starts_with(expected)), "{expected}: {why:?}");
    }
    assert_eq!((plan.images.len(), why.len()), (0, 3), "{why:?}");
    // A link in place of what makes a folder a store says nothing of whether it is one.
    let linked = TempDir::new().unwrap();
    symlink("/etc", linked.path().join("image")).unwrap();
    assert!(matches!(open(fs::File::open(linked.path()).unwrap().into()), Err(ImageError::Open(_))));
    let empty = TempDir::new().unwrap();
    assert!(matches!(open(fs::File::open(empty.path()).unwrap().into()), Err(ImageError::NotAnImage(_))));
}

#[test]
fn names_that_no_engine_gives_are_reported() {
    let store = Store::new();
    for odd in [
        b"image/overlay2/layerdb/mounts/\xff".as_slice(),
        b"image/overlay2/layerdb/mounts/a b",
        b"image/\xfe/imagedb/content/sha256/x",
        b"image/.driver/imagedb/content/sha256/x",
        b"image/nothing\xfe",
        b"containers/\xfd",
        b"containers/.x",
    ] {
        fs::create_dir_all(store.path().join(OsStr::from_bytes(odd))).unwrap();
    }
    let plan = store.open().plan(READERS);
    let why = why(&plan);
    assert_eq!((plan.images.len(), why.len()), (0, 6), "{why:?}");
    assert!(why.iter().all(|w| w.contains("a name that no engine gives")), "{why:?}");
    (0..=UNREAD).for_each(|n| store.write(&format!("image/other{n}/x"), ""));
    let plan = store.open().plan(READERS);
    assert!(why_more(&plan), "{:?}", plan.flaws);
}

fn why_more(plan: &Plan) -> bool {
    why(plan).iter().any(|w| w.contains("more names beside those of drivers"))
}
