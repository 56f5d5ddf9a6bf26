//! Recursive descent over the characters of one text.

use super::{Command, Fault, Word};

/// Compound commands and substitutions within each other.
const DEPTH: usize = 16;

/// Words that a shell reads as its own where a command begins.
const CLOSERS: &[&str] = &["then", "elif", "else", "fi", "do", "done", "esac", "}"];

/// Every simple command of a text, those in substitutions too, in the order in which they are read.
///
/// # Errors
/// Where a shell would refuse the text.
pub fn parse(text: &str) -> Result<Vec<Command>, Fault> {
    let mut parser = Parser { text: text.chars().collect(), at: 0, depth: 0, found: Vec::new() };
    parser.list()?;
    match parser.peek() {
        None => Ok(parser.found),
        Some(_) => Err(Fault::Unexpected),
    }
}

struct Parser {
    text: Vec<char>,
    at: usize,
    depth: usize,
    found: Vec<Command>,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn starts(&self, with: &str) -> bool {
        with.chars().enumerate().all(|(n, c)| self.text.get(self.at + n) == Some(&c))
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += usize::from(c.is_some());
        c
    }

    fn eat(&mut self, with: &str) -> bool {
        let fits = self.starts(with);
        if fits {
            self.at += with.chars().count();
        }
        fits
    }

    /// Blanks, comments, and line ends where those mean nothing.
    fn blanks(&mut self, lines: bool) {
        loop {
            match self.peek() {
                Some(' ' | '\t') => self.at += 1,
                Some('\n') if lines => self.at += 1,
                Some('\\') if self.starts("\\\n") => self.at += 2,
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// The bare word that comes next, without reading it.
    fn bare(&self) -> String {
        let rest = self.text.get(self.at..).unwrap_or_default();
        rest.iter().take_while(|c| !c.is_whitespace() && !";&|()<>".contains(**c)).collect()
    }

    fn word_is(&mut self, word: &str) -> bool {
        let fits = self.bare() == word;
        if fits {
            self.at += word.chars().count();
        }
        fits
    }

    fn expect(&mut self, word: &str) -> Result<(), Fault> {
        self.blanks(true);
        if self.word_is(word) { Ok(()) } else { Err(Fault::Unfinished) }
    }

    /// Commands up to a closing word or bracket, or the end.
    fn list(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Fault::Deep);
        }
        let mut any = false;
        loop {
            self.blanks(true);
            let ends = self.peek().is_none_or(|c| c == ')') || CLOSERS.contains(&&*self.bare()) || self.starts(";;");
            if ends {
                self.depth -= 1;
                // A shell wants at least one command between `then` and `fi`; an empty text is one too.
                return if any || self.depth == 0 { Ok(()) } else { Err(Fault::Unexpected) };
            }
            self.and_or()?;
            any = true;
            self.blanks(false);
            let more = !self.starts(";;") && (self.eat(";") || self.starts("\n") || self.eat("&"));
            if !more && self.peek().is_some_and(|c| c != ')') && !self.starts(";;") {
                return Err(Fault::Unexpected);
            }
        }
    }

    fn and_or(&mut self) -> Result<(), Fault> {
        loop {
            self.pipeline()?;
            self.blanks(false);
            if !(self.eat("&&") || self.eat("||")) {
                return Ok(());
            }
            self.blanks(true);
        }
    }

    fn pipeline(&mut self) -> Result<(), Fault> {
        self.blanks(false);
        if self.word_is("!") {
            self.blanks(false);
        }
        loop {
            let from = self.found.len();
            self.command()?;
            self.blanks(false);
            if self.starts("||") || !self.eat("|") {
                return Ok(());
            }
            self.found.iter_mut().skip(from).for_each(|c| c.to_pipe = true);
            self.blanks(true);
        }
    }

    fn command(&mut self) -> Result<(), Fault> {
        if self.eat("(") {
            self.inside(")")?;
            return self.redirects();
        }
        match &*self.bare() {
            "{" => {
                self.at += 1;
                self.list()?;
                self.expect("}")?;
            }
            "if" => {
                self.at += 2;
                self.list()?;
                self.expect("then")?;
                self.list()?;
                while self.word_is("elif") {
                    self.list()?;
                    self.expect("then")?;
                    self.list()?;
                }
                if self.word_is("else") {
                    self.list()?;
                }
                self.expect("fi")?;
            }
            "while" | "until" => {
                self.at += 5;
                self.list()?;
                self.body()?;
            }
            "for" => self.for_each()?,
            "case" => self.case()?,
            closer if CLOSERS.contains(&closer) => return Err(Fault::Unexpected),
            _ => return self.simple(),
        }
        self.redirects()
    }

    fn body(&mut self) -> Result<(), Fault> {
        self.expect("do")?;
        self.list()?;
        self.expect("done")
    }

    fn for_each(&mut self) -> Result<(), Fault> {
        self.at += 3;
        self.blanks(false);
        self.word()?.ok_or(Fault::Unexpected)?;
        self.blanks(true);
        if self.word_is("in") {
            self.blanks(false);
            while self.word()?.is_some() {
                self.blanks(false);
            }
        }
        self.blanks(false);
        self.eat(";");
        self.body()
    }

    fn case(&mut self) -> Result<(), Fault> {
        self.at += 4;
        self.blanks(false);
        self.word()?.ok_or(Fault::Unexpected)?;
        self.expect("in")?;
        loop {
            self.blanks(true);
            if self.word_is("esac") {
                return Ok(());
            }
            self.eat("(");
            loop {
                self.blanks(false);
                self.word()?.ok_or(Fault::Unfinished)?;
                self.blanks(false);
                if !self.eat("|") {
                    break;
                }
            }
            if !self.eat(")") {
                return Err(Fault::Unexpected);
            }
            self.blanks(true);
            if !self.starts(";;") && self.bare() != "esac" {
                self.list()?;
            }
            if !self.eat(";;") {
                return self.expect("esac");
            }
        }
    }

    fn redirects(&mut self) -> Result<(), Fault> {
        loop {
            self.blanks(false);
            if self.redirect()?.is_none() {
                return Ok(());
            }
        }
    }

    /// `2>&1`, `<file`, `>>file`; whether it is standard output that goes to a file.
    fn redirect(&mut self) -> Result<Option<bool>, Fault> {
        let digits = self.text.get(self.at..).unwrap_or_default().iter().take_while(|c| c.is_ascii_digit()).count();
        if !matches!(self.text.get(self.at + digits), Some('<' | '>')) {
            return Ok(None);
        }
        let first = self.text.get(self.at).copied();
        self.at += digits;
        let out = self.peek() == Some('>') && (digits == 0 || first == Some('1'));
        let operators = [">>", ">&", ">|", "<>", "<&", "<<", ">", "<"];
        let operator = operators.into_iter().find(|o| self.eat(o)).unwrap_or_default();
        // A document has more than one line.
        if operator == "<<" {
            return Err(Fault::Unexpected);
        }
        self.blanks(false);
        let target = self.word()?.ok_or(Fault::Unexpected)?;
        Ok(Some(out && operator != ">&" && target.text != "/dev/null"))
    }

    fn simple(&mut self) -> Result<(), Fault> {
        let mut command = Command::default();
        loop {
            self.blanks(false);
            if let Some(to_file) = self.redirect()? {
                command.to_file |= to_file;
                continue;
            }
            // Commands of substitutions are found before the one that they stand in.
            let Some(word) = self.word()? else {
                break;
            };
            let name = word.text.split_once('=').map(|(name, _)| name);
            let assigns =
                name.is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
            match command.words.is_empty() && assigns {
                true => command.assignments.push(word),
                false => command.words.push(word),
            }
            // A function, whose body comes behind.
            if command.words.len() == 1 && self.eat("()") {
                self.blanks(true);
                return self.command();
            }
        }
        if command == Command::default() {
            return Err(Fault::Unexpected);
        }
        self.found.push(command);
        Ok(())
    }

    fn inside(&mut self, end: &str) -> Result<(), Fault> {
        self.list()?;
        if self.eat(end) { Ok(()) } else { Err(Fault::Bracket) }
    }

    /// The word that comes next; `None` where an operator or the end does.
    fn word(&mut self) -> Result<Option<Word>, Fault> {
        let mut word = Word::default();
        let start = self.at;
        while let Some(c) = self.peek() {
            match c {
                c if c.is_whitespace() || ";&|()<>".contains(c) => break,
                '\'' => {
                    self.at += 1;
                    self.single(&mut word)?;
                }
                '"' => {
                    self.at += 1;
                    self.double(&mut word)?;
                }
                '\\' => {
                    self.at += 1;
                    word.text.extend(self.next().filter(|c| *c != '\n'));
                }
                '`' => return Err(Fault::Quote),
                '$' => self.dollar(&mut word, false)?,
                c => {
                    self.at += 1;
                    word.text.push(c);
                }
            }
        }
        Ok((self.at > start).then_some(word))
    }

    fn single(&mut self, word: &mut Word) -> Result<(), Fault> {
        loop {
            match self.next().ok_or(Fault::Quote)? {
                '\'' => return Ok(()),
                c => word.text.push(c),
            }
        }
    }

    fn double(&mut self, word: &mut Word) -> Result<(), Fault> {
        loop {
            match self.peek().ok_or(Fault::Quote)? {
                '"' => {
                    self.at += 1;
                    return Ok(());
                }
                '\\' => {
                    self.at += 1;
                    let escaped = self.next().ok_or(Fault::Quote)?;
                    word.text.extend((!"$`\"\\\n".contains(escaped)).then_some('\\'));
                    word.text.extend((escaped != '\n').then_some(escaped));
                }
                '`' => return Err(Fault::Quote),
                '$' => self.dollar(word, true)?,
                c => {
                    self.at += 1;
                    word.text.push(c);
                }
            }
        }
    }

    /// `$name`, `${name:-word}`, `$(command)`, `$((sum))`.
    fn dollar(&mut self, word: &mut Word, quoted: bool) -> Result<(), Fault> {
        let start = self.at;
        self.at += 1;
        if self.eat("((") {
            while !self.eat("))") {
                self.next().ok_or(Fault::Bracket)?;
            }
        } else if self.eat("(") {
            self.inside(")")?;
        } else if self.eat("{") {
            while !self.eat("}") {
                match self.peek().ok_or(Fault::Bracket)? {
                    '$' => self.dollar(&mut Word::default(), quoted)?,
                    _ => self.at += 1,
                }
            }
        } else {
            while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
                self.at += 1;
            }
            if self.at == start + 1 {
                match self.peek().filter(|c| "?#@*!$-".contains(*c)) {
                    Some(_) => self.at += 1,
                    None => {
                        word.text.push('$');
                        return Ok(());
                    }
                }
            }
        }
        word.expands = true;
        word.splits |= !quoted;
        word.text.extend(self.text.get(start..self.at).unwrap_or_default());
        Ok(())
    }
}
