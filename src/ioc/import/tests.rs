use std::io::Write as _;

use super::*;

fn bytes(name: &str, bytes: impl Into<Vec<u8>>) -> Result<Imported, ImportError> {
    read(&[(name.to_owned(), bytes.into())], Reading::default())
}

fn record(n: usize) -> String {
    format!(
        r#"{{"id":"MAL-2026-{n}","modified":"2026-03-24T00:00:00Z","affected":[{{"package":{{"ecosystem":"npm","name":"evil-{n}"}},"versions":["1.0.0"]}}]}}"#
    )
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(text).unwrap();
    writer.finish().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn one_format_in_every_wrapping() {
    let (one, two) = (record(1), record(2));
    let flat = format!("[{one}]");
    let wheel = zip(&[
        ("a/__init__.py", b"import os\nevil==1.0\n"),
        ("a/data/one.json", one.as_bytes()),
        ("a/data/two.json.gz", &gzip(format!("[{two}]").as_bytes())),
        ("a/broken.json", b"{\"id\":"),
        ("a/picture.png", &[0xff, 0xfe]),
        ("a/list.txt", b"evil==1.0\n"),
    ]);
    for (wrapped, rows) in [
        (one.clone().into_bytes(), 1),
        (flat.clone().into_bytes(), 1),
        (format!("{one}\n{two}\n").into_bytes(), 2),
        (gzip(flat.as_bytes()), 1),
        ([b"\xef\xbb\xbf".as_slice(), one.as_bytes()].concat(), 1),
        (wheel, 2),
    ] {
        assert_eq!(bytes("any.name", wrapped).unwrap().rows.len(), rows);
    }
}

#[test]
fn members_that_are_left_are_counted() {
    let one = record(1);
    let i = bytes("x.zip", zip(&[("one.json", one.as_bytes()), ("x.json", b"{\"id\":"), ("x.py", b"import os\n")]))
        .unwrap();
    assert_eq!(i.left["a member of an archive that is broken"].count, 1);
    assert_eq!(i.left["a member of an archive that is no known format"].example, "x.py");
}

#[test]
fn hostile_files_are_errors_that_name_file_and_place() {
    let one = record(1);
    let message = |b: Vec<u8>| bytes("feed.x", b).unwrap_err().to_string();
    for (broken, place) in [
        (one.as_bytes()[..one.len() - 3].to_vec(), "line 1"),
        (format!("[{one},").into_bytes(), "line 1"),
        (format!("{one}\n{{\"id\":\"MAL-2\",").into_bytes(), "line 2"),
        ("[".repeat(100_000).into_bytes(), "recursion"),
        (format!("[{{\"a\":{}", "[".repeat(100_000)).into_bytes(), "recursion"),
        ([one.as_bytes(), b"\xff"].concat(), "is not UTF-8"),
        (gzip(one.as_bytes())[..40].to_vec(), "gzip"),
        (zip(&[("one.json", one.as_bytes())])[..60].to_vec(), "zip"),
        (br#"{"Event":7}"#.to_vec(), "`Event`"),
        (br#"{"Event":{"Attribute":[{"type":7}]}}"#.to_vec(), "`type`"),
        (br#"{"type":"bundle","objects":7}"#.to_vec(), "`objects`"),
        (br#"{"type":"bundle","objects":[{"type":"indicator","pattern":7}]}"#.to_vec(), "objects[0]"),
        (b"DOSIMBN1".to_vec(), "bundle"),
    ] {
        let message = message(broken);
        assert!(message.starts_with("feed.x: ") && message.contains(place), "{place}: {message}");
    }
    for unknown in ["{}", "[]", "[1,2]", "null", "\"x\"", "{\"sequence\":1}", "<html>", "", "\0\0\0"] {
        assert!(bytes("feed.x", unknown).is_err(), "{unknown}");
    }
}

#[test]
fn giant_values_are_left() {
    let giant = "a".repeat(1 << 20);
    let text = format!("ecosystem,name,version\nnpm,{giant},1.0.0\nnpm,evil,{giant}\nnpm,evil,1.0.0\n");
    let i = bytes("x.csv", text).unwrap();
    assert_eq!(i.rows.len(), 1);
    assert!(i.left.values().all(|l| l.example.len() <= 120));
    let bomb = gzip(&vec![b' '; 2 << 20]);
    assert!(bytes("x.gz", bomb).is_err());
}

#[test]
fn the_list_of_an_incident_is_not_read_on_its_own() {
    let list = "ecosystem,name,versions\nnpm,evil,1.0.0 1.0.1\n";
    let incident = r#"{"schema":"dosimeter.incident/1","id":"x","title":"x","date":"2026-01-01","summary":"","sources":{},
        "package_list":{"packages":1,"versions":2,"triggers":["import"],"runs":"","sources":[]},"examples":[],"near_misses":[]}"#;
    let both = [("d/x.csv".to_owned(), list.into()), ("d/x.json".to_owned(), incident.into())];
    let i = read(&both, Reading::default()).unwrap();
    assert!(i.rows.is_empty());
    assert_eq!(i.incidents[0].packages[0].versions, ["1.0.0", "1.0.1"]);
    assert_eq!(i.newest.unwrap().to_string(), "2026-01-01T00:00:00Z");
    let alone = bytes("x.csv", list).unwrap();
    assert_eq!(alone.rows.len(), 1);
}

#[test]
fn one_incident_of_everything_has_no_fault() {
    let text = format!(
        "evil==1.0\n@evil/a@1.0.0\nc2.evil.example\n5.5.5.5\nhttps://evil.example/x\n{}\naction:a/b@v1\n",
        "ab".repeat(32)
    );
    let imported = bytes("wave.txt", text).unwrap();
    let incident = single(imported, "wave-2026-03", "A wave", "wave.txt", "2026-03-24T00:00:00Z".parse().unwrap());
    let text = incident.to_text().unwrap();
    let (_, faults) = crate::ioc::lint::check(&[("wave-2026-03.json", &*text)], Timestamp::now());
    assert_eq!(faults, []);
    assert_eq!(incident.examples[0].lookups.len(), 7);
    assert!(incident.near_misses[0].lookups.contains(&"domain:not-c2.evil.example".to_owned()));
    assert_eq!(incident.date, "2026-03-24");
}
