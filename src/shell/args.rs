//! Options and plain words of one command, so that the value of an option is never taken for a package.

/// Which options of a program take a value.
#[derive(Clone, Copy)]
pub struct Options {
    /// Letters of short ones.
    pub short: &'static str,
    /// Long ones, without the dashes.
    pub long: Long,
}

/// Long options, listed by the shorter list.
#[derive(Clone, Copy)]
pub enum Long {
    /// These take a value, all others none. Names with spaces between them.
    Valued(&'static [&'static str]),
    /// These take none, all others a value.
    Flags(&'static str),
}

/// A command's arguments taken apart.
#[derive(Debug, Default)]
pub struct Parsed<'w> {
    /// Plain words.
    pub plain: Vec<&'w str>,
    /// Options with their values, without dashes; the value is empty where there is none.
    pub options: Vec<(String, &'w str)>,
    /// What follows the first plain word (where reading stopped there).
    pub behind: &'w [String],
}

impl<'w> Parsed<'w> {
    /// Values of the options of these names.
    pub fn values<'s>(&'s self, names: &'s [&str]) -> impl Iterator<Item = &'w str> + 's {
        self.options.iter().filter(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| *value)
    }

    /// Whether one of these options is there.
    pub fn has(&self, names: &[&str]) -> bool {
        self.values(names).next().is_some()
    }
}

impl Options {
    fn long_takes_value(&self, name: &str) -> bool {
        match self.long {
            Long::Valued(lists) => lists.iter().any(|list| list.split(' ').any(|n| n == name)),
            Long::Flags(flags) => flags.split(' ').all(|n| n != name),
        }
    }

    /// Reads options and plain words in any order, to the end.
    pub fn all<'w>(&self, words: &'w [String]) -> Parsed<'w> {
        self.read(words, false)
    }

    /// Reads options up to the first plain word; what follows that word is another program's.
    pub fn leading<'w>(&self, words: &'w [String]) -> Parsed<'w> {
        self.read(words, true)
    }

    fn read<'w>(&self, words: &'w [String], stop: bool) -> Parsed<'w> {
        let mut parsed = Parsed::default();
        let (mut rest, mut ended) = (words, false);
        while let Some((word, mut behind)) = rest.split_first() {
            if ended || !word.starts_with('-') || word == "-" {
                parsed.plain.push(word);
                if stop {
                    parsed.behind = behind;
                    return parsed;
                }
            } else if word == "--" {
                ended = true;
            } else {
                let (name, attached, wants) = self.option(word);
                let mut value = attached.unwrap_or_default();
                if wants
                    && attached.is_none()
                    && let Some((next, after)) = behind.split_first()
                {
                    value = next;
                    behind = after;
                }
                parsed.options.push((name, value));
            }
            rest = behind;
        }
        parsed
    }

    /// Name, attached value, and whether it takes one.
    fn option<'w>(&self, word: &'w str) -> (String, Option<&'w str>, bool) {
        if let Some(long) = word.strip_prefix("--") {
            return match long.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value), true),
                None => (long.to_owned(), None, self.long_takes_value(long)),
            };
        }
        let letters = word.strip_prefix('-').unwrap_or(word);
        for (at, letter) in letters.char_indices() {
            if self.short.contains(letter) {
                let value = letters.get(at + letter.len_utf8()..).filter(|v| !v.is_empty());
                return (letter.to_string(), value.map(|v| v.strip_prefix('=').unwrap_or(v)), true);
            }
        }
        (letters.to_owned(), None, false)
    }
}

/// The program behind a path; `.exe` is dropped.
pub fn base_name(program: &str) -> &str {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    name.strip_suffix(".exe").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: Options = Options { short: "iu", long: Long::Valued(&["index-url"]) };

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn values_are_not_plain_words() {
        let w = words("-i A --index-url B --index-url=C -iD -qu E --pre x -- -y");
        let parsed = SOME.all(&w);
        assert_eq!(parsed.plain, ["x", "-y"]);
        assert_eq!(parsed.values(&["i", "index-url", "u"]).collect::<Vec<_>>(), ["A", "B", "C", "D", "E"]);
        assert!(parsed.has(&["pre"]) && !parsed.has(&["x"]));
    }

    #[test]
    fn leading_options_end_at_the_first_plain_word() {
        let w = words("-u root prog -i x");
        let parsed = SOME.leading(&w);
        assert_eq!((parsed.plain, parsed.behind), (vec!["prog"], &w[3..]));
    }

    #[test]
    fn an_option_at_the_end_lacks_its_value() {
        assert!(SOME.all(&words("-i")).plain.is_empty());
        assert!(SOME.all(&words("- --")).plain == ["-"]);
    }
}
