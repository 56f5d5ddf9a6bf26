//! Each log as its documentation has it, in each form of a file, and what is none.

use serde_json::json;

use super::*;

const ID: &str = "AKIAABCDEFGH2JKLMNOP";

fn read_as(text: &str, named: Option<&'static dyn Log>) -> Result<Extract, Unreadable> {
    let wanted = [ID, "aa11", "SHA256:abc"].map(str::to_owned).into();
    Extract::read("f".to_owned(), &mut text.as_bytes(), named, &wanted)
}

fn read(text: &str) -> Extract {
    read_as(text, None).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn trail(time: &str, name: &str, more: Value) -> Value {
    let mut record = json!({"eventVersion": "1.08", "eventTime": time, "eventSource": "s3.amazonaws.com", "eventName": name,
        "awsRegion": "eu-west-1", "userIdentity": {"type": "IAMUser", "accessKeyId": ID, "userName": "ci"}, "recipientAccountId": "123456789012"});
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    record
}

#[test]
fn cloudtrail_in_each_of_its_forms() {
    let records = [
        trail("2026-11-20T09:00:00Z", "GetObject", json!({})),
        trail("2026-11-20T10:00:00Z", "PutObject", json!({"errorCode": "AccessDenied"})),
        trail("2026-11-20T11:00:00Z", "PutObject", json!({"errorCode": "Client.InvalidClientTokenId"})),
        trail("2026-11-19T11:00:00Z", "GetObject", json!({"userIdentity": {"accessKeyId": "AKIAOTHEROTHEROTHERO"}})),
    ];
    let history: Vec<Value> =
        records.iter().map(|r| json!({"EventId": "e", "EventTime": 1.7e9, "CloudTrailEvent": r.to_string()})).collect();
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    for text in [
        json!({"Records": records}).to_string(),
        json!({"Events": history, "NextToken": null}).to_string(),
        json!(records).to_string(),
        lines.join("\n"),
        format!("\u{feff}{}\r\n\r\n", lines.join("\r\n")),
        // Two files of a trail, one after the other.
        format!("{}{}", json!({"Records": [records[0], records[1]]}), json!({"Records": [records[2], records[3]]})),
    ] {
        let extract = read(&text);
        assert_eq!((extract.log.name(), extract.events, extract.odd), ("cloudtrail", 4, 0), "{text}");
        assert_eq!((extract.from, extract.to), (Some(at("2026-11-19T11:00:00Z")), Some(at("2026-11-20T11:00:00Z"))));
        assert_eq!(extract.incomplete, None);
        // The request was not allowed, the key was.
        let uses = [("2026-11-20T09:00:00Z", false), ("2026-11-20T10:00:00Z", false), ("2026-11-20T11:00:00Z", true)];
        assert_eq!(extract.traces[ID].uses, uses.map(|(t, refused)| (at(t), refused)));
        assert_eq!(extract.traces.len(), 1);
    }
    assert_eq!(read(&json!({"Records": records}).to_string()).accounts, BTreeSet::from(["123456789012".to_owned()]));
    for page in [json!({"Events": history, "NextToken": "x"}), json!({"NextToken": "x", "Events": history})] {
        assert!(read(&page.to_string()).incomplete.is_some());
    }
}

#[test]
fn the_end_of_a_key_is_the_last_that_was_done_to_it() {
    let done = |time: &str, name: &str, status: Value, more: Value| {
        let mut record = trail(
            time,
            name,
            json!({"requestParameters": {"accessKeyId": ID, "status": status, "userName": "ci"}, "userIdentity": {"accessKeyId": "ASIAADMIN"}}),
        );
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        record
    };
    let inactive = done("2026-11-21T09:00:00Z", "UpdateAccessKey", json!("Inactive"), json!({}));
    let active = done("2026-11-21T10:00:00Z", "UpdateAccessKey", json!("Active"), json!({}));
    let deleted = done("2026-11-21T11:00:00Z", "DeleteAccessKey", json!(null), json!({}));
    let failed = done("2026-11-21T12:00:00Z", "DeleteAccessKey", json!(null), json!({"errorCode": "AccessDenied"}));
    let ended = |records: &[&Value]| {
        let extract = read(&json!({"Records": records}).to_string());
        ended(extract.traces.get(ID).map(|t| t.changes.clone()).unwrap_or_default())
    };
    assert_eq!(ended(&[&inactive]), Some((at("2026-11-21T09:00:00Z"), Some("made inactive"))));
    assert_eq!(ended(&[&active, &inactive]), Some((at("2026-11-21T10:00:00Z"), None)));
    // It was at an end from the first on.
    assert_eq!(ended(&[&deleted, &inactive]), Some((at("2026-11-21T09:00:00Z"), Some("deleted"))));
    assert_eq!(ended(&[&deleted, &active, &inactive]), Some((at("2026-11-21T11:00:00Z"), Some("deleted"))));
    assert_eq!(ended(&[&failed]), None);
}

#[test]
fn cloud_audit_logs() {
    let entry = |time: &str, method: &str, resource: &str, code: i64| {
        json!({"timestamp": time, "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity", "resource": {"labels": {"project_id": "p"}},
            "protoPayload": {"methodName": method, "resourceName": resource, "status": {"code": code}, "authenticationInfo": {
                "principalEmail": "ci@p.iam.gserviceaccount.com",
                "serviceAccountKeyName": "//iam.googleapis.com/projects/p/serviceAccounts/ci@p.iam.gserviceaccount.com/keys/aa11"}}})
    };
    let extract = read(
        &json!([
            entry("2026-11-20T09:00:00Z", "storage.objects.get", "x", 0),
            entry("2026-11-20T10:00:00Z", "storage.objects.get", "x", 16),
            entry(
                "2026-11-20T11:00:00Z",
                "google.iam.admin.v1.DeleteServiceAccountKey",
                "projects/p/serviceAccounts/1/keys/aa11",
                0
            ),
        ])
        .to_string(),
    );
    let trace = &extract.traces["aa11"];
    assert_eq!(trace.uses.iter().map(|(_, refused)| *refused).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(trace.changes, [(at("2026-11-20T11:00:00Z"), Some("deleted"))]);
    assert_eq!(extract.log.name(), "gcloud");
}

#[test]
fn github_as_json_and_csv() {
    let json = json!([{"@timestamp": 1_763_629_200_000_i64, "action": "git.clone", "actor": "al", "org": "acme", "hashed_token": "abc=",
        "programmatic_access_type": "SSH key"}, {"created_at": 1_763_629_300_000_i64, "action": "repo.create", "actor": "al"}]);
    let extract = read(&json.to_string());
    assert_eq!((extract.log.name(), extract.events), ("github", 2));
    assert_eq!(extract.traces["SHA256:abc"].uses, [(at("2025-11-20T09:00:00Z"), false)]);
    let csv = "action,actor,created_at,hashed_token\ngit.clone,al,1763629200000,abc=\nrepo.create,\"a,l\",2025-11-21T09:00:00Z,\n";
    let extract = read(csv);
    assert_eq!((extract.log.name(), extract.events, extract.odd), ("github", 2, 0));
    assert_eq!(extract.traces["SHA256:abc"].uses, [(at("2025-11-20T09:00:00Z"), false)]);
    assert_eq!(extract.to, Some(at("2025-11-21T09:00:00Z")));
}

#[test]
fn logs_that_name_no_credential() {
    let gitlab = json!([{"id": 1, "author_id": 7, "entity_id": 2, "entity_type": "Project", "details": {"action": "x"}, "created_at": "2026-11-20T09:00:00.000Z"}]);
    let extract = read(&gitlab.to_string());
    assert_eq!((extract.log.name(), extract.events, extract.log.nameless().is_some()), ("gitlab", 1, true));
    let line = json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "stage": "ResponseComplete", "requestReceivedTimestamp": "2026-11-20T09:00:00.000000Z",
        "user": {"username": "admin"}, "responseStatus": {"code": 200}});
    let extract = read(&format!("{line}\n{line}\n"));
    assert_eq!((extract.log.name(), extract.events, extract.nameless().is_some()), ("kubernetes", 2, true));
}

#[test]
fn newer_kubernetes_names_the_credential() {
    let line = |credential: &str| {
        json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a", "stage": "ResponseComplete",
            "requestReceivedTimestamp": "2026-11-20T09:00:00.000000Z", "user": {"username": "admin", "groups": ["g"],
            "extra": {"authentication.kubernetes.io/credential-id": [credential]}}, "responseStatus": {"code": 200}})
    };
    let old = line("SHA256:abc");
    // The elements of a list need not say their version.
    let mut bare = old.clone();
    bare.as_object_mut().unwrap().remove("apiVersion");
    for text in [
        format!("{old}\n{}\n", line("JTI=2b76b98d-e185-4970-918e-6fa3f30606ab")),
        json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": [bare, line("x")]})
            .to_string(),
    ] {
        let extract = read(&text);
        assert_eq!((extract.log.name(), extract.events, extract.odd, extract.nameless()), ("kubernetes", 2, 0, None));
        assert_eq!(extract.traces["SHA256:abc"].uses, [(at("2026-11-20T09:00:00Z"), false)]);
    }
    for odd in [
        json!({"authentication.kubernetes.io/credential-id": "x"}),
        json!({"authentication.kubernetes.io/credential-id": []}),
        json!([]),
    ] {
        let mut record = old.clone();
        record["user"]["extra"] = odd;
        assert!(read(&record.to_string()).nameless().is_some());
    }
}

#[test]
fn empty_ones_are_known_by_their_shape_or_by_their_name() {
    for (text, name) in [
        ("{\"Records\":[]}", "cloudtrail"),
        ("{\"Events\":[],\"NextToken\":null}", "cloudtrail"),
        ("{\"entries\":[]}", "gcloud"),
        ("{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\"metadata\":{},\"items\":[]}", "kubernetes"),
        ("[]{\"asked\":{\"log\":\"gcloud\",\"id\":\"aa11\",\"from\":\"2026-11-01\",\"to\":\"2026-11-02\"}}", "gcloud"),
    ] {
        let extract = read(text);
        assert_eq!((extract.log.name(), extract.events, extract.odd, extract.incomplete), (name, 0, 0, None), "{text}");
    }
    assert!(read("{\"Events\":[],\"NextToken\":\"x\"}").incomplete.is_some());
    for log in LOGS {
        for text in ["", " \n", "[]", "{}", "{\"nextPageToken\":\"x\"}"] {
            let extract = read_as(text, Some(*log)).unwrap_or_else(|e| panic!("{e}: {text}"));
            assert_eq!((extract.events, extract.incomplete.is_some()), (0, text.len() > 2), "{text}");
        }
    }
    // Another list, and one that the caller calls something else.
    for text in ["{\"items\":[]}", "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"items\":[]}", "{\"Records\":7}"] {
        assert!(read_as(text, None).is_err(), "{text}");
    }
    assert!(read_as("{\"items\":[7]}", Some(LOGS[0])).is_err());
}

#[test]
fn what_was_asked_for_belongs_to_its_log() {
    let own = "{\"asked\":{\"log\":\"cloudtrail\",\"id\":\"AKIAABCDEFGH2JKLMNOP\",\"part\":\"eu-west-1\",\"from\":\"2026-11-01\",\"to\":\"2026-11-02\"}}";
    let extract = read(&format!("{{\"Events\":[]}}\n{own}\n{}", own.replace("cloudtrail", "gcloud")));
    assert_eq!((extract.log.name(), extract.asked.len(), extract.odd), ("cloudtrail", 1, 0));
    let many = format!("{{\"Events\":[]}}{}", own.repeat(ASKED + 1));
    let extract = read(&many);
    assert_eq!((extract.asked.len(), extract.odd, extract.incomplete.is_some()), (ASKED, 0, true));
    let extract = read(&format!("{{\"Events\":[]}}{}", own.replace("2026-11-01", "START")));
    assert_eq!((extract.asked.len(), extract.odd, extract.incomplete.is_some()), (0, 0, true));
}

#[test]
fn what_is_no_log_is_refused_and_not_quoted() {
    for text in [
        "",
        "[]",
        "{}",
        "null",
        "7",
        "CANARY",
        "CANARY,x\n1,2\n",
        "[1,\"CANARY\"]",
        "{\"Records\":{}}",
        "{\"Records\":[{\"CANARY\":1}]}",
    ] {
        let error = read_as(text, None).err().unwrap_or_else(|| panic!("{text}")).to_string();
        assert!(!error.contains("CANARY"));
    }
    for text in ["{\"Records\":[{\"CANARY\"", "[CANARY]", "{\"a\":1}CANARY", "{", "\"CANARY", &"[".repeat(100_000)] {
        let error = read_as(text, None).err().unwrap_or_else(|| panic!("{text}")).to_string();
        assert!(!error.contains("CANARY"), "{error}");
    }
    // What broke off is not taken for all there is.
    let cut = json!({"Records": [trail("2026-11-20T09:00:00Z", "GetObject", json!({}))]}).to_string();
    assert!(read_as(&cut[..cut.len() - 1], None).is_err());
    // Nothing happened: in a log that the caller names.
    let quiet = read_as("{\"Records\":[]}", Some(LOGS[0])).unwrap();
    assert_eq!((quiet.events, quiet.from), (0, None));
    assert!(read_as(&cut, Some(LOGS[3])).is_err());
}

#[test]
fn records_of_another_form_and_without_a_time_make_it_incomplete() {
    let good = trail("2026-11-20T09:00:00Z", "GetObject", json!({}));
    for odd in [
        json!(7),
        json!({}),
        trail("yesterday", "GetObject", json!({})),
        json!({"CloudTrailEvent": "{"}),
        json!({"CloudTrailEvent": 7}),
    ] {
        for list in [json!([good, odd]), json!([odd, good])] {
            let extract = read(&list.to_string());
            assert_eq!((extract.events, extract.odd, extract.incomplete.is_some()), (1, 1, true), "{list}");
        }
    }
    // More uses than are counted.
    let many = format!("[{}{good}]", format!("{good},").repeat(USES));
    let extract = read(&many);
    assert_eq!((extract.traces[ID].uses.len(), extract.incomplete.is_some()), (USES, true));
}
