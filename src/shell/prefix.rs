//! What stands before the command that counts: `sudo -E`, `A=b`, `docker exec c`, `bash -c '…'`.

use crate::{
    fact::Whereabouts,
    shell::{
        args::{Long, Options, base_name},
        whereabouts,
    },
};

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
    runner(
        &["run0"],
        "ugDM",
        &["user group nice chdir setenv unit slice slice-inherit machine property description background"],
    ),
    runner(&["env"], "uC", &["unset chdir"]),
    runner(&["pkexec"], "", &["user"]),
    runner(&["sshpass"], "pfdP", &[]),
    runner(&["nice", "ionice"], "ncp", &["adjustment class classdata"]),
    runner(&["time"], "fo", &["format output"]),
    runner(&["exec"], "a", &[]),
    runner(&["stdbuf"], "ioe", &["input output error"]),
    runner(&["xargs"], "aEIdLnPs", &["arg-file delimiter max-args max-lines max-procs replace"]),
    runner(&["runuser"], "ugGs", &["user group supp-group shell"]),
    runner(&["nohup", "builtin", "noglob", "nocorrect", "setsid", "unbuffer", "caffeinate", "torsocks"], "", &[]),
    runner(&["torify", "tsocks", "chronic", "firejail", "fakeroot", "fakechroot", "setpriv", "prlimit"], "", &[]),
    runner(&["dbus-run-session", "with-contenv", "xvfb-run", "catchsegv", "numactl", "softlimit"], "", &[]),
    runner(
        &["unshare"],
        "SGRw",
        &["setuid setgid root wd map-user map-group map-users map-groups propagation setgroups monotonic boottime"],
    ),
    runner(&["proot"], "rbRSwkiq", &["rootfs bind mount cwd pwd kernel-release change-id qemu"]),
    runner(&["proxychains", "proxychains4"], "f", &[]),
    runner(&["strace", "ltrace"], "abeEIopPsSuUX", &[]),
    runner(&["wsl"], "du", &["distribution user cd"]),
    runner(&["screen"], "cehpsSTt", &[]),
    runner(&["parallel"], "jnNIL", &["jobs max-args max-lines max-procs colsep delay retries timeout joblog results"]),
    runner(
        &["srun"],
        "pncNJtAGwD",
        &["partition nodes ntasks cpus-per-task mem time account job-name gres gpus nodelist"],
    ),
    runner(
        &["systemd-run"],
        "upEMH",
        &["unit property setenv machine host slice uid gid nice working-directory service-type description \
        on-active on-boot on-calendar"],
    ),
    runner(
        &["systemd-nspawn"],
        "DMiuEpSHL",
        &["directory image machine user setenv bind bind-ro inaccessible overlay overlay-ro tmpfs template chdir \
        hostname slice property capability drop-capability network-interface port root-hash volatile settings console \
        resolv-conf timezone link-journal private-users uuid kill-signal"],
    ),
    runner(&["flatpak-spawn"], "", &["env directory forward-fd unset-env env-fd app-path usr-path"]),
    runner(&["nsenter"], "tSG", &["target setuid setgid"]),
    runner(&["lima"], "", &[]),
    // Words of shell grammar, also of fish.
    runner(&["{", "!", "if", "then", "else", "elif", "do", "while", "until", "and", "or", "not", "begin"], "", &[]),
    behind(runner(&["timeout"], "ks", &["kill-after signal"]), 1),
    behind(runner(&["chroot"], "", &[]), 1),
    behind(runner(&["gosu", "su-exec", "s6-setuidgid", "setuidgid"], "", &[]), 1),
    behind(runner(&["arch-chroot", "envdir", "s6-envdir"], "u", &[]), 1),
    behind(runner(&["chrt"], "", &[]), 1),
    runner(&["chpst"], "uUbeEnolmdpfcrt/", &[]),
    behind(runner(&["flock"], "wEc", &["timeout wait"]), 1),
    behind(runner(&["taskset"], "", &[]), 1),
    behind(runner(&["faketime"], "", &[]), 1),
];

/// A program that runs what follows a word of its own, and so many words behind that: `poetry run pip install x`.
struct Nested {
    tool: &'static str,
    words: &'static [&'static str],
    options: Options,
    own_words: usize,
    /// It runs in a container or a virtual machine of this machine.
    within: bool,
}

const fn nested(tool: &'static str, words: &'static [&'static str], options: Options, own_words: usize) -> Nested {
    Nested { tool, words, options, own_words, within: false }
}

const fn within(mut nested: Nested) -> Nested {
    nested.within = true;
    nested
}

static NESTED: &[Nested] = &[
    nested("poetry", &["run"], Options { short: "CP", long: Long::Valued(&["directory project"]) }, 0),
    nested("pdm", &["run"], Options { short: "p", long: Long::Valued(&["project"]) }, 0),
    nested("pipenv", &["run"], PLAIN, 0),
    nested("hatch", &["run"], Options { short: "e", long: Long::Valued(&["env"]) }, 0),
    nested("rye", &["run"], PLAIN, 0),
    nested("pixi", &["run"], Options { short: "e", long: Long::Valued(&["environment manifest-path"]) }, 0),
    nested("conda", &["run"], CONDA, 0),
    nested("mamba", &["run"], CONDA, 0),
    nested("micromamba", &["run"], CONDA, 0),
    nested("pyenv", &["exec"], PLAIN, 0),
    nested("asdf", &["exec"], PLAIN, 0),
    nested("direnv", &["exec"], PLAIN, 1),
    // It has the home of whoever calls it.
    nested("snap", &["run"], Options { short: "r", long: Long::Valued(&["revision command"]) }, 0),
    nested("toolbox", &["run"], Options { short: "cdr", long: Long::Valued(&["container distro release"]) }, 0),
    within(nested("devcontainer", &["exec"], DEVCONTAINER, 0)),
    within(nested("limactl", &["shell"], Options { short: "", long: Long::Valued(&["shell workdir"]) }, 1)),
    within(nested("multipass", &["exec"], Options { short: "d", long: Long::Valued(&["working-directory"]) }, 1)),
    within(nested("machinectl", &["shell"], Options { short: "EM", long: Long::Valued(&["setenv uid machine"]) }, 1)),
    within(nested("crictl", &["exec"], Options { short: "", long: Long::Valued(&["timeout"]) }, 1)),
    nested("apptainer", &["exec", "run"], CONTAINED, 1),
    nested("singularity", &["exec", "run"], CONTAINED, 1),
];
const PLAIN: Options = Options { short: "", long: Long::Valued(&[]) };
const CONTAINED: Options =
    Options { short: "BHSW", long: Long::Valued(&["bind home env pwd workdir overlay scratch"]) };
const DEVCONTAINER: Options = Options {
    short: "",
    long: Long::Valued(&["workspace-folder container-id id-label config override-config remote-env docker-path \
        docker-compose-path user-data-folder mount-workspace-git-root log-level default-user-env-probe"]),
};
const CONDA: Options = Options { short: "npr", long: Long::Valued(&["name prefix root-prefix cwd"]) };

const AUTOSSH: Options = Options { short: "BbcDEeFIiJLlMmOoPpQRSWw", long: Long::Valued(&[]) };
const MOSH: Options = Options {
    short: "p",
    long: Long::Valued(&["client server predict family ssh port bind-server experimental-remote-ip"]),
};
const SSH: Options = Options { short: "BbcDEeFIiJLlmOoPpQRSWw", long: Long::Valued(&[]) };
const DAEMON: Options = Options {
    short: "pcugnNxaRskIPrd",
    long: Long::Valued(&["pidfile chuid user group name nicelevel exec startas retry signal chdir chroot iosched \
        procsched umask output"]),
};
/// Letters of `docker run` and `exec`; its many long options take a value but for these.
pub(super) const DOCKER: Options = Options {
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

/// Takes prefixes off until the command that counts, or the text for another shell, is left. `sets` takes up the variables that are
/// set for it, `at` as whom and where it runs.
pub fn strip<'w>(mut words: &'w [String], sets: &mut Vec<&'w str>, at: &mut Whereabouts) -> Inner<'w> {
    while let Some((first, rest)) = words.split_first() {
        let name = base_name(first);
        words = if is_assignment(first) {
            sets.push(first);
            rest
        } else if name == "runuser" && !rest.iter().any(|w| w.starts_with("-u") || w.starts_with("--user")) {
            whereabouts::by_su(rest, at);
            return minus_c(rest, false);
        } else if let Some(runner) = RUNNERS.iter().find(|r| r.names.contains(&name)) {
            whereabouts::by_runner(name, &runner.options, rest, at);
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
                "ssh" | "autossh" | "mosh" => {
                    let options = match name {
                        "ssh" => &SSH,
                        "autossh" => &AUTOSSH,
                        _ => &MOSH,
                    };
                    whereabouts::by_ssh(options, rest, at);
                    let remote = behind_options(options, rest, 1);
                    let remote = remote.strip_prefix(&["--".to_owned()]).unwrap_or(remote);
                    return if remote.is_empty() { Inner::Input } else { Inner::Script(remote.join(" ")) };
                }
                "sg" => return minus_c(rest, false),
                "start-stop-daemon" => {
                    whereabouts::by_runner(name, &DAEMON, rest, at);
                    let exec = |w: &String| matches!(w.as_str(), "--exec" | "-x" | "--startas" | "-a");
                    rest.iter().rposition(exec).and_then(|at| rest.get(at + 1..)).unwrap_or_default()
                }
                // What follows is read as if it stood alone.
                "tailscale" | "tsh" => match rest.first().map(String::as_str) {
                    Some("ssh") => rest,
                    _ => return Inner::Nothing,
                },
                "su" => {
                    whereabouts::by_su(rest, at);
                    return minus_c(rest, false);
                }
                "podman" if rest.first().is_some_and(|w| w == "machine") => {
                    whereabouts::inside("podman machine".into(), at);
                    let behind = rest.get(1..).filter(|r| r.first().is_some_and(|w| w == "ssh"));
                    return behind.and_then(|r| r.get(1..)).map_or(Inner::Nothing, |r| Inner::Script(r.join(" ")));
                }
                "docker" | "podman" | "nerdctl" | "docker-compose" | "podman-compose" => {
                    container(rest, name.ends_with("-compose"), at)
                }
                // Its mounts may have been named when the container was made.
                "bwrap" => whereabouts::by_bwrap(rest, at),
                // What an app may see stands in its own settings.
                "flatpak" if rest.iter().any(|w| w == "run") => {
                    whereabouts::inside("flatpak".into(), at);
                    return flatpak(rest);
                }
                "buildah" => {
                    let behind = container(rest, true, at);
                    behind.strip_prefix(&["--".to_owned()]).unwrap_or(behind)
                }
                "kubectl" | "oc" | "microk8s.kubectl" => {
                    whereabouts::by_kubectl(rest, name.starts_with("microk8s"), at);
                    behind_dashes(rest)
                }
                "k3s" | "microk8s" | "minikube" if rest.first().is_some_and(|w| w == "kubectl") => {
                    let own = rest.get(1..).unwrap_or_default();
                    let own = own.strip_prefix(&["--".to_owned()]).unwrap_or(own);
                    whereabouts::by_kubectl(own, true, at);
                    behind_dashes(own)
                }
                "lxc" | "incus" | "colima" | "minikube" => {
                    whereabouts::inside(Whereabouts::UNSAID.into(), at);
                    behind_dashes(rest)
                }
                "schroot" | "proot-distro" | "mise" | "rtx" | "distrobox" | "distrobox-enter" | "aws-vault" | "op"
                | "doppler" | "guix" => behind_dashes(rest),
                "vagrant" => {
                    whereabouts::inside("vagrant".into(), at);
                    return text_behind(rest, &["-c", "--command"]);
                }
                "script" => return text_behind(rest, &["-c", "--command"]),
                "nix-shell" => return text_behind(rest, &["--run", "--command"]),
                "gcloud" => {
                    whereabouts::by_gcloud(rest, at);
                    return text_behind(rest, &["--command"]);
                }
                "ansible" => {
                    whereabouts::by_ansible(rest, at);
                    return text_behind(rest, &["-a", "--args"]);
                }
                "watch" => return Inner::Script(behind_options(&WATCH, rest, 0).join(" ")),
                "tmux" => return Inner::Script(behind_options(&TMUX, TMUX.leading(rest).behind, 0).join(" ")),
                "find" => executed(rest),
                name if is_shell(name) => return minus_c(rest, true),
                name => match NESTED.iter().find(|n| n.tool == name) {
                    Some(nested) => {
                        let parsed = nested.options.leading(rest);
                        if !parsed.plain.first().is_some_and(|word| nested.words.contains(word)) {
                            return Inner::Command(words);
                        }
                        if nested.within {
                            whereabouts::inside(name.into(), at);
                        }
                        let behind = behind_options(&nested.options, parsed.behind, nested.own_words);
                        behind.strip_prefix(&["--".to_owned()]).unwrap_or(behind)
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
fn container<'w>(words: &'w [String], mut in_file: bool, at: &mut Whereabouts) -> &'w [String] {
    let global = DOCKER.leading(words);
    let mut parsed = DOCKER.leading(words);
    if let Some(&("container" | "compose")) = parsed.plain.first() {
        in_file |= parsed.plain.first() == Some(&"compose");
        parsed = DOCKER.leading(parsed.behind);
    }
    match parsed.plain.first() {
        Some(verb @ &("exec" | "run")) => {
            let own = DOCKER.leading(parsed.behind);
            whereabouts::by_engine(&global, &own, *verb == "run", in_file, at);
            let command = behind_options(&DOCKER, parsed.behind, 1);
            // `$OPTS image pip …`, or `$IMAGE pip …`.
            let unknown = own.plain.first().is_some_and(|word| whereabouts::is_unknown(word));
            if unknown && !is_program(command) { DOCKER.leading(command).behind } else { command }
        }
        _ => &[],
    }
}

/// Whether words begin with a program that is looked at.
fn is_program(words: &[String]) -> bool {
    let known = |(command, behind): (Option<_>, Option<_>)| command.is_some() || behind.is_some();
    let first = words.first().map(|w| base_name(w)).unwrap_or_default();
    is_shell(first)
        || RUNNERS.iter().any(|r| r.names.contains(&first))
        || super::node::recognise(words).is_some_and(known)
        || known(super::python::recognise(words))
        || super::python::starts(words).is_some()
}

/// `flatpak run --command=pip org.example.App install x`.
fn flatpak(words: &[String]) -> Inner<'_> {
    let command = words.iter().find_map(|w| w.strip_prefix("--command="));
    let mut plain = words.iter().skip_while(|w| *w != "run").skip(1).skip_while(|w| w.starts_with('-'));
    let (Some(command), Some(_)) = (command, plain.next()) else {
        return Inner::Nothing;
    };
    let rest: Vec<String> = plain.map(|w| format!("'{}'", w.replace('\'', "'\\''"))).collect();
    Inner::Script(format!("{command} {}", rest.join(" ")))
}

const WATCH: Options = Options { short: "nq", long: Long::Valued(&["interval equexit"]) };
/// Before its command, and behind `new-session`, `send-keys` and the like.
const TMUX: Options = Options { short: "cefFLlnpsStxy", long: Long::Valued(&[]) };

/// The value of an option that holds a text for a shell.
fn text_behind<'w>(words: &'w [String], options: &[&str]) -> Inner<'w> {
    let text = words.iter().enumerate().find_map(|(at, word)| match word.split_once('=') {
        Some((name, text)) if name.starts_with("--") && options.contains(&name) => Some(text.to_owned()),
        _ => options.contains(&word.as_str()).then(|| words.get(at + 1).cloned()).flatten(),
    });
    text.map_or(Inner::Nothing, Inner::Script)
}

/// What `find` runs: `-exec <this> ;`.
fn executed(words: &[String]) -> &[String] {
    let at = words.iter().position(|w| matches!(w.as_str(), "-exec" | "-execdir" | "-ok" | "-okdir"));
    let behind = at.and_then(|at| words.get(at + 1..)).unwrap_or_default();
    let end = behind.iter().position(|w| matches!(w.as_str(), ";" | "+")).unwrap_or(behind.len());
    behind.get(..end).unwrap_or_default()
}

fn behind_dashes(words: &[String]) -> &[String] {
    let at = words.iter().position(|w| w == "--").unwrap_or(words.len());
    words.get(at + 1..).unwrap_or_default()
}
