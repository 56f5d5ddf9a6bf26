//! The folder that a shell is in, by the `cd` of its lines. What stands in a variable, or `cd -`, makes it unknown.

/// A longer path is not kept.
const PATH: usize = 512;

/// Where a command that changes the folder leads; `None` where it is another command, `Some(None)` where nobody knows.
pub fn entered(words: &[String], now: Option<&str>) -> Option<Option<Box<str>>> {
    let (command, rest) = words.split_first()?;
    if !matches!(command.as_str(), "cd" | "pushd" | "chdir" | "popd" | "z" | "j") {
        return None;
    }
    let target = rest.iter().map(String::as_str).find(|w| !matches!(*w, "-P" | "-L" | "-e" | "-q" | "--"));
    Some(match (command.as_str(), target) {
        ("cd" | "chdir", None) => Some("~".into()),
        ("cd" | "chdir" | "pushd", Some(target)) => resolved(target, now),
        _ => None,
    })
}

/// A path that a line names below the folder that the shell is in, where that is known.
pub fn below(named: Box<str>, now: Option<&str>) -> Box<str> {
    let relative = !named.starts_with(['/', '~']) && !named.contains(['\\', ':']);
    let joined = now.filter(|_| relative).and_then(|now| resolved(&named, Some(now)));
    joined.unwrap_or(named)
}

/// `/srv/app`, `~/app`; `..` goes up, never above where it is known.
fn resolved(target: &str, now: Option<&str>) -> Option<Box<str>> {
    let home = ["~", "$HOME", "${HOME}"].iter().find_map(|start| target.strip_prefix(start));
    let home = home.filter(|rest| rest.is_empty() || rest.starts_with('/'));
    if target.starts_with('-') {
        return None;
    }
    let (mut parts, rest): (Vec<&str>, &str) = match (home, target.starts_with('/')) {
        (Some(rest), _) => (vec!["~"], rest),
        (None, true) => (vec![""], target),
        (None, false) => (now?.trim_end_matches('/').split('/').collect(), target),
    };
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.len() > 1 => {
                parts.pop();
            }
            ".." => return None,
            part => parts.push(part),
        }
    }
    let plain = |c: char| c.is_alphanumeric() || " ._-+@/~".contains(c);
    let path = parts.join("/");
    let path = if path.is_empty() { "/".to_owned() } else { path };
    let known = path.len() <= PATH && path.chars().all(plain) && !parts.iter().skip(1).any(|p| p.starts_with('~'));
    known.then(|| path.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lines: &str) -> Option<String> {
        let mut now = None;
        for line in lines.split(';') {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            now = entered(&words, now.as_deref()).unwrap();
        }
        now.map(Into::into)
    }

    #[test]
    fn the_folder_is_known_as_far_as_lines_say_it() {
        for (lines, folder) in [
            ("cd /srv/app", Some("/srv/app")),
            ("cd", Some("~")),
            ("cd ~/app/", Some("~/app")),
            ("cd $HOME/app; cd web", Some("~/app/web")),
            ("cd /srv/app; cd ../other/.", Some("/srv/other")),
            ("pushd -- /srv", Some("/srv")),
            ("cd /; cd srv", Some("/srv")),
            ("cd /", Some("/")),
            ("cd app", None),
            ("cd /srv; cd -", None),
            ("cd /srv; cd $X", None),
            ("cd /srv; popd", None),
            ("cd ~; cd ..", None),
            ("cd ~bob/x", None),
            ("cd /srv; z app", None),
        ] {
            assert_eq!(after(lines).as_deref(), folder, "{lines}");
        }
        assert_eq!(entered(&["pip".to_owned()], None), None);
        assert_eq!(after(&format!("cd /{}", "x".repeat(600))), None);
    }

    #[test]
    fn a_path_is_below_the_folder_that_is_known() {
        let of = |named: &str, now| below(named.into(), now);
        assert_eq!(&*of("v", Some("/srv/app")), "/srv/app/v");
        for (named, now) in [("v", None), ("/v", Some("/srv")), ("~/v", Some("/srv")), ("..\\v", Some("/srv"))] {
            assert_eq!(&*of(named, now), named);
        }
    }
}
