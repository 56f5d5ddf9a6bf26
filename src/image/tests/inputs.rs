//! What holds images: folders that were packed, several inputs, things that are no image.

use super::{build::*, *};

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
fn in_a_folder_nothing_that_may_be_an_image_is_passed_over() {
    let (case, layers) = (case(), layers());
    case.write("f/a.tar", &saved(&layers[..1]));
    case.write("f/sub/b.tar", &saved(&layers[..2]));
    for (name, bytes) in oci(&layers, Pack::Gzip) {
        case.write(&format!("f/sub/deep/{name}"), &bytes);
    }
    case.write("f/notes.txt", b"nothing");
    let folder = case.folder.path().join("f");
    let found = case.examine(&folder).unwrap();
    assert_eq!((gaps(&found), found.images.len()), (vec![], 3));
    let left_out: Vec<_> = found.coverage.exclusions.iter().map(|e| e.origin.path.text().into_owned()).collect();
    assert_eq!(left_out, ["/notes.txt"]);
    case.write("f/c.tar.xz", b"\xfd7zXZ\0nothing");
    case.write("f/1/2/3/4/5/d.tar", &saved(&layers));
    let found = case.examine(&folder).unwrap();
    let details: Vec<&str> = gaps(&found).iter().map(|g| g.1).collect();
    assert_eq!(details.len(), 2, "{details:?}");
    assert!(details.iter().any(|d| d.contains("xz")) && details.iter().any(|d| d.contains("so deep")), "{details:?}");
    // A folder of a machine is no folder of archives.
    case.write("root/var/lib/docker/x", b"");
    assert!(
        matches!(case.examine(&case.folder.path().join("root")), Err(ImageError::NotAnImage(why)) if why.contains("--root"))
    );
}

#[test]
fn file_systems_of_other_kinds_are_gaps_that_say_what_they_are() {
    let case = case();
    let sif = [b"#!/usr/bin/env run-singularity\n\0SIF_MAGIC\0".as_slice(), &[0; 600]].concat();
    let squashfs = [b"hsqs".as_slice(), &[0; 600]].concat();
    let [sif, squashfs] = [case.write("app.sif", &sif), case.write("in/root", &squashfs)];
    case.write("in/app.tar", &saved(&layers()));
    for (path, what) in
        [(&sif, "an image of Apptainer"), (&squashfs, "a squashfs"), (&sif, "apptainer build --sandbox")]
    {
        let found = case.examine(path).unwrap();
        assert!(found.images.is_empty());
        let [(GapKind::Unsupported, detail)] = gaps(&found)[..] else { panic!("{:?}", gaps(&found)) };
        assert!(detail.contains(what), "{detail}");
    }
    // Beside an image, in a folder.
    let found = case.examine(squashfs.parent().unwrap()).unwrap();
    assert_eq!((found.images.len(), gaps(&found).len()), (1, 1), "{:?}", gaps(&found));
}
