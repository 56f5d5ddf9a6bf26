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

pub(super) const OLD: &str = "AKIAABCDEFGH2JKLMNOP";
pub(super) const NEW: &str = "AKIANEWDEFGH2JKLMNOP";

pub(super) fn key(id: &str) -> Value {
    one("aws.access_key", "/root/.aws/credentials", json!({"identifier": id, "inner": "default"}))
}

/// The report was written on 2 November, the incident began on 1 November, today is 14 November.
pub(super) fn verified(old: &Value, now: &[Value], listings: &[Value], logs: &[Value]) -> v1::Verification {
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

pub(super) fn aws(keys: &[(&str, &str, &str)]) -> Value {
    let key = |(id, status, created): &(&str, &str, &str)| json!({"UserName": "ci", "AccessKeyId": id, "Status": status, "CreateDate": created});
    json!({"AccessKeyMetadata": keys.iter().map(key).collect::<Vec<_>>(), "IsTruncated": false})
}

pub(super) const BEFORE: &str = "2025-05-05T00:00:00Z";
pub(super) const SINCE: &str = "2026-11-05T00:00:00Z";

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

pub(super) fn used(time: &str, id: &str) -> Value {
    json!({"eventTime": time, "eventSource": "s3.amazonaws.com", "eventName": "GetObject", "userIdentity": {"accessKeyId": id}, "recipientAccountId": "1"})
}

pub(super) fn deleted(time: &str, name: &str, status: Value) -> Value {
    json!({"eventTime": time, "eventSource": "iam.amazonaws.com", "eventName": name, "userIdentity": {"accessKeyId": "ASIAADMIN"},
        "requestParameters": {"accessKeyId": OLD, "status": status}, "recipientAccountId": "1"})
}

/// Two certificates, as API servers name them.
pub(super) const CERTIFICATE: &str = "X509SHA256=f2ba7749d84051c9f2900cff8d4ea73360f663f38f35d67b726a73a207eca764";
pub(super) const ITS_SUCCESSOR: &str = "X509SHA256=4155bb96eb0e8f09b34395262b69d02793074130628061c4ce10eba82513af6d";

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
