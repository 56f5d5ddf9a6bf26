//! Claims compiled into lookups: a name is looked up whole and by its end, a folder by its own name, its first component and each
//! component. The tables hold the program's own claims, so that a fast hash serves: what is looked up is never put in.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, HashSet},
};

use rustc_hash::FxHashMap;

use crate::{
    fact::TreePath,
    interest::Interest,
    surface::{Claim, FEW, FileMatch, FolderMatch, Surface, is_own_work},
    tree::Kind,
};

type Table<T> = FxHashMap<Box<[u8]>, Vec<T>>;

/// Which surfaces want a file, as a lookup by its name.
pub struct Router<'s> {
    pub(super) surfaces: Vec<&'s dyn Surface>,
    /// Those to which names of folders say something.
    of_folders: Vec<&'s dyn Surface>,
    folders: Folders,
    /// Claims by exact name.
    names: Table<Route>,
    /// Claims by what stands from the last dot on.
    endings: Table<Route>,
    /// Claims without such a handle, and without a folder of their own, by the first byte of the name; at 256 those that take any.
    anywhere: FxHashMap<usize, Vec<Route>>,
    /// Those with one, by the number of that folder.
    there: FxHashMap<usize, Vec<Route>>,
}

const ANY_BYTE: usize = 256;

struct Route {
    /// Position among all claims.
    number: usize,
    surface: usize,
    claim: Claim,
    place: Place,
    /// Whether the lookup that leads here has compared the whole name, or all that the claim says of its end and nothing of its start.
    compared: bool,
}

/// Where a claim holds.
#[derive(Clone, Copy)]
enum Place {
    Anywhere,
    OwnWork,
    /// In the folder of this number.
    Folder(usize),
    /// Asked of the path each time: too rare to be looked up.
    Asked,
}

/// A folder as the router sees it.
pub struct Folder {
    path: TreePath,
    /// Whether it is somebody's own work: asked for the names of some endings only.
    own_work: OnceCell<bool>,
    /// Numbers of the folders of claims that this one is.
    is: Vec<usize>,
}

impl Folder {
    fn own_work(&self) -> bool {
        *self.own_work.get_or_init(|| is_own_work(self.path.as_bytes()))
    }
}

/// The folders of claims, each once.
#[derive(Default)]
struct Folders {
    known: Vec<FolderMatch>,
    /// By the last component of the path.
    last: Table<usize>,
    /// By the end of the folder's name from its last dot on.
    ending: Table<usize>,
    /// By the first component.
    first: Table<usize>,
    /// By any component.
    component: Table<usize>,
    /// The others: each is asked about each folder.
    rest: Vec<usize>,
}

impl Folders {
    fn place(&mut self, folder: &FolderMatch) -> Place {
        match folder {
            FolderMatch::Any => return Place::Anywhere,
            FolderMatch::OwnWork => return Place::OwnWork,
            FolderMatch::Holding(_) => return Place::Asked,
            _ => {}
        }
        if let Some(number) = self.known.iter().position(|k| k == folder) {
            return Place::Folder(number);
        }
        let number = self.known.len();
        self.known.push(folder.clone());
        let list = match folder {
            FolderMatch::Tail(path) | FolderMatch::Root(path) => self.last.entry(last(path.as_bytes()).into()),
            FolderMatch::Suffix(end) if end.starts_with('.') && is_ending(end) => {
                self.ending.entry(end.as_bytes().into())
            }
            FolderMatch::Below(path) if !path.is_empty() => {
                self.first.entry(path.split('/').next().unwrap_or_default().as_bytes().into())
            }
            FolderMatch::Within(name) | FolderMatch::Nested(_, name) | FolderMatch::PackageIn(name) => {
                self.component.entry(name.as_bytes().into())
            }
            _ => {
                self.rest.push(number);
                return Place::Folder(number);
            }
        };
        list.or_default().push(number);
        Place::Folder(number)
    }

    /// The numbers of those that this folder is, sorted.
    fn of(&self, path: &[u8]) -> Vec<usize> {
        let name = last(path);
        let mut components = path.split(|b| *b == b'/');
        let first = components.clone().next().unwrap_or_default();
        let candidates = [self.last.get(name), self.ending.get(ending(name)), self.first.get(first)];
        let mut is: Vec<usize> = Vec::new();
        let mut ask = |number: usize| {
            if self.known.get(number).is_some_and(|folder| folder.fits(path)) {
                is.push(number);
            }
        };
        candidates.into_iter().flatten().flatten().chain(&self.rest).for_each(|n| ask(*n));
        components.by_ref().filter_map(|c| self.component.get(c)).flatten().for_each(|n| ask(*n));
        is.sort_unstable();
        is.dedup();
        is
    }
}

impl<'s> Router<'s> {
    /// Compiles the claims of these surfaces.
    pub fn new(surfaces: Vec<&'s dyn Surface>, interest: &Interest) -> Self {
        let mut router = Self {
            surfaces: Vec::new(),
            of_folders: surfaces.iter().copied().filter(|s| s.names_folders()).collect(),
            folders: Folders::default(),
            names: Table::default(),
            endings: Table::default(),
            anywhere: FxHashMap::default(),
            there: FxHashMap::default(),
        };
        let claims =
            surfaces.iter().enumerate().flat_map(|(at, s)| s.claims(interest).into_iter().map(move |c| (at, c)));
        for (number, (surface, claim)) in claims.enumerate() {
            let place = router.folders.place(&claim.folder);
            let compared = match &claim.file {
                FileMatch::Name(_) => true,
                FileMatch::Affix(start, end) => start.is_empty() && end.starts_with('.') && is_ending(end),
                _ => false,
            };
            router.add(Route { number, surface, claim, place, compared });
        }
        router.surfaces = surfaces;
        router
    }

    fn add(&mut self, route: Route) {
        let list = match (&route.claim.file, route.place) {
            (FileMatch::Name(name), _) => self.names.entry(name.as_bytes().into()).or_default(),
            (FileMatch::Affix(_, end), _) if end.contains('.') => {
                self.endings.entry(ending(end.as_bytes()).into()).or_default()
            }
            (FileMatch::Holding(_, end), _) => self.endings.entry(ending(end.as_bytes()).into()).or_default(),
            (_, Place::Folder(number)) => self.there.entry(number).or_default(),
            (FileMatch::Affix(start, _), _) => {
                let first = start.as_bytes().first().map_or(ANY_BYTE, |b| usize::from(*b));
                self.anywhere.entry(first).or_default()
            }
            _ => self.anywhere.entry(ANY_BYTE).or_default(),
        };
        list.push(route);
    }

    pub(crate) fn folder(&self, path: &TreePath) -> Folder {
        let is = self.folders.of(path.without_private().as_bytes());
        Folder { path: path.clone(), own_work: OnceCell::new(), is }
    }

    /// The surfaces to which a name may say something.
    pub(super) fn asked(&self, kind: Kind) -> impl Iterator<Item = &&'s dyn Surface> {
        if kind == Kind::Dir { self.of_folders.iter() } else { self.surfaces.iter() }
    }

    /// Whether a surface wants `name`.
    pub(super) fn wants(&self, folder: &Folder, name: &[u8], kind: Kind) -> bool {
        let mut wanted = false;
        self.routes(folder, name, kind, &mut |_| {
            wanted = true;
            false
        });
        wanted
    }

    /// Positions of the surfaces that want `name`, each once, in order.
    pub(super) fn claimants(&self, folder: &Folder, name: &[u8], kind: Kind, into: &mut Vec<usize>) {
        self.routes(folder, name, kind, &mut |route| {
            into.push(route.surface);
            true
        });
        into.sort_unstable();
        into.dedup();
    }

    /// Whether every surface that wants a link of this name wants what it leads to by its own name too, be that a file or a link: then
    /// it reads it there.
    pub(crate) fn reads_both(&self, link: &TreePath, target: &TreePath) -> bool {
        let [link, target] = [link, target].map(|path| {
            let mut surfaces = Vec::new();
            self.claimants(&self.folder(&path.parent()), path.name(), Kind::Symlink, &mut surfaces);
            surfaces
        });
        !link.is_empty() && link.iter().all(|surface| target.contains(surface))
    }

    /// The claims that want `name`, until the answer is no.
    fn routes<'r>(&'r self, folder: &Folder, name: &[u8], kind: Kind, each: &mut impl FnMut(&'r Route) -> bool) {
        let fits = |r: &Route, compared: bool| {
            // What costs more comes last.
            let in_folder = !matches!(r.place, Place::Folder(number) if !folder.is.contains(&number));
            in_folder
                && ((compared && r.compared) || r.claim.file.fits(name))
                && (r.claim.links || kind != Kind::Symlink)
                && match r.place {
                    Place::Anywhere | Place::Folder(_) => true,
                    Place::OwnWork => folder.own_work(),
                    Place::Asked => r.claim.folder.fits(folder.path.as_bytes()),
                }
        };
        let mut ask = |list: Option<&'r Vec<Route>>, compared| {
            list.into_iter().flatten().filter(|r| fits(r, compared)).all(&mut *each)
        };
        let ending = ending(name);
        // Claims that take any case stand under the end in lower case.
        let lower = || ending.iter().any(u8::is_ascii_uppercase).then(|| ending.to_ascii_lowercase());
        let first = name.first().map_or(ANY_BYTE, |b| usize::from(*b));
        let _more = ask(self.names.get(name), true)
            && (ending.is_empty()
                || ask(self.endings.get(ending), true)
                    && lower().is_none_or(|lower| ask(self.endings.get(lower.as_slice()), false)))
            && ask(self.anywhere.get(&first), false)
            && ask(self.anywhere.get(&ANY_BYTE), false)
            && folder.is.iter().all(|number| ask(self.there.get(number), false));
    }

    /// Takes out the names that only claims with a condition want, where the other names of the folder do not meet it. Such claims
    /// are made in somebody's own work only.
    pub(super) fn sift(&self, folder: &Folder, wanted: &mut Vec<(Vec<u8>, Kind)>) {
        if !folder.own_work() {
            return;
        }
        let (mut crowds, mut conditional) = (BTreeMap::<usize, usize>::new(), false);
        for (name, kind) in wanted.iter() {
            self.routes(folder, name, *kind, &mut |r| {
                conditional |= r.claim.without.is_some() || r.claim.among_few;
                *crowds.entry(r.number).or_default() += 1;
                true
            });
        }
        if !conditional {
            return;
        }
        let names: HashSet<&[u8]> = wanted.iter().map(|(name, _)| name.as_slice()).collect();
        let met = |r: &Route| {
            let crowded = r.claim.among_few && crowds.get(&r.number).is_some_and(|n| *n > FEW);
            !crowded && r.claim.without.is_none_or(|other| !names.contains(other.as_bytes()))
        };
        let verdicts: Vec<bool> = wanted
            .iter()
            .map(|(name, kind)| {
                let mut keep = false;
                self.routes(folder, name, *kind, &mut |r| {
                    keep |= met(r);
                    !keep
                });
                keep
            })
            .collect();
        let mut verdicts = verdicts.into_iter();
        wanted.retain(|_| verdicts.next().unwrap_or(true));
    }
}

/// Whether it is an ending as the table has them.
fn is_ending(end: &str) -> bool {
    ending(end.as_bytes()) == end.as_bytes()
}

/// From the last dot on; empty where there is none.
fn ending(name: &[u8]) -> &[u8] {
    name.iter().rposition(|b| *b == b'.').and_then(|dot| name.get(dot..)).unwrap_or_default()
}

fn last(path: &[u8]) -> &[u8] {
    path.rsplit(|b| *b == b'/').next().unwrap_or_default()
}
