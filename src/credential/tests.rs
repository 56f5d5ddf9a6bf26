//! The catalogue as a whole: its form, and every kind against its fixture in `tests/fixtures/credential/kinds`.

use std::collections::{BTreeMap, BTreeSet};

use include_dir::{Dir, include_dir};
use serde::Deserialize;

use super::*;
use crate::{
    coverage::Gap,
    fact::{Credential, Fact, Origin, Seen, TreePath},
    interest::Interest,
    surface::{Opened, Sink, Surface},
    tree::{Body, Entry},
};

static FIXTURES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/tests/fixtures/credential/kinds");

/// Stands in every secret place of every fixture.
const CANARY: &str = "CANARY";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    path: String,
    text: String,
    finds: Vec<Found>,
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
struct Found {
    #[serde(default)]
    inner: Option<String>,
    #[serde(default)]
    identifier: Option<String>,
}

fn inspect(surface: &CredentialSurface, path: &str, mut bytes: &[u8]) -> (Vec<Seen>, Vec<Gap>) {
    let (mut seen, mut gaps) = (Vec::new(), Vec::new());
    let path = TreePath::new(path.as_bytes()).unwrap();
    let len = u64::try_from(bytes.len()).unwrap();
    let entry = Entry { path: path.clone(), len, mtime: None, btime: None, uid: None, gid: None, mode: None };
    let interest = Interest::default();
    let claimed =
        surface.claims(&interest).iter().any(|c| c.file.fits(path.name()) && c.folder.fits(path.parent().as_bytes()));
    if claimed {
        let mut body = Body::stream(&mut bytes, len);
        let (mut keep, mut gap) = (|s| seen.push(s), |g| gaps.push(g));
        let origin = Origin::file(&"host".into(), path);
        let mut sink = Sink::new("credential/file", origin, &entry, &mut keep, &mut gap);
        surface.inspect(&mut Opened::new(&entry, &interest, &mut body), &mut sink).unwrap();
    }
    let said = format!("{seen:?}{gaps:?}");
    assert!(!said.contains(CANARY), "leaked from {said}");
    (seen, gaps)
}

fn credential(seen: &Seen) -> &Credential {
    match &seen.fact {
        Fact::Credential(c) => c,
        other => panic!("{other:?}"),
    }
}

fn surface() -> CredentialSurface {
    CredentialSurface::new(&Catalog::embedded().unwrap(), &[]).unwrap()
}

fn cases(kind: &str) -> Vec<Case> {
    let file = FIXTURES.get_file(format!("{kind}.json"));
    file.map(|f| serde_json::from_slice(f.contents()).unwrap()).unwrap_or_default()
}

#[test]
fn every_kind_finds_its_fixture_and_leaves_the_look_alike() {
    let (catalog, surface) = (Catalog::embedded().unwrap(), surface());
    for kind in &catalog.kinds {
        let cases = cases(&kind.id);
        let plain = kind.places.iter().all(|p| matches!(p.reader, model::Reader::Opaque));
        let both = cases.iter().any(|c| c.finds.is_empty()) && cases.iter().any(|c| !c.finds.is_empty());
        assert!(plain || both, "{}: needs a fixture with a hit and a look-alike", kind.id);
        for case in cases {
            let hit = case.text.contains(CANARY) || case.finds.is_empty() || case.text.contains("PRIVATE KEY");
            assert!(hit, "{}: no canary in {}", kind.id, case.path);
            let (seen, gaps) = inspect(&surface, &case.path, case.text.as_bytes());
            let secrets = seen.iter().filter(|s| !matches!(s.fact, Fact::Reference(_)));
            let of_kind = secrets.filter(|s| *credential(s).kind == *kind.id);
            let found: Vec<Found> = of_kind
                .map(|s| Found {
                    inner: s.origin.inner.as_deref().map(Into::into),
                    identifier: credential(s).identifier.clone(),
                })
                .collect();
            assert_eq!(found, case.finds, "{} in {}", kind.id, case.path);
            assert!(gaps.is_empty(), "{} in {}: {gaps:?}", kind.id, case.path);
        }
    }
}

#[test]
fn every_opaque_place_is_presence() {
    let (catalog, surface) = (Catalog::embedded().unwrap(), surface());
    for kind in &catalog.kinds {
        for place in kind.places.iter().filter(|p| matches!(p.reader, model::Reader::Opaque)) {
            let path = place.path.replace("~/", "home/al/").replace("**", "a/b").replace('*', "1");
            let found =
                |bytes: &[u8]| inspect(&surface, &path, bytes).0.iter().any(|s| *credential(s).kind == *kind.id);
            assert!(found(b"\0CANARY\xff") && !found(b"\n"), "{} {path}", kind.id);
        }
    }
}

#[test]
fn every_variable_leads_to_its_kind() {
    let (catalog, surface) = (Catalog::embedded().unwrap(), surface());
    let mut owners = BTreeMap::new();
    for kind in &catalog.kinds {
        for variable in &kind.variables {
            assert_eq!(variable.public.is_some(), variable.public_form.is_some(), "{}", variable.name);
            let other = owners.insert(variable.name.clone(), kind.id.clone());
            assert_eq!(other, None, "{} has two kinds", variable.name);
            let name = variable.name.replace('*', "A_");
            for text in [format!("{name}=postgres://u:CANARY@h/x"), format!("{name}=${{X}}\nB={name}\n")] {
                let (seen, _) = inspect(&surface, "srv/app/.env", text.as_bytes());
                let kinds: Vec<&str> = seen.iter().map(|s| &*credential(s).kind).collect();
                let want: &[&str] = if text.contains(CANARY) { &[&kind.id] } else { &[] };
                assert_eq!(kinds, want, "{text}");
            }
        }
    }
}

#[test]
fn every_kind_is_of_the_documented_form() {
    let schema = embedded::files("schema").into_iter().find(|(n, _)| *n == "credential.schema.json").unwrap().1;
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let catalog = Catalog::embedded().unwrap();
    let ids: BTreeSet<&str> = catalog.kinds.iter().map(|k| k.id.as_str()).collect();
    for (file, text) in embedded::files("credentials") {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        let errors: Vec<String> = schema.iter_errors(&value).map(|e| format!("{} at {}", e, e.instance_path)).collect();
        assert!(errors.is_empty(), "{file}: {errors:?}");
        let kind: Kind = serde_json::from_str(text).unwrap();
        assert_eq!(file, format!("{}.json", kind.id));
        let identifies = kind.identifies.as_deref().map(regex::Regex::new);
        assert!(identifies.is_none_or(|form| form.is_ok()), "{file}: not a regular expression");
        assert!(kind.edges.iter().all(|e| ids.contains(e.as_str()) && *e != kind.id), "{file}: an edge to no kind");
    }
    for file in FIXTURES.files() {
        let name = file.path().file_stem().unwrap().to_str().unwrap();
        assert!(ids.contains(name), "fixture {name} of no kind");
    }
}

#[test]
fn the_schema_refuses_what_the_program_refuses() {
    let schema = embedded::files("schema").into_iter().find(|(n, _)| *n == "credential.schema.json").unwrap().1;
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let good = embedded::files("credentials").into_iter().find(|(n, _)| *n == "aws.access_key.json").unwrap().1;
    for (from, to) in [
        ("\"mode\": \"issue_first\"", "\"mode\": \"later\""),
        ("\"tier\": 2", "\"tier\": 7"),
        ("\"id\": \"aws.access_key\"", "\"id\": \"Aws Key\""),
        ("\"provider\"", "\"povider\""),
        ("\"format\": \"ini\"", "\"format\": \"xml\""),
        ("\"~/.aws/credentials\"", "\".aws/credentials\""),
    ] {
        assert!(good.contains(from), "{from}");
        let value = serde_json::from_str(&good.replacen(from, to, 1)).unwrap();
        assert!(!schema.is_valid(&value), "{to}");
    }
}

#[test]
fn hostile_files_are_gaps_that_quote_nothing() {
    let surface = surface();
    for (path, bytes) in [
        ("home/al/.docker/config.json", b"{\"auths\":{\"CANARY".to_vec()),
        ("home/al/.docker/config.json", [b"{\"CANARY\":\"".as_slice(), &vec![b'a'; 17 << 20], b"\"}"].concat()),
        ("home/al/.kube/config", b"users: [CANARY".to_vec()),
        ("home/al/.kube/config", b"users: \xff\xfeCANARY".to_vec()),
        ("home/al/.kube/config", b"[".repeat(1 << 19)),
        ("srv/.env", vec![b'A'; 2 << 20]),
        ("home/al/.git-credentials", vec![b'h'; 1 << 20]),
    ] {
        let (seen, gaps) = inspect(&surface, path, &bytes);
        assert!(seen.is_empty() && gaps.len() == 1, "{path}: {seen:?} {gaps:?}");
    }
    // Where others use the name, what is nothing like it is no gap.
    let minified = format!("{{\"a\":\"{}\"}}", "CANARY".repeat(1 << 19));
    let (seen, gaps) = inspect(&surface, "srv/keys/en.json", minified.as_bytes());
    assert_eq!((seen.len(), gaps.len()), (0, 0), "{gaps:?}");
    // What stands below a quote without an end is reported all the same.
    let (seen, gaps) = inspect(&surface, "srv/.env", b"A_TOKEN='CANARY\nB_TOKEN=CANARY");
    assert_eq!((seen.len(), gaps.len()), (2, 1));
    let five =
        format!("{{\"pad\":\"{}\",\"auths\":{{\"registry.example\":{{\"auth\":\"CANARY\"}}}}}}", "p".repeat(5 << 20));
    let (seen, gaps) = inspect(&surface, "home/al/.docker/config.json", five.as_bytes());
    assert_eq!((seen.len(), gaps.len()), (1, 0));
    for noise in
        [&b"\0\0\0\0"[..], b"\xff\xfe\0C\0A\0N\0A\0R\0Y", b"\xef\xbb\xbf\r\n\r\n", b"\r", b"=\n=\n", b"[]\n[[[\n"]
    {
        for path in
            ["home/al/.aws/credentials", "srv/.env", "srv/x.pem", "home/al/.netrc", "home/al/.ssh/x", "etc/shadow"]
        {
            assert!(inspect(&surface, path, noise).0.is_empty(), "{path} {noise:?}");
        }
    }
}

#[test]
fn a_moved_place_is_claimed_and_read() {
    let catalog = Catalog::embedded().unwrap();
    let text = b"export AWS_SHARED_CREDENTIALS_FILE=/srv/aws/creds\nexport DOCKER_CONFIG=/srv/docker\n";
    let moved = moved::moved_places(&catalog, &[moved::Setting { home: None, text }], &[]).places;
    let moved = CredentialSurface::new(&catalog, &moved).unwrap();
    let aws = b"[ci]\naws_secret_access_key = CANARY\n";
    let docker = br#"{"auths":{"registry.example":{"auth":"CANARY"}}}"#;
    for (path, bytes) in [("srv/aws/creds", aws.as_slice()), ("srv/docker/config.json", docker)] {
        assert!(inspect(&surface(), path, bytes).0.is_empty());
        assert_eq!(inspect(&moved, path, bytes).0.len(), 1);
    }
}

#[test]
fn a_broken_kind_is_named() {
    let mut kind = Catalog::embedded().unwrap().kind("netrc").unwrap().clone();
    kind.places[0].path = "netrc".into();
    let broken = CredentialSurface::new(&Catalog { kinds: vec![Arc::new(kind)] }, &[]);
    assert!(broken.err().unwrap().starts_with("netrc: netrc: "));
}
