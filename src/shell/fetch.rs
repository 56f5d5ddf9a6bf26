//! Commands that fetch from an address that their words name, and whether a shell or an interpreter runs what comes.
//!
//! ```text
//! curl -fsSL https://a.example/x.sh | sh        bash <(curl a.example)        sh -c "$(wget -qO- https://a.example)"
//! wget https://a.example/x && chmod +x x && ./x        git clone https://a.example/x        pip install https://a.example/x.whl
//! ```

use super::args::base_name;

/// Programs that fetch what their words name, with a scheme or without.
const FETCH: &[&str] = &[
    "curl",
    "wget",
    "wget2",
    "aria2c",
    "axel",
    "fetch",
    "http",
    "https",
    "xh",
    "xhs",
    "lynx",
    "iwr",
    "irm",
    "invoke-webrequest",
    "invoke-restmethod",
    "certutil",
    "bitsadmin",
    "start-bitstransfer",
];
/// Programs that fetch where a word has a scheme.
const FETCH_ADDRESS: &[&str] =
    &["git", "pip", "pip3", "pipx", "uv", "uvx", "npm", "npx", "pnpm", "yarn", "bun", "bunx", "deno", "go", "cargo"];
/// Options with which nothing is fetched.
const ASKS: &[&str] = &["-I", "--head", "--spider"];
/// Programs that run a text which they are given.
const RUN: &[&str] =
    &["eval", "source", ".", "iex", "python", "python3", "node", "perl", "ruby", "php", "deno", "bun", "osascript"];
/// How many commands later something may still run what was fetched.
const NEAR: usize = 4;

/// Whether a program fetches what its words name.
pub fn is_fetch(program: &str) -> bool {
    FETCH.contains(&program) || FETCH_ADDRESS.contains(&program)
}

/// An address that a command fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// As written.
    pub address: String,
    /// Something was to run what came.
    pub runs: bool,
    /// On the machine on which it was typed.
    pub here: bool,
    /// The file that it was to be written to.
    file: String,
    /// Its place among the commands.
    at: usize,
}

/// Fetches of one text.
#[derive(Debug, Default)]
pub struct Fetches {
    pub found: Vec<Fetch>,
    commands: usize,
}

impl Fetches {
    /// Takes up a command; `shell` where it is a shell that reads its commands from elsewhere.
    pub fn command(&mut self, words: &[String], here: bool) {
        self.commands += 1;
        let Some((first, rest)) = words.split_first() else {
            return;
        };
        let name = base_name(first).to_ascii_lowercase();
        let name = name.strip_suffix(".exe").unwrap_or(&name);
        let args = || rest.iter().filter(|w| !w.starts_with('-'));
        let argument = args().next().map(String::as_str);
        if RUN.contains(&name) || super::prefix::is_shell(name) {
            let reads = argument.is_none_or(|word| word.contains('$') || word.contains('('));
            self.run(|f| reads || argument.is_some_and(|g| base_name(g) == f.file));
        } else {
            self.run(|f| !f.file.is_empty() && base_name(first) == f.file && (first.contains('/')));
        }
        if FETCH.contains(&name) && !rest.iter().any(|w| ASKS.contains(&w.as_str())) {
            self.add(rest, here, |w| w.contains('.') || w.contains("://"));
        } else if FETCH_ADDRESS.contains(&name) {
            self.add(rest, here, |w| w.contains("://"));
        }
    }

    /// A shell reads its commands from what came before it.
    pub fn input(&mut self) {
        self.commands += 1;
        self.run(|_| true);
    }

    fn run(&mut self, does: impl Fn(&Fetch) -> bool) {
        let now = self.commands;
        let near = self.found.iter_mut().filter(|f| now - f.at <= NEAR);
        near.filter(|f| does(f)).for_each(|f| f.runs = true);
    }

    fn add(&mut self, words: &[String], here: bool, is_address: impl Fn(&str) -> bool) {
        let output = words.windows(2).find_map(|w| match w {
            [option, file]
                if matches!(option.as_str(), "-o" | "-O" | "--output" | "--output-document" | "-OutFile") =>
            {
                Some(base_name(file).to_owned()).filter(|f| f != "-" && !f.contains("://"))
            }
            _ => None,
        });
        for word in words.iter().filter(|w| !w.starts_with('-') && is_address(w)) {
            let address = word.trim_start_matches("git+").to_owned();
            let last = address.split(['?', '#']).next().unwrap_or_default();
            let last = last.split_once("://").map_or(last, |(_, rest)| rest).rsplit_once('/').map_or("", |(_, l)| l);
            let file = output.clone().unwrap_or_else(|| last.to_owned());
            self.found.push(Fetch { address, runs: false, here, file, at: self.commands });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::shell::fetches;

    fn said(text: &str) -> Vec<String> {
        let words = |f: super::Fetch| {
            format!("{}{}{}", f.address, if f.runs { " runs" } else { "" }, if f.here { "" } else { " elsewhere" })
        };
        fetches(text).into_iter().map(words).collect()
    }

    #[test]
    fn what_fetches_and_what_runs_it() {
        for (text, is) in [
            ("curl -fsSL https://a.example/x.sh | sh", "https://a.example/x.sh runs"),
            ("curl a.example/x | sudo bash -s -- -y", "a.example/x runs"),
            ("bash <(curl -s https://a.example/x)", "https://a.example/x runs"),
            ("sh -c \"$(curl -fsSL https://a.example/x)\"", "https://a.example/x runs"),
            ("eval \"$(wget -qO- https://a.example/x)\"", "https://a.example/x runs"),
            ("wget https://a.example/x && chmod +x x && ./x", "https://a.example/x runs"),
            ("curl -o /tmp/y https://a.example/x; python3 /tmp/y", "https://a.example/x runs"),
            ("curl https://a.example/x | python3 -", "https://a.example/x runs"),
            ("curl -O https://a.example/x", "https://a.example/x"),
            ("sudo wget a.example/x", "a.example/x"),
            ("git clone https://a.example/o/n.git", "https://a.example/o/n.git"),
            ("pip install git+https://a.example/o/n", "https://a.example/o/n"),
            ("ssh build1 'curl https://a.example/x'", "https://a.example/x elsewhere"),
        ] {
            assert_eq!(said(text), [is], "{text}");
        }
    }

    #[test]
    fn what_only_names_an_address() {
        for text in [
            "echo curl https://a.example/x",
            "grep -r 'curl https://a.example' .",
            "# curl https://a.example/x",
            "curl -I https://a.example/x",
            "wget --spider https://a.example/x",
            "dig a.example",
            "curl",
            "git log a.example",
            "alias x='curl https://a.example/x'",
            "",
        ] {
            assert_eq!(said(text), [""; 0], "{text}");
        }
    }
}
