//! Places that a variable moved: `AWS_SHARED_CREDENTIALS_FILE=/srv/aws`, read from shell start-up files, `/etc/environment`,
//! units and the live environment. Values of variables that move no place are never looked at.

use std::collections::{BTreeSet, HashMap};

use super::{Catalog, form, model::MovedBy, reader};
use crate::{fact::TreePath, work};

/// Longest value that can be a path, or a list of them.
const VALUE: usize = 4096;
/// Moved places of one text; a list in a variable has a few.
const OF_A_TEXT: usize = 400;
/// Moved places of a machine. Each is one more that every file is compared with.
const MOST: usize = 2000;

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

/// The places that texts and variables move.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MovedPlaces {
    /// Sorted, each once.
    pub places: Vec<Moved>,
    /// How many more there are than are looked at.
    pub dropped: usize,
}

/// The places that these texts and variables move. Relative values, and values that other variables make up, are left out: where
/// they lead is not known here.
pub fn moved_places(catalog: &Catalog, settings: &[Setting<'_>], live: &[Live<'_>]) -> MovedPlaces {
    let mut search = Search { by: HashMap::new(), found: BTreeSet::new(), left: MOST, dropped: 0 };
    for kind in &catalog.kinds {
        for (number, place) in kind.places.iter().enumerate() {
            for by in &place.moved_by {
                search.by.entry(&by.name).or_default().push((&kind.id, number, &place.path, by));
            }
        }
    }
    // The caller's own environment moves what his programs read now; nobody else can crowd it out.
    for variable in live {
        search.add(variable.name, variable.value.as_bytes(), variable.home);
    }
    for setting in settings {
        search.left = OF_A_TEXT;
        // A file that breaks off in a quote gave its assignments up to there.
        let _ = reader::assignments(setting.text, &mut |_, name, value| {
            if let Ok(name) = std::str::from_utf8(name) {
                search.add(name, form::unquoted(value), setting.home);
            }
        });
    }
    MovedPlaces { places: search.found.into_iter().collect(), dropped: search.dropped }
}

/// A place that a variable moves: its kind, its number there, its usual path, and how.
type Movable<'c> = (&'c str, usize, &'c str, &'c MovedBy);

struct Search<'c> {
    /// By the variable.
    by: HashMap<&'c str, Vec<Movable<'c>>>,
    found: BTreeSet<Moved>,
    /// How many more the text at hand may move.
    left: usize,
    dropped: usize,
}

impl Search<'_> {
    fn add(&mut self, name: &str, value: &[u8], home: Option<&TreePath>) {
        let Some(places) = self.by.get(name) else {
            return;
        };
        for (kind, number, usual, by) in places {
            let rest = match &by.replaces {
                None => Some(""),
                Some(start) => usual.strip_prefix(start.as_str()),
            };
            let Some(rest) = rest else { continue };
            for value in value.split(|b| *b == b':' && by.replaces.is_none()) {
                work::done(1);
                let Some(path) = concrete_path(value, home) else { continue };
                let path = format!("{path}{rest}");
                let moved = Moved { kind: (*kind).to_owned(), place: *number, path, by: name.to_owned() };
                if self.found.contains(&moved) {
                    continue;
                }
                if self.left == 0 || self.found.len() >= MOST {
                    self.dropped += 1;
                    continue;
                }
                self.left -= 1;
                self.found.insert(moved);
            }
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
        moved_places(&catalog, &settings, &live).places.into_iter().map(|m| m.path).collect()
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

    #[test]
    fn a_list_without_end_is_cut_and_counted() {
        let catalog = Catalog { kinds: vec![Arc::new(kind())] };
        let list = |text: usize, n: usize| {
            let paths: Vec<String> = (0..n).map(|i| format!("/k/{text}/{i}")).collect();
            // A value is a line of a file, and not longer than a path may be.
            paths.chunks(50).map(|c| format!("export KUBECONFIG={}\n", c.join(":"))).collect::<String>()
        };
        let counted = |lists: &[String]| {
            let settings: Vec<_> = lists.iter().map(|l| Setting { home: None, text: l.as_bytes() }).collect();
            let moved = moved_places(&catalog, &settings, &[]);
            (moved.places.len(), moved.dropped)
        };
        assert_eq!(counted(&[list(0, OF_A_TEXT)]), (OF_A_TEXT, 0));
        assert_eq!(counted(&[list(0, OF_A_TEXT + 7)]), (OF_A_TEXT, 7));
        // The same list in ten files is one.
        assert_eq!(counted(&vec![list(0, 9); 10]), (9, 0));
        let many: Vec<String> = (0..6).map(|text| list(text, OF_A_TEXT)).collect();
        assert_eq!(counted(&many), (MOST, OF_A_TEXT * 6 - MOST));
    }
}
