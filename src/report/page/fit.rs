//! Text in columns.

/// Columns that are left of a word that is cut.
const WORD: usize = 20;

/// Words in lines of at most so many columns; a longer word has a line of its own.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if columns(line) + 1 + columns(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// What a terminal needs for it.
pub fn columns(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// A line that does not fit is cut, in the middle of a long word where it has one: the list below holds it whole.
pub fn cut(line: &str, width: usize) -> String {
    let over = columns(line).saturating_sub(width);
    if over == 0 {
        return line.to_owned();
    }
    let longest = line.split(' ').max_by_key(|w| w.chars().count()).unwrap_or_default();
    let count = longest.chars().count();
    if longest.is_ascii() && count >= over + WORD {
        let left = count - over - 1;
        let (start, end) = (longest.get(..left - left / 3), longest.get(count - left / 3..));
        if let (Some(start), Some(end)) = (start, end) {
            return line.replacen(longest, &format!("{start}…{end}"), 1);
        }
    }
    let mut short = String::new();
    let mut used = 1;
    for c in line.chars() {
        used += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if used > width {
            break;
        }
        short.push(c);
    }
    short.push('…');
    short
}

/// "a, b": as many as fit; and whether that is all.
pub fn fitting(words: impl Iterator<Item = String>, width: usize) -> (String, bool) {
    let mut text = String::new();
    for word in words {
        if columns(&text) + 2 + columns(&word) > width {
            return (text, false);
        }
        text.push_str(if text.is_empty() { "" } else { ", " });
        text.push_str(&word);
    }
    (text, true)
}
