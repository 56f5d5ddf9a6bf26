//! What a mounted disk calls its own machine: `/etc/hostname`, hostname(5), and `/etc/machine-id`. The folder that it is mounted at says nothing of it.

use sha2::{Digest as _, Sha256};

use crate::{accounts::is_loopback, fact::TreePath, text::hex, tree::host::Host};

/// Bytes of the file that are read, and of the name that is taken.
const BYTES: u64 = 4096;
const LONGEST: usize = 253;
/// Names that installers give to every machine.
const NOBODY: [&str; 4] = ["localhost", "(none)", "unassigned-hostname", "archiso"];

/// What a disk says of its machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disk {
    /// Its name; `None` where the disk says none that is one machine's.
    pub name: Option<String>,
    /// 16 hex digits of `/etc/machine-id`, machine-id(5): copies of one machine may have one name, and the number itself is not shown.
    pub installation: Option<String>,
}

impl Disk {
    /// Of this one.
    pub fn of(host: &Host) -> Self {
        let text = |path: &str| {
            let read = host.read(&TreePath::new(path.as_bytes())?, BYTES)?;
            Some(String::from_utf8_lossy(&read.bytes).into_owned())
        };
        Self {
            name: text("etc/hostname").and_then(|t| named(&t)),
            installation: text("etc/machine-id").and_then(|t| digest(&t)),
        }
    }
}

fn digest(text: &str) -> Option<String> {
    let id = text.trim();
    let whole = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()) && id.bytes().any(|b| b != b'0');
    let hash = || Sha256::new_with_prefix("dosimeter machine-id").chain_update(id.to_ascii_lowercase()).finalize();
    whole.then(|| hex(hash().get(..8).unwrap_or_default()))
}

fn named(text: &str) -> Option<String> {
    let name = text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with('#'))?;
    let name = name.trim_end_matches('.');
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let good = name.len() <= LONGEST
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(plain)
        && !is_loopback(name)
        && !NOBODY.contains(&name.to_ascii_lowercase().as_str());
    good.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_is_a_name_counts() {
        assert_eq!(named("web1\n").as_deref(), Some("web1"));
        assert_eq!(
            named("# set by cloud-init\n\n  web1.corp.example.  \nother\n").as_deref(),
            Some("web1.corp.example")
        );
    }

    #[test]
    fn the_number_of_an_installation_is_not_shown() {
        let id = "0123456789abcdef0123456789ABCDEF";
        let shown = digest(&format!("{id}\n")).unwrap();
        assert!(shown.len() == 16 && !id.to_lowercase().contains(&shown));
        assert_eq!(digest(&id.to_lowercase()), Some(shown));
        for text in ["", "uninitialized\n", "0123", &"0".repeat(32), &"g".repeat(32)] {
            assert_eq!(digest(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_machine_s_name_is_none() {
        for text in [
            "",
            "\n#x\n",
            "localhost",
            "localhost.localdomain",
            "127.0.0.1",
            "a b",
            "x\u{1b}[31m",
            "../etc",
            "-rf",
            "(none)",
            "wéb",
        ] {
            assert_eq!(named(text), None, "{text}");
        }
        assert_eq!(named(&"a".repeat(254)), None);
    }
}
