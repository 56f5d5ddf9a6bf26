use super::*;
use crate::plan::{
    made::{at, id, plan, work},
    read::{csv, markdown},
};

fn md(text: &str) -> Sheet {
    let line = |l: &str| match l.split_once(' ') {
        Some((tick @ ("x" | "o"), label)) => {
            format!("- [{}] **{label}. do** `{}`", if tick == "x" { "x" } else { " " }, id(label))
        }
        _ => l.to_owned(),
    };
    let text: Vec<String> = text.split('\n').map(line).collect();
    markdown(&text.join("\n"), "p.md").unwrap()
}

/// "B2,revoked,Ann" under "id,state,owner".
fn table(head: &str, rows: &[&str]) -> Sheet {
    let row = |r: &&str| r.split_once(',').map_or_else(String::new, |(label, rest)| format!("{},{rest}\n", id(label)));
    csv(&format!("{head}\n{}", rows.iter().map(row).collect::<String>()), "p.csv").unwrap()
}

fn changes(taken: &Taken) -> Vec<String> {
    taken.changes().into_iter().skip(1).map(|l| l.trim().to_owned()).collect()
}

fn with(works: Vec<Work>) -> Report {
    Report { work: works, ..plan() }
}

#[test]
fn only_what_differs_says_anything() {
    let mut plan = with(vec![Work { owner: "Ann".into(), note: "a | b".into(), ..work("A3", State::Closed) }]);
    let before = plan.clone();
    let same = [md("x A3\no A4"), table("id,state,owner,note", &["A3,closed,Ann,a | b", "B2,open,,"])];
    let taken = put(&mut plan, &same).unwrap();
    assert_eq!(
        (plan.clone(), taken.changes().as_slice()),
        (before, &["taken over: 0 items changed state".to_owned()][..])
    );
    // A file that was left as it is does not speak against one that was worked.
    let both = [md("x A2\nx A3"), table("id,state,owner,note", &["A2,open,,", "A3,closed,Cleo,a | b"])];
    let taken = put(&mut plan, &both).unwrap();
    assert_eq!(changes(&taken), ["A2 open -> closed (p.md:1)", "A3 owner (p.csv:3)"]);
    let owner = |id: &str| plan.work.iter().find(|w| w.item == id).unwrap().owner.clone();
    assert_eq!((plan.work.len(), owner(&id("A3")).as_str()), (2, "Cleo"));
}

#[test]
fn columns_that_a_file_lacks_keep_what_is_known() {
    let mut plan = with(vec![Work { note: "x".into(), ..work("B2", State::Closed) }]);
    put(&mut plan, &[table("id,state,owner", &["B2,closed,Ann"])]).unwrap();
    assert_eq!(plan.work, [Work { note: "x".into(), owner: "Ann".into(), ..work("B2", State::Closed) }]);
    let taken = put(&mut plan, &[table("id,state,note,owner", &["B2,,,Ann"])]).unwrap();
    assert_eq!(taken.left(), ["left aside: 1 line", "  p.csv:2: an empty state says nothing: B2 stays closed"]);
    assert_eq!(plan.work[0].note, "");
}

#[test]
fn unticking_opens_what_only_a_tick_closed() {
    let mut plan = with(vec![work("A3", State::Closed), work("A2", State::Closed)]);
    let taken = put(&mut plan, &[md("o A3\nx A2")]).unwrap();
    assert_eq!(changes(&taken), ["A3 closed -> open (p.md:1)"]);
    assert_eq!(plan.work, [work("A2", State::Closed)]);
    let record =
        |label: &str, cells: &str| format!("| id | state | note |\n|---|---|---|\n| {} | {cells} |", id(label));
    for (state, cells) in [(State::Closed, "closed |"), (State::AcceptedRisk, "accepted_risk | the owner says so")] {
        let mut plan = with(vec![work("B2", state)]);
        let before = plan.clone();
        let faults = put(&mut plan, &[md(&format!("o B2\n\n{}", record("B2", cells)))]).unwrap_err();
        assert!(
            faults.len() == 1
                && faults[0].starts_with(&format!(
                    "p.md, line 1: B2 is ticked no more, and its record (p.md, line 5) says {}",
                    state.as_str()
                )),
            "{faults:?}"
        );
        assert_eq!(plan, before);
        // With the record it may.
        let taken = put(&mut plan, &[md(&format!("o B2\n\n{}", record("B2", "begun |")))]).unwrap();
        assert!(changes(&taken)[0].starts_with(&format!("B2 {} -> begun", state.as_str())), "{taken:?}");
    }
}

#[test]
fn a_box_and_its_record_go_together() {
    let record = |cells: &str| format!("\n\n| id | state | owner |\n|---|---|---|\n| {} | {cells} |", id("A3"));
    for (first, text, want) in [
        (State::Open, format!("x A3{}", record("open | Ann")), Some(State::Closed)),
        (State::Begun, format!("x A3{}", record("begun | ")), Some(State::Closed)),
        (State::Open, format!("x A3{}", record("not_applicable | ")), Some(State::NotApplicable)),
        (State::Open, format!("o A3{}", record("closed | ")), Some(State::Closed)),
        (State::Closed, format!("x A3{}", record("begun | ")), Some(State::Begun)),
        (State::Closed, format!("o A3{}", record("begun | ")), Some(State::Begun)),
        (State::Open, format!("x A3{}", record("begun | ")), None),
    ] {
        let mut plan = with(vec![work("A3", first)]);
        let state = put(&mut plan, &[md(&text)]).map(|_| crate::plan::state(&plan, &plan.checklist[2]));
        assert_eq!(state.clone().ok(), want, "{text}");
        if let Err(faults) = state {
            assert_eq!(faults, ["p.md, line 5: A3 is begun here, and ticked in p.md, line 1: which one holds?"]);
        }
    }
}

#[test]
fn files_that_disagree_are_refused_with_both_lines() {
    let mut plan = with(Vec::new());
    let before = plan.clone();
    let faults = put(&mut plan, &[md("x A3"), table("id,state,owner", &["A3,begun,Ann"])]).unwrap_err();
    assert_eq!(faults, ["p.csv, line 2: A3 is begun here, and ticked in p.md, line 1: which one holds?"]);
    let other = csv(&format!("id,state,owner,revoked\n{},revoked,Cleo,2026-03-27\n", id("B2")), "q.csv").unwrap();
    let faults = put(&mut plan, &[table("id,state,owner,revoked", &["B2,revoked,Ann,2026-03-26"]), other]).unwrap_err();
    assert_eq!(
        faults,
        [
            "q.csv, line 2: owner of B2 is `Cleo` here, and `Ann` in p.csv, line 2: which one holds?",
            "q.csv, line 2: revoked of B2 is 2026-03-27T00:00:00Z here, and 2026-03-26T00:00:00Z in p.csv, line 2: which one holds?"
        ]
    );
    assert_eq!(plan, before);
    assert_eq!(
        put(&mut plan, &[csv("id,state\ns-ffffffff,closed\n", "p.csv").unwrap()]).unwrap_err(),
        ["p.csv, line 2: no item of the plan has this id: s-ffffffff"]
    );
}

#[test]
fn boxes_of_steps_are_kept() {
    let text = "o A2\n  - [x] first, one\n  - [ ] look\n  - [x] look\n  - [x] careful: no\n  - [x] my own";
    let mut plan = with(Vec::new());
    let taken = put(&mut plan, &[md(text)]).unwrap();
    let done = |plan: &Report| plan.checklist[1].steps.iter().map(|s| s.done).collect::<Vec<_>>();
    assert_eq!((taken.steps, taken.steps_changed, done(&plan)), ((5, 4), 2, vec![true, false, true, false]));
    assert_eq!(
        taken.left(),
        [
            "left aside: 2 lines",
            "  p.md:5: no step of A2 reads like this: its tick is for the reader only",
            "  p.md:6: no step of A2 reads like this: its tick is for the reader only"
        ]
    );
    assert!(plan.work.is_empty(), "a step is not its item");
    // Unticked, with the signs of another editor, and one of its words changed.
    let taken = put(&mut plan, &[md("o A2\n    * [ ] first,  one\n    * [x] look again\n    * [x] look")]).unwrap();
    assert_eq!((taken.steps_changed, done(&plan)), (2, vec![false, true, true, false]));
    assert!(taken.left().is_empty(), "{taken:?}");
    let taken = put(&mut plan, &[md("o A2\n  - [x] first, one\n  - [x] look\n  - [x] look")]).unwrap();
    assert_eq!(taken.ignored, ["p.md:2: all steps of A2 are ticked, and A2 itself is not: it stays open"]);
    // With the box of the item nothing is left to say.
    let taken = put(&mut plan, &[md("x A2\n  - [x] first, one\n  - [ ] look\n  - [x] look")]).unwrap();
    assert_eq!((taken.ignored.len(), crate::plan::state(&plan, &plan.checklist[1])), (0, State::Closed));
}

#[test]
fn ticks_of_the_first_page_are_said_unless_it_is_done() {
    let page = "```text\nDONE   [x] D1 Examine again   [ ] D2 A second\n       [X] C is read\n```\n";
    let mut plan = with(Vec::new());
    let taken = put(&mut plan, &[md(page)]).unwrap();
    assert_eq!(taken.ignored.len(), 2, "{taken:?}");
    assert!(taken.ignored[0].starts_with("p.md:2: a tick on the first page"), "{taken:?}");
    let mut plan = with(["C1", "C2", "D1"].map(|l| work(l, State::Closed)).to_vec());
    assert_eq!(put(&mut plan, &[md(page)]).unwrap().ignored, Vec::<String>::new());
    // The same update ticks the item too.
    let mut plan = with(["C1", "C2"].map(|l| work(l, State::Closed)).to_vec());
    assert_eq!(put(&mut plan, &[md(&format!("{page}x D1"))]).unwrap().ignored, Vec::<String>::new());
}

#[test]
fn times_are_compared_as_they_are_written() {
    let exact = Work { revoked: Some(at("2026-03-26T09:00:00.25Z")), ..work("B2", State::Revoked) };
    let mut plan = with(vec![exact.clone()]);
    put(&mut plan, &[table("id,state,revoked", &["B2,revoked,2026-03-26T09:00:00Z"])]).unwrap();
    assert_eq!(plan.work, [exact]);
}

type Reader = fn(&str, &str) -> Result<Sheet, Vec<String>>;

/// Whatever a person writes comes back as it was: a file that nobody changed changes nothing.
#[test]
fn what_is_written_is_read_as_it_was() {
    use crate::report::{Document, Format, Style};
    let texts = [
        "Ann | Bob",
        "`x`",
        "``",
        "\\",
        "\\\\|",
        "<!-- -->",
        "&#58; &#46; &nbsp;",
        "@all",
        "see http://x.example and www.y.example",
        "- x",
        "=1+1",
        "'=1+1",
        "'",
        "\"",
        "a\nb",
        "a\r\nb\n",
        "\u{202e}x\u{200b}",
        " lead and trail ",
        "*b* _i_ ~s~",
        "[x]",
        "|",
        "<br>",
        "a  b",
        "\u{a0}",
        "sep=;",
        "a;b,c\td",
        "s-0123abcd",
        "#",
        "...",
        "Jörg 文",
        "{x} $y !z",
        "closed",
    ];
    for text in texts {
        let written = Work { owner: text.to_owned(), note: text.to_owned(), ..work("A3", State::Closed) };
        let mut plan = with(vec![written.clone(), Work { note: "risk".into(), ..work("B2", State::AcceptedRisk) }]);
        plan.checklist[1].steps[0].done = true;
        let readers: [(&str, Reader); 2] = [("markdown", markdown), ("csv", csv)];
        for (name, read) in readers {
            let mut out = Vec::new();
            let format = Format::named(name).unwrap();
            format.render(Document::Checklist, &plan, &mut out, Style::default()).unwrap();
            let sheet = read(&String::from_utf8(out).unwrap(), "p").unwrap();
            assert!(!sheet.said.is_empty());
            let before = plan.clone();
            let taken = put(&mut plan, &[sheet]).unwrap();
            assert_eq!((taken.changes.as_slice(), taken.steps_changed), (&[][..], 0), "{name}: {text:?}");
            assert_eq!((plan.clone(), taken.ignored.len()), (before, 0), "{name}: {text:?}");
            // Put on a plan that knows nothing, it says the same in both.
            let mut fresh = with(Vec::new());
            let mut out = Vec::new();
            format.render(Document::Checklist, &plan, &mut out, Style::default()).unwrap();
            put(&mut fresh, &[read(&String::from_utf8(out).unwrap(), "p").unwrap()]).unwrap();
            let value = Field::Owner.of(fresh.work.iter().find(|w| w.item == id("A3")).unwrap());
            assert!(value.is_as_written(&Value::Text(text.to_owned())), "{name}: {text:?} {value:?}");
        }
    }
}
