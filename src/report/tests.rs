use insta::assert_snapshot;
use serde_json::Value;

use super::*;
use crate::{
    accounts::Accounts,
    assess::{Assessment, Case, Evidence, assess},
    coverage::{Coverage, Exclusion, Gap, GapKind, SurfaceCount},
    credential::Catalog,
    fact::{At, Credential, Ecosystem, Fact, Origin, Package, Placement, Requirement, Seen, TreePath},
    ioc::{Database, Index},
};

const EXAMPLE: &str = include_str!("../../tests/fixtures/report/example.json");
/// Made up, so that a change of the real indicators changes no snapshot.
const INCIDENT: &str = include_str!("../../tests/fixtures/report/incident.json");
const REPORT_SCHEMA: &str = include_str!("../../docs/schema/report-1.schema.json");
const NDJSON_SCHEMA: &str = include_str!("../../docs/schema/ndjson-1.schema.json");

fn example() -> v1::Report {
    serde_json::from_str(EXAMPLE).unwrap()
}

fn valid(schema: &str, value: &Value) {
    let shared = jsonschema::Resource::from_contents(serde_json::from_str(REPORT_SCHEMA).unwrap()).unwrap();
    let options = jsonschema::options().with_resource("urn:dosimeter:report:1", shared);
    let schema = options.build(&serde_json::from_str(schema).unwrap()).unwrap();
    let errors: Vec<String> = schema.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path)).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

fn shown(format: Format, report: &v1::Report, style: Style) -> String {
    let mut out = Vec::new();
    render(format, report, &mut out, style).unwrap();
    String::from_utf8(out).unwrap()
}

fn at_width(width: usize) -> Style {
    Style { width, colour: Colour::Never }
}

/// Every value of `part` stands in `whole`, at the same place.
fn holds(whole: &Value, part: &Value, at: &str) {
    match (whole, part) {
        (Value::Object(w), Value::Object(p)) => p.iter().for_each(|(k, v)| holds(&w[k], v, &format!("{at}/{k}"))),
        (Value::Array(w), Value::Array(p)) => {
            assert_eq!(w.len(), p.len(), "{at}");
            w.iter().zip(p).for_each(|(w, p)| holds(w, p, at));
        }
        _ => assert_eq!(whole, part, "{at}"),
    }
}

fn path(raw: &[u8]) -> TreePath {
    TreePath::new(raw).unwrap()
}

/// A machine with one bad environment, through the whole judgement; some of its names are hostile.
fn examined(found: bool, gaps: bool) -> v1::Report {
    let header = r#"{"sequence": 7, "created": "2026-11-22T00:00:00Z"}"#;
    let database = Database::parse(("database.json", header), &[("made-up-2026-03.json", INCIDENT)]).unwrap();
    let index = Index::new(database, &[]);
    let tree: std::sync::Arc<str> = "host".into();
    let mut evidence = Vec::new();
    let mut add = |surface: &'static str, at: &[u8], fact: Fact| {
        let seen = Seen {
            surface,
            origin: Origin::file(&tree, path(at)),
            at: Some(At::new("2026-03-24T11:05:00Z".parse().unwrap(), "mtime of INSTALLER")),
            uid: Some(1000),
            mode: Some(0o600),
            fact,
        };
        evidence.push(Evidence::from(seen));
    };
    let package = |name: &str, version: &str, requires: &[&str]| {
        Fact::Package(Package {
            ecosystem: Ecosystem::Pypi,
            name: name.into(),
            version: version.into(),
            placement: Placement::Loadable,
            requires: requires
                .iter()
                .map(|r| Requirement { name: (*r).into(), text: (*r).into(), extra: false })
                .collect(),
            artifacts: Vec::new(),
        })
    };
    let site = b"home/alice/a|b`c\x1b[31m\xff/.venv/lib/python3.11/site-packages";
    if found {
        let below = |tail: &str| [site.as_slice(), b"/", tail.as_bytes()].concat();
        add("python/dist-info", &below("examplelib-1.2.3.dist-info/METADATA"), package("examplelib", "1.2.3", &[]));
        add("python/dist-info", &below("dspy-2.6.0.dist-info/METADATA"), package("dspy", "2.6.0", &["examplelib"]));
        add("python/dist-info", &below("dspy-2.6.0.dist-info/REQUESTED"), Fact::Requested);
        let unit = b"home/alice/.config/example/beacon.py";
        add("text/config", b"home/alice/x.ini", Fact::Host { name: "evil.example".into(), sinkholed: false });
        add("host/file", unit, Fact::File { sha256: None, size: 9, texts: Vec::new() });
    }
    let key = |kind: &str, identifier: Option<&str>| {
        let identifier = identifier.map(str::to_owned);
        Fact::Credential(Credential { kind: kind.into(), identifier, note: None })
    };
    add("credential/aws", b"home/alice/.aws/credentials", key("aws.access_key", Some("AKIAIOSFODNN7EXAMPLE")));
    add("credential/ssh", "home/alice/.ssh/id\u{202e}<b>x</b>\n# y".as_bytes(), key("ssh.key", None));
    let accounts = std::collections::BTreeMap::from([(
        tree.clone(),
        Accounts::new(b"alice:x:1000:1000::/home/alice:/bin/sh\n", []),
    )]);
    let catalog = Catalog::default();
    let case = Case { index: &index, catalog: &catalog, evidence, accounts: accounts.clone() };
    let assessment: Assessment = assess(case);
    let mut coverage =
        Coverage { trees: vec!["host".into()], files_seen: 812_345, bytes_read: 73_400_320, ..Coverage::default() };
    coverage.surfaces.insert("python/dist-info", SurfaceCount { files: 41, facts: 44 });
    let reason = "pseudo file system".to_owned();
    coverage.exclusions.push(Exclusion { origin: Origin::file(&tree, path(b"proc")), reason });
    if gaps {
        let detail = "permission denied".to_owned();
        let origin = Origin::file(&tree, path(b"root/\x1b]0;x\x07"));
        coverage.gaps.push(Gap { origin, surface: "walk", kind: GapKind::Unreadable, detail });
    }
    build(Examination {
        index: &index,
        catalog: &catalog,
        assessment: &assessment,
        coverage,
        accounts: &accounts,
        target: v1::Target { kind: "host".into(), id: "build-7".into(), os: Some("debian 12".into()) },
        started: "2026-11-25T08:00:00Z".parse().unwrap(),
        finished: "2026-11-25T08:00:02Z".parse().unwrap(),
        argv: vec!["dosimeter".into()],
        user: "root".into(),
        privileged: true,
    })
}

#[test]
fn the_contract_is_kept_in_both_directions() {
    let contract: Value = serde_json::from_str(EXAMPLE).unwrap();
    valid(REPORT_SCHEMA, &contract);
    let report = example();
    let written = serde_json::to_value(&report).unwrap();
    holds(&written, &contract, "");
    valid(REPORT_SCHEMA, &written);
    assert_eq!(serde_json::from_value::<v1::Report>(written).unwrap(), report);
}

#[test]
fn what_is_built_keeps_the_contract_too() {
    for (found, gaps) in [(true, false), (true, true), (false, false), (false, true)] {
        let report = examined(found, gaps);
        let json = shown(Format::Json, &report, Style::default());
        let value: Value = serde_json::from_str(&json).unwrap();
        valid(REPORT_SCHEMA, &value);
        assert_eq!(serde_json::from_value::<v1::Report>(value).unwrap(), report);
        let lines = shown(Format::Ndjson, &report, Style::default());
        let types: Vec<String> = lines
            .lines()
            .map(|line| {
                let record: Value = serde_json::from_str(line).unwrap();
                valid(NDJSON_SCHEMA, &record);
                record["type"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(types.first().map(String::as_str), Some("run_start"));
        assert_eq!(types.last().map(String::as_str), Some("run_summary"));
    }
}

#[test]
fn the_schema_refuses_what_breaks_the_contract() {
    let schema = jsonschema::validator_for(&serde_json::from_str(REPORT_SCHEMA).unwrap()).unwrap();
    let broken = |pointer: &str, value: Value| {
        let mut report: Value = serde_json::from_str(EXAMPLE).unwrap();
        *report.pointer_mut(pointer).unwrap() = value;
        assert!(!schema.is_valid(&report), "{pointer}");
    };
    broken("/verdict/summary", "this machine is clean".into());
    broken("/incidents/0/findings/0/location/path", "relative/path".into());
    broken("/incidents/0/findings/0/at", "2026-03-24T11:05:00+01:00".into());
    broken("/credentials/0/rotate", "later".into());
    broken("/schema", "dosimeter.report/2".into());
}

#[test]
fn the_answer_says_what_was_found_and_never_more() {
    let answer = |found, gaps| examined(found, gaps).verdict.summary;
    assert_eq!(answer(true, false), "exposed: made-up-2026-03 executed on this machine");
    assert_eq!(answer(true, true), "exposed: made-up-2026-03 executed on this machine; examination incomplete");
    assert_eq!(answer(false, false), "nothing found in what was examined");
    assert_eq!(answer(false, true), "nothing found, examination incomplete");
}

#[test]
fn nothing_hostile_reaches_a_terminal_or_leaves_its_span() {
    let report = examined(true, true);
    assert!(!shown(Format::Table, &report, at_width(80)).contains("evil.example"), "hosts are no links");
    for format in [Format::Table, Format::Markdown] {
        for width in [80, 200] {
            let text = shown(format, &report, at_width(width));
            assert!(!text.chars().any(|c| c != '\n' && crate::text::hidden(c)), "{text}");
            assert!(text.contains(r"/.ssh/id\u{202e}<b>x</b>\n# y"), "the whole path is somewhere\n{text}");
        }
    }
    let coloured = shown(Format::Table, &report, Style { width: 80, colour: Colour::Always });
    let plain = shown(Format::Table, &report, at_width(80));
    let mut bare = coloured.clone();
    for code in ["1", "1;31", "1;33", "36", "0"] {
        bare = bare.replace(&format!("\x1b[{code}m"), "");
    }
    assert_ne!(coloured, plain);
    assert_eq!(bare, plain, "colour adds nothing but colour");
}

#[test]
fn endings_choose_the_format() {
    let format = |name: &str| Format::from_path(Path::new(name));
    assert_eq!(format("a/case.JSON"), Some(Format::Json));
    assert_eq!(format("case.ndjson"), Some(Format::Ndjson));
    assert_eq!(format("case.md"), Some(Format::Markdown));
    assert_eq!(format("case.txt"), Some(Format::Table));
    assert_eq!((format("case.pdf"), format("json")), (None, None));
    assert!(Format::ALL.iter().all(|f| !f.as_str().is_empty()));
}

#[test]
fn the_example_at_80_columns() {
    assert_snapshot!(shown(Format::Table, &example(), at_width(80)), @r#"
    exposed: litellm-2026-03 executed on this machine
    host build-7 (debian 12), 2026-11-25T08:00:00Z to 2026-11-25T08:00:02Z, as root
    examination complete; 812345 names seen, 70.0 MiB read, 1 exclusion
    indicators 1 of 2026-11-22 (3 days old): 2 incidents, 2 malicious versions

    WHAT TO DO NOW
    the order matters; every step and the reasons: `dosimeter rotate`
     eradicate
       1. Remove the sysmon backdoor of alice (2 steps)
            $ systemctl --user mask --now sysmon.service
     rotate
       2. AWS access key AKIAIOSFODNN7EXAMPLE
            $ aws iam update-access-key --status Inactive --access-key-id AKIAIOSFODNN7EXAMPLE --user-name USER

    FINDINGS
    litellm-2026-03: LiteLLM 1.82.7 and 1.82.8 on PyPI
      litellm 1.82.7 could be had from 2026-03-24T10:39:00Z to 2026-03-24T16:00:00Z
      litellm 1.82.8 could be had from 2026-03-24T10:52:00Z to 2026-03-24T16:00:00Z

      executed, confirmed: path/~/.config/sysmon/sysmon.py
        /home/alice/.config/sysmon/sysmon.py
        when:  2026-03-24T11:06:10Z (birth time)
        why:   the payload's backdoor, dropped when it ran

      installed, confirmed: pypi/litellm@1.82.8
        /home/alice/app/.venv/lib/python3.11/site-packages/litellm-1.82.8.dist-info/METADATA
        when:  2026-03-24T11:05:00Z (mtime of INSTALLER)
        why:   malicious version; its start-up hook runs at every Python start
        chain: litellm ← dspy ← my-plugin (asked for)

      cached, confirmed: pypi/litellm@1.82.8
        /home/alice/.cache/pip/http-v2/a/b/c/d/e/abcde0.body
        when:  2026-03-24T11:04:58Z (Date header in the cache entry)
        why:   the wheel's bytes are in pip's cache
        file:  litellm-1.82.8-py3-none-any.whl, 12345 bytes, sha256
               1111111111111111111111111111111111111111111111111111111111111111

      see https://github.com/BerriAI/litellm/issues/24512

    CREDENTIALS
    1 of 1 to rotate; no value is ever read into this report
    now   aws.access_key  harvested  alice  AKIAIOSFODNN7EXAMPLE
          /home/alice/.aws/credentials [default]

    WHAT WAS EXAMINED
     surface           files  facts
     python/dist-info  41     41

    LEFT OUT ON PURPOSE
      /proc/sys: pseudo file system
    "#);
}

#[test]
fn the_example_at_200_columns() {
    assert_snapshot!(shown(Format::Table, &example(), at_width(200)), @r#"
    exposed: litellm-2026-03 executed on this machine
    host build-7 (debian 12), 2026-11-25T08:00:00Z to 2026-11-25T08:00:02Z, as root
    examination complete; 812345 names seen, 70.0 MiB read, 1 exclusion
    indicators 1 of 2026-11-22 (3 days old): 2 incidents, 2 malicious versions

    WHAT TO DO NOW
    the order matters; every step and the reasons: `dosimeter rotate`
     eradicate
       1. Remove the sysmon backdoor of alice (2 steps)
            $ systemctl --user mask --now sysmon.service
     rotate
       2. AWS access key AKIAIOSFODNN7EXAMPLE
            $ aws iam update-access-key --status Inactive --access-key-id AKIAIOSFODNN7EXAMPLE --user-name USER

    FINDINGS
    litellm-2026-03: LiteLLM 1.82.7 and 1.82.8 on PyPI
      litellm 1.82.7 could be had from 2026-03-24T10:39:00Z to 2026-03-24T16:00:00Z
      litellm 1.82.8 could be had from 2026-03-24T10:52:00Z to 2026-03-24T16:00:00Z

      executed, confirmed: path/~/.config/sysmon/sysmon.py
        /home/alice/.config/sysmon/sysmon.py
        when:  2026-03-24T11:06:10Z (birth time)
        why:   the payload's backdoor, dropped when it ran

      installed, confirmed: pypi/litellm@1.82.8
        /home/alice/app/.venv/lib/python3.11/site-packages/litellm-1.82.8.dist-info/METADATA
        when:  2026-03-24T11:05:00Z (mtime of INSTALLER)
        why:   malicious version; its start-up hook runs at every Python start
        chain: litellm ← dspy ← my-plugin (asked for)

      cached, confirmed: pypi/litellm@1.82.8
        /home/alice/.cache/pip/http-v2/a/b/c/d/e/abcde0.body
        when:  2026-03-24T11:04:58Z (Date header in the cache entry)
        why:   the wheel's bytes are in pip's cache
        file:  litellm-1.82.8-py3-none-any.whl, 12345 bytes, sha256
               1111111111111111111111111111111111111111111111111111111111111111

      see https://github.com/BerriAI/litellm/issues/24512

    CREDENTIALS
    1 of 1 to rotate; no value is ever read into this report
     rotate  kind            reach      owner  identifier            place
     now     aws.access_key  harvested  alice  AKIAIOSFODNN7EXAMPLE  /home/alice/.aws/credentials [default]

    WHAT WAS EXAMINED
     surface           files  facts
     python/dist-info  41     41

    LEFT OUT ON PURPOSE
      /proc/sys: pseudo file system
    "#);
}

#[test]
fn hostile_names_at_80_columns() {
    assert_snapshot!(shown(Format::Table, &examined(true, true), at_width(80)), @r#"
    exposed: made-up-2026-03 executed on this machine; examination incomplete
    host build-7 (debian 12), 2026-11-25T08:00:00Z to 2026-11-25T08:00:02Z, as root
    EXAMINATION INCOMPLETE: 1 gap; 812345 names seen, 70.0 MiB read, 1 exclusion
    indicators 7 of 2026-11-22 (3 days old): 1 incident, 1 malicious version

    WHAT TO DO NOW
    the order matters; every step and the reasons: `dosimeter rotate`
     preserve
       1. Keep the evidence before anything is changed (5 steps)
            $ EVIDENCE="$(mktemp -d /root/evidence.XXXXXX)"
     contain
       2. Cut the network by dropping packets (2 steps)
     eradicate
       3. Remove the backdoor of made-up-2026-03 of alice
            $ cp -a --parents -- /home/alice/.config/example/beacon.py "${EVIDENCE:?}/" && rm -- /home/alice/.config/example/beacon.py
       4. Take pypi/examplelib@1.2.3 out of /home/alice/a|b`c\u{1b}[31m\xff/.venv (4
          steps)
            $ rm -rf -- $'/home/alice/a|b`c\033[31m\377/.venv/lib/python3.11/site-packages/examplelib'
     purge
       5. Find out why the attacker's hosts are named
       6. Put back what was deleted, in a good version (3 steps)
     freeze
       7. Stop publishing, deploying and CI that reads secrets (3 steps)
     rotate
       8. now: What made-up-2026-03 takes beyond the files found here (2 steps)
       9. now: aws.access_key AKIAIOSFODNN7EXAMPLE (3 steps)
      10. now: ssh.key in /home/alice/.ssh/id\u{202e}<b>x</b>\n# y (3 steps)
     verify
      11. Examine again
            $ dosimeter
      12. Ask each provider whether the old ones are dead (2 steps)
      13. Watch the logs for the old ones

    FINDINGS
    made-up-2026-03: A made-up incident of examplelib
      examplelib 1.2.3 could be had from 2026-03-24T10:39:00Z to
      2026-03-24T16:00:00Z

      executed, confirmed: path/~/.config/example/beacon.py
        /home/alice/.config/example/beacon.py
        when:  2026-03-24T11:05:00Z (mtime of INSTALLER)
        why:   the payload's backdoor, left by the payload when it ran, by name

      installed, confirmed: pypi/examplelib@1.2.3
        /home/alice/a|b`c\u{1b}[31m\xff/.venv/lib/python3.11/site-packages/examplelib-1.2.3.dist-info/METADATA
        when:  2026-03-24T11:05:00Z (mtime of INSTALLER)
        why:   malicious version, where Python loads it; it runs at every Python
               start
        chain: examplelib ← dspy (asked for)

      referenced, likely: host/evil[.]example
        /home/alice/x.ini
        when:  2026-03-24T11:05:00Z (mtime of INSTALLER)
        why:   points evil[.]example somewhere: took the stolen data

      see https://reports.example/a
      see https://reports.example/b
      see https://reports.example/c
      and 1 more source in the JSON report

    CREDENTIALS
    2 of 2 to rotate; no value is ever read into this report
    now   aws.access_key  harvested  alice  AKIAIOSFODNN7EXAMPLE
          /home/alice/.aws/credentials
    now   ssh.key  harvested  alice
          /home/alice/.ssh/id\u{202e}<b>x</b>\n# y

    WHAT WAS EXAMINED
     surface           files  facts
     python/dist-info  41     44

    NOT EXAMINED
      /root/\u{1b}]0;x\u{7}
        walk: permission denied

    LEFT OUT ON PURPOSE
      /proc: pseudo file system
    "#);
}

#[test]
fn nothing_found_at_80_columns() {
    assert_snapshot!(shown(Format::Table, &examined(false, true), at_width(80)), @r#"
    nothing found, examination incomplete
    host build-7 (debian 12), 2026-11-25T08:00:00Z to 2026-11-25T08:00:02Z, as root
    EXAMINATION INCOMPLETE: 1 gap; 812345 names seen, 70.0 MiB read, 1 exclusion
    indicators 7 of 2026-11-22 (3 days old): 1 incident, 1 malicious version

    CREDENTIALS
    0 of 2 to rotate; no value is ever read into this report
    no    aws.access_key  out_of_reach  alice  AKIAIOSFODNN7EXAMPLE
          /home/alice/.aws/credentials
    no    ssh.key  out_of_reach  alice
          /home/alice/.ssh/id\u{202e}<b>x</b>\n# y

    WHAT WAS EXAMINED
     surface           files  facts
     python/dist-info  41     44

    NOT EXAMINED
      /root/\u{1b}]0;x\u{7}
        walk: permission denied

    LEFT OUT ON PURPOSE
      /proc: pseudo file system
    "#);
}

#[test]
fn hostile_names_in_markdown() {
    assert_snapshot!(shown(Format::Markdown, &examined(true, true), Style::default()), @r#"
    # exposed: made-up-2026-03 executed on this machine; examination incomplete

    - host build-7 (debian 12), 2026-11-25T08:00:00Z to 2026-11-25T08:00:02Z, as root
    - EXAMINATION INCOMPLETE: 1 gap; 812345 names seen, 70.0 MiB read, 1 exclusion
    - indicators 7 of 2026-11-22 (3 days old): 1 incident, 1 malicious version

    ## What to do now

    ### preserve

    - [ ] **1. Keep the evidence before anything is changed**
      - why: what follows destroys traces, and only they can tell what was taken and when
      - [ ] start no Python and no tool written in it on this machine: no pip, aws, az, gcloud, ansible, certbot; each start can run the payload again
      - [ ] take an image of the disk, or a snapshot of the volume or virtual machine; of a running machine its memory too
      - [ ] copy this report to another machine
      - [ ] make a folder for what is taken out below; the commands there use it

        ```sh
        EVIDENCE="$(mktemp -d /root/evidence.XXXXXX)"
        ```

      - [ ] export the logs that expire: cloud audit trails (90 days in CloudTrail's event history), CI, DNS and proxy logs

    ### contain

    - [ ] **2. Cut the network by dropping packets**
      - why: the payload sends what it takes and fetches more; a proxy that answers 401, 403 or 407 can look like a revoked token, and some payloads delete files when a token is revoked
      - [ ] deny all traffic at the switch, security group or firewall with a rule that drops and never rejects; not with a proxy or captive portal that answers
      - [ ] where the machine has to stay online, drop at least evil\[.\]example

    ### eradicate

    - [ ] **3. Remove the backdoor of made-up-2026-03 of alice**
      - why: it starts again at each boot or login, and fetches new code
      - after: 1-2
      - [ ] move /home/alice/.config/example/beacon.py to the evidence

        ```sh
        cp -a --parents -- /home/alice/.config/example/beacon.py "${EVIDENCE:?}/" && rm -- /home/alice/.config/example/beacon.py
        ```

    - [ ] **4. Take pypi/examplelib@<!-- -->1.2.3 out of /home/alice/a\|b\`c\\u\{1b\}\[31m\\xff/.venv**
      - why: code of the payload may have been written into any file of it; uninstalling starts the very Python that runs the payload
      - after: 1-2
      - [ ] stop the services and jobs that use it; never use pip for this
      - [ ] this folder is more than one environment, so only what the package brought is deleted; rebuild the machine where you can
      - [ ] delete /home/alice/a\|b\`c\\u\{1b\}\[31m\\xff/.venv/lib/python3.11/site-packages/examplelib

        ```sh
        rm -rf -- $'/home/alice/a|b`c\033[31m\377/.venv/lib/python3.11/site-packages/examplelib'
        ```

      - [ ] delete /home/alice/a\|b\`c\\u\{1b\}\[31m\\xff/.venv/lib/python3.11/site-packages/examplelib-1.2.3.dist-info

        ```sh
        rm -rf -- $'/home/alice/a|b`c\033[31m\377/.venv/lib/python3.11/site-packages/examplelib-1.2.3.dist-info'
        ```


    ### purge

    - [ ] **5. Find out why the attacker's hosts are named**
      - why: a block list is harmless, a setting that points there is not
      - after: 1-4
      - [ ] /home/alice/x.ini: points evil\[.\]example somewhere: took the stolen data
    - [ ] **6. Put back what was deleted, in a good version**
      - why: from emptied caches and changed pins, so that the malicious version cannot come back
      - after: 3-5
      - [ ] pin examplelib 1.2.2
      - [ ] make /home/alice/a\|b\`c\\u\{1b\}\[31m\\xff/.venv anew
      - [ ] best on a rebuilt machine; on this one only after a second examination finds nothing that runs

    ### freeze

    - [ ] **7. Stop publishing, deploying and CI that reads secrets**
      - why: a job that still runs hands the new secret to whoever has the old one, and a stolen publishing token turns one victim into many
      - [ ] pause release and deployment pipelines, scheduled jobs and self-hosted runners until the new secrets are in place
      - [ ] pin dependencies: no automatic updates until then
      - [ ] set a time at which every old secret is dead; nothing new is stored before it in a place that an old one can read

    ### rotate

    - [ ] **8. now: What made-up-2026-03 takes beyond the files found here**
      - why: no scan can see which of these the process that ran it could reach; ask those who run it
      - after: 3-7
      - [ ] from a clean machine, replace whatever of this the process could reach:
      - [ ] every environment variable of the process that ran it
    - [ ] **9. now: aws.access\_key AKIAIOSFODNN7EXAMPLE**
      - why: harvested by made-up-2026-03; on the payload's list (\~/.aws/credentials), readable by alice
      - after: 3-7
      - [ ] from a clean machine
      - [ ] it stands in /home/alice/.aws/credentials
      - [ ] revoke it at its provider and issue a new one; this program does not know the kind
    - [ ] **10. now: ssh.key in /home/alice/.ssh/id\\u\{202e\}\<b\>x\</b\>\\n# y**
      - why: harvested by made-up-2026-03; on the payload's list (\~/.ssh/\*\*/\*), readable by alice
      - after: 3-7
      - [ ] from a clean machine
      - [ ] it stands in /home/alice/.ssh/id\\u\{202e\}\<b\>x\</b\>\\n# y
      - [ ] revoke it at its provider and issue a new one; this program does not know the kind

    ### verify

    - [ ] **11. Examine again**
      - why: what was missed steals the new secrets too
      - after: 3-6
      - [ ] examine this machine, as root

        ```sh
        dosimeter
        ```

    - [ ] **12. Ask each provider whether the old ones are dead**
      - why: a new secret in its place proves nothing about the copy that was taken
      - after: 8-10
      - [ ] by a second person, from a clean machine: the old identifier is revoked, inactive or absent
      - [ ] sessions and tokens minted from the old one are dead too
    - [ ] **13. Watch the logs for the old ones**
      - why: a use after the revocation means that something still lives, or that another copy exists
      - after: 8-10
      - [ ] no successful use of any old identifier since it was revoked; write down where there is no log

    ## Findings

    ### made-up-2026-03: A made-up incident of examplelib

    - examplelib 1.2.3 could be had from 2026-03-24T10:39:00Z to 2026-03-24T16:00:00Z
    - <https://reports.example/a>
    - <https://reports.example/b>
    - <https://reports.example/c>
    - <https://reports.example/d>

    - **executed, confirmed**: `path/~/.config/example/beacon.py`
      - `/home/alice/.config/example/beacon.py`
      - when: 2026-03-24T11:05:00Z (mtime of INSTALLER)
      - why: the payload's backdoor, left by the payload when it ran, by name
    - **installed, confirmed**: `pypi/examplelib@1.2.3`
      - ``/home/alice/a|b`c\u{1b}[31m\xff/.venv/lib/python3.11/site-packages/examplelib-1.2.3.dist-info/METADATA``
      - when: 2026-03-24T11:05:00Z (mtime of INSTALLER)
      - why: malicious version, where Python loads it; it runs at every Python start
      - chain: `examplelib ← dspy (asked for)`
    - **referenced, likely**: `host/evil[.]example`
      - `/home/alice/x.ini`
      - when: 2026-03-24T11:05:00Z (mtime of INSTALLER)
      - why: points evil\[.\]example somewhere: took the stolen data

    ## Credentials

    No value is ever read into this report.

    | rotate | kind | reach | owner | identifier | place |
    | --- | --- | --- | --- | --- | --- |
    | now | `aws.access_key` | harvested | `alice` | `AKIAIOSFODNN7EXAMPLE` | `/home/alice/.aws/credentials` |
    | now | `ssh.key` | harvested | `alice` |  | `/home/alice/.ssh/id\u{202e}<b>x</b>\n# y` |

    ## What was examined

    - `python/dist-info`: 41 files, 44 facts

    ## Not examined

    - `/root/\u{1b}]0;x\u{7}`: permission denied

    ## Left out on purpose

    - `/proc`: pseudo file system
    "#);
}

#[test]
fn the_checklist_alone() {
    let report = example();
    let mut out = Vec::new();
    render_checklist(Format::Table, &report, &mut out, at_width(80)).unwrap();
    assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
    exposed: litellm-2026-03 executed on this machine
    host build-7 (debian 12), 2026-11-25T08:00:00Z to 2026-11-25T08:00:02Z, as root
    examination complete; 812345 names seen, 70.0 MiB read, 1 exclusion
    indicators 1 of 2026-11-22 (3 days old): 2 incidents, 2 malicious versions

    ERADICATE
       1. Remove the sysmon backdoor of alice
          why: it fetches new code every 50 minutes
          - stop and mask the unit
            $ systemctl --user mask --now sysmon.service
          - move the file to evidence

    ROTATE
       2. AWS access key AKIAIOSFODNN7EXAMPLE
          why: harvested by litellm-2026-03
          after: 1
          - from a clean workstation: create a new key, deploy it, deactivate the
            old, then delete it
            $ aws iam update-access-key --status Inactive --access-key-id AKIAIOSFODNN7EXAMPLE --user-name USER
    "#);
}
