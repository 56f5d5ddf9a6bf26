//! Plans as people hand them back: what was taken over is said, spreadsheets and editors change the form, and nothing that was taken is
//! forgotten.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::{
    machine::Machine,
    program::{Said, run, valid},
};

const KEY: &str = "AKIA7WW5PSMYLEMMIKAL";

fn laptop(name: &str) -> Machine {
    let machine = Machine::new()
        .venv("app/.venv")
        .dist("litellm", "1.82.8")
        .site_file("litellm_init.pth", "import base64\n")
        .home(
            ".aws/credentials",
            format!("[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {}\n", "k".repeat(40)),
        )
        .home(".npmrc", format!("//registry.example/:_authToken=npm_{}\n", "t".repeat(36)));
    if name.is_empty() { machine } else { machine.file("etc/hostname", format!("{name}\n")) }
}

struct Case(tempfile::TempDir);

impl Case {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// `dosimeter COMMAND …` with the files of the case.
    fn run(&self, args: &str) -> Said {
        let at = |a: &str| match [".json", ".md", ".csv", ".sh"].iter().any(|ending| a.ends_with(ending)) {
            true => self.path(a).to_str().unwrap().to_owned(),
            false => a.to_owned(),
        };
        run(args.split(' ').map(at))
    }

    fn scan(&self, machine: &Machine, file: &str) -> Said {
        self.run(&format!("scan -q --root {} -o {file}", machine.root().to_str().unwrap()))
    }

    /// A plan of one laptop as `plan.json`, `plan.md` and `plan.csv`.
    fn planned() -> Self {
        let case = Self::new();
        case.scan(&laptop("lap"), "case.json");
        let made = case.run("rotate -q case.json -o plan.json -o plan.md -o plan.csv");
        assert_eq!((made.code, made.err.as_str()), (1, ""));
        case
    }

    /// The row of the CSV with this label, as cells.
    fn rows(&self) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(self.path("plan.csv")).unwrap();
        reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    fn label(&self, title: &str) -> String {
        let rows = self.rows();
        let found: Vec<&Vec<String>> = rows.iter().filter(|r| r[7].contains(title)).collect();
        assert_eq!(found.len(), 1, "{title}");
        found[0][0].clone()
    }

    fn id(&self, label: &str) -> String {
        self.rows().iter().find(|r| r[0] == label).unwrap()[1].clone()
    }
}

fn state<'p>(plan: &'p Value, id: &str) -> &'p str {
    let all = plan["work"].as_array().map_or(&[][..], Vec::as_slice);
    all.iter().find(|w| w["item"] == id).map_or("open", |w| w["state"].as_str().unwrap())
}

/// The number of the line that holds a text.
fn line(text: &str, part: &str) -> usize {
    text.lines().position(|l| l.contains(part)).unwrap() + 1
}

#[test]
fn an_update_says_what_it_took_over_and_what_not() {
    let case = Case::planned();
    let text = case.text("plan.md");
    let net = case.label("Cut the network");
    // The box of the item, its first step, and a box of one's own; the boxes of the first page are pictures.
    let start = text.find(&format!("**{net}. ")).unwrap();
    let (head, rest) = text.split_at(start);
    let edited = format!("{}- [x] {}", head.strip_suffix("- [ ] ").unwrap(), rest.replacen("  - [ ] ", "  - [x] ", 1))
        .replacen("[ ] D1 ", "[x] D1 ", 1)
        + "\n- [x] call the boss\n";
    case.write("edited.md", &edited);
    let said = case.run("rotate --update plan.json --update edited.md -o two.json -o two.md");
    let file = case.path("edited.md");
    let at = |part: &str| format!("{}:{}", file.display(), line(&edited, part));
    let lines: Vec<&str> = said.err.lines().collect();
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(lines[0].starts_with("taken over: 1 item changed state, "), "{}", said.err);
    assert!(lines[0].ends_with(" boxes of steps read (1 ticked, 1 changed)"), "{}", said.err);
    assert_eq!(lines[1], format!("  {net} open -> closed ({})", at(&format!("**{net}. "))));
    assert_eq!(lines[2], "left aside: 2 lines");
    assert!(lines.iter().any(|l| l.contains(&at("[x] D1 ")) && l.contains("a tick on the first page")), "{}", said.err);
    assert!(lines.contains(&format!("  {}: a box without an item's id", at("call the boss")).as_str()), "{}", said.err);
    // What was ticked is printed ticked, and comes back as it is.
    let two = case.text("two.md");
    assert_eq!((two.matches("\n  - [x] ").count(), two.matches("\n- [x] ").count()), (1, 1));
    valid(&case.json("two.json"));
    let again = case.run("rotate --update two.json --update two.md -o three.json");
    assert!(again.err.starts_with("taken over: 0 items changed state, ") && again.err.contains("1 ticked, 0 changed"));
    assert_eq!(case.json("three.json")["checklist"], case.json("two.json")["checklist"]);
    // What is left aside is said to whoever wants to read little, too.
    let quiet = case.run("rotate -q --update plan.json --update edited.md");
    assert!(quiet.err.starts_with("left aside: 2 lines"), "{}", quiet.err);
    let kept = case.run("rotate --update plan.json --update edited.md");
    assert!(kept.err.ends_with("add `-o plan.json`\n"), "{}", kept.err);
    // Unticked again.
    case.write("open.md", two.replacen("\n- [x] ", "\n- [ ] ", 1).replacen("\n  - [x] ", "\n  - [ ] ", 1));
    let said = case.run("rotate --update two.json --update open.md -o four.json");
    assert!(
        said.err.contains(&format!("  {net} closed -> open (")) && said.err.contains("0 ticked, 1 changed"),
        "{}",
        said.err
    );
    assert_eq!(case.json("four.json")["work"], Value::Null);
    assert_eq!(case.json("four.json")["checklist"], case.json("plan.json")["checklist"]);
}

/// What is to beware of is no step.
#[test]
fn warnings_have_no_box() {
    let case = Case::planned();
    let text = case.text("plan.md");
    assert!(text.contains("\n  - careful: ") && !text.contains("] careful: "), "{text}");
}

#[test]
fn spreadsheets_may_write_it_as_they_like() {
    let case = Case::planned();
    let (net, key) = (case.label("Cut the network"), case.label(KEY));
    let write = |separator: u8, time: &str, order: &[usize], crlf: bool| {
        let mut out = csv::WriterBuilder::new()
            .delimiter(separator)
            .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .from_writer(Vec::new());
        for mut row in case.rows() {
            if row[0] == net {
                row[10] = "Closed".to_owned();
            }
            if row[0] == key {
                row[10] = "revoked".to_owned();
                row[11] = "'=Jörg".to_owned();
                row[14] = time.to_owned();
                row[17] = "one,\n\"two\"; three".to_owned();
            }
            let row: Vec<&String> = order.iter().map(|at| &row[*at]).collect();
            out.write_record(row).unwrap();
        }
        String::from_utf8(out.into_inner().unwrap()).unwrap()
    };
    let all: Vec<usize> = (0..18).collect();
    let back: Vec<usize> = (0..18).rev().collect();
    let wide = |text: &str, little: bool| -> Vec<u8> {
        let text = format!("\u{feff}{text}");
        text.encode_utf16().flat_map(|u| if little { u.to_le_bytes() } else { u.to_be_bytes() }).collect()
    };
    let western = |text: &str| -> Vec<u8> { text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect() };
    let time = "2026-03-25 09:30";
    for (name, bytes) in [
        ("plain", write(b',', time, &all, false).into_bytes()),
        ("excel", [b"\xef\xbb\xbf".to_vec(), write(b';', "25.03.2026 09:30", &all, true).into_bytes()].concat()),
        ("unicode text", wide(&write(b'\t', "3/25/2026 9:30", &all, true), true)),
        ("big-endian", wide(&write(b'\t', "3/25/2026 9:30:00 AM", &all, true), false)),
        ("western", western(&write(b';', "25/03/2026 09:30", &all, true))),
        ("sep", format!("sep=;\r\n{}", write(b';', time, &back, true)).into_bytes()),
        ("moved", write(b',', time, &back, false).into_bytes()),
        ("old", western(&write(b',', time, &all, false).replace('\n', "\r"))),
    ] {
        case.write("t.csv", bytes);
        let said = case.run("rotate --update plan.json --update t.csv -o two.json --force-output");
        assert_eq!(said.code, 1, "{name}: {}", said.err);
        assert!(
            said.err.contains(&format!("\n  {key} open -> revoked, owner, revoked, note (")),
            "{name}: {}",
            said.err
        );
        assert_eq!(said.err.contains("Windows-1252"), matches!(name, "western" | "old"), "{name}: {}", said.err);
        let two = case.json("two.json");
        let work = two["work"].as_array().unwrap().iter().find(|w| w["item"] == case.id(&key)).unwrap();
        assert_eq!(
            (&work["owner"], &work["revoked"], &work["note"]),
            (&json!("=Jörg"), &json!("2026-03-25T09:30:00Z"), &json!("one, / \"two\"; three")),
            "{name}"
        );
        assert_eq!(state(&two, &case.id(&net)), "closed", "{name}");
    }
    case.write("t.csv", write(b',', "3/4/2026 9:30", &all, false));
    let said = case.run("rotate --update plan.json --update t.csv -o no.json");
    assert!(
        said.code == 2 && said.err.contains("may be 2026-04-03 or 2026-03-04; write the one that is meant"),
        "{}",
        said.err
    );
    // As a spreadsheet has saved it, it may be read and written in place.
    case.write("t.csv", wide(&write(b'\t', time, &all, true), true));
    let said = case.run("rotate -q --update plan.json --update t.csv -o t.csv");
    assert_eq!((said.code, said.err.as_str()), (1, ""));
    assert!(case.text("t.csv").starts_with("item,id,"));
    case.write("t.xlsx", b"PK\x03\x04 a workbook");
    let said = run([
        "rotate",
        "--update",
        case.path("plan.json").to_str().unwrap(),
        "--update",
        case.path("t.xlsx").to_str().unwrap(),
    ]);
    assert!(said.code == 2 && said.err.contains("save it as CSV"), "{}", said.err);
    case.write("t.csv", b"PK\x03\x04 a workbook");
    let said = case.run("rotate --update plan.json --update t.csv -o no.json");
    assert!(said.code == 2 && said.err.contains("save it as CSV"), "{}", said.err);
    assert!(!case.path("no.json").exists());
}

/// A spreadsheet in another encoding, or with a word that is no state, is somebody's work too.
#[test]
fn work_that_cannot_be_read_is_not_written_over() {
    let case = Case::planned();
    let fresh = case.text("plan.csv");
    for worked in [
        fresh.replacen(",open,,,", ",finished,,,", 1).into_bytes(),
        fresh.replacen(",open,,", ",open,J\u{f6}rg,", 1).chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect(),
    ] {
        case.write("plan.csv", &worked);
        let said = case.run("rotate case.json -o plan.csv");
        assert!(said.code == 2 && said.err.contains("holds ticks"), "{}", said.err);
        assert_eq!(fs::read(case.path("plan.csv")).unwrap(), worked);
    }
}

#[test]
fn two_files_that_disagree_are_refused_with_both_lines() {
    let case = Case::planned();
    let net = case.label("Cut the network");
    let id = case.id(&net);
    let md = case.text("plan.md").replacen(&format!("- [ ] **{net}. "), &format!("- [x] **{net}. "), 1);
    case.write("t.md", &md);
    case.write("t.csv", format!("id,state\n{id},begun\n"));
    let said = case.run("rotate --update plan.json --update t.md --update t.csv -o two.json");
    let tick = format!("t.md, line {}", line(&md, &format!("- [x] **{net}. ")));
    assert!(said.code == 2 && said.err.contains("t.csv, line 2") && said.err.contains(&tick), "{}", said.err);
    assert!(!case.path("two.json").exists());
    // One of them left as it was written says nothing against the other.
    let said = case.run("rotate --update plan.json --update t.md --update plan.csv -o two.json");
    assert_eq!((said.code, state(&case.json("two.json"), &id)), (1, "closed"), "{}", said.err);
}

#[test]
fn a_plan_is_cut_by_owner_kind_provider_and_machine() {
    let case = Case::planned();
    let key = case.label(KEY);
    case.write("t.csv", format!("id,state,owner\n{},begun,\"Team Blue, Ann Smith\"\n", case.id(&key)));
    let said = case.run("rotate -q --update plan.json --update t.csv -o plan.json");
    assert_eq!(said.code, 1, "{}", said.err);
    let kept = |words: &str| {
        let said = case.run(&format!("rotate plan.json {words} --format csv"));
        assert_eq!(said.code, 1, "{words}: {}", said.err);
        let labels = said.out.lines().skip(1).map(|l| l.split(',').next().unwrap().to_owned());
        labels.filter(|l| l.starts_with('B')).collect::<Vec<_>>()
    };
    let npm = case.label("registry.example");
    for words in ["--for aws", "--for AWS", "--for aws.access_key", "--for ann", "--for blue"] {
        assert_eq!(kept(words), std::slice::from_ref(&key), "{words}");
    }
    let mut both = vec![key, npm];
    both.sort_by_key(|l| (l.len(), l.clone()));
    for words in ["--for aws --for npm", "--for aws,npm", "--for ann,npm"] {
        assert_eq!(kept(words), both, "{words}");
    }
    assert!(kept("--for lap").len() > 2, "the machine itself");
    for words in ["--for nobody", "--for aws,nobody", "--for an"] {
        let said = case.run(&format!("rotate plan.json {words}"));
        let all = ["provider: aws, npm", "aws.access_key", "owner: Team Blue, Ann Smith", "machine: lap"];
        assert!(said.code == 2 && all.iter().all(|w| said.err.contains(w)), "{words}: {}", said.err);
        assert!(!said.err.contains("about `aws`"), "{words}: {}", said.err);
    }
}

#[test]
fn a_disk_is_its_own_machine_wherever_it_is_mounted() {
    let case = Case::new();
    let mount = |machine: &Machine, file: &str, folder: &str| {
        let folder = case.path(folder);
        let _ = fs::remove_file(&folder);
        std::os::unix::fs::symlink(machine.root(), &folder).unwrap();
        let said = run(["scan", "-q", "--root", folder.to_str().unwrap(), "-o", case.path(file).to_str().unwrap()]);
        assert_eq!(said.code, 1, "{}", said.err);
        valid(&case.json(file));
        said.out
    };
    let (one, two) = (laptop("web1"), laptop("web2"));
    let said = mount(&one, "a.json", "mnt");
    assert!(said.contains(" on web1 (") && said.contains("\ndisk web1 at "), "{said}");
    mount(&two, "b.json", "mnt");
    let verified = |folder: &str| {
        let (report, folder) = (case.path("a.json"), case.path(folder));
        run(["verify", report.to_str().unwrap(), "--root", folder.to_str().unwrap()]).out
    };
    let other = "the report is of the disk of `web1`, and this one calls itself `web2`";
    assert!(verified("mnt").contains(other), "another disk at its folder says nothing of it");
    mount(&one, "c.json", "other");
    assert!(!verified("other").contains(other));
    let machines = |files: &str| -> Vec<Value> {
        let made = case.run(&format!("rotate -q {files} -o plan.json --force-output"));
        assert_eq!(made.code, 1, "{}", made.err);
        let plan = case.json("plan.json");
        valid(&plan);
        plan["machines"].as_array().map_or_else(Vec::new, |all| all.iter().map(|m| m["tree"].clone()).collect())
    };
    assert_eq!(machines("a.json b.json"), [json!("web1"), json!("web2")]);
    assert_eq!(machines("a.json b.json c.json"), [json!("web1"), json!("web2")]);
    assert!(machines("a.json c.json").is_empty(), "one disk at two folders is one machine");
    let said = case.run("rotate a.json c.json").err;
    assert!(said.contains("c.json is of the machine of ") && said.ends_with("both disks call it `web1`\n"), "{said}");
    // A plan is kept up by the disk, not by the folder.
    machines("a.json");
    assert!(machines("--update plan.json c.json").is_empty());
    assert_eq!(machines("--update plan.json b.json"), [json!("web1"), json!("web2")]);
    assert_eq!(machines("--update plan.json c.json"), [json!("web1"), json!("web2")]);
    // What an installer calls every machine is nobody's name.
    let said = mount(&laptop("localhost"), "d.json", "mnt");
    assert!(said.contains("\ndisk /"), "{said}");
    assert_eq!(case.json("d.json")["run"]["target"]["name"], Value::Null);
}

#[test]
fn a_later_report_never_empties_an_earlier_list() {
    let case = Case::new();
    let clean = Machine::new().file("etc/hostname", "lap\n");
    case.scan(&laptop("lap"), "case.json");
    let before = case.text("case.json");
    let said = case.scan(&clean, "case.json");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("stays as it is: it lists ") && said.err.contains("--force-output"), "{}", said.err);
    assert!(said.out.starts_with("nothing found"), "what was found is shown: {}", said.out);
    assert_eq!(case.text("case.json"), before);
    // The same machine as before may be written over, and so may what found nothing.
    assert_eq!(case.scan(&laptop("lap"), "case.json").code, 1);
    case.scan(&clean, "clean.json");
    assert_eq!(case.scan(&laptop("lap"), "clean.json").code, 1);
    // Each format that lists it, and a plan that nobody worked yet.
    case.run("rotate -q case.json -o plan.json -o plan.md -o plan.csv -o plan.sh");
    case.scan(&clean, "later.json");
    for file in ["plan.json", "plan.md", "plan.csv", "plan.sh"] {
        let kept = case.text(file);
        let said = case.run(&format!("rotate later.json -o {file}"));
        assert!(said.code == 2 && said.err.contains("stays as it is"), "{file}: {}", said.err);
        assert_eq!(case.text(file), kept);
    }
    let both = case.run("rotate -q --update plan.json later.json -o plan.json");
    assert_eq!((both.code, both.err.as_str()), (1, ""));
    // Others are written where one is kept.
    let root = clean.root().to_str().unwrap();
    let said = run([
        "scan",
        "-q",
        "--root",
        root,
        "-o",
        case.path("case.json").to_str().unwrap(),
        "-o",
        case.path("new.json").to_str().unwrap(),
    ]);
    assert_eq!((said.code, case.json("new.json")["incidents"].clone()), (2, json!([])));
    let said = run(["scan", "-q", "--root", root, "--force-output", "-o", case.path("case.json").to_str().unwrap()]);
    assert_eq!((said.code, case.json("case.json")["incidents"].clone()), (0, json!([])));
}

/// After a later report finds more, what proved that nothing is left is open again, and the plan can be worked on.
#[test]
fn a_proof_ends_with_what_is_found_later() {
    let case = Case::planned();
    let rows = case.rows();
    let machine = rows.iter().filter(|r| r[0].starts_with('A') || r[7].contains("Examine again"));
    let done: String = machine.map(|r| format!("{},closed\n", r[1])).collect();
    case.write("t.csv", format!("id,state\n{done}"));
    let said = case.run("rotate -q --update plan.json --update t.csv -o plan.json");
    assert_eq!(said.code, 1, "{}", said.err);
    let proof = case.label("Examine again");
    let page = case.run("rotate plan.json").out;
    assert!(page.contains(&format!("[x] {proof} Examine again")) && page.contains("[ ] D2 "), "{page}");
    let id = case.id(&proof);
    let other = Machine::new().file("etc/hostname", "lap\n").venv("two/.venv").dist("litellm", "1.82.8");
    case.scan(&other, "later.json");
    let said = case.run("rotate -q --update plan.json later.json -o two.json");
    assert!(said.code == 1 && said.err.contains(&format!("{proof} closed -> begun: it waits for A")), "{}", said.err);
    assert_eq!(state(&case.json("two.json"), &id), "begun");
    let said = case.run("rotate -q --update two.json -o three.json");
    assert_eq!((said.code, said.err.as_str()), (1, ""));
}

/// `ROOT` may be a folder beside the script, and says which machine is meant.
#[test]
#[allow(clippy::disallowed_methods, clippy::disallowed_types)] // the script itself is what is tried
fn the_script_takes_a_relative_root_and_the_disks_own_name() {
    let case = Case::new();
    let disks = [laptop("web1"), laptop("web2")];
    for (n, disk) in disks.iter().enumerate() {
        case.scan(disk, &format!("{n}.json"));
    }
    for (reports, file) in [("0.json", "one.sh"), ("0.json 1.json", "two.sh")] {
        case.run(&format!("rotate -q {reports} -o {file}"));
        let disk = laptop("web1");
        let _ = fs::remove_file(case.path("disk"));
        std::os::unix::fs::symlink(disk.root(), case.path("disk")).unwrap();
        fs::create_dir_all(case.path("home")).unwrap();
        let mut sh = std::process::Command::new("sh");
        sh.arg(case.path(file)).current_dir(case.0.path()).env_clear().env("PATH", "/usr/bin:/bin");
        let done = sh.env("HOME", case.path("home")).env("ROOT", "disk").output().unwrap();
        let err = String::from_utf8(done.stderr).unwrap();
        assert_eq!((done.status.code(), err.as_str()), (Some(0), ""), "{file}");
        let hook = disk.root().join("home/alice/app/.venv/lib/python3.11/site-packages/litellm_init.pth");
        assert!(!hook.exists(), "{file}");
    }
}
