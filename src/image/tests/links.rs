//! Links within layers and between them, and files that others name.

use super::{build::*, *};

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
fn links_lead_through_linked_folders_of_the_root() {
    let tar = Tar::default()
        .link(tar::EntryType::Symlink, "lib", "usr/lib")
        .link(tar::EntryType::Symlink, &site("a.pth"), "/lib/hook")
        .link(tar::EntryType::Symlink, &site("b.pth"), "/lib/nothing")
        .file("usr/lib/hook", b"import os\n");
    let found = one_layer(tar);
    assert!(paths(&found.images[0]).contains(&format!("/{SITE}/a.pth")));
    assert_eq!(gaps(&found), []);
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

/// What is wanted by its own name as well is read where it stands.
#[test]
fn a_link_into_another_layer_to_what_is_read_there_is_no_gap() {
    use tar::EntryType::Symlink;
    let one = "usr/lib/python3/dist-packages/a-1.dist-info/METADATA";
    let base = || Tar::default().link(Symlink, "lib", "usr/lib").dir("usr/lib");
    let own = "opt/venv/lib/python3.11/site-packages/a-1.dist-info/METADATA";
    let link = |target: &str| Tar::default().link(Symlink, own, target).end();
    let read = |layers: &[Vec<u8>]| {
        let found = case().bytes(&saved(layers));
        let facts = found.images[0].facts().into_iter().filter(|f| matches!(f.seen.fact, Fact::Package(_)));
        (facts.count(), gaps(&found).len())
    };
    let direct = base().file(one, METADATA).end();
    assert_eq!(read(&[direct.clone(), link(&format!("/{one}"))]), (1, 0));
    // By a folder that is a link.
    let linked = link("/lib/python3/dist-packages/a-1.dist-info/METADATA");
    assert_eq!(read(&[direct.clone(), linked.clone()]), (1, 0));
    // By a link of the other layer, which is wanted too and followed there.
    let twice = base().link(Symlink, one, "/opt/own").file("opt/own", METADATA).end();
    assert_eq!(read(&[twice, linked.clone()]), (1, 0));
    // The folder leads elsewhere, to what nobody reads by its own name.
    let away = Tar::default().link(Symlink, "lib", "opt").file("opt/python3/dist-packages/x", b"").end();
    let moved = Tar::default().link(Symlink, "opt/python3/dist-packages/a-1.dist-info", "/srv/x").end();
    let hidden = Tar::default().file("srv/x/METADATA", METADATA).end();
    assert_eq!(read(&[away, moved, hidden, linked]), (0, 1));
    // Another surface wants the link.
    let other = Tar::default().link(Symlink, "app/requirements.txt", &format!("/{one}")).end();
    assert_eq!(read(&[direct, other]).1, 1);
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
