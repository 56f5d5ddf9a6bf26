//! Images that are damaged, or made to mislead.

use std::sync::atomic::Ordering;

use super::{build::*, *};
use crate::walk::Bounds;

#[test]
fn long_names_and_extended_headers() {
    let long = site(&format!("{}/site-packages/litellm_init.pth", "d".repeat(90)));
    let gnu = Tar::default()
        .raw(b"././@LongLink", tar::EntryType::GNULongName, "", long.len() as u64 + 1, format!("{long}\0").as_bytes())
        .file("short", b"import os\n");
    assert_eq!(paths(&one_layer(gnu).images[0]), [format!("/{long}")]);
    // A value with line ends in front of the name: readers that split by line lose the name.
    let record = |key: &str, value: &str| {
        let rest = format!(" {key}={value}\n");
        let digits = (rest.len() + 3).to_string().len();
        format!("{}{rest}", rest.len() + digits)
    };
    let records = format!("{}{}{}", record("SCHILY.xattr.user.x", "\n\n"), record("path", &long), record("size", "10"));
    let pax = Tar::default()
        .raw(b"x", tar::EntryType::XHeader, "", records.len() as u64, records.as_bytes())
        .raw(b"short", tar::EntryType::Regular, "", 9999, b"import os\n")
        .file(&site("after.pth"), b"import os\n");
    assert_eq!(paths(&one_layer(pax).images[0]), [format!("/{SITE}/after.pth"), format!("/{long}")]);
    // A folder has no body, whatever its size says: what stands there is a member.
    let lying =
        Tar::default().raw(b"opt", tar::EntryType::Directory, "", 512, b"").file(&site("hidden.pth"), b"import os\n");
    assert_eq!(paths(&one_layer(lying).images[0]), [format!("/{SITE}/hidden.pth")]);
}

#[test]
fn hostile_tars_end_in_a_gap_and_keep_what_came_before() {
    let good = || Tar::default().file(&site("a.pth"), b"import os\n");
    let huge = 1 << 40;
    let sparse = good().raw(site("b.pth").as_bytes(), tar::EntryType::GNUSparse, "", 0, b"");
    for (tar, kind) in [
        (good().raw(b"l", tar::EntryType::GNULongName, "", huge, b"x"), GapKind::Malformed),
        (good().raw(b"x", tar::EntryType::XHeader, "", 8, b"99 a=b\n\n"), GapKind::Malformed),
        (good().raw(b"big.img", tar::EntryType::Regular, "", huge, b"x"), GapKind::Truncated),
        (good().raw(b"big.img", tar::EntryType::Regular, "", u64::MAX - 5, b"x"), GapKind::Malformed),
        (Tar([good().0, vec![b'A'; 2048]].concat()), GapKind::Malformed),
        (sparse, GapKind::Unsupported),
    ] {
        let found = one_layer(tar);
        assert_eq!((paths(&found.images[0]).len(), gaps(&found)[0].0), (1, kind), "{:?}", gaps(&found));
    }
}

#[test]
fn what_is_cut_off_is_reported() {
    let whole = saved(&layers());
    for how in PACKS {
        let packed = pack(how, &whole);
        for share in [3, 7, 9] {
            let case = case();
            let path = case.write("cut", &packed[..packed.len() * share / 10]);
            if let Ok(found) = case.examine(&path) {
                assert!(!found.coverage.complete(), "{share}");
            }
        }
    }
    let layers = layers();
    for how in [Pack::Gzip, Pack::Zstd] {
        let mut files = oci(&layers, how);
        let cut = files[1].1.len() - 12;
        files[1].1.truncate(cut);
        let found = case().bytes(&tar_of(&files));
        assert!(
            gaps(&found).iter().any(|g| matches!(g.0, GapKind::Truncated | GapKind::Malformed)),
            "{:?}",
            gaps(&found)
        );
        assert!(paths(&found.images[0]).iter().any(|p| p.contains("click")));
    }
}

#[test]
fn a_compressed_file_that_ends_at_once_is_reported_and_one_of_something_else_is_no_image() {
    let whole = saved(&layers());
    for how in [Pack::Gzip, Pack::Zstd] {
        let packed = pack(how, &whole);
        for cut in [12, 30, packed.len() / 50] {
            assert_eq!(gaps(&case().bytes(&packed[..cut]))[0].0, GapKind::Truncated, "{cut}");
        }
        let case = case();
        let other = case.write("x", &pack(how, &[b'x'; 4000]));
        assert!(matches!(case.examine(&other), Err(ImageError::NotAnImage(_))));
    }
}

#[test]
fn a_layer_that_is_not_what_it_should_be_is_reported() {
    let layers = layers();
    let mut files = oci(&layers, Pack::Gzip);
    files[1].1 = pack(Pack::Gzip, &layers[2]);
    let found = case().bytes(&tar_of(&files));
    assert_eq!(gaps(&found), [(GapKind::Malformed, "not a valid layer: it does not match its digest")]);
    assert!(!found.images[0].verified());
    files.remove(1);
    assert_eq!(
        gaps(&case().bytes(&tar_of(&files))),
        [(GapKind::Malformed, "not a valid saved image: a layer is missing")]
    );
    for (head, name) in [(b"BZh91AY".as_slice(), "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"{\"_type\":", "not a valid tar")] {
        let mut files = oci(&layers, Pack::Plain);
        files[1].1[..head.len()].copy_from_slice(head);
        let found = case().bytes(&tar_of(&files));
        assert!(gaps(&found)[0].1.contains(name), "{:?}", gaps(&found));
    }
}

#[test]
fn bombs_are_cut_off() {
    let mut case = case();
    case.limits = Limits { layer_bytes: 1 << 30, ratio: 100, ratio_from: 1 << 20, names: 8, ..Limits::default() };
    let zeros = Tar::default().file(&site("a.pth"), b"import os\n").file("zeros", &vec![0; 8 << 20]).end();
    for how in [Pack::Gzip, Pack::Zstd] {
        let found = case.bytes(&tar_of(&oci(std::slice::from_ref(&zeros), how)));
        assert_eq!((gaps(&found)[0].0, paths(&found.images[0]).len()), (GapKind::TooLarge, 1));
    }
    assert_eq!(gaps(&case.bytes(&tar_of(&oci(std::slice::from_ref(&zeros), Pack::Plain)))), []);
    case.limits.layer_bytes = 1 << 20;
    assert_eq!(gaps(&case.bytes(&tar_of(&oci(&[zeros], Pack::Plain))))[0].0, GapKind::TooLarge);
    let many = (0..20).fold(Tar::default(), |tar, i| tar.file(&format!("{i}"), b""));
    assert_eq!(gaps(&case.bytes(&saved(&[many.end()])))[0].0, GapKind::TooLarge);
}

#[test]
fn links_over_the_budget_of_their_layer_are_reported() {
    let mut case = case();
    case.limits.links = 1;
    let target = site("a-1.dist-info/METADATA");
    let link = Tar::default().file("x", METADATA).link(tar::EntryType::Symlink, &target, "/x");
    let other = Tar::default().link(tar::EntryType::Symlink, "y", "/x").end();
    // Each layer has a bound of its own.
    assert_eq!(gaps(&case.bytes(&saved(&[link.clone().end(), other]))), []);
    let found = case.bytes(&saved(&[link.link(tar::EntryType::Symlink, "y", "/x").end()]));
    assert!(matches!(gaps(&found).as_slice(), [(GapKind::TooLarge, detail)] if detail.contains("more links")));
}

#[test]
fn floods_of_problems_and_facts_are_counted_not_kept() {
    let flood = |body: &str, limits: Limits| {
        let file = |tar: Tar, n: u32| {
            let body = body.replace('1', &n.to_string());
            tar.file(&site(&format!("x-{n}.dist-info/METADATA")), body.as_bytes())
        };
        let tar = (0..5).fold(Tar::default(), file);
        let found = Case { limits, ..case() }.bytes(&saved(&[tar.end()]));
        (gaps(&found).iter().map(|g| g.1.to_owned()).collect::<Vec<_>>(), paths(&found.images[0]).len())
    };
    let (details, _) = flood("nothing", Limits { gaps: 2, ..Limits::default() });
    assert_eq!(
        (details.len(), details.iter().filter(|t| t.starts_with("3 more problems")).count()),
        (3, 1),
        "{details:?}"
    );
    let most = |evidence| Limits { facts: Bounds { evidence, ..Bounds::TREE }, ..Limits::default() };
    // Three versions, and the names of their folders, which nothing kept says.
    let (details, kept) = flood("Name: x\nVersion: 1\n", most(2));
    assert_eq!((details, kept), (vec!["6 more facts than are kept were read in this layer".to_owned()], 2));
    assert_eq!(flood("Name: x\nVersion: 1\n", most(5)), (vec![], 5));
}

#[test]
fn frames_of_zstd_may_ask_for_as_much_as_engines_write_and_no_more() {
    let layer = Tar::default().file(&site("a.pth"), b"import os\n").end();
    let found = |window: u32| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(window).unwrap();
        io::Write::write_all(&mut encoder, &layer).unwrap();
        let mut files = oci(std::slice::from_ref(&layer), Pack::Plain);
        // A frame that says little of itself first, as zstd:chunked has it.
        files[0].1 = [pack(Pack::Zstd, b""), encoder.finish().unwrap()].concat();
        let found = case().bytes(&tar_of(&files));
        (paths(&found.images[0]).len(), gaps(&found)[0].1.to_owned())
    };
    // Both are details not to match the digest that they had when they were plain.
    assert_eq!(found(25), (1, "not a valid layer: it does not match its digest".to_owned()));
    assert_eq!(found(27), (0, "a zstd frame with so large a window is not supported".to_owned()));
}

#[test]
fn an_index_in_itself_ends() {
    // No one can make a digest cycle, but a damaged or forged store can hold one.
    let digest = "2".repeat(64);
    let index = format!(
        r#"{{"manifests":[{{"digest":"sha256:{digest}"}},{{"digest":"sha256:{digest}","annotations":{{"org.opencontainers.image.ref.name":"a"}}}}]}}"#
    );
    let files =
        [(format!("blobs/sha256/{digest}"), index.clone().into_bytes()), ("index.json".into(), index.into_bytes())];
    let found = case().bytes(&tar_of(&files));
    assert!(found.images.is_empty() && !found.coverage.complete());
}

#[test]
fn broken_manifests_are_gaps() {
    for manifest in [
        "",
        "[",
        "[]",
        "{}",
        "[{\"Config\":\"x.json\"}]",
        "[{\"Config\":\"../x\",\"Layers\":[\"/etc/passwd\"]}]",
        "\u{0}",
    ] {
        let found = case().bytes(&Tar::default().file("manifest.json", manifest.as_bytes()).end());
        assert!(!found.coverage.complete(), "{manifest:?}");
        assert_eq!(found.images.iter().map(|i| i.facts().len()).sum::<usize>(), 0);
    }
}

/// Whoever owns a container can write into its root.
#[test]
fn a_manifest_in_the_root_of_a_container_hides_nothing() {
    let root = |manifest: &str| {
        let config = br#"{"rootfs":{"diff_ids":[]}}"#;
        Tar::default()
            .file("c.json", config)
            .file("manifest.json", manifest.as_bytes())
            .file(&site("a.pth"), b"import os\n")
    };
    for how in PACKS {
        let found = case().bytes(&pack(how, &root(r#"[{"Config":"c.json","Layers":[]}]"#).end()));
        let all: Vec<String> = found.images.iter().flat_map(paths).collect();
        assert_eq!((all, found.images.len()), (vec![format!("/{SITE}/a.pth")], 2));
    }
    // And an image archive is no root.
    assert_eq!(case().bytes(&hybrid(&layers())).images.len(), 1);
}

#[test]
fn one_member_named_twice_in_the_archive_is_reported() {
    let layers = layers();
    let (first, second) = (config(&layers[..1]), config(&layers));
    let manifest = br#"[{"Config":"c.json","Layers":["0.tar"]}]"#;
    for how in PACKS {
        let tar = Tar::default().file("c.json", second.as_bytes()).file("c.json", first.as_bytes());
        let tar = tar.file("0.tar", &layers[1]).file("0.tar", &layers[0]).file("manifest.json", manifest).end();
        let found = case().bytes(&pack(how, &tar));
        assert_eq!(paths(&found.images[0]), [format!("/{SITE}/click-8.1.7.dist-info/METADATA")]);
        assert_eq!(found.coverage.gaps.len(), 2, "{:?}", gaps(&found));
    }
}

#[test]
fn names_are_cleaned_as_engines_clean_them() {
    let tar = Tar::default()
        .file(&format!("/{}", site("absolute.pth")), b"import os\n")
        .file(&format!("opt/../{}", site("dots.pth")), b"import os\n")
        .file("../../etc/evil.pth", b"import os\n")
        .file(&site(".wh..."), b"");
    let found = one_layer(tar);
    assert_eq!(paths(&found.images[0]), [format!("/{SITE}/absolute.pth"), format!("/{SITE}/dots.pth")]);
    assert_eq!(gaps(&found), [(GapKind::Malformed, "2 member names that no system would accept were not read")]);
}

#[test]
fn an_interrupted_examination_ends_without_false_gaps() {
    let case = case();
    case.stop.store(true, Ordering::Relaxed);
    let path = case.write("x", &hybrid(&layers()));
    assert_eq!(gaps(&case.examine(&path).unwrap()), []);
}
