//! Parts of a sweep: what goes in comes out, and hostile ones are refused.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    num::NonZeroUsize,
};

use sha2::{Digest as _, Sha256};

use super::*;
use crate::{image::shard::Shard, stop::STOP};

fn head(number: usize, of: usize) -> PartHead {
    PartHead::new(
        (number, of),
        ("indicators".into(), "reader".into()),
        "images".into(),
        "2026-03-25T00:00:00Z".parse().unwrap(),
    )
}

/// The parts of so many shards.
fn parts(case: &Case, path: &Path, of: usize) -> Vec<Vec<u8>> {
    let part = |number| {
        let shard = Shard { number, of: NonZeroUsize::new(of).unwrap() };
        let written = case.with_options(&[path], |inputs, options, packing| {
            let (sweep, plan) = Sweep::plan_and_store(inputs, options);
            let own = shard.share(&sweep.weights());
            let mut part = Writing::begin(Vec::new(), head(number, of), plan).unwrap();
            sweep.write_share(options, packing, &own, &mut part).unwrap();
            part.end(own.len(), (10, 100)).unwrap()
        });
        written.unwrap()
    };
    (1..=of).map(part).collect()
}

fn read(case: &Case, bytes: &[u8]) -> Result<Part, String> {
    // Each stays open: it has a file of its own.
    let path = case.folder.path().join("part");
    let _ = std::fs::remove_file(&path);
    File::create(&path).unwrap().write_all(bytes).unwrap();
    Part::read(File::open(&path).unwrap()).map_err(|why| why.to_string())
}

fn joined(case: &Case, parts: &[Vec<u8>]) -> Examination {
    let all = parts.iter().map(|bytes| read(case, bytes).unwrap()).collect();
    let mut parts = Parts::new(all).unwrap();
    let interest: &'static Interest = Box::leak(Box::default());
    let packing: &'static Packing<'static> = Box::leak(Box::new(Packing::new(interest)));
    let sweep = Sweep::of_parts(&mut parts);
    let mut images = Vec::new();
    let router = Router::new(SURFACES.to_vec(), interest);
    let coverage = sweep.join(&parts, packing, &router, &STOP, &mut |image| images.push(image));
    Examination { images, coverage, again: 0 }
}

fn described(examination: &Examination) -> Vec<String> {
    let one = |i: &Image<'_>| {
        let steps: Vec<_> = i.steps.iter().map(|s| format!("{s:?}")).collect();
        format!("{} {:?} {:?} {:?} {:?} {steps:?} {:?}", i.label, i.tags, i.id, i.created, i.holds, fact_lines(i))
    };
    let coverage = &examination.coverage;
    let about = format!("{:?} {:?} {} {:?}", coverage.gaps, coverage.trees, coverage.files_seen, coverage.surfaces);
    examination.images.iter().map(one).chain([about]).collect()
}

#[test]
fn shards_joined_are_what_one_run_reads() {
    let (case, layers) = (case(), layers());
    for (name, bytes) in [
        ("a.tar", saved(&layers)),
        ("b.tar", saved(&layers[..2])),
        ("c.tar", hybrid(&layers[1..])),
        ("cut.tar", saved(&layers)[..3000].to_vec()),
        // Compressed: its layers are read one after the other.
        ("d.tar.gz", pack(Pack::Gzip, &saved(&layers[..3]))),
    ] {
        case.write(&format!("f/{name}"), &bytes);
    }
    let folder = case.folder.path().join("f");
    let whole = described(&case.examine(&folder).unwrap());
    for of in [1, 2, 3, 9] {
        let mut parts = parts(&case, &folder, of);
        assert_eq!(described(&joined(&case, &parts)), whole, "{of}");
        parts.reverse();
        parts.push(parts[0].clone());
        assert_eq!(described(&joined(&case, &parts)), whole, "{of}");
    }
    let mut parts = parts(&case, &folder, 3);
    parts.remove(1);
    let short = joined(&case, &parts);
    let details: Vec<&str> = gaps(&short).iter().map(|g| g.1).collect();
    assert!(details[0].contains("in none of the parts") && details[1].contains("shard 2/3 is missing"), "{details:?}");
}

#[test]
fn parts_that_are_cut_or_changed_are_refused() {
    let case = case();
    let path = case.write("image", &saved(&layers()));
    let bytes = parts(&case, &path, 1).remove(0);
    assert!(read(&case, &bytes).is_ok() && is_part(&bytes));
    let end = bytes.iter().rposition(|b| *b == b'}').unwrap();
    for len in (0..end).step_by(97) {
        assert!(read(&case, &bytes[..len]).is_err(), "{len}");
    }
    let mut changed = 0;
    for at in (0..end).step_by(61) {
        let mut other = bytes.clone();
        other[at] ^= 0x20;
        // Padding and the owner of a member say nothing.
        match read(&case, &other) {
            Err(_) => changed += 1,
            Ok(part) => assert_eq!(Parts::new(vec![part]).unwrap().lacking(), []),
        }
    }
    assert!(changed > 20, "{changed}");
    assert!(read(&case, b"").is_err() && read(&case, &[0; 4096]).is_err());
    assert!(read(&case, &saved(&layers())).unwrap_err().contains("no part"));
    // A later version, and numbers that are none.
    for (from, to) in [
        ("\"version\":1", "\"version\":9"),
        ("\"number\":1", "\"number\":7"),
        ("\"of\":1", "\"of\":0"),
        ("dosimeter-part\"", "dosimeter-xxxx\""),
    ] {
        let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
        let mut other = bytes.clone();
        other[at..at + to.len()].copy_from_slice(to.as_bytes());
        assert!(read(&case, &other).is_err(), "{to}");
    }
}

/// A part whose bytes are whole and whose layers say nothing that this version understands.
#[test]
fn a_layer_that_cannot_be_understood_is_a_gap() {
    let case = case();
    let path = case.write("image", &saved(&layers()[..1]));
    let bytes = parts(&case, &path, 1).remove(0);
    let mut tar = tar::Archive::new(bytes.as_slice());
    let mut other = tar::Builder::new(Vec::new());
    let mut sum = Sha256::new();
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let mut body = String::new();
        match entry.read_to_string(&mut body) {
            Ok(_) if name == "end.json" => {
                let mut end: serde_json::Value = serde_json::from_str(&body).unwrap();
                end["sha256"] = crate::text::hex(&sum.clone().finalize()).into();
                body = end.to_string();
            }
            Ok(_) if name.starts_with("sha256/") => body = body.replace("\"verified\"", "\"verifiee\""),
            _ => {}
        }
        let mut raw = body.into_bytes();
        if name.ends_with(".zst") {
            raw = bytes[usize::try_from(entry.raw_file_position()).unwrap()..]
                [..usize::try_from(entry.size()).unwrap()]
                .to_vec();
        }
        sum.update(name.as_bytes());
        sum.update([0]);
        sum.update(u64::try_from(raw.len()).unwrap().to_be_bytes());
        sum.update(&raw);
        let mut header = tar::Header::new_ustar();
        header.set_size(u64::try_from(raw.len()).unwrap());
        other.append_data(&mut header, &name, raw.as_slice()).unwrap();
    }
    let found = joined(&case, &[other.into_inner().unwrap()]);
    assert_eq!(gaps(&found), [(GapKind::Malformed, "what a part says of the layer cannot be read")]);
    assert!(!found.images[0].is_whole());
}
