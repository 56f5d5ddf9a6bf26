//! Images of a registry on loopback, honest and hostile.

use std::io::Read as _;

use super::*;
use crate::online::registry::{
    Credentials, Host, Mirrors, Options, Wire,
    tests::server::{Reply, Server},
};

/// What a registry holds, by the end of the path that it is asked for.
#[derive(Default, Clone)]
struct Held(HashMap<String, Vec<u8>>);

impl Held {
    /// A blob, by its digest.
    fn blob(&mut self, bytes: &[u8]) -> String {
        let digest = Digest::sha256(bytes).to_string();
        self.0.insert(format!("/blobs/{digest}"), bytes.to_vec());
        digest
    }

    /// A manifest, by its digest and these tags.
    fn manifest(&mut self, bytes: &str, tags: &[&str]) -> String {
        let digest = Digest::sha256(bytes.as_bytes()).to_string();
        for which in tags.iter().copied().chain([digest.as_str()]) {
            self.0.insert(format!("/manifests/{which}"), bytes.as_bytes().to_vec());
        }
        digest
    }

    /// An image of these layers.
    fn image(&mut self, layers: &[&[u8]], tags: &[&str]) -> String {
        let ids: Vec<String> = layers.iter().map(|l| Digest::sha256(l).to_string()).collect();
        let config = format!(r#"{{"os":"linux","architecture":"amd64","rootfs":{{"diff_ids":{ids:?}}}}}"#);
        let config = self.blob(config.as_bytes());
        let layers: Vec<String> = layers.iter().map(|l| described(&self.blob(l), l.len(), LAYER)).collect();
        self.manifest(&manifest(&config, &layers), tags)
    }

    fn serve(self) -> Server {
        Server::start(move |request| {
            let path = request
                .path
                .rsplit_once('/')
                .map_or(String::new(), |(front, last)| format!("/{}/{last}", front.rsplit('/').next().unwrap()));
            self.0.get(&path).map_or_else(
                || Reply::new(404, ""),
                |bytes| Reply::ok(bytes.clone()).with("Docker-Content-Digest", Digest::sha256(bytes).as_str()),
            )
        })
    }
}

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

fn described(digest: &str, size: usize, kind: &str) -> String {
    format!(r#"{{"mediaType":"{kind}","digest":"{digest}","size":{size}}}"#)
}

fn manifest(config: &str, layers: &[String]) -> String {
    let config = described(config, 9, "application/vnd.oci.image.config.v1+json");
    format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{}]}}"#, layers.join(","))
}

fn index(parts: &[(&str, &str)]) -> String {
    let part = |(digest, platform): &(&str, &str)| {
        let (os, architecture) = platform.split_once('/').unwrap();
        format!(r#"{{"digest":"{digest}","size":9,"platform":{{"os":"{os}","architecture":"{architecture}"}}}}"#)
    };
    format!(r#"{{"manifests":[{}]}}"#, parts.iter().map(part).collect::<Vec<_>>().join(","))
}

fn opened(server: &Server) -> Registry {
    let wire = Arc::new(Wire::new(Options::default()).unwrap());
    let host = Host::parse(&server.address).unwrap();
    Registry::open(&host, wire, &Arc::new(Credentials::none()), &Mirrors::default()).unwrap()
}

fn wanted(all: &[(&str, &str)]) -> Vec<Wanted> {
    let own = |(repository, which): &(&str, &str)| Wanted { repository: (*repository).into(), which: (*which).into() };
    all.iter().map(own).collect()
}

fn choice(platforms: Platforms) -> Choice {
    Choice { platforms, referrers: false, threads: 2 }
}

fn amd64() -> Choice {
    choice(Platforms::of("linux/amd64").unwrap())
}

const READERS: Readers<'_> =
    Readers { history: &|_, _| Vec::new(), environment: &|_| Vec::new(), arguments: &|_| Vec::new() };

fn flaws(plan: &Plan) -> Vec<String> {
    plan.flaws.iter().map(|(path, flaw)| format!("{}: {flaw}", String::from_utf8_lossy(path.as_bytes()))).collect()
}

fn left_out(plan: &Plan) -> Vec<&str> {
    plan.left_out.iter().map(|(_, why)| why.split([':', '(']).next().unwrap().trim()).collect()
}

#[test]
fn images_are_planned_with_their_layers_and_each_thing_is_fetched_once() {
    let mut held = Held::default();
    let one = held.image(&[b"base", b"one"], &["1.0", "latest"]);
    held.image(&[b"base", b"two"], &["2.0"]);
    let server = held.serve();
    let registry = opened(&server);
    let at = [("team/a", "1.0"), ("team/a", "latest"), ("team/b", "2.0"), ("team/b", "none")];
    let images = RegistryImages::new(&registry, wanted(&at), amd64());
    let plan = images.plan(READERS);
    let name = |rest: &str| format!("{}/{rest}", server.address);
    assert_eq!(plan.images.len(), 2);
    assert_eq!(plan.images[0].tags, [name("team/a:1.0"), name("team/a:latest")]);
    assert_eq!(plan.images[0].manifests, [one.strip_prefix("sha256:").unwrap()]);
    assert_eq!((plan.images[0].architecture.as_deref(), plan.is_image), (Some("amd64"), true));
    let layers: Vec<_> = plan.images.iter().flat_map(|i| &i.layers).map(|l| l.member.clone().unwrap()).collect();
    assert_eq!(layers[0], layers[2], "one base");
    assert_eq!(layers[0].0.as_bytes(), format!("team/a/blobs/{}", Digest::sha256(b"base")).as_bytes());
    assert_eq!((layers[0].1, layers.len()), (4, 4));
    let flaws = flaws(&plan);
    assert!(flaws.len() == 1 && flaws[0].starts_with("team/b/manifests/none: cannot read: `http://"), "{flaws:?}");
    // Four tags, two manifests, two configurations.
    assert_eq!(server.log().len(), 4 + 2 + 2, "{:?}", server.lines());
    let Ok(Content::Blob(mut bytes)) = images.open(&layers[3].0) else { panic!() };
    let mut text = String::new();
    bytes.read_to_string(&mut text).unwrap();
    assert_eq!(text, "two");
    let Ok(Content::Blob(mut bytes)) = images.open(&layers[3].0) else { panic!() };
    bytes.skip(2).unwrap();
    text.clear();
    bytes.read_to_string(&mut text).unwrap();
    assert_eq!(text, "o");
    assert!(images.open(&TreePath::new(b"team/a/blobs/sha256:00").unwrap()).is_err());
}

#[test]
fn one_platform_is_read_and_the_others_are_listed() {
    let mut held = Held::default();
    let amd = held.image(&[b"amd"], &[]);
    let arm = held.image(&[b"arm"], &[]);
    let attests = held.image(&[b"{}"], &[]);
    held.manifest(&index(&[(&amd, "linux/amd64"), (&arm, "linux/arm64"), (&attests, "unknown/unknown")]), &["all"]);
    held.manifest(&index(&[(&arm, "linux/arm64")]), &["arm"]);
    let server = held.serve();
    let registry = opened(&server);
    let read = |choice: Choice, which: &str| {
        let images = RegistryImages::new(&registry, wanted(&[("a", which)]), choice);
        images.plan(READERS)
    };
    let plan = read(amd64(), "all");
    assert_eq!((plan.images.len(), flaws(&plan)), (1, Vec::new()));
    assert_eq!(left_out(&plan), ["an image for another platform"; 2]);
    assert_eq!(plan.images[0].manifests.len(), 2, "the index too");
    let plan = read(choice(Platforms::All), "all");
    assert_eq!((plan.images.len(), left_out(&plan).len()), (3, 0));
    let plan = read(amd64(), "arm");
    let flaws = flaws(&plan);
    assert!(plan.images.is_empty() && flaws.len() == 1 && flaws[0].contains("--platform"), "{flaws:?}");
    // What one index passes over another may ask for.
    let images = RegistryImages::new(&registry, wanted(&[("a", "all"), ("a", &arm)]), amd64());
    let plan = images.plan(READERS);
    assert_eq!((plan.images.len(), left_out(&plan).len()), (2, 1), "{:?}", left_out(&plan));
}

#[test]
fn signatures_are_left_out_and_file_systems_that_pose_as_one_are_not() {
    let mut held = Held::default();
    let cosign = "application/vnd.dev.cosign.simplesigning.v1+json";
    let config = held.blob(br#"{"rootfs":{"diff_ids":["x"]}}"#);
    let (text, tar) = (br#"{"critical":{}}"#.as_slice(), [b"etc/passwd".as_slice(), &[0; 600]].concat());
    let (text, tar) = (described(&held.blob(text), text.len(), cosign), described(&held.blob(&tar), tar.len(), cosign));
    held.manifest(&manifest(&config, &[text]), &["signature"]);
    held.manifest(&manifest(&config, &[tar]), &["posing"]);
    let chart = held.blob(br#"{"name":"chart"}"#);
    let of_chart = manifest(&chart, &[described(&chart, 16, "application/x.chart.tar+gzip")]);
    held.manifest(&of_chart.replace("image.config", "chart"), &["chart"]);
    let server = held.serve();
    let registry = opened(&server);
    let all = wanted(&[("a", "signature"), ("a", "posing"), ("a", "chart")]);
    let plan = RegistryImages::new(&registry, all, amd64()).plan(READERS);
    let names: Vec<_> = plan.images.iter().flat_map(|i| &i.tags).collect();
    assert_eq!(names, [&format!("{}/a:posing", server.address)]);
    assert_eq!(left_out(&plan), ["not a container image", "a signature, an attestation or another artifact"]);
}

#[test]
fn what_a_registry_does_not_hold_is_never_fetched_from_elsewhere() {
    let elsewhere = Server::start(|_| Reply::ok("layer"));
    let mut held = Held::default();
    let config = held.blob(br#"{"os":"windows","rootfs":{"diff_ids":["x"]}}"#);
    let digest = held.blob(b"layer");
    let url = elsewhere.url("/layer");
    let foreign = format!(r#"{{"mediaType":"{LAYER}","digest":"{digest}","size":5,"urls":["{url}"]}}"#);
    held.manifest(&manifest(&config, &[foreign]), &["1"]);
    let server = held.serve();
    let registry = opened(&server);
    let plan = RegistryImages::new(&registry, wanted(&[("a", "1")]), amd64()).plan(READERS);
    assert!(plan.images[0].layers[0].member.is_none());
    assert!(flaws(&plan).iter().any(|f| f.contains("(`urls`)")), "{:?}", flaws(&plan));
    assert!(elsewhere.log().is_empty());
}

#[test]
fn a_layer_that_breaks_says_why_in_the_words_of_the_client() {
    let mut held = Held::default();
    held.image(&[b"honest"], &["1"]);
    let config = held.blob(br#"{"os":"linux","rootfs":{"diff_ids":["x"]}}"#);
    let lies = described(&held.blob(b"honest"), 5, LAYER);
    held.manifest(&manifest(&config, &[lies]), &["lies"]);
    let server = held.serve();
    let registry = opened(&server);
    let images = RegistryImages::new(&registry, wanted(&[("a", "lies")]), amd64());
    let layer = images.plan(READERS).images[0].layers[0].member.clone().unwrap().0;
    let error = images.open(&layer).err().unwrap().to_string();
    assert!(error.contains("has 6 bytes where 5 were announced"), "{error}");
    // Both sizes are known: that is a gap, whichever is right.
    let images = RegistryImages::new(&registry, wanted(&[("a", "1"), ("a", "lies")]), amd64());
    let flaws = flaws(&images.plan(READERS));
    assert!(flaws.len() == 1 && flaws[0].contains("another size"), "{flaws:?}");
    // In the middle of it.
    let long = vec![b'x'; 100];
    let (mut held, digest) = (Held::default(), Digest::sha256(&long).to_string());
    let of = manifest(&held.blob(br#"{"rootfs":{"diff_ids":["x"]}}"#), &[described(&digest, 100, LAYER)]);
    held.manifest(&of, &["1"]);
    let json = held.0.clone();
    let server = Server::start(move |request| match request.path.contains(&digest) {
        true => Reply::ok(vec![b'x'; 120]).length(None),
        false => {
            let found = json.iter().find(|(end, _)| request.path.ends_with(*end));
            found.map_or_else(|| Reply::new(404, ""), |(_, bytes)| Reply::ok(bytes.clone()))
        }
    });
    let registry = opened(&server);
    let images = RegistryImages::new(&registry, wanted(&[("a", "1")]), amd64());
    let layer = images.plan(READERS).images[0].layers[0].member.clone().unwrap().0;
    let Ok(Content::Blob(mut bytes)) = images.open(&layer) else { panic!() };
    let error = bytes.read_to_end(&mut Vec::new()).unwrap_err();
    let flaw = crate::image::codec::flaw(error, "layer").to_string();
    assert!(flaw.contains("sends more than 100 bytes"), "{flaw}");
}

#[test]
fn hostile_json_is_a_gap() {
    let mut held = Held::default();
    for (tag, text) in [("deep", "[".repeat(200_000)), ("none", "{}".to_owned()), ("text", "<html>".to_owned())] {
        held.manifest(&text, &[tag]);
    }
    let inner = format!("sha256:{}", "a".repeat(64));
    held.manifest(&index(&[(&inner, "linux/amd64")]), &["missing"]);
    held.manifest(&manifest("sha256:../../../etc/passwd", &[described("../x", 1, LAYER)]), &["paths"]);
    let server = held.serve();
    let registry = opened(&server);
    let all = [("a", "deep"), ("a", "none"), ("a", "text"), ("a", "missing"), ("a", "paths")];
    let images = RegistryImages::new(&registry, wanted(&all), amd64());
    let plan = images.plan(READERS);
    assert_eq!(plan.images.len(), 1, "the one whose parts are missing");
    assert!(plan.images[0].layers.iter().all(|l| l.member.is_none()));
    assert_eq!(plan.flaws.len(), 5, "{:?}", flaws(&plan));
    assert!(images.state().bytes > 200_000);
}

#[test]
fn what_refers_to_an_image_is_noted() {
    let mut held = Held::default();
    let image = held.image(&[b"base"], &["1"]);
    let list = format!(r#"{{"manifests":[{{"digest":"{}"}}]}}"#, Digest::sha256(b"signature"));
    held.0.insert(format!("/referrers/{image}"), list.into_bytes());
    let server = held.serve();
    let registry = opened(&server);
    let choice = Choice { referrers: true, ..amd64() };
    let plan = RegistryImages::new(&registry, wanted(&[("a", "1")]), choice).plan(READERS);
    assert!(Platforms::here() != Platforms::All);
    assert_eq!(left_out(&plan), ["it refers to an image of this registry"]);
}

#[test]
fn names_stand_for_images() {
    let server = Server::start(|request| match request.path.split('?').next().unwrap() {
        "/v2/_catalog" => Reply::ok(r#"{"repositories":["b","team/a","team/none"]}"#),
        "/v2/team/a/tags/list" => Reply::ok(r#"{"tags":["2","1"]}"#),
        "/v2/b/tags/list" => Reply::ok(r#"{"tags":null}"#),
        _ => Reply::new(404, ""),
    });
    let registry = opened(&server);
    let read = |names: &[&str]| {
        let target = |rest: &&str| crate::online::registry::parse(&format!("{}/{rest}", server.address)).unwrap();
        let images = RegistryImages::named(&registry, &names.iter().map(target).collect::<Vec<_>>(), amd64());
        let state = images.state();
        let flaws: Vec<String> =
            state.flaws.iter().map(|(path, _)| String::from_utf8_lossy(path.as_bytes()).into()).collect();
        drop(state);
        (images.wanted, flaws)
    };
    let both = wanted(&[("team/a", "1"), ("team/a", "2")]);
    assert_eq!(read(&[""]), (both.clone(), vec!["team/none/tags/list".to_owned()]));
    assert_eq!(read(&["team/", "team/a:1"]).0, both);
    assert_eq!(read(&["team/"]).1, ["team/none/tags/list"]);
    assert_eq!(read(&["team/a", "b:x"]).0, wanted(&[("team/a", "latest"), ("b", "x")]));
    let asked = |end: &str| server.log().iter().filter(|request| request.path.contains(end)).count();
    let before = [asked("_catalog"), asked("team/a/tags")];
    assert_eq!(read(&["", "team/", "b/x"]).1.len(), 1);
    assert_eq!([asked("_catalog"), asked("team/a/tags")], before.map(|n| n + 1), "each list is asked for once");
}

#[test]
fn what_names_no_digest_or_is_in_two_repositories_is_fetched_once() {
    let mut held = Held::default();
    held.image(&[b"base"], &["1", "2"]);
    let server = Server::start(move |request| {
        let path: Vec<&str> = request.path.rsplitn(3, '/').collect();
        let found = held.0.get(&format!("/{}/{}", path[1], path[0]));
        found.map_or_else(|| Reply::new(404, ""), |bytes| Reply::ok(bytes.clone()))
    });
    let registry = opened(&server);
    let images = RegistryImages::new(&registry, wanted(&[("a", "1"), ("b", "2"), ("c", "none")]), amd64());
    let plan = images.plan(READERS);
    assert_eq!((plan.images.len(), plan.images[0].tags.len(), plan.flaws.len()), (1, 2, 1), "{:?}", flaws(&plan));
    // Three tags; two of them in full, as no digest is said; one configuration.
    assert_eq!(server.log().len(), 3 + 2 + 1, "{:?}", server.lines());
}

#[test]
fn tags_that_say_that_they_are_no_image_are_not_fetched() {
    let hex = "a".repeat(64);
    let tags =
        format!(r#"{{"tags":["1","sha256-{hex}.sig","sha256-{hex}.att","sha256-{hex}.sbom","sha256-{hex}.exe"]}}"#);
    let server = Server::start(move |request| match request.path.split('?').next().unwrap() {
        "/v2/_catalog" => Reply::ok(r#"{"repositories":["a"]}"#),
        "/v2/a/tags/list" => Reply::ok(tags.clone()),
        _ => Reply::new(404, ""),
    });
    let registry = opened(&server);
    let target = |rest: &str| crate::online::registry::parse(&format!("{}/{rest}", server.address)).unwrap();
    let images = RegistryImages::named(&registry, &[target("")], amd64());
    assert_eq!(images.wanted, wanted(&[("a", "1"), ("a", &format!("sha256-{hex}.exe"))]));
    let plan = images.plan(READERS);
    assert_eq!(left_out(&plan), ["an attestation", "a list of components", "a signature"]);
    assert!(server.log().iter().all(|request| !request.path.contains(".sig")));
    // Whoever types one wants it.
    let name = format!("a:sha256-{hex}.sig");
    assert_eq!(RegistryImages::named(&registry, &[target(&name)], amd64()).wanted.len(), 1);
}

#[test]
fn little_json_is_held() {
    let mut state = State::default();
    for n in 0..100 {
        state.hold(n.to_string(), Ok(vec![0; 1 << 20].into()));
    }
    assert!(state.bytes <= HELD && state.held.len() == state.order.len() && state.held.contains_key("99"));
    assert!(!state.held.contains_key("0"));
    let before = state.bytes;
    state.hold("99".to_owned(), Ok(vec![0; 1 << 20].into()));
    assert_eq!((state.bytes, state.order.len()), (before, state.held.len()));
}
