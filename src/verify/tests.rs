//! Each answer of the first fact, beside the look-alike that must not get it.

mod proof;
mod silence;

use serde_json::{Value, json};

use super::{
    v1::{By, Change, State},
    *,
};
use crate::{credential::Catalog, report::v1::Report, verdict::Exposure};

const KEY: &str = "00112233445566aa";
const TAG: &str = "xeeisvnxslrs6xxpn32mpok6di";
const OTHER: &str = "zswyxkfzea6mfeeo633zrnr35q";

/// A credential; `what` are its fields.
fn one(kind: &str, path: &str, what: Value) -> Value {
    let mut c = json!({
        "id": "c-0000000000000001", "kind": kind, "provider": "p", "owner": null, "identifier": null, "note": null,
        "location": {"tree": "host", "path": path, "inner": null, "line": null, "layer": null},
        "modified": "2026-11-01T00:00:00Z", "reach": "harvested", "reach_by": [], "rotate": "now", "reason": "r"
    });
    for (key, value) in what.as_object().unwrap() {
        match key.as_str() {
            "inner" | "line" | "tree" | "layer" => c["location"][key] = value.clone(),
            _ => c[key] = value.clone(),
        }
    }
    c
}

fn report(credentials: &[Value], run: Value, coverage: Value) -> Value {
    let mut r = json!({
        "schema": "dosimeter.report/1", "tool": {"name": "dosimeter", "version": "0"},
        "indicators": {"sequence": 1, "created": "2026-11-01T00:00:00Z", "digest": "d", "incidents": 1, "packages": 1, "age_days": 0},
        "run": {"id": "0", "started": "2026-11-02T00:00:00Z", "finished": "2026-11-02T00:01:00Z", "argv": [], "user": "u",
            "privileged": true, "target": {"kind": "host", "id": "web1", "os": null}, "case_key": KEY},
        "verdict": {"exposure": "none", "complete": true, "summary": "s"},
        "incidents": [], "credentials": credentials, "checklist": [], "timeline": [], "anomalies": [],
        "coverage": {"trees": ["host"], "surfaces": [], "files_seen": 1, "bytes_read": 1, "atime_changed": 0, "gaps": [], "exclusions": []}
    });
    for (part, more) in [("run", run), ("coverage", coverage)] {
        for (key, value) in more.as_object().unwrap() {
            r[part][key] = value.clone();
        }
    }
    r
}

fn verification(then: &Value, now: &Value) -> v1::Verification {
    let case: Case = serde_json::from_value(then.clone()).unwrap();
    let case = case.checked().unwrap();
    let today: Report = serde_json::from_value(now.clone()).unwrap();
    let catalog = Catalog::embedded().unwrap();
    judge(&Input {
        file: "case.json".to_owned(),
        case: &case,
        catalog: &catalog,
        today: Ok(&today),
        listings: &[],
        extracts: &[],
        machine: None,
        attested: &[],
        fail_on: Exposure::Referenced,
        now: "2026-11-03T00:00:00Z".parse().unwrap(),
    })
}

/// The first fact of the first credential.
fn here(old: &Value, now: &[Value]) -> (Change, Option<By>) {
    let all =
        verification(&report(std::slice::from_ref(old), json!({}), json!({})), &report(now, json!({}), json!({})));
    (all.items[0].here.answer, all.items[0].here.by)
}

#[test]
fn an_identifier_of_its_own_decides() {
    let key = |id: &str| one("aws.access_key", "/root/.aws/credentials", json!({"identifier": id, "inner": "default"}));
    let (old, new) = (key("AKIAABCDEFGH2JKLMNOP"), key("AKIAQQCDEFGH2JKLMNOP"));
    assert_eq!(here(&old, std::slice::from_ref(&old)), (Change::Same, Some(By::Identifier)));
    assert_eq!(here(&old, std::slice::from_ref(&new)), (Change::Replaced, Some(By::Identifier)));
    assert_eq!(here(&old, &[]), (Change::Gone, None));
    // Moved to another file it is not gone; the new key beside it changes nothing.
    let moved = one("aws.access_key", "/root/.aws/credentials.bak", json!({"identifier": "AKIAABCDEFGH2JKLMNOP"}));
    assert_eq!(here(&old, &[new.clone(), moved]), (Change::Same, Some(By::Identifier)));
    // Another profile is another slot.
    let other =
        one("aws.access_key", "/root/.aws/credentials", json!({"identifier": "AKIAQQCDEFGH2JKLMNOP", "inner": "dev"}));
    assert_eq!(here(&old, &[other]), (Change::Gone, None));
    let nameless = one("aws.access_key", "/root/.aws/credentials", json!({"inner": "default"}));
    assert_eq!(here(&old, &[nameless]), (Change::Unknown, None));
    let ssh = |id: &str| {
        one("ssh.user_private_key", "/root/.ssh/id", json!({"identifier": format!("SHA256:{}", id.repeat(43))}))
    };
    assert_eq!(here(&ssh("a"), &[ssh("b")]), (Change::Replaced, Some(By::Identifier)));
    assert_eq!(here(&ssh("a"), &[ssh("a")]), (Change::Same, Some(By::Identifier)));
}

#[test]
fn a_label_proves_nothing_and_a_tag_decides() {
    let login = |id: &str, what: Value| {
        let mut c = one("git.credential_store", "/root/.git-credentials", what);
        c["identifier"] = json!(id);
        c
    };
    let old = login("al@git.example", json!({}));
    assert_eq!(here(&old, std::slice::from_ref(&old)), (Change::Unknown, None));
    let (tagged, fresh) =
        (login("al@git.example", json!({"tag": TAG})), login("al@git.example", json!({"tag": OTHER})));
    assert_eq!(here(&tagged, std::slice::from_ref(&tagged)), (Change::Same, Some(By::Tag)));
    assert_eq!(here(&tagged, std::slice::from_ref(&fresh)), (Change::Replaced, Some(By::Tag)));
    // Nothing to compare with now.
    assert_eq!(here(&tagged, std::slice::from_ref(&old)), (Change::Unknown, None));
    // Somebody else's login in the same file is no replacement.
    assert_eq!(here(&tagged, &[login("bo@git.example", json!({"tag": OTHER}))]), (Change::Gone, None));
    // The value under another label, or in another file, is the same value.
    assert_eq!(here(&tagged, &[login("bo@git.example", json!({"tag": TAG}))]), (Change::Same, Some(By::Tag)));
    // The same tag of another kind was made of another value.
    let other = one("npm.token", "/root/.npmrc", json!({"tag": TAG}));
    assert_eq!(here(&tagged, &[other]), (Change::Gone, None));
}

#[test]
fn what_stays_of_others_is_no_replacement() {
    let line = |n: u32, tag: &str| one("npm.token", "/root/.npmrc", json!({"tag": tag, "line": n}));
    let then = report(&[line(1, TAG), line(2, OTHER)], json!({}), json!({}));
    let all = verification(&then, &report(&[line(1, OTHER)], json!({}), json!({})));
    let answers: Vec<_> = all.items.iter().map(|i| i.here.answer).collect();
    assert_eq!(answers, [Change::Gone, Change::Same]);
}

#[test]
fn tags_of_two_keys_are_not_compared() {
    let token = |tag: Value| one("vault.token", "/root/.vault-token", json!({"tag": tag}));
    let then = |run: Value| report(&[token(json!(TAG))], run, json!({}));
    let reason = |then: Value, now: Value| {
        let all = verification(&then, &now);
        assert_eq!(all.items[0].here.answer, Change::Unknown);
        all.items[0].here.reason.clone()
    };
    let now = |run: Value, tag: Value| report(&[token(tag)], run, json!({}));
    let no_key = json!({"case_key": null});
    assert!(
        reason(then(json!({})), now(no_key.clone(), json!(null))).contains("needs the case key `00112233445566aa`")
    );
    assert!(
        reason(then(json!({})), now(json!({"case_key": "ffffffffffffffff"}), json!(OTHER))).contains("cannot be seen")
    );
    assert!(reason(then(no_key), now(json!({}), json!(OTHER))).contains("without `--case-key`"));
    let password = report(&[token(json!(null))], json!({}), json!({}));
    assert!(reason(password, now(json!({}), json!(null))).contains("passwords and short values"));
}

#[test]
fn what_could_not_be_looked_at_is_never_gone() {
    let old = one("vault.token", "/root/.vault-token", json!({"tag": TAG}));
    let then = report(&[old], json!({}), json!({}));
    let gap = |path: &str, surface: &str| {
        json!({"location": {"tree": "host", "path": path, "inner": null, "line": null, "layer": null}, "surface": surface,
            "kind": "unreadable", "detail": "permission denied"})
    };
    let answer = |coverage: Value| verification(&then, &report(&[], json!({}), coverage)).items[0].here.answer;
    assert_eq!(answer(json!({})), Change::Gone);
    for (path, surface) in [
        ("/root/.vault-token", "walk"),
        ("/root", "walk"),
        ("/", "walk"),
        ("/root/.vault-token", "credential/file"),
        ("/", "credential/file"),
    ] {
        assert_eq!(answer(json!({"gaps": [gap(path, surface)]})), Change::Unknown, "{path} {surface}");
    }
    assert_eq!(
        answer(json!({"unreadable_without_weight": [gap("/root/.vault-token", "credential/file")]})),
        Change::Unknown
    );
    assert_eq!(answer(json!({"unreadable_without_weight_unlisted": 3})), Change::Unknown);
    let exclusion = json!({"location": gap("/root", "")["location"], "reason": "another user's home"});
    assert_eq!(answer(json!({"exclusions": [exclusion]})), Change::Unknown);
    // What lies beside it, or a surface that reads no credentials, takes nothing from the answer.
    for (path, surface) in
        [("/root/.vault", "walk"), ("/roo", "walk"), ("/root/.vault-token/x", "walk"), ("/", "python/pip-cache")]
    {
        assert_eq!(answer(json!({"gaps": [gap(path, surface)]})), Change::Gone, "{path} {surface}");
    }
}

#[test]
fn another_machine_is_named() {
    let old = one("vault.token", "/root/.vault-token", json!({"tag": TAG, "tree": "web7"}));
    let here = |run: Value| {
        let all = verification(&report(std::slice::from_ref(&old), run, json!({})), &report(&[], json!({}), json!({})));
        (all.items[0].here.answer, all.items[0].here.reason.clone())
    };
    let target = |kind: &str, id: &str| json!({"target": {"kind": kind, "id": id, "os": null}});
    assert_eq!(here(target("host", "web1")).0, Change::Gone);
    let (answer, reason) = here(target("host", "web2"));
    assert_eq!((answer, reason.contains("`web2`")), (Change::Unknown, true));
    assert!(here(target("inventories", "a b")).1.contains("`web7`"));
    assert!(here(target("images", "app.tar")).1.contains("in an image"));
    // A mounted disk of whatever name is what the user says it is.
    assert_eq!(here(target("root", "/mnt/x")).0, Change::Gone);
}

#[test]
fn times_are_hints() {
    let at =
        |time: &str| one("db.mysql", "/root/.my.cnf", json!({"identifier": "al", "inner": "client", "modified": time}));
    let old = at("2026-11-01T00:00:00Z");
    let hint = |now: Value| {
        let all = verification(
            &report(std::slice::from_ref(&old), json!({}), json!({})),
            &report(&[now], json!({}), json!({})),
        );
        assert_eq!(all.items[0].here.answer, Change::Unknown);
        all.items[0].here.hint.clone().unwrap()
    };
    assert!(hint(at("2026-11-02T00:00:00Z")).contains("was written at 2026-11-02T00:00:00Z"));
    assert!(hint(old.clone()).contains("the time that it had"));
}

#[test]
fn a_process_is_known_by_its_variable_and_not_by_its_number() {
    let variable = |pid: u32, tag: Value| {
        one("llm.openai", &format!("/proc/{pid}/environ"), json!({"inner": "OPENAI_API_KEY", "tag": tag}))
    };
    assert_eq!(here(&variable(7, json!(TAG)), &[variable(9, json!(TAG))]), (Change::Same, Some(By::Tag)));
    assert_eq!(here(&variable(7, json!(TAG)), &[variable(9, json!(OTHER))]), (Change::Replaced, Some(By::Tag)));
    assert_eq!(here(&variable(7, json!(null)), &[variable(9, json!(null))]), (Change::Unknown, None));
    assert_eq!(here(&variable(7, json!(TAG)), &[]), (Change::Gone, None));
}

#[test]
fn changed_here_alone_closes_nothing() {
    let old = one("vault.token", "/root/.vault-token", json!({"tag": TAG}));
    let kept = one("npm.token", "/root/.npmrc", json!({"tag": TAG, "rotate": "no", "id": "c-0000000000000002"}));
    let then = report(&[old.clone(), kept], json!({}), json!({}));
    let all = verification(&then, &report(&[], json!({}), json!({})));
    assert_eq!((all.items[0].state, all.state()), (State::Unknown, State::Unknown));
    assert_eq!((all.items.len(), all.summary.not_asked), (1, 1));
    let case: Case = serde_json::from_value(then).unwrap();
    let today: Report = serde_json::from_value(report(&[], json!({}), json!({}))).unwrap();
    let catalog = Catalog::embedded().unwrap();
    let state = |today: Result<&Report, String>, lines: &[&str]| {
        let attested: Vec<_> = lines.iter().map(|line| Attestation::parse(line).unwrap()).collect();
        let (file, now) = ("f".to_owned(), "2026-11-03T00:00:00Z".parse().unwrap());
        let fail_on = Exposure::Referenced;
        judge(&Input {
            file,
            case: &case,
            catalog: &catalog,
            today,
            listings: &[],
            extracts: &[],
            machine: None,
            attested: &attested,
            fail_on,
            now,
        })
        .state()
    };
    assert_eq!(state(Ok(&today), &["c-0000000000000001 by Jo: console, 10:02"]), State::Closed);
    assert_eq!(state(Ok(&today), &["c-0000000000000001 provider by Jo: console, 10:02"]), State::Unknown);
    assert_eq!(state(Ok(&today), &["c-0000000000000002 by Jo: console, 10:02"]), State::Unknown);
    assert_eq!(state(Ok(&today), &["c-0000000000000001 here by Jo: console"]), State::Unknown);
    // A file weighs more than anybody's word.
    let same: Report = serde_json::from_value(report(&[old], json!({}), json!({}))).unwrap();
    assert_eq!(state(Ok(&same), &["c-0000000000000001 by Jo: console"]), State::Open);
    // Nothing was looked at: what the incident left may all be there.
    assert_eq!(state(Err("an image".to_owned()), &["c-0000000000000001 by Jo: console"]), State::Unknown);
    let mut gap = report(&[], json!({}), json!({}));
    gap["verdict"]["complete"] = json!(false);
    let gap: Report = serde_json::from_value(gap).unwrap();
    assert_eq!(state(Ok(&gap), &["c-0000000000000001 by Jo: console"]), State::Unknown);
}

/// A case of a plan: B1 is a key that stands at two places, B2 two different passwords, B3 a token; C1 looks for use of the key.
fn labelled() -> Case {
    let key =
        |id: &str, path: &str| one("aws.access_key", path, json!({"id": id, "identifier": "AKIAABCDEFGH2JKLMNOP"}));
    let password = |id: &str| one("db.mysql", "/root/.my.cnf", json!({"id": id, "identifier": "al"}));
    let token = |id: &str, tag: &str| one("vault.token", "/root/.vault-token", json!({"id": id, "tag": tag}));
    let credentials = [
        key("c-11", "/a"),
        key("c-12", "/b"),
        password("c-21"),
        password("c-22"),
        token("c-31", TAG),
        token("c-32", TAG),
        token("c-33", OTHER),
        one("npm.token", "/root/.npmrc", json!({"id": "c-41", "identifier": "B2"})),
    ];
    let mut plan = report(&credentials, json!({}), json!({}));
    let item = |id: &str, phase: &str, stream: &str, credentials: &[&str]| {
        json!({"id": id, "phase": phase, "workstream": stream, "title": "t", "why": "w", "after": [], "steps": [], "credentials": credentials,
            "urgency": (phase == "rotate").then_some("now")})
    };
    plan["checklist"] = json!([
        item("s-00000001", "contain", "machine", &[]),
        item("s-00000002", "rotate", "clean", &["c-11", "c-12"]),
        item("s-00000003", "rotate", "clean", &["c-21", "c-22"]),
        item("s-00000004", "rotate", "clean", &["c-31", "c-32"]),
        item("s-00000005", "rotate", "clean", &["c-31", "c-33"]),
        item("s-00000006", "rotate", "clean", &[]),
        item("s-00000007", "audit", "logs", &["c-11"]),
    ]);
    serde_json::from_value(plan).unwrap()
}

#[test]
fn a_statement_is_about_one_credential_wherever_it_stands() {
    let case = labelled();
    let forms = crate::credential::Forms::new(&Catalog::embedded().unwrap());
    let resolved = |id: &str| {
        let statement = Attestation::parse(&format!("{id} by Jo: x")).unwrap();
        statement.resolved(&case, &forms).map(|all| all.into_iter().map(|a| a.id).collect::<Vec<_>>())
    };
    let ids = |ids: &[&str]| Ok(ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
    // What the plan calls it, its id there, its own id, its public identifier.
    for name in ["B1", "b1", "s-00000002", "AKIAABCDEFGH2JKLMNOP"] {
        assert_eq!(resolved(name), ids(&["c-11", "c-12"]), "{name}");
    }
    assert_eq!(resolved("c-12"), ids(&["c-12"]));
    // The same value has the same tag.
    assert_eq!(resolved("B3"), ids(&["c-31", "c-32"]));
    for (name, count) in [("B4", 2), ("al", 2), ("s-00000003", 2), ("B2", 3)] {
        match resolved(name) {
            Err(Unclear::Several { count: found, ids }) => {
                assert_eq!(found, count, "{name}");
                assert!(ids.starts_with("c-"), "{ids}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    for name in ["A1", "C1", "B5"] {
        assert_eq!(resolved(name), Err(Unclear::NoSecret), "{name}");
    }
    for name in ["B6", "c-99", "s-0000000a", "D1", "B0"] {
        assert_eq!(resolved(name), Err(Unclear::Nothing), "{name}");
    }
    // A key that only a listing has.
    for name in ["AKIAEVLDEFGH2JKLMNOP", "B", "Bx", "B12345"] {
        assert_eq!(resolved(name), ids(&[name]), "{name}");
    }
}

#[test]
fn items_are_called_as_the_plan_calls_them_and_what_to_do_next_is_said_once() {
    let case = labelled();
    let today: Report = serde_json::from_value(report(&[], json!({}), json!({}))).unwrap();
    let answer = judge(&Input {
        file: "plan.json".to_owned(),
        case: &case,
        catalog: &Catalog::embedded().unwrap(),
        today: Ok(&today),
        listings: &[],
        extracts: &[],
        machine: None,
        attested: &[],
        fail_on: Exposure::Referenced,
        now: "2026-11-03T00:00:00Z".parse().unwrap(),
    });
    let label = |id: &str| answer.items.iter().find(|i| i.id == id).and_then(|i| i.label.as_deref());
    assert_eq!(
        (label("c-12"), label("c-22"), label("c-33"), label("c-41")),
        (Some("B1"), Some("B2"), Some("B4"), None)
    );
    assert_eq!(answer.summary.without_names, ["B5"]);
    assert_eq!(
        answer.summary.text,
        "not proven: all 8 credentials, 1 item of the checklist without a credential to look at"
    );
    let page = render(&answer, 80);
    assert!(page.starts_with("NOT PROVEN: all 8 credentials, 1 item"), "{page}");
    assert!(page.contains("\n  B1 c-11  aws.access_key\n      AKIAABCDEFGH2JKLMNOP\n      /a\n"), "{page}");
    assert_eq!(page.matches("write `aws iam list-access-keys` into a file").count(), 1);
    assert!(page.contains("\n  B1: on a clean machine, write `aws iam"), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    let wide = render(&answer, 200);
    assert!(
        wide.lines().count() < page.lines().count() && wide.lines().all(|line| line.chars().count() <= 110),
        "{wide}"
    );
}

#[test]
fn an_item_that_somebody_ended_in_the_plan_is_asked_no_more() {
    let mut plan = report(&[], json!({}), json!({}));
    plan["schema"] = json!("dosimeter.plan/1");
    plan["checklist"] = json!([{"id": "s-00000001", "phase": "rotate", "title": "t", "why": "w", "after": [], "steps": [], "credentials": [], "urgency": "now"}]);
    let names = |state: &str| {
        let mut plan = plan.clone();
        plan["work"] = json!([{"item": "s-00000001", "state": state, "note": "x"}]);
        let case: Case = serde_json::from_value(plan).unwrap();
        case.without_credential()
    };
    assert_eq!((names("open"), names("revoked")), (vec!["B1".to_owned()], vec!["B1".to_owned()]));
    assert_eq!((names("closed"), names("not_applicable")), (Vec::new(), Vec::new()));
}

#[test]
fn other_documents_and_odd_tags_are_refused() {
    let old = one("vault.token", "/root/.vault-token", json!({"tag": "ghp_16C7e42F292c6912E7710c838347"}));
    let read = |value: Value| serde_json::from_value::<Case>(value).unwrap().checked().map(|_| ());
    assert_eq!(read(report(&[old], json!({}), json!({}))), Err(CaseError::Tag));
    assert_eq!(read(report(&[], json!({"case_key": "x"}), json!({}))), Err(CaseError::Tag));
    let mut other = report(&[], json!({}), json!({}));
    other["schema"] = json!("dosimeter.verify/1");
    assert_eq!(read(other.clone()), Err(CaseError::Schema));
    // A plan carries the records under the same name.
    let plan = json!({"schema": "dosimeter.plan/1", "credentials": [], "run": other["run"], "items": [1, 2]});
    assert_eq!(read(plan), Ok(()));
}

#[test]
fn what_a_report_says_steers_no_terminal() {
    let old = one("a\u{1b}[31m", "/x\u{1b}]0;y\u{7}", json!({"identifier": "i\nOPEN", "id": "c\u{202e}"}));
    let page = render(&verification(&report(&[old], json!({}), json!({})), &report(&[], json!({}), json!({}))), 80);
    assert!(!page.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{page}");
}
