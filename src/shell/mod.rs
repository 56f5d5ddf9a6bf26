//! Install commands in shell texts: what somebody typed, or what built an image layer.
//!
//! A command that was typed need not have succeeded, and a text that only mentions one (`grep`, `echo`, a comment, an alias, a
//! here-document that no shell reads) is none. Only names and versions whose form was checked leave this module, so that no token of a
//! command line rides along.

mod alpine;
mod args;
mod build;
mod cargo;
mod composer;
mod cutoff;
mod dotnet;
mod environment;
mod extension;
mod fetch;
mod folder;
mod golang;
mod homebrew;
mod image;
mod loads;
mod maven;
mod node;
mod prefix;
mod project;
mod python;
mod registries;
mod ruby;
mod set;
mod spec;
pub mod syntax;
#[cfg(test)]
mod testing;
mod variables;
pub mod whereabouts;
mod words;

use crate::{
    fact::{Command, CommandAction, Whereabouts},
    shell::{fetch::Fetches, prefix::Inner, variables::Variables, words::Simple},
};

pub use build::Build;
pub use fetch::{Fetch, is_fetch};
pub use image::{image, images};
pub use words::open_documents;

/// Shells that start shells that are followed.
const DEPTH: usize = 6;

/// The install commands of a shell text, in order. The body of a here-document counts where a shell reads it.
pub fn install_commands(text: &str) -> Vec<Command> {
    let mut found = Vec::new();
    script(text, &mut String::new(), 0, &mut Reading::new(&mut found, &mut Variables::default()));
    found
}

/// The same, with the starts of interpreters that belong to an environment which their words name: `~/v/bin/python app.py`, and with
/// what installs from lists: `pip install -r requirements.txt`.
pub fn typed_commands(text: &str) -> Vec<Command> {
    typed_in(text, &mut None)
}

/// The same of a line of a history: `folder` is where the lines before it went, as far as they say it.
pub fn typed_in(text: &str, folder: &mut Option<Box<str>>) -> Vec<Command> {
    let (mut found, mut variables) = (Vec::new(), Variables::default());
    let mut reading = Reading { starts: Starts::Named, lists: true, ..Reading::new(&mut found, &mut variables) };
    reading.at.folder = folder.take();
    script(text, &mut String::new(), 0, &mut reading);
    *folder = reading.at.folder;
    found
}

/// A text of which a shell makes these words.
pub fn quoted(words: &[&str]) -> String {
    let quote = |word: &&str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./=:@,+%[]~".contains(&b);
        if !word.is_empty() && word.bytes().all(plain) {
            (*word).to_owned()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// The addresses that the commands of a text fetch from.
pub fn fetches(text: &str) -> Vec<Fetch> {
    let (mut found, mut variables) = (Vec::new(), Variables::default());
    let mut reading = Reading { fetches: Some(Fetches::default()), ..Reading::new(&mut found, &mut variables) };
    script(text, &mut String::new(), 0, &mut reading);
    reading.fetches.map(|f| f.found).unwrap_or_default()
}

/// The starts of whatever stands in the program folder of an environment that its words name: `/srv/v/bin/app`.
pub fn started_programs(text: &str) -> Vec<Command> {
    started_in(text, None)
}

/// The same of a text that runs in a folder: what its words name from there is known too.
pub fn started_in(text: &str, folder: Option<&str>) -> Vec<Command> {
    let (mut found, mut variables) = (Vec::new(), Variables::default());
    let mut reading = Reading { starts: Starts::Programs, ..Reading::new(&mut found, &mut variables) };
    reading.at.folder = folder.map(Into::into);
    script(text, &mut String::new(), 0, &mut reading);
    found.retain(|c| c.action == CommandAction::Start);
    found
}

/// The install commands of one step of an image's history (`created_by`), as Docker, BuildKit, podman, buildah and kaniko write
/// it: `/bin/sh -c pip install x`, `RUN |1 A=b /bin/sh -c pip install x # buildkit`, `RUN ["pip", "install", "x"]`.
pub fn from_image_history(created_by: &str) -> Vec<Command> {
    Build::default().step(created_by)
}

fn in_step(created_by: &str, variables: &mut Variables) -> Vec<Command> {
    let text = created_by.trim();
    let text = text.strip_suffix("# buildkit").unwrap_or(text).trim_end();
    let (run, text) = match text.split_once(char::is_whitespace) {
        Some(("RUN" | "run", rest)) => (true, flags(rest)),
        _ => (false, text),
    };
    if text.contains("#(nop)") || (!run && is_instruction(text)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut reading = Reading { starts: Starts::All, ..Reading::new(&mut found, variables) };
    if let Ok(words) = serde_json::from_str::<Vec<String>>(text) {
        simple(&words, &mut String::new(), 0, &mut reading);
    } else {
        script(behind_shell(behind_arguments(text)), &mut String::new(), 0, &mut reading);
    }
    found
}

/// `RUN --mount=… --network=… <this>`.
fn flags(mut text: &str) -> &str {
    loop {
        text = text.trim_start();
        match text.split_once(char::is_whitespace) {
            Some((flag, rest)) if flag.starts_with("--") => text = rest,
            _ => return text,
        }
    }
}

/// `COPY . /app`: any instruction of a Dockerfile that runs nothing.
fn is_instruction(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    first.len() > 2 && first.chars().all(|c| c.is_ascii_uppercase())
}

/// `|2 A=b C=d e <this>`. Values are not quoted and may hold spaces, so a shell is looked for first.
fn behind_arguments(text: &str) -> &str {
    let Some((count, rest)) = text.strip_prefix('|').and_then(|t| t.split_once(' ')) else {
        return text;
    };
    let shells = ["/bin/sh ", "/bin/bash ", "/bin/ash ", "/bin/zsh "];
    if let Some(at) = shells.iter().filter_map(|s| rest.find(s)).min() {
        return rest.get(at..).unwrap_or_default();
    }
    let count = count.parse::<usize>().unwrap_or(0);
    rest.splitn(count.saturating_add(1), ' ').nth(count).unwrap_or_default()
}

/// `/bin/bash -o pipefail -c <this>`: builders do not quote the script.
fn behind_shell(text: &str) -> &str {
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if !prefix::is_shell(args::base_name(first)) {
        return text;
    }
    let mut rest = rest.trim_start();
    while let Some((option, behind)) = rest.split_once(char::is_whitespace) {
        let behind = behind.trim_start();
        if !option.starts_with(['-', '+']) {
            break;
        }
        if option.ends_with('c') && !option.starts_with("--") {
            return behind;
        }
        let value = option.ends_with(['o', 'O']);
        rest = if value { behind.split_once(char::is_whitespace).map_or("", |(_, b)| b) } else { behind };
    }
    text
}

/// Starts of interpreters that are reported.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Starts {
    None,
    /// Those of an environment that their words name.
    Named,
    /// The same, and other programs of such an environment.
    Programs,
    All,
}

/// What was found so far, and what is known of variables.
struct Reading<'r> {
    found: &'r mut Vec<Command>,
    variables: &'r mut Variables,
    /// As whom and where the text runs.
    at: Whereabouts,
    /// Which starts of interpreters count too.
    starts: Starts,
    /// What is fetched, where that is asked for.
    fetches: Option<Fetches>,
    /// Whether what installs from lists counts too.
    lists: bool,
}

impl<'r> Reading<'r> {
    fn new(found: &'r mut Vec<Command>, variables: &'r mut Variables) -> Self {
        Self { found, variables, at: Whereabouts::default(), starts: Starts::None, fetches: None, lists: false }
    }

    /// Takes up a command.
    fn push(&mut self, mut command: Command, words: &[String], at: Whereabouts) {
        let own = environment::of_command(words).map(|own| folder::below(own, at.folder.as_deref()));
        command.whereabouts = Whereabouts { environment: own.or(at.environment), ..at };
        self.found.push(command);
    }
}

/// Whether words, or a variable before them, make one of Node's package managers run install scripts or not.
fn scripts_setting(words: &[String], sets: &[&str]) -> Option<bool> {
    let option = |word: &String| match word.as_str() {
        "--ignore-scripts" | "--ignore-scripts=true" | "--mode=skip-build" => Some(false),
        "--no-ignore-scripts" | "--ignore-scripts=false" => Some(true),
        _ => None,
    };
    let variable = |set: &&str| {
        let (name, value) = variables::assignment(set)?;
        let ignores = name.eq_ignore_ascii_case("npm_config_ignore_scripts");
        let value = value.unwrap_or_default();
        (ignores && matches!(value, "true" | "1" | "false" | "0")).then_some(matches!(value, "false" | "0"))
    };
    words.iter().filter_map(option).next_back().or_else(|| sets.iter().filter_map(variable).next_back())
}

/// `input` is what commands without a here-document of their own read; the first shell among them takes it.
fn script(text: &str, input: &mut String, depth: usize, reading: &mut Reading<'_>) {
    for Simple { words, input: mut own } in words::simple_commands(text, reading.variables) {
        simple(&words, if own.is_empty() { &mut *input } else { &mut own }, depth, reading);
    }
}

fn simple(words: &[String], input: &mut String, depth: usize, reading: &mut Reading<'_>) {
    if depth > DEPTH {
        return;
    }
    let mut sets = Vec::new();
    let outer = reading.at.clone();
    let mut at = outer.clone();
    match prefix::strip(words, &mut sets, &mut at) {
        Inner::Command(words) => {
            if let Some(fetches) = &mut reading.fetches {
                fetches.command(words, at.machine.is_none());
            }
            if let Some(environment) = environment::activated(words) {
                reading.at.environment = Some(folder::below(environment, at.folder.as_deref()));
                return;
            }
            if let Some(folder) = folder::entered(words, at.folder.as_deref()) {
                reading.at.folder = folder;
                return;
            }
            let (mut command, behind) = node::recognise(words)
                .or_else(|| extension::recognise(words))
                .or_else(|| cargo::recognise(words))
                .or_else(|| golang::recognise(words))
                .or_else(|| ruby::recognise(words))
                .or_else(|| composer::recognise(words))
                .or_else(|| maven::recognise(words))
                .or_else(|| dotnet::recognise(words))
                .or_else(|| homebrew::recognise(words))
                .or_else(|| alpine::recognise(words))
                .or_else(|| registries::recognise(words))
                .unwrap_or_else(|| python::recognise(words));
            // An installer that is Python starts before it installs.
            let program = || environment::program(words).filter(|_| reading.starts == Starts::Programs);
            if let Some(tool) = python::starts(words).filter(|_| reading.starts != Starts::None).or_else(program) {
                let start = Command::for_packages(tool, CommandAction::Start, Vec::new());
                reading.push(Command { loads: loads::of_start(words), ..start }, words, at.clone());
                let unnamed = |c: &mut Command| c.whereabouts.environment.is_none();
                if matches!(reading.starts, Starts::Named | Starts::Programs) {
                    reading.found.pop_if(unnamed);
                }
            }
            let scripts = scripts_setting(words, &sets);
            if (reading.lists || scripts.is_some())
                && let Some(from) = project::from_lists(words)
            {
                let lists = from.lists.clone();
                command.get_or_insert(from).lists = lists;
            }
            if let Some(mut command) = command {
                command.scripts = command.scripts.or(scripts);
                reading.push(command, words, at);
            }
            let runner = environment::of_project(words);
            let runner = runner.filter(|_| matches!(reading.starts, Starts::Named | Starts::Programs));
            let behind = behind.or(runner.as_ref().map(|(_, behind)| *behind));
            if let Some(behind) = behind.filter(|b| b.len() < words.len()) {
                if let Some((environment, _)) = runner {
                    reading.at.environment = Some(folder::below(environment, reading.at.folder.as_deref()));
                }
                simple(behind, input, depth + 1, reading);
                reading.at.environment = outer.environment;
            }
        }
        Inner::Script(text) => {
            if let Some(fetches) = reading.fetches.as_mut().filter(|_| text.trim_start().starts_with('$')) {
                fetches.input();
            }
            reading.at = at;
            with(&sets, reading, |reading| script(&text, input, depth + 1, reading));
            reading.at = outer;
        }
        Inner::Input => {
            if let Some(fetches) = &mut reading.fetches {
                fetches.input();
            }
            reading.at = at;
            with(&sets, reading, |reading| script(&std::mem::take(input), &mut String::new(), depth + 1, reading));
            reading.at = outer;
        }
        // A shell that reads a file, or what another command gives it: `bash <(curl …)`.
        Inner::Nothing => {
            let shell = words.iter().position(|w| prefix::is_shell(args::base_name(w)));
            if let (Some(fetches), Some(shell)) = (&mut reading.fetches, shell.and_then(|at| words.get(at..))) {
                fetches.command(shell, true);
            }
        }
    }
}

/// Reads the text of another shell with the variables that are set for it: `V=1.82.8 sh -c '…'`.
fn with(sets: &[&str], reading: &mut Reading<'_>, read: impl FnOnce(&mut Reading<'_>)) {
    let sets: Vec<_> = sets.iter().filter_map(|w| variables::assignment(w)).collect();
    let before: Vec<_> = sets.iter().map(|(name, value)| (*name, reading.variables.set(name, *value))).collect();
    read(reading);
    for (name, value) in before.into_iter().rev() {
        reading.variables.restore(name, value);
    }
}

#[cfg(test)]
mod tests;
