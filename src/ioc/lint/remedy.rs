//! How to clean up, where sources disagree, and what must be found.

use super::{Lint, command_faults};
use crate::{
    ioc::model::Example,
    verdict::{Confidence, Exposure},
};

/// Programs that run code of the environment they are started in. `*` stands for anything behind it.
const INTERPRETERS: &[&str] = &[
    "ansible*", "bun*", "bundle", "cargo*", "code", "codium", "composer", "conda", "cursor", "deno", "dotnet", "gem",
    "go", "gradle*", "java", "mvn*", "node*", "npm", "npx", "perl", "php*", "pip*", "pipx", "pnpm", "poetry", "pypy*",
    "python*", "rake", "ruby*", "rustc", "rustup", "uv", "uvx", "yarn",
];

impl Lint<'_> {
    pub(super) fn remedy(&mut self) {
        self.harvest();
        self.beyond();
        self.cleanup();
        self.disagreements();
        let incident = self.incident;
        for (n, d) in incident.dead_man_switches.iter().enumerate() {
            self.text(format!("dead_man_switches[{n}].value"), &d.value);
            self.text(format!("dead_man_switches[{n}].what"), &d.what);
        }
        for (n, v) in incident.not_indicators.iter().enumerate() {
            self.text(format!("not_indicators[{n}].value"), &v.value);
            self.text(format!("not_indicators[{n}].what"), &v.what);
        }
        self.examples();
    }

    fn cleanup(&mut self) {
        for (n, c) in self.incident.cleanup.iter().enumerate() {
            let place = format!("cleanup[{n}]");
            self.text(format!("{place}.title"), &c.title);
            self.text(format!("{place}.why"), &c.why);
            if c.steps.is_empty() {
                self.say(format!("{place}.steps"), "no step", "say what to do");
            }
            for (m, step) in c.steps.iter().enumerate() {
                self.text(format!("{place}.steps[{m}].do"), &step.what);
                for (what, hint) in step.command.iter().flat_map(|c| command_faults(c, &[], true)) {
                    self.say(format!("{place}.steps[{m}].command"), what, hint);
                }
                if let Some(program) = step.command.as_deref().and_then(starts) {
                    let hint =
                        "starting it in an affected environment runs the payload again: look with `ls`, `find`, `grep`";
                    self.say(format!("{place}.steps[{m}].command"), format!("starts `{program}`"), hint);
                }
            }
        }
    }

    fn disagreements(&mut self) {
        for (n, d) in self.incident.disagreements.iter().enumerate() {
            let place = format!("disagreements[{n}]");
            self.text(format!("{place}.topic"), &d.topic);
            if d.claims.len() < 2 {
                let hint = "list who says what, two at least, or remove it";
                self.say(format!("{place}.claims"), "nobody disagrees", hint);
            }
            for (m, c) in d.claims.iter().enumerate() {
                self.text(format!("{place}.claims[{m}].says"), &c.says);
            }
        }
    }

    fn examples(&mut self) {
        let incident = self.incident;
        if incident.examples.is_empty() {
            self.say("examples", "none", "add an input that must be found");
        }
        if incident.near_misses.is_empty() {
            self.say("near_misses", "none", "add a look-alike that must not be found");
        }
        for (n, e) in incident.examples.iter().enumerate() {
            let place = format!("examples[{n}]");
            if e.expect.is_empty() && e.lookups.is_empty() {
                let hint = "list `exposure/confidence` of each finding of `files`, or give `lookups`";
                self.say(place.clone(), "nothing to find", hint);
            }
            for (m, expect) in e.expect.iter().enumerate() {
                if !is_expectation(expect) {
                    let what = format!("`{expect}` is no finding");
                    self.say(
                        format!("{place}.expect[{m}]"),
                        what,
                        "write `installed/confirmed`, `referenced/likely` …",
                    );
                }
            }
            self.case(&place, e);
        }
        for (n, e) in incident.near_misses.iter().enumerate() {
            let place = format!("near_misses[{n}]");
            if !e.expect.is_empty() {
                self.say(format!("{place}.expect"), "a near miss that is found", "move it to `examples`");
            }
            if e.files.is_empty() && e.lookups.is_empty() {
                self.say(place.clone(), "nothing to look at", "give `files`, or `lookups`");
            }
            self.case(&place, e);
        }
    }

    fn case(&mut self, place: &str, e: &Example) {
        self.text(format!("{place}.title"), &e.title);
        for path in e.files.keys() {
            if path.starts_with('/') && crate::fact::TreePath::new(path.as_bytes()).is_some() {
                continue;
            }
            let hint = "write it from the root: `/home/dev/x`";
            self.say(format!("{place}.files"), format!("`{path}` is no path of the tree"), hint);
        }
    }
}

fn is_expectation(text: &str) -> bool {
    let exposures =
        [Exposure::Referenced, Exposure::Cached, Exposure::Removed, Exposure::Installed, Exposure::Executed];
    let confidences = [Confidence::Possible, Confidence::Likely, Confidence::Confirmed];
    text.split_once('/')
        .is_some_and(|(e, c)| exposures.iter().any(|x| x.as_str() == e) && confidences.iter().any(|x| x.as_str() == c))
}

/// The interpreter or package manager that a command starts, if it does.
fn starts(command: &str) -> Option<&str> {
    let mut first = true;
    for word in command.split_inclusive([' ', '\t', '\n', '|', ';', '&', '(', '`']) {
        let bare = word.trim_matches([' ', '\t', '\n', '|', ';', '&', '(', ')', '`', '$', '"', '\'']);
        let prefix = ["sudo", "env", "exec", "command", "nohup", "time", "xargs"].contains(&bare);
        let assignment = bare.split_once('=').is_some_and(|(name, _)| !name.is_empty() && !name.contains(['-', '/']));
        if first && !bare.is_empty() && !prefix && !assignment && !bare.starts_with('-') {
            let program = bare.rsplit('/').next().unwrap_or(bare);
            let fits = |known: &&&str| match known.strip_suffix('*') {
                Some(start) => {
                    program.strip_prefix(start).is_some_and(|r| r.chars().all(|c| c.is_ascii_digit() || c == '.'))
                }
                None => program == **known,
            };
            if INTERPRETERS.iter().find(fits).is_some() {
                return Some(program);
            }
            first = false;
        }
        first |= word.ends_with(['|', ';', '&', '(', '`', '\n']);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_run_the_payload_again() {
        for (command, program) in [
            ("python3.11 -m pip list", "python3.11"),
            ("sudo /usr/bin/pip uninstall made-up", "pip"),
            ("ls | xargs npm ls", "npm"),
            ("echo $(node -v)", "node"),
            ("A=1 uv pip list", "uv"),
        ] {
            assert_eq!(starts(command), Some(program), "{command}");
        }
        for command in ["grep -rn python .", "ls ~/.npm", "systemctl --user stop node.service", "find / -name pip"] {
            assert_eq!(starts(command), None, "{command}");
        }
    }
}
