//! What of a machine a command had before it, by the words that say as whom and where it ran.

use std::sync::Arc;

use super::{Account, Bounds};
use crate::{
    accounts::{Accounts, is_loopback},
    fact::{Container, TreePath, Whereabouts},
    shell::whereabouts::holds_socket,
    text::escape,
};

/// As whom and where a command ran.
#[derive(Debug, PartialEq, Eq)]
pub struct Ran {
    /// Whose code it was.
    pub account: Account,
    /// What it had before it; `None`: whatever the account can read.
    pub bounds: Option<Arc<Bounds>>,
    /// In words, where it differs from what a plain command would have.
    pub note: Option<String>,
    /// Whether it had anything of this machine is not certain.
    pub unsure: bool,
}

impl Ran {
    /// Of a command in a history of this place, whose owner is `typist`.
    pub fn new(at: &Whereabouts, accounts: Option<&Accounts>, history: &TreePath, typist: Account) -> Self {
        let mut ran = Self { account: typist, bounds: None, note: None, unsure: false };
        let own = |machine: &str| is_loopback(machine) || accounts.is_some_and(|a| a.is_own_name(machine));
        match at.machine.as_deref() {
            None => {}
            Some(Whereabouts::UNSAID) => {
                ran.unsure = true;
                ran.note = Some("on a machine whose name it does not say: it may be this one".to_owned());
            }
            Some(machine) if own(machine) => {
                ran.note = Some(format!("on `{machine}`, which is this machine"));
            }
            Some(machine) => {
                let elsewhere =
                    format!("it ran on `{machine}`, another machine: nothing that lies here was in its reach");
                if at.agent {
                    ran.bounds = Some(Arc::new(Bounds { agent: true, ..Bounds::default() }));
                    ran.note = Some(format!("{elsewhere} but the keys in the SSH agent that was forwarded to it"));
                } else {
                    ran.account = Account::Elsewhere;
                    ran.note = Some(elsewhere);
                }
                return ran;
            }
        }
        if let Some(container) = &at.container {
            return ran.inside(container, accounts, history);
        }
        if let Some(name) = at.account.as_deref() {
            let uid = accounts.map_or_else(|| (name == "root").then_some(0), |a| a.uid_of(name));
            ran.account = uid.map_or(Account::All, Account::Uid);
            let said = match name {
                Whereabouts::UNSAID => "as an account that it does not say".to_owned(),
                name => format!("as `{name}`"),
            };
            ran.add(said);
        }
        ran
    }

    fn add(&mut self, note: String) {
        self.note = Some(self.note.take().map_or_else(|| note.clone(), |before| format!("{before}; {note}")));
    }

    /// The engine runs as root, and so may what is in the container.
    fn inside(mut self, container: &Container, accounts: Option<&Accounts>, history: &TreePath) -> Self {
        let which = match &*container.name {
            Whereabouts::UNSAID => "in a container".to_owned(),
            name => format!("in a container of `{name}`"),
        };
        if container.whole_host {
            self.account = Account::All;
            self.add(format!("{which} that reaches the whole machine"));
            return self;
        }
        let folders: Option<Vec<TreePath>> = container.mounts.iter().map(|m| folder(m, accounts, history)).collect();
        let Some(folders) = folders.filter(|_| !container.more_mounts) else {
            (self.account, self.unsure) = (Account::All, true);
            self.add(format!("{which}; which folders of this machine that has is not known"));
            return self;
        };
        self.account = Account::All;
        // A link to the root, or to the socket of an engine.
        let whole = |f: &TreePath| f.as_bytes().is_empty() || holds_socket(&String::from_utf8_lossy(f.as_bytes()));
        if folders.iter().any(whole) {
            self.add(format!("{which} that reaches the whole machine: it has {} of it", container.mounts.join(", ")));
            return self;
        }
        let has = match (folders.is_empty(), container.environment) {
            (true, false) => "without any folder of this machine".to_owned(),
            (true, true) => "with variables and no folder of this machine".to_owned(),
            (false, _) => {
                let shown = container.mounts.iter().zip(&folders).map(|(named, folder)| {
                    let real = escape(&[b"/", folder.as_bytes()].concat());
                    let linked = !named.starts_with('~') && **named != *real;
                    if linked { format!("{named} (which is {real})") } else { named.to_string() }
                });
                format!("with {} of this machine and nothing else of it", shown.collect::<Vec<_>>().join(", "))
            }
        };
        self.add(format!("{which} {has}"));
        self.bounds = Some(Arc::new(Bounds { folders, environment: container.environment, ..Bounds::default() }));
        self
    }
}

/// Where a folder really lies that a command names, `/srv/v` or `~/v` of the home that holds its history; `None` below a folder that is
/// not known.
pub fn folder(named: &str, accounts: Option<&Accounts>, history: &TreePath) -> Option<TreePath> {
    match accounts {
        Some(accounts) => accounts.named(named, history).map(|folder| accounts.real(&folder).clone()),
        None => Accounts::default().named(named, history),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::install_commands;

    fn ran(text: &str) -> Ran {
        let passwd =
            b"root:x:0:0::/root:/bin/sh\nal:x:1000:1000::/home/al:/bin/sh\nbob:x:1001:1001::/srv/bob:/bin/sh\n";
        let accounts = Accounts::new(passwd, []).with_machine_names(b"dev1.corp.example\n", b"127.0.0.1 localhost\n");
        let history = TreePath::new(b"home/al/.zsh_history").unwrap();
        let commands = install_commands(text);
        assert_eq!(commands.len(), 1, "{text}");
        Ran::new(&commands[0].whereabouts, Some(&accounts), &history, Account::Uid(1000))
    }

    fn folders(text: &str) -> Option<Vec<String>> {
        let bounds = ran(text).bounds?;
        Some(bounds.folders.iter().map(|f| f.text().into_owned()).collect())
    }

    #[test]
    fn accounts_by_what_stands_before_the_command() {
        for (text, account) in [
            ("pip install x", Account::Uid(1000)),
            ("sudo pip install x", Account::Uid(0)),
            ("sudo -H -u bob pip install x", Account::Uid(1001)),
            ("sudo -u '#1001' pip install x", Account::All),
            ("sudo --user=bob -- pip install x", Account::Uid(1001)),
            ("doas -u bob pip install x", Account::Uid(1001)),
            ("su -c 'pip install x'", Account::Uid(0)),
            ("su - bob -c 'pip install x'", Account::Uid(1001)),
            ("sudo su - bob -c 'pip install x'", Account::Uid(1001)),
            ("runuser -u bob -- pip install x", Account::Uid(1001)),
            ("runuser -l bob -c 'pip install x'", Account::Uid(1001)),
            ("sudo -u $U pip install x", Account::All),
            ("sudo -u nobody-here pip install x", Account::All),
            ("sudo bash -c 'cd x && pip install x'", Account::Uid(0)),
            ("systemd-run --user pip install x", Account::Uid(1000)),
            ("gosu bob pip install x", Account::Uid(1001)),
            ("chpst -u bob:staff pip install x", Account::Uid(1001)),
            ("s6-setuidgid bob pip install x", Account::Uid(1001)),
            ("run0 pip install x", Account::Uid(0)),
            ("run0 -u bob pip install x", Account::Uid(1001)),
            ("sg docker -c 'pip install x'", Account::Uid(1000)),
            ("guix shell python -- pip install x", Account::Uid(1000)),
        ] {
            let ran = ran(text);
            assert_eq!((ran.account, ran.bounds), (account, None), "{text}");
        }
    }

    #[test]
    fn another_machine_has_nothing_of_this_one() {
        for text in [
            "ssh build1 pip install x",
            "ssh -p 22 bob@build1.corp.example 'cd y && pip install x'",
            "ssh ssh://bob@build1:22 pip install x",
            "ssh build1 docker run -v /:/host img pip install x",
            "ssh build1 sudo pip install x",
            "ssh build1 ssh localhost pip install x",
            "sshpass -p y ssh build1 pip install x",
            "kubectl exec -n shop web-0 -c app -- pip install x",
            "kubectl -n shop exec deploy/web -- sh -c 'pip install x'",
            "gcloud compute ssh vm1 --zone z --command 'pip install x'",
            "docker -H ssh://build1 run img pip install x",
            "ssh 10.0.0.7 pip install x",
            "ssh -o HostName=build1.corp.example localhost pip install x",
            "ssh -F /dev/null build1 pip install x",
            "autossh -M 0 build1 pip install x",
            "mosh -p 60001 build1 -- pip install x",
            "tailscale ssh al@build1 pip install x",
            "kubectl --context prod exec web-0 -- pip install x",
            "kubectl -s https://10.0.0.7:6443 exec web-0 -- pip install x",
            "ssh build1 ssh host.docker.internal pip install x",
            "ssh build1 k3s kubectl exec web-0 -- pip install x",
        ] {
            let ran = ran(text);
            assert_eq!((ran.account, ran.unsure), (Account::Elsewhere, false), "{text}");
        }
        for text in [
            "ssh localhost pip install x",
            "ssh 127.0.0.1 pip install x",
            "ssh al@dev1 pip install x",
            "ssh DEV1.corp.example pip install x",
            "ssh build1 ssh dev1 pip install x",
            "ssh -oHostName=localhost build1 pip install x",
            "ssh -o 'hostname 127.0.0.1' build1 pip install x",
            "ssh host.docker.internal pip install x",
            "ssh -F other.conf localhost pip install x",
            "tailscale ssh dev1 pip install x",
            "mosh dev1 pip install x",
        ] {
            let ran = ran(text);
            assert_eq!((ran.account, ran.bounds), (Account::Uid(1000), None), "{text}");
        }
        assert_eq!(ran("ssh bob@localhost pip install x").account, Account::Uid(1001));
        // Which machine it is stands elsewhere.
        for text in [
            "ssh $H pip install x",
            "ansible all -a 'pip install x'",
            "ssh \"$(pick)\" pip install x",
            "ssh -F other.conf build1 pip install x",
            "ssh -o HostName=%h.lan build1 pip install x",
        ] {
            let ran = ran(text);
            assert_eq!((ran.account, ran.unsure), (Account::Uid(1000), true), "{text}");
        }
    }

    #[test]
    fn a_forwarded_agent_takes_its_keys_along() {
        for text in [
            "ssh -A build1 pip install x",
            "ssh -tAp 22 build1 pip install x",
            "ssh -oForwardAgent=yes b pip install x",
        ] {
            let ran = ran(text);
            assert!(ran.account == Account::Uid(1000) && ran.bounds.is_some_and(|b| b.agent), "{text}");
        }
        for text in
            ["ssh -a build1 pip install x", "ssh -i A build1 pip install x", "ssh -o ForwardAgent=no b pip install x"]
        {
            assert_eq!(ran(text).account, Account::Elsewhere, "{text}");
        }
    }

    #[test]
    fn a_container_has_its_mounts() {
        for (text, expected) in [
            ("docker run --rm img pip install x", vec![]),
            ("docker run -v cache:/c img pip install x", vec![]),
            ("docker run -v ~/.aws:/root/.aws:ro img pip install x", vec!["/home/al/.aws"]),
            ("docker run -v $HOME/p:/p -v /srv/y/:/y img sh -c 'pip install x'", vec!["/home/al/p", "/srv/y"]),
            ("sudo podman run --mount type=bind,src=/srv/y,dst=/y img pip install x", vec!["/srv/y"]),
            ("docker run --env-file ~/.env img pip install x", vec!["/home/al/.env"]),
            ("docker run --mount type=volume,source=v,target=/v img pip install x", vec![]),
            ("podman --root /srv/store run -v /srv/y:/y img pip install x", vec!["/srv/y"]),
            (
                "bwrap --ro-bind /usr /usr --proc /proc --bind ~/p /p --unshare-all pip install x",
                vec!["/usr", "/home/al/p"],
            ),
        ] {
            let ran = ran(text);
            assert!(ran.account == Account::All && !ran.unsure, "{text}");
            assert_eq!(folders(text).unwrap(), expected, "{text}");
        }
        assert!(ran("docker run -e TOKEN img pip install x").bounds.unwrap().environment);
    }

    #[test]
    fn what_reaches_the_whole_machine_or_may() {
        for text in [
            "docker run --privileged img pip install x",
            "docker run --pid=host img pip install x",
            "docker run --pid host img pip install x",
            "docker run -v /:/host img pip install x",
            "docker run -v /var/run/docker.sock:/var/run/docker.sock img pip install x",
            "podman run -v /run/user/1000/podman/podman.sock:/s img pip install x",
            "docker run --mount type=bind,source=/,target=/h img pip install x",
            "docker run --cap-add=SYS_ADMIN img pip install x",
            "docker run -v /run:/run img pip install x",
        ] {
            let ran = ran(text);
            assert_eq!((ran.account, ran.bounds, ran.unsure), (Account::All, None, false), "{text}");
        }
        for text in [
            "docker run -v $PWD:/app img pip install x",
            "docker run -v .:/app img pip install x",
            "docker run -v \"$(pwd)\":/app img pip install x",
            "docker run -v ~/../x:/app img pip install x",
            "docker run --volumes-from c img pip install x",
            "docker run $OPTS img pip install x",
            "docker run \"${ARGS[@]}\" img sh -c 'pip install x'",
            "docker run $IMG pip install x",
            "docker run --rm $OPTS --name c img pip install x",
            "flatpak run --command=pip org.example.App install x",
            "bwrap --args 3 pip install x",
            "bwrap --bind $D /d pip install x",
            "systemd-run -M c1 pip install x",
            "podman machine ssh pip install x",
            "docker compose -f a.yml run -v ~/.aws:/a app pip install x",
            "docker exec web pip install x",
            "docker compose run app pip install x",
            "docker-compose exec app pip install x",
            "lxc exec c1 -- pip install x",
            "devcontainer exec --workspace-folder . pip install x",
            "systemd-nspawn -D /srv/root --bind=/home/al pip install x",
            "limactl shell default pip install x",
            "lima pip install x",
            "multipass exec vm1 -- pip install x",
            "machinectl shell al@deb /usr/bin/pip install x",
            "colima ssh -- pip install x",
            "crictl exec -it 0a1b pip install x",
            "kubectl --context minikube exec web-0 -- pip install x",
            "kubectl --context=kind-dev exec web-0 -- pip install x",
            "kubectl -s https://127.0.0.1:6443 exec web-0 -- pip install x",
            "kubectl --server=https://[::1]:6443 exec web-0 -- pip install x",
            "kubectl --kubeconfig /etc/rancher/k3s/k3s.yaml exec web-0 -- pip install x",
            "sudo k3s kubectl exec web-0 -- pip install x",
            "microk8s kubectl exec web-0 -- pip install x",
            "microk8s.kubectl exec web-0 -- pip install x",
            "minikube kubectl -- exec web-0 -- pip install x",
            "buildah run c -- pip install x",
            "vagrant ssh -c 'pip install x'",
        ] {
            let ran = ran(text);
            assert_eq!((ran.account, ran.bounds, ran.unsure), (Account::All, None, true), "{text}");
        }
    }

    #[test]
    fn what_has_the_home_of_its_caller_reaches_it() {
        for text in [
            "toolbox run pip install x",
            "toolbox run -c fed pip install x",
            "flatpak-spawn --host pip install x",
            "flatpak-spawn --host --env=A=b pip install x",
            "distrobox enter deb -- pip install x",
            "nsenter -t 1 -m pip install x",
            "bwrap --dev-bind / / --chdir /srv pip install x",
            "firejail --private-tmp pip install x",
            "unshare -r --map-user 0 -n pip install x",
            "fakeroot pip install x",
            "snap run pip install x",
            "proot -b /data pip install x",
        ] {
            let ran = ran(text);
            assert_eq!((ran.account, ran.bounds, ran.unsure), (Account::Uid(1000), None, false), "{text}");
        }
        for text in ["toolbox create pip install x", "devcontainer up pip install x", "multipass launch pip install x"]
        {
            assert!(install_commands(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_name_that_leads_back_is_this_machine() {
        let passwd = b"al:x:1000:1000::/home/al:/bin/sh\n";
        let aliases = [("me", "localhost"), ("mine", "[::1]"), ("Box", "dev1"), ("far", "far.corp.example")];
        let aliases = aliases.map(|(name, real)| (name.to_owned(), real.to_owned()));
        let accounts = Accounts::new(passwd, [])
            .with_machine_names(b"dev1.corp.example\n", b"127.0.0.1 localhost self\n10.0.0.7 build1\n0.0.0.0 blocked\n")
            .with_aliases(&aliases);
        let history = TreePath::new(b"home/al/.zsh_history").unwrap();
        for (host, here) in [
            ("me", true),
            ("mine", true),
            ("box", true),
            ("self", true),
            ("dev1", true),
            ("far", false),
            ("build1", false),
            ("blocked", true),
        ] {
            let commands = install_commands(&format!("ssh {host} pip install x"));
            let ran = Ran::new(&commands[0].whereabouts, Some(&accounts), &history, Account::Uid(1000));
            assert_eq!(ran.account == Account::Elsewhere, !here, "{host}");
        }
    }
}
