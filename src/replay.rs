//! An incident's examples and near misses, run through the real surfaces, the real matcher and the real judgement.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    accounts::Accounts,
    assess::{Case, Evidence, assess},
    credential::Catalog,
    fact::{Seen, TreePath},
    interest::Interest,
    ioc::{Index, model::Example},
    matcher,
    surface::SURFACES,
    tree::{Body, Entry, Kind, Visit},
    walk::{Inspector, Keep, Router},
};

/// The lookups of an example that find something.
pub fn looked_up<'e>(index: &Index, example: &'e Example) -> Vec<&'e str> {
    let lookups = example.lookups.iter().map(String::as_str);
    lookups.filter(|text| !index.find(text, example.at).is_empty()).collect()
}

/// What an example gives: `exposure/confidence` of each finding, sorted.
pub fn replay(index: &Index, example: &Example) -> Vec<String> {
    let interest = index.interest();
    let seen = inspect(&interest, example, &|seen| matcher::worth(index, seen));
    let evidence = seen.into_iter().map(Evidence::from).collect();
    let tree: Arc<str> = "example".into();
    let accounts = BTreeMap::from([(tree, Accounts::default())]);
    let assessment = assess(Case { index, catalog: &Catalog::default(), evidence, accounts });
    let mut found: Vec<String> =
        assessment.findings.iter().map(|f| format!("{}/{}", f.exposure.as_str(), f.confidence.as_str())).collect();
    found.sort();
    found
}

fn inspect(interest: &Interest, example: &Example, keep: &Keep<'_>) -> Vec<Seen> {
    let router = Router::new(SURFACES.to_vec(), interest);
    let inspector = Inspector::new(&router, interest, keep, "example".into(), None);
    for (path, text) in &example.files {
        let Some(path) = TreePath::new(path.as_bytes()) else {
            continue;
        };
        let folder = inspector.folder(&path.parent());
        if inspector.wants(&folder, path.name(), Kind::File) {
            let len = u64::try_from(text.len()).unwrap_or(u64::MAX);
            let entry = Entry { path, len, mtime: None, btime: None, uid: None, gid: None, mode: None };
            let mut bytes = text.as_bytes();
            inspector.file(&entry, &mut Body::stream(&mut bytes, len));
        }
    }
    inspector.finish().0
}
