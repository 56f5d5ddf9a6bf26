use std::{fs::File, io::Read as _, io::Write as _};

use flate2::read::GzDecoder;

use super::{
    page::u64_at,
    testing::{branch, bucket, database, leaf, padded},
    *,
};

const META_DB: &[u8] = include_bytes!("../../tests/fixtures/bolt/meta.db.gz");
/// Keys with values in `META_DB`.
const KEYS: usize = 899;
const SNAPSHOTS_DB: &[u8] = include_bytes!("../../tests/fixtures/bolt/snapshots.db.gz");

fn inflated(gzip: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(gzip).read_to_end(&mut bytes).unwrap();
    bytes
}

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

#[derive(Default)]
struct All {
    keys: Vec<(String, Vec<u8>)>,
    /// The name of a bucket that is not entered.
    but: &'static str,
}

impl Visit for All {
    fn enter(&mut self, path: &Path) -> bool {
        path.last().is_none_or(|name| **name != *self.but.as_bytes())
    }

    fn value(&mut self, path: &Path, key: &[u8], value: &[u8]) {
        let names = path.iter().map(|n| String::from_utf8_lossy(n)).chain([String::from_utf8_lossy(key)]);
        self.keys.push((names.collect::<Vec<_>>().join("|"), value.to_vec()));
    }
}

fn keys(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
    let file = file(bytes);
    let mut all = All::default();
    let database = Database::new(&file, u64::try_from(bytes.len()).unwrap()).map_err(|e| e.to_string())?;
    database.walk(&mut all).map_err(|e| e.to_string())?;
    Ok(all.keys)
}

/// Both were written by containerd 1.6; the expected values are those of a reader written in Python for this.
#[test]
fn databases_of_containerd_are_read() {
    let meta = keys(&inflated(META_DB)).unwrap();
    assert_eq!(meta.len(), KEYS);
    let value = |key: &str| meta.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_slice());
    assert_eq!(
        value("v1|k8s.io|images|registry.example/demo/app:1|target|digest").unwrap(),
        b"sha256:7bb695dd444b42ad291a1991a2c3cfcb5d4fd4485c36937aa6a739f39fb5ccd2"
    );
    assert_eq!(value("v1|k8s.io|containers|abc123|labels|io.kubernetes.pod.name").unwrap(), b"web-1");
    // On several leaves below a branch.
    let many = meta.iter().filter(|(k, _)| k.starts_with("v1|many|images|") && k.ends_with("|target|digest"));
    assert_eq!(many.count(), 121);
    let snapshots = keys(&inflated(SNAPSHOTS_DB)).unwrap();
    assert!(snapshots.iter().any(|(k, v)| k == "v1|snapshots|k8s.io/7/abc123|kind" && v == &[2]), "{snapshots:?}");
}

#[test]
fn buckets_that_nobody_wants_are_passed_over() {
    let bytes = inflated(META_DB);
    let file = file(&bytes);
    let mut all = All { but: "many", ..All::default() };
    Database::new(&file, u64::try_from(bytes.len()).unwrap()).unwrap().walk(&mut all).unwrap();
    assert!(!all.keys.is_empty() && all.keys.iter().all(|(k, _)| !k.starts_with("v1|many|")));
}

/// Writes a header again, with its checksum.
fn header(bytes: &mut [u8], page: usize, change: impl Fn(&mut [u8])) {
    let at = page * 4096 + 16;
    change(&mut bytes[at..at + 56]);
    let sum = meta::fnv(&bytes[at..at + 56]).to_le_bytes();
    bytes[at + 56..at + 64].copy_from_slice(&sum);
}

#[test]
fn the_newer_of_two_whole_headers_counts() {
    let bytes = inflated(META_DB);
    let transaction = |page: usize| u64_at(&bytes, page * 4096 + 16 + 48).unwrap();
    let newer = usize::from(transaction(1) > transaction(0));
    for damaged in [0, 1] {
        let mut half = bytes.clone();
        half[damaged * 4096 + 16 + 20] ^= 1;
        let file = file(&half);
        let database = Database::new(&file, u64::try_from(half.len()).unwrap()).unwrap();
        assert_eq!(database.meta.transaction, transaction(1 - damaged), "the other is whole");
    }
    // A header that is written when the reading is over.
    let file = file(&bytes);
    let database = Database::new(&file, u64::try_from(bytes.len()).unwrap()).unwrap();
    assert_eq!(database.meta.transaction, transaction(newer));
    let mut later = bytes.clone();
    header(&mut later, 1 - newer, |meta| meta[48..56].copy_from_slice(&(transaction(newer) + 1).to_le_bytes()));
    file.write_all_at(&later, 0).unwrap();
    assert!(matches!(database.walk(&mut All::default()), Err(BoltError::Changed)));
    let mut none = bytes.clone();
    (none[30], none[4096 + 30]) = (0xff, 0xff);
    assert_eq!(keys(&none), Err("a damaged header".into()));
    assert_eq!(keys(&[0; 8192]), Err("no header of bbolt".into()));
    assert_eq!(keys(b""), Err("it ends too early".into()));
    let mut other = bytes.clone();
    other[16..20].reverse();
    other[4096 + 16] = 0;
    assert_eq!(keys(&other), Err("it was written on a machine of the other byte order".into()));
}

#[test]
fn headers_that_cannot_be_are_refused() {
    let bytes = inflated(META_DB);
    let with = |change: &dyn Fn(&mut [u8])| {
        let mut bytes = bytes.clone();
        (0..2).for_each(|page| header(&mut bytes, page, change));
        keys(&bytes)
    };
    let impossible = Err("a header that cannot be".into());
    assert_eq!(with(&|meta| meta[8..12].copy_from_slice(&u32::MAX.to_le_bytes())), impossible);
    assert_eq!(with(&|meta| meta[8..12].copy_from_slice(&0_u32.to_le_bytes())), impossible);
    assert_eq!(with(&|meta| meta[16..24].copy_from_slice(&u64::MAX.to_le_bytes())), impossible);
    assert_eq!(with(&|meta| meta[4] = 3), Err("another version of the format".into()));
    // More pages than the file has, and the root is the last.
    let far = |meta: &mut [u8]| {
        meta[16..24].copy_from_slice(&(u64::MAX - 1).to_le_bytes());
        meta[40..48].copy_from_slice(&u64::MAX.to_le_bytes());
    };
    assert_eq!(with(&far), Err("it ends too early".into()));
    // The root is a header.
    assert_eq!(
        with(&|meta| meta[16..24].copy_from_slice(&0_u64.to_le_bytes())),
        Err("a page that is none of a tree".into())
    );
}

#[test]
fn every_cut_is_an_error_or_whole() {
    for (gzip, whole) in [(SNAPSHOTS_DB, keys(&inflated(SNAPSHOTS_DB)).unwrap().len()), (META_DB, KEYS)] {
        let bytes = inflated(gzip);
        for len in (0..bytes.len()).step_by(4099) {
            if let Ok(keys) = keys(&bytes[..len]) {
                assert_eq!(keys.len(), whole, "{len}");
            }
        }
    }
}

#[test]
fn damage_does_no_harm() {
    let whole = inflated(SNAPSHOTS_DB);
    let mut random: u64 = 88_172_645_463_325_252;
    for _ in 0..500 {
        let mut bytes = whole.clone();
        for _ in 0..20 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let at = 8192 + usize::try_from(random >> 8).unwrap() % (bytes.len() - 8192);
            bytes[at] = u8::try_from(random & 0xff).unwrap();
        }
        let _ = keys(&bytes);
    }
}

#[test]
fn pages_that_run_on_and_buckets_within_values_are_read() {
    let inline = [bucket(0), leaf(0, &[(0, b"k", b"v".to_vec())])].concat();
    let keys = keys(&database(&[padded(leaf(2, &[(1, b"in", inline), (0, b"long", vec![b'x'; 900])]))])).unwrap();
    assert_eq!(keys, [("in|k".to_owned(), b"v".to_vec()), ("long".to_owned(), vec![b'x'; 900])]);
}

#[test]
fn trees_that_bite_their_tails_end() {
    let twice = Err("a page that is in two places".to_owned());
    assert_eq!(keys(&database(&[padded(branch(2, &[2]))])), twice);
    assert_eq!(keys(&database(&[padded(branch(2, &[3, 3])), padded(leaf(3, &[]))])), twice);
    assert_eq!(keys(&database(&[padded(leaf(2, &[(1, b"a", bucket(2))]))])), twice);
    let shared = [(1, b"a".as_slice(), bucket(3)), (1, b"b", bucket(3))];
    assert_eq!(keys(&database(&[padded(leaf(2, &shared)), padded(leaf(3, &[]))])), twice);
    let other = Err("a page with another number".to_owned());
    assert_eq!(keys(&database(&[padded(leaf(3, &[]))])), other);
}

#[test]
fn more_pages_than_there_are_do_not_wait() {
    let below: Vec<u64> = (10..1010).collect();
    assert_eq!(keys(&database(&[padded(branch(2, &below))])), Err("more pages than there are".into()));
}

#[test]
fn small_pages_do_not_stand_for_much() {
    // Every element has the same value.
    let mut page = padded(leaf(2, &[(0, b"k", vec![b'v'; 400])]));
    page[10] = 8;
    let first = page[16..32].to_vec();
    for n in 1..8_u32 {
        let at = 16 + usize::try_from(n).unwrap() * 16;
        page[at..at + 16].copy_from_slice(&first);
        page[at + 4..at + 8].copy_from_slice(&(16 - 16 * n.min(1)).to_le_bytes());
    }
    assert_eq!(keys(&database(&[page])), Err("keys that overlap".into()));
    let mut deep: Vec<_> = (2..60).map(|n| padded(branch(n, &[n + 1]))).collect();
    deep.push(padded(leaf(60, &[])));
    assert_eq!(keys(&database(&deep)), Err("a tree that is too deep".into()));
    let mut nested: Vec<_> = (2..60).map(|n| padded(leaf(n, &[(1, b"b", bucket(n + 1))]))).collect();
    nested.push(padded(leaf(60, &[])));
    assert_eq!(keys(&database(&nested)), Err("buckets are nested too deeply".into()));
    let within = [bucket(0), leaf(0, &[(1, b"c", bucket(0))])].concat();
    let nested = padded(leaf(2, &[(1, b"b", [within, leaf(0, &[])].concat())]));
    assert!(keys(&database(&[nested])).is_err());
    // Each of these runs on to the end of the file.
    let mut pages: Vec<_> = (2..40).map(|n| padded(leaf(n, &[(1, b"a", bucket(n + 1))]))).collect();
    pages.truncate(10);
    (0..10_u8).for_each(|n| pages[usize::from(n)][12] = 9 - n);
    assert_eq!(keys(&database(&pages)), Err("pages that overlap".into()));
    let mut far = padded(leaf(2, &[]));
    far[12..16].fill(0xff);
    assert_eq!(keys(&database(&[far])), Err("a page that does not exist".into()));
}
