//! A shell text cut into simple commands and their words, by the rules that POSIX shells, bash and zsh share.
//!
//! Quotes and escapes are taken off, redirections and comments dropped, the bodies of here-documents kept apart. What stands in
//! `$(…)`, backticks, `<(…)` and `(…)` is read as commands of its own. An expansion leaves a `$` in its word, so that the word
//! can no longer be taken for a name. fish differs in details that do not matter for words of plain letters.

use std::{iter::Peekable, str::Chars};

use super::{
    set,
    variables::{Variables, is_name_char},
};

/// Substitutions inside substitutions that are followed.
const DEPTH: usize = 8;

/// A simple command.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Simple {
    /// Never none.
    pub words: Vec<String>,
    /// The bodies of its here-documents: its standard input.
    pub input: String,
}

/// The simple commands of a text.
pub fn simple_commands(text: &str, variables: &mut Variables) -> Vec<Simple> {
    let mut found = Vec::new();
    read(text, 0, &mut found, variables);
    found
}

/// End marks of the here-documents whose bodies would start behind this text, which holds none of them; `true` where tabs
/// may stand before the mark.
pub fn open_documents(line: &str) -> Vec<(String, bool)> {
    let documents = Lexer::new(line.trim_end_matches('\n'), 0, &mut Vec::new(), &mut Variables::default()).run();
    documents.into_iter().map(|d| (d.mark, d.tabs)).collect()
}

/// A here-document whose body starts behind the line.
struct Document {
    mark: String,
    /// Tabs may stand before the mark.
    tabs: bool,
    /// The place of its command among those that were found.
    command: Option<usize>,
}

fn read(text: &str, depth: usize, found: &mut Vec<Simple>, variables: &mut Variables) {
    if depth < DEPTH {
        Lexer::new(text, depth, found, variables).run();
    }
}

/// What the word being read is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Word,
    /// A file behind `<` or `>`.
    Target,
    /// The end mark behind `<<` (`true` for `<<-`).
    Mark(bool),
}

struct Lexer<'t, 'f> {
    input: Peekable<Chars<'t>>,
    depth: usize,
    found: &'f mut Vec<Simple>,
    variables: &'f mut Variables,
    /// The command sets an array.
    array: bool,
    words: Vec<String>,
    word: Option<String>,
    next: Role,
    documents: Vec<Document>,
}

impl<'t, 'f> Lexer<'t, 'f> {
    fn new(text: &'t str, depth: usize, found: &'f mut Vec<Simple>, variables: &'f mut Variables) -> Self {
        let (input, words, documents) = (text.chars().peekable(), Vec::new(), Vec::new());
        Self { input, depth, found, variables, array: false, words, word: None, next: Role::Word, documents }
    }

    /// Reads to the end; what is left are the here-documents whose bodies did not begin.
    fn run(mut self) -> Vec<Document> {
        while let Some(c) = self.input.next() {
            match c {
                '\\' => self.escape(),
                '\'' => self.single(),
                '"' => self.double(),
                '`' => self.backticks(),
                '$' => self.dollar(false),
                '#' if self.word.is_none() => self.comment(),
                '\n' => {
                    self.end_command();
                    self.take_documents();
                }
                '&' if self.input.peek() == Some(&'>') => self.end_word(),
                ';' | '|' | '&' | ')' => self.end_command(),
                '(' => self.open(),
                '<' | '>' => self.redirect(c),
                c if c.is_whitespace() => self.end_word(),
                c => self.push(c),
            }
        }
        self.end_command();
        self.documents
    }

    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else {
            return;
        };
        match std::mem::replace(&mut self.next, Role::Word) {
            Role::Word => self.words.push(word),
            Role::Target => {}
            Role::Mark(tabs) => self.documents.push(Document { mark: word, tabs, command: None }),
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.next = Role::Word;
        if !self.words.is_empty() {
            if !std::mem::take(&mut self.array) {
                set::by(&self.words, self.variables);
            }
            let open = self.documents.iter_mut().filter(|d| d.command.is_none());
            open.for_each(|d| d.command = Some(self.found.len()));
            self.found.push(Simple { words: std::mem::take(&mut self.words), input: String::new() });
        }
    }

    fn escape(&mut self) {
        match self.input.next() {
            Some('\n') => {}
            Some('\r') if self.input.peek() == Some(&'\n') => {
                self.input.next();
            }
            Some(c) => self.push(c),
            None => {}
        }
    }

    fn single(&mut self) {
        let word = self.word.get_or_insert_default();
        word.extend(self.input.by_ref().take_while(|c| *c != '\''));
    }

    fn double(&mut self) {
        self.word.get_or_insert_default();
        while let Some(c) = self.input.next() {
            match c {
                '"' => return,
                '\\' => match self.input.next() {
                    Some('\n') => {}
                    Some(c @ ('$' | '`' | '"' | '\\')) => self.push(c),
                    Some(c) => {
                        self.push('\\');
                        self.push(c);
                    }
                    None => {}
                },
                '`' => self.backticks(),
                '$' => self.dollar(true),
                c => self.push(c),
            }
        }
    }

    fn backticks(&mut self) {
        self.push('$');
        let mut inner = String::new();
        while let Some(c) = self.input.next() {
            match c {
                '`' => break,
                '\\' if matches!(self.input.peek(), Some('`' | '\\' | '$')) => inner.extend(self.input.next()),
                c => inner.push(c),
            }
        }
        read(&inner, self.depth + 1, self.found, self.variables);
    }

    fn dollar(&mut self, quoted: bool) {
        match self.input.peek() {
            Some('(') => {
                self.input.next();
                self.push('$');
                let inner = self.group();
                read(&inner, self.depth + 1, self.found, self.variables);
            }
            Some('\'') if !quoted => {
                self.input.next();
                self.ansi();
            }
            // `$"…"` is a translated string: the quotes follow.
            Some('"') if !quoted => {}
            Some('{') => {
                self.input.next();
                let inner = self.braces();
                match self.variables.expand(&inner) {
                    Some(value) => self.insert(&value, quoted),
                    None => self.word.get_or_insert_default().extend(["${", &inner]),
                }
            }
            Some(c) if is_name_char(*c) && !c.is_ascii_digit() => {
                let mut name = String::new();
                while let Some(c) = self.input.next_if(|c| is_name_char(*c)) {
                    name.push(c);
                }
                match self.variables.expand(&name) {
                    Some(value) => self.insert(&value, quoted),
                    None => self.word.get_or_insert_default().extend(["$", &name]),
                }
            }
            _ => self.push('$'),
        }
    }

    /// What stands before the brace that closes the one just read.
    fn braces(&mut self) -> String {
        let (mut inner, mut open) = (String::new(), 1_usize);
        for c in self.input.by_ref() {
            match c {
                '{' => open += 1,
                '}' => open -= 1,
                _ => {}
            }
            if open == 0 {
                break;
            }
            inner.push(c);
        }
        inner
    }

    /// A value in place of its variable: outside of quotes it falls into words.
    fn insert(&mut self, value: &str, quoted: bool) {
        if quoted {
            self.word.get_or_insert_default().push_str(value);
            return;
        }
        for c in value.chars() {
            if c.is_whitespace() { self.end_word() } else { self.push(c) }
        }
    }

    /// `$'…'`: escapes stay as they are but for quotes; names and versions need none.
    fn ansi(&mut self) {
        self.word.get_or_insert_default();
        while let Some(c) = self.input.next() {
            match c {
                '\'' => return,
                '\\' => {
                    if let Some(c) = self.input.next() {
                        if !matches!(c, '\'' | '"' | '\\') {
                            self.push('\\');
                        }
                        self.push(c);
                    }
                }
                c => self.push(c),
            }
        }
    }

    fn comment(&mut self) {
        while self.input.next_if(|c| *c != '\n').is_some() {}
    }

    /// A subshell, arithmetic, or the values of an array.
    fn open(&mut self) {
        let values = self.word.as_ref().is_some_and(|w| w.ends_with('='));
        if values || self.input.peek() == Some(&'(') {
            if let Some(name) = self.word.as_ref().filter(|_| values).map(|w| w.trim_end_matches(['=', '+']).to_owned())
            {
                self.variables.set(&name, None);
                self.array = true;
            }
            self.group();
            return;
        }
        self.end_command();
    }

    /// What stands before the bracket that closes the one just read.
    fn group(&mut self) -> String {
        let (mut inner, mut open, mut quote) = (String::new(), 1_usize, None);
        while let Some(c) = self.input.next() {
            match (quote, c) {
                (Some('\''), '\'') | (Some('"'), '"') => quote = None,
                (None | Some('"'), '\\') => {
                    inner.push(c);
                    inner.extend(self.input.next());
                    continue;
                }
                (None, '\'' | '"') => quote = Some(c),
                (None, '(') => open += 1,
                (None, ')') => {
                    open -= 1;
                    if open == 0 {
                        break;
                    }
                }
                _ => {}
            }
            inner.push(c);
        }
        inner
    }

    fn redirect(&mut self, first: char) {
        // `2>`: the number belongs to the redirection.
        if self.word.as_ref().is_some_and(|w| w.chars().all(|c| c.is_ascii_digit())) {
            self.word = None;
        }
        self.end_word();
        self.next = Role::Target;
        match (first, self.input.peek()) {
            (_, Some('(')) => {
                self.input.next();
                self.next = Role::Word;
                self.push('$');
                let inner = self.group();
                read(&inner, self.depth + 1, self.found, self.variables);
            }
            ('<', Some('<')) => {
                self.input.next();
                if self.input.next_if_eq(&'<').is_none() {
                    self.next = Role::Mark(self.input.next_if_eq(&'-').is_some());
                }
            }
            (_, Some('>' | '&' | '|')) => {
                self.input.next();
            }
            _ => {}
        }
    }

    /// Bodies of here-documents: lines up to the end mark, or all that is left.
    fn take_documents(&mut self) {
        for Document { mark, tabs, command } in std::mem::take(&mut self.documents) {
            let mut body = String::new();
            while self.input.peek().is_some() {
                let line: String = self.input.by_ref().take_while(|c| *c != '\n').collect();
                let line = line.strip_suffix('\r').unwrap_or(&line);
                let line = if tabs { line.trim_start_matches('\t') } else { line };
                if mark == line {
                    break;
                }
                body.push_str(line);
                body.push('\n');
            }
            if let Some(command) = command.and_then(|at| self.found.get_mut(at)) {
                command.input.push_str(&body);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Simple, Variables};

    fn simple_commands(text: &str) -> Vec<Simple> {
        super::simple_commands(text, &mut Variables::default())
    }

    fn cut(text: &str) -> Vec<String> {
        simple_commands(text).iter().map(|c| c.words.join("|")).collect()
    }

    #[test]
    fn words_lose_their_quotes() {
        assert_eq!(cut(r#"a 'b c' "d \"e\" \n" f\ g h"i"'j'"#), [r#"a|b c|d "e" \n|f g|hij"#]);
        assert_eq!(cut("pip install \\\n  x \\\r\n y"), ["pip|install|x|y"]);
        assert_eq!(cut("a $'b\\'c' d"), ["a|b'c|d"]);
        assert_eq!(cut("a '' b"), ["a||b"]);
    }

    #[test]
    fn commands_end_where_a_shell_ends_them() {
        assert_eq!(cut("a;b&&c||d|e&f\ng"), ["a", "b", "c", "d", "e", "f", "g"]);
        assert_eq!(cut("(cd x && a) ; { b; }"), ["cd|x", "a", "{|b", "}"]);
        assert_eq!(cut("a # b\nc#d"), ["a", "c#d"]);
    }

    #[test]
    fn substitutions_are_commands_and_leave_a_mark() {
        assert_eq!(cut("a $(b c) d"), ["b|c", "a|$|d"]);
        assert_eq!(cut("a \"x$(b \"c d\")\" `e`"), ["b|c d", "e", "a|x$|$"]);
        assert_eq!(cut("a <(b) >(c)"), ["b", "c", "a|$|$"]);
        assert_eq!(cut("a x==${V} $W"), ["a|x==${V|$W"]);
        assert_eq!(cut("a='$(b)' c"), ["a=$(b)|c"]);
    }

    #[test]
    fn arrays_and_arithmetic_are_no_commands() {
        assert_eq!(cut("A=(pip install x) ls"), ["A=|ls"]);
        assert_eq!(cut("((x << 2))\nls"), ["ls"]);
    }

    #[test]
    fn redirections_vanish() {
        assert_eq!(cut("a b 2>&1 >c >>d <e &>f g"), ["a|b|g"]);
        assert_eq!(cut("a>=1 b"), ["a|b"]);
        assert_eq!(cut("a <<< 'b c' d"), ["a|d"]);
    }

    #[test]
    fn bodies_of_here_documents_are_input() {
        assert_eq!(cut("cat <<EOF >x; y\npip install x\nEOF\nz"), ["cat", "y", "z"]);
        assert_eq!(cut("cat <<-'E F'\n\tp\n\tE F\nz"), ["cat", "z"]);
        assert_eq!(cut("cat <<A <<B\n1\nA\n2\nB\nz"), ["cat", "z"]);
        assert_eq!(cut("cat <<EOF\npip install x"), ["cat"]);
    }

    #[test]
    fn each_command_has_its_own_input() {
        let text = "a <<A && b <<-B; c\n1\nA\n\t2\n\tB\nd $(e) <<C | f\n3\nC\n(g <<D)\n4\nD\n";
        let inputs: Vec<_> = simple_commands(text).into_iter().map(|c| (c.words.join("|"), c.input)).collect();
        let expected = [("a", "1\n"), ("b", "2\n"), ("c", ""), ("e", ""), ("d|$", "3\n"), ("f", ""), ("g", "4\n")];
        assert_eq!(inputs, expected.map(|(w, i)| (w.to_owned(), i.to_owned())));
    }

    #[test]
    fn broken_and_hostile_texts_end() {
        for text in ["'", "\"", "`", "$(", "${", "\\", "<<", "<<-", "<", "$'", "$'\\", "(((", ")))", "a <<\n\n", "&>"] {
            simple_commands(text);
            simple_commands(&text.repeat(20_000));
        }
        assert!(simple_commands("").is_empty() && simple_commands(" \t\n;;&& ").is_empty());
    }
}
