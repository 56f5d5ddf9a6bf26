use super::*;

fn programs(text: &str) -> Vec<String> {
    parse(text).unwrap().iter().map(|c| c.program().to_owned()).collect()
}

#[test]
fn what_sh_takes_is_taken() {
    for (text, want) in [
        ("", vec![]),
        ("ls -l /tmp", vec!["ls"]),
        ("a | b && c || d; e & f", vec!["a", "b", "c", "d", "e", "f"]),
        ("for r in $(a b); do c \"$r\" || d; done", vec!["a", "c", "d"]),
        ("a | while IFS= read -r c; do b \"$c\" </dev/null; done", vec!["a", "read", "b"]),
        ("(umask 077 && a >out) && b <out", vec!["umask", "a", "b"]),
        ("if a; then b; elif c; then d; else e; fi", vec!["a", "b", "c", "d", "e"]),
        ("if [ -f \"${X:-$(pwd)}\" ]; then {\na; }; fi", vec!["pwd", "[", "a"]),
        ("case $x in a|b) c;; *) d ;; esac", vec!["c", "d"]),
        ("keep() ( n=$1; shift )", vec!["", "shift"]),
        ("sudo -n /usr/bin/env A=1 kill 1", vec!["kill"]),
        ("a 'it'\\''s' \"$(printf %b '\\047')\"", vec!["printf", "a"]),
        ("! a 2>&1 >/dev/null # ; (", vec!["a"]),
        ("a {} {b}", vec!["a"]),
        ("echo $((1 + 2)) $", vec!["echo"]),
    ] {
        assert_eq!(programs(text), want, "{text}");
    }
}

#[test]
fn what_sh_refuses_is_refused() {
    for (text, want) in [
        ("echo 'a", Fault::Quote),
        ("echo \"a", Fault::Quote),
        ("echo `a`", Fault::Quote),
        ("echo $(a", Fault::Bracket),
        ("echo ${a", Fault::Bracket),
        ("(a; b", Fault::Bracket),
        ("a | | b", Fault::Unexpected),
        ("a ;; b", Fault::Unexpected),
        ("; a", Fault::Unexpected),
        ("a )", Fault::Unexpected),
        ("fi", Fault::Unexpected),
        ("a <ID>", Fault::Unexpected),
        ("a <<EOF", Fault::Unexpected),
        ("if a; then fi", Fault::Unexpected),
        ("()", Fault::Unexpected),
        ("if a; then b", Fault::Unfinished),
        ("for a in b; c; done", Fault::Unfinished),
        ("while a; do b", Fault::Unfinished),
        ("case a in b) c", Fault::Unfinished),
    ] {
        assert_eq!(parse(text), Err(want), "{text}");
    }
    assert_eq!(parse(&"$(".repeat(100)), Err(Fault::Deep));
    assert_eq!(parse(&"(".repeat(100_000)), Err(Fault::Deep));
    assert_eq!(parse(&"\"".repeat(100_001)), Err(Fault::Quote));
}

/// As `dash -n`, `bash -n` and BusyBox answer.
#[test]
fn the_same_as_shells_say() {
    for text in [
        "a && b",
        "{ a; }",
        "(a)",
        "a; b;",
        "if a; then b; fi",
        "for i in a b; do c; done",
        "for i; do c; done",
        "while a; do b; done >x",
        "case a in esac",
        "case a in b) ;; esac",
        "a \"b'c\"",
        "a ${b:-\"c\"}",
        "a >b <c",
        "a 2>&1",
        "f() { a; }",
        "! a",
        "a \\",
        "a $(b | c)",
        "a=1 b",
        "a=$(b)",
        "until a; do b; done",
        "a & b",
        "a } b",
        "a in b",
    ] {
        assert!(parse(text).is_ok(), "{text}");
    }
    for text in
        ["a &&", "a | b |", "{ a }", "(a", "a;;", "if a then b; fi", "a 'b", "a >", "a $(b", "a & & b", "do a", "done"]
    {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn where_output_goes_and_what_is_cut_is_known() {
    let commands = parse("a 2>x | b >y; c >/dev/null; d $X \"$Y\" 'z$'").unwrap();
    let of = |n: usize| (commands[n].to_file, commands[n].to_pipe);
    assert_eq!([of(0), of(1), of(2)], [(false, true), (true, false), (false, false)]);
    let splits: Vec<_> = commands[3].arguments().iter().map(|w| (w.splits, w.expands)).collect();
    assert_eq!(splits, [(true, true), (false, true), (false, false)]);
}

#[test]
fn a_mark_in_quotes_is_known() {
    for text in
        ["a {id} 'b'", "a 'x' {id} \"y\"", "a \"$(b {id})\"", "a \\' {id}", "for x in 'a'; do b {id}; done", "a"]
    {
        assert!(is_bare(text, "{id}"), "{text}");
    }
    for text in ["a '{id}'", "a \"{id}\"", "a \"$(b '{id}')\"", "a {id} '{id}'", "a \"'{id}'\""] {
        assert!(!is_bare(text, "{id}"), "{text}");
    }
}
