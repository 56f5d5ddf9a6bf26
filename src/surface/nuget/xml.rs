//! XML as project files of .NET have it, an element at a time: its name, its attributes, the text before its end. Entities stay as they are:
//! no name and no version has one.

/// Deeper elements are no project's.
const DEPTH: usize = 200;

/// Where the reading is.
#[derive(Debug)]
pub enum Event<'t> {
    /// An element begins; `closed` where it ends at once.
    Open {
        /// Its name.
        name: &'t str,
        /// What stands behind the name.
        attributes: &'t str,
        /// From 1.
        line: u32,
        /// It has no content.
        closed: bool,
    },
    /// An element ends.
    Close {
        /// Its name.
        name: &'t str,
        /// What stands between its end and the tag before.
        text: &'t str,
    },
}

/// Hands on what a text holds, up to a fault; returns whether it is whole.
pub fn read<'t>(text: &'t str, each: &mut dyn FnMut(Event<'t>)) -> bool {
    let mut stack: Vec<&str> = Vec::new();
    let (mut rest, mut line, mut any) = (text, 1_u32, false);
    while let Some((before, behind)) = rest.split_once('<') {
        line = line.saturating_add(lines(before));
        let Some((tag, after)) = tag(behind) else {
            return false;
        };
        rest = after;
        let at = line;
        line = line.saturating_add(lines(tag));
        if tag.starts_with(['!', '?']) {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/').map(str::trim) {
            if stack.pop() != Some(name) {
                return false;
            }
            each(Event::Close { name, text: before.trim() });
            continue;
        }
        let (inner, closed) = tag.strip_suffix('/').map_or((tag, false), |inner| (inner, true));
        let (name, attributes) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
        if name.is_empty() {
            return false;
        }
        if !closed {
            stack.push(name);
        }
        if stack.len() > DEPTH {
            return false;
        }
        any = true;
        each(Event::Open { name, attributes, line: at, closed });
    }
    any && stack.is_empty()
}

/// What stands up to the end of a tag, comment or section, and what follows. A `>` in quotes ends no tag.
fn tag(behind: &str) -> Option<(&str, &str)> {
    let ends = [("!--", "-->"), ("![CDATA[", "]]>"), ("?", "?>")];
    if let Some((_, end)) = ends.iter().find(|(start, _)| behind.starts_with(start)) {
        return behind.split_once(end);
    }
    let mut quote = None;
    for (at, c) in behind.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == '>' => return Some((behind.get(..at)?, behind.get(at + 1..)?)),
            None if c == '<' => return None,
            None => {}
        }
    }
    None
}

fn lines(text: &str) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', text.as_bytes()).count()).unwrap_or(u32::MAX)
}

/// The value of an attribute, whatever the case of its name.
pub fn attribute<'t>(attributes: &'t str, wanted: &str) -> Option<&'t str> {
    let mut rest = attributes;
    while let Some((name, behind)) = rest.split_once('=') {
        let behind = behind.trim_start();
        let quote = behind.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = behind.get(1..)?.split_once(quote)?;
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value.trim());
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> (Vec<String>, bool) {
        let mut found = Vec::new();
        let whole = read(text, &mut |event| {
            found.push(match event {
                Event::Open { name, attributes, line, closed } => {
                    let value = attribute(attributes, "v").unwrap_or("-");
                    format!("{name} {value} {line}{}", if closed { " closed" } else { "" })
                }
                Event::Close { name, text } => format!("/{name} {text}"),
            });
        });
        (found, whole)
    }

    #[test]
    fn elements_have_attributes_text_and_lines() {
        let text = "<?xml version='1'?>\n<!-- <x> -->\n<a>\n<b c=\"1 > 0\" V='2'/><d v = \"3\"> t </d></a>";
        let is = ["a - 3", "b 2 4 closed", "d 3 4", "/d t", "/a "];
        assert_eq!(words(text), (is.map(str::to_owned).to_vec(), true));
    }

    #[test]
    fn hostile_texts_end_in_a_fault() {
        let deep = "<a>".repeat(10_000);
        let quotes = format!("<a b=\"{}", "x".repeat(1 << 20));
        for text in
            ["", "<", "<a", "<a>", "</a>", "<a></b>", "<a b=\"", "<>", "< >", "text", "<!--", "<a <b>", &deep, &quotes]
        {
            assert!(!words(text).1, "{}", text.get(..20).unwrap_or(text));
        }
        for text in ["a", "a=", "a=\"", "a=b v=c", "=", "v", "é=\"é"] {
            assert_eq!(attribute(text, "v"), None, "{text}");
        }
    }
}
