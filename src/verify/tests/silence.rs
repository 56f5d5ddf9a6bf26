//! The third fact: what an extract proves of the days after an end, and what it does not.

use serde_json::{Value, json};

use super::{
    super::v1::{Change, Life, Quiet},
    one,
    proof::{CERTIFICATE, ITS_SUCCESSOR, NEW, OLD, deleted, key, used, verified},
};

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
    let (quiet, reason) = by_files(std::slice::from_ref(&own));
    assert_eq!((quiet, reason.contains("used once since the report")), (Quiet::Unknown, true), "{reason}");
    let own = file(&[used("2026-11-01T00:00:00Z", OLD)]);
    let (quiet, reason) = by_files(&[own.clone(), file(std::slice::from_ref(&end))]);
    assert_eq!(quiet, Quiet::Unknown);
    assert!(reason.contains("alone"), "{reason}");
    let said = |list: &[Value]| by_files(&[&[own.clone(), file(std::slice::from_ref(&end))], list].concat());
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
fn the_watch_begins_when_it_was_made_inactive() {
    let off = deleted("2026-11-05T00:00:00Z", "UpdateAccessKey", json!("Inactive"));
    let on = deleted("2026-11-08T00:00:00Z", "UpdateAccessKey", json!("Active"));
    let gone = deleted("2026-11-12T00:00:00Z", "DeleteAccessKey", json!(null));
    let rest = [used("2026-11-01T00:00:00Z", OLD), used("2026-11-14T00:00:00Z", NEW)];
    let (life, quiet, reason) = by_logs(&[&rest[..], &[gone.clone(), off.clone()]].concat());
    assert_eq!((life, quiet), (Life::Dead, Quiet::Silent), "{reason}");
    assert!(reason.contains("since it ended at 2026-11-05T00:00:00Z"), "{reason}");
    // Brought back between, it began anew. The files of a log say it together.
    let files = [file(&[&rest[..], &[off, gone]].concat()), file(&[on])];
    let (quiet, reason) = by_files(&files);
    assert_eq!((quiet, reason.contains("silent for 2 of 7 days")), (Quiet::Unknown, true), "{reason}");
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
    assert_eq!((here, silence), (Change::Replaced, Quiet::Silent), "{reason}");
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
