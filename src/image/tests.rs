//! Images made here, in each layout and compression, honest and hostile.
#![allow(clippy::disallowed_methods, clippy::as_conversions, reason = "tests make their own inputs")]

mod bounds;
mod build;
mod hostile;

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
        let mut images = Vec::new();
        let coverage = Sweep::plan(inputs, &options).run(&options, packing, &mut |image| images.push(image));
        Ok(Examination { images, coverage })
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
fn folders_that_were_packed_whole_are_the_images_in_them() {
    let layers = layers();
    let packed = |folders: &[&str]| {
        let files = oci(&layers, Pack::Gzip);
        let named = folders.iter().flat_map(|f| files.iter().map(move |(n, b)| (format!("{f}/{n}"), b.clone())));
        named.collect::<Vec<_>>()
    };
    for how in PACKS {
        let found = case().bytes(&pack(how, &tar_of(&packed(&["app"]))));
        assert_eq!(
            (gaps(&found), fact_lines(&found.images[0])),
            (vec![], fact_lines(&case().bytes(&saved(&layers)).images[0]))
        );
    }
    let found = case().bytes(&tar_of(&packed(&["app", "other"])));
    let labels: Vec<&str> = found.images.iter().map(|i| &*i.label).collect();
    // Both hold the same image.
    assert_eq!((gaps(&found), labels), (vec![], vec!["demo/app:1.0"]));
    // A system that holds such a folder is a system.
    let mut files = packed(&["app"]);
    files.push((site("a.pth"), b"import os\n".to_vec()));
    assert_eq!(paths(&case().bytes(&tar_of(&files)).images[0]), [format!("/{SITE}/a.pth")]);
}

#[test]
fn an_image_of_another_file_does_not_get_the_same_name() {
    let case = case();
    let other = |n: u8| saved(&[Tar::default().file(&site("a.pth"), &[n]).end()]);
    let paths = [case.write("a/image", &other(1)), case.write("b/image", &other(2)), case.write("c/image", &other(3))];
    let found = case.examine_all(&paths.each_ref().map(|p| p.as_path())).unwrap();
    let labels: Vec<&str> = found.images.iter().map(|i| &*i.label).collect();
    assert_eq!(labels, ["demo/app:1.0", "demo/app:1.0 in image", "demo/app:1.0 in image #2"]);
}

#[test]
fn an_image_that_several_inputs_hold_is_one() {
    let (case, layers) = (case(), layers());
    let paths = [
        case.write("a.tar", &saved(&layers)),
        case.write("b.tar.gz", &pack(Pack::Gzip, &hybrid(&layers))),
        case.write("c.tar", &tar_of(&oci(&layers, Pack::Zstd))),
    ];
    let alone = fact_lines(&case.examine(&paths[0]).unwrap().images[0]);
    let found = case.examine_all(&paths.each_ref().map(|p| p.as_path())).unwrap();
    assert_eq!((found.images.len(), gaps(&found)), (1, vec![]));
    assert_eq!(fact_lines(&found.images[0]), alone);
    // What one input lacks another one has, and a damaged copy hides nothing.
    let mut files = oci(&layers, Pack::Zstd);
    let end = files[1].1.len() - 1;
    files[1].1[end] ^= 1;
    files.remove(2);
    let damaged = case.write("d.tar", &tar_of(&files));
    for order in [[&damaged, &paths[2]], [&paths[2], &damaged]] {
        let found = case.examine_all(&order.map(|p| p.as_path())).unwrap();
        assert_eq!((found.images.len(), fact_lines(&found.images[0])), (1, alone.clone()), "{:?}", gaps(&found));
    }
}

/// Layers that write through a link of a lower one.
#[test]
fn what_was_written_through_a_linked_folder_is_removed_by_its_real_name() {
    let usr = |rest: &str| format!("usr/lib/python3/dist-packages/{rest}");
    let lib = |rest: &str| format!("lib/python3/dist-packages/{rest}");
    let base = Tar::default().dir("usr/lib").link(tar::EntryType::Symlink, "lib", "usr/lib").end();
    let gone = |layers: &[Vec<u8>]| {
        let found = case().bytes(&saved(layers));
        assert_eq!(gaps(&found), []);
        found.images[0].facts().iter().map(|f| f.gone_in).collect::<Vec<_>>()
    };
    let written = |name: String| Tar::default().file(&name, b"import os\n").end();
    for (put, taken) in
        [(lib("a.pth"), usr(".wh.a.pth")), (usr("a.pth"), lib(".wh.a.pth")), (lib("a.pth"), lib(".wh.a.pth"))]
    {
        assert_eq!(gone(&[base.clone(), written(put), written(taken)]), [Some(2)]);
    }
    // A folder of its own takes the place of the link: the two are two from there on.
    let own = Tar::default().dir("lib").file(&lib("a.pth"), b"import os\n").end();
    assert_eq!(gone(&[base.clone(), own, written(usr(".wh.a.pth"))]), [None]);
    let own = Tar::default().dir("lib").file(&lib(".wh.a.pth"), b"").end();
    assert_eq!(gone(&[base.clone(), written(usr("a.pth")), own]), [None]);
    // The link goes, and what it led to stays.
    assert_eq!(gone(&[base.clone(), written(lib("a.pth")), written(".wh.lib".into())]), [None]);
    // A link that comes later leads nowhere yet.
    assert_eq!(gone(&[written(lib("a.pth")), base, written(usr(".wh.a.pth"))]), [Some(1)]);
}

fn one_layer(tar: Tar) -> Examination {
    case().bytes(&saved(&[tar.end()]))
}

#[test]
fn links_with_wanted_names_are_followed_inside_the_layer() {
    use tar::EntryType::{Link, Symlink};
    let (store, info) = ("root/.cache/uv/archive-v0/abc/litellm-1.82.8.dist-info/METADATA", "litellm-1.82.8.dist-info");
    let wanted = site(&format!("{info}/METADATA"));
    let has = |tar: Tar| {
        let found = one_layer(tar);
        let fact = found.images[0].facts().into_iter().find(|f| f.seen.origin.path.text() == format!("/{wanted}"));
        (fact.map(|f| f.seen.fact), gaps(&found).first().map(|g| g.1.to_owned()))
    };
    let there = |fact: &Option<Fact>| matches!(fact, Some(Fact::Package(p)) if &*p.version == "1.82.8");
    let big = [METADATA, &vec![b'x'; 200 << 10]].concat();
    for (name, body) in [(store, METADATA), (store, &big), ("pnpm/files/00/abc", METADATA)] {
        let hard = has(Tar::default().file(name, body).link(Link, &wanted, name));
        assert!(there(&hard.0) && hard.1.is_none(), "{name}");
        let soft = has(Tar::default().link(Symlink, &wanted, &format!("/{name}")).file(name, body));
        assert!(there(&soft.0) && soft.1.is_none(), "{name}");
    }
    let up = format!("../../../../../../{store}");
    assert!(there(&has(Tar::default().link(Symlink, "x", store).file(store, METADATA).link(Symlink, &wanted, "/x")).0));
    // Above the root is the root.
    assert!(there(&has(Tar::default().file(store, METADATA).link(Symlink, &wanted, &up)).0));
    // What the link should lead to is not there: the folder's name is all that is known.
    let named = |fact: &Option<Fact>| matches!(fact, Some(Fact::Named(p)) if &*p.version == "1.82.8");
    let dangling = has(Tar::default().link(Symlink, &wanted, "/nowhere"));
    assert!(named(&dangling.0) && dangling.1.is_none(), "{dangling:?}");
    let (fact, gap) = has(Tar::default().link(Link, &wanted, "nowhere"));
    assert!(named(&fact) && gap.is_some_and(|g| g.contains("hard link")));
    let cycle = Tar::default().link(Symlink, "a", "/b").link(Symlink, "b", "/a").link(Symlink, &wanted, "/a");
    let cycle = has(cycle);
    assert!(named(&cycle.0) && cycle.1.is_none(), "{cycle:?}");
}

#[test]
fn a_link_into_another_layer_is_a_gap() {
    let target = Tar::default().file("opt/target", METADATA).end();
    let link = Tar::default().link(tar::EntryType::Symlink, &site("a-1.dist-info/METADATA"), "/opt/target").end();
    let found = case().bytes(&saved(&[target, link]));
    assert_eq!(
        gaps(&found),
        [(GapKind::Unsupported, "it leads to a file of another layer, or is one that this layer names: not followed")]
    );
}

#[test]
fn of_two_members_with_one_name_the_last_counts() {
    let path = site("a-1.dist-info/METADATA");
    let version = |tar: Tar| {
        let found = one_layer(tar);
        found.images[0]
            .facts()
            .into_iter()
            .filter_map(|f| if let Fact::Package(p) = f.seen.fact { Some(p.version.to_string()) } else { None })
            .collect::<Vec<_>>()
    };
    let tar = Tar::default().file(&path, b"Name: a\nVersion: 1\n").file(&path, b"Name: a\nVersion: 2\n");
    assert_eq!(version(tar.clone()), ["2"]);
    assert!(version(tar.link(tar::EntryType::Symlink, &path, "/dev/null")).is_empty());
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
fn what_is_no_image_is_the_callers_fault() {
    let case = case();
    for bytes in [b"".as_slice(), b"plain text that is longer than nothing", &[0; 4096]] {
        let path = case.write("x", bytes);
        assert!(matches!(case.examine(&path), Err(ImageError::NotAnImage(_))), "{bytes:?}");
    }
    assert!(matches!(case.examine(&case.folder.path().join("none")), Err(ImageError::Open(_))));
    assert!(matches!(case.examine(case.folder.path()), Err(ImageError::NotAnImage(_))));
    assert!(matches!(case.examine(Path::new("/dev/null")), Err(ImageError::Open(_))));
    let bzip2 = case.write("x", b"BZh91AY&SY");
    assert_eq!(gaps(&case.examine(&bzip2).unwrap())[0].0, GapKind::Unsupported);
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

#[test]
fn what_others_name_is_read_whatever_its_name() {
    let pins = |image: &Image| {
        let named = |f: &ImageFact| f.seen.surface == "python/requirements";
        image
            .facts()
            .into_iter()
            .filter(named)
            .map(|f| f.seen.origin.path.text().into_owned())
            .collect::<BTreeSet<String>>()
    };
    let list = |text: &'static str| text.as_bytes();
    let one = Tar::default()
        .file("app/deps/base.lst", list("-r more\na==1.0\n"))
        .file("app/deps/more", list("b==2.0\n-r base.lst\n"))
        .file("app/deps/other.lst", list("c==1.0\n"))
        .file("app/requirements.txt", list("-r deps/base.lst\n-r nowhere\n-r requirements-own.txt\nz==1.0\n"))
        .file("app/requirements-own.txt", list("d==1.0\n"))
        .end();
    for stored in [saved(std::slice::from_ref(&one)), one] {
        let found = case().bytes(&stored);
        let all = ["/app/deps/base.lst", "/app/deps/more", "/app/requirements-own.txt", "/app/requirements.txt"];
        assert_eq!((pins(&found.images[0]), gaps(&found)), (all.map(str::to_owned).into(), vec![]));
    }
    // Two layers, and a link: reported.
    let lower = Tar::default().file("app/base.lst", list("a==1.0\n")).end();
    let upper = Tar::default().file("app/requirements.txt", list("-r base.lst\n")).end();
    assert_eq!(gaps(&case().bytes(&saved(&[lower, upper]))).len(), 1);
    let target = Tar::default().file("app/t", list("a==1.0\n")).file("app/requirements.txt", list("-r base.lst\n"));
    let linked = target.link(tar::EntryType::Symlink, "app/base.lst", "t").end();
    let found = case().bytes(&saved(&[linked]));
    assert!(pins(&found.images[0]).contains("/app/base.lst") && gaps(&found).is_empty(), "{:?}", gaps(&found));
}
