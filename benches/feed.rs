//! A bundle of a whole feed: how long it takes to make, how large it is, and what a million look-ups cost.
//!
//! ```sh
//! cargo bench --bench feed -- FEED.csv.gz OUT.bundle
//! ```
//!
//! The feed has the columns `ecosystem,package,version,id`; a version is exact, `*`, or `range:{"introduced": …, "fixed": …}`.
//! `OUT.bundle` also holds the incidents of the program, so that it can be given to `--iocs`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods
)]

use std::{collections::BTreeSet, fs, hint::black_box, time::Instant};

use dosimeter::{
    ecosystem::normal_name,
    fact::Ecosystem,
    ioc::{
        Database,
        bundle::{Bundle, Content, build},
        feed::{Feed as _, FeedRow},
    },
};

const LOOK_UPS: usize = 1_000_000;

fn main() {
    let named: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let [feed, out] = named.as_slice() else {
        eprintln!("usage: cargo bench --bench feed -- FEED.csv.gz OUT.bundle");
        return;
    };
    let rows = rows(feed);
    let Database { sequence, created, incidents, .. } = Database::embedded().unwrap();
    let content = Content { title: "a whole feed".to_owned(), sequence, created, incidents, rows };
    let start = Instant::now();
    let bytes = build(&content).unwrap();
    println!("built in {:.2?}: {} rows, {} bytes", start.elapsed(), content.rows.len(), bytes.len());
    assert!(bytes == build(&content).unwrap(), "the same content gives the same bytes");
    fs::write(out, &bytes).unwrap();

    let names: BTreeSet<(Ecosystem, Box<str>)> =
        content.rows.iter().map(|(e, name, _)| (*e, normal_name(*e, name))).collect();
    // Each name that is known, and one that is not, in an order that jumps about in the file.
    let mut asked: Vec<(Ecosystem, String, bool)> = Vec::new();
    for (ecosystem, name) in &names {
        asked.push((*ecosystem, name.to_string(), true));
        asked.push((*ecosystem, format!("{name}-x7"), names.contains(&(*ecosystem, format!("{name}-x7").into()))));
    }
    asked.sort_by_key(|(_, name, _)| name.bytes().rev().collect::<Vec<u8>>());
    let start = Instant::now();
    let bundle = Bundle::open(fs::File::open(out).unwrap(), out).unwrap();
    println!("opened in {:.2?}", start.elapsed());
    for pass in ["cold", "warm"] {
        let start = Instant::now();
        for (ecosystem, name, known) in asked.iter().cycle().take(LOOK_UPS) {
            assert_eq!(black_box(bundle.knows(*ecosystem, name)), *known, "{name}");
        }
        println!("{LOOK_UPS} look-ups, {pass}: {:.2?}", start.elapsed());
    }
    assert_eq!(bundle.fault(), None);
}

fn rows(feed: &str) -> Vec<(Ecosystem, String, FeedRow)> {
    let file = fs::File::open(feed).unwrap();
    let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(file));
    let mut left = 0;
    let mut rows = Vec::new();
    for record in reader.records().map(Result::unwrap) {
        match Ecosystem::from_word(&record[0]) {
            Some(ecosystem) => {
                let row = FeedRow { advisory: record[3].to_owned(), versions: vec![version(&record[2])] };
                rows.push((ecosystem, record[1].to_owned(), row));
            }
            None => left += 1,
        }
    }
    println!("{} rows read, {left} of ecosystems that are not known left out", rows.len());
    rows
}

fn version(text: &str) -> String {
    let Some(range) = text.strip_prefix("range:") else {
        return text.to_owned();
    };
    let range: serde_json::Value = serde_json::from_str(range).unwrap();
    let part = |key: &str, sign: &str| range[key].as_str().map(|v| format!("{sign}{v}"));
    let parts = [part("introduced", ">="), part("fixed", "<"), part("last_affected", "<=")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(",")
}
