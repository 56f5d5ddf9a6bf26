//! `iocs check`: a small good incident, and what is said when one thing in it, its list or the header is wrong.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::program::{Said, run};

/// The SHA-256 of "harmless text" and of "another harmless text", each with a line end.
const HASH: &str = "8a84ec896cf598c24e4effe0e7a4bb8b1083cac76aaefc5d1ad013c501390164";
const GOOD_HASH: &str = "3cce3dbc5efd9f69e83fd7228c31856fec373e2eccf5ba00583dbc2b5364a396";

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn good() -> Value {
    serde_json::from_str(include_str!("../fixtures/iocs/made-up-2026-03.json")).unwrap()
}

/// Good, with a list: two packages, three versions.
fn listed(list: &str) -> Value {
    let mut incident = good();
    incident["package_list"] =
        json!({"packages": 2, "versions": 3, "triggers": ["import"], "runs": "the same", "sources": ["report"]});
    assert!(!list.is_empty());
    incident
}

const LIST: &str = "ecosystem,name,versions\npypi,made-up-a,1.0 1.1\npypi,made-up-b,2.0\n";

fn write(folder: &Path, name: &str, text: &str) {
    fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
    fs::write(folder.join(name), text).unwrap();
}

fn check(folder: &Path) -> Said {
    run(["iocs", "check", folder.to_str().unwrap()])
}

/// What is said of these files of one folder.
fn said_of(files: &[(&str, &str)]) -> Said {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        write(folder.path(), name, text);
    }
    let mut said = check(folder.path());
    said.err = said.err.replace(&format!("{}/", folder.path().display()), "");
    said
}

/// Whether a fault of this file and place is reported, with this mend.
fn reports(said: &Said, file: &str, place: &str, hint: &str) -> bool {
    let lines: Vec<&str> = said.err.lines().collect();
    let start = format!("{file}: {place}");
    let fits =
        |l: &str| l.trim_start_matches("error: ").strip_prefix(&start).is_some_and(|r| r.starts_with([':', ' ', ',']));
    said.code == 2
        && said.out.is_empty()
        && lines
            .windows(2)
            .any(|w| fits(w[0]) && w[1].trim_start().strip_prefix("hint: ").is_some_and(|h| h.contains(hint)))
}

#[test]
fn a_good_incident_with_its_list_passes() {
    let said = said_of(&[("incidents/made-up-2026-03.json", &good().to_string())]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "1 incidents are good, 2 examples and near misses replayed\n"),
        "{}",
        said.err
    );
    let header = r#"{"sequence": 3, "created": "2026-03-04T00:00:00Z"}"#;
    let incident = listed(LIST).to_string();
    let files = [
        ("incidents/made-up-2026-03.json", incident.as_str()),
        ("incidents/made-up-2026-03.csv", LIST),
        ("database.json", header),
    ];
    let said = said_of(&files);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "1 incidents are good, 2 examples and near misses replayed\n"),
        "{}",
        said.err
    );
}

#[test]
fn each_broken_incident_is_reported_with_place_and_mend() {
    // What is wrong; where it is put (nothing: taken out); the place that is reported; part of the hint.
    let cases: &[(&str, &str, Value, &str, &str)] = &[
        ("unknown field", "/packages/0/versoin", json!("1"), "packages[0].versoin (line 1, column", "every field"),
        (
            "unknown ecosystem",
            "/packages/0/ecosystem",
            json!("pip"),
            "packages[0].ecosystem (line 1, column",
            "every field",
        ),
        (
            "unknown trigger",
            "/packages/0/triggers",
            json!(["sometimes"]),
            "packages[0].triggers[0] (line 1",
            "every field",
        ),
        ("missing field", "/summary", Value::Null, "summary (line 1, column", "every field"),
        ("other format", "/schema", json!("dosimeter.incident/2"), "schema", "write `dosimeter.incident/1`"),
        ("id not the file's", "/id", json!("made-up-2026-04"), "id", "write `made-up-2026-03`"),
        ("date not of the id", "/date", json!("2025-03-02"), "id", "year and month of `date`"),
        ("no date", "/date", json!("2 March"), "date", "YYYY-MM-DD"),
        ("alias twice", "/aliases", json!(["A-1", "A-1"]), "aliases[1]", "remove one"),
        ("hash cut", "/artifacts/0/sha256", json!(&HASH[1..]), "artifacts[0].sha256", "64 lower-case hex digits"),
        (
            "hash of 65 digits",
            "/files/0/sha256",
            json!(format!("{HASH}0")),
            "files[0].sha256",
            "64 lower-case hex digits",
        ),
        (
            "hash in capitals",
            "/files/0/sha256",
            json!(HASH.to_uppercase()),
            "files[0].sha256",
            "64 lower-case hex digits",
        ),
        ("SHA-1 as MD5", "/files/0/md5", json!(COMMIT), "files[0].md5", "32 lower-case hex digits"),
        (
            "the empty file",
            "/files/0/sha1",
            json!("da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            "files[0].sha1",
            "fits every empty file",
        ),
        ("known good hash", "/files/0/sha256", json!(GOOD_HASH), "files[0].sha256", "remove it here, or there"),
        ("window from its end", "/windows/0/start", json!("2026-03-03T00:00:00Z"), "windows[0]", "exchange them"),
        ("window to come", "/windows/0/end", json!("2990-01-01T00:00:00Z"), "windows[0].end", "a time that has passed"),
        ("window of nothing", "/windows/0/covers/0", json!("pypi/other"), "windows[0].covers[0]", "as in `packages`"),
        ("no version", "/packages/0/versions/0", json!("^1.2"), "packages[0].versions[0]", "a range is `>=1.2,<1.4`"),
        ("empty range", "/packages/0/versions/0", json!(">=2,<1"), "packages[0].versions[0]", "exchange its ends"),
        (
            "same version twice",
            "/packages/0/versions",
            json!(["1.2", "1.2.0"]),
            "packages[0].versions[1]",
            "remove one",
        ),
        (
            "versions unsorted",
            "/packages/0/versions",
            json!(["1.10.0", "1.2.3"]),
            "packages[0].versions[1]",
            "oldest first",
        ),
        ("safe and bad", "/packages/0/safe", json!(["1.10"]), "packages[0].safe[0]", "remove it from one list"),
        ("no name", "/packages/0/name", json!("made up"), "packages[0].name", "letters, digits"),
        ("source unknown", "/network/0/sources/0", json!("other"), "network[0].sources[0]", "add it there"),
        (
            "source unused",
            "/sources/more",
            json!({"title": "x", "url": "https://r.example"}),
            "sources.more",
            "or remove it",
        ),
        ("source of no kind", "/sources/note", json!({"title": "x"}), "sources.note", "or `relayed`"),
        (
            "source without s",
            "/sources/report/url",
            json!("http://report.example"),
            "sources.report.url",
            "write https://",
        ),
        (
            "a registry linked",
            "/sources/report/url",
            json!(format!("https://{}.{}/project/x", "pypi", "org")),
            "sources.report.url",
            "in `relayed`",
        ),
        ("defanged", "/network/0/value", json!("evil[.]example"), "network[0].value", "the exact name"),
        ("a good host", "/network/0/value", json!("api.github.com"), "network[0].value", "`context_only`"),
        (
            "a shared host",
            "/network/0/value",
            json!("webhook.site"),
            "network[0].value",
            "the attacker's name below it",
        ),
        (
            "a private address",
            "/network/0",
            json!({"kind": "ip", "value": "192.168.1.9", "what": "x", "sources": ["report"]}),
            "network[0].value",
            "leave it out",
        ),
        (
            "a shared URL",
            "/network/0",
            json!({"kind": "url", "value": "https://discord.com/", "what": "x", "sources": ["report"]}),
            "network[0].value",
            "the attacker's path",
        ),
        ("a short text", "/strings/0/value", json!("payload"), "strings[0].value", "at least 8"),
        ("a short holds", "/files/0/holds", json!(["eval("]), "files[0].holds[0]", "at least 8"),
        (
            "everybody's name",
            "/files/0/paths/0",
            json!("any:src/index.js"),
            "files[0].paths[0]",
            "a folder that nobody",
        ),
        ("no pattern", "/files/0/paths/0", json!("C:\\x"), "files[0].paths[0]", "start it with `~/`"),
        ("a cut commit", "/actions/0/commits/0", json!("0123456"), "actions[0].commits[0]", "40 lower-case hex digits"),
        ("moved, not when", "/actions/0/from", Value::Null, "actions[0].from", "when the tags were moved"),
        ("a tag as digest", "/images/0/digests/0", json!("1.2.3"), "images[0].digests[0]", "`sha256:`"),
        ("any program", "/processes/0/programs", json!(["*"]), "processes[0].programs", "base names"),
        (
            "standing from its end",
            "/strings/0/standing",
            json!({"valid_from": "2026-03-03T00:00:00Z", "until": "2026-03-02T00:00:00Z"}),
            "strings[0].standing",
            "exchange them",
        ),
        (
            "withdrawn tomorrow",
            "/strings/0/standing",
            json!({"withdrawn": {"on": "2990-01-01", "why": "x"}}),
            "strings[0].standing.withdrawn.on",
            "the day it was",
        ),
        ("no kind of credential", "/harvest/kinds/0", json!("npm.tokens"), "harvest.kinds[0]", "iocs/credentials"),
        (
            "a way that names no command",
            "/harvest/beyond",
            json!([{"way": "command", "what": "a token", "kinds": ["npm.token"]}]),
            "harvest.beyond[0]",
            "command lines",
        ),
        (
            "a condition that is no kind",
            "/harvest/beyond",
            json!([{"way": "input", "what": "x"}, {"way": "unlock", "what": "y", "with": ["browser"]}]),
            "harvest.beyond[1].with[0]",
            "iocs/credentials",
        ),
        (
            "an unknown platform",
            "/harvest/beyond",
            json!([{"way": "metadata", "what": "x", "asks": ["EC2"], "on": ["cloud"]}]),
            "harvest.beyond[0].on[0] (line 1",
            "every field",
        ),
        (
            "a way up from elsewhere",
            "/harvest/paths",
            json!([{"under": ["/srv/.."], "names": [".env"], "depth": 0}]),
            "harvest.paths[0].under[0]",
            "`cwd/..`",
        ),
        ("takes nothing, and does", "/harvest/completeness", json!("none"), "harvest.completeness", "write `partial`"),
        (
            "runs the payload again",
            "/cleanup/0/steps/0/command",
            json!("sudo python3 -m pip list"),
            "cleanup[0].steps[0].command",
            "runs the payload again",
        ),
        (
            "nobody disagrees",
            "/disagreements/0/claims",
            json!([{"says": "ten", "sources": ["report", "note"]}]),
            "disagreements[0].claims",
            "two at least",
        ),
        (
            "finds another thing",
            "/examples/0/expect/0",
            json!("cached/likely"),
            "examples[0] (a version",
            "mend the indicator",
        ),
        (
            "finds nothing",
            "/examples/0/lookups/0",
            json!("pypi:made-up-tool@9"),
            "examples[0] (a version",
            "mend the indicator",
        ),
        (
            "a near miss hits",
            "/near_misses/0/lookups/0",
            json!("evil.example"),
            "near_misses[0] (the version",
            "or the example",
        ),
        ("no near miss", "/near_misses", json!([]), "near_misses", "a look-alike"),
    ];
    assert!(cases.len() >= 30);
    let mut missing = Vec::new();
    for (name, at, value, place, hint) in cases {
        let mut incident = good();
        let (parent, field) = at.rsplit_once('/').unwrap();
        let parent = incident.pointer_mut(parent).unwrap();
        match (parent, value) {
            (Value::Object(fields), Value::Null) => drop(fields.remove::<str>(field)),
            (Value::Object(fields), value) => drop(fields.insert((*field).to_owned(), value.clone())),
            (parent, value) => parent[field.parse::<usize>().unwrap()] = value.clone(),
        }
        // What is not there has no place but where its object ends.
        let place = if *name == "missing field" { "line 1, column" } else { place };
        let said = said_of(&[("made-up-2026-03.json", &incident.to_string())]);
        if !reports(&said, "made-up-2026-03.json", place, hint) {
            missing.push(format!("{name}: {}", said.err));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn what_is_no_json_is_reported_with_line_and_column() {
    let said = said_of(&[("made-up-2026-03.json", "{\n \"schema\": \"dosimeter.incident/1\",,\n}")]);
    assert!(reports(&said, "made-up-2026-03.json", "line 2, column 35", "superfluous comma"), "{}", said.err);
    assert!(said.err.contains("1 fault\n"), "{}", said.err);
}

#[test]
fn each_broken_list_is_reported_with_its_line() {
    let cases = [
        ("header", "name,versions\npypi,made-up-a,1.0\n", "csv", "line 1", "each row"),
        (
            "not in order",
            "ecosystem,name,versions\npypi,made-up-b,2.0\npypi,made-up-a,1.0 1.1\n",
            "csv",
            "line 3",
            "sorted",
        ),
        ("twice", "ecosystem,name,versions\npypi,made-up-a,1.0 1.1\npypi,made-up-a,2.0\n", "csv", "line 3", "one row"),
        ("no ecosystem", "ecosystem,name,versions\npip,made-up-a,1.0 1.1\n", "csv", "line 2", "each row"),
        (
            "no version",
            "ecosystem,name,versions\npypi,made-up-a,1.0 one\npypi,made-up-b,2.0\n",
            "csv",
            "line 2",
            "write it as",
        ),
        (
            "unsorted",
            "ecosystem,name,versions\npypi,made-up-a,1.10 1.9\npypi,made-up-b,2.0\n",
            "csv",
            "line 2",
            "oldest",
        ),
        ("no name", "ecosystem,name,versions\npypi,-a,1.0 1.1\npypi,made-up-b,2.0\n", "csv", "line 2", "letters"),
        ("packages", "ecosystem,name,versions\npypi,made-up-a,1 2 3\n", "json", "package_list.packages", "write 1"),
        (
            "versions",
            "ecosystem,name,versions\npypi,made-up-a,1\npypi,made-up-b,2\n",
            "json",
            "package_list.versions",
            "write 2",
        ),
        (
            "also in packages",
            "ecosystem,name,versions\npypi,made-up-a,1.0 1.1\npypi,made-up-tool,1.2.3\n",
            "json",
            "package_list",
            "remove one",
        ),
    ];
    for (name, list, ending, place, hint) in cases {
        let incident = listed(list).to_string();
        let said = said_of(&[("made-up-2026-03.json", &incident), ("made-up-2026-03.csv", list)]);
        assert!(reports(&said, &format!("made-up-2026-03.{ending}"), place, hint), "{name}: {}", said.err);
    }
    let said = said_of(&[("made-up-2026-03.json", &listed(LIST).to_string())]);
    assert!(reports(&said, "made-up-2026-03.json", "package_list", "beside this file"), "{}", said.err);
    let said = said_of(&[("made-up-2026-03.json", &good().to_string()), ("made-up-2026-03.csv", LIST)]);
    assert!(reports(&said, "made-up-2026-03.json", "package_list", "add the field"), "{}", said.err);
    let said = said_of(&[("made-up-2026-03.csv", LIST)]);
    assert!(reports(&said, "made-up-2026-03.csv", "line 1", "put `made-up-2026-03.json` beside it"), "{}", said.err);
}

#[test]
fn a_broken_header_is_reported() {
    let incident = good().to_string();
    for (header, place, hint) in [
        ("", "line 1, column 0", "not JSON"),
        (r#"{"sequence": "3", "created": "2026-03-04T00:00:00Z"}"#, "sequence (line 1", "numbers of your own"),
        (r#"{"sequence": 0, "created": "2026-03-04T00:00:00Z"}"#, "sequence", "from 1"),
        (r#"{"sequence": 3, "created": "yesterday"}"#, "created (line 1", "numbers of your own"),
        (r#"{"sequence": 3, "created": "2990-03-04T00:00:00Z"}"#, "created", "in UTC"),
    ] {
        let said = said_of(&[("incidents/made-up-2026-03.json", &incident), ("database.json", header)]);
        assert!(reports(&said, "database.json", place, hint), "{header}: {}", said.err);
    }
}

#[test]
fn files_of_one_run_are_read_against_each_other() {
    let mut other = good();
    other["id"] = json!("other-2026-03");
    other["packages"][0]["versions"] = json!(["1.2.2"]);
    other["packages"][0]["safe"] = json!(["1.10"]);
    other["windows"][0]["covers"] = json!(["pypi/made-up-tool@1.2.2"]);
    other["artifacts"][0]["sha256"] = json!(GOOD_HASH);
    other["not_indicators"] = json!([]);
    other["aliases"] = json!(["made-up-2026-03"]);
    other["examples"] = json!([{"title": "a", "lookups": ["pypi:made-up-tool@1.2.2"]}]);
    other["near_misses"] = json!([{"title": "b", "lookups": ["pypi:made-up-tool@1.2.3"]}]);
    let files = [("made-up-2026-03.json", &*good().to_string()), ("other-2026-03.json", &*other.to_string())];
    let said = said_of(&files);
    for (file, place, hint) in [
        ("made-up-2026-03.json", "packages[0].safe[0]", "mend the other file"),
        ("other-2026-03.json", "packages[0].safe[0]", "mend the other file"),
        ("other-2026-03.json", "artifacts[0].sha256", "remove it here, or there"),
        ("other-2026-03.json", "aliases[0]", "remove it"),
    ] {
        assert!(reports(&said, file, place, hint), "{file} {place}: {}", said.err);
    }
    // Each alone is good, and so is the same hash under another name in another incident.
    assert_eq!(said_of(&files[1..]).code, 0);
    other["packages"] = json!([{
        "ecosystem": "pypi", "name": "other-tool", "versions": ["*"], "triggers": ["import"], "runs": "x", "sources": ["report", "note"]
    }]);
    other["windows"] = json!([]);
    other["artifacts"][0] = json!({"name": "other.tar.gz", "sha256": HASH, "sources": ["report"]});
    other["aliases"] = json!([]);
    other["examples"] = json!([{"title": "a", "lookups": ["pypi:other-tool@1.2.2"]}]);
    let files = [("made-up-2026-03.json", &*good().to_string()), ("other-2026-03.json", &*other.to_string())];
    let said = said_of(&files);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "2 incidents are good, 4 examples and near misses replayed\n"),
        "{}",
        said.err
    );
}

#[test]
fn the_database_of_this_repository_is_good() {
    let said = check(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/iocs")));
    assert_eq!(said.code, 0, "{}", said.err);
    let incidents = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/iocs/incidents")).unwrap();
    let incidents = incidents.filter(|f| f.as_ref().unwrap().path().extension().is_some_and(|e| e == "json")).count();
    assert!(said.out.starts_with(&format!("{incidents} incidents are good, ")), "{}", said.out);
}

/// What stands in words only, no plan can leave out where it cannot be.
#[test]
fn what_is_taken_without_a_file_has_its_way() {
    let database = dosimeter::ioc::Database::embedded().unwrap();
    let in_words: Vec<_> = database.incidents.iter().filter(|i| !i.harvest.beyond_files.is_empty()).collect();
    assert!(in_words.is_empty(), "{:?}", in_words.iter().map(|i| &i.id).collect::<Vec<_>>());
    let ways: std::collections::BTreeSet<_> =
        database.incidents.iter().flat_map(|i| &i.harvest.beyond).map(|b| format!("{:?}", b.way)).collect();
    assert_eq!(ways.len(), dosimeter::ioc::model::Way::ALL.len(), "{ways:?}");
}

#[test]
fn the_page_of_incidents_is_what_the_program_writes() {
    let said = run(["iocs", "list", "--format", "markdown"]);
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/incidents.md")).unwrap_or_default();
    let hint =
        "docs/incidents.md is not of these indicators: cargo run -- iocs list --format markdown >docs/incidents.md";
    assert!(said.code == 0 && said.out == page, "{hint}\n{}", said.err);
    assert!(page.contains("| 2026-03-24 | `litellm-2026-03` |"), "{page}");
}

/// A kind of credential, as somebody else would write one.
fn kind() -> Value {
    let step = |stage: &str| json!({"do": "do it", "stage": stage});
    json!({
        "schema": "dosimeter.credential/1", "id": "made.up", "name": "made up", "provider": "made", "lane": "standard", "tier": 5,
        "order": 1, "places": [], "mode": "issue_first", "sources": ["nowhere"],
        "rotation": [step("issue"), step("revoke"), step("verify")],
    })
}

#[test]
fn kinds_of_credentials_are_checked_beside_incidents() {
    let said = said_of(&[
        ("incidents/made-up-2026-03.json", &good().to_string()),
        ("credentials/made.up.json", &kind().to_string()),
    ]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.out.contains("1 incidents are good") && said.out.contains("1 kinds of credentials are good"),
        "{}",
        said.out
    );
    for (command, hint) in [
        ("mytool login --password VALUE", "--password-stdin"),
        ("export NPM_TOKEN=abc", "standard input"),
        ("echo NEW_SECRET", "standard input"),
        ("curl -H 'Authorization: Bearer abc' https://h.example", "curl -H @file"),
        ("aws iam list-users", "--profile"),
        ("aws ec2 describe-instances --profile P", "--region"),
        ("kubectl get nodes", "--context"),
        ("npm token list", "--registry"),
        ("rm -rf $DIR", "quote it"),
        ("ls 'a", "sh -n"),
        ("ls {region}", "{id}"),
        ("gh auth token --hostname h.example", "say in words"),
    ] {
        let mut bad = kind();
        bad["rotation"][1]["command"] = command.into();
        bad["rotation"][1]["expect"] = "nothing".into();
        let said = said_of(&[("credentials/made.up.json", &bad.to_string())]);
        assert!(reports(&said, "credentials/made.up.json", "rotation[1].command", hint), "{command}: {}", said.err);
    }
}
