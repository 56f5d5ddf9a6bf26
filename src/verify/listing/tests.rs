//! Each form as its documentation has it, beside forms that look like it, and pages that are not all there is.

use serde_json::{Value, json};

use super::*;
use crate::credential::Catalog;

fn now() -> Timestamp {
    "2026-11-29T00:00:00Z".parse().unwrap()
}

fn read(documents: &[Value]) -> Result<Listing, Unreadable> {
    let documents: Vec<_> = documents.iter().map(Document::Json).collect();
    Listing::read("f".to_owned(), &documents, None, now())
}

/// `form: id standing created`, each entry.
fn seen(documents: &[Value]) -> (Vec<String>, Option<String>) {
    let listing = read(documents).unwrap_or_else(|e| panic!("{e}: {documents:?}"));
    let entry = |e: &Entry| {
        let standing = match &e.standing {
            Standing::Active => "active".to_owned(),
            Standing::Ended { how, at } => {
                format!("{how} {}", at.map(|t| t.to_string()).unwrap_or_default()).trim().to_owned()
            }
        };
        let account = e.account.as_ref().map(|a| format!(" of {a}")).unwrap_or_default();
        format!("{}: {} {standing}{account}", listing.form.name(), e.id)
    };
    (listing.entries.list.iter().map(entry).collect(), listing.entries.incomplete)
}

#[test]
fn aws() {
    let page = |more: Value| {
        let mut page = json!({"AccessKeyMetadata": [
            {"UserName": "ci", "AccessKeyId": "AKIAABCDEFGH2JKLMNOP", "Status": "Active", "CreateDate": "2026-11-20T09:00:00+00:00"},
            {"UserName": "ci", "AccessKeyId": "AKIAZZZDEFGH2JKLMNOP", "Status": "Inactive", "CreateDate": "2025-01-02T09:00:00Z"}]});
        page.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        page
    };
    let (all, incomplete) = seen(&[page(json!({})), json!({"AccessKeyMetadata": []})]);
    assert_eq!(
        all,
        [
            "aws: AKIAABCDEFGH2JKLMNOP active of user ci",
            "aws: AKIAZZZDEFGH2JKLMNOP inactive, and not deleted of user ci"
        ]
    );
    assert_eq!(incomplete, None);
    assert_eq!(seen(&[page(json!({"IsTruncated": false}))]).1, None);
    for more in [
        json!({"IsTruncated": true}),
        json!({"Marker": "x"}),
        json!({"NextToken": "x"}),
        json!({"IsTruncated": "true"}),
    ] {
        assert!(seen(&[page(more)]).1.is_some());
    }
    let last = json!({"UserName": "ci", "AccessKeyLastUsed": {"LastUsedDate": "2026-11-20T09:00:00Z", "ServiceName": "s3", "Region": "eu-west-1"}});
    assert!(seen(&[last]).1.unwrap().contains("does not name the key"));
}

#[test]
fn of_two_entries_the_live_one_counts() {
    let page = |status: &str| json!({"AccessKeyMetadata": [{"AccessKeyId": "AKIAABCDEFGH2JKLMNOP", "Status": status}]});
    for pages in [[page("Active"), page("Inactive")], [page("Inactive"), page("Active")]] {
        let listing = read(&pages).unwrap();
        assert_eq!(listing.entry("AKIAABCDEFGH2JKLMNOP").unwrap().standing, Standing::Active);
        assert!(listing.entry("AKIAOTHEROTHEROTHERO").is_none());
    }
}

#[test]
fn gcloud() {
    let key = |id: &str, more: Value| {
        let mut key = json!({"name": format!("projects/p/serviceAccounts/ci@p.iam.gserviceaccount.com/keys/{id}"), "keyType": "USER_MANAGED",
            "keyAlgorithm": "KEY_ALG_RSA_2048", "validAfterTime": "2026-11-20T09:00:00Z", "validBeforeTime": "9999-12-31T23:59:59Z"});
        key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        key
    };
    let (all, _) = seen(&[json!([
        key("aa", json!({})),
        key("bb", json!({"disabled": true})),
        key("cc", json!({"validBeforeTime": "2026-11-28T00:00:00Z"})),
        key("dd", json!({"keyType": "SYSTEM_MANAGED"}))
    ])]);
    assert_eq!(
        all,
        [
            "gcloud: aa active of ci@p.iam.gserviceaccount.com",
            "gcloud: bb disabled, and not deleted of ci@p.iam.gserviceaccount.com",
            "gcloud: cc expired 2026-11-28T00:00:00Z of ci@p.iam.gserviceaccount.com"
        ]
    );
}

/// The fingerprint is what `ssh-keygen -lf` of OpenSSH 9.2 prints for the key.
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEDWLtR8blG/TyCcGEJ5Bs7qslbdz2pK4rMsC1ONMVvl";

#[test]
fn ssh_keys_by_their_fingerprint() {
    let fingerprint = ssh_keys::fingerprint(KEY).unwrap();
    let (all, _) = seen(&[json!([{"id": 7, "title": "laptop", "key": KEY, "created_at": "2026-11-20T09:00:00Z"}])]);
    assert_eq!(all, [format!("ssh: {fingerprint} active")]);
    let (all, _) = seen(&[
        json!([{"id": 7, "title": "l", "key": KEY, "created_at": "2026-11-20T09:00:00Z", "expires_at": "2026-11-21T00:00:00Z", "usage_type": "auth"}]),
    ]);
    assert_eq!(all, [format!("ssh: {fingerprint} expired 2026-11-21T00:00:00Z")]);
    // The type in front must be the one in the key.
    assert_eq!(ssh_keys::fingerprint(&KEY.replacen("ed25519", "rsa", 1)), None);
    let lines = format!("# mine\n{KEY} al@x\nfrom=\"10.0.0.1\",command=\"echo ssh-rsa x\" {KEY}\n\n");
    let listing = Listing::read("f".to_owned(), &[Document::Text(&lines)], None, now()).unwrap();
    let ids: Vec<_> = listing.entries.list.iter().map(|e| e.id.clone()).collect();
    assert_eq!((listing.form.name(), ids), ("authorized_keys", vec![fingerprint.clone(), fingerprint]));
    for text in ["", "hello\n", "ssh-ed25519 AAAA\n", "# only\n"] {
        assert!(Listing::read("f".to_owned(), &[Document::Text(text)], None, now()).is_err(), "{text}");
    }
}

#[test]
fn tokens_and_keys_of_services() {
    let npm = json!([{"key": "c03241ab", "token": "npm_aB", "created": "2026-11-20T09:00:00.000Z", "readonly": false, "cidr_whitelist": null}]);
    assert_eq!(seen(&[npm]).0, ["npm: c03241ab active"]);
    let github = json!([{"id": 25381, "owner": {"login": "al"}, "token_id": 98716, "token_name": "ci", "token_expired": false,
        "token_expires_at": "2026-11-01T00:00:00Z", "token_last_used_at": null, "access_granted_at": "2026-10-01T09:00:00Z"}]);
    assert_eq!(seen(&[github]).0, ["github: token 98716 expired 2026-11-01T00:00:00Z of al"]);
    let gitlab = |revoked: bool, active: bool| {
        json!([{"id": 42, "name": "ci", "revoked": revoked, "active": active, "created_at": "2026-11-20T09:00:00.000Z",
            "expires_at": "2027-01-01", "user_id": 7, "scopes": ["api"]}])
    };
    assert_eq!(seen(&[gitlab(false, true)]).0, ["gitlab: token 42 active of user 7"]);
    assert_eq!(seen(&[gitlab(true, false)]).0, ["gitlab: token 42 revoked of user 7"]);
    assert_eq!(seen(&[gitlab(false, false)]).0, ["gitlab: token 42 not active of user 7"]);
    let vault = json!({"request_id": "r", "data": {"accessor": "8609694a", "creation_time": 1_762_000_000, "expire_time": "2026-11-20T09:00:00Z", "display_name": "ldap-al"}});
    assert_eq!(seen(&[vault]).0, ["vault: 8609694a expired 2026-11-20T09:00:00Z"]);
    let azure = json!([{"keyId": "ec9d3fb2-1d23-4c9a-93b1-7a2a3c3a1f10", "displayName": "ci", "hint": "abc", "startDateTime": "2026-11-20T09:00:00Z", "endDateTime": "2027-11-20T09:00:00Z", "customKeyIdentifier": null}]);
    assert_eq!(seen(&[azure]).0, ["azure: ec9d3fb2-1d23-4c9a-93b1-7a2a3c3a1f10 active"]);
    let key = |status: &str| json!({"type": "api_key", "id": "apikey_01Rj2N", "name": "ci", "status": status, "created_at": "2026-10-30T23:58:27.427722Z", "partial_key_hint": "sk-ant-api03-R2D...igAA", "workspace_id": null});
    let (all, more) = seen(&[json!({"data": [key("active"), key("archived")], "has_more": true})]);
    assert_eq!(all, ["anthropic: apikey_01Rj2N active", "anthropic: apikey_01Rj2N archived"]);
    assert!(more.is_some());
    let openai = json!({"object": "list", "data": [{"object": "organization.project.api_key", "id": "key_abc", "name": "ci", "redacted_value": "sk-abc...def", "created_at": 1_762_000_000}], "has_more": false});
    assert_eq!(seen(&[openai]), (vec!["openai: key_abc active".to_owned()], None));
    let secret = json!({"kind": "Secret", "type": "Opaque", "metadata": {"name": "db", "namespace": "app", "uid": "u", "creationTimestamp": "2026-11-20T09:00:00Z"}, "data": {"password": "Q0FOQVJZ"}});
    let list =
        json!({"kind": "List", "apiVersion": "v1", "items": [secret.clone()], "metadata": {"resourceVersion": ""}});
    assert_eq!(seen(&[list]).0, ["kubernetes: secret db active of namespace app"]);
    assert_eq!(seen(&[secret]).0, ["kubernetes: secret db active of namespace app"]);
}

#[test]
fn what_is_none_is_refused() {
    for value in [
        json!([]),
        json!({}),
        json!(null),
        json!("AccessKeyMetadata"),
        json!([1, 2]),
        json!([{}]),
        json!({"AccessKeyMetadata": 7}),
        json!({"data": []}),
        json!({"kind": "List", "items": [{"kind": "Pod", "metadata": {}}]}),
        json!([{"id": 1, "key": "not a key"}]),
        json!([{"keyId": "x"}]),
        json!({"data": {"accessor": 1}}),
    ] {
        assert!(read(std::slice::from_ref(&value)).is_err(), "{value}");
    }
    // Two forms in one file.
    let (aws, npm) = (json!({"AccessKeyMetadata": []}), json!([{"key": "c", "token": "n", "created": "x"}]));
    assert!(read(&[aws.clone(), npm.clone()]).is_err());
    let named = |form: usize, value: &Value| {
        Listing::read("f".to_owned(), &[Document::Json(value)], Some(FORMS[form]), now()).err()
    };
    assert_eq!(named(0, &npm), Some(Unreadable::Other));
    assert_eq!(named(0, &aws), None);
    // An empty array is what the caller says it is.
    assert_eq!(named(10, &json!([])), None);
}

#[test]
fn empty_ones_are_known_by_their_shape_or_by_their_name() {
    for (value, name) in [
        (json!({"AccessKeyMetadata": [], "IsTruncated": false}), "aws"),
        (json!({"data": [], "has_more": false, "first_id": null, "last_id": null}), "anthropic"),
        (json!({"object": "list", "data": [], "has_more": false}), "openai"),
        (json!({"apiVersion": "v1", "kind": "List", "items": [], "metadata": {"resourceVersion": ""}}), "kubernetes"),
    ] {
        let listing = read(std::slice::from_ref(&value)).unwrap_or_else(|e| panic!("{e}: {value}"));
        assert_eq!((listing.form.name(), listing.entries.list.len(), listing.entries.incomplete), (name, 0, None));
    }
    assert!(read(&[json!({"object": "list", "data": [], "has_more": true})]).unwrap().entries.incomplete.is_some());
    for form in FORMS {
        for value in [json!([]), json!({})] {
            let listing = Listing::read("f".to_owned(), &[Document::Json(&value)], Some(*form), now()).unwrap();
            assert_eq!(listing.entries.list.len(), 0);
        }
        for text in ["", "\n", "# none\n"] {
            assert!(Listing::read("f".to_owned(), &[Document::Text(text)], Some(*form), now()).is_ok(), "{text}");
        }
        let full = json!([{"made": "up"}]);
        assert!(Listing::read("f".to_owned(), &[Document::Json(&full)], Some(*form), now()).is_err());
    }
    for value in [json!({"kind": "PodList", "items": []}), json!({"object": "list", "data": []}), json!({"items": []})]
    {
        assert!(read(std::slice::from_ref(&value)).is_err(), "{value}");
    }
}

#[test]
fn odd_entries_are_passed_over_and_secrets_are_no_ids() {
    let all = seen(&[json!({"AccessKeyMetadata": [{}, 7, null, {"AccessKeyId": 5}, {"AccessKeyId": "AK\u{1b}[31m"}, {"AccessKeyId": ""}]})]).0;
    assert!(all.is_empty(), "{all:?}");
    let token =
        json!([{"key": "npm_16C7e42F292c6912E7710c838347Ae178B4a", "token": "x", "created": "2026-11-20T09:00:00Z"}]);
    assert!(seen(&[token]).0.is_empty());
    let named =
        json!([{"keyId": "k", "displayName": "sk-ant-api03-abc", "endDateTime": null, "startDateTime": "yesterday"}]);
    let listing = read(&[named]).unwrap();
    assert_eq!((&listing.entries.list[0].label, listing.entries.list[0].created), (&None, None));
}

#[test]
fn every_form_names_kinds_that_there_are() {
    let catalog = Catalog::embedded().unwrap();
    let mut names: Vec<&str> = FORMS.iter().map(|f| f.name()).collect();
    for form in FORMS {
        assert!(
            !form.kinds().is_empty() && form.kinds().iter().all(|kind| catalog.kind(kind).is_some()),
            "{}",
            form.name()
        );
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FORMS.len());
}
