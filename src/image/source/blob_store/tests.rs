#![allow(clippy::disallowed_methods, reason = "tests make their own inputs")]

use std::{fs, os::unix::fs::symlink, path::PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;
use crate::text::hex;

const V2: &str = "docker/registry/v2";

fn sum(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// How a store names its blobs.
type Place = fn(&str) -> String;

struct Disk {
    folder: TempDir,
    place: Place,
}

fn distribution(hex: &str) -> String {
    format!("{V2}/blobs/sha256/{}/{hex}/data", &hex[..2])
}

impl Disk {
    fn new(place: Place) -> Self {
        Self { folder: TempDir::new().unwrap(), place }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A blob, by the digits of its digest.
    fn blob(&self, bytes: &[u8]) -> String {
        let hex = sum(bytes);
        self.write(&(self.place)(&hex), bytes);
        hex
    }

    /// An image of one layer, by the digits of its manifest's digest.
    fn image(&self, layer: &str) -> String {
        let layer = self.blob(layer.as_bytes());
        let config = format!(r#"{{"os":"linux","rootfs":{{"diff_ids":["sha256:{layer}"]}}}}"#);
        let config = self.blob(config.as_bytes());
        let config =
            format!(r#"{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:{config}"}}"#);
        self.blob(format!(r#"{{"config":{config},"layers":[{{"digest":"sha256:{layer}"}}]}}"#).as_bytes())
    }

    fn tag(&self, repository: &str, tag: &str, hex: &str) {
        let tag = format!("{V2}/repositories/{repository}/_manifests/tags/{tag}");
        self.write(&format!("{tag}/current/link"), format!("sha256:{hex}"));
        self.write(&format!("{tag}/index/sha256/{hex}/link"), format!("sha256:{hex}"));
        self.revision(repository, hex);
    }

    fn revision(&self, repository: &str, hex: &str) {
        let name = format!("{V2}/repositories/{repository}/_manifests/revisions/sha256/{hex}/link");
        self.write(&name, format!("sha256:{hex}"));
    }

    fn open(&self, below: &str) -> Option<BlobStore> {
        BlobStore::open(fs::File::open(self.path(below)).unwrap().into()).ok()
    }

    fn plan(&self) -> Plan {
        plan(&self.open("").unwrap())
    }
}

fn plan(store: &BlobStore) -> Plan {
    store.plan(Readers { history: &|_, _| Vec::new(), environment: &|_| Vec::new(), arguments: &|_| Vec::new() })
}

/// Each image's names and manifest.
fn shown(plan: &Plan) -> Vec<String> {
    let line = |i: &crate::image::planned::Planned| {
        assert!(i.layers.iter().all(|l| l.member.is_some()));
        format!("[{}] {}", i.tags.join(" "), &i.manifests.last().unwrap()[..4])
    };
    plan.images.iter().map(line).collect()
}

fn flaws(plan: &Plan) -> String {
    let lines = plan.flaws.iter().map(|(path, flaw)| format!("{}: {flaw}", String::from_utf8_lossy(path.as_bytes())));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_manifest_of_a_registry_is_examined_whatever_became_of_its_tag() {
    let disk = Disk::new(distribution);
    let [old, new, deleted, gone] = ["old", "new", "deleted", "gone"].map(|layer| disk.image(layer));
    disk.tag("shop/app", "1", &old);
    disk.tag("shop/app", "1", &new);
    disk.tag("shop/app", "latest", &new);
    disk.tag("base", "1", &new);
    // A manifest that was deleted by its digest has a folder without a link, and its bytes until they are collected.
    disk.revision("base", &deleted);
    fs::remove_file(disk.path(&format!("{V2}/repositories/base/_manifests/revisions/sha256/{deleted}/link"))).unwrap();
    disk.tag("base", "2", &"0".repeat(64));
    disk.revision("base", &"1".repeat(64));
    let part = disk.image("part");
    let index = disk.blob(format!(r#"{{"manifests":[{{"digest":"sha256:{part}"}}]}}"#).as_bytes());
    disk.tag("many", "1", &index);
    disk.revision("many", &part);
    disk.blob(b"a layer that nothing lists");
    let store = disk.open("").unwrap();
    let plan = plan(&store);
    let mut images = shown(&plan);
    images.sort();
    let mut expected = vec![
        format!("[] {}", &gone[..4]),
        format!("[base:1 shop/app:1 shop/app:latest] {}", &new[..4]),
        format!("[base@sha256:{deleted}] {}", &deleted[..4]),
        format!("[many:1] {}", &part[..4]),
        format!("[shop/app@sha256:{old}] {}", &old[..4]),
    ];
    expected.sort();
    assert_eq!(images, expected);
    assert_eq!(flaws(&plan), "base:2: not a valid image manifest: it is missing");
    let reasons: Vec<_> = plan.left_out.iter().map(|(_, why)| *why).collect();
    assert_eq!(reasons, ["an old manifest whose bytes are gone", "a blob that is part of no image"]);
    let of_tag = |e: &&Entry| &*e.repository == "shop/app" && e.tag.is_some();
    let states: Vec<_> = store.entries().iter().filter(of_tag).map(|e| (e.tag.as_deref().unwrap(), e.state)).collect();
    assert_eq!(states.len(), 3);
    assert!(states.contains(&("1", State::Overwritten)) && states.contains(&("latest", State::Current)));
    assert_eq!(store.size().0, 5 * 3 + 2);
    // Whichever of the folders is named.
    for below in ["docker", "docker/registry", V2] {
        let found = self::plan(&disk.open(below).unwrap());
        assert_eq!(found.images.len(), 5, "{below}");
    }
    for below in [format!("{V2}/blobs"), format!("{V2}/blobs/sha256")] {
        let found = self::plan(&disk.open(&below).unwrap());
        assert!(found.images.len() == 5 && shown(&found).iter().all(|i| i.starts_with("[] ")), "{below}");
    }
    assert!(disk.open(&format!("{V2}/repositories/base")).is_none());
}

#[test]
fn names_are_found_in_a_store_without_them() {
    let flat: [Place; 5] = [
        |hex| format!("blobs/sha256/{hex}"),
        |hex| format!("sha256/{}/{hex}", &hex[..2]),
        |hex| format!("{}/{}/{hex}", &hex[..2], &hex[2..4]),
        |hex| format!("export/sha256:{hex}"),
        |hex| format!("cache/sha256__{hex}.marker"),
    ];
    for place in flat {
        let disk = Disk::new(place);
        let image = disk.image("layer");
        disk.write("README", "text");
        let plan = disk.plan();
        assert_eq!(shown(&plan), [format!("[] {}", &image[..4])], "{}", place(&image));
        assert_eq!(flaws(&plan), "");
        let (member, len) = plan.images[0].layers[0].member.clone().unwrap();
        assert_eq!(len, 5);
        assert!(matches!(disk.open("").unwrap().open(&member), Ok(Content::Blob(_))));
    }
    let none = Disk::new(distribution);
    none.write("a/b", "text");
    assert!(none.open("").is_none());
}

#[test]
fn a_blob_store_of_nexus_has_its_names_in_properties() {
    // The blobs are laid below; these are only to make their bytes.
    let disk = Disk::new(|hex| format!("scratch/{hex}"));
    let [current, old] = ["current", "old"].map(|layer| disk.image(layer));
    let put = |id: &str, hex: &str, name: &str, more: &str| {
        let place = format!("nexus/content/vol-01/chap-0{}/{id}", id.len());
        fs::create_dir_all(disk.path(&place).parent().unwrap()).unwrap();
        fs::copy(disk.path(&format!("scratch/{hex}")), disk.path(&format!("{place}.bytes"))).unwrap();
        let name = name.replace(':', "\\:");
        let text = format!("#Mon Jun 01\n@BlobStore.blob-name={name}\n@Bucket.repo-name=images\nsize=1\n{more}");
        disk.write(&format!("{place}.properties"), text);
    };
    for (n, file) in fs::read_dir(disk.path("scratch")).unwrap().enumerate() {
        let hex = file.unwrap().file_name().into_string().unwrap();
        if hex != current && hex != old {
            put(&"x".repeat(n + 1), &hex, &format!("/v2/-/blobs/sha256:{hex}"), "");
        }
    }
    put("tagged", &current, "v2/app/manifests/1", "");
    put("by-digest", &current, &format!("v2/app/manifests/sha256:{current}"), "");
    put("removed1", &old, "v2/app/manifests/0", "deleted=true\n");
    put("other", &old, "org/other.jar", "");
    disk.write("nexus/content/vol-01/chap-01/none.properties", "@BlobStore.blob-name=v2/app/manifests/9\n");
    let store = disk.open("nexus").unwrap();
    let plan = plan(&store);
    assert_eq!(
        shown(&plan),
        [format!("[images/app@sha256:{old}] {}", &old[..4]), format!("[images/app:1] {}", &current[..4]),]
    );
    assert!(flaws(&plan).contains("the bytes of a manifest are missing"), "{}", flaws(&plan));
    assert!(store.entries().iter().any(|e| e.state == State::Deleted && e.tag.as_deref() == Some("0")));
    assert_eq!(self::plan(&disk.open("nexus/content").unwrap()).images.len(), 2);
}

#[test]
fn hostile_stores_end() {
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("data"), "{}").unwrap();
    let disk = Disk::new(distribution);
    let image = disk.image("layer");
    disk.tag("app", "1", &image);
    let tags = format!("{V2}/repositories/app/_manifests/tags");
    disk.write(&format!("{tags}/text/current/link"), "not a digest");
    disk.write(&format!("{tags}/long/current/link"), format!("sha256:{}", "a".repeat(1 << 20)));
    fs::create_dir_all(disk.path(&format!("{tags}/folder/current/link"))).unwrap();
    fs::create_dir_all(disk.path(&format!("{tags}/odd/index/sha256/xyz"))).unwrap();
    disk.write(&format!("{tags}/file"), "a file");
    disk.write(&format!("{V2}/repositories/flat/_manifests"), "a file");
    symlink("..", disk.path(&format!("{V2}/repositories/loop"))).unwrap();
    symlink(outside.path(), disk.path(&format!("{V2}/repositories/out"))).unwrap();
    symlink(outside.path().join("data"), disk.path(&format!("{tags}/1/current/other"))).unwrap();
    let ff = "ff".repeat(32);
    fs::create_dir_all(disk.path(&format!("{V2}/blobs/sha256/ff/{ff}/data"))).unwrap();
    symlink(outside.path(), disk.path(&format!("{V2}/blobs/sha256/ee"))).unwrap();
    disk.write(&format!("{V2}/blobs/sha256/dd/{}/data", "c".repeat(64)), "in the wrong place");
    disk.write(&format!("{V2}/blobs/sha512/aa"), "another sum");
    disk.write(&format!("{V2}/repositories/{}/_manifests/x", "d/".repeat(80)), "deep");
    // An index of itself, two that list each other, and one that says what it is not.
    let [a, b] = ["a", "b"].map(|c| c.repeat(64));
    let lists = |of: &str| format!(r#"{{"manifests":[{{"digest":"sha256:{of}"}}]}}"#);
    disk.write(&distribution(&a), lists(&b));
    disk.write(&distribution(&b), lists(&a));
    let own = "9".repeat(64);
    disk.write(&distribution(&own), lists(&own));
    disk.blob(b"{ not json");
    disk.blob(br#"{"manifests":"text"}"#);
    let plan = disk.plan();
    assert_eq!(shown(&plan), [format!("[app:1] {}", &image[..4])]);
    let flaws = flaws(&plan);
    for expected in [
        "tags/text: not a valid registry: a link that names no digest",
        "tags/long: larger than 256 bytes",
        "tags/odd: not a valid registry: a name that is no digest",
        "tags/file: not a valid store of images: a file in place of a folder",
        "a link in place of a repository",
        "names are nested too deeply",
        "blobs/sha256/ee: a link in a store of images",
        "not a file",
        "a name that is none of a blob",
        "blobs/sha512: a digest that is no SHA-256",
    ] {
        assert!(flaws.contains(expected), "{expected}: {flaws}");
    }
}

/// Distribution's storage of many images that share layers.
#[test]
fn many_images_are_planned_once_each() {
    let disk = Disk::new(distribution);
    for n in 0..300 {
        let image = disk.image(&format!("layer {}", n % 7));
        disk.tag(&format!("r{}", n % 10), &format!("{n}"), &image);
    }
    let plan = disk.plan();
    assert_eq!((plan.images.len(), flaws(&plan)), (7, String::new()));
    assert_eq!(plan.images.iter().map(|i| i.tags.len()).sum::<usize>(), 300);
}

#[test]
fn what_cannot_be_read_of_a_store_is_reported() {
    let outside = TempDir::new().unwrap();
    let disk = Disk::new(distribution);
    fs::create_dir_all(disk.path(&format!("{V2}/repositories"))).unwrap();
    symlink(outside.path(), disk.path(&format!("{V2}/blobs"))).unwrap();
    assert!(flaws(&disk.plan()).contains("a link in a store of images"), "{}", flaws(&disk.plan()));
    // In a folder of blobs, links are named, and what is mounted is not entered.
    let disk = Disk::new(str::to_owned);
    let image = disk.image("layer");
    symlink(outside.path(), disk.path("out")).unwrap();
    let plan = disk.plan();
    assert_eq!(
        (shown(&plan), flaws(&plan).as_str()),
        (vec![format!("[] {}", &image[..4])], "out: a link in a store of images is not supported")
    );
    // Whether a link leads to a store is not found out.
    let linked = Disk::new(str::to_owned);
    symlink(outside.path(), linked.path("repositories")).unwrap();
    let opened = BlobStore::open(fs::File::open(linked.path("")).unwrap().into());
    assert!(matches!(opened, Err(ImageError::Open(_))));
}
