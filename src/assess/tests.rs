//! What is known by its bytes alone.

use super::*;
use crate::ioc::{
    Database,
    model::{ArtifactIndicator, Incident},
};

/// The first embedded incident with a made-up artifact: the hash of harmless text.
fn index() -> Index {
    let mut database = Database::embedded().unwrap();
    let mut incident: Incident = database.incidents.remove(0);
    let sha256 = hex(&Sha256::digest("harmless"));
    incident.artifacts = vec![ArtifactIndicator {
        name: "made-up-1.whl".into(),
        sha256: Some(sha256),
        sha512: Some("5".repeat(128)),
        sha1: Some("1".repeat(40)),
        ..Default::default()
    }];
    database.incidents = vec![incident];
    Index::new(database, &[])
}

fn found(text: &str) -> Vec<(Exposure, Confidence, FindingKind)> {
    findings(file(Some(hex(&Sha256::digest(text))), None)).iter().map(|f| (f.exposure, f.confidence, f.kind)).collect()
}

fn file(sha256: Option<String>, digest: Option<&str>) -> Fact {
    Fact::File { sha256, digest: digest.map(Into::into), size: 8, texts: Vec::new(), program: false }
}

fn findings(fact: Fact) -> Vec<Finding> {
    let tree: Arc<str> = "t".into();
    let path = TreePath::new(b"home/al/renamed.bin").unwrap();
    let seen = Seen {
        surface: "host/every-file",
        origin: Origin::file(&tree, path),
        at: None,
        uid: None,
        gid: None,
        mode: None,
        unit: None,
        fact,
    };
    let index = index();
    let case =
        Case { index: &index, catalog: &Catalog::default(), evidence: vec![seen.into()], accounts: BTreeMap::new() };
    assess(case).findings
}

#[test]
fn a_renamed_wheel_is_known_by_its_bytes() {
    assert_eq!(found("harmless"), [(Exposure::Cached, Confidence::Confirmed, FindingKind::File)]);
    assert_eq!(found("other"), []);
}

#[test]
fn stored_bytes_are_known_by_the_hash_that_their_place_says() {
    let said = |digest: &str| -> Vec<String> {
        findings(file(None, Some(digest))).iter().map(|f| format!("{} {}", f.indicator, f.reason)).collect()
    };
    let (long, short) = ("5".repeat(128), "1".repeat(40));
    assert_eq!(said(&format!("sha512:{long}")), [format!("sha512/{long} the bytes of `made-up-1.whl`, by SHA-512")]);
    assert_eq!(said(&format!("sha1:{short}")), [format!("sha1/{short} the bytes of `made-up-1.whl`, by SHA-1")]);
    for other in [format!("sha512:{}", "6".repeat(128)), format!("sha1:{}", "1".repeat(39)), String::new()] {
        assert_eq!(said(&other), [""; 0], "{other}");
    }
}
