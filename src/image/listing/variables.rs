//! Variables in Compose files: nothing of this machine's environment is used, nor an `.env` file, since the file may be of another
//! machine.
//!
//! ```text
//! ${TAG:-1.2}, ${TAG-1.2}    the default
//! ${TAG:+x}, ${TAG+x}        nothing: it is not set
//! $TAG, ${TAG}, ${TAG:?why}  not known
//! $$                         a dollar sign
//! ```

/// Defaults in defaults.
const DEPTH: usize = 8;

/// A text whose variables are replaced by their defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resolved {
    pub(super) text: String,
    /// Some of it is a default.
    pub(super) by_default: bool,
}

/// `None` where a variable has no default, or the text is none that Compose reads.
pub(super) fn resolve(text: &str) -> Option<Resolved> {
    let mut resolved = Resolved { text: String::new(), by_default: false };
    replace(text, &mut resolved, DEPTH)?;
    Some(resolved)
}

fn replace(text: &str, out: &mut Resolved, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        out.text.push_str(before);
        rest = behind;
        if let Some(after) = rest.strip_prefix('$') {
            out.text.push('$');
            rest = after;
            continue;
        }
        let Some(braced) = rest.strip_prefix('{') else {
            // A name without a default, or a sign that stays as it is.
            if rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                return None;
            }
            out.text.push('$');
            continue;
        };
        let end = closing(braced)?;
        let (inner, after) = (braced.get(..end)?, braced.get(end + 1..)?);
        let name = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        let operator = inner.get(name..)?.trim_start_matches(':');
        out.by_default = true;
        match (name, operator.chars().next()?) {
            (0, _) => return None,
            (_, '-') => replace(operator.get(1..)?, out, depth)?,
            (_, '+') => {}
            _ => return None,
        }
        rest = after;
    }
    out.text.push_str(rest);
    Some(())
}

/// Where the brace that is open ends.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1_usize;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '{' if before == '$' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
        before = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_taken_and_nothing_else() {
        for (text, is, by_default) in [
            ("app:1", "app:1", false),
            ("app:${TAG:-1.2}", "app:1.2", true),
            ("${R-registry.example}/app:${TAG:-1}", "registry.example/app:1", true),
            ("${A:-${B:-x}}/app", "x/app", true),
            ("${A:-${B-${C:-y}}z}", "yz", true),
            ("app${SUFFIX:+-debug}:1", "app:1", true),
            ("${A:-}app", "app", true),
            ("a$$b", "a$b", false),
            ("a$1", "a$1", false),
        ] {
            assert_eq!(resolve(text), Some(Resolved { text: is.to_owned(), by_default }), "{text}");
        }
        for text in [
            "$TAG",
            "app:${TAG}",
            "${TAG:?set it}",
            "${TAG?}",
            "${A:-$B}",
            "${",
            "${}",
            "${:-x}",
            "${A:-x",
            "${A/x/y}",
            "${1",
        ] {
            assert_eq!(resolve(text), None, "{text}");
        }
        assert_eq!(resolve(&"${A:-".repeat(100_000)), None);
        assert_eq!(resolve(&format!("{}{}", "${A:-".repeat(20), "}".repeat(20))), None);
    }
}
