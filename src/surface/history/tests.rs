use std::sync::Arc;

use super::*;
use crate::{
    coverage::Gap,
    fact::{Origin, Seen, TreePath},
    interest::Interest,
    surface::{Opened, Surface, history::bash::Bash, history::fish::Fish, history::zsh::Zsh},
    tree::{Body, Entry as File},
};

/// A file read by a surface: `line time tool name@version` for each fact, kinds of gaps.
fn read(surface: &dyn Surface, mut bytes: impl Read) -> (Vec<String>, Vec<Gap>) {
    let path = TreePath::new(b"home/al/history").unwrap();
    let entry = File { path: path.clone(), len: 0, mtime: None, btime: None, uid: None, gid: None, mode: None };
    let (mut seen, mut gaps) = (Vec::new(), Vec::new());
    let (mut keep, mut gap) = (|s: Seen| seen.push(show(&s)), |g: Gap| gaps.push(g));
    let mut sink = Sink::new(surface.meta().id, Origin::file(&Arc::from("t"), path), &entry, &mut keep, &mut gap);
    let interest = Interest::default();
    let mut body = Body::stream(&mut bytes, 0);
    surface.inspect(&mut Opened::new(&entry, &interest, &mut body), &mut sink).unwrap();
    (seen, gaps)
}

fn show(seen: &Seen) -> String {
    let Fact::Command(command) = &seen.fact else { panic!("not a command") };
    let at = seen.at.as_ref().map_or("-".to_owned(), |at| at.time.as_second().to_string());
    let specs = command.wanted.iter().map(|w| format!("{}@{}", w.name, w.pinned.as_deref().unwrap_or(&w.specifier)));
    format!("{} {at} {} {}", seen.origin.line.unwrap(), command.tool, specs.collect::<Vec<_>>().join(" "))
}

fn facts(surface: &dyn Surface, text: &[u8]) -> Vec<String> {
    let (seen, gaps) = read(surface, text);
    assert!(gaps.is_empty(), "{gaps:?}");
    seen
}

#[test]
fn real_bash_histories() {
    let dated = include_bytes!("../../../tests/fixtures/history/bash_dated");
    assert_eq!(facts(&Bash, dated), ["6 1795308182 pip litellm@1.82.8", "20 1795308182 pip litellm@1.82.8"],);
    let plain = include_bytes!("../../../tests/fixtures/history/bash_plain");
    assert_eq!(facts(&Bash, plain), ["2 - pip litellm@1.82.8", "6 - pip litellm@1.82.8"]);
}

#[test]
fn real_zsh_histories() {
    let extended = include_bytes!("../../../tests/fixtures/history/zsh_extended");
    assert_eq!(facts(&Zsh, extended), ["1 1795308182 pip litellm@1.82.8"]);
    let plain = include_bytes!("../../../tests/fixtures/history/zsh_plain");
    assert_eq!(facts(&Zsh, plain), ["1 - pip litellm@1.82.8"]);
}

#[test]
fn a_real_fish_history_only_echoes() {
    let fish = include_bytes!("../../../tests/fixtures/history/fish");
    assert!(facts(&Fish, fish).is_empty());
    let typed = String::from_utf8_lossy(fish).replace("cmd: echo pip", "cmd: sudo pip");
    assert_eq!(facts(&Fish, typed.as_bytes()), ["1 1795308256 pip litellm@1.82.8"]);
}

#[test]
fn a_dated_here_document_stays_together() {
    let text = b"#1795308182\ncat <<E >x\npip install a\nE\npip install b\n#1795308183\npip install c\n#1795308184\n";
    assert_eq!(facts(&Bash, text), ["2 1795308182 pip b@", "7 1795308183 pip c@"]);
}

#[test]
fn a_plain_here_document_is_put_together_where_it_ends() {
    let text = b"cat <<E\npip install a\nE\npip install b\n";
    assert_eq!(facts(&Bash, text), ["4 - pip b@"]);
    let open = b"cat <<E\npip install a\n";
    assert_eq!(facts(&Bash, open), ["2 - pip a@"]);
    let stamped = b"cat <<E\npip install a\n#1795308182\npip install b\nE\n";
    assert_eq!(facts(&Bash, stamped), ["2 - pip a@", "4 1795308182 pip b@"]);
    let far = format!("cat <<E\n{}pip install a\nE\n", "x\n".repeat(2000));
    assert_eq!(facts(&Bash, far.as_bytes()), ["2002 - pip a@"]);
}

#[test]
fn a_plain_line_goes_on_behind_a_backslash() {
    assert_eq!(facts(&Bash, b"ls\npip install \\\n  a\nuv add b"), ["2 - pip a@", "4 - uv b@"]);
    assert_eq!(facts(&Bash, b"echo \\\\\npip install a\\"), ["2 - pip a@"]);
}

#[test]
fn only_plausible_times_are_stamps() {
    let text = b"#123\npip install a\n#999999999999\n#1795308182x\n#99999999999999999999999\npip install b\n#\n";
    assert_eq!(facts(&Bash, text), ["2 - pip a@", "6 - pip b@"]);
}

#[test]
fn dos_lines_nul_bytes_and_broken_text() {
    assert_eq!(facts(&Bash, b"#1795308182\r\npip install a\r\n"), ["2 1795308182 pip a@"]);
    assert_eq!(facts(&Bash, b"\0\0\0pip install a\nls \xff\xfe; pip install b\n"), ["1 - pip a@", "2 - pip b@"]);
    assert_eq!(facts(&Bash, b"\x81\x01pip install a\n\0pip install b\n\0"), ["1 - pip a@", "2 - pip b@"]);
    assert_eq!(facts(&Zsh, b": 1795308182:0;pip install a\r\n"), ["1 1795308182 pip a@"]);
    assert_eq!(facts(&Fish, b"- cmd: pip install a\r\n  when: 1795308182\r\n"), ["1 1795308182 pip a@"]);
    let surfaces: [&dyn Surface; 3] = [&Bash, &Zsh, &Fish];
    for surface in surfaces {
        assert!(facts(surface, b"").is_empty() && facts(surface, b"\n\n\0").is_empty());
    }
}

#[test]
fn zsh_forms_may_be_mixed() {
    let text = b"pip install a\n: 1795308182:5;pip install \\\\\nb\n: 1795308183:0;cat <<E\\\npip install c\\\nE\npip install d";
    assert_eq!(facts(&Zsh, text), ["1 - pip a@", "2 1795308182 pip b@", "7 - pip d@"]);
}

#[test]
fn a_zsh_command_may_end_in_a_backslash() {
    // As zsh 5.9 writes `pip install a\` and `pip install c\ `: one more blank than was typed.
    let text = b": 1795308182:0;pip install a\\ \n: 1795308183:0;pip install b\npip install c\\  \npip install d\\ \n";
    assert_eq!(facts(&Zsh, text), ["1 1795308182 pip a@", "2 1795308183 pip b@", "3 - pip c@", "4 - pip d@"]);
    // Zsh before 5.0.3 wrote no blank, and joined the two when it read them.
    let old = b": 1795308182:0;pip install a\\\n: 1795308183:0;pip install b\n: 1795308184:0;echo x \\\n";
    assert_eq!(facts(&Zsh, old), ["1 1795308182 pip a@", "2 1795308183 pip b@"]);
    // A continuation, a backslash of its own before the last line, an escaped blank that is part of a word.
    assert_eq!(facts(&Zsh, b"echo \\\\\npip install a\npip install b\n"), ["3 - pip b@"]);
    assert_eq!(facts(&Zsh, b"\\: x; pip install a\n"), ["1 - pip a@"]);
}

#[test]
fn fish_commands_of_several_lines() {
    let text =
        b"- cmd: cd x\\npip install a\n  when: 1795308182\n  paths:\n    - when: 1\n- cmd: pip install b\nrubbish\n";
    assert_eq!(facts(&Fish, text), ["1 1795308182 pip a@", "5 - pip b@"]);
}

#[test]
fn a_command_that_is_too_long_is_one_gap() {
    let long = format!("echo {}", "x".repeat(COMMAND));
    let forms: [(&dyn Surface, String); 3] = [
        (&Bash, format!("{long}\npip install a\n{long}\n")),
        (&Zsh, format!(": 1795308182:0;{long}\\\n{long}\n{long}\npip install a\n")),
        (&Fish, format!("- cmd: {long}\n  when: 1795308182\n- cmd: {long}\n- cmd: pip install a\n")),
    ];
    for (surface, text) in forms {
        let (seen, gaps) = read(surface, text.as_bytes());
        assert_eq!((seen.len(), gaps.len()), (1, 1), "{}", surface.meta().id);
        assert!(!gaps.iter().any(|g| g.detail.contains('x')));
    }
}

#[test]
fn many_lines_below_a_stamp_are_commands_of_their_own() {
    let text = format!("#1795308182\npip install a\n{}pip install b\n", "ls -la\n".repeat(COMMAND));
    assert_eq!(facts(&Bash, text.as_bytes()), ["2 1795308182 pip a@".to_owned(), format!("{} - pip b@", COMMAND + 3)]);
}

#[test]
fn endless_lines_take_no_memory() {
    let surfaces: [&dyn Surface; 3] = [&Bash, &Zsh, &Fish];
    for surface in surfaces {
        for byte in [b'x', b'\\', 0x83, 0] {
            read(surface, io::repeat(byte).take(20 << 20));
        }
        let (_, gaps) = read(surface, io::repeat(b'\n').take(1 << 20));
        assert!(gaps.is_empty());
    }
    let backslashes = "a\\\n".repeat(1 << 20);
    assert_eq!(read(&Zsh, backslashes.as_bytes()).1.len(), 1);
    read(&Bash, backslashes.as_bytes());
    read(&Bash, "cat <<E\n".repeat(1 << 16).as_bytes());
}
