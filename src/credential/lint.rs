//! What is wrong with a file of a kind, reported so that its author can mend it.

use std::collections::BTreeSet;

use super::model::{Kind, Mode, Rotation, Stage};
use crate::{
    ioc::lint::{Problem, command_faults},
    verdict::Place,
};

/// Marks that are filled in when a plan is made.
const BLANKS: &[&str] = &["{id}", "{name}", "{context}", "{account}", "{since}", "{since_utc}"];
/// Letters of a name that stands in a title.
const TITLE: usize = 30;

/// Whether a text is meant to be a kind of credential rather than an incident.
pub fn is_kind(text: &str) -> bool {
    text.contains("\"dosimeter.credential/")
}

/// Every fault of some files, as names and texts.
pub fn check(files: &[(&str, &str)]) -> Vec<Problem> {
    let own = crate::ioc::embedded::files("credentials");
    let names = own.iter().map(|(name, _)| *name).chain(files.iter().map(|(file, _)| name(file)));
    let ids: BTreeSet<&str> = names.filter_map(|n| n.strip_suffix(".json")).collect();
    files.iter().flat_map(|(file, text)| of_file(file, text, &ids)).collect()
}

fn name(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

fn of_file(file: &str, text: &str, ids: &BTreeSet<&str>) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut say = |place: String, what: String, hint: &str| {
        found.push(Problem { file: file.to_owned(), place, what, hint: hint.to_owned() });
    };
    let kind: Kind = match serde_json::from_str(text) {
        Ok(kind) => kind,
        Err(e) => {
            let place = format!("line {}, column {}", e.line(), e.column());
            say(place, e.to_string(), "`iocs/credentials/README.md` lists every field and its values");
            return found;
        }
    };
    if name(file) != format!("{}.json", kind.id) {
        say("id".into(), format!("`{}` in a file of another name", kind.id), "name the file after the id");
    }
    for (n, edge) in kind.edges.iter().enumerate() {
        if *edge == kind.id || !ids.contains(edge.as_str()) {
            say(
                format!("edges[{n}]"),
                format!("`{edge}` is no other kind"),
                "use the name of a file in `iocs/credentials`",
            );
        }
    }
    let lists = [("rotation", &kind.rotation), ("audit", &kind.audit)];
    for (list, n, step) in lists.iter().flat_map(|(l, steps)| steps.iter().enumerate().map(move |(n, s)| (*l, n, s))) {
        let place = format!("{list}[{n}]");
        for (what, hint) in step.command.iter().flat_map(|c| command_faults(c, BLANKS, step.place == Some(Place::Host)))
        {
            say(format!("{place}.command"), what, hint);
        }
        if step.command.is_some() && step.expect.is_none() {
            say(format!("{place}.expect"), "missing beside a command".into(), "say what it shows where all is well");
        }
        if list == "rotation" && step.stage.is_none() {
            say(format!("{place}.stage"), "missing".into(), "write before, issue, deploy, revoke, sessions or verify");
        }
    }
    if kind.title().chars().count() > TITLE {
        say(
            "short".into(),
            "missing, or longer than 30 letters".into(),
            "say the name in at most 30 letters, for titles",
        );
    }
    order(&kind).into_iter().for_each(|(place, what, hint)| say(place, what, hint));
    found
}

/// The steps in the order that the mode says, with an end and a proof of it.
fn order(kind: &Kind) -> Vec<(String, String, &'static str)> {
    let at = |stage: Stage| kind.rotation.iter().position(|r: &Rotation| r.stage == Some(stage));
    let mut found = Vec::new();
    let missing = [(Stage::Revoke, "revoke"), (Stage::Verify, "verify")];
    for (stage, word) in missing.into_iter().filter(|(stage, _)| at(*stage).is_none()) {
        let hint = if stage == Stage::Revoke {
            "say how the old one ends"
        } else {
            "say how somebody else sees that it ended"
        };
        found.push(("rotation".to_owned(), format!("no step of stage `{word}`"), hint));
    }
    if let (Some(issue), Some(revoke)) = (at(Stage::Issue), at(Stage::Revoke)) {
        let wrong = match kind.mode {
            Mode::RevokeFirst => issue < revoke,
            Mode::IssueFirst => revoke < issue,
            Mode::MoveAssets | Mode::Expire | Mode::Review => false,
        };
        if wrong {
            let hint = "the mode and the order of the stages have to agree";
            found.push(("mode".to_owned(), format!("`{}` and steps in another order", mode(kind.mode)), hint));
        }
    }
    found
}

const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::RevokeFirst => "revoke_first",
        Mode::IssueFirst => "issue_first",
        Mode::MoveAssets => "move_assets",
        Mode::Expire => "expire",
        Mode::Review => "review",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ioc::embedded;

    #[test]
    fn the_embedded_kinds_have_no_fault() {
        let files = embedded::files("credentials");
        assert!(files.len() > 140 && files.iter().all(|(_, text)| is_kind(text)));
        let lines: Vec<String> = check(&files).iter().map(|p| format!("{}: {}: {}", p.file, p.place, p.what)).collect();
        assert!(lines.is_empty(), "{} faults\n{}", lines.len(), lines.join("\n"));
    }

    fn kind() -> serde_json::Value {
        let step = |stage: &str| serde_json::json!({"do": "do it", "stage": stage});
        serde_json::json!({
            "schema": "dosimeter.credential/1", "id": "made.up", "name": "made up", "provider": "x", "lane": "standard", "tier": 5,
            "order": 1, "places": [], "mode": "issue_first", "sources": ["nowhere"],
            "rotation": [step("issue"), step("revoke"), step("verify")],
        })
    }

    fn places(kind: &serde_json::Value) -> Vec<String> {
        check(&[("x/made.up.json", &kind.to_string())]).into_iter().map(|p| p.place).collect()
    }

    #[test]
    fn each_fault_is_named_at_its_place() {
        assert_eq!(places(&kind()), [""; 0]);
        let with = |change: &dyn Fn(&mut serde_json::Value)| {
            let mut kind = kind();
            change(&mut kind);
            places(&kind)
        };
        assert_eq!(with(&|k| k["id"] = "made.other".into()), ["id"]);
        assert_eq!(
            with(&|k| k["edges"] = serde_json::json!(["made.up", "aws.access_key", "no.kind"])),
            ["edges[0]", "edges[2]"]
        );
        assert_eq!(with(&|k| k["mode"] = "revoke_first".into()), ["mode"]);
        assert_eq!(with(&|k| k["rotation"][1]["stage"] = "deploy".into()), ["rotation"]);
        assert_eq!(with(&|k| _ = k["rotation"][0].as_object_mut().unwrap().remove("stage")), ["rotation[0].stage"]);
        assert_eq!(with(&|k| k["rotation"][0]["command"] = "ls -l".into()), ["rotation[0].expect"]);
        let command = |text: &str| {
            with(&|k| {
                k["rotation"][0]["command"] = text.into();
                k["rotation"][0]["expect"] = "nothing".into();
            })
        };
        assert_eq!(command("ls -l"), [""; 0]);
        for bad in ["gh auth token", "npm token list", "x --password VALUE", "ls 'a", "ls {region}", "rm -rf $X"] {
            let found = command(bad);
            assert!(!found.is_empty() && found.iter().all(|p| p == "rotation[0].command"), "{bad}: {found:?}");
        }
        assert_eq!(with(&|k| k["order"] = "first".into()).len(), 1);
    }
}
