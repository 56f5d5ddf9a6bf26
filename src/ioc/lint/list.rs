//! The companion list of an incident.

use super::{Problem, name, names, packages};
use crate::{
    fact::Ecosystem,
    ioc::{
        list::{Row, parse},
        model::PackageList,
    },
};

fn problem(file: &str, line: usize, what: impl Into<String>, hint: impl Into<String>) -> Problem {
    Problem { file: file.to_owned(), place: format!("line {line}"), what: what.into(), hint: hint.into() }
}

/// A list without its incident.
pub fn orphan(file: &str) -> Problem {
    let incident = format!("{}.json", name(file).trim_end_matches(".csv"));
    problem(file, 1, "a list without its incident", format!("put `{incident}` beside it, or name it too"))
}

/// The rows of an incident's list, and what is wrong with it.
pub fn rows(file: &str, field: Option<&PackageList>, list: Option<(&str, &str)>) -> (Vec<Row>, Vec<Problem>) {
    let at = |what: String, hint: &str| Problem {
        file: file.to_owned(),
        place: "package_list".to_owned(),
        what,
        hint: hint.to_owned(),
    };
    let (field, (list, text)) = match (field, list) {
        (None, None) => return (Vec::new(), Vec::new()),
        (Some(_), None) => {
            let list = format!("{}.csv", name(file).trim_end_matches(".json"));
            let hint = "put it beside this file, or remove `package_list`";
            return (Vec::new(), vec![at(format!("the list `{list}` is missing"), hint)]);
        }
        (None, Some((list, _))) => {
            let hint = "add the field, with how many packages and versions the list has, or remove the list";
            return (Vec::new(), vec![at(format!("missing, and there is a list `{}`", name(list)), hint)]);
        }
        (Some(field), Some(list)) => (field, list),
    };
    let rows = match parse(text) {
        Ok(rows) => rows,
        Err(faults) => {
            let hint = "each row is `ecosystem,name,versions`, versions apart by spaces";
            return (Vec::new(), faults.into_iter().map(|(line, what)| problem(list, line, what, hint)).collect());
        }
    };
    let mut problems = Vec::new();
    for row in &rows {
        row_faults(list, row, &mut problems);
    }
    for pair in rows.windows(2) {
        if let [a, b] = pair
            && key(a) >= key(b)
        {
            let what = if key(a) == key(b) { "listed twice" } else { "not in order" };
            let hint = "one row a package, sorted by ecosystem and name (`LC_ALL=C sort`)";
            problems.push(problem(list, b.line, format!("`{}` is {what}", b.name), hint));
        }
    }
    let versions: usize = rows.iter().map(|r| r.versions.len()).sum();
    for (what, said, counted) in [("packages", field.packages, rows.len()), ("versions", field.versions, versions)] {
        if said != counted {
            let place = format!("package_list.{what}");
            let (what, hint) = (format!("says {said}, the list has {counted}"), format!("write {counted}"));
            problems.push(Problem { file: file.to_owned(), place, what, hint });
        }
    }
    (rows, problems)
}

fn key(row: &Row) -> (&'static str, &str) {
    (row.ecosystem.purl_type(), &row.name)
}

fn row_faults(list: &str, row: &Row, problems: &mut Vec<Problem>) {
    let ecosystem: Ecosystem = row.ecosystem;
    if let Some(form) = names::fault(ecosystem, &row.name) {
        let what = format!("`{}` is no name of {}", row.name, ecosystem.purl_type());
        problems.push(problem(list, row.line, what, format!("write {form}")));
    }
    for (n, version) in row.versions.iter().enumerate() {
        if row.versions.iter().take(n).any(|v| v == version) {
            problems.push(problem(list, row.line, format!("`{version}` is listed twice"), "remove one"));
        }
        if let Some((what, hint)) = packages::version_fault(ecosystem, version) {
            problems.push(problem(list, row.line, what, hint));
        }
    }
    if let Some((_, before)) = packages::unsorted(ecosystem, &row.versions) {
        let what = format!("a version stands behind `{before}`");
        problems.push(problem(list, row.line, what, "sort the versions, oldest first: changes of the list read well"));
    }
}
