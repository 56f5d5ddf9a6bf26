//! Which commands set variables of the shell itself.

use super::variables::{Variables, assignment, is_variable};

/// Words of shell grammar that stand before a command.
const GRAMMAR: &[&str] = &["then", "else", "do", "{", "!", "begin", "and", "or"];

/// What these words set, once their command has run.
pub fn by(words: &[String], variables: &mut Variables) {
    let at = words.iter().position(|w| !GRAMMAR.contains(&w.as_str())).unwrap_or(words.len());
    let Some((first, rest)) = words.get(at..).and_then(<[String]>::split_first) else {
        return;
    };
    match first.as_str() {
        "export" | "declare" | "typeset" | "local" | "readonly" => assign(rest, variables),
        // csh.
        "setenv" => pair(rest, variables),
        "set" => pair(rest, variables),
        "unset" | "read" | "mapfile" | "readarray" => {
            rest.iter().filter(|w| is_variable(w)).for_each(|name| drop(variables.set(name, None)));
        }
        "for" | "select" => {
            if let Some((name, values)) = rest.split_first() {
                let one = match values {
                    [word, value] if word == "in" => Some(value.as_str()),
                    _ => None,
                };
                variables.set(name, one);
            }
        }
        // Before a command they are for that command alone.
        _ if words.iter().skip(at).all(|w| assignment(w).is_some()) => {
            assign(words.get(at..).unwrap_or_default(), variables)
        }
        _ => {}
    }
}

fn assign(words: &[String], variables: &mut Variables) {
    for (name, value) in words.iter().filter_map(|w| assignment(w)) {
        variables.set(name, value);
    }
}

/// `set -gx NAME value` of fish, `setenv NAME value`, `set NAME=value` of csh.
fn pair(words: &[String], variables: &mut Variables) {
    let plain: Vec<&String> = words.iter().filter(|w| !w.starts_with('-')).collect();
    match plain.as_slice() {
        [name, value] if is_variable(name) => drop(variables.set(name, Some(value))),
        [one] => assign(std::slice::from_ref(*one), variables),
        _ => {}
    }
}
