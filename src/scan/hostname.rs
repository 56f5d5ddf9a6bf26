//! What a mounted disk calls its own machine: `/etc/hostname`, hostname(5). The folder that it is mounted at says nothing of it.

use crate::{accounts::is_loopback, fact::TreePath, tree::host::Host};

/// Bytes of the file that are read, and of the name that is taken.
const BYTES: u64 = 4096;
const LONGEST: usize = 253;
/// Names that installers give to every machine.
const NOBODY: [&str; 4] = ["localhost", "(none)", "unassigned-hostname", "archiso"];

/// The name; `None` where the disk says none that is one machine's.
pub fn of_disk(host: &Host) -> Option<String> {
    let text = host.read(&TreePath::new(b"etc/hostname")?, BYTES)?;
    named(&String::from_utf8_lossy(&text.bytes))
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
