//! What is replaced, in which order, and what is one item.

use super::*;
use crate::fact::Store;

#[test]
fn secrets_in_the_order_of_who_mints_whom() {
    let items = worst().checklist();
    assert_eq!(
        titles(&items, Phase::Rotate),
        [
            "the wallet: /home/alice/.bitcoin/wallet.dat",
            "the npm.token: /home/alice/.npmrc",
            "the aws.access_key: AKIAIOSFODNN7EXAMPLE",
            "the db: /home/alice/.pgpass",
            "Ask those who run it, and replace what no file shows",
        ]
    );
    let find = |title: &str| items.iter().find(|i| i.title.contains(title)).unwrap();
    assert!(find("wallet").after.is_empty());
    let key = find("AKIA");
    assert_eq!(key.credentials.len(), 2, "one key at two places is one item");
    assert!(waits(find("pgpass"), key));
    let commands: Vec<_> = key.steps.iter().filter_map(|s| command(key, s)).collect();
    assert_eq!(commands, ["aws.access_key replace AKIAIOSFODNN7EXAMPLE"]);
}

#[test]
fn a_crowd_without_identifiers_is_one_item() {
    let many = (0..60).fold(worst(), |m, n| m.secret("db", None, format!("home/alice/p{n}/.pgpass").as_bytes()));
    let items = many.checklist();
    let rotations = titles(&items, Phase::Rotate);
    assert_eq!(
        rotations.iter().filter(|t| t.contains("the db")).count(),
        2,
        "the harvested one, and the crowd: {rotations:?}"
    );
    let crowd = items.iter().find(|i| i.title == "the db in 60 places").unwrap();
    assert_eq!(crowd.credentials.len(), 60);
}

/// Each key is one thing to do and to tick; a crowd of a kind is one, and what is about one key is said for each.
#[test]
fn a_few_credentials_are_an_item_each_and_a_crowd_is_one() {
    let keys = |n: usize| {
        let key = |m: Machine, n: usize| {
            m.secret("aws.access_key", Some(&format!("AKIA{n}")), b"home/alice/.aws/credentials")
        };
        (0..n).fold(worst(), key).checklist()
    };
    let of = |items: &[Item]| -> Vec<usize> {
        let about = |i: &&Item| i.phase == Phase::Rotate && i.title.contains("the aws.access_key");
        items.iter().filter(about).map(|i| i.credentials.len()).collect()
    };
    // One of them stands at two places.
    assert_eq!(of(&keys(1)), [1, 2]);
    assert_eq!(of(&keys(7)), [1, 1, 1, 1, 1, 1, 1, 2]);
    let crowd = keys(8);
    assert_eq!(of(&crowd), [10]);
    let item = crowd.iter().find(|i| i.title == "the aws.access_key: 9 in 2 files").unwrap();
    for n in 0..8 {
        assert!(item.steps.iter().any(|s| s.what == format!("replace AKIA{n}")), "{item:?}");
    }
}

/// Keys of test suites are named, last, and nobody is woken for them.
#[test]
fn what_is_probably_made_up_comes_last() {
    let items = worst()
        .secret("npm.token", Some("a"), b"home/alice/lib/tests/fixtures/.npmrc")
        .secret("npm.token", Some("b"), b"home/alice/latest/.npmrc")
        .secret("npm.token", Some("c"), b"home/alice/lib/tests/.npmrc")
        .secret("npm.token", Some("c"), b"home/alice/.config/.npmrc")
        .checklist();
    let tokens: Vec<(&str, Option<Urgency>)> =
        items.iter().filter(|i| i.title.contains("npm.token: ")).map(|i| (i.title.as_str(), i.urgency)).collect();
    let place = |id: &str| tokens.iter().position(|(t, _)| *t == format!("the npm.token: {id}")).unwrap();
    assert!(place("b") < place("a") && place("c") < place("a"), "{tokens:?}");
    assert_eq!(tokens[place("a")].1, Some(Urgency::Soon));
    let made_up = items.iter().find(|i| i.title == "the npm.token: a").unwrap();
    assert!(made_up.why.starts_with("probably made up"), "{}", made_up.why);
    let db = items.iter().position(|i| i.title.contains("pgpass")).unwrap();
    assert!(db < items.iter().position(|i| i.title == "the npm.token: a").unwrap());
}

/// What a file only refers to is replaced after the login of the store that holds it, where the payload ran beside it.
#[test]
fn references_open_at_their_store() {
    let hit = || Machine::new().hook(format!("{VENV}/litellm_init.pth").as_bytes());
    let refers = |machine: Machine| {
        machine.with("credential", b"home/alice/app/.env", Fact::Reference(Store::Aws)).with(
            "credential",
            b"home/alice/app/values.yaml",
            Fact::Reference(Store::Onepassword),
        )
    };
    let of = |items: &[Item]| items.iter().find(|i| i.title.starts_with("Replace what references open")).cloned();
    let items = refers(hit().secret("aws.access_key", Some("AKIAIOSFODNN7EXAMPLE"), b"home/alice/.aws/credentials"))
        .checklist();
    let item = of(&items).unwrap();
    let said: Vec<&str> = item.steps.iter().map(|s| s.what.as_str()).collect();
    assert!(
        said[0].starts_with("in AWS Secrets Manager or Parameter Store: what stands behind /home/alice/app/.env"),
        "{said:?}"
    );
    assert!(said[1].starts_with("a login that may open it was in reach here"), "{said:?}");
    assert!(said[2].starts_with("in 1Password: what stands behind /home/alice/app/values.yaml"), "{said:?}");
    assert!(said[3].starts_with("no login of 1Password was found here"), "{said:?}");
    let key = items.iter().find(|i| i.phase == Phase::Rotate && i.title.contains("AKIA")).unwrap();
    let opens =
        |e: &&Edge| e.item == key.id && matches!(&e.because, Because::Opens { kind, .. } if kind == "aws.access_key");
    assert_eq!(item.after.iter().filter(opens).count(), 1, "{:?}", item.after);
    // No login, no edge; nothing that ran beside them, no item.
    let alone = of(&refers(hit()).checklist()).unwrap();
    assert!(alone.after.iter().all(|e| !matches!(e.because, Because::Opens { .. })));
    assert!(of(&hit().checklist()).is_none());
    let stored = Machine::new().package(Placement::Cached, b"home/alice/.cache/pip/http-v2/a/b/abc.body");
    assert!(of(&refers(stored).checklist()).is_none());
}
