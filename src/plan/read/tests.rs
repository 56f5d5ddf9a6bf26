use super::*;

const HEAD: &str =
    "| item | id | state | owner | done by | checked by | revoked | issued | checked | note |\n| --- |\n";
const ID: &str = "s-0123abcd";
const OTHER: &str = "s-00000001";

/// "id field value" of each, by the row's line.
fn rows(sheet: &Sheet) -> Vec<String> {
    let said = sheet.said.iter().filter(|s| !s.by_box && s.value != Value::Text(String::new()));
    let said = said.filter(|s| s.value != Value::Time(None));
    said.map(|s| format!("{} {} {} {}", s.line.number, s.item, s.field.as_str(), s.value.words())).collect()
}

fn boxes(sheet: &Sheet) -> Vec<String> {
    let said = sheet.said.iter().filter(|s| s.by_box);
    said.map(|s| format!("{} {} {}", s.line.number, s.item, s.value.words())).collect()
}

fn steps(sheet: &Sheet) -> Vec<String> {
    sheet.steps.iter().map(|s| format!("{} {} {} {}", s.line.number, s.item, s.ticked, s.words)).collect()
}

fn ignored(sheet: &Sheet) -> Vec<String> {
    sheet.ignored.iter().map(|(line, why)| format!("{}: {why}", line.short())).collect()
}

#[test]
fn a_record_is_read_from_markdown() {
    let text = format!(
        "{HEAD}| B1 | `{ID}` | revoked | Ann \\| Bob |  |  | 2026-03-24 11:05 |  |  | see \\`x\\` &#58;//y <!-- -->z |\n"
    );
    let read = markdown(&text, "p").unwrap();
    assert_eq!(
        rows(&read),
        [
            "3 s-0123abcd state revoked",
            "3 s-0123abcd owner `Ann | Bob`",
            "3 s-0123abcd revoked 2026-03-24T11:05:00Z",
            "3 s-0123abcd note `see `x` ://y z`"
        ]
    );
    assert_eq!(read.said[0].line.to_string(), "p, line 3");
}

#[test]
fn boxes_are_read_however_an_editor_writes_them() {
    for line in [
        "- [x] **A1. Cut** `s-0123abcd`",
        "- [X] **A1. Cut** `s-0123abcd`   ",
        "* [x] A1. Cut `s-0123abcd`",
        "+ [x] __A1. Cut__ `s-0123abcd`",
        "-   [x]   **A1. Cut** `s-0123abcd`",
        "-\t[x] **A1. Cut** `s-0123abcd`",
        "- [ x ] **A1. Cut** `s-0123abcd`",
        "-\u{a0}[x]\u{a0}**A1. Cut**\u{a0}`s-0123abcd`",
        "- \\[x\\] A1. Cut `s-0123abcd`",
        "1. [x] A1. Cut `s-0123abcd`",
        "- [x] A1. Cut s-0123abcd",
        "- [x] A1. Cut `S-0123ABCD`",
        "   - [x] see s-00000001, A1. Cut `s-0123abcd`",
    ] {
        assert_eq!(boxes(&markdown(line, "p").unwrap()), ["1 s-0123abcd closed"], "{line}");
        let open = line.replace("[x]", "[ ]").replace("[X]", "[ ]").replace("[ x ]", "[]").replace("x\\]", " \\]");
        assert_eq!(boxes(&markdown(&open, "p").unwrap()), ["1 s-0123abcd open"], "{open}");
    }
    for line in
        ["- [x](https://a.example) `s-0123abcd`", "A1 [x] `s-0123abcd`", "- x `s-0123abcd`", "# [x] `s-0123abcd`"]
    {
        let read = markdown(line, "p").unwrap();
        assert!(read.said.is_empty() && read.ignored.is_empty(), "{line}");
    }
}

#[test]
fn boxes_of_steps_belong_to_the_item_above() {
    let text = "- [ ] **A2. x** `s-00000001`\n  - why: y\n  - [x] go to \\`s-0123abcd\\`\n  - [ ] two\n\n    ```sh\n    - [x] no\n    ```\n\n    \
                - [x] three s-0123abcd\n- [x] call the boss\n  - [x] again\n";
    let read = markdown(text, "p").unwrap();
    assert_eq!(
        steps(&read),
        ["3 s-00000001 true go to `s-0123abcd`", "4 s-00000001 false two", "10 s-00000001 true three s-0123abcd",]
    );
    assert_eq!(boxes(&read), ["1 s-00000001 open"]);
    let left = ignored(&read);
    assert_eq!(left, ["p:11: a box without an item's id", "p:12: a box without an item's id"]);
    assert_eq!(read.pictures.iter().map(|(line, of)| format!("{} {of}", line.short())).collect::<Vec<_>>(), ["p:7 no"]);
}

/// Where an editor wraps lines, the id of an item may stand in the next one.
#[test]
fn wrapped_lines_are_one() {
    let text = "- [x] **A1. Keep the\n  evidence**\n  `s-0123abcd`\n  - why: it is\n    needed s-00000009\n  - [x] take an image of the disk, or a\n    snapshot\n\n    ```sh\n    ls\n    ```\n\n\
                - [ ] **A2. Cut**\n  `s-00000001`\n  - [x] deny\n# Own\n- [ ] call\n  s-00000002?\n";
    let read = markdown(text, "p").unwrap();
    assert_eq!(boxes(&read), ["1 s-0123abcd closed", "13 s-00000001 open", "17 s-00000002 open"]);
    assert_eq!(steps(&read), ["6 s-0123abcd true take an image of the disk, or a snapshot", "15 s-00000001 true deny"]);
    assert!(
        goes_on_alone("**bold** and on") && !goes_on_alone("- [ ] x") && !goes_on_alone("1. x") && !goes_on_alone("")
    );
}

/// Whether a line below a box is taken for the rest of its text.
fn goes_on_alone(line: &str) -> bool {
    let text = format!("- [ ] A `s-0123abcd`\n  - [x] one\n    {line}\n");
    markdown(&text, "p").unwrap().steps[0].words == format!("one {line}")
}

#[test]
fn what_cannot_be_a_tick_is_said() {
    let read = markdown("- [-] A1 `s-0123abcd`\n- [?] A2 `s-00000001`\n", "p").unwrap();
    assert_eq!(
        ignored(&read),
        [
            "p:1: a box with `-` in it: it may hold `x` or a blank",
            "p:2: a box with `?` in it: it may hold `x` or a blank"
        ]
    );
    let open = markdown("- [x] A1 `s-0123abcd`\n```\n- [x] A2 `s-00000001`\n", "p").unwrap_err();
    assert_eq!(open, ["p, line 2: the code block that begins here does not end"]);
    let table = "| a | b |\n|---|---|\n| s-0123abcd | closed |\n";
    assert!(ignored(&markdown(table, "p").unwrap())[0].starts_with("p:3: a row with an item's id in a table without"));
}

#[test]
fn tables_are_read_however_an_editor_lays_them_out() {
    for table in [
        "| item | id | state | owner |\r\n| --- | --- | --- | --- |\r\n| A1 | `s-0123abcd` | closed | Ann |\r\n",
        "|  item  |      id      |  state   | owner |   \n| :----: | :----------: | -------: | ----- |   \n|   A1   | `s-0123abcd` | Closed   | Ann   |   \n",
        "item | id | state | owner\n---|---|---|---\nA1 | s-0123abcd | closed | Ann\n",
        "| State | Item | ID | Ticket | Owner |\n|-|-|-|-|-|\n| closed | A1 | `s-0123abcd` | 7 | Ann |\n",
        "| item | id | state | owner |\n| --- |\n| A1 |\u{a0}`s-0123abcd`\u{a0}| **closed** |\u{a0}Ann\u{a0}|",
        "| item | id | state | owner |\n| --- |\n\n| A1 | `s-0123abcd` | closed | Ann |\n",
    ] {
        let found: Vec<String> =
            rows(&markdown(table, "p").unwrap()).iter().map(|r| r.split_once(' ').unwrap().1.to_owned()).collect();
        assert_eq!(found, ["s-0123abcd state closed", "s-0123abcd owner `Ann`"], "{table}");
    }
    // Another table below it, and rows of one's own.
    let more = format!(
        "{HEAD}| A1 | {ID} | closed | Ann |\n|  |  |  |  |\n| x |  | closed | Ann |\n\n| who | phone | state |\n|---|---|---|\n| Ann | 5 | here |\n"
    );
    let read = markdown(&more, "p").unwrap();
    assert_eq!((rows(&read).len(), ignored(&read)), (2, vec!["p:5: a row without an item's id".to_owned()]));
    let broken = format!("{HEAD}| A1 | s-0123ab | closed | Ann |\n");
    assert_eq!(markdown(&broken, "p").unwrap_err(), ["p, line 3: `s-0123ab` is no item's id"]);
    assert!(markdown("| id | state | state |\n", "p").unwrap_err()[0].contains("two columns are called `state`"));
}

#[test]
fn what_cannot_be_read_is_refused_with_its_line() {
    let row = |cells: &str| format!("{HEAD}| B1 | {ID} | {cells} |\n");
    let fault = |cells: &str| markdown(&row(cells), "p").unwrap_err().join("\n");
    assert!(fault("done").starts_with("p, line 3: `done` is no state; they are open, begun"), "{}", fault("done"));
    assert!(fault("open | | | | yesterday").contains("`yesterday` under `revoked` is no time; write 2026-03-24 11:05"));
    assert!(fault("open | | | | 3/4/2026").contains(
        "`3/4/2026` under `revoked` may be 2026-04-03 or 2026-03-04; write the one that is meant, as 2026-03-24"
    ));
    let twice = format!("{}| B1 | {ID} | closed |\n", row("open"));
    assert_eq!(
        markdown(&twice, "p").unwrap_err(),
        [
            "p, line 4: s-0123abcd stands there again, and p, line 3 says otherwise: state is open there, and closed here"
        ]
    );
    assert!(markdown(&format!("{}| B1 | {ID} | open |\n", row("open")), "p").is_ok(), "the same twice");
    let boxes = format!("- [x] A `{ID}`\n- [ ] A `{ID}`\n");
    assert!(
        markdown(&boxes, "p").unwrap_err()[0].starts_with("p, line 2: s-0123abcd stands there again, and p, line 1")
    );
    assert!(csv("a,b\n1,2\n", "p.csv").is_err());
    assert!(csv("id,state\nx,open\n", "p.csv").unwrap_err()[0].contains("line 2: `x` is no item's id"));
}

#[test]
fn tables_of_spreadsheets_say_the_same() {
    let want = [
        "s-0123abcd state accepted_risk",
        "s-0123abcd note `=1+1, \"so\"`",
        "s-00000001 state closed",
        "s-00000001 checked 2026-03-25T00:00:00Z",
        "s-00000001 note `one / two`",
    ];
    for (text, lines) in [
        (
            "item,id,state,checked,note\nB1,s-0123abcd,accepted risk,,\"'=1+1, \"\"so\"\"\"\nB2,s-00000001,closed,2026-03-25,\"one\ntwo\"\n",
            [2, 3],
        ),
        (
            "\"item\";\"id\";\"state\";\"checked\";\"note\"\n\"B1\";\"s-0123abcd\";\"Accepted Risk\";\"\";\"'=1+1, \"\"so\"\"\"\n\n;;;;\n\"B2\";\"s-00000001\";\"closed\";\"25.03.2026\";\"one\n\n two\"\n",
            [2, 5],
        ),
        (
            "note\titem\tticket\tChecked (UTC)\tstate\tID\n\"=1+1, \"\"so\"\"\"\tB1\t\t\taccepted_risk\ts-0123abcd\n\t\t\t\t\t\n\"one\ntwo\"\tB2\t7\t3/25/2026\tclosed\tS-00000001\t\t\n",
            [2, 4],
        ),
        (
            "sep=;\nPlan of today;;;;\nitem;id;state;checked;note\nB1;=\"s-0123abcd\";accepted-risk;;\"'=1+1, \"\"so\"\"\"\nB2;s-00000001;closed;2026-03-25;\"one\ntwo\"\n",
            [4, 5],
        ),
    ] {
        let read = csv(text, "p.csv").unwrap();
        let found = rows(&read);
        let plain: Vec<&str> = found.iter().map(|r| r.split_once(' ').unwrap().1).collect();
        let at: Vec<&str> = found.iter().map(|r| r.split_once(' ').unwrap().0).collect();
        let mut plain_sorted = plain.clone();
        plain_sorted.sort_unstable();
        let mut wanted = want;
        wanted.sort_unstable();
        assert_eq!(plain_sorted, wanted, "{text}");
        assert_eq!((at[0], at[4]), (lines[0].to_string().as_str(), lines[1].to_string().as_str()), "{text}");
    }
}

#[test]
fn columns_that_are_missing_say_nothing() {
    let read = csv("id,state\ns-0123abcd,closed\ns-00000001,\n", "p.csv").unwrap();
    assert_eq!(read.said.len(), 1);
    assert_eq!(read.without_state[0].0, OTHER);
    let short = csv("id,state,note,owner\ns-0123abcd,closed\n", "p.csv").unwrap();
    assert_eq!(rows(&short), ["2 s-0123abcd state closed"]);
    assert_eq!(rows(&csv("id,state\ns-0123abcd,blocked: disarm\n", "p.csv").unwrap()), ["2 s-0123abcd state open"]);
}

#[test]
fn odd_tables_are_refused_and_harm_nothing() {
    let open = "id,state,note\ns-0123abcd,closed,\"urgent\ns-00000001,closed,x\n";
    assert_eq!(csv(open, "p.csv").unwrap_err(), ["p.csv, line 2: a quote that begins here is not closed"]);
    assert!(csv("id,state,State\n", "p.csv").unwrap_err()[0].contains("line 1: two columns are called `state`"));
    assert_eq!(ignored(&csv("id,state\n,closed\n", "p.csv").unwrap()), ["p.csv:2: a row without an item's id"]);
    for text in ["", "\n\n", "sep=", "sep=;", "\"", "id", "state;x\n", "\u{feff}"] {
        assert!(csv(text, "p.csv").is_err(), "{text:?}");
        assert!(markdown(text, "p.md").is_ok(), "{text:?}");
    }
    for text in ["|", "||", "- [", "- []", "- [x", "- [x]", "[x]", "|\\", "\\|\\", "`", "1", "1.", "-", "- [\u{301}]"] {
        assert!(markdown(text, "p.md").is_ok(), "{text:?}");
    }
    let long = format!("id,state\n{}", "s-0123abcd,open\n".repeat(20_000));
    assert_eq!(csv(&long, "p.csv").unwrap().said.len(), 20_000);
}

#[test]
fn texts_are_cleaned() {
    assert_eq!(clean(" a\u{a0} b\u{200b}\t c \n\n d "), "a b c / d");
    assert_eq!(clean("\u{feff}"), "");
}
