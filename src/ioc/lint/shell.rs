//! What no command for a person may be: text that `sh` refuses, a secret among its words, a target that depends on what the machine
//! happens to have as its default.

mod secrets;
mod targets;

use crate::shell::syntax::{Command, parse};

/// What is wrong, and what to write instead.
pub type Fault = (String, &'static str);

/// Every fault of one command. `blanks` are the marks that are filled in.
pub fn faults(command: &str, blanks: &[&str]) -> Vec<Fault> {
    let mut found: Vec<Fault> = blanks_of(command, blanks).into_iter().collect();
    let commands = match parse(command) {
        Ok(commands) => commands,
        Err(fault) => {
            let hint = "`sh -n -c 'COMMAND'` says where; write blanks in CAPITALS, not as <BLANK>";
            found.push((format!("`sh` refuses it: {}", fault.as_str()), hint));
            return found;
        }
    };
    for command in &commands {
        found.extend(secrets::faults(command));
        found.extend(targets::fault(command));
        found.extend(removes(command));
    }
    found
}

/// `{region}` that nothing fills in.
fn blanks_of(command: &str, known: &[&str]) -> Option<Fault> {
    let opens = command.match_indices('{');
    let unknown = opens.filter_map(|(at, _)| {
        let behind = command.get(at..)?;
        let mark = behind.get(..=behind.find('}')?)?;
        let name = mark.strip_prefix('{')?.strip_suffix('}')?;
        let before = command.get(..at)?.chars().next_back();
        let is_mark = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        (is_mark && !matches!(before, Some('$' | '%')) && !known.contains(&mark)).then_some(mark)
    });
    let mark = unknown.into_iter().next()?;
    Some((
        format!("nothing fills in `{mark}`"),
        "use `{id}`, `{name}`, `{context}`, `{account}`, or a blank in CAPITALS",
    ))
}

/// Removing what a variable names, which may be empty, or hold a blank.
fn removes(command: &Command) -> Option<Fault> {
    let program = command.program();
    if !["rm", "rmdir", "shred", "unlink"].contains(&program) {
        return None;
    }
    let guarded = |w: &crate::shell::syntax::Word| !w.expands || (!w.splits && w.text.contains(":?"));
    let loose = command.arguments().iter().find(|w| !w.text.starts_with('-') && !guarded(w))?;
    let hint = "quote it and stop where it is empty: `rm -r -- \"${DIR:?}\"`; better move it to the evidence";
    Some((format!("`{program}` of `{}`", loose.text), hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_fault(command: &str) -> bool {
        !faults(command, &["{id}"]).is_empty()
    }

    #[test]
    fn what_sh_refuses_and_its_look_alike() {
        for bad in ["ls 'a", "ls \"a", "ls `a`", "ls <ID>", "for a in b; ls", "ls | | wc", "ls $(a", "ls )"] {
            assert!(is_fault(bad), "{bad}");
        }
        for good in ["ls 'a b'", "ls \"it's\"", "ls ID", "for a in b; do ls \"$a\"; done", "ls | wc", "(ls)", "ls >x"] {
            assert_eq!(faults(good, &[]), [], "{good}");
        }
    }

    #[test]
    fn blanks_that_nothing_fills_in() {
        for bad in ["ls {region}", "ls {id} {account_id}", "ls '{host}'"] {
            assert!(is_fault(bad), "{bad}");
        }
        for good in
            ["ls {id}", "ls ${home}", "find . -exec ls {} +", "{ ls; }", "ls '[].{a:b}'", "ls '%{http_code}'", "ls {A}"]
        {
            assert!(!is_fault(good), "{good}");
        }
    }

    #[test]
    fn removing_what_a_variable_names() {
        for bad in ["rm -rf $DIR", "rm -rf \"$DIR\"/x", "rm -r -- $(cat list)", "sudo rm -rf \"$HOME/.x\""] {
            assert!(is_fault(bad), "{bad}");
        }
        for good in ["rm -r -- \"${DIR:?}/x\"", "rm -f /tmp/x", "ls $DIR", "rm -f '/tmp/$x'"] {
            assert!(!is_fault(good), "{good}");
        }
    }
}
