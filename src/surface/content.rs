//! How surfaces recognise a file by its start, whatever its name.

/// Whether a line of the text begins so, behind spaces.
pub fn line_starts(text: &str, start: &str) -> bool {
    text.lines().any(|line| line.trim_start().starts_with(start))
}

/// Whether a line of the text is this.
pub fn has_line(text: &str, wanted: &str) -> bool {
    text.lines().any(|line| line.trim() == wanted)
}

/// Whether at least half of the lines are such, and at least one. Empty lines, comments and the last line, which may be cut, do not count
/// where there are others.
pub fn mostly(text: &str, is: impl Fn(&str) -> bool) -> bool {
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).take(2000).collect();
    let fit = lines.iter().filter(|line| is(line)).count();
    fit > 0 && fit * 2 >= lines.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_lines_are_enough() {
        let fits = |text: &str| mostly(text, |line| line == "a");
        assert!(fits("a") && fits("# b\n\na\nb\n") && !fits("a\nb\nb\n") && !fits("") && !fits("# a"));
        assert!(
            line_starts("x\n  [a", "[a")
                && !line_starts("x [a", "[a")
                && has_line("x\n [a] ", "[a]")
                && !has_line("[a]x", "[a]")
        );
    }
}
