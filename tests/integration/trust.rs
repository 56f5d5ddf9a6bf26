//! What a stored or named bundle may do, and what it takes to be believed: at every start, not only when it came.

use std::{fs, os::unix::fs::PermissionsExt as _};

use dosimeter::{
    fact::Ecosystem,
    ioc::{
        Database,
        bundle::{Content, build, with_signature},
        model::{Incident, Withdrawn},
    },
};
use serde_json::Value;

use crate::{
    machine::Machine,
    program::{self, Said},
    publisher::{Publisher, bundle, content, with},
};

/// A publisher whose number 7 is stored.
fn seventh() -> Publisher {
    let publisher = Publisher::new();
    publisher.store(7);
    publisher
}

/// An environment with a package of the feed of number 8, and an incident's.
fn machine() -> Machine {
    Machine::new().venv("app/.venv").dist("evil-17", "8.0.0").dist("litellm", "1.82.8")
}

fn report(said: &Said) -> Value {
    let report = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}", said.err));
    program::valid(&report);
    report
}

/// A scan with more options; what it says.
fn scan(publisher: &Publisher, root: &Machine, more: &[&str]) -> Said {
    let root = root.root().to_str().unwrap();
    publisher.run(&[&["scan", "--root", root, "--format", "json"], more].concat())
}

fn incidents(report: &Value) -> Vec<&str> {
    report["incidents"].as_array().unwrap().iter().map(|i| i["id"].as_str().unwrap()).collect()
}

/// The feed of number 7, for Python, so that an environment holds one of it.
fn python(n: u64) -> Content {
    let mut content = content(n);
    content.rows.iter_mut().for_each(|(ecosystem, ..)| *ecosystem = Ecosystem::Pypi);
    content
}

#[test]
fn a_folder_that_others_write_to_needs_a_key() {
    let publisher = seventh();
    let empty = Machine::new();
    let number = |said: &Said| report(said)["indicators"]["sequence"].as_u64().unwrap();
    assert_eq!(number(&scan(&publisher, &empty, &[])), 7);
    for place in [publisher.data(), publisher.folder.path().to_owned(), publisher.stored()] {
        let own = fs::metadata(&place).unwrap().permissions();
        fs::set_permissions(&place, fs::Permissions::from_mode(own.mode() | 0o022)).unwrap();
        let refused = scan(&publisher, &empty, &[]);
        assert_eq!((refused.code, refused.out.as_str()), (2, ""));
        let place_is_named = format!("error: others may write to `{}`, and no key is known", place.display());
        assert!(refused.err.starts_with(&place_is_named) && refused.err.contains("\nhint: "), "{}", refused.err);
        assert_eq!(number(&scan(&publisher, &empty, &["--key", &publisher.key])), 7);
        let mut command = publisher.command();
        command.args(["scan", empty.root().to_str().unwrap(), "--format", "json"]);
        assert_eq!(number(&program::said(command.env("DOSIMETER_KEY", &publisher.key).output().unwrap())), 7);
        let built_in = number(&scan(&publisher, &empty, &["--built-in"]));
        assert_eq!(built_in, Database::embedded().unwrap().sequence);
        fs::set_permissions(&place, own).unwrap();
    }
}

#[test]
fn a_stored_one_that_does_not_fit_its_signature_is_not_used() {
    let publisher = seventh();
    let (empty, other) = (Machine::new(), Publisher::new());
    let stored = fs::read(publisher.stored()).unwrap();
    let strange = scan(&publisher, &empty, &["--key", &other.key]);
    assert!(strange.code == 2 && strange.err.contains("not by any key that is trusted here"), "{}", strange.err);
    let title = stored.windows(7).position(|w| w == b"made up").unwrap();
    for (at, why) in [(0, "not a dosimeter bundle"), (title, "it is not what was signed")] {
        let mut changed = stored.clone();
        changed[at] ^= 1;
        fs::write(publisher.stored(), changed).unwrap();
        let refused = scan(&publisher, &empty, &["--key", &publisher.key]);
        assert!(refused.code == 2 && refused.err.contains(why), "{}", refused.err);
        assert!(refused.err.contains("--built-in"), "{}", refused.err);
    }
    fs::write(publisher.stored(), bundle(7)).unwrap();
    let unsigned = scan(&publisher, &empty, &["--key", &publisher.key]);
    assert!(unsigned.code == 2 && unsigned.err.contains("it is not signed"), "{}", unsigned.err);
    assert_eq!(scan(&publisher, &empty, &["--built-in"]).code, 0);
}

/// The signed head is read at every start, the blocks of the body only when they are needed; then they must fit it.
#[test]
fn a_block_that_was_changed_later_is_noticed_when_it_is_read() {
    let publisher = seventh();
    let machine = machine();
    let good = build(&python(8)).unwrap();
    publisher.store_bytes(&good);
    let used = report(&scan(&publisher, &machine, &[]));
    assert_eq!(incidents(&used), ["MAL-2026-17", "litellm-2026-03"]);
    let mut stored = fs::read(publisher.stored()).unwrap();
    let record = stored.windows(12).position(|w| w == b"pypi\0evil-17").unwrap();
    // One letter of its name.
    stored[record + 5] = b'x';
    fs::write(publisher.stored(), &stored).unwrap();
    let noticed = scan(&publisher, &machine, &["--key", &publisher.key]);
    assert_eq!((noticed.code, noticed.out.as_str()), (2, ""));
    assert!(noticed.err.contains("changed after it was made: block "), "{}", noticed.err);
    assert!(noticed.err.contains("\nhint: `--built-in` examines without it"), "{}", noticed.err);
    let search = publisher.run(&["iocs", "search", "pypi:evil-17@8.0.0"]);
    assert!(search.code == 2 && search.err.contains("changed after it was made"), "{}", search.err);
    let without = report(&scan(&publisher, &machine, &["--built-in"]));
    assert_eq!(incidents(&without), ["litellm-2026-03"]);
    // The same release, once more, mends it.
    publisher.store_bytes(&good);
    assert_eq!(scan(&publisher, &machine, &[]).code, 1);
}

#[test]
fn a_stored_one_older_than_the_program_is_not_used() {
    let publisher = Publisher::new();
    fs::create_dir_all(publisher.data()).unwrap();
    let old = bundle(0);
    fs::write(publisher.stored(), with_signature(old.clone(), &publisher.sign(&old)).unwrap()).unwrap();
    let said = scan(&publisher, &Machine::new(), &["--key", &publisher.key]);
    assert_eq!(said.code, 0);
    let own = Database::embedded().unwrap().sequence;
    let notice = format!("are number 0, those of this program number {own}: the stored ones are not used");
    assert!(said.err.contains(&notice), "{}", said.err);
    let report = report(&said);
    assert_eq!(
        (report["indicators"]["sequence"].as_u64(), &report["indicators"]["layers"]),
        (Some(own), &Value::Array(vec![]))
    );
}

/// Every package and file of the first incident withdrawn.
fn withdrawn() -> Incident {
    let mut incident = content(8).incidents.remove(0);
    let on = "2026-11-24".parse().unwrap();
    let standing = Withdrawn { on, why: "made up".to_owned() };
    incident.packages.iter_mut().for_each(|p| p.standing.withdrawn = Some(standing.clone()));
    incident
}

#[test]
fn signed_data_replaces_an_incident_and_unsigned_data_only_adds() {
    let publisher = seventh();
    let bytes = build(&with(8, vec![withdrawn()])).unwrap();
    fs::write(publisher.path("unsigned.bundle"), &bytes).unwrap();
    let signed = publisher.file("signed.bundle", &bytes);
    let knows = |args: &[&str]| {
        let said = publisher.run(&[&["iocs", "search", "pypi:litellm@1.82.8", "--format", "json"], args].concat());
        let rows: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(said.code, if rows == Value::Array(vec![]) { 4 } else { 0 }, "{}", said.err);
        rows.as_array().unwrap().iter().any(|r| r["incident"] == "litellm-2026-03")
    };
    let unsigned = publisher.path("unsigned.bundle");
    assert!(knows(&["--built-in"]) && knows(&[]) && knows(&["--iocs", unsigned.to_str().unwrap()]));
    assert!(knows(&["--iocs", &signed]), "signed, and nobody trusts the key");
    assert!(!knows(&["--iocs", &signed, "--key", &publisher.key]));
    assert_eq!(publisher.update(&signed).code, 0);
    assert!(!knows(&[]) && knows(&["--built-in"]));
    let machine = Machine::new().venv("app/.venv").dist("litellm", "1.82.8");
    let found = |args: &[&str]| report(&scan(&publisher, &machine, args))["incidents"].as_array().unwrap().len();
    assert_eq!((found(&[]), found(&["--built-in"])), (0, 1));
}

#[test]
fn what_is_too_old_is_refused() {
    let publisher = seventh();
    let days_ago = |days: i64| {
        let mut content = content(8 + u64::try_from(20 - days).unwrap());
        content.created = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days + 1);
        publisher.store_bytes(&build(&content).unwrap());
    };
    let age = |limit: &str| scan(&publisher, &Machine::new(), &["--max-age", limit]);
    days_ago(10);
    let (old, young) = (age("9"), age("10"));
    assert_eq!((old.code, young.code, old.out.as_str()), (2, 0, ""));
    assert!(old.err.contains("10 days old, more than `--max-age 9`\nhint: `dosimeter iocs update`"), "{}", old.err);
    assert_eq!(report(&young)["indicators"]["age_days"], 10);
    days_ago(-3);
    let future = age("10");
    assert!(future.code == 2 && future.err.contains("is still to come"), "{}", future.err);
    assert_eq!(scan(&publisher, &Machine::new(), &["--max-age", "10", "--built-in"]).code == 2, built_in_age() > 10);
}

fn built_in_age() -> i64 {
    jiff::Timestamp::now().duration_since(Database::embedded().unwrap().created).as_hours().div_euclid(24)
}

#[test]
fn every_report_names_number_date_age_and_layers() {
    let publisher = seventh();
    let added = publisher.path("mine.bundle");
    fs::write(&added, bundle(3)).unwrap();
    let machine = Machine::new();
    let root = machine.root().to_str().unwrap();
    let args = ["scan", "--root", root, "--key", &publisher.key, "--iocs", added.to_str().unwrap(), "--format"];
    let text = |format: &str| {
        let mut command = publisher.command();
        let said = program::said(command.env("COLUMNS", "400").args(args).arg(format).output().unwrap());
        assert_eq!(said.code, 0, "{}", said.err);
        said.out.replace('\\', "")
    };
    let stored = publisher.stored().display().to_string();
    for format in ["table", "markdown"] {
        let page = text(format);
        for part in [
            "indicators 7 of 2026-11-24 (",
            " old): ",
            &format!("{stored} (number 7 of 2026-11-24, 1 incident, 3000 packages, signed)"),
            &format!("{} (number 3 of 2026-11-24, 1 incident, 3000 packages, not signed)", added.display()),
        ] {
            assert!(page.contains(part), "{format}: {part}: {page}");
        }
    }
    let ndjson = text("ndjson");
    let first: Value = serde_json::from_str(ndjson.lines().next().unwrap()).unwrap();
    let json: Value = serde_json::from_str(&text("json")).unwrap();
    for indicators in [&first["indicators"], &json["indicators"]] {
        assert_eq!(indicators["sequence"], 7);
        assert_eq!(indicators["created"], "2026-11-24T00:00:00Z");
        assert!(indicators["age_days"].is_i64());
        let layers = indicators["layers"].as_array().unwrap();
        assert_eq!((layers.len(), &layers[0]["sequence"], &layers[1]["sequence"]), (2, &7.into(), &3.into()));
        assert_eq!((&layers[0]["signed_by"], &layers[1]["signed_by"]), (&publisher.key.as_str().into(), &Value::Null));
    }
}

/// The same folder gives the same bytes, whatever the order of what it is given.
#[test]
fn a_build_can_be_made_again() {
    let publisher = Publisher::new();
    let out = |name: &str| publisher.path(name).to_str().unwrap().to_owned();
    let build = |name: &str| {
        let said = publisher.run(&["iocs", "build", concat!(env!("CARGO_MANIFEST_DIR"), "/iocs"), "-o", &out(name)]);
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(said.out.contains("minisign -S"), "{}", said.out);
        (fs::read(out(name)).unwrap(), fs::read(out(&format!("{name}.head"))).unwrap())
    };
    let (first, second) = (build("a"), build("b"));
    assert!(first == second);
    fs::write(out("a.minisig"), publisher.sign(&first.0)).unwrap();
    assert_eq!(publisher.update(&out("a")).code, 0);
    assert_eq!(publisher.number(), Database::embedded().unwrap().sequence);
}
