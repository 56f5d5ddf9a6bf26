//! A checklist worked through by halves: exactly what was changed is changed, and no secret and no key comes out anywhere.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::LazyLock};

use serde_json::Value;

use crate::{
    machine::Machine,
    program::{self, Said},
};

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = include_str!("../../docs/schema/verify-1.schema.json");
    jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap()
});

const KEY: &str = "5a1f0c9e8b7d6a4f3e2c1b0a9d8e7f6c5b4a39281706f5e4d3c2b1a09f8e7d6c";
/// Stands in every secret that is planted.
const CANARY: &str = "CANARY";

/// A folder beside the machine, for what the responder keeps.
pub struct Desk(tempfile::TempDir);

impl Desk {
    pub fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.secret("case.key", KEY);
        desk
    }

    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        fs::write(self.0.path().join(name), text).unwrap();
        self.path(name)
    }

    fn secret(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.file(name, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// Examines the machine; the report is `case.json`.
    pub fn scan(&self, machine: &Machine) -> Value {
        let (root, key, out) = (machine.root().to_str().unwrap(), self.path("case.key"), self.path("case.json"));
        let said = program::run(["scan", "--root", root, "--case-key", &key, "-o", &out]);
        assert_eq!(said.code, 1, "{}{}", said.out, said.err);
        quiet(&said);
        let text = fs::read_to_string(&out).unwrap();
        assert!(!text.contains(CANARY) && !text.contains(&KEY[..16]));
        let report = serde_json::from_str(&text).unwrap();
        program::valid(&report);
        report
    }

    /// Verifies that report.
    pub fn verify(&self, more: &[&str]) -> (Value, i32) {
        let case = self.path("case.json");
        let key = self.path("case.key");
        let mut args = vec!["verify", &case, "--format", "json"];
        if !more.contains(&"--no-key") {
            args.extend(["--case-key", &key]);
        }
        args.extend(more.iter().filter(|a| **a != "--no-key"));
        let said = program::run(&args);
        quiet(&said);
        let answer: Value = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {}{}", said.out, said.err));
        let faults: Vec<String> = SCHEMA.iter_errors(&answer).map(|e| format!("{}: {e}", e.instance_path)).collect();
        assert!(faults.is_empty(), "{faults:#?}");
        (answer, said.code)
    }
}

fn quiet(said: &Said) {
    for text in [&said.out, &said.err] {
        assert!(!text.contains(CANARY) && !text.contains(&KEY[..16]), "{text}");
    }
}

/// `kind where: here`, sorted.
fn changes(answer: &Value) -> Vec<String> {
    let mut all: Vec<String> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| {
            let inner = i["location"]["inner"].as_str().map(|x| format!("[{x}]")).unwrap_or_default();
            let path = i["location"]["path"].as_str().unwrap().rsplit('/').next().unwrap();
            let by = i["here"]["by"].as_str().map(|b| format!(" by {b}")).unwrap_or_default();
            format!("{path}{inner} {}{by}", i["here"]["answer"].as_str().unwrap())
        })
        .collect();
    all.sort();
    all
}

const RANDOM: &str = "q8Zr2LxV0sYwTn5KbHd7Jc3MfGp9";

/// A machine that litellm ran on, with credentials of many forms.
pub fn machine() -> Machine {
    let aws = |id: &str, n: u32| format!("aws_access_key_id = {id}\naws_secret_access_key = CANARY{n}{RANDOM}aB3\n");
    Machine::new()
        .venv("app/.venv")
        .dist("litellm", "1.82.8")
        .site_file("litellm_init.pth", "import os # inert\n")
        .home(".aws/credentials", format!("[default]\n{}[dev]\n{}", aws("AKIAABCDEFGH2JKLMNOP", 1), aws("AKIAZZZDEFGH2JKLMNOP", 2)))
        .home(".npmrc", format!("//registry.example/:_authToken=npm_CANARY{RANDOM}\n"))
        .home(".git-credentials", format!("https://al:CANARY{RANDOM}@git.example\nhttps://bo:CANARY2{RANDOM}@git.example\n"))
        .home("app/.env", format!("OPENAI_API_KEY=sk-proj-CANARY{RANDOM}\nANTHROPIC_API_KEY=sk-ant-api03-CANARY{RANDOM}\nDB_PASSWORD=CANARYhunter2\n"))
        .home(".vault-token", format!("hvs.CANARY{RANDOM}\n"))
        .home(".docker/config.json", docker("CANARY1"))
        .home(".config/gcloud/application_default_credentials.json", gcp("0123456789abcdef0123456789abcdef01234567"))
}

fn docker(secret: &str) -> String {
    use base64::Engine as _;
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("al:dckr_pat_{secret}{RANDOM}"));
    format!("{{\"auths\":{{\"registry.example\":{{\"auth\":\"{auth}\"}}}}}}")
}

pub fn gcp(key: &str) -> String {
    format!(
        "{{\"type\":\"service_account\",\"project_id\":\"made-up\",\"private_key_id\":\"{key}\",\"private_key\":\"-----BEGIN PRIVATE KEY-----\\nCANARY\\n-----END PRIVATE KEY-----\\n\",\"client_email\":\"ci@made-up.iam.gserviceaccount.com\"}}"
    )
}

fn rewrite(machine: &Machine, path: &str, from: &str, to: &str) {
    let full = machine.root().join("home/alice").join(path);
    let text = fs::read_to_string(&full).unwrap();
    assert!(text.contains(from));
    fs::write(full, text.replacen(from, to, 1)).unwrap();
}

/// Half of it is rotated.
pub fn rotate_half(machine: &Machine) {
    rewrite(machine, ".aws/credentials", "AKIAABCDEFGH2JKLMNOP", "AKIANEWDEFGH2JKLMNOP");
    rewrite(machine, ".aws/credentials", "CANARY1", "CANARY7");
    fs::remove_file(machine.root().join("home/alice/.npmrc")).unwrap();
    rewrite(machine, ".git-credentials", "al:CANARYq8", "al:CANARYx9");
    rewrite(machine, "app/.env", "sk-proj-CANARYq8", "sk-proj-CANARYx9");
    rewrite(machine, "app/.env", "CANARYhunter2", "CANARYhunter3");
    fs::write(machine.root().join("home/alice/.docker/config.json"), docker("CANARY2")).unwrap();
    rewrite(machine, ".config/gcloud/application_default_credentials.json", "0123456789ab", "ba9876543210");
}

#[test]
fn exactly_what_was_changed_is_changed() {
    let (machine, desk) = (machine(), Desk::new());
    let report = desk.scan(&machine);
    assert_eq!(report["run"]["case_key"].as_str().map(str::len), Some(16));
    let (before, code) = desk.verify(&[]);
    assert_eq!(code, 1);
    let same = changes(&before);
    assert_eq!(same.len(), 11, "{same:#?}");
    assert!(same.iter().all(|c| c.contains(" same by ") || c == ".env[DB_PASSWORD] unknown"), "{same:#?}");

    rotate_half(&machine);
    let (after, code) = desk.verify(&[]);
    assert_eq!(code, 1);
    assert_eq!(
        changes(&after),
        [
            ".env[ANTHROPIC_API_KEY] same by tag",
            ".env[DB_PASSWORD] unknown",
            ".env[OPENAI_API_KEY] replaced by tag",
            ".git-credentials replaced by tag",
            ".git-credentials same by tag",
            ".npmrc gone",
            ".vault-token same by tag",
            "application_default_credentials.json[ci@made-up.iam.gserviceaccount.com] replaced by identifier",
            "config.json[registry.example] replaced by tag",
            "credentials[default] replaced by identifier",
            "credentials[dev] same by identifier",
        ]
    );
    assert_eq!(after["summary"]["open"], 4);
    assert_eq!(after["summary"]["unknown"], 7);
    // What was never cleaned is looked at again.
    let still: Vec<&str> =
        after["findings"].as_array().unwrap().iter().map(|f| f["indicator"].as_str().unwrap()).collect();
    assert_eq!(still, ["pypi/litellm@1.82.8", "path/site:litellm_init.pth"]);

    // Without the key nothing but identifiers can be compared.
    let (blind, _) = desk.verify(&["--no-key"]);
    let seen = changes(&blind);
    assert!(seen.contains(&"config.json[registry.example] unknown".to_owned()), "{seen:#?}");
    assert!(seen.contains(&"credentials[default] replaced by identifier".to_owned()), "{seen:#?}");
    assert!(blind["items"].to_string().contains("needs the case key"));
}

#[test]
fn a_place_that_cannot_be_read_now_is_not_gone() {
    let (machine, desk) = (machine(), Desk::new());
    desk.scan(&machine);
    let file = machine.root().join("home/alice/.docker/config.json");
    fs::write(&file, "{\"auths\":{\"registry.example\":{\"auth\":\"").unwrap();
    let folder = machine.root().join("home/alice/.vault-token");
    fs::remove_file(&folder).unwrap();
    std::os::unix::net::UnixListener::bind(&folder).unwrap();
    let (answer, _) = desk.verify(&[]);
    let seen = changes(&answer);
    assert!(seen.contains(&"config.json[registry.example] unknown".to_owned()), "{seen:#?}");
    assert!(seen.contains(&".vault-token gone".to_owned()), "{seen:#?}");
}

#[test]
fn a_place_that_a_variable_moved_is_read_again_without_it() {
    let (machine, desk) = (machine(), Desk::new());
    let machine = machine.home(".bashrc", "export AWS_SHARED_CREDENTIALS_FILE=/srv/keys/aws\n").file(
        "srv/keys/aws",
        format!("[ci]\naws_access_key_id=AKIASRVDEFGH2JKLMNOP\naws_secret_access_key=CANARY5{RANDOM}aB3\n"),
    );
    desk.scan(&machine);
    fs::remove_file(machine.root().join("home/alice/.bashrc")).unwrap();
    let (answer, _) = desk.verify(&[]);
    let seen = changes(&answer);
    assert!(seen.contains(&"aws[ci] same by identifier".to_owned()), "{seen:#?}");
}

#[test]
fn keys_that_cannot_serve_are_refused() {
    let (machine, desk) = (machine(), Desk::new());
    desk.scan(&machine);
    let (root, case) = (machine.root().to_str().unwrap().to_owned(), desk.path("case.json"));
    let other = desk.secret("other.key", KEY.replace('5', "6"));
    let open = desk.file("open.key", KEY);
    let short = desk.secret("short.key", &KEY[..60]);
    let zeros = desk.secret("zeros.key", [0; 32]);
    let inside = machine.root().join("case.key");
    fs::copy(desk.path("case.key"), &inside).unwrap();
    for (key, why) in [
        (other.as_str(), "is not the case key of the report"),
        (&open, "others may read it"),
        (&short, "neither 32 bytes nor 64 hex digits"),
        (&zeros, "not random"),
        (inside.to_str().unwrap(), "which is evidence"),
        (&root, "a folder"),
        ("/dev/zero", "a device"),
    ] {
        let said = program::run(["verify", &case, "--case-key", key]);
        assert_eq!((said.code, said.err.contains(why)), (2, true), "{key}: {}", said.err);
        assert!(said.out.is_empty());
        quiet(&said);
        if key != other {
            let said = program::run(["scan", "--root", &root, "--case-key", key]);
            assert_eq!((said.code, said.err.contains(why)), (2, true), "{key}: {}", said.err);
            quiet(&said);
        }
    }
}

#[test]
fn the_same_secret_has_the_same_tag_wherever_it_stands() {
    let desk = Desk::new();
    let token = format!("sk-proj-CANARY{RANDOM}");
    let machine = machine()
        .home("other/.env", format!("export OPENAI_API_KEY=\"{token}\"\n"))
        .home(".bashrc", format!("export OPENAI_API_KEY='{token}' # mine\n"));
    let report = desk.scan(&machine);
    let tags: Vec<&Value> = report["credentials"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["kind"] == "llm.openai")
        .map(|c| &c["tag"])
        .collect();
    assert_eq!(tags.len(), 3);
    assert!(tags[0].is_string() && tags.iter().all(|t| *t == tags[0]), "{tags:?}");
    // One copy that is left behind is the value still.
    rewrite(&machine, "app/.env", "sk-proj-CANARYq8", "sk-proj-CANARYx9");
    let (answer, _) = desk.verify(&[]);
    let seen = changes(&answer);
    assert_eq!(seen.iter().filter(|c| c.contains("OPENAI") && c.ends_with("same by tag")).count(), 3, "{seen:#?}");
}

#[test]
fn what_is_no_report_is_refused_and_not_quoted() {
    let desk = Desk::new();
    for (name, text) in [
        ("a.json", "CANARY"),
        ("b.json", "{\"schema\":\"CANARY\",\"run\":1}"),
        ("c.json", "{\"schema\":\"dosimeter.report/1\",\"CANARY\":"),
        ("d.json", "[]"),
        ("e.json", "\u{0}\u{1b}[31mCANARY"),
    ] {
        let said = program::run(["verify", &desk.file(name, text)]);
        assert_eq!(said.code, 2, "{name}: {}", said.out);
        quiet(&said);
    }
    let deep = desk.file("deep.json", "{\"credentials\":".repeat(100_000));
    assert_eq!(program::run(["verify", &deep]).code, 2);
    assert_eq!(program::run(["verify", "/dev/zero"]).code, 2);
    assert_eq!(program::run(["verify", &desk.path("missing.json")]).code, 2);
}

#[test]
fn the_answer_is_written_beside_and_never_into_the_evidence() {
    let (machine, desk) = (machine(), Desk::new());
    desk.scan(&machine);
    let (case, json, table) = (desk.path("case.json"), desk.path("v.json"), desk.path("v.txt"));
    for _ in 0..2 {
        let said = program::run(["verify", &case, "-o", &json, "-o", &table, "--format", "table"]);
        assert_eq!(said.code, 1, "{}", said.err);
        assert_eq!(fs::read_to_string(&table).unwrap(), said.out);
        let written: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
        assert!(SCHEMA.is_valid(&written));
    }
    let inside = machine.root().join("v.json").to_str().unwrap().to_owned();
    for (out, why) in [(inside.as_str(), "which is evidence"), (&case, "evidence"), ("v.html", "use `.json` or `.txt`")]
    {
        let said = program::run(["verify", &case, "-o", out]);
        assert_eq!((said.code, said.err.contains(why)), (2, true), "{}", said.err);
    }
    assert!(!Path::new(&inside).exists());
}

#[test]
fn a_redacted_inventory_has_no_tags_and_another_keeps_them() {
    let (machine, desk) = (machine(), Desk::new());
    let (root, key) = (machine.root().to_str().unwrap(), desk.path("case.key"));
    let record = |name: &str, more: &[&str]| {
        let out = desk.path(name);
        let mut args = vec!["scan", "--root", root, "--case-key", &key, "--inventory", &out];
        args.extend(more);
        assert_eq!(program::run(args).code, 1);
        fs::read_to_string(&out).unwrap()
    };
    let (whole, redacted) = (record("whole.ndjson", &[]), record("redacted.ndjson", &["--redact"]));
    assert!(whole.contains("\"tag\":\"") && whole.contains("\"case_key\":\""));
    assert!(!redacted.contains("\"tag\":\"") && !redacted.contains("\"case_key\":\""));
    for text in [&whole, &redacted] {
        assert!(!text.contains(CANARY) && !text.contains(&KEY[..16]));
    }
    // A report that is made of it later can be verified too.
    let case = desk.path("case.json");
    let said = program::run(["match", &desk.path("whole.ndjson"), "-o", &case]);
    assert_eq!(said.code, 1, "{}", said.err);
    let (answer, _) = desk.verify(&["--root", root]);
    let seen = changes(&answer);
    assert!(seen.contains(&".vault-token same by tag".to_owned()), "{seen:#?}");
}

/// A day as logs write it.
fn days_ago(days: i64) -> String {
    let then = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days);
    then.to_string()
}

/// Half of it is rotated for real, at the provider too: exactly the right items are closed, open and unknown.
#[test]
fn listings_and_logs_close_what_they_prove() {
    let (machine, desk) = (machine(), Desk::new());
    desk.scan(&machine);
    rotate_half(&machine);
    // What the incident left is taken out.
    for path in
        ["app/.venv/lib/python3.11/site-packages/litellm-1.82.8.dist-info", "app/.venv/lib/python3.11/site-packages"]
    {
        fs::remove_dir_all(machine.root().join("home/alice").join(path)).unwrap();
    }
    let (old, new, kept) = ("AKIAABCDEFGH2JKLMNOP", "AKIANEWDEFGH2JKLMNOP", "AKIAZZZDEFGH2JKLMNOP");
    let now = days_ago(0);
    let key = |id: &str, status: &str, created: &str| {
        format!("{{\"UserName\":\"ci\",\"AccessKeyId\":\"{id}\",\"Status\":\"{status}\",\"CreateDate\":\"{created}\"}}")
    };
    let aws = desk.file(
        "aws.json",
        format!(
            "{{\"AccessKeyMetadata\":[{},{}]}}",
            key(new, "Active", &now),
            key(kept, "Active", "2025-01-01T00:00:00+00:00")
        ),
    );
    let stranger = desk.file(
        "stranger.json",
        format!("{{\"AccessKeyMetadata\":[{}]}}", key("AKIAEVLDEFGH2JKLMNOP", "Active", "2026-03-25T00:00:00Z")),
    );
    let gcloud = desk.file(
        "gcloud.json",
        "[{\"name\":\"projects/made-up/serviceAccounts/ci@made-up.iam.gserviceaccount.com/keys/ba9876543210cdef0123456789abcdef01234567\",\"keyType\":\"USER_MANAGED\",\"validAfterTime\":\"2026-11-29T00:00:00Z\",\"validBeforeTime\":\"9999-12-31T23:59:59Z\"}]",
    );
    let npm = desk.file(
        "npm.json",
        format!("[{{\"key\":\"c0\",\"token\":\"npm_CANARY\",\"created\":\"{now}\",\"readonly\":false}}]"),
    );
    let event = |time: &str, name: &str, by: &str, more: &str| {
        format!(
            "{{\"eventTime\":\"{time}\",\"eventSource\":\"x\",\"eventName\":\"{name}\",\"recipientAccountId\":\"123456789012\",\"userIdentity\":{{\"accessKeyId\":\"{by}\"}}{more}}}"
        )
    };
    let delete = format!(",\"requestParameters\":{{\"accessKeyId\":\"{old}\"}}");
    let records = [
        event("2026-03-24T12:00:00Z", "GetObject", old, ""),
        event(&days_ago(8), "DeleteAccessKey", "ASIAADMINADMINADMINA", &delete),
        event(&now, "GetObject", new, ""),
        event(&now, "GetObject", kept, ""),
    ];
    let log = desk.file("trail.json.gz", gzip(format!("{{\"Records\":[{}]}}", records.join(",")).as_bytes()));
    let handed = ["--listing", &aws, "--listing", &gcloud, "--listing", &npm, "--log", &log];
    let (answer, code) = desk.verify(&handed);
    let states = states(&answer);
    for expected in [
        // Replaced here, gone from the listing that has the new one, deleted by the log, and silent since.
        "credentials[default] closed: replaced dead silent",
        "credentials[dev] open: same alive unknown",
        "application_default_credentials.json[ci@made-up.iam.gserviceaccount.com] unknown: replaced dead unknown",
        ".npmrc unknown: gone unknown unknown",
        ".env[OPENAI_API_KEY] unknown: replaced unknown unknown",
        ".env[ANTHROPIC_API_KEY] open: same unknown unknown",
    ] {
        assert!(states.contains(&expected.to_owned()), "{expected}: {states:#?}");
    }
    assert_eq!((answer["summary"]["closed"].as_u64(), code), (Some(1), 1));
    assert_eq!(answer["findings"], Value::Array(Vec::new()));
    assert_eq!(answer["unclaimed"], Value::Array(Vec::new()));
    assert_eq!(answer["sources"].as_array().unwrap().len(), 4);

    let (answer, _) = desk.verify(&["--listing", &stranger]);
    assert_eq!(answer["unclaimed"][0]["id"], "AKIAEVLDEFGH2JKLMNOP");
    assert_eq!(answer["unclaimed"][0]["in_window"], true);
    let said = program::run(["verify", &desk.path("case.json"), "--listing", &stranger]);
    assert!(said.out.contains("NOBODY ON THE LIST OWNS (1)"), "{}", said.out);

    // A person answers for the rest of one.
    let (answer, _) = desk.verify(
        &[
            &handed[..],
            &[
                "--attest",
                "ba98 by Jo: x",
                "--attest",
                "0123456789abcdef0123456789abcdef01234567 silence by Jo Li: log read, ticket 7",
            ],
        ]
        .concat(),
    );
    let gcp = answer["items"].as_array().unwrap().iter().find(|i| i["kind"] == "gcp.service_account_key").unwrap();
    assert_eq!((&gcp["state"], &gcp["attested"][0]["by"]), (&"closed".into(), &"Jo Li".into()));
}

/// `file state: here provider silence`.
fn states(answer: &Value) -> Vec<String> {
    let one = |i: &Value| {
        let inner = i["location"]["inner"].as_str().map(|x| format!("[{x}]")).unwrap_or_default();
        let file = i["location"]["path"].as_str().unwrap().rsplit('/').next().unwrap();
        let word = |part: &Value| part.as_str().unwrap().to_owned();
        let facts = [&i["here"]["answer"], &i["provider_state"]["answer"], &i["silence"]["answer"]].map(word);
        format!("{file}{inner} {}: {}", word(&i["state"]), facts.join(" "))
    };
    answer["items"].as_array().unwrap().iter().map(one).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn files_that_are_handed_in_are_bounded_and_not_quoted() {
    let (machine, desk) = (machine(), Desk::new());
    desk.scan(&machine);
    let case = desk.path("case.json");
    let bomb = desk.file("bomb.gz", gzip(&b",".repeat(64 << 20)));
    let values = desk.file("values.json", format!("[{}0]", "0,".repeat(600_000)));
    for (option, file, why) in [
        ("--listing", desk.file("a", "CANARY"), "no listing that is known"),
        ("--listing", desk.file("b", "{\"CANARY"), "not JSON, line 1"),
        ("--listing", desk.file("c", b"\xff\xfeCANARY"), "no text"),
        ("--listing", desk.file("d", "[]"), "an empty one needs a name"),
        ("--listing", format!("aws={}", desk.file("e", "[{\"CANARY\":1}]")), "not of that form"),
        ("--listing", values, "cannot read"),
        ("--listing", "/dev/zero".to_owned(), "a device"),
        ("--listing", desk.path("missing"), "cannot open"),
        ("--log", desk.file("f", "CANARY\n"), "no log that is known"),
        ("--log", desk.file("i", "[]"), "an empty one needs a name"),
        ("--log", desk.file("g", "{\"Records\":[{\"CANARY"), "not JSON, line 1"),
        ("--log", desk.file("h", b"\x1f\x8bCANARY"), "error"),
        ("--log", bomb, "error"),
        ("--attest", "CANARY".to_owned(), "ID by NAME: TEXT"),
    ] {
        let said = program::run(["verify", &case, option, &file]);
        assert_eq!((said.code, said.err.contains(why)), (2, true), "{file}: {}", said.err);
        assert!(option == "--attest" || !said.err.contains(CANARY), "{}", said.err);
        assert!(said.out.is_empty());
    }
    let empty = desk.file("empty.json", "[]");
    let (answer, _) = desk.verify(&["--listing", &format!("npm={empty}"), "--log", &format!("cloudtrail={empty}")]);
    assert_eq!(answer["sources"][1]["entries"], 0);
    assert!(answer["items"].to_string().contains("the extract holds no event"));
    // A page says by its shape what it is.
    let (aws, trail) = (desk.file("aws", "{\"AccessKeyMetadata\":[]}"), desk.file("trail", "{\"Events\":[]}"));
    let (answer, _) = desk.verify(&["--listing", &aws, "--log", &trail]);
    assert_eq!(answer["sources"][1]["form"], "CloudTrail");
    assert!(answer["items"].to_string().contains("the listing is empty"));
}

/// Two machines share a key, in one plan: each is verified by itself.
#[test]
fn a_plan_of_several_machines_is_verified_machine_by_machine() {
    let (one, two, desk) = (machine(), machine(), Desk::new());
    let key = desk.path("case.key");
    let mut args = vec!["rotate".to_owned()];
    for (name, machine) in [("one.json", &one), ("two.json", &two)] {
        let (root, out) = (machine.root().to_str().unwrap(), desk.path(name));
        assert_eq!(program::run(["scan", "--root", root, "--case-key", &key, "-o", &out]).code, 1);
        args.push(out);
    }
    let plan = desk.path("plan.json");
    args.extend(["-o".to_owned(), plan.clone()]);
    let said = program::run(&args);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    fs::rename(&plan, desk.path("case.json")).unwrap();
    fs::remove_file(two.root().join("home/alice/.npmrc")).unwrap();
    let seen = |machine: &Machine| {
        let (answer, _) = desk.verify(&["--root", machine.root().to_str().unwrap()]);
        let all = answer["items"].as_array().unwrap().iter();
        let npm = all.filter(|i| i["kind"] == "npm.token").map(|i| i["here"]["answer"].as_str().unwrap().to_owned());
        let mut npm: Vec<String> = npm.collect();
        npm.sort();
        npm
    };
    assert_eq!(seen(&one), ["same", "unknown"]);
    assert_eq!(seen(&two), ["gone", "unknown"]);
    // A disk of neither, until it is named.
    let third = machine();
    let root = third.root().to_str().unwrap();
    let said = program::run(["verify", &desk.path("case.json"), "--root", root]);
    assert_eq!((said.code, said.err.contains("name it with `--machine`")), (2, true), "{}", said.err);
    let said = program::run(["verify", &desk.path("case.json"), "--root", root, "--machine", "nobody"]);
    assert_eq!((said.code, said.err.contains("has no machine `nobody`")), (2, true), "{}", said.err);
    let name = one.root().to_str().unwrap();
    let (answer, _) = desk.verify(&["--root", root, "--machine", name]);
    assert!(changes(&answer).contains(&".npmrc same by tag".to_owned()), "{:#?}", changes(&answer));
    quiet(&said);
}
