//! What stands before the command that counts: `sudo -E`, `A=b`, `docker exec c`, `bash -c '…'`.

use crate::shell::args::{Long, Options, base_name};

/// What is left behind prefixes.
pub enum Inner<'w> {
    /// A command's words.
    Command(&'w [String]),
    /// A text for another shell.
    Script(String),
    /// A shell that runs what it reads from its standard input.
    Input,
    /// No command, or one that is not run.
    Nothing,
}

/// A program that runs another one: its options stand first, then so many words of its own.
struct Runner {
    names: &'static [&'static str],
    options: Options,
    own_words: usize,
}

const fn runner(names: &'static [&'static str], short: &'static str, long: &'static [&'static str]) -> Runner {
    Runner { names, options: Options { short, long: Long::Valued(long) }, own_words: 0 }
}

const fn behind(mut runner: Runner, own_words: usize) -> Runner {
    runner.own_words = own_words;
    runner
}

static RUNNERS: &[Runner] = &[
    runner(
        &["sudo", "doas"],
        "ughpCDRTUrt",
        &["user group host prompt close-from chdir chroot command-timeout other-user"],
    ),
    runner(&["env"], "uC", &["unset chdir"]),
    runner(&["nice", "ionice"], "ncp", &["adjustment class classdata"]),
    runner(&["time"], "fo", &["format output"]),
    runner(&["exec"], "a", &[]),
    runner(&["stdbuf"], "ioe", &["input output error"]),
    runner(&["xargs"], "aEIdLnPs", &["arg-file delimiter max-args max-lines max-procs replace"]),
    runner(&["runuser"], "ugGs", &["user group supp-group shell"]),
    runner(&["nohup", "builtin", "noglob", "nocorrect", "setsid", "unbuffer", "caffeinate", "torsocks"], "", &[]),
    // Words of shell grammar, also of fish.
    runner(&["{", "!", "if", "then", "else", "elif", "do", "while", "until", "and", "or", "not", "begin"], "", &[]),
    behind(runner(&["timeout"], "ks", &["kill-after signal"]), 1),
    behind(runner(&["chroot"], "", &[]), 1),
];

/// Programs that run what follows a word of theirs: `poetry run pip install x`.
static RUN: &[(&str, Options)] = &[
    ("poetry", Options { short: "CP", long: Long::Valued(&["directory project"]) }),
    ("pdm", Options { short: "p", long: Long::Valued(&["project"]) }),
    ("pipenv", Options { short: "", long: Long::Valued(&[]) }),
    ("hatch", Options { short: "e", long: Long::Valued(&["env"]) }),
    ("conda", CONDA),
    ("mamba", CONDA),
    ("micromamba", CONDA),
];
const CONDA: Options = Options { short: "npr", long: Long::Valued(&["name prefix root-prefix cwd"]) };

const SSH: Options = Options { short: "BbcDEeFIiJLlmOoPpQRSWw", long: Long::Valued(&[]) };
/// Letters of `docker run` and `exec`; its many long options take a value but for these.
const DOCKER: Options = Options {
    short: "eulmpvwhacfgnH",
    long: Long::Flags(
        "detach disable-content-trust help init interactive latest no-TTY no-deps no-healthcheck no-hosts \
        oom-kill-disable privileged publish-all quiet read-only replace rm rmi service-ports sig-proxy \
        tls-verify tty build use-aliases debug remote",
    ),
};

/// Whether a program is a shell that takes `-c`.
pub fn is_shell(name: &str) -> bool {
    matches!(name, "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" | "fish")
}

/// Takes prefixes off until the command that counts, or the text for another shell, is left.
pub fn strip(mut words: &[String]) -> Inner<'_> {
    while let Some((first, rest)) = words.split_first() {
        let name = base_name(first);
        words = if is_assignment(first) {
            rest
        } else if let Some(runner) = RUNNERS.iter().find(|r| r.names.contains(&name)) {
            behind_options(&runner.options, rest, runner.own_words)
        } else {
            match name {
                // `command -v pip` only asks.
                "command" => match rest.split_first() {
                    Some((option, _)) if option.starts_with('-') && option != "-p" && option != "--" => {
                        return Inner::Nothing;
                    }
                    Some((option, behind)) if option.starts_with('-') => behind,
                    _ => rest,
                },
                "eval" => return Inner::Script(rest.join(" ")),
                "ssh" => {
                    let remote = behind_options(&SSH, rest, 1);
                    return if remote.is_empty() { Inner::Input } else { Inner::Script(remote.join(" ")) };
                }
                "su" => return minus_c(rest, false),
                "docker" | "podman" | "nerdctl" | "docker-compose" | "podman-compose" => container(rest),
                "kubectl" | "oc" => behind_dashes(rest),
                name if is_shell(name) => return minus_c(rest, true),
                name => match RUN.iter().find(|(tool, _)| *tool == name) {
                    Some((_, options)) => {
                        let parsed = options.leading(rest);
                        if parsed.plain.first() != Some(&"run") {
                            return Inner::Command(words);
                        }
                        behind_options(options, parsed.behind, 0)
                    }
                    None => return Inner::Command(words),
                },
            }
        };
    }
    Inner::Nothing
}

/// `A=b`, `A+=b`.
fn is_assignment(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else {
        return false;
    };
    let name = name.strip_suffix('+').unwrap_or(name);
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What stands behind the options and `own` plain words.
fn behind_options<'w>(options: &Options, words: &'w [String], own: usize) -> &'w [String] {
    let parsed = options.leading(words);
    if own > 0 {
        return parsed.behind.get(own - 1..).unwrap_or_default();
    }
    let at = words.len() - parsed.behind.len();
    if parsed.plain.is_empty() { &[] } else { words.get(at - 1..).unwrap_or_default() }
}

const SHELL: Options = Options { short: "oO", long: Long::Valued(&["rcfile init-file"]) };

/// The text behind `-c`, `-lc`, `-o pipefail -c`; without it the standard input, where no plain word is the name of a script
/// (`named`; behind `-s` all are arguments).
fn minus_c(words: &[String], named: bool) -> Inner<'_> {
    let is_c = |w: &String| w.starts_with('-') && !w.starts_with("--") && w.ends_with('c') || w == "--command";
    let Some(at) = words.iter().position(is_c) else {
        let parsed = SHELL.leading(words);
        let reads = !named || parsed.plain.is_empty() || parsed.has(&["s"]);
        return if reads { Inner::Input } else { Inner::Nothing };
    };
    let mut behind = words.iter().skip(at + 1).skip_while(|w| w.starts_with('-'));
    behind.next().map_or(Inner::Nothing, |text| Inner::Script(text.clone()))
}

/// `exec [-it] c <this>`, `run [-v a:b] image <this>`, also behind `container` and `compose`.
fn container(words: &[String]) -> &[String] {
    let mut parsed = DOCKER.leading(words);
    if matches!(parsed.plain.first(), Some(&("container" | "compose"))) {
        parsed = DOCKER.leading(parsed.behind);
    }
    match parsed.plain.first() {
        Some(&("exec" | "run")) => behind_options(&DOCKER, parsed.behind, 1),
        _ => &[],
    }
}

fn behind_dashes(words: &[String]) -> &[String] {
    let at = words.iter().position(|w| w == "--").unwrap_or(words.len());
    words.get(at + 1..).unwrap_or_default()
}
