use std::{fs::File, io::Write as _};

use super::*;
use crate::{
    fact::Ecosystem,
    ioc::feed::{Feed as _, FeedRow},
};

fn content(packages: usize) -> Content {
    let row = |n: usize| {
        let versions =
            if n.is_multiple_of(3) { vec!["*".to_owned()] } else { vec!["1.0.0".to_owned(), "1.0.1".to_owned()] };
        (Ecosystem::Npm, format!("name-{n}"), FeedRow { advisory: format!("MAL-2026-{n}"), versions })
    };
    Content {
        title: "made up".to_owned(),
        sequence: 7,
        created: "2026-11-25T00:00:00Z".parse().unwrap(),
        incidents: crate::ioc::Database::embedded().unwrap().incidents.into_iter().take(3).collect(),
        rows: (0..packages).map(row).collect(),
    }
}

fn opened(bytes: &[u8]) -> Result<Bundle, BundleError> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Bundle::open(file, "test")
}

#[test]
fn what_goes_in_comes_out() {
    let content = content(5000);
    let bytes = build(&content).unwrap();
    assert_eq!(bytes, build(&content).unwrap());
    let twice = with_signature(with_signature(bytes.clone(), "first").unwrap(), "second").unwrap();
    assert_eq!(opened(&twice).unwrap().signature.as_deref(), Some("second"));
    let bundle = opened(&bytes).unwrap();
    assert_eq!((bundle.head.packages, bundle.head.incidents), (5000, content.incidents.len()));
    assert_eq!(bundle.incidents().unwrap().len(), content.incidents.len());
    assert_eq!(
        bundle.rows(Ecosystem::Npm, "name-3"),
        [FeedRow { advisory: "MAL-2026-3".into(), versions: vec!["*".into()] }]
    );
    for n in 0..5000 {
        assert!(bundle.knows(Ecosystem::Npm, &format!("name-{n}")), "{n}");
    }
    for (ecosystem, name) in [(Ecosystem::Pypi, "name-3"), (Ecosystem::Npm, "name-5000"), (Ecosystem::Npm, "")] {
        assert!(!bundle.knows(ecosystem, name), "{name}");
    }
    assert_eq!(bundle.all().unwrap().len(), 5000);
    assert_eq!(bundle.fault(), None);
}

#[test]
fn a_change_anywhere_is_seen() {
    let bytes = with_signature(build(&content(3000)).unwrap(), "not a signature").unwrap();
    let signed = head_of(&bytes).unwrap().to_vec();
    for at in (0..bytes.len()).step_by(997).chain([0, 8, 12, signed.len(), bytes.len() - 1]) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let Ok(bundle) = opened(&changed) else { continue };
        let head = bundle.signed_part != signed;
        let signature = bundle.signature.as_deref() != Some("not a signature");
        assert!(head || signature || bundle.check().is_err(), "byte {at}");
    }
    for end in (0..bytes.len()).step_by(4999) {
        let bundle = opened(&bytes[..end]);
        // Cut right behind the body, it is an unsigned bundle.
        assert!(bundle.is_err() || bundle.unwrap().signature.is_none(), "{end}");
    }
}

#[test]
fn a_fault_is_remembered() {
    let mut bytes = build(&content(3000)).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let bundle = opened(&bytes).unwrap();
    let all = (0..3000).filter(|n| bundle.knows(Ecosystem::Npm, &format!("name-{n}"))).count();
    assert!(all < 3000);
    assert!(bundle.fault().unwrap().contains("changed after it was made"));
}

#[test]
#[allow(clippy::disallowed_methods)] // no evidence
fn other_files_are_distinguished() {
    for bytes in [b"".as_slice(), b"DOSIMBN1", b"{\"schema\": \"dosimeter.incident/1\"}", &[0; 4096]] {
        assert!(matches!(opened(bytes), Err(BundleError::Foreign)), "{bytes:?}");
    }
    assert!(matches!(Bundle::open(File::open("/dev/null").unwrap(), "x"), Err(BundleError::Foreign)));
    let json = b"{\"schema\": \"dosimeter.bundle/22\"}";
    let later = [MAGIC.as_slice(), &u32::try_from(json.len()).unwrap().to_le_bytes(), json].concat();
    assert!(matches!(opened(&later), Err(BundleError::Later(_))), "{:?}", opened(&later));
}
