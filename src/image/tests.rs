//! Images made here, in each layout and compression, honest and hostile.
#![allow(clippy::disallowed_methods, clippy::as_conversions, reason = "tests make their own inputs")]

mod bounds;
mod build;
mod hostile;
mod inputs;
mod links;
mod parts;
mod passes;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use self::build::*;
use super::*;
use crate::{
    coverage::{Coverage, GapKind},
    fact::{Command, CommandAction, Fact, Seen, Wanted},
    surface::SURFACES,
    walk::Worth,
};

/// What some inputs held.
struct Examination {
    images: Vec<Image<'static>>,
    coverage: Coverage,
    /// Readings of layers beyond the first of each.
    again: u64,
}

struct Case {
    folder: TempDir,
    limits: Limits,
    stop: AtomicBool,
    threads: usize,
    keep: fn(&Seen) -> Worth,
}

fn case() -> Case {
    Case {
        folder: TempDir::new().unwrap(),
        limits: Limits::default(),
        stop: AtomicBool::new(false),
        threads: 2,
        keep: |_| Worth::Evidence,
    }
}

impl Case {
    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn examine(&self, path: &Path) -> Result<Examination, ImageError> {
        self.examine_all(&[path])
    }

    fn examine_all(&self, paths: &[&Path]) -> Result<Examination, ImageError> {
        self.with_options(paths, |inputs, options, packing| {
            let mut images = Vec::new();
            let coverage = Sweep::plan(inputs, options).run(options, packing, &mut |image| images.push(image));
            let again = options.progress.again.load(Ordering::Relaxed);
            Examination { images, coverage, again }
        })
    }

    fn with_options<T>(
        &self,
        paths: &[&Path],
        run: impl FnOnce(Inputs<'_>, &Options<'_>, &'static Packing<'static>) -> T,
    ) -> Result<T, ImageError> {
        // Images borrow what their facts were packed with.
        let interest: &'static Interest = Box::leak(Box::default());
        let packing: &'static Packing<'static> = Box::leak(Box::new(Packing::new(interest)));
        let router = Router::new(SURFACES.to_vec(), interest);
        let history = |text: &str, _: &mut crate::shell::Build| {
            let wanted: Vec<Wanted> = Vec::new();
            let pip = Command::for_packages("pip", CommandAction::Install, wanted);
            if text.contains("step1") { vec![pip] } else { Vec::new() }
        };
        let mut inputs = Inputs::default();
        for path in paths {
            inputs.absorb(open(path, self.limits, &self.stop)?);
        }
        let progress = Progress::default();
        let options = Options {
            router: &router,
            interest,
            keep: &self.keep,
            weigh: &|_, _| crate::coverage::Weight::Unknown,
            readers: Readers { history: &history, environment: &|_| Vec::new(), arguments: &|_| Vec::new() },
            threads: self.threads,
            limits: self.limits,
            verify: true,
            stop: &self.stop,
            progress: &progress,
            cache: None,
        };
        Ok(run(inputs, &options, packing))
    }

    fn bytes(&self, bytes: &[u8]) -> Examination {
        self.examine(&self.write("image", bytes)).unwrap()
    }
}

/// Facts as text, without what differs by design.
fn fact_lines(image: &Image<'_>) -> Vec<String> {
    let line = |f: ImageFact| {
        let ImageFact { seen, layer, gone_in } = f;
        let digest = seen.origin.layer.clone().unwrap_or_default();
        format!("{layer} {gone_in:?} {} {} {digest} {:?}", seen.surface, seen.origin.path.text(), seen.uid)
    };
    image.facts().into_iter().map(line).collect()
}

fn gaps(examination: &Examination) -> Vec<(GapKind, &str)> {
    examination.coverage.gaps.iter().map(|g| (g.kind, g.detail.as_str())).collect()
}

fn paths(image: &Image<'_>) -> Vec<String> {
    image.facts().into_iter().map(|f| f.seen.origin.path.text().into_owned()).collect()
}

fn one_layer(tar: Tar) -> Examination {
    case().bytes(&saved(&[tar.end()]))
}

#[test]
fn every_layout_and_compression_reports_the_same() {
    let (case, layers) = (case(), layers());
    let mut inputs = Vec::new();
    for outer in PACKS {
        inputs.push(pack(outer, &saved(&layers)));
        inputs.push(pack(outer, &hybrid(&layers)));
        inputs.extend(PACKS.map(|inner| pack(outer, &tar_of(&oci(&layers, inner)))));
    }
    let mut expected: Option<Vec<String>> = None;
    for (i, input) in inputs.iter().enumerate() {
        let found = case.bytes(input);
        assert_eq!((gaps(&found), found.images.len()), (vec![], 1), "input {i}");
        let image = &found.images[0];
        assert!(image.verified() && &*image.label == "demo/app:1.0", "input {i}");
        let lines = fact_lines(image);
        assert_eq!(lines.len(), 4, "input {i}");
        assert_eq!(*expected.get_or_insert_with(|| lines.clone()), lines, "input {i}");
    }
}

#[test]
fn a_layout_folder_is_read_and_links_out_of_it_are_not() {
    let (case, layers) = (case(), layers());
    for (name, bytes) in oci(&layers, Pack::Zstd) {
        case.write(&format!("app/{name}"), &bytes);
    }
    let folder = case.folder.path().join("app");
    let found = case.examine(&folder).unwrap();
    assert_eq!((gaps(&found), fact_lines(&found.images[0]).len()), (vec![], 4));

    let blob = folder.join("blobs/sha256").join(sha(&pack(Pack::Zstd, &layers[1])));
    std::fs::rename(&blob, case.folder.path().join("outside")).unwrap();
    std::os::unix::fs::symlink("../../../outside", &blob).unwrap();
    let found = case.examine(&folder).unwrap();
    assert_eq!(gaps(&found), [(GapKind::Malformed, "not a valid saved image: a layer is missing")]);
    assert_eq!(fact_lines(&found.images[0]).len(), 1);
}

#[test]
fn removed_files_are_facts_with_the_layer_that_removed_them() {
    let found = case().bytes(&saved(&layers()));
    let image = &found.images[0];
    let gone: Vec<(String, usize, Option<usize>)> =
        image.facts().into_iter().map(|f| (f.seen.origin.path.text().into_owned(), f.layer, f.gone_in)).collect();
    let path = |rest: &str| format!("/{SITE}/{rest}");
    assert_eq!(
        gone,
        [
            (path("click-8.1.7.dist-info/METADATA"), 0, None),
            (path("litellm-1.82.8.dist-info/METADATA"), 1, Some(3)),
            (path("litellm_init.pth"), 1, Some(3)),
            (path("stays.pth"), 1, None),
        ]
    );
    let step = image.layers[3].step.map(|s| (image.steps[s].number, image.steps[s].instruction));
    assert_eq!((step, image.layers[3].whiteouts), (Some((5, Some("RUN"))), 2));
}

#[test]
fn the_description_of_an_image_holds_no_values() {
    let found = case().bytes(&hybrid(&layers()));
    let image = &found.images[0];
    assert_eq!(image.id, Some(format!("sha256:{}", sha(config(&layers()).as_bytes()))));
    assert_eq!((image.tags.as_slice(), image.manifests.len()), (["demo/app:1.0".to_owned()].as_slice(), 1));
    assert_eq!(image.variables, ["PATH", "TOKEN"]);
    assert_eq!(image.created.map(|t| t.to_string()).as_deref(), Some("2026-03-24T12:00:00Z"));
    let history: Vec<Seen> = image.history().map(|(_, seen)| seen).collect();
    assert_eq!((history.len(), history[0].surface), (1, HISTORY.id));
    assert_eq!(history[0].origin.layer, image.layers[1].digest);
    assert_eq!(history[0].at.as_ref().map(|a| a.time.to_string()).as_deref(), Some("2026-03-24T11:01:00.5Z"));
    assert!(!format!("{:?}{:?}{history:?}", image.steps, image.secrets).contains("s3cr3t"));
}

#[test]
fn accounts_are_those_that_a_container_sees() {
    let passwd = |line: &str| Tar::default().file("etc/passwd", line.as_bytes()).end();
    let (first, second) = (passwd("app:x:7:7::/srv/app:/bin/sh\n"), passwd("web:x:7:7::/srv/web:/bin/sh\n"));
    let gone = Tar::default().file("etc/.wh.passwd", b"").end();
    for (layers, name) in [
        (vec![first.clone()], "app"),
        (vec![first.clone(), second.clone()], "web"),
        (vec![first.clone(), second.clone(), gone], "7"),
        (vec![first, Tar::default().file("srv/etc/passwd", b"no:x:7:7::/:\n").end()], "app"),
    ] {
        assert_eq!(case().bytes(&saved(&layers)).images[0].accounts().name(7), name);
    }
}

#[test]
fn groups_are_those_that_a_container_sees() {
    let layer = |group: &str| {
        let passwd = b"app:x:7:7::/srv/app:/bin/sh\n";
        Tar::default().file("etc/passwd", passwd).file("etc/group", group.as_bytes()).end()
    };
    let member = |layers: &[Vec<u8>]| case().bytes(&saved(layers)).images[0].accounts().in_group(7, 42);
    assert_eq!(member(&[layer("shadow:x:42:\n")]), Some(false));
    assert_eq!(member(&[layer("shadow:x:42:\n"), layer("shadow:x:42:app\n")]), Some(true));
    assert_eq!(member(&[Tar::default().file("etc/passwd", b"app:x:7:7::/:\n").end()]), None);
}

#[test]
fn a_shared_layer_is_read_once_and_reported_for_each_image() {
    let layers = layers();
    let (a, b) = (config(&layers[..2]), config(&layers));
    let mut tar = Tar::default();
    for (i, layer) in layers.iter().enumerate() {
        tar = tar.file(&format!("{i}.tar"), layer);
    }
    // skopeo's compatibility links.
    tar = tar.link(tar::EntryType::Symlink, "old/layer.tar", "../1.tar");
    let manifest = r#"[{"Config":"a.json","RepoTags":["a:1"],"Layers":["0.tar","old/layer.tar"]},
        {"Config":"b.json","RepoTags":null,"Layers":["0.tar","1.tar","2.tar","3.tar"]}]"#;
    let tar = tar.file("a.json", a.as_bytes()).file("b.json", b.as_bytes()).file("manifest.json", manifest.as_bytes());
    let found = case().bytes(&tar.end());
    assert_eq!(gaps(&found), []);
    let labels: Vec<&str> = found.images.iter().map(|i| &*i.label).collect();
    assert_eq!(labels, ["a:1".to_owned(), format!("sha256:{}", &sha(b.as_bytes())[..12])]);
    assert!(found.images[0].facts().into_iter().all(|f| f.gone_in.is_none() && &*f.seen.origin.tree == "a:1"));
    assert_eq!(found.images[1].facts().into_iter().filter(|f| f.gone_in == Some(3)).count(), 2);
    assert_eq!(found.coverage.surfaces["python/dist-info"].files, 2);
}

#[test]
fn an_exported_root_is_one_layer() {
    for how in PACKS {
        let root = Tar::default().file("./etc/passwd", b"").file(&site("litellm_init.pth"), b"import os\n").end();
        let found = case().bytes(&pack(how, &root));
        assert_eq!((gaps(&found), paths(&found.images[0])), (vec![], vec![format!("/{SITE}/litellm_init.pth")]));
        assert_eq!((&*found.images[0].label, &found.images[0].layers[0].digest), ("image", &None));
        // Nobody may take it for the whole story.
        assert!(found.coverage.exclusions[0].reason.contains("without layers and history"));
    }
    // A file called like a manifest does not hide the rest, but is reported.
    let root =
        Tar::default().file("etc/passwd", b"").file("manifest.json", b"[]x").file(&site("a.pth"), b"import os\n");
    let found = case().bytes(&root.end());
    assert_eq!(paths(&found.images[0]).len(), 1);
    assert_eq!(gaps(&found)[0].0, GapKind::Malformed);
}

#[test]
fn indexes_may_nest_name_platforms_and_hold_other_things() {
    let layers = layers();
    let mut files = oci(&layers, Pack::Gzip);
    let index = files.pop().unwrap().1;
    let mut blob = |text: String| {
        let digest = sha(text.as_bytes());
        files.push((format!("blobs/sha256/{digest}"), text.into_bytes()));
        digest
    };
    let inner = blob(String::from_utf8(index).unwrap());
    let attested = blob(r#"{"architecture":"unknown","os":"unknown","rootfs":{"type":"layers","diff_ids":[]}}"#.into());
    let attestation = blob(format!(
        r#"{{"config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:{attested}"}},
        "layers":[{{"mediaType":"application/vnd.in-toto+json","digest":"sha256:{}"}}]}}"#,
        "0".repeat(64)
    ));
    let empty = blob("{}".into());
    let chart = blob(format!(
        r#"{{"config":{{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:{empty}"}},"layers":[]}}"#
    ));
    let top = format!(
        r#"{{"manifests":[{{"digest":"sha256:{inner}"}},{{"digest":"sha256:{inner}"}},
        {{"digest":"sha256:{attestation}","platform":{{"os":"unknown","architecture":"unknown"}}}},{{"digest":"sha256:{chart}"}},
        {{"digest":"sha256:{}","platform":{{"os":"linux","architecture":"arm64"}}}}]}}"#,
        "1".repeat(64)
    );
    files.push(("index.json".into(), top.into_bytes()));
    let found = case().bytes(&tar_of(&files));
    assert_eq!((gaps(&found), found.images.len()), (vec![], 1));
    // Known by the manifest and by the index that was pulled, not by the layout's own `index.json`.
    let manifests = &found.images[0].manifests;
    assert!(manifests.len() == 2 && manifests.contains(&format!("sha256:{inner}")), "{manifests:?}");
    let reasons: Vec<&str> = found.coverage.exclusions.iter().map(|e| e.reason.as_str()).collect();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
}

#[test]
fn members_of_gzip_and_frames_of_zstd_are_joined() {
    let layer = Tar::default().file("x", &[7; 3000]).file(&site("a.pth"), b"import os\n").end();
    let (head, tail) = layer.split_at(1000);
    let gzip = [pack(Pack::Gzip, head), pack(Pack::Gzip, tail)].concat();
    let skipped = [b"\x50\x2a\x4d\x18\x04\0\0\0GNUl".as_slice()].concat();
    let zstd = [skipped.clone(), pack(Pack::Zstd, head), pack(Pack::Zstd, tail), skipped].concat();
    for packed in [gzip, zstd] {
        let manifest = br#"[{"Config":"c.json","Layers":["0"]}]"#;
        let tar = Tar::default().file("0", &packed).file("c.json", config(std::slice::from_ref(&layer)).as_bytes());
        let found = case().bytes(&tar.file("manifest.json", manifest).end());
        assert_eq!((gaps(&found), paths(&found.images[0]).len()), (vec![], 1));
        assert!(found.images[0].verified());
    }
}
