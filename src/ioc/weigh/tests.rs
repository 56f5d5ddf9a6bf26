use std::sync::Arc;

use super::*;
use crate::ioc::{Database, feed::FeedRow, rows::Rows};

fn weights(files: &[(&str, &str)]) -> Vec<Weight> {
    let index = Index::new(Database::embedded().unwrap(), &[]);
    let weigher = Weigher::new(&index);
    files.iter().map(|(path, text)| weigher.weigh(&TreePath::new(path.as_bytes()).unwrap(), text.as_bytes())).collect()
}

fn assert_all(files: &[(&str, &str)], want: Weight) {
    for (file, weight) in files.iter().zip(weights(files)) {
        assert_eq!(weight, want, "{file:?}");
    }
}

#[test]
fn what_names_a_bad_version_or_admits_one_has_weight() {
    let path = "home/a/p/pyproject.toml";
    let texts = [
        "{{ name }}\n\"litellm==1.82.8\"",
        "{{ name }}\nLiteLLM [proxy] >= 1.80",
        "name: litellm\n\n\nversion: v1.82.8.0",
        "litellm = {version = \"^1.80\", {{ }}",
        "lite\\u006clm==1.82.8 {{",
        "litellm=={{ version }}",
        "https://host.example/litellm-1.82.8-py3-none-any.whl {{",
        "{ \"chalk\": \"^5.0.0\", ",
        "{ \"name\": \"chalk\", \"version\": \"5.6.1\" ",
        "{{ curl https://models.litellm.cloud/x",
        "uses: tj-actions/changed-files@v45 {{",
        "{{ litellm_init.pth",
    ];
    assert_all(&texts.map(|t| (path, t)), Weight::Names);
}

#[test]
fn what_holds_nothing_known_has_none() {
    let path = "home/a/p/pyproject.toml";
    let texts = [
        "",
        "[project]\nname = \"{{folder_name}}\"\nversion = \"0.1.0\"\ndependencies = [\"crewai[tools]>=0.1\"]\n",
        "litellm is a proxy {{",
        "litellm==1.83.0 {{",
        "{ \"litellm\": \"==1.82.6\" ",
        "my-litellm==1.82.80 {{",
        "{ \"name\": \"chalk\", \"version\": \"4.1.2\" ",
        "{ \"chalk\": \"^4.0.0\", ",
        "1.82.8 {{",
    ];
    assert_all(&texts.map(|t| (path, t)), Weight::Nothing);
}

#[test]
fn what_cannot_be_read_as_text_keeps_its_weight() {
    let path = "home/a/p/x";
    assert_all(&[(path, "a\0b"), (path, "\u{1}\u{2}"), (path, "$ANSIBLE_VAULT;1.1;AES256\n61")], Weight::Unknown);
    // Too many questions.
    assert_all(&[(path, &"chalk ".repeat(201_000))], Weight::Unknown);
}

#[test]
fn a_place_that_names_a_package_has_weight() {
    assert_all(
        &[
            ("v/lib/python3.11/site-packages/litellm-1.82.8.dist-info/METADATA", ""),
            ("v/lib/python3.11/site-packages/litellm.egg-info/PKG-INFO", ""),
            ("p/node_modules/chalk/package.json", ""),
            ("p/node_modules/@ctrl/tinycolor/package.json", ""),
        ],
        Weight::Names,
    );
    assert_all(
        &[
            ("v/lib/python3.11/site-packages/litellm-1.83.0.dist-info/METADATA", ""),
            ("v/lib/python3.11/site-packages/six-1.82.8.dist-info/METADATA", ""),
            ("p/node_modules/chalky/package.json", ""),
            ("home/chalk/p/package.json", ""),
        ],
        Weight::Nothing,
    );
}

#[test]
fn packages_of_feeds_count() {
    let row = |versions: &[&str]| FeedRow {
        advisory: "MAL-1".into(),
        versions: versions.iter().map(|v| (*v).to_owned()).collect(),
    };
    let rows = vec![
        (Ecosystem::Npm, "@evil/one".to_owned(), row(&["1.2.3"])),
        (Ecosystem::Pypi, "evil_two".to_owned(), row(&["*"])),
    ];
    let index = Index::new(Database::embedded().unwrap(), &[]).with_feed(Arc::new(Rows::new("f", rows)));
    let weigher = Weigher::new(&index);
    let weigh = |text: &str| weigher.weigh(&TreePath::new(b"a/x").unwrap(), text.as_bytes());
    for text in ["{ \"@evil/one\": \"1.2.3\" ", "{ \"@evil/one\": \"^1.0.0\" ", "Evil.Two {{", "%40evil%2fone@1.2.3 {{"]
    {
        assert_eq!(weigh(text), Weight::Names, "{text}");
    }
    for text in ["{ \"@evil/one\": \"1.2.4\" ", "evil-two-more {{", "1.2.3 {{", "one 1.2.3"] {
        assert_eq!(weigh(text), Weight::Nothing, "{text}");
    }
}
