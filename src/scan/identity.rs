//! Private keys that settings of programs name, wherever they lie: `IdentityFile` of ssh, `core.sshCommand` of git,
//! `private_key_file` of Ansible. Told as settings of one variable, `IdentityFile=/srv/keys/deploy`, which moves the place of keys.

use std::collections::HashSet;

use crate::{fact::TreePath, interest::glob};

/// Configurations that are read for one home, with those that they include.
const MOST: usize = 200;
/// Levels of `Include`, as ssh has it.
const DEPTH: usize = 16;
/// Keys that are reported of one home.
const KEYS: usize = 1000;

/// Reads and lists files of a tree.
pub trait Files {
    /// The start of a file; `None` where there is none.
    fn read(&self, path: &TreePath) -> Option<Vec<u8>>;
    /// Names in a folder.
    fn list(&self, folder: &TreePath) -> Vec<Vec<u8>>;
}

/// What the settings of one user name.
#[derive(Debug, Default)]
pub struct Named {
    /// Keys, as settings of one variable, one per line.
    pub keys: Vec<u8>,
    /// Names that ssh knows machines by, each with the one that it stands for.
    pub hosts: Vec<(String, String)>,
}

/// The settings of this home's user.
pub fn of_home(files: &dyn Files, home: &TreePath) -> Named {
    let mut search = Search { files, home, met: HashSet::new(), keys: Vec::new(), hosts: Vec::new() };
    let at = |path: &[u8]| TreePath::new(path);
    let own = home.join(b".ssh");
    search.ssh(&own.join(b"config"), &own, DEPTH);
    if let Some(system) = at(b"etc/ssh") {
        search.ssh(&system.join(b"ssh_config"), &system, DEPTH);
    }
    for path in [home.join(b".gitconfig"), home.in_home(b".config/git/config")].into_iter().chain(at(b"etc/gitconfig"))
    {
        search.lines(&path, "sshcommand", |value| {
            let words: Vec<&str> = value.split_whitespace().map(|w| w.trim_matches(['"', '\''])).collect();
            let after = words.iter().position(|w| *w == "-i").and_then(|at| words.get(at + 1));
            after.map(|w| (*w).to_owned())
        });
    }
    for path in [home.join(b".ansible.cfg")].into_iter().chain(at(b"etc/ansible/ansible.cfg")) {
        search.lines(&path, "private_key_file", |value| Some(value.trim_matches(['"', '\'']).to_owned()));
    }
    search.known_hosts(&own.join(b"known_hosts"));
    let keys = search.keys.iter().map(|key| format!("IdentityFile=\"{key}\"\n")).collect::<String>().into_bytes();
    Named { keys, hosts: search.hosts }
}

trait InHome {
    fn in_home(&self, path: &[u8]) -> TreePath;
}

impl InHome for TreePath {
    fn in_home(&self, path: &[u8]) -> TreePath {
        path.split(|b| *b == b'/').fold(self.clone(), |folder, name| folder.join(name))
    }
}

struct Search<'s> {
    files: &'s dyn Files,
    home: &'s TreePath,
    met: HashSet<TreePath>,
    keys: Vec<String>,
    hosts: Vec<(String, String)>,
}

impl Search<'_> {
    fn text(&mut self, path: &TreePath) -> Option<String> {
        if self.met.len() >= MOST || !self.met.insert(path.clone()) {
            return None;
        }
        self.files.read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn ssh(&mut self, path: &TreePath, folder: &TreePath, deeper: usize) {
        let Some(text) = self.text(path).filter(|_| deeper > 0) else {
            return;
        };
        // Hosts of the block, and their real name.
        let (mut hosts, mut real): (Vec<String>, Option<String>) = (Vec::new(), None);
        let mut waiting: Vec<String> = Vec::new();
        for (word, value) in text.lines().filter_map(keyword) {
            match word.to_ascii_lowercase().as_str() {
                "host" | "match" => {
                    self.end_block(&waiting, &hosts, real.as_deref());
                    waiting.clear();
                    real = None;
                    let plain = |h: &&str| !h.contains(['*', '?', '!']);
                    let named = value.split_whitespace().filter(plain).take(100);
                    hosts =
                        if word.eq_ignore_ascii_case("host") { named.map(str::to_owned).collect() } else { Vec::new() };
                }
                "hostname" => real = Some(value.to_owned()),
                "identityfile" if waiting.len() < KEYS => waiting.push(value.to_owned()),
                "include" => self.include(value, folder, deeper),
                _ => {}
            }
        }
        self.end_block(&waiting, &hosts, real.as_deref());
    }

    /// Names whose key is one of the machine's own host keys.
    fn known_hosts(&mut self, path: &TreePath) {
        let Some(folder) = TreePath::new(b"etc/ssh") else {
            return;
        };
        let mut names = self.files.list(&folder);
        names.retain(|n| n.starts_with(b"ssh_host_") && n.ends_with(b"_key.pub"));
        let own = names.iter().take(MOST).filter_map(|name| self.files.read(&folder.join(name)));
        let own: HashSet<String> = own.filter_map(|text| key_in(&String::from_utf8_lossy(&text), 1)).collect();
        if own.is_empty() {
            return;
        }
        let text = self.text(path).unwrap_or_default();
        for line in text.lines().filter(|l| key_in(l, 2).is_some_and(|key| own.contains(&key))).take(KEYS) {
            // Hashed ones begin with `|`.
            let names = line.split_whitespace().next().unwrap_or_default().split(',').filter(|n| !n.starts_with('|'));
            let plain = names.map(|n| n.trim_start_matches('[').split(']').next().unwrap_or(n).to_owned());
            self.hosts.extend(plain.take(100).map(|name| (name, "localhost".to_owned())));
        }
    }

    fn end_block(&mut self, values: &[String], hosts: &[String], real: Option<&str>) {
        self.expand(values, hosts, real);
        let free = KEYS.saturating_sub(self.hosts.len());
        let named = real.into_iter().flat_map(|real| hosts.iter().map(|h| (h.clone(), real.to_owned())));
        self.hosts.extend(named.take(free));
    }

    fn include(&mut self, value: &str, folder: &TreePath, deeper: usize) {
        for pattern in value.split_whitespace().map(|p| p.trim_matches(['"', '\''])) {
            let path = match pattern.strip_prefix("~/") {
                Some(rest) => self.home.resolve(rest.as_bytes()),
                None => folder.resolve(pattern.as_bytes()),
            };
            let Some(path) = path else {
                continue;
            };
            if !pattern.contains('*') {
                self.ssh(&path, folder, deeper - 1);
                continue;
            }
            let (inside, wanted) = (path.parent(), String::from_utf8_lossy(path.name()).into_owned());
            let mut names = self.files.list(&inside);
            names.retain(|n| std::str::from_utf8(n).is_ok_and(|n| glob(&wanted, n)));
            names.sort();
            names.iter().take(MOST).for_each(|name| self.ssh(&inside.join(name), folder, deeper - 1));
        }
    }

    /// `~`, `%d` and `%u` are known here; `%h` is each host of the block. Others lead nowhere that is known.
    fn expand(&mut self, values: &[String], hosts: &[String], real: Option<&str>) {
        for value in values {
            let hosts: Vec<&str> = real.map_or_else(|| hosts.iter().map(String::as_str).collect(), |real| vec![real]);
            let hosts = if value.contains("%h") || value.contains("%n") { hosts } else { vec![""] };
            for host in hosts {
                let home = self.home.text();
                let user = String::from_utf8_lossy(self.home.name()).into_owned();
                let text = value.replace("%d", &home).replace("%u", &user).replace("%h", host).replace("%n", host);
                self.key(&text.replace("%%", "\u{0}"));
            }
        }
    }

    fn key(&mut self, text: &str) {
        if text.contains('%') || text.contains(['"', '\n']) || self.keys.len() >= KEYS {
            return;
        }
        let text = text.replace('\u{0}', "%");
        let absolute = match text.strip_prefix("~/") {
            Some(rest) => format!("{}/{rest}", self.home.text()),
            None => text,
        };
        if !self.keys.contains(&absolute) {
            self.keys.push(absolute);
        }
    }

    fn lines(&mut self, path: &TreePath, word: &str, value: impl Fn(&str) -> Option<String>) {
        let text = self.text(path).unwrap_or_default();
        let values =
            text.lines().filter_map(|l| l.split_once('=')).filter(|(k, _)| k.trim().eq_ignore_ascii_case(word));
        for found in values.filter_map(|(_, v)| value(v.trim())) {
            self.key(&found);
        }
    }
}

/// The key of `ssh-ed25519 AAAA… comment`, or behind the names of hosts.
fn key_in(line: &str, at: usize) -> Option<String> {
    let key = line.split_whitespace().nth(at)?;
    (line.split_whitespace().nth(at - 1)?.contains("-") && key.starts_with("AAAA")).then(|| key.to_owned())
}

/// `Keyword value`, `Keyword=value`, `Keyword "my value"`.
fn keyword(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let (word, rest) = line.split_once(|c: char| c == '=' || c.is_whitespace())?;
    let value = rest.trim_start_matches(|c: char| c == '=' || c.is_whitespace()).trim_end();
    let value = value.strip_prefix('"').and_then(|v| v.split_once('"')).map_or(value, |(inner, _)| inner);
    (!value.is_empty()).then_some((word, value))
}

#[cfg(test)]
pub(super) mod made {
    use std::collections::BTreeMap;

    use super::{Files, TreePath};

    /// Files by path.
    pub struct Made<'t>(pub BTreeMap<&'t str, &'t str>);

    impl Files for Made<'_> {
        fn read(&self, path: &TreePath) -> Option<Vec<u8>> {
            self.0.get(&*path.text()).map(|t| t.as_bytes().to_vec())
        }

        fn list(&self, folder: &TreePath) -> Vec<Vec<u8>> {
            let below = self.0.keys().filter_map(|p| TreePath::new(p.as_bytes())).filter(|p| p.parent() == *folder);
            below.map(|p| p.name().to_vec()).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{made::Made, *};

    fn keys(files: &[(&'static str, &'static str)]) -> Vec<String> {
        let home = TreePath::new(b"home/al").unwrap();
        let text = String::from_utf8(of_home(&Made(files.iter().copied().collect()), &home).keys).unwrap();
        text.lines().map(|l| l.strip_prefix("IdentityFile=").unwrap().trim_matches('"').to_owned()).collect()
    }

    #[test]
    fn names_of_machines_are_read_with_what_they_stand_for() {
        let config = "Host me mine *.lab\n  HostName localhost\nhost=box\n\tHostname = dev1\nMatch host q\n HostName ::1\nInclude more\n";
        let files = [
            ("/home/al/.ssh/config", config),
            ("/home/al/.ssh/more", "Host far\nHostName far.corp.example\nHost bare\n"),
        ];
        let home = TreePath::new(b"home/al").unwrap();
        let hosts = of_home(&Made(files.into()), &home).hosts;
        let mut lines: Vec<String> = hosts.iter().map(|(name, real)| format!("{name} {real}")).collect();
        lines.sort();
        assert_eq!(lines, ["box dev1", "far far.corp.example", "me localhost", "mine localhost"]);
    }

    #[test]
    fn a_host_whose_key_is_the_machine_s_own_is_this_machine() {
        let known = "web.lan,10.0.0.5 ssh-ed25519 AAAAown\n[box]:2222 ssh-ed25519 AAAAown\n|1|a|b ssh-ed25519 AAAAown\n\
                     far ssh-ed25519 AAAAother\n# note AAAAown\n";
        let files = [
            ("/home/al/.ssh/known_hosts", known),
            ("/etc/ssh/ssh_host_ed25519_key.pub", "ssh-ed25519 AAAAown root@dev1\n"),
            ("/etc/ssh/ssh_host_rsa_key.pub", "broken"),
        ];
        let home = TreePath::new(b"home/al").unwrap();
        let names = of_home(&Made(files.into()), &home).hosts.into_iter().map(|(name, real)| format!("{name} {real}"));
        assert_eq!(names.collect::<Vec<_>>(), ["web.lan localhost", "10.0.0.5 localhost", "box localhost"]);
        assert!(of_home(&Made([files[0]].into()), &home).hosts.is_empty());
    }

    #[test]
    fn every_form_of_ssh_is_read() {
        let config = "IdentityFile ~/keys/one\n# IdentityFile /no\nHost prod *.x\n  identityfile=\"/srv/my keys/two\"\n\
                      \x20 IdentityFile %d/three\n  IdentityFile /srv/%h/four\nHost db\n  HostName db.example\n  IdentityFile /srv/%h/%u\n\
                      Match user x\n  IdentityFile /srv/%r\n  IdentityFile /srv/a%%b\n  CertificateFile /no\n";
        let want = [
            "/home/al/keys/one",
            "/srv/my keys/two",
            "/home/al/three",
            "/srv/prod/four",
            "/srv/db.example/al",
            "/srv/a%b",
        ];
        assert_eq!(keys(&[("/home/al/.ssh/config", config)]), want);
    }

    #[test]
    fn includes_are_followed_once() {
        let files = [
            ("/home/al/.ssh/config", "Include config.d/*.conf\nInclude ~/more\nInclude config\nInclude /missing\n"),
            ("/home/al/.ssh/config.d/a.conf", "IdentityFile /k/a\n"),
            ("/home/al/.ssh/config.d/b.txt", "IdentityFile /k/no\n"),
            ("/home/al/more", "Include config.d/a.conf\nIdentityFile /k/b\nInclude ../../../../../etc/x\n"),
            ("/etc/x", "IdentityFile /k/c\n"),
            ("/etc/ssh/ssh_config", "Include ssh_config.d/*\n"),
            ("/etc/ssh/ssh_config.d/d", "IdentityFile /k/d\n"),
        ];
        assert_eq!(keys(&files), ["/k/a", "/k/c", "/k/b", "/k/d"]);
    }

    #[test]
    fn git_and_ansible_name_keys_too() {
        let files = [
            ("/home/al/.gitconfig", "[core]\n\tsshCommand = ssh -i ~/keys/git -F none\n[x]\n\tname = ssh -i /no\n"),
            ("/home/al/.ansible.cfg", "[defaults]\nprivate_key_file = /srv/ansible\n"),
        ];
        assert_eq!(keys(&files), ["/home/al/keys/git", "/srv/ansible"]);
    }

    #[test]
    fn hostile_configurations_do_no_harm() {
        let many: String = (0..20_000).map(|n| format!("IdentityFile /k/{n}\n")).collect();
        assert_eq!(keys(&[("/home/al/.ssh/config", many.leak())]).len(), KEYS);
        let hosts = format!("Host {}\nIdentityFile %h%h\n", "h ".repeat(20_000));
        assert_eq!(keys(&[("/home/al/.ssh/config", hosts.leak())]).len(), 1);
        assert_eq!(
            keys(&[("/home/al/.ssh/config", "IdentityFile\nInclude\nHost\n=\n\"\nIdentityFile \"\n")]),
            ["\""; 0]
        );
    }
}
