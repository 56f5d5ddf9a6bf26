//! Places that a variable moved: `AWS_SHARED_CREDENTIALS_FILE=/srv/aws`, read from shell start-up files, `/etc/environment`,
//! units and the live environment. Values of variables that move no place are never looked at.

use super::{Catalog, form, reader};
use crate::fact::TreePath;

/// Longest value that can be a path, or a list of them.
const VALUE: usize = 4096;

/// Text that may set variables.
#[derive(Clone, Copy)]
pub struct Setting<'t> {
    /// The home that `~` and `$HOME` stand for; `None` in files of the system.
    pub home: Option<&'t TreePath>,
    /// Shell start-up file, `/etc/environment`, unit.
    pub text: &'t [u8],
}

/// A variable of a live process.
#[derive(Clone, Copy)]
pub struct Live<'t> {
    /// The home of its user.
    pub home: Option<&'t TreePath>,
    /// Name.
    pub name: &'t str,
    /// Value.
    pub value: &'t str,
}

/// A place of a kind, moved to a concrete path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moved {
    /// Id of the kind.
    pub kind: String,
    /// Position of the place in the kind.
    pub place: usize,
    /// Where it is now: a path of a place, from the root.
    pub path: String,
    /// The variable.
    pub by: String,
}

/// The places that these texts and variables move, sorted. Relative values, and values that other variables make up, are left
/// out: where they lead is not known here.
pub fn moved_places(catalog: &Catalog, settings: &[Setting<'_>], live: &[Live<'_>]) -> Vec<Moved> {
    let mut found = Vec::new();
    for setting in settings {
        // A file that breaks off in a quote gave its assignments up to there.
        let _ = reader::assignments(setting.text, &mut |_, name, value| {
            if let Ok(name) = std::str::from_utf8(name) {
                add(catalog, name, form::unquoted(value), setting.home, &mut found);
            }
        });
    }
    for variable in live {
        add(catalog, variable.name, variable.value.as_bytes(), variable.home, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

fn add(catalog: &Catalog, name: &str, value: &[u8], home: Option<&TreePath>, found: &mut Vec<Moved>) {
    for kind in &catalog.kinds {
        for (number, place) in kind.places.iter().enumerate() {
            let Some(by) = place.moved_by.iter().find(|m| m.name == name) else {
                continue;
            };
            let rest = match &by.replaces {
                None => Some(""),
                Some(start) => place.path.strip_prefix(start.as_str()),
            };
            let values = value.split(|b| *b == b':' && by.replaces.is_none()).filter_map(|v| concrete_path(v, home));
            let paths = values.filter_map(|v| Some(format!("{v}{}", rest?)));
            found.extend(paths.map(|path| Moved { kind: kind.id.clone(), place: number, path, by: name.to_owned() }));
        }
    }
}

/// An absolute path, or one below the home.
fn concrete_path(value: &[u8], home: Option<&TreePath>) -> Option<String> {
    let value = std::str::from_utf8(value).ok()?.trim();
    if value.len() > VALUE || value.chars().any(char::is_control) {
        return None;
    }
    let rest = ["~/", "$HOME/", "${HOME}/", "%h/"].iter().find_map(|h| value.strip_prefix(h));
    let path = match rest {
        Some(rest) => TreePath::new(&[home?.as_bytes(), b"/", rest.as_bytes()].concat())?,
        None => TreePath::new(value.strip_prefix('/')?.as_bytes())?,
    };
    let text = std::str::from_utf8(path.as_bytes()).ok()?;
    let plain = !text.is_empty() && !text.contains(['$', '*', '`', '~', '"', '\'']);
    plain.then(|| format!("/{text}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::credential::Kind;

    fn kind() -> Kind {
        serde_json::from_str(
            r#"{"schema":"s","id":"x.y","name":"n","provider":"p","lane":"standard","tier":1,"order":1,"mode":"expire",
            "rotation":[],"sources":[],"places":[
            {"path":"~/.kube/config","moved_by":[{"name":"KUBECONFIG"}],"reader":{"format":"opaque"}},
            {"path":"~/.docker/config.json","moved_by":[{"name":"DOCKER_CONFIG","replaces":"~/.docker"}],"reader":{"format":"opaque"}},
            {"path":"~/.config/gcloud/**","moved_by":[{"name":"CLOUDSDK_CONFIG","replaces":"~/.config/gcloud"}],"reader":{"format":"opaque"}}]}"#,
        )
        .unwrap()
    }

    fn paths(text: &str, live: &[(&str, &str)]) -> Vec<String> {
        let catalog = Catalog { kinds: vec![Arc::new(kind())] };
        let home = TreePath::new(b"home/al").unwrap();
        let live: Vec<_> = live.iter().map(|(name, value)| Live { home: None, name, value }).collect();
        let settings = [Setting { home: Some(&home), text: text.as_bytes() }];
        moved_places(&catalog, &settings, &live).into_iter().map(|m| m.path).collect()
    }

    #[test]
    fn paths_are_followed_into_the_home() {
        let text = "export KUBECONFIG=\"$HOME/.kube/a:/srv/b\"\nDOCKER_CONFIG=~/d # x\nset -gx CLOUDSDK_CONFIG ${HOME}/g\n\
                    Environment=KUBECONFIG=%h/unit\n";
        let want = ["/home/al/.kube/a", "/home/al/unit", "/srv/b", "/home/al/d/config.json", "/home/al/g/**"];
        assert_eq!(paths(text, &[]), want);
        assert_eq!(paths("", &[("DOCKER_CONFIG", "/run/d"), ("OTHER", "/x")]), ["/run/d/config.json"]);
    }

    #[test]
    fn what_leads_nowhere_is_left_out() {
        let text = "KUBECONFIG=relative/x\nKUBECONFIG=$DIR/x\nKUBECONFIG=/a/$B\nKUBECONFIG=/a/../../etc\nKUBECONFIG=\nX=/y\n\
                    KUBECONFIG=/\nKUBECONFIG=\u{7}/x\nKUBECONFIG=/a/**\n# KUBECONFIG=/no\n";
        assert_eq!(paths(text, &[("KUBECONFIG", "~/x")]), [""; 0]);
    }
}
