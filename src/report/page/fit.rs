//! Text in columns.

/// Columns that are left of a word that is cut.
const WORD: usize = 12;
/// Digits of a hash that are enough to know it again.
const HASH: usize = 12;

/// A text whose hashes of commits are as short as people write them.
pub fn short_hashes(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars().map(Some).chain([None]) {
        if let Some(c) = c.filter(char::is_ascii_hexdigit) {
            run.push(c);
            continue;
        }
        short.push_str(if run.len() == 40 { run.get(..HASH).unwrap_or_default() } else { &run });
        run.clear();
        short.extend(c);
    }
    short
}

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
        let (start, end) = (longest.get(..left / 2), longest.get(count - (left - left / 2)..));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_short_and_a_hash_of_another_length_stays() {
        let commit = "0891663bc55073747be0eb864fbec3727840945d";
        assert_eq!(short_hashes(&format!("a@{commit} in é{commit}")), "a@0891663bc550 in é0891663bc550");
        let other = format!("{commit}0 {}", &commit[1..]);
        assert_eq!(short_hashes(&other), other);
    }

    #[test]
    fn as_many_as_fit_are_named() {
        let words = || ["ab", "cd", "ef"].map(str::to_owned).into_iter();
        assert_eq!(fitting(words(), 12), ("ab, cd, ef".to_owned(), true));
        assert_eq!(fitting(words(), 9), ("ab, cd".to_owned(), false));
        assert_eq!(fitting(words(), 1), (String::new(), false));
    }

    #[test]
    fn a_long_word_loses_its_middle() {
        let line = cut("B4  keys: /etc/kubernetes/pki/front-proxy-ca.key", 40);
        assert_eq!((line.as_str(), columns(&line)), ("B4  keys: /etc/kubernete…nt-proxy-ca.key", 40));
        assert_eq!(cut("many short words that do not fit in here", 20), "many short words th…");
    }
}
