//! The steps of a kind of credential, with what is public of those that were found.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    shell::{is_plain, own_tools, quote},
    step::{Action, Step},
};
use crate::{assess::Judged, credential::model::Rotation, shell::syntax::is_bare, text::escape};

/// Credentials that one step is repeated for.
const SUBJECTS: usize = 20;

/// What is public of one credential.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Public<'s> {
    /// `{id}`: its identifier.
    pub id: Option<&'s str>,
    /// `{name}`: what its file calls it, or the account that it belongs to.
    pub name: Option<&'s str>,
}

/// A blank of a step, and what stands there where nothing was found to put in.
struct Blank {
    mark: &'static str,
    word: &'static str,
    of: for<'s> fn(&Public<'s>) -> Option<&'s str>,
}

const BLANKS: &[Blank] = &[
    Blank { mark: "{id}", word: "ID", of: |s| s.id },
    Blank { mark: "{name}", word: "NAME", of: |s| s.name },
    // The same under the words of the tools that ask for it.
    Blank { mark: "{context}", word: "CONTEXT", of: |s| s.name },
    Blank { mark: "{account}", word: "EMAIL", of: |s| s.name },
];

/// The blanks for the beginning of the exposure: as most providers read a time, and as `journalctl` does.
pub const SINCE: [&str; 2] = ["{since}", "{since_utc}"];

/// The steps with the beginning of the exposure in their commands.
pub fn dated(rotations: &[Rotation], opened: Option<Timestamp>) -> Vec<Rotation> {
    let [mark, mark_utc] = SINCE;
    let (text, utc) = match opened {
        Some(at) => (at.to_string(), format!("'{}'", at.strftime("%Y-%m-%d %H:%M:%S UTC"))),
        None => ("START".to_owned(), "START".to_owned()),
    };
    let date = |rotation: &Rotation| {
        let mut rotation = rotation.clone();
        if let Some(command) = rotation.command.as_mut().filter(|c| SINCE.iter().any(|mark| c.contains(mark))) {
            *command = command.replace(mark_utc, &utc).replace(mark, &text);
            if opened.is_none() {
                rotation.what.push_str("; START is the beginning of the exposure");
            }
        }
        rotation
    };
    rotations.iter().map(date).collect()
}

/// What is public of some credentials, each once.
pub fn subjects<'s>(found: &[&'s Judged]) -> BTreeSet<Public<'s>> {
    let subject = |j: &&'s Judged| Public { id: j.credential.identifier.as_deref(), name: j.origin.inner.as_deref() };
    found.iter().map(subject).collect()
}

/// The step for one credential. A command whose own quotes a value would break out of is dropped: the words say what to do.
pub fn fill(rotation: &Rotation, subject: Public<'_>) -> Step {
    let fits =
        |command: &&String| BLANKS.iter().all(|b| is_bare(command, b.mark) || (b.of)(&subject).is_none_or(is_plain));
    let command = rotation.command.as_ref().filter(fits);
    let filled = command.map(|command| {
        BLANKS.iter().fold(command.clone(), |text, b| {
            let word = (b.of)(&subject).map_or_else(|| b.word.to_owned(), |v| quote(v.as_bytes()));
            text.replace(b.mark, &word)
        })
    });
    Step {
        what: words(&without_blanks(rotation, &subject), &subject),
        unchecked: rotation.checked.is_none() && filled.as_deref().is_some_and(|c| !own_tools(c)),
        action: filled.map_or(Action::Say, Action::Given),
        expect: rotation.expect.as_deref().map(|text| words(text, &subject)),
        place: rotation.place,
    }
}

/// The words without a bracket that nothing was found for: where a command has the same blank, somebody has to fill it.
fn without_blanks(rotation: &Rotation, subject: &Public<'_>) -> String {
    let empty = |b: &&Blank| {
        (b.of)(subject).is_none() && !rotation.command.as_deref().is_some_and(|command| command.contains(b.mark))
    };
    BLANKS.iter().filter(empty).fold(rotation.what.clone(), |text, b| text.replace(&format!(" ({})", b.mark), ""))
}

fn words(text: &str, subject: &Public<'_>) -> String {
    BLANKS.iter().fold(text.to_owned(), |text, b| {
        let value = (b.of)(subject).map_or_else(|| b.word.to_owned(), |v| escape(v.as_bytes()));
        text.replace(b.mark, &value)
    })
}

/// "a, b": for a sentence about all of them.
fn listed(subjects: &BTreeSet<Public<'_>>, blank: &Blank) -> String {
    let all: BTreeSet<String> = subjects.iter().filter_map(|s| (blank.of)(s)).map(|v| escape(v.as_bytes())).collect();
    let more = if all.len() > SUBJECTS { " and the others" } else { "" };
    match all.len() {
        0 => blank.word.to_owned(),
        _ => format!("{}{more}", all.into_iter().take(SUBJECTS).collect::<Vec<_>>().join(", ")),
    }
}

/// Steps that ask for something of a credential once for each, the others once.
pub fn fill_all(rotations: &[Rotation], subjects: &BTreeSet<Public<'_>>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for rotation in rotations {
        let asked = || BLANKS.iter().filter(|b| asks_for(rotation, b.mark));
        // What names all of them is the same for each: once, or twenty thousand of them take the square of that.
        let expect = rotation.expect.as_deref().map(|text| {
            let rest = BLANKS.iter().filter(|b| text.contains(b.mark) && !asks_for(rotation, b.mark));
            rest.fold(text.to_owned(), |text, b| text.replace(b.mark, &listed(subjects, b)))
        });
        let mut own: Vec<Step> = Vec::new();
        let mut more = 0_usize;
        for subject in subjects.iter().filter(|s| asked().all(|b| (b.of)(s).is_some())) {
            let mut step = fill(rotation, *subject);
            step.expect = expect.as_deref().map(|text| words(text, subject));
            match own.contains(&step) {
                true => {}
                false if own.len() < SUBJECTS => own.push(step),
                false => more += 1,
            }
        }
        if own.is_empty() {
            own.push(fill(rotation, Public::default()));
        }
        steps.extend(own);
        if more > 0 {
            steps.push(Step::say(format!("the same for the {more} others")));
        }
    }
    steps
}

/// Whether a step is about one credential rather than the kind.
pub fn asks(rotation: &Rotation) -> bool {
    BLANKS.iter().any(|b| asks_for(rotation, b.mark))
}

fn asks_for(rotation: &Rotation, mark: &str) -> bool {
    rotation.what.contains(mark) || rotation.command.as_deref().is_some_and(|c| c.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotation(what: &str, command: &str) -> Rotation {
        serde_json::from_value(serde_json::json!({ "do": what, "command": command, "expect": "no {id}" })).unwrap()
    }

    fn command(step: &Step) -> Option<&str> {
        match &step.action {
            Action::Given(command) => Some(command),
            _ => None,
        }
    }

    const fn id(id: &str) -> Public<'_> {
        Public { id: Some(id), name: None }
    }

    #[test]
    fn what_was_found_stands_in_the_command_as_one_word() {
        let step = fill(
            &rotation("end {id} of {name}", "x --id {id} --of {name} 'a b'"),
            Public { id: Some("a b;$(c)"), name: Some("-rf") },
        );
        assert_eq!(command(&step), Some("x --id 'a b;$(c)' --of '-rf' 'a b'"));
        assert_eq!((step.what.as_str(), step.expect.as_deref()), ("end a b;$(c) of -rf", Some("no a b;$(c)")));
    }

    #[test]
    fn a_bracket_without_a_value_is_left_out() {
        let said = |what: &str, command: Option<&str>, subject: Public<'_>| {
            let steps = serde_json::json!({ "do": what, "command": command });
            fill(&serde_json::from_value(steps).unwrap(), subject).what
        };
        assert_eq!(
            said("rotate it at its forge ({id}), there", None, Public::default()),
            "rotate it at its forge, there"
        );
        assert_eq!(
            said("rotate it at its forge ({id})", None, id("git.example")),
            "rotate it at its forge (git.example)"
        );
        assert_eq!(said("end it ({id})", Some("x {id}"), Public::default()), "end it (ID)");
    }

    #[test]
    fn the_beginning_of_the_exposure_stands_in_the_command_or_is_explained() {
        let steps = [rotation("look", "x --start {since}; y --since {since_utc} | grep {id}"), rotation("see", "z")];
        let known = dated(&steps, Some("2026-03-24T10:52:00Z".parse().unwrap()));
        assert_eq!(
            known[0].command.as_deref(),
            Some("x --start 2026-03-24T10:52:00Z; y --since '2026-03-24 10:52:00 UTC' | grep {id}")
        );
        assert_eq!(known[0].what, "look");
        let unknown = dated(&steps, None);
        assert_eq!(unknown[0].command.as_deref(), Some("x --start START; y --since START | grep {id}"));
        assert_eq!(unknown[0].what, "look; START is the beginning of the exposure");
        assert_eq!(unknown[1], steps[1]);
    }

    #[test]
    fn what_would_leave_its_quotes_stands_in_no_command() {
        let quoted = rotation("look", "x --query 'key = {id}'");
        assert_eq!(command(&fill(&quoted, id("AKIA1"))), Some("x --query 'key = AKIA1'"));
        assert_eq!(command(&fill(&quoted, id("a'; rm -rf /; '"))), None);
        assert_eq!(command(&fill(&quoted, Public::default())), Some("x --query 'key = ID'"));
    }

    #[test]
    fn a_step_is_said_once_for_each_thing_that_it_asks_for() {
        let found: BTreeSet<Public<'_>> = [("k1", "dev"), ("k1", "prod"), ("k2", "dev")]
            .map(|(id, name)| Public { id: Some(id), name: Some(name) })
            .into();
        let lines = |command_text: &str| {
            let steps = fill_all(&[rotation("do it", command_text)], &found);
            steps.iter().filter_map(|s| command(s).map(str::to_owned)).collect::<Vec<_>>()
        };
        assert_eq!(lines("x {name}"), ["x dev", "x prod"]);
        let listed = fill_all(&[rotation("look", "x list")], &found);
        assert_eq!(listed.iter().map(|s| s.expect.as_deref()).collect::<Vec<_>>(), [Some("no k1, k2")]);
        assert_eq!(lines("x {id} {name}"), ["x k1 dev", "x k1 prod", "x k2 dev"]);
        assert_eq!(fill_all(&[rotation("do it", "x {id}")], &BTreeSet::new()).first().and_then(command), Some("x ID"));
        let many: Vec<String> = (0..23).map(|n| format!("{n:02}")).collect();
        let many: BTreeSet<Public<'_>> = many.iter().map(|n| id(n)).collect();
        let steps = fill_all(&[rotation("do it", "x {id}")], &many);
        assert_eq!((steps.len(), steps.last().map(|s| s.what.as_str())), (21, Some("the same for the 3 others")));
    }

    /// Every command of every kind, with names that a shell would act on: one line that `sh` takes, with each name as one word.
    #[test]
    fn no_name_is_more_than_a_word_in_any_command() {
        use crate::shell::syntax::parse;
        let catalog = crate::credential::Catalog::embedded().unwrap();
        let names = [
            "a b",
            "it's",
            "$(touch x)",
            "`touch x`",
            "-rf",
            "a\nb",
            "; touch x",
            "\"q\"",
            "back\\slash",
            "*",
            "~x",
            "#x",
            "{a,b}",
        ];
        let mut filled = 0;
        for rotation in catalog.kinds.iter().flat_map(|k| k.rotation.iter().chain(&k.audit)) {
            for name in names {
                let step = fill(rotation, Public { id: Some(name), name: Some(name) });
                let Some(text) = command(&step) else {
                    continue;
                };
                let started: Vec<String> = parse(text).unwrap().iter().map(|c| c.program().to_owned()).collect();
                let plain = fill(rotation, Public { id: Some("plain"), name: Some("plain") });
                let usual = parse(command(&plain).unwrap()).unwrap();
                let mut usual: Vec<String> = usual.iter().map(|c| c.program().to_owned()).collect();
                let printed = started.iter().filter(|p| *p == "printf").count();
                usual.extend(vec!["printf".to_owned(); printed - usual.iter().filter(|p| *p == "printf").count()]);
                let sorted = |mut all: Vec<String>| {
                    all.sort();
                    all
                };
                assert_eq!(sorted(started), sorted(usual), "{text}");
                assert!(!text.contains('\n') && !step.what.contains('\n'), "{text}");
                filled += usize::from(asks(rotation));
            }
        }
        assert!(filled > 500, "{filled}");
    }

    #[test]
    fn a_vendor_s_command_counts_as_unchecked_until_somebody_says_by_what() {
        let mut vendor = rotation("end it", "npm token revoke {id} && ls");
        assert!(fill(&vendor, id("a")).unchecked);
        vendor.checked = Some("npm 11".into());
        assert!(!fill(&vendor, id("a")).unchecked);
        assert!(!fill(&rotation("look", "ls -l {id} | grep x"), id("a")).unchecked);
    }
}
