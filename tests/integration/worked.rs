//! The plan while it is worked: ticks come back from an edited file, later scans take nothing away, and contradictions are refused.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::{
    machine::Machine,
    program::{Said, run},
};

const KEY: &str = "AKIA7WW5PSMYLEMMIKAL";

/// A laptop with the hook, a cloud key, a registry's token and a key for servers.
fn laptop() -> Machine {
    Machine::new()
        .venv("home/alice/app/.venv")
        .dist("litellm", "1.82.8")
        .site_file("litellm_init.pth", "import base64\n")
        .home(
            ".aws/credentials",
            format!("[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {}\n", "k".repeat(40)),
        )
        .home(".npmrc", format!("//registry.example/:_authToken=npm_{}\n", "t".repeat(36)))
        .home(".vault-token", format!("hvs.{}", "v".repeat(24)))
}

struct Case {
    dir: tempfile::TempDir,
}

impl Case {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }

    /// A report of a machine, under a name of its own.
    fn scan(&self, machine: &Machine, file: &str, host: &str) -> PathBuf {
        let out = self.path(file);
        let root = machine.root().to_str().unwrap();
        run(["scan", "-q", "--root", root, "-o", out.to_str().unwrap(), "--force-output"]);
        let mut report = self.json(file);
        report["run"]["target"]["id"] = json!(host);
        fs::write(&out, serde_json::to_vec(&report).unwrap()).unwrap();
        out
    }

    fn rotate(&self, args: &[&str]) -> Said {
        let at = |a: &&str| match a.contains('.') && !a.starts_with('-') {
            true => self.path(a).to_str().unwrap().to_owned(),
            false => (*a).to_owned(),
        };
        run(["rotate".to_owned(), "-q".to_owned()].into_iter().chain(args.iter().map(at)))
    }
}

fn items(plan: &Value) -> &Vec<Value> {
    plan["checklist"].as_array().unwrap()
}

/// Id of the one item whose title has this text.
fn id(plan: &Value, text: &str) -> String {
    let mut found = items(plan).iter().filter(|i| i["title"].as_str().unwrap().contains(text));
    let item = found.next().unwrap_or_else(|| panic!("no item about {text}"));
    assert!(found.next().is_none(), "two items about {text}");
    item["id"].as_str().unwrap().to_owned()
}

/// Ids of what every change of the machine waits for.
fn first(plan: &Value) -> [String; 2] {
    ["Keep the evidence", "Cut the network"].map(|text| id(plan, text))
}

/// The Markdown with the box of this item ticked.
fn ticked(text: &str, id: &str) -> String {
    let (at, _) = text.match_indices("- [ ]").find(|(at, _)| text[*at..].lines().next().unwrap().contains(id)).unwrap();
    format!("{}- [x]{}", &text[..at], &text[at + 5..])
}

fn state<'p>(plan: &'p Value, id: &str) -> &'p str {
    let all = plan["work"].as_array().map_or(&[][..], Vec::as_slice);
    all.iter().find(|w| w["item"] == id).map_or("open", |w| w["state"].as_str().unwrap())
}

#[test]
fn ticks_come_back_from_markdown_and_csv_and_outlive_a_clean_scan() {
    let (case, machine) = (Case::new(), laptop());
    case.scan(&machine, "case.json", "lap");
    let made = case.rotate(&["case.json", "-o", "plan.json", "-o", "plan.md", "-o", "plan.csv"]);
    assert_eq!((made.code, made.err.as_str()), (1, ""));
    let plan = case.json("plan.json");
    assert_eq!(plan["schema"], "dosimeter.plan/1");
    let (code, key, token) = (id(&plan, "out of"), id(&plan, KEY), id(&plan, "registry.example"));

    // A person ticks boxes, what comes first too, and fills in a row of the record.
    let mut text = case.text("plan.md");
    for id in first(&plan).iter().chain([&code]) {
        text = ticked(&text, id);
    }
    let row = text.lines().find(|l| l.starts_with('|') && l.contains(&key)).unwrap().to_owned();
    let label = row.split('|').nth(1).unwrap().trim().to_owned();
    text = text
        .replace(&row, &format!("| {label} | `{key}` | revoked | Ann | Bob |  | 2026-03-25 09:30 |  |  | ticket 7 |"));
    fs::write(case.path("edited.md"), text).unwrap();
    let said = case.rotate(&[
        "--update",
        "plan.json",
        "--update",
        "edited.md",
        "-o",
        "two.json",
        "-o",
        "two.csv",
        "-o",
        "two.md",
    ]);
    assert_eq!((said.code, said.err.as_str()), (1, ""));
    let two = case.json("two.json");
    assert_eq!((state(&two, &code), state(&two, &key), state(&two, &token)), ("closed", "revoked", "open"));
    let work = two["work"].as_array().unwrap().iter().find(|w| w["item"] == key.as_str()).unwrap();
    assert_eq!((&work["owner"], &work["done_by"], &work["note"]), (&json!("Ann"), &json!("Bob"), &json!("ticket 7")));
    assert_eq!(work["revoked"], "2026-03-25T09:30:00Z");

    // What was written is read again, whichever file of it.
    for file in ["two.csv", "two.md"] {
        let said = case.rotate(&["--update", "plan.json", "--update", file, "-o", "again.json", "--force-output"]);
        assert_eq!((said.code, said.err.as_str()), (1, ""), "{file}");
        assert_eq!(case.json("again.json")["work"], two["work"], "{file}");
    }

    // After the clean-up nothing is found, and the list is as long as before.
    let clean = Machine::new().home(".profile", "x\n");
    case.scan(&clean, "later.json", "lap");
    assert!(items(&case.json("later.json")).is_empty());
    let said = case.rotate(&["--update", "two.json", "later.json", "-o", "three.json"]);
    assert_eq!(said.code, 1);
    let three = case.json("three.json");
    assert_eq!(items(&three), items(&two));
    assert_eq!(three["work"], two["work"]);
    assert_eq!(three["credentials"], two["credentials"]);
}

#[test]
fn what_contradicts_itself_is_refused_with_the_line() {
    let (case, machine) = (Case::new(), laptop());
    case.scan(&machine, "case.json", "lap");
    case.rotate(&["case.json", "-o", "plan.json"]);
    let plan = case.json("plan.json");
    let (key, token, code) = (id(&plan, KEY), id(&plan, "registry.example"), id(&plan, "out of"));
    let head = "id,state,owner,done by,checked by,revoked,issued,checked,note";
    let done: String = first(&plan).iter().map(|id| format!("{id},closed,,,,,,,\n")).collect();
    let refused = |row: &str, why: &str| {
        fs::write(case.path("t.csv"), format!("{head}\n{row}\n{done}")).unwrap();
        let said = case.rotate(&["--update", "plan.json", "--update", "t.csv", "-o", "new.json"]);
        assert_eq!(said.code, 2, "{row}");
        assert!(said.err.contains("t.csv, line 2") && said.err.contains(why), "{row}: {}", said.err);
        assert!(!case.path("new.json").exists(), "{row}");
    };
    let day = "2026-03-25 09:00";
    refused(&format!("{key},closed,Ann,Bob,,{day},,,"), "nobody is named who saw the old one refused");
    refused(&format!("{key},closed,Ann,Bob,bob,{day},,{day},"), "was checked by who did it");
    refused(&format!("{key},closed,Ann,Bob,Cleo,,,{day},"), "no time says when the old one was revoked");
    refused(&format!("{key},revoked,Ann,Bob,,,,,"), "no time says when");
    refused(&format!("{key},closed,Ann,Bob,Cleo,{day},,2026-03-24,"), "was checked before it was revoked");
    refused(&format!("{key},accepted_risk,Ann,,,,,,"), "no note says why");
    refused(&format!("{token},issued,Ann,Bob,,2026-03-26,{day},,"), "was issued before the old one was revoked");
    refused(&format!("{code},closed,Ann,Bob,,{day},,,"), "is about no secret");
    refused(&format!("{key},finished,Ann,,,,,,"), "`finished` is no state");
    refused(&format!("{key},revoked,Ann,,,the day before,,,"), "is no time");
    refused("s-ffffffff,closed,Ann,,,,,,", "no item of the plan has this id");
    // The same without the fault is taken.
    fs::write(case.path("t.csv"), format!("{head}\n{key},closed,Ann,Bob,Cleo,{day},,{day},\n{done}")).unwrap();
    let said = case.rotate(&["--update", "plan.json", "--update", "t.csv", "-o", "new.json"]);
    assert_eq!((said.code, said.err.as_str()), (1, ""));
    assert_eq!(state(&case.json("new.json"), &key), "closed");
}

#[test]
fn a_credential_that_three_machines_hold_is_one_item() {
    let case = Case::new();
    let other = Machine::new().home(".pgpass", "db.example:5432:app:alice:Tr0ub4dor-and-3\n");
    let machines = [laptop(), laptop(), laptop()];
    for (machine, host) in machines.iter().zip(["a", "b", "c"]) {
        case.scan(machine, &format!("{host}.json"), host);
    }
    case.scan(&other, "d.json", "d");
    let said = case.rotate(&["a.json", "b.json", "c.json", "d.json", "-o", "plan.json", "-o", "plan.md"]);
    assert_eq!((said.code, said.err.as_str()), (1, ""));
    let plan = case.json("plan.json");
    let key = id(&plan, KEY);
    let item = items(&plan).iter().find(|i| i["id"] == key.as_str()).unwrap();
    assert_eq!(item["machines"], json!(["a", "b", "c"]));
    assert_eq!(item["credentials"].as_array().unwrap().len(), 3);
    // What has no identifier may be another on each of them.
    let passwords = items(&plan).iter().filter(|i| i["title"].as_str().unwrap().contains(".vault-token"));
    assert_eq!(passwords.count(), 3);
    let removals: Vec<&Value> = items(&plan)
        .iter()
        .filter(|i| i["title"].as_str().unwrap().contains("out of"))
        .map(|i| &i["machines"])
        .collect();
    assert_eq!(removals, [&json!(["a"]), &json!(["b"]), &json!(["c"])]);
    let mut ids: Vec<&str> = items(&plan).iter().map(|i| i["id"].as_str().unwrap()).collect();
    for item in items(&plan) {
        for after in item["after"].as_array().unwrap() {
            let at = |id: &Value| items(&plan).iter().position(|i| i["id"] == *id);
            assert!(at(after).unwrap() < at(&item["id"]).unwrap(), "{item:#}");
        }
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), items(&plan).len(), "an id twice");
    // In whatever order they are named.
    case.rotate(&["a.json", "b.json", "c.json", "d.json", "-o", "again.json"]);
    assert_eq!(case.json("again.json")["checklist"], plan["checklist"]);
}

/// What was ticked hides nothing that a later scan finds elsewhere.
#[test]
fn a_new_place_is_a_new_item() {
    let (case, machine) = (Case::new(), laptop());
    case.scan(&machine, "case.json", "lap");
    case.rotate(&["case.json", "-o", "plan.json"]);
    let code = id(&case.json("plan.json"), "out of");
    let done: String = first(&case.json("plan.json")).iter().map(|id| format!("{id};closed;Ann\n")).collect();
    fs::write(case.path("t.csv"), format!("id;state;done by\n{code};closed;Ann\n{done}")).unwrap();
    case.rotate(&["--update", "plan.json", "--update", "t.csv", "-o", "two.json"]);
    assert_eq!(state(&case.json("two.json"), &code), "closed");
    let other = Machine::new().venv("home/alice/two/.venv").dist("litellm", "1.82.8");
    case.scan(&other, "later.json", "lap");
    for _ in 0..2 {
        let said = case.rotate(&["--update", "two.json", "later.json", "-o", "three.json", "--force-output"]);
        assert_eq!(said.code, 1, "{}", said.err);
        let three = case.json("three.json");
        let new: Vec<&Value> = items(&three)
            .iter()
            .filter(|i| i["title"].as_str().unwrap().contains("two/.venv") && i["phase"] == "eradicate")
            .collect();
        assert_eq!(new.len(), 1);
        let new_id = new[0]["id"].as_str().unwrap();
        assert_eq!((state(&three, &code), state(&three, new_id)), ("closed", "open"));
        // Its archive has a name of its own.
        assert!(
            new[0]["steps"].to_string().contains(&format!("keep {new_id} "))
                && !new[0]["steps"].to_string().contains(&code)
        );
        fs::copy(case.path("three.json"), case.path("two.json")).unwrap();
    }
}

/// Two folders of one name are two machines, and labels are no identity.
#[test]
fn what_only_looks_the_same_is_not_one() {
    let (case, one) = (Case::new(), laptop());
    let two = laptop().home(".npmrc", format!("//registry.example/:_authToken=npm_{}\n", "u".repeat(36)));
    case.scan(&one, "a.json", "disk");
    case.scan(&two, "b.json", "disk");
    case.rotate(&["a.json", "b.json", "-o", "plan.json"]);
    let plan = case.json("plan.json");
    let about = |text: &str| items(&plan).iter().filter(|i| i["title"].as_str().unwrap().contains(text)).count();
    assert_eq!((about(KEY), about("registry.example")), (1, 2));
}

/// A file that somebody works on is not written over by chance.
#[test]
fn ticks_are_not_written_over() {
    let (case, machine) = (Case::new(), laptop());
    case.scan(&machine, "case.json", "lap");
    for _ in 0..2 {
        let said = case.rotate(&["case.json", "-o", "plan.json", "-o", "plan.md", "-o", "plan.csv"]);
        assert_eq!((said.code, said.err.as_str()), (1, ""), "what nobody touched may be written again");
    }
    let code = id(&case.json("plan.json"), "out of");
    let edited = case.text("plan.csv").replace(",open,,,,,,,", ",begun,Ann,,,,,,");
    fs::write(case.path("plan.csv"), edited).unwrap();
    let md = case.text("plan.md").replace(&format!("`{code}` | open |"), &format!("`{code}` | begun |"));
    fs::write(case.path("plan.md"), md).unwrap();
    for file in ["plan.csv", "plan.md"] {
        let before = case.text(file);
        let said = case.rotate(&["case.json", "-o", file]);
        assert!(said.code == 2 && said.err.contains("holds ticks"), "{file}: {}", said.err);
        assert_eq!(case.text(file), before);
        let said =
            case.rotate(&["--update", "plan.json", "--update", file, "-o", file, "-o", "new.json", "--force-output"]);
        assert_eq!(said.code, 1, "{file}: {}", said.err);
        assert_eq!(state(&case.json("new.json"), &code), "begun", "{file}");
    }
    let said = case.rotate(&["case.json", "-o", "new.json"]);
    assert!(said.code == 2 && said.err.contains("holds ticks"), "{}", said.err);
}

#[test]
fn why_names_reasons_and_for_leaves_the_numbers() {
    let (case, machine) = (Case::new(), laptop());
    case.scan(&machine, "case.json", "lap");
    case.rotate(&["case.json", "-o", "plan.json", "-o", "plan.csv"]);
    let plan = case.json("plan.json");
    let key = id(&plan, KEY);
    let why = case.rotate(&["case.json", "--why", &key]);
    assert_eq!(why.code, 0, "{}", why.err);
    assert!(
        why.out.contains(KEY)
            && why.out.contains("Cut the network by dropping packets; leave the power on: while the network is up"),
        "{}",
        why.out
    );
    let row = case.text("plan.csv").lines().find(|l| l.contains(&key)).unwrap().to_owned();
    let label = row.split(',').next().unwrap().to_owned();
    assert_eq!(case.rotate(&["case.json", "--why", &label]).out, why.out);
    assert_eq!(case.rotate(&["case.json", "--why", "B99"]).code, 2);
    assert_eq!(case.rotate(&["case.json", "--why", KEY]).out, why.out);
    let none = case.rotate(&["case.json", "--for", "nobody"]);
    assert!(
        none.code == 2 && none.err.contains("no item is about `nobody`") && none.err.contains("aws"),
        "{}",
        none.err
    );
    let text = case.rotate(&["case.json", "--for", "aws"]).out;
    assert!(text.contains(&format!("\n{label:<4}")) && !text.contains("registry.example"), "{text}");
}
