//! Which machine a report is of: by its own name where it says one, else by what was named on the command line.

use crate::report::v1::{PLAN, Report, Target};

/// What a machine is called in a report of several.
pub fn called(target: &Target) -> &str {
    target.name.as_deref().unwrap_or(&target.id)
}

/// Whether a later report is of the same machine. Two disks that are mounted in turn at one folder have two names, and one disk has
/// the same at any; two copies of a machine may have one name, and are two installations. A folder's name alone says nothing of the
/// machine: only a plan of it is kept up by a later report. A plan is kept up by a machine that was made anew, too.
pub fn is_same(known: &Report, later: &Report) -> bool {
    let (a, b) = (&known.run.target, &later.run.target);
    let says_itself = b.kind == "host" || a.name.is_some() && b.name.is_some();
    let copies = a.installation.is_some() && b.installation.is_some() && a.installation != b.installation;
    is_one(a, b) && (says_itself && !copies || known.schema == PLAN)
}

/// Whether two targets are one machine by what they say of themselves: the folder that a disk is mounted at is no name.
pub fn is_machine(a: &Target, b: &Target) -> bool {
    let copies = a.installation.is_some() && b.installation.is_some() && a.installation != b.installation;
    is_one(a, b) && !copies && (b.kind == "host" || a.name.is_some() && b.name.is_some())
}

/// Whether two targets are one machine, as far as they say.
pub fn is_one(a: &Target, b: &Target) -> bool {
    a.kind == b.kind
        && match (&a.name, &b.name) {
            (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
            _ => a.id == b.id,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(schema: &str, kind: &str, id: &str, name: Option<&str>) -> Report {
        let mut report: Report =
            serde_json::from_str(include_str!("../../tests/fixtures/report/example.json")).unwrap();
        schema.clone_into(&mut report.schema);
        report.run.target = Target {
            kind: kind.to_owned(),
            id: id.to_owned(),
            name: name.map(str::to_owned),
            installation: None,
            os: None,
        };
        report
    }

    #[test]
    fn a_disk_is_known_by_its_own_name() {
        let first = |schema: &str, name: Option<&str>| report(schema, "root", "/mnt/disk", name);
        let later = |id: &str, name: Option<&str>| report("dosimeter.report/1", "root", id, name);
        for schema in ["dosimeter.report/1", PLAN] {
            assert!(is_same(&first(schema, Some("web1")), &later("/mnt/other", Some("web1"))));
            assert!(!is_same(&first(schema, Some("web1")), &later("/mnt/disk", Some("web2"))));
        }
        // Copies of one machine are several; a plan is kept up by a machine that was made anew.
        let numbered = |mut report: Report, number: &str| {
            report.run.target.installation = Some(number.to_owned());
            report
        };
        let copy = |schema: &str, number: &str| {
            is_same(&numbered(first(schema, Some("web1")), "1"), &numbered(later("/mnt/other", Some("web1")), number))
        };
        assert!(copy("dosimeter.report/1", "1") && !copy("dosimeter.report/1", "2") && copy(PLAN, "2"));
        // Where one says no name, the folder of a plan counts.
        assert!(is_same(&first(PLAN, None), &later("/mnt/disk", None)));
        assert!(is_same(&first(PLAN, None), &later("/mnt/disk", Some("web1"))));
        assert!(!is_same(&first("dosimeter.report/1", None), &later("/mnt/disk", None)));
        assert!(!is_same(&first(PLAN, Some("web1")), &later("/mnt/other", None)));
        let host = |id: &str| report("dosimeter.report/1", "host", id, None);
        assert!(is_same(&host("a"), &host("a")) && !is_same(&host("a"), &host("b")));
        assert!(!is_same(&host("web1"), &later("web1", Some("web1"))));
    }
}
