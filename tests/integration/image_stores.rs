//! Images where engines and registries keep them, against the same images saved as files.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;

use crate::{
    images::{Built, credentials},
    program::{Said, run, valid},
};

/// A run, and its report, which its schema allows.
pub fn examined(args: &[&str]) -> (Value, Said) {
    let said = run([&["images", "--format", "json"], args].concat());
    let report = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}{}", said.out, said.err));
    valid(&report);
    assert!(!said.out.contains("CaNaRy"));
    (report, said)
}

/// The one image of a report that has this name.
pub fn image<'r>(report: &'r Value, name: &str) -> &'r Value {
    let all = report["sweep"]["images"].as_array().unwrap();
    let named = |i: &&Value| {
        let mut names = i["names"].as_array().into_iter().flatten();
        i["kind"] == "image" && names.any(|n| n.as_str().unwrap().ends_with(name))
    };
    let found: Vec<_> = all.iter().filter(named).collect();
    assert_eq!(found.len(), 1, "{name}: {all:#?}");
    found[0]
}

/// What was found in an image: incident, kind, exposure, confidence, indicator, path, layer.
pub fn found(report: &Value, image: &Value) -> BTreeSet<[String; 7]> {
    let mut all = BTreeSet::new();
    for incident in report["incidents"].as_array().unwrap() {
        let here = |f: &&Value| f["location"]["tree"] == image["tree"];
        for f in incident["findings"].as_array().unwrap().iter().filter(here) {
            let place = &f["location"];
            let parts = [
                &incident["id"],
                &f["kind"],
                &f["exposure"],
                &f["confidence"],
                &f["indicator"],
                &place["path"],
                &place["layer"],
            ];
            all.insert(parts.map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)));
        }
    }
    all
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect()
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn details(report: &Value) -> Vec<&str> {
    report["coverage"]["gaps"].as_array().unwrap().iter().map(|g| g["detail"].as_str().unwrap()).collect()
}

/// The drivers whose stores buildah can mount here; overlay needs a machine that lets it.
fn drivers() -> Vec<&'static str> {
    let mounts = || {
        let built = Built::empty("overlay");
        let container = built.container("scratch");
        built.mount(&container);
        built.tool("buildah", &["rm", &container]);
    };
    let overlay = std::panic::catch_unwind(mounts).is_ok().then_some("overlay");
    ["vfs"].into_iter().chain(overlay).collect()
}

#[test]
fn a_store_gives_the_findings_of_the_saved_image() {
    drivers().into_iter().for_each(store_as_saved);
}

fn store_as_saved(driver: &'static str) {
    let built = Built::new(driver);
    built.tool("buildah", &["tag", "demo/app:1.0", "demo/app:stable", "registry.example/team/app:7"]);
    let (docker, layout) = (built.path("docker.tar"), built.path("layout"));
    built.push(&format!("docker-archive:{}:demo/app:1.0", text(&docker)));
    let archive = format!("docker-archive:{}", text(&docker));
    let oci = format!("oci:{}:demo/app:1.0", text(&layout));
    built.tool("skopeo", &["--insecure-policy", "copy", "-q", &archive, &oci]);
    let (saved, said) = examined(&[text(&docker)]);
    let one = &saved["sweep"]["images"][0];
    let wanted = found(&saved, one);
    assert!(said.code == 1 && wanted.len() >= 3, "{wanted:#?}");
    let (of_layout, _) = examined(&[text(&layout)]);
    assert_eq!(found(&of_layout, &of_layout["sweep"]["images"][0]), wanted, "{driver}");

    let (root, store) = (built.root(), built.store());
    let (root, store) = (text(&root), text(&store));
    let (all, said) = examined(&["--root", root]);
    assert_eq!(said.code, 1, "{}", said.err);
    let app = image(&all, "demo/app:1.0");
    assert_eq!(found(&all, app), wanted, "{driver}");
    assert_eq!(app["complete"], true, "{app:#}");
    assert_eq!(app["id"], one["id"]);
    assert_eq!(details(&all), [""; 0]);
    let names: BTreeSet<&str> = texts(&app["names"]).into_iter().collect();
    assert_eq!(
        names,
        ["localhost/demo/app:1.0", "localhost/demo/app:stable", "registry.example/team/app:7"].into(),
        "{driver}"
    );
    assert!(texts(&app["found_in"])[0].contains("var/lib/containers/storage"), "{app:#}");
    assert_eq!(all["sweep"]["images"].as_array().unwrap().len(), 3);
    assert_eq!(all["sweep"]["layers"], 3);
    assert_eq!(image(&all, "base:1")["exposure"], "none");
    assert_eq!(image(&all, "base:2")["exposure"], "installed");

    // By one of its names, by its id, and by the folder of the store.
    let id = format!("podman:{}", app["id"].as_str().unwrap().trim_start_matches("sha256:").get(..12).unwrap());
    for name in ["podman:demo/app:1.0", "buildah:demo/app:stable", "podman:registry.example/team/app:7", &id] {
        let (named, said) = examined(&[name, "--root", root]);
        assert_eq!((said.code, named["sweep"]["images"].as_array().unwrap().len()), (1, 1), "{name}");
        assert_eq!(found(&named, image(&named, "demo/app:1.0")), wanted, "{driver} {name}");
        assert_eq!(credentials(&named), credentials(&saved), "{driver} {name}");
    }
    let (folder, said) = examined(&[store]);
    assert_eq!((said.code, found(&folder, image(&folder, "demo/app:1.0"))), (1, wanted.clone()), "{driver}");

    // In a store and in a file: one image.
    let (both, _) = examined(&["podman:demo/app:1.0", text(&docker), "--root", root]);
    assert_eq!(both["sweep"]["images"].as_array().unwrap().len(), 1, "{:#}", both["sweep"]);
    let app = &both["sweep"]["images"][0];
    assert_eq!(found(&both, app), wanted);
    assert_eq!(texts(&app["found_in"]).len(), 2, "{app:#}");

    // What is not there.
    let (none, said) = examined(&["podman:demo/none:1", "--root", root]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert_eq!(details(&none), ["no store of this kind has an image that is called so"]);
    assert_eq!(none["coverage"]["gaps"][0]["location"]["tree"], "podman:demo/none:1");
    let (some, said) = examined(&["podman:demo/none:1", "podman:demo/app:1.0", "--root", root]);
    assert_eq!((said.code, details(&some).len()), (1, 1));
    assert_eq!(found(&some, image(&some, "demo/app:1.0")), wanted);
}

/// A base with a harmless package, and on it the release that was not the stand-in.
fn good(driver: &'static str) -> Built {
    let built = Built::empty(driver);
    let site = "usr/lib/python3.11/site-packages";
    let base = built.container("scratch");
    built.put(&base, "etc/passwd", "admin:x:0:0::/root:/bin/sh\n");
    built.commit(&base, "base:1", "");
    let twin = built.container("base:1");
    let about = "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.6\n";
    built.put(&twin, &format!("{site}/litellm-1.82.6.dist-info/METADATA"), about);
    built.commit(&twin, "demo/app:1.0", "/bin/sh -c pip install litellm==1.82.6");
    built
}

#[test]
fn a_store_of_good_images_is_clear() {
    let built = good("vfs");
    let (root, store) = (built.root(), built.store());
    for args in [&["--root", text(&root)][..], &["podman:", "--root", text(&root)], &[text(&store)]] {
        let (report, said) = examined(args);
        assert_eq!(said.code, 0, "{args:?} {}\n{report:#}", said.err);
        assert_eq!(report["incidents"].as_array().unwrap().len(), 0);
        assert_eq!(image(&report, "demo/app:1.0")["exposure"], "none");
    }
    let empty = tempfile::tempdir().unwrap();
    let said = run(["images", "--root", text(empty.path())]);
    // Of a fleet, most machines have none.
    assert!(said.code == 0 && said.err.contains("no store of images was found"), "{} {}", said.code, said.err);
}

#[test]
fn what_a_container_changed_is_not_in_its_image() {
    for driver in drivers() {
        let built = good(driver);
        let container = built.container("demo/app:1.0");
        let path = "usr/lib/python3.11/site-packages/litellm-1.82.8.dist-info/METADATA";
        built.put(&container, path, "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n");
        built.tool("buildah", &["umount", &container]);
        let root = built.root();
        let (report, said) = examined(&["--root", text(&root)]);
        assert_eq!((said.code, details(&report)), (1, Vec::new()), "{driver} {}", said.err);
        let app = image(&report, "demo/app:1.0");
        assert_eq!((&app["exposure"], found(&report, app).len()), (&Value::from("none"), 0), "{driver}");
        assert_eq!(app["used_by"][0]["name"], container.as_str(), "{app:#}");
        let all = report["sweep"]["images"].as_array().unwrap();
        let containers: Vec<_> = all.iter().filter(|i| i["kind"] == "container").collect();
        assert_eq!(containers.len(), 1);
        let own = found(&report, containers[0]);
        assert!(own.len() == 1 && own.iter().all(|f| f[5].ends_with(path)), "{driver} {own:#?}");
        // By the name of the image, it and what was made of it.
        let (named, said) = examined(&["podman:demo/app:1.0", "--root", text(&root)]);
        assert_eq!((said.code, image(&named, "demo/app:1.0")["exposure"].as_str()), (1, Some("none")));
        assert_eq!(named["sweep"]["images"].as_array().unwrap().len(), 2, "{driver}");
    }
}

#[test]
fn archives_that_share_layers_are_read_once_for_each() {
    let built = Built::new("vfs");
    let folder = built.path("saved");
    std::fs::create_dir(&folder).unwrap();
    let mut paths = Vec::new();
    for (nth, name) in ["base:1", "base:2", "demo/app:1.0"].iter().enumerate() {
        let path = folder.join(format!("{nth}.tar"));
        built.tool("buildah", &["push", "-q", name, &format!("docker-archive:{}:{name}", text(&path))]);
        paths.push(path);
    }
    let again = built.path("again.tar");
    std::fs::copy(&paths[2], &again).unwrap();
    paths.push(again);
    let (report, said) = examined(&paths.iter().map(|p| text(p)).chain(["-v"]).collect::<Vec<_>>());
    assert_eq!(said.code, 1);
    assert!(said.err.contains("3 layers read"), "{}", said.err);
    let sweep = &report["sweep"];
    assert_eq!((&sweep["layers"], sweep["images"].as_array().unwrap().len()), (&Value::from(3), 3));
    let mut files: Vec<&str> = texts(&image(&report, "demo/app:1.0")["found_in"]);
    files.sort_unstable();
    assert_eq!(files, ["2.tar", "again.tar"]);
    // The layer that brought it is to be built anew, and both images stand on it.
    let base = &sweep["bases"][0];
    assert_eq!(base["images"], 2, "{base:#}");
    assert!(texts(&base["names"])[0].contains("base:2"), "{base:#}");
    // The same by the folder that holds them; and what each holds alone.
    let (of_folder, _) = examined(&[text(&folder)]);
    assert_eq!(of_folder["sweep"]["layers"], 3);
    for (path, name) in paths.iter().zip(["base:1", "base:2", "demo/app:1.0"]) {
        let (alone, _) = examined(&[text(path)]);
        let wanted = found(&alone, image(&alone, name));
        assert_eq!(found(&report, image(&report, name)), wanted, "{name}");
        assert_eq!(found(&of_folder, image(&of_folder, name)), wanted, "{name}");
    }
}

#[test]
fn what_no_store_has_is_never_nothing_found() {
    let folder = tempfile::tempdir().unwrap();
    let root = text(folder.path());
    let alone = run(["images", "docker:none", "--root", root]);
    assert!(alone.code == 2 && alone.err.contains("no store of docker"), "{}", alone.err);
    std::fs::create_dir(folder.path().join("cache")).unwrap();
    let inside = run(["images", "--root", root, "--layer-cache", text(&folder.path().join("cache"))]);
    assert!(inside.code == 2 && inside.err.contains("evidence"), "{}", inside.err);
    let odd = run(["images", "--platform", "bogus"]);
    assert!(odd.code == 2 && odd.err.contains("is no platform"), "{}", odd.err);
}
