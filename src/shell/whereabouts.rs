//! As whom and where a command runs, by the words that stand before it: `sudo -u bob`, `ssh build1`, `docker run -v ~/.aws:/root/.aws`.
//!
//! Only names and paths of an ordinary form leave this module. What stands in a variable, or depends on a file or on the working
//! folder, is reported as unsaid, so that nobody takes it for out of reach.

use super::args::{Options, Parsed};
use crate::accounts::is_loopback;
use crate::fact::{Container, Whereabouts};

const ROOT: &str = "root";
/// A longer path is not kept.
const PATH: usize = 512;
/// Mounts of one container that are kept.
const MOUNTS: usize = 100;

/// A name of an ordinary form, or `UNSAID`.
fn name(word: &str) -> Box<str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    let ordinary = !word.is_empty() && word.len() <= 255 && word.chars().all(plain);
    if ordinary { word.into() } else { Whereabouts::UNSAID.into() }
}

/// `sudo`, `doas`, `runuser` and whatever else stands before a command.
pub fn by_runner(runner: &str, options: &Options, words: &[String], at: &mut Whereabouts) {
    let parsed = options.leading(words);
    match runner {
        "sudo" | "doas" | "pkexec" | "run0" => {
            at.account = Some(parsed.values(&["u", "user"]).last().map_or_else(|| ROOT.into(), name));
        }
        "runuser" => at.account = Some(parsed.values(&["u", "user"]).last().map_or_else(|| ROOT.into(), name)),
        "start-stop-daemon" => {
            let named = parsed.values(&["c", "chuid", "u", "user"]).last();
            at.account = named.map(|user| name(user.split(':').next().unwrap_or(user))).or_else(|| Some(ROOT.into()));
        }
        "chpst" => {
            let named = parsed.values(&["u"]).last();
            at.account = named.map(|user| name(user.split(':').next().unwrap_or(user))).or_else(|| at.account.take());
        }
        "gosu" | "su-exec" | "s6-setuidgid" | "setuidgid" => {
            let user = parsed.plain.first().copied().unwrap_or_default();
            at.account = Some(name(user.split(':').next().unwrap_or(user)));
        }
        "systemd-run" if !parsed.has(&["user"]) => {
            at.account = Some(parsed.values(&["uid"]).last().map_or_else(|| ROOT.into(), name));
            if let Some(machine) = parsed.values(&["M", "machine"]).last() {
                inside(name(machine), at);
            }
        }
        "systemd-nspawn" | "lima" => inside(runner.into(), at),
        _ => {}
    }
}

const SU: Options = Options { short: "cgGsTw", long: super::args::Long::Valued(&["command group shell"]) };

/// `su [-] [user] -c …`, `runuser -l user -c …`.
pub fn by_su(words: &[String], at: &mut Whereabouts) {
    let parsed = SU.all(words);
    let user = parsed.plain.iter().find(|w| **w != "-").map_or_else(|| ROOT.into(), |w| name(w));
    at.account = Some(user);
}

/// `ssh -A al@host`: another machine, unless its name is one of this one's own.
pub fn by_ssh(options: &Options, words: &[String], at: &mut Whereabouts) {
    let parsed = options.leading(words);
    let Some(target) = parsed.plain.first() else {
        return;
    };
    let target = target.strip_prefix("ssh://").unwrap_or(target);
    let (user, host) = target.rsplit_once('@').map_or((None, target), |(user, host)| (Some(user), host));
    let own = parsed.options.iter().filter(|(name, _)| name == "l").map(|(_, user)| *user).next_back();
    let options = words.len() - parsed.behind.len();
    let forwards = words.iter().take(options).any(|w| is_forwarding(w)) || {
        let settings = parsed.values(&["o"]).map(|o| o.to_ascii_lowercase().replace(['=', ' ', '"'], ""));
        settings.filter_map(|o| o.strip_prefix("forwardagent").map(str::to_owned)).any(|v| v != "no")
    };
    let host = host.trim_matches(['[', ']']);
    // A port belongs to a URL only; an address of IPv6 has more colons.
    let host = host.split_once(':').filter(|(_, port)| !port.contains(':')).map_or(host, |(host, _)| host);
    let real = parsed.values(&["o"]).find_map(|setting| {
        let (key, value) = setting.trim_start().split_once(['=', ' '])?;
        key.eq_ignore_ascii_case("hostname").then(|| value.trim_matches(['=', ' ', '"']))
    });
    // Which machine a name means may stand in another file of settings.
    let elsewhere_said = parsed.values(&["F"]).any(|file| !matches!(file, "none" | "/dev/null"));
    let host = match real {
        Some(real) => name(real.trim_matches(['[', ']'])),
        None if elsewhere_said && !is_loopback(host) => Whereabouts::UNSAID.into(),
        None => name(host),
    };
    elsewhere(host, at);
    at.agent |= forwards;
    at.account = user.or(own).map(name);
}

/// `-A` among the letters of a word before one that takes a value.
fn is_forwarding(word: &str) -> bool {
    let Some(letters) = word.strip_prefix('-').filter(|l| !l.starts_with('-')) else {
        return false;
    };
    letters.chars().take_while(|c| !"BbcDEeFIiJLlmOoPpQRSWw".contains(*c)).any(|c| c == 'A')
}

/// On another machine, of which nothing else is known. From another one, `localhost` is that one.
pub fn elsewhere(machine: Box<str>, at: &mut Whereabouts) {
    let keeps = at.machine.is_some() && is_loopback(&machine);
    let machine = at.machine.take().filter(|_| keeps).unwrap_or(machine);
    *at = Whereabouts { machine: Some(machine), agent: at.agent, ..Whereabouts::default() };
}

/// Whether a cluster of this name usually runs on the machine of whoever names it.
fn is_local_cluster(name: &str) -> bool {
    const NAMES: &[&str] =
        &["minikube", "docker-desktop", "docker-for-desktop", "rancher-desktop", "orbstack", "microk8s", "default"];
    const STARTS: &[&str] = &["kind-", "k3d-", "k3s", "colima", "microk8s-"];
    NAMES.contains(&name) || STARTS.iter().any(|start| name.starts_with(start))
}

/// `kubectl exec -n shop web-0 -c app -- …`; `local` where the program belongs to a cluster on this machine: what folders of it a
/// pod has is not known then.
pub fn by_kubectl(words: &[String], local: bool, at: &mut Whereabouts) {
    const KUBECTL: Options = Options {
        short: "ncs",
        long: super::args::Long::Valued(&[
            "namespace container context kubeconfig cluster user server token as pod-running-timeout filename image \
             request-timeout as-group",
        ]),
    };
    let before: Vec<String> = words.iter().take_while(|w| *w != "--").cloned().collect();
    let parsed = KUBECTL.all(&before);
    let pod = parsed.plain.get(1).map_or_else(|| Whereabouts::UNSAID.into(), |w| name(w));
    let on_loopback = |url: &str| {
        let host = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default();
        is_loopback(host.rsplit_once(':').map_or(host, |(host, _)| host).trim_matches(['[', ']']))
    };
    let local = local
        || parsed.values(&["context", "cluster"]).any(is_local_cluster)
        || parsed.values(&["s", "server"]).any(on_loopback)
        || parsed.values(&["kubeconfig"]).any(|file| ["k3s", "microk8s"].iter().any(|c| file.contains(c)));
    if local {
        return inside(pod, at);
    }
    let pod = if &*pod == Whereabouts::UNSAID { "a pod".to_owned() } else { format!("pod {pod}") };
    elsewhere(pod.into(), at);
}

/// `gcloud compute ssh al@vm --command=…`.
pub fn by_gcloud(words: &[String], at: &mut Whereabouts) {
    let behind = words.iter().skip_while(|w| *w != "ssh").skip(1);
    let host = behind.map(String::as_str).find(|w| !w.starts_with('-')).unwrap_or_default();
    elsewhere(name(host.rsplit('@').next().unwrap_or(host)), at);
}

/// `ansible web -a …`: which machines that are stands in a file; `localhost` is this one.
pub fn by_ansible(words: &[String], at: &mut Whereabouts) {
    let hosts = words.iter().find(|w| !w.starts_with('-')).map_or("", String::as_str);
    elsewhere(if is_loopback(hosts) { hosts.into() } else { Whereabouts::UNSAID.into() }, at);
}

/// In a container of which nothing but its name is known, or a virtual machine.
pub fn inside(name: Box<str>, at: &mut Whereabouts) {
    at.container = Some(Container { name, more_mounts: true, environment: true, ..Container::default() });
    at.account = None;
    (at.environment, at.folder) = (None, None);
}

/// What `docker`, `podman` and the like say before `run` or `exec`, behind it, and the image or container.
pub fn by_engine(global: &Parsed<'_>, own: &Parsed<'_>, runs: bool, in_file: bool, at: &mut Whereabouts) {
    let local = ["default", "desktop-linux", "rancher-desktop", "colima", "orbstack", "rootless"];
    let contexts = ["context", "c", "connection"];
    if global.values(&contexts).any(|name| !local.contains(&name)) {
        elsewhere(Whereabouts::UNSAID.into(), at);
    }
    if let Some(host) = global.values(&["H", "host", "url"]).last()
        && (host.starts_with("ssh://") || host.starts_with("tcp://"))
    {
        let host = host.split_once("://").map_or(host, |(_, rest)| rest);
        let host = host.rsplit('@').next().unwrap_or(host).split([':', '/']).next().unwrap_or_default();
        elsewhere(name(host), at);
    }
    let outer = at.container.take();
    let mut container = Container {
        name: own.plain.first().map_or_else(|| Whereabouts::UNSAID.into(), |w| name(w)),
        more_mounts: !runs || in_file || own.has(&["volumes-from"]) || is_unclear(own),
        environment: !runs || in_file || is_unclear(own),
        // An engine that is used in a container is the machine's.
        whole_host: outer.is_some_and(|o| o.whole_host),
        ..Container::default()
    };
    let on = |names: &[&str]| own.values(names).any(|v| v != "false");
    container.whole_host |= on(&["privileged", "use-api-socket"])
        || own.values(&["pid"]).any(|v| v == "host")
        || own.values(&["cap-add"]).any(is_powerful)
        || own.values(&["device"]).any(is_disk);
    own.values(&["v", "volume"]).for_each(|v| mount(v.split(':').next().filter(|_| v.contains(':')), &mut container));
    for mounted in own.values(&["mount"]) {
        let field = |names: &[&str]| {
            mounted.split(',').find_map(|f| f.split_once('=').filter(|(key, _)| names.contains(key)).map(|(_, v)| v))
        };
        if !matches!(field(&["type"]), Some("volume" | "tmpfs" | "image")) {
            mount(field(&["source", "src"]), &mut container);
        }
    }
    own.values(&["env-file"]).for_each(|file| mount(Some(&with_folder(file)), &mut container));
    container.environment |= own.values(&["e", "env"]).any(|v| !v.contains('=') || v.contains('$'));
    at.container = Some(container);
    at.account = own.values(&["u", "user"]).last().map(|u| name(u.split(':').next().unwrap_or(u)));
    (at.environment, at.folder) = (None, None);
}

/// Whether a word stands for others that nobody knows: `$OPTS`, `"${ARGS[@]}"`.
pub fn is_unknown(word: &str) -> bool {
    word.starts_with(['$', '`'])
}

/// Options of `bwrap` by how many values they take; those of one value are the rest of the ones that take any.
const BWRAP: [(usize, &str); 3] = [
    (
        2,
        "bind dev-bind ro-bind bind-try dev-bind-try ro-bind-try bind-fd ro-bind-fd symlink setenv file bind-data \
         ro-bind-data chmod",
    ),
    (3, "overlay"),
    (
        1,
        "proc dev tmpfs mqueue dir remount-ro unsetenv chdir hostname uid gid lock-file sync-fd exec-label file-label \
         seccomp add-seccomp-fd block-fd userns-block-fd info-fd json-status-fd perms size cap-add cap-drop args \
         overlay-src tmp-overlay ro-overlay userns userns2 pidns argv0",
    ),
];

/// `bwrap --ro-bind /usr /usr --bind ~/p /p pip …`: what it binds is all that the program has of the machine. The words of the
/// program are returned.
pub fn by_bwrap<'w>(words: &'w [String], at: &mut Whereabouts) -> &'w [String] {
    let mut container = Container { name: "bwrap".into(), environment: true, ..Container::default() };
    let mut rest = words;
    while let Some((word, behind)) = rest.split_first() {
        let Some(option) = word.strip_prefix("--") else {
            break;
        };
        if option.is_empty() {
            rest = behind;
            break;
        }
        let values = BWRAP.iter().find(|(_, names)| names.split(' ').any(|n| n == option)).map_or(0, |(n, _)| *n);
        match option {
            "clearenv" => container.environment = false,
            // What these name is not a path, or is read from elsewhere.
            "args" | "bind-fd" | "ro-bind-fd" => container.more_mounts = true,
            _ if option.contains("bind") || option.starts_with("overlay") => {
                mount(behind.first().map(|source| with_folder(source)).as_deref(), &mut container);
            }
            _ => {}
        }
        rest = behind.get(values..).unwrap_or_default();
    }
    // The same account with the same files.
    if !container.whole_host {
        at.container = Some(container);
        (at.environment, at.folder) = (None, None);
    }
    rest
}

/// Whether options, or their image, stand in a variable.
fn is_unclear(own: &Parsed<'_>) -> bool {
    own.plain.first().is_some_and(|word| is_unknown(word))
}

/// A file's name, which is no volume's.
fn with_folder(file: &str) -> String {
    if file.contains('/') || file.starts_with(['~', '$']) { file.to_owned() } else { format!("./{file}") }
}

fn is_powerful(capability: &str) -> bool {
    let name = capability.to_ascii_uppercase();
    let name = name.strip_prefix("CAP_").unwrap_or(&name);
    matches!(name, "ALL" | "SYS_ADMIN" | "SYS_MODULE" | "SYS_RAWIO" | "SYS_PTRACE" | "DAC_READ_SEARCH")
}

/// A device that holds the machine's file systems, as far as its name shows.
fn is_disk(device: &str) -> bool {
    let name = device.split(':').next().unwrap_or(device).strip_prefix("/dev/").unwrap_or(device);
    ["sd", "nvme", "vd", "xvd", "dm-", "mapper", "md", "mem", "disk", "loop"].iter().any(|d| name.starts_with(d))
}

/// One folder or file of the machine. A plain word is a volume of the engine.
fn mount(source: Option<&str>, container: &mut Container) {
    let Some(source) = source.filter(|s| !s.is_empty()) else {
        return;
    };
    let home = ["~", "$HOME", "${HOME"].iter().find_map(|start| source.strip_prefix(start));
    let path = match home {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("~{rest}"),
        // Another account's home, another variable, the working folder.
        _ if source.starts_with(['~', '$', '.', '`']) || (source.contains('/') && !source.starts_with('/')) => {
            container.more_mounts = true;
            return;
        }
        _ if source.starts_with('/') => source.to_owned(),
        // What follows a variable may be a path.
        _ if source.contains('$') => {
            container.more_mounts = true;
            return;
        }
        _ => return,
    };
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    let plain = |c: char| c.is_alphanumeric() || " ._-+@~/=,".contains(c);
    if parts.contains(&"..") || path.len() > PATH || !path.chars().all(plain) || container.mounts.len() >= MOUNTS {
        container.more_mounts = true;
        return;
    }
    let joined = parts.join("/");
    if joined.is_empty() || holds_socket(&joined) {
        container.whole_host = true;
        return;
    }
    let path = if home.is_some() { joined } else { format!("/{joined}") };
    container.mounts.push(path.into());
}

/// Whether a path from the root is the socket of an engine, or a folder that holds one.
pub fn holds_socket(path: &str) -> bool {
    const SOCKETS: &[&str] =
        &["docker.sock", "podman.sock", "containerd.sock", "crio.sock", "buildkitd.sock", "docker.raw.sock"];
    let last = path.rsplit('/').next().unwrap_or(path);
    SOCKETS.contains(&last)
        || matches!(path, "run" | "var" | "var/run" | "proc" | "dev" | "sys")
        || ["run/docker", "run/podman", "run/containerd", "run/crio", "run/user"]
            .iter()
            .any(|folder| path == *folder || path.strip_prefix("var/") == Some(folder))
        || (path.contains("run/user/") && (last.parse::<u32>().is_ok() || last == "podman"))
}
