//! Volta lets npm install a package into a folder of its own, and gives that its place once npm has ended. Not documented; read in Volta's
//! sources and watched.

use crate::fact::TreePath;

/// Where Volta puts what npm installed in a folder that it made for this: `<volta>/tmp/image/packages/.tmpAb12/lib/node_modules/axios`
/// becomes `<volta>/tools/image/packages/axios/lib/node_modules/axios`. It gives npm one package at a time.
pub fn in_its_place(path: TreePath) -> TreePath {
    let parts: Vec<&[u8]> = path.components().collect();
    let is_made = |w: &[&[u8]]| match w {
        [b"tmp", b"image", b"packages", made, b"lib", b"node_modules"] => made.starts_with(b".tmp"),
        _ => false,
    };
    let Some(at) = parts.windows(6).position(is_made) else {
        return path;
    };
    let (before, rest) = (parts.get(..at).unwrap_or_default(), parts.get(at + 4..).unwrap_or_default());
    let scope = usize::from(rest.get(2).is_some_and(|first| first.starts_with(b"@")));
    let Some(name) = rest.get(2..3 + scope) else {
        return path;
    };
    let place: [&[u8]; 3] = [b"tools", b"image", b"packages"];
    TreePath::new(&[before, &place, name, rest].concat().join(&b'/')).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_volta_installs_is_looked_for_where_it_puts_it() {
        const MADE: &str = "h/.volta/tmp/image/packages/.tmpAb12/lib/node_modules";
        const PLACE: &str = "h/.volta/tools/image/packages";
        for (path, is) in [
            (format!("{MADE}/x"), format!("/{PLACE}/x/lib/node_modules/x")),
            (format!("{MADE}/x/node_modules/@t/y"), format!("/{PLACE}/x/lib/node_modules/x/node_modules/@t/y")),
            (format!("{MADE}/@s/x/node_modules/y"), format!("/{PLACE}/@s/x/lib/node_modules/@s/x/node_modules/y")),
            // Nothing of a package, a folder of another name, another program's.
            (MADE.to_owned(), format!("/{MADE}")),
            (format!("{MADE}/@s"), format!("/{MADE}/@s")),
            ("h/tmp/image/packages/x/lib/node_modules/x".into(), "/h/tmp/image/packages/x/lib/node_modules/x".into()),
            ("h/image/packages/.tmpA/lib/node_modules/x".into(), "/h/image/packages/.tmpA/lib/node_modules/x".into()),
            ("h/a/node_modules/x".into(), "/h/a/node_modules/x".into()),
        ] {
            assert_eq!(in_its_place(TreePath::new(path.as_bytes()).unwrap()).text(), is, "{path}");
        }
    }
}
