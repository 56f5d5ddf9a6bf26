//! Values that a build left in an image's history: build arguments, and variables that a later step changed again.
//!
//! ```text
//! RUN |2 TOKEN=abc NOTE=two words /bin/sh -c make # buildkit     BuildKit and the older builder: arguments before the shell
//! ARG TOKEN=abc                                                   a default
//! /bin/sh -c #(nop)  ENV TOKEN=abc
//! ```

use std::fmt::Write as _;

/// Lines `NAME=value` of one step, for whoever looks for secrets among them.
pub(super) fn lines(created_by: &str) -> String {
    let text = created_by.trim();
    let text = text.find("#(nop)").and_then(|at| text.get(at + "#(nop)".len()..)).unwrap_or(text).trim_start();
    let text = text.strip_suffix("# buildkit").unwrap_or(text).trim_end();
    if text.starts_with("ARG ") || text.starts_with("ENV ") {
        return format!("{}\n", one_line(text));
    }
    let text = text.strip_prefix("RUN ").unwrap_or(text).trim_start();
    let Some((count, rest)) = text.strip_prefix('|').and_then(|t| t.split_once(' ')) else {
        return String::new();
    };
    let count = count.parse::<usize>().unwrap_or(0);
    let shells = ["/bin/sh ", "/bin/bash ", "/bin/ash ", "/bin/zsh "];
    let end = shells.iter().filter_map(|shell| rest.find(shell)).min().unwrap_or(rest.len());
    let mut found: Vec<String> = Vec::new();
    for word in rest.get(..end).unwrap_or_default().split_whitespace() {
        let full = found.len() >= count;
        match found.last_mut() {
            // Values are not quoted and may hold blanks.
            Some(value) if full || !names(word) => {
                let _ = write!(value, " {word}");
            }
            _ => found.push(word.to_owned()),
        }
    }
    found.iter().filter(|line| names(line)).fold(String::new(), |all, line| all + &one_line(line) + "\n")
}

fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}

/// Whether a word begins an assignment.
fn names(word: &str) -> bool {
    word.split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn what_each_builder_leaves() {
        for (text, want) in [
            ("RUN |1 TOKEN=abc /bin/sh -c make # buildkit", "TOKEN=abc\n"),
            ("|2 A=b c D=e /bin/bash -o pipefail -c make", "A=b c\nD=e\n"),
            ("RUN |2 A=b=c D= /bin/sh -c make X=y", "A=b=c\nD=\n"),
            ("ARG TOKEN=abc", "ARG TOKEN=abc\n"),
            ("/bin/sh -c #(nop)  ENV TOKEN=abc", "ENV TOKEN=abc\n"),
            ("ENV A=b\nC=d", "ENV A=b C=d\n"),
            ("RUN /bin/sh -c TOKEN=abc make", ""),
            ("RUN |x TOKEN=abc make", "TOKEN=abc make\n"),
            ("COPY |1 A=b /x", ""),
            ("RUN |1", ""),
            ("", ""),
        ] {
            assert_eq!(lines(text), want, "{text}");
        }
        assert!(lines(&format!("RUN |9 {}", "A=b ".repeat(20_000))).len() < 200_000);
    }
}
