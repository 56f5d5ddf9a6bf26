//! Where macOS and Windows have what Linux has below `~/.config` and its kin: one table for all places of credentials.

/// What a place begins with on Linux, and instead of it elsewhere. Of several that fit, each counts.
const FOLDERS: &[(&str, &[&str])] = &[
    ("~/.config/gh/", &["~/AppData/Roaming/GitHub CLI/"]),
    ("~/.config/pip/pip.conf", &["~/AppData/Roaming/pip/pip.ini", "~/pip/pip.ini"]),
    ("~/.config/", &["~/Library/Application Support/", "~/AppData/Roaming/", "~/AppData/Local/"]),
    ("~/.local/share/", &["~/Library/Application Support/", "~/AppData/Roaming/", "~/AppData/Local/"]),
    ("~/.local/state/", &["~/Library/Application Support/", "~/AppData/Local/"]),
    ("~/.cache/", &["~/Library/Caches/", "~/AppData/Local/"]),
    ("~/.netrc", &["~/_netrc"]),
];

/// The same place on other systems.
pub(super) fn elsewhere(path: &str) -> Vec<String> {
    let there = |(linux, others): &(&str, &'static [&'static str])| {
        let rest = path.strip_prefix(linux)?;
        // A whole name, where the table has a file.
        let whole = linux.ends_with('/') || rest.is_empty();
        whole.then(|| others.iter().map(move |other| format!("{other}{rest}")))
    };
    FOLDERS.iter().filter_map(there).flatten().filter(|other| other != path).collect()
}

#[cfg(test)]
mod tests {
    use super::elsewhere;

    #[test]
    fn what_stands_below_hidden_folders_stands_elsewhere_too() {
        let all = elsewhere("~/.config/gcloud/credentials.db");
        assert_eq!(
            all,
            [
                "~/Library/Application Support/gcloud/credentials.db",
                "~/AppData/Roaming/gcloud/credentials.db",
                "~/AppData/Local/gcloud/credentials.db",
            ]
        );
        assert!(elsewhere("~/.config/gh/hosts.yml").contains(&"~/AppData/Roaming/GitHub CLI/hosts.yml".to_owned()));
        assert_eq!(elsewhere("~/.netrc"), ["~/_netrc"]);
        assert!(elsewhere("~/.netrc.bak").is_empty() && elsewhere("~/.aws/credentials").is_empty());
        assert!(elsewhere("/etc/x").is_empty() && elsewhere("**/.config/x").is_empty());
    }
}
