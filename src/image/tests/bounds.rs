//! More than fits: what is kept is the same whatever the number of threads and whichever layer ends first.

use super::{build::*, *};
use crate::{coverage::Gap, walk::Bounds};

/// Numbers that look random and are the same in each run.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// By the first letter of the file's name.
fn worth(seen: &Seen) -> Worth {
    match seen.origin.path.name().first() {
        Some(b'e') => Worth::Evidence,
        Some(b's') => Worth::Credential,
        Some(b'n') => Worth::Nothing,
        _ => Worth::Context,
    }
}

impl Case {
    /// What is said of this image by one thread and by several, and in the order of the archive; it is the same.
    fn in_every_way(&mut self, layers: &[Vec<u8>]) -> (Vec<String>, Vec<(usize, String)>) {
        let bytes = saved(layers);
        let (mut all, mut first) = (Vec::new(), None);
        for threads in [1, 2, 3, 8, 1, 2, 3, 8] {
            self.threads = threads;
            all.push(self.bytes(&bytes));
        }
        // The layers in the order of the archive.
        all.push(self.bytes(&pack(Pack::Gzip, &bytes)));
        for found in all {
            let image = &found.images[0];
            let layer = |gap: &Gap| image.layers.iter().position(|l| l.digest == gap.origin.layer).unwrap();
            let gaps = found.coverage.gaps.iter().map(|g| (layer(g), g.detail.clone()));
            let said = (fact_lines(image), gaps.collect::<Vec<_>>(), format!("{:?}", found.coverage));
            assert_eq!(*first.get_or_insert_with(|| said.clone()), said);
        }
        let (_, mut gaps, _) = first.unwrap();
        gaps.sort();
        let found = self.bytes(&bytes);
        (paths(&found.images[0]), gaps)
    }
}

/// Six layers, each with one finding, one secret, and two facts that explain. The last is the largest, so it is read first.
fn six() -> Vec<Vec<u8>> {
    let layer = |n: usize| {
        let names = ["c", "d", "e", "s"].map(|letter| site(&format!("{letter}{n}.pth")));
        let tar = names.iter().rev().fold(Tar::default(), |tar, name| tar.file(name, b"import os\n"));
        tar.file("usr/share/padding", &vec![b'x'; n * 5000]).end()
    };
    (0..6).map(layer).collect()
}

fn names(paths: &[String]) -> Vec<&str> {
    paths.iter().map(|path| path.rsplit('/').next().unwrap().trim_end_matches(".pth")).collect()
}

fn dropped(counts: &[(usize, u64)]) -> Vec<(usize, String)> {
    let detail = |n: u64| format!("{n} more facts than are kept were read in this layer");
    counts.iter().map(|(layer, n)| (*layer, detail(*n))).collect()
}

#[test]
fn of_more_facts_than_fit_the_first_of_each_layer_are_kept() {
    let mut case = case();
    case.keep = worth;
    // Of the context one fact, and its unit.
    case.limits.facts = Bounds { context: 2, evidence: 1, credentials: 1 };
    let (kept, gaps) = case.in_every_way(&six());
    let all = (0..6).flat_map(|n| ["c", "e", "s"].map(|letter| format!("{letter}{n}")));
    assert_eq!(names(&kept), all.collect::<Vec<_>>());
    assert_eq!(gaps, dropped(&[0, 1, 2, 3, 4, 5].map(|layer| (layer, 1))));
}

#[test]
fn a_bound_that_is_met_exactly_drops_nothing() {
    let mut case = case();
    case.keep = worth;
    case.limits.facts = Bounds { context: 3, evidence: 1, credentials: 1 };
    let (kept, gaps) = case.in_every_way(&six());
    assert_eq!((kept.len(), gaps), (24, vec![]));
}

#[test]
fn findings_are_kept_whatever_explains_them() {
    let mut case = case();
    case.keep = worth;
    case.limits.facts = Bounds { context: 0, evidence: 6, credentials: 0 };
    let (kept, gaps) = case.in_every_way(&six());
    assert_eq!(names(&kept), ["e0", "e1", "e2", "e3", "e4", "e5"]);
    assert_eq!(gaps, dropped(&[0, 1, 2, 3, 4, 5].map(|layer| (layer, 3))));
}

#[test]
fn a_member_that_a_later_one_replaces_is_not_kept_and_changes_nothing_else() {
    let mut case = case();
    case.keep = worth;
    case.limits.facts = Bounds { context: 0, evidence: 2, credentials: 0 };
    let hook = |tar: Tar, name: &str| tar.file(&site(name), b"import os\n");
    let replaced =
        hook(hook(Tar::default(), "e1.pth"), "e2.pth").link(tar::EntryType::Symlink, &site("e1.pth"), "/none");
    // Nobody knows whether the third came before or after the first was replaced: three were read, and two have a place.
    let (kept, gaps) = case.in_every_way(&[hook(replaced, "e3.pth").end()]);
    assert_eq!((names(&kept), gaps), (vec!["e2"], dropped(&[(0, 1)])));
    case.limits.facts.evidence = 3;
    let twice = hook(hook(Tar::default(), "e1.pth"), "e1.pth").end();
    assert_eq!(names(&case.in_every_way(&[twice]).0), ["e1"]);
}

#[test]
fn of_more_problems_than_fit_the_first_of_each_layer_are_listed() {
    let mut case = case();
    case.limits.gaps = 1;
    let layer = |n: usize| {
        let broken = |tar: Tar, name: &str| tar.file(&site(&format!("{name}.dist-info/METADATA")), b"nothing");
        broken(broken(Tar::default(), "b"), "a").file("usr/share/padding", &vec![b'x'; n * 5000]).end()
    };
    let (_, gaps) = case.in_every_way(&[layer(0), layer(1)]);
    for of in [0, 1] {
        let said: Vec<&str> = gaps.iter().filter(|g| g.0 == of).map(|g| g.1.split(' ').next().unwrap()).collect();
        assert!(said.len() == 2 && said.contains(&"1"), "{gaps:?}");
    }
}

#[test]
fn more_names_than_fit_are_reported() {
    let mut case = case();
    case.limits.names = 2;
    let hook = Tar::default().file(&site("a0.pth"), b"import os\n").end();
    let gone = |n: usize| {
        let tar = Tar::default().file(&site(".wh.a0.pth"), b"");
        (0..n).fold(tar, |tar, i| tar.file(&format!("x{i}"), b"")).end()
    };
    let detail = "more names than are kept: what this layer removes from lower ones is not fully known";
    assert_eq!(case.in_every_way(&[hook.clone(), gone(2)]).1, [(1, detail.to_owned())]);
    assert_eq!(case.in_every_way(&[hook, gone(1)]).1, []);
}

#[test]
fn of_more_layers_than_fit_those_of_the_first_images_are_kept() {
    let mut case = case();
    case.limits.held = 1;
    let (kept, gaps) = case.in_every_way(&six());
    assert!(kept.is_empty());
    let left_out = "more is known of the layers of these images than is kept: this one was left out";
    assert_eq!(gaps, (0..6).map(|layer| (layer, left_out.to_owned())).collect::<Vec<_>>());
}

/// Layers of all kinds: facts of each worth, links whose target comes later, lists that name others, members that come twice.
#[test]
fn any_layers_give_the_same_in_any_order() {
    let mut seed = 7;
    for _ in 0..6 {
        let mut case = case();
        case.keep = worth;
        let most = |seed: &mut u64| next(seed) % 12;
        let [context, evidence, credentials] = [most(&mut seed), most(&mut seed), most(&mut seed)];
        case.limits.facts = Bounds { context, evidence, credentials };
        case.limits.gaps = most(&mut seed);
        case.limits.names = 5 + next(&mut seed) % 20;
        let member = |tar: Tar, seed: &mut u64| {
            let (letter, number) = (["c", "e", "s", "n"][next(seed) as usize % 4], next(seed) % 5);
            let name = site(&format!("{letter}{number}.pth"));
            match next(seed) % 6 {
                0 => tar.link(tar::EntryType::Symlink, &name, &format!("/opt/{number}")),
                1 => tar.file(&format!("opt/{number}"), &vec![b'#'; 140 << 10]),
                2 => tar.file(&site(&format!("e-{number}.dist-info/METADATA")), b"nothing"),
                3 => tar.file("app/requirements.txt", format!("-r e{number}\ne==1.0\n").as_bytes()),
                4 => tar.file(&format!("app/e{number}"), b"e==2.0\n"),
                _ => tar.file(&name, b"import os\n"),
            }
        };
        let layer = |seed: &mut u64| (0..next(seed) % 20).fold(Tar::default(), |tar, _| member(tar, seed)).end();
        let layers: Vec<Vec<u8>> = (0..5).map(|_| layer(&mut seed)).collect();
        case.in_every_way(&layers);
    }
}
