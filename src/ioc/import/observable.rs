//! The part of STIX patterns that names plain values: comparisons with `=` or `IN`, joined by `AND` and `OR`.

/// One comparison: object path and value.
pub type Comparison = (String, String);

/// Bytes of a pattern: a thousand hashes.
const PATTERN: usize = 256 << 10;

/// Alternatives, each of comparisons that hold together. `None` where the pattern says more than that.
pub fn parse(pattern: &str) -> Option<Vec<Vec<Comparison>>> {
    if pattern.len() > PATTERN {
        return None;
    }
    let tokens = tokens(pattern)?;
    let mut rest = tokens.as_slice();
    let mut all = Vec::new();
    loop {
        rest = expect(rest, "[")?;
        let (any, after) = alternatives(rest)?;
        all.extend(any);
        rest = expect(after, "]")?;
        match rest.split_first() {
            None => return Some(all),
            Some((Token::Word(w), after)) if w == "OR" => rest = after,
            // What else joins observations (AND, FOLLOWEDBY, WITHIN …) is a matter of time and place.
            Some(_) => return None,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
}

fn expect<'t>(tokens: &'t [Token], word: &str) -> Option<&'t [Token]> {
    match tokens.split_first() {
        Some((Token::Word(w), rest)) if w == word => Some(rest),
        _ => None,
    }
}

fn alternatives(mut tokens: &[Token]) -> Option<(Vec<Vec<Comparison>>, &[Token])> {
    let mut any: Vec<Vec<Comparison>> = Vec::new();
    loop {
        // `IN` gives several alternatives at once.
        let mut together: Vec<Vec<Comparison>> = vec![Vec::new()];
        loop {
            let (path, values, rest) = comparison(tokens)?;
            tokens = rest;
            if together.len() * values.len() > 1000 {
                return None;
            }
            together = together
                .iter()
                .flat_map(|t| values.iter().map(|v| [t.as_slice(), &[(path.clone(), v.clone())]].concat()))
                .collect();
            match expect(tokens, "AND") {
                Some(rest) => tokens = rest,
                None => break,
            }
        }
        any.extend(together);
        match expect(tokens, "OR") {
            Some(rest) => tokens = rest,
            None => return Some((any, tokens)),
        }
    }
}

fn comparison(tokens: &[Token]) -> Option<(String, Vec<String>, &[Token])> {
    let (Token::Word(path), rest) = tokens.split_first()? else { return None };
    if !path.contains(':') {
        return None;
    }
    if let Some(rest) = expect(rest, "=") {
        let (Token::Text(value), rest) = rest.split_first()? else { return None };
        return Some((path.clone(), vec![value.clone()], rest));
    }
    let mut rest = expect(expect(rest, "IN")?, "(")?;
    let mut values = Vec::new();
    loop {
        let (Token::Text(value), after) = rest.split_first()? else { return None };
        values.push(value.clone());
        match expect(after, ",") {
            Some(more) => rest = more,
            None => return Some((path.clone(), values, expect(after, ")")?)),
        }
    }
}

fn tokens(pattern: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '[' | ']' | '(' | ')' | ',' | '=' => tokens.push(Token::Word(c.to_string())),
            '\'' => tokens.push(Token::Text(quoted(&mut chars)?)),
            c if c.is_ascii_alphabetic() => {
                let mut word = c.to_string();
                while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || ":-_.'*[]".contains(*c)) {
                    match c {
                        // `hashes.'SHA-256'`
                        '\'' if word.ends_with('.') => word.push_str(&quoted(&mut chars)?),
                        '\'' => return None,
                        // `values[*].x` and the bracket that ends the observation.
                        '[' => return None,
                        ']' => {
                            tokens.push(Token::Word(std::mem::take(&mut word)));
                            tokens.push(Token::Word("]".to_owned()));
                            break;
                        }
                        c => word.push(c),
                    }
                }
                tokens.extend((!word.is_empty()).then_some(Token::Word(word)));
            }
            // `!=`, `<`, numbers, dates, `t'…'`.
            _ => return None,
        }
    }
    Some(tokens)
}

fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut text = String::new();
    loop {
        match chars.next()? {
            '\'' => return Some(text),
            '\\' => text.push(chars.next()?),
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(pattern: &str) -> Option<String> {
        let all = parse(pattern)?;
        let one = |c: &Vec<Comparison>| c.iter().map(|(p, v)| format!("{p}={v}")).collect::<Vec<_>>().join("&");
        Some(all.iter().map(one).collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn plain_comparisons_are_read() {
        assert_eq!(flat("[domain-name:value = 'evil.example']").unwrap(), "domain-name:value=evil.example");
        assert_eq!(
            flat("[file:hashes.'SHA-256' = 'aa' AND file:name = 'x.js' OR url:value='u']").unwrap(),
            "file:hashes.SHA-256=aa&file:name=x.js|url:value=u"
        );
        assert_eq!(
            flat("[file:hashes.MD5 = 'aa'] OR [ipv4-addr:value IN ('1.1.1.1','2.2.2.2')]").unwrap(),
            "file:hashes.MD5=aa|ipv4-addr:value=1.1.1.1|ipv4-addr:value=2.2.2.2"
        );
        assert_eq!(flat(r"[file:name = 'it\'s\\x']").unwrap(), r"file:name=it's\x");
    }

    #[test]
    fn what_says_more_is_not_guessed() {
        for pattern in [
            "[domain-name:value != 'evil.example']",
            "[domain-name:value LIKE 'evil%']",
            "[domain-name:value MATCHES 'e.*']",
            "[file:name = 'a'] AND [file:name = 'b']",
            "[file:name = 'a'] FOLLOWEDBY [file:name = 'b']",
            "[file:name = 'a'] WITHIN 5 SECONDS",
            "[(file:name = 'a' OR file:name = 'b') AND file:size = 5]",
            "[file:size = 5]",
            "[NOT file:name = 'a']",
            "[file:name = 'a",
            "[x:values[*].data = 'a']",
            "",
        ] {
            assert_eq!(flat(pattern), None, "{pattern}");
        }
    }
}
