use super::*;
use crate::surface::{Claim, FEW, Flaw, Meta, Opened, Sink};

struct Wants(Vec<Claim>);

static META: Meta = Meta { id: "test/wants", title: "", proves: "" };

impl Surface for Wants {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        self.0.clone()
    }

    fn inspect(&self, _: &mut Opened<'_, '_>, _: &mut Sink<'_>) -> std::result::Result<(), Flaw> {
        Ok(())
    }
}

fn kept(claims: &[Claim], folder: &str, names: &[String]) -> Vec<String> {
    let surface = Wants(claims.to_vec());
    let router = Router::new(vec![&surface], &Interest::default());
    let folder = router.folder(&TreePath::new(folder.as_bytes()).unwrap());
    let wants = |name: &&String| {
        let mut into = Vec::new();
        router.claimants(&folder, name.as_bytes(), Kind::File, &mut into);
        !into.is_empty()
    };
    let mut wanted: Vec<_> = names.iter().filter(wants).map(|n| (n.clone().into_bytes(), Kind::File)).collect();
    router.sift(&folder, &mut wanted);
    wanted.into_iter().map(|(name, _)| String::from_utf8(name).unwrap()).collect()
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|n| (*n).to_owned()).collect()
}

#[test]
fn a_package_folder_holds_no_scripts() {
    let claims = [Claim::suffix(".py").in_own_work().without("__init__.py"), Claim::name("setup.py")];
    assert_eq!(kept(&claims, "home/a/tools", &names(&["run.py", "x.txt"])), ["run.py"]);
    assert_eq!(kept(&claims, "home/a/pkg", &names(&["__init__.py", "run.py", "setup.py"])), ["setup.py"]);
    assert_eq!(kept(&claims, "v/site-packages", &names(&["six.py", "setup.py"])), ["setup.py"]);
    assert_eq!(kept(&claims, "home/a/.cache/x", &names(&["run.py"])), [""; 0]);
}

#[test]
fn a_folder_full_of_data_is_not_read() {
    let claims = [Claim::suffix(".json").in_own_work().among_few(), Claim::name("7.json")];
    let some: Vec<String> = (0..FEW).map(|n| format!("{n}.json")).collect();
    assert_eq!(kept(&claims, "data", &some).len(), FEW);
    let many: Vec<String> = (0..=FEW).map(|n| format!("{n}.json")).collect();
    assert_eq!(kept(&claims, "data", &many), ["7.json"]);
}

#[test]
fn the_end_of_a_name_counts_in_any_case_where_the_claim_says_so() {
    let claims = [Claim::holding("requirement", ".txt"), Claim::suffix(".md")];
    let listed =
        names(&["Requirements.TXT", "requirements.txt", "REQUIREMENTS.txt", "a.MD", "a.md", "requirements", "x.Txt"]);
    assert_eq!(kept(&claims, "p", &listed), ["Requirements.TXT", "requirements.txt", "REQUIREMENTS.txt", "a.md"]);
}

#[test]
fn no_surface_keeps_to_itself_what_folders_are_called() {
    let mut interest = Interest::default();
    interest.packages.insert(crate::fact::Ecosystem::Pypi, "axios");
    let mut spoke = 0;
    for folder in [
        "v/lib/python3.12/site-packages/axios",
        "v/lib/python3.12/site-packages/axios-1.0.dist-info",
        "v/lib/python3.12/site-packages/axios-1.0.egg-info",
        "v/lib/python3.12/site-packages/axios-1.0-py3.12.egg",
        "a/node_modules/.pnpm/axios@1.0.0/node_modules/axios",
        "h/.bun/install/cache/axios@1.0.0@@@1",
        "h/.cache/deno/npm/registry.example/axios/1.0.0",
        "h/.cache/deno/npm/registry.example/@s/axios/1.0.0",
        "h/.cache/yarn/v6/npm-axios-1.0.0-0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a-integrity",
        "h/.vscode/extensions/a.axios-1.0.0",
        "h/gems/axios-1.0.0",
        "h/miniconda/pkgs/axios-1.0.0-py_0",
        "h/miniconda/conda-meta/axios-1.0.0-py_0.json",
        "w/axios-1.0.0-py3-none-any.whl",
        "w/axios-1.0.0.tgz",
        "c/wheels-v5/pypi/axios/1.0.0-py3-none-any.http",
    ] {
        let folder = TreePath::new(folder.as_bytes()).unwrap();
        for surface in crate::surface::SURFACES {
            let says = surface.named(&folder, Kind::Dir, &interest).is_some();
            assert!(surface.names_folders() || !says, "{} of {folder:?}", surface.meta().id);
            spoke += usize::from(says);
        }
    }
    assert!(spoke >= 8, "{spoke}");
}
