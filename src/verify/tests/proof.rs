//! The second and the third fact, and what they come to beside the first.

use serde_json::{Value, json};

use super::{
    super::{
        listing::{Document, Listing},
        log::Extract,
        v1::{Life, Quiet, State},
        *,
    },
    KEY, TAG, one, report,
};
use crate::{credential::Catalog, report::v1::Report, verdict::Exposure};

const OLD: &str = "AKIAABCDEFGH2JKLMNOP";
const NEW: &str = "AKIANEWDEFGH2JKLMNOP";

fn key(id: &str) -> Value {
    one("aws.access_key", "/root/.aws/credentials", json!({"identifier": id, "inner": "default"}))
}

/// The report was written on 2 November, the incident began on 1 November, today is 14 November.
fn verified(old: &Value, now: &[Value], listings: &[Value], logs: &[Value]) -> v1::Verification {
    let mut then = report(std::slice::from_ref(old), json!({}), json!({}));
    then["incidents"] = json!([{"id": "made-up-2026-11", "windows": [{"artifact": "x 1", "start": "2026-11-01T00:00:00Z", "end": null}], "findings": []}]);
    let case: Case = serde_json::from_value(then).unwrap();
    let today: Report = serde_json::from_value(report(now, json!({}), json!({}))).unwrap();
    let time = "2026-11-14T12:00:00Z".parse().unwrap();
    let listings: Vec<Listing> = listings
        .iter()
        .map(|l| Listing::read("l.json".to_owned(), &[Document::Json(l)], None, time).unwrap())
        .collect();
    let wanted = [OLD, NEW, CERTIFICATE, ITS_SUCCESSOR].map(str::to_owned).into();
    let extracts: Vec<Extract> = logs
        .iter()
        .map(|l| Extract::read("t.json".to_owned(), &mut l.to_string().as_bytes(), None, &wanted).unwrap())
        .collect();
    judge(&Input {
        file: "case.json".to_owned(),
        case: &case,
        catalog: &Catalog::embedded().unwrap(),
        today: Ok(&today),
        listings: &listings,
        extracts: &extracts,
        machine: None,
        attested: &[],
        fail_on: Exposure::Referenced,
        now: time,
    })
}

fn aws(keys: &[(&str, &str, &str)]) -> Value {
    let key = |(id, status, created): &(&str, &str, &str)| json!({"UserName": "ci", "AccessKeyId": id, "Status": status, "CreateDate": created});
    json!({"AccessKeyMetadata": keys.iter().map(key).collect::<Vec<_>>(), "IsTruncated": false})
}

const BEFORE: &str = "2025-05-05T00:00:00Z";
const SINCE: &str = "2026-11-05T00:00:00Z";

#[test]
fn a_listing_says_alive_dead_or_nothing() {
    let life = |now: &[Value], listing: Value| {
        let all = verified(&key(OLD), now, &[listing], &[]);
        (all.items[0].provider_state.answer, all.items[0].state)
    };
    let replaced = [key(NEW)];
    let new = (NEW, "Active", SINCE);
    assert_eq!(life(&replaced, aws(&[(OLD, "Active", BEFORE), new])), (Life::Alive, State::Open));
    assert_eq!(life(&replaced, aws(&[(OLD, "Inactive", BEFORE), new])), (Life::Dead, State::Unknown));
    assert_eq!(life(&replaced, aws(&[new])), (Life::Dead, State::Unknown));
    // Whose listing is it? The replacement does not stand in it.
    assert_eq!(life(&replaced, aws(&[("AKIAZZZDEFGH2JKLMNOP", "Active", BEFORE)])).0, Life::Unknown);
    assert_eq!(life(&[], aws(&[new])).0, Life::Unknown);
    assert_eq!(life(&replaced, aws(&[])).0, Life::Unknown);
    let mut page = aws(&[new]);
    page["IsTruncated"] = json!(true);
    assert_eq!(life(&replaced, page).0, Life::Unknown);
    // A listing of something else.
    let npm = json!([{"key": "c0", "token": "x", "created": BEFORE}]);
    assert_eq!(life(&replaced, npm).0, Life::Unknown);
}

#[test]
fn an_owner_that_the_report_names_makes_a_listing_the_right_one() {
    let (id, email) = ("0123456789abcdef0123456789abcdef01234567", "ci@p.iam.gserviceaccount.com");
    let old = one("gcp.service_account_key", "/root/key.json", json!({"identifier": id, "inner": email}));
    let listing = |email: &str| json!([{"name": format!("projects/p/serviceAccounts/{email}/keys/ff"), "validAfterTime": BEFORE, "keyType": "USER_MANAGED"}]);
    let life = |listing: Value| verified(&old, &[], &[listing], &[]).items[0].provider_state.answer;
    assert_eq!(life(listing(email)), Life::Dead);
    assert_eq!(life(listing("other@p.iam.gserviceaccount.com")), Life::Unknown);
}

#[test]
fn entries_without_a_link_prove_nothing_and_point_somewhere() {
    let old = one("npm.token", "/root/.npmrc", json!({"tag": TAG}));
    let state = |created: &[&str]| {
        let tokens: Vec<Value> =
            created.iter().map(|c| json!({"key": format!("k{c}"), "token": "x", "created": c})).collect();
        let all = verified(&old, &[], &[json!(tokens)], &[]);
        (all.items[0].provider_state.answer, all.items[0].provider_state.reason.clone(), all.unclaimed.len())
    };
    let (answer, reason, unclaimed) = state(&[SINCE]);
    assert_eq!((answer, unclaimed), (Life::Unknown, 0));
    assert!(reason.contains("no live entry was made before the report"), "{reason}");
    let (answer, reason, _) = state(&[BEFORE, BEFORE, SINCE]);
    assert_eq!(answer, Life::Unknown);
    assert!(reason.contains("2 live made before the report"), "{reason}");
    // One replacement is expected, not two; and none in the window.
    assert_eq!(state(&[SINCE, SINCE]).2, 1);
    assert_eq!(state(&["2026-11-01T10:00:00Z"]).2, 1);
}

#[test]
fn what_was_made_in_the_window_and_nobody_owns_is_named() {
    let all = verified(
        &key(OLD),
        &[key(NEW)],
        &[aws(&[
            (NEW, "Active", SINCE),
            ("AKIAEVL1EFGH2JKLMNOP", "Active", "2026-11-01T13:00:00Z"),
            ("AKIAEVL2EFGH2JKLMNOP", "Inactive", "2026-11-01T13:00:00Z"),
            ("AKIAOLDDEFGH2JKLMNOP", "Active", BEFORE),
            ("AKIALATEEFGH2JKLMNOP", "Active", "2026-11-06T13:00:00Z"),
        ])],
        &[],
    );
    let named: Vec<_> = all.unclaimed.iter().map(|u| (u.id.as_str(), u.in_window)).collect();
    assert_eq!(named, [("AKIAEVL1EFGH2JKLMNOP", true), ("AKIALATEEFGH2JKLMNOP", false)]);
    assert_eq!(all.state(), State::Open);
}

fn used(time: &str, id: &str) -> Value {
    json!({"eventTime": time, "eventSource": "s3.amazonaws.com", "eventName": "GetObject", "userIdentity": {"accessKeyId": id}, "recipientAccountId": "1"})
}

fn deleted(time: &str, name: &str, status: Value) -> Value {
    json!({"eventTime": time, "eventSource": "iam.amazonaws.com", "eventName": name, "userIdentity": {"accessKeyId": "ASIAADMIN"},
        "requestParameters": {"accessKeyId": OLD, "status": status}, "recipientAccountId": "1"})
}

/// The second and the third fact by logs alone.
fn by_logs(records: &[Value]) -> (Life, Quiet, String) {
    let all = verified(&key(OLD), &[key(NEW)], &[], &[json!({"Records": records})]);
    let item = &all.items[0];
    (item.provider_state.answer, item.silence.answer, item.silence.reason.clone())
}

#[test]
fn silence_runs_on_from_the_end_for_the_days_of_the_watch() {
    let end = deleted("2026-11-05T00:00:00Z", "DeleteAccessKey", json!(null));
    let today = used("2026-11-14T11:00:00Z", NEW);
    let before = used("2026-11-01T11:00:00Z", OLD);
    let admin = |time: &str| used(time, "ASIAADMIN");
    let (life, quiet, reason) = by_logs(&[before.clone(), end.clone(), today.clone()]);
    assert_eq!((life, quiet), (Life::Dead, Quiet::Silent), "{reason}");
    let (_, quiet, reason) = by_logs(&[before.clone(), end.clone(), used("2026-11-06T00:00:00Z", OLD), today.clone()]);
    assert_eq!(quiet, Quiet::Used);
    assert!(reason.contains("used once after it ended at 2026-11-05T00:00:00Z"), "{reason}");
    // Refused is no use, and worth a word.
    let mut refused = used("2026-11-06T00:00:00Z", OLD);
    refused["errorCode"] = json!("InvalidClientTokenId");
    let (_, quiet, reason) = by_logs(&[before.clone(), end.clone(), refused, today.clone()]);
    assert_eq!((quiet, reason.contains("once refused")), (Quiet::Silent, true), "{reason}");
    for (records, why) in [
        // What is done to keys is asked for by itself.
        (vec![before.clone(), end.clone()], "events of this key alone"),
        (
            vec![before.clone(), admin("2026-11-02T00:00:00Z"), end.clone()],
            "the extract ends at 2026-11-02T00:00:00Z, and it ended at",
        ),
        (vec![admin("2026-11-04T00:00:00Z"), end.clone(), used("2026-11-11T23:59:59Z", NEW)], "silent for 6 of 7 days"),
        (vec![admin("2026-11-04T00:00:00Z"), end.clone(), used("2026-11-05T00:00:01Z", NEW)], "silent for 0 of 7 days"),
        (vec![end.clone(), deleted("2026-11-14T00:00:00Z", "UpdateAccessKey", json!("x"))], "what was done to keys"),
        (vec![used("2026-11-13T00:00:00Z", NEW), used("2026-11-14T11:00:00Z", "ASIAADMIN")], "begins at"),
        // Asked for by the new key: what the old one did would not be in it.
        (vec![used("2026-11-01T00:00:00Z", NEW), today.clone()], "events of one other key alone"),
        (
            vec![
                used("2026-11-01T00:00:00Z", "AKIAOTHEROTHEROTHERO"),
                used("2026-11-14T01:00:00Z", "AKIAOTHEROTHEROTHERO"),
            ],
            "another account",
        ),
        (vec![before.clone(), used("2026-11-03T00:00:00Z", OLD), today.clone()], "no file says when it ended"),
    ] {
        let (_, quiet, reason) = by_logs(&records);
        assert_eq!((quiet, reason.contains(why)), (Quiet::Unknown, true), "{why}: {reason}");
    }
    // The days count, whenever somebody looks.
    let (_, quiet, reason) = by_logs(&[before.clone(), end, used("2026-11-12T00:00:00Z", NEW)]);
    assert_eq!((quiet, reason.contains("no use in 7 days since it ended")), (Quiet::Silent, true), "{reason}");
    // Without a time of its end: silent since the report.
    let (life, quiet, _) = by_logs(&[before.clone(), today]);
    assert_eq!((life, quiet), (Life::Unknown, Quiet::Silent));
    let (_, quiet, reason) = by_logs(&[before, used("2026-11-09T00:00:00Z", NEW)]);
    assert_eq!(
        (quiet, reason.contains("silent for 6 of 7 days: no use since the report")),
        (Quiet::Unknown, true),
        "{reason}"
    );
}

/// The third fact by several files.
fn by_files(files: &[Value]) -> (Quiet, String) {
    let all = verified(&key(OLD), &[key(NEW)], &[], files);
    (all.items[0].silence.answer, all.items[0].silence.reason.clone())
}

fn file(records: &[Value]) -> Value {
    json!({"Records": records})
}

#[test]
fn files_of_a_log_follow_one_another() {
    let end = deleted("2026-11-05T00:00:00Z", "DeleteAccessKey", json!(null));
    let admin = |time: &str| used(time, "ASIAADMIN");
    let first = file(&[used("2026-11-01T00:00:00Z", OLD), end.clone(), admin("2026-11-06T00:00:00Z")]);
    // A day without any event is no hole.
    let second = file(&[admin("2026-11-07T00:00:00Z"), used("2026-11-13T00:00:00Z", NEW)]);
    assert_eq!(by_files(&[second.clone(), first.clone()]).0, Quiet::Silent);
    let late = file(&[admin("2026-11-07T00:00:01Z"), used("2026-11-13T00:00:00Z", NEW)]);
    let (quiet, reason) = by_files(&[first.clone(), late]);
    assert_eq!((quiet, reason.contains("silent for 1 of 7 days")), (Quiet::Unknown, true), "{reason}");
    assert!(reason.contains("the next begins at 2026-11-07T00:00:01Z"), "{reason}");
    let (quiet, reason) =
        by_files(&[file(&[used("2026-11-01T00:00:00Z", OLD), admin("2026-11-02T00:00:00Z")]), second]);
    assert_eq!((quiet, reason.contains("silent for 4 of 7 days")), (Quiet::Unknown, false), "{reason}");
}

/// What a search for one key says of itself.
fn asked(id: &str, part: &str, from: &str, to: &str) -> Value {
    json!({"asked": {"log": "cloudtrail", "id": id, "part": part, "from": from, "to": to}})
}

#[test]
fn a_search_for_the_key_proves_by_what_it_was_asked_for() {
    let end = deleted("2026-11-05T00:00:00Z", "DeleteAccessKey", json!(null));
    let own = file(&[used("2026-11-01T00:00:00Z", OLD), used("2026-11-03T00:00:00Z", OLD)]);
    // It holds nothing after the last use, and does not say how far it looked.
    let (quiet, reason) = by_files(&[own.clone()]);
    assert_eq!((quiet, reason.contains("used once since the report")), (Quiet::Unknown, true), "{reason}");
    let own = file(&[used("2026-11-01T00:00:00Z", OLD)]);
    let (quiet, reason) = by_files(&[own.clone(), file(&[end.clone()])]);
    assert_eq!(quiet, Quiet::Unknown);
    assert!(reason.contains("alone"), "{reason}");
    let said = |list: &[Value]| by_files(&[&[own.clone(), file(&[end.clone()])], list].concat());
    let whole = asked(OLD, "eu-west-1", "2026-11-01", "2026-11-13T00:00:00Z");
    let (quiet, reason) = said(std::slice::from_ref(&whole));
    assert_eq!(
        (quiet, reason.contains("no use in 8 days") && reason.contains("in eu-west-1")),
        (Quiet::Silent, true),
        "{reason}"
    );
    // The region that reaches least counts.
    for (other, why) in [
        (asked(OLD, "us-east-1", "2026-11-01", "2026-11-11T00:00:00Z"), "silent for 6 of 7 days"),
        (asked(OLD, "us-east-1", "2026-11-06", "2026-11-13T00:00:00Z"), "alone"),
    ] {
        let (quiet, reason) = said(&[whole.clone(), other]);
        assert_eq!((quiet, reason.contains(why)), (Quiet::Unknown, true), "{why}: {reason}");
    }
    for (alone, why) in [
        // Another key; a span that begins too late; one of what is to come.
        (asked(NEW, "eu-west-1", "2026-11-01", "2026-11-13T00:00:00Z"), "alone"),
        (asked(OLD, "eu-west-1", "2026-11-06", "2026-11-13T00:00:00Z"), "alone"),
        (
            json!([used("2026-11-01T00:00:00Z", OLD), asked(OLD, "eu-west-1", "START", "2026-11-13T00:00:00Z")]),
            "not all there is",
        ),
    ] {
        let (quiet, reason) = said(&[alone]);
        assert_eq!((quiet, reason.contains(why)), (Quiet::Unknown, true), "{why}: {reason}");
    }
    // Nobody can have asked for the future: today is 14 November, at noon.
    let later = file(&[deleted("2026-11-08T00:00:00Z", "DeleteAccessKey", json!(null))]);
    let (quiet, reason) = by_files(&[later, asked(OLD, "eu-west-1", "2026-11-01", "2027-11-13T00:00:00Z")]);
    assert_eq!((quiet, reason.contains("silent for 6 of 7 days")), (Quiet::Unknown, true), "{reason}");
}

#[test]
fn an_empty_extract_is_no_error_and_proves_nothing() {
    for empty in [json!({"Events": []}), json!({"Records": []})] {
        let (quiet, reason) = by_files(std::slice::from_ref(&empty));
        assert_eq!((quiet, reason.contains("the extract holds no event")), (Quiet::Unknown, true), "{reason}");
        // What was asked for is known, of which account is not.
        let (quiet, reason) = by_files(&[empty, asked(OLD, "eu-west-1", "2026-11-01", "2026-11-13T00:00:00Z")]);
        assert_eq!((quiet, reason.contains("another account")), (Quiet::Unknown, true), "{reason}");
    }
    let all = verified(&key(OLD), &[key(NEW)], &[json!({"AccessKeyMetadata": []})], &[json!({"Events": []})]);
    let item = &all.items[0];
    assert_eq!(item.provider_state.answer, Life::Unknown);
    assert!(item.provider_state.reason.contains("the listing is empty"), "{}", item.provider_state.reason);
    assert!(item.silence.next.as_ref().unwrap().contains("without the filter by key"));
}

/// Two certificates, as API servers name them.
const CERTIFICATE: &str = "X509SHA256=f2ba7749d84051c9f2900cff8d4ea73360f663f38f35d67b726a73a207eca764";
const ITS_SUCCESSOR: &str = "X509SHA256=4155bb96eb0e8f09b34395262b69d02793074130628061c4ce10eba82513af6d";

#[test]
fn a_kubernetes_log_names_certificates_and_tokens() {
    let old = |id: &str| one("k8s.kubeconfig_client_cert", "/root/.kube/config", json!({"identifier": id}));
    let request = |time: &str, by: Value| {
        json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a", "stage": "ResponseComplete",
            "requestReceivedTimestamp": time, "user": {"username": "admin", "extra": by}, "verb": "get"})
    };
    let by = |id: &str| json!({"authentication.kubernetes.io/credential-id": [id]});
    let quiet = |records: &[Value]| {
        let all = verified(&old(CERTIFICATE), &[old(ITS_SUCCESSOR)], &[], &[json!(records)]);
        let item = &all.items[0];
        (item.here.answer, item.silence.answer, item.silence.reason.clone())
    };
    let early = request("2026-11-01T10:00:00Z", by(CERTIFICATE));
    let other = request("2026-11-13T10:00:00Z", by("JTI=2b76b98d-e185-4970-918e-6fa3f30606ab"));
    let (here, silence, reason) = quiet(&[early.clone(), other.clone()]);
    assert_eq!((here, silence), (v1::Change::Replaced, Quiet::Silent), "{reason}");
    let late = request("2026-11-12T10:00:00Z", by(CERTIFICATE));
    let (_, silence, reason) = quiet(&[early.clone(), late, other.clone()]);
    assert_eq!((silence, reason.contains("used once since the report")), (Quiet::Unknown, true), "{reason}");
    // A server that names tokens and no certificates; one that names users alone.
    let user = |time: &str| request(time, json!({}));
    let (_, silence, reason) = quiet(&[user("2026-11-01T10:00:00Z"), other]);
    assert_eq!((silence, reason.contains("neither it nor what replaced it")), (Quiet::Unknown, true), "{reason}");
    let (_, silence, reason) = quiet(&[user("2026-11-01T10:00:00Z"), user("2026-11-13T10:00:00Z")]);
    assert_eq!((silence, reason.contains("names users and no credentials")), (Quiet::Unknown, true), "{reason}");
}

#[test]
fn a_key_that_was_made_active_again_is_alive() {
    let off = deleted("2026-11-05T00:00:00Z", "UpdateAccessKey", json!("Inactive"));
    let on = deleted("2026-11-06T00:00:00Z", "UpdateAccessKey", json!("Active"));
    assert_eq!(by_logs(&[off.clone(), used("2026-11-14T11:00:00Z", NEW)]).0, Life::Dead);
    assert_eq!(by_logs(&[on, off, used("2026-11-14T11:00:00Z", NEW)]).0, Life::Alive);
}

#[test]
fn all_three_close_it_and_nothing_less() {
    let listing = aws(&[(NEW, "Active", SINCE)]);
    let log = json!({"Records": [used("2026-11-01T11:00:00Z", OLD), deleted("2026-11-05T00:00:00Z", "DeleteAccessKey", json!(null)), used("2026-11-14T11:00:00Z", NEW)]});
    let state = |now: &[Value], listings: &[Value], logs: &[Value]| {
        let all = verified(&key(OLD), now, listings, logs);
        (all.items[0].state, all.state())
    };
    let new = [key(NEW)];
    assert_eq!(state(&new, std::slice::from_ref(&listing), std::slice::from_ref(&log)), (State::Closed, State::Closed));
    assert_eq!(state(&new, std::slice::from_ref(&listing), &[]), (State::Unknown, State::Unknown));
    assert_eq!(state(&new, &[], &[]), (State::Unknown, State::Unknown));
    assert_eq!(state(&[key(OLD)], std::slice::from_ref(&listing), &[log]), (State::Open, State::Open));
    let all = verified(&key(OLD), &new, &[listing], &[]);
    assert_eq!((all.sources[0].form.as_str(), all.sources[0].entries), ("aws iam list-access-keys", 1));
    assert_eq!(all.examined.unwrap().case_key.as_deref(), Some(KEY));
}

#[test]
fn a_plan_carries_who_answers_and_when_it_was_revoked() {
    let state = |work: Value, records: &[Value]| {
        let mut plan = report(&[key(OLD)], json!({}), json!({}));
        plan["schema"] = json!("dosimeter.plan/1");
        plan["checklist"] = json!([{"id": "s-00000001", "phase": "rotate", "title": "t", "why": "w", "after": [], "steps": [], "credentials": ["c-0000000000000001"]}]);
        plan["work"] = json!([work]);
        let case: Case = serde_json::from_value(plan).unwrap();
        let case = case.checked().unwrap();
        let today: Report = serde_json::from_value(report(&[key(NEW)], json!({}), json!({}))).unwrap();
        let wanted = [OLD, NEW].map(str::to_owned).into();
        let log = json!({"Records": records}).to_string();
        let extract = Extract::read("t".to_owned(), &mut log.as_bytes(), Some(log::LOGS[0]), &wanted).unwrap();
        let all = judge(&Input {
            file: "plan.json".to_owned(),
            case: &case,
            catalog: &Catalog::embedded().unwrap(),
            today: Ok(&today),
            listings: &[],
            extracts: &[extract],
            machine: None,
            attested: &[],
            fail_on: Exposure::Referenced,
            now: "2026-11-14T12:00:00Z".parse().unwrap(),
        });
        (
            all.items[0].state,
            all.items[0].silence.answer,
            all.items[0].attested.iter().map(|a| a.by.clone()).collect::<Vec<_>>(),
        )
    };
    let quiet = [used("2026-11-01T11:00:00Z", OLD), used("2026-11-14T11:00:00Z", NEW)];
    let closed = json!({"item": "s-00000001", "state": "closed", "done_by": "al", "checked_by": "bo", "revoked": "2026-11-05T00:00:00Z"});
    assert_eq!(state(closed.clone(), &quiet), (State::Closed, Quiet::Silent, vec!["bo".to_owned(), "bo".to_owned()]));
    // Used after the time that the plan says: nobody's word helps.
    let late =
        [used("2026-11-01T11:00:00Z", OLD), used("2026-11-06T11:00:00Z", OLD), used("2026-11-14T11:00:00Z", NEW)];
    assert_eq!(state(closed.clone(), &late).0, State::Open);
    // The logs were not read: a tick is no silence.
    assert_eq!(state(closed.clone(), &[]).0, State::Unknown);
    let revoked = json!({"item": "s-00000001", "state": "revoked", "done_by": "al", "revoked": "2026-11-05T00:00:00Z"});
    assert_eq!(state(revoked, &quiet), (State::Unknown, Quiet::Silent, Vec::new()));
    let nobody = json!({"item": "s-00000001", "state": "accepted_risk", "note": "x"});
    assert_eq!(state(nobody, &[]).0, State::Unknown);
    let left = json!({"item": "s-00000001", "state": "accepted_risk", "owner": "cy", "note": "till May"});
    assert_eq!(state(left, &[]).0, State::Closed);
}

#[test]
fn of_several_machines_only_the_one_examined_is_compared() {
    let on = |tree: &str, id: &str| {
        let mut c = one("vault.token", "/root/.vault-token", json!({"tag": TAG, "tree": tree}));
        c["id"] = json!(id);
        c
    };
    let machine = |tree: &str, kind: &str, target: &str| {
        json!({"tree": tree, "inventory": "f", "target": {"kind": kind, "id": target, "os": null}, "examined": null, "privileged": true,
            "case_key": KEY, "exposure": "none", "complete": true, "incidents": [], "to_rotate": 1, "gaps": 0})
    };
    let mut plan = report(&[on("web1", "c-1"), on("web2", "c-2")], json!({"case_key": null}), json!({}));
    plan["run"]["target"] = json!({"kind": "inventories", "id": "2 reports", "os": null});
    plan["machines"] = json!([machine("web1", "host", "web1"), machine("web2", "root", "/mnt/web2")]);
    let case: Case = serde_json::from_value(plan).unwrap();
    let case = case.checked().unwrap();
    assert_eq!((case.machine("host", "web1"), case.machine("root", "/mnt/web2")), (Some("web1"), Some("web2")));
    assert_eq!((case.machine("host", "web2"), case.key_names()), (None, vec![KEY]));
    let today: Report = serde_json::from_value(report(&[], json!({}), json!({}))).unwrap();
    let answers = |machine: Option<&str>| {
        let all = judge(&Input {
            file: "plan.json".to_owned(),
            case: &case,
            catalog: &Catalog::embedded().unwrap(),
            today: Ok(&today),
            listings: &[],
            extracts: &[],
            machine,
            attested: &[],
            fail_on: Exposure::Referenced,
            now: "2026-11-14T12:00:00Z".parse().unwrap(),
        });
        all.items.iter().map(|i| i.here.answer).collect::<Vec<_>>()
    };
    use v1::Change::{Gone, Unknown};
    assert_eq!(answers(Some("web1")), [Gone, Unknown]);
    assert_eq!(answers(Some("web2")), [Unknown, Gone]);
    assert_eq!(answers(None), [Unknown, Unknown]);
}
