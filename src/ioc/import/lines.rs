//! Plain lists: one indicator a line, `#` begins a comment. `name==version` is Python's notation, `name@version` npm's, unless an
//! ecosystem is given; with one, `name:version`, `name version`, `name,version` and the like are read too.

use super::{
    Context, Fault, Imported, READ_AS_NPM,
    draft::{Draft, row, slug},
    pair, version,
};
use crate::{
    fact::Ecosystem,
    ioc::{
        query::{Query, readings},
        typed::looks_like_a_file,
    },
    text::start,
};

/// Every line of a list. A text of which less than half can be read is none.
pub fn read(text: &str, context: Context<'_>, out: &mut Imported) -> Result<(), Fault> {
    let mut own = Imported::default();
    let mut draft = Draft::of_file(context, "list");
    let (mut good, mut other) = (0_usize, 0_usize);
    for (n, line) in (1..).zip(text.lines()) {
        let plain = stripped(line);
        if plain.is_empty() {
            continue;
        }
        own.goes_on()?;
        match add_indicator(plain, context, &mut draft, &mut own) {
            Ok(()) => good += 1,
            Err(why) => {
                other += 1;
                own.leave(why, &format!("line {n}: {}", start(plain, 200)));
            }
        }
    }
    if good == 0 || good < other {
        return Err(Fault::Unknown);
    }
    draft.finish(&mut own);
    out.merge(own);
    Ok(())
}

/// Without its comment, the mark of a list item, and quotes.
fn stripped(line: &str) -> &str {
    let line = line.split(" #").next().unwrap_or(line).trim();
    if line.starts_with(['#', ';']) || line.starts_with("//") {
        return "";
    }
    let line = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")).unwrap_or(line);
    line.trim().trim_end_matches(',').trim_matches(['"', '\'', '`']).trim()
}

/// One indicator, or why it is none.
pub fn add_indicator(text: &str, context: Context<'_>, draft: &mut Draft, out: &mut Imported) -> Result<(), String> {
    const UNCLEAR: &str =
        "could mean several things: write `npm:name@1.0`, `domain:…`, `file:…` or `action:owner/name@v1`";
    if text.len() > 4096 {
        return Err("longer than any indicator".to_owned());
    }
    // `npm:name:1.0` says its ecosystem itself.
    let prefixed = text.split_once(':').and_then(|(word, rest)| {
        let ecosystem = Ecosystem::ALL.into_iter().find(|e| e.purl_type() == word)?;
        Some((ecosystem, pair::read(ecosystem, rest)?))
    });
    let asked = || context.reading.ecosystem.and_then(|e| Some((e, pair::read(e, text)?)));
    if let Some((ecosystem, (name, versions))) = prefixed.or_else(asked) {
        row(out, ecosystem, name, versions, &advisory(context));
        return Ok(());
    }
    if text.contains(char::is_whitespace) {
        return Err("more than one word".to_owned());
    }
    // An address with its port; `name:8080` may be an image too.
    let address = crate::ioc::query::refang(text);
    let address = address.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map(|(host, _)| host);
    if let Some(host) = address.filter(|host| host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok()) {
        draft.host(out, host, false);
        return Ok(());
    }
    let all = readings(text);
    let mut first = all.first().cloned().ok_or("not an indicator")?;
    if all.len() > 1 {
        first = match first {
            Query::Hash(_) | Query::Url(_) => first,
            Query::Host(ref host) if !looks_like_a_file(host) => first,
            _ => match all.iter().find(|q| matches!(q, Query::Package { version: Some(_), .. })) {
                Some(Query::Package { ecosystem, name, version }) if is_package(*ecosystem, name, version, context) => {
                    Query::Package { ecosystem: *ecosystem, name: name.clone(), version: version.clone() }
                }
                _ => return Err(UNCLEAR.to_owned()),
            },
        };
    }
    match first {
        Query::Package { ecosystem, name, version } => {
            let ecosystem = ecosystem.or(context.reading.ecosystem).unwrap_or_else(|| {
                out.took(READ_AS_NPM, 1);
                Ecosystem::Npm
            });
            let versions = version.map_or_else(|| Some(vec!["*".to_owned()]), |v| version::cell(&v));
            let advisory = advisory(context);
            row(out, ecosystem, &name, versions.ok_or("words where a version belongs")?, &advisory);
        }
        Query::Hash(hash) => draft.hashes(out, &[&hash], None),
        Query::Host(host) => draft.host(out, &host, false),
        Query::Url(url) => draft.url(out, &url, false),
        Query::Action { repository, reference } => draft.action(out, &repository, vec![reference]),
        Query::Image { repository, tag } => draft.image(out, &repository, vec![tag]),
        Query::File(path) => draft.file_name(out, &path),
        Query::Digest(_) | Query::Text(_) => return Err(UNCLEAR.to_owned()),
    }
    Ok(())
}

/// Whether a text can only be a package: `owner/name@v1` is an action too, `somebody@evil.example` an address.
fn is_package(ecosystem: Option<Ecosystem>, name: &str, version: &Option<String>, context: Context<'_>) -> bool {
    let version = version.as_deref().unwrap_or_default();
    ecosystem.is_some()
        || version::cell(version).is_some()
            && (name.starts_with('@') || !name.contains(['/', ':']) || context.reading.ecosystem.is_some())
}

/// What the rows of a file without numbers are called.
pub fn advisory(context: Context<'_>) -> String {
    slug(context.name.split('.').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::{Imported, Reading, read};
    use super::*;

    fn with(text: &str, ecosystem: Option<Ecosystem>) -> Imported {
        read(&[("wave-1.txt".to_owned(), text.as_bytes().to_vec())], Reading { ecosystem }).unwrap()
    }

    fn rows(i: &Imported) -> Vec<String> {
        i.rows.iter().map(|(e, n, r)| format!("{}/{n}@{}", e.purl_type(), r.versions.join(" "))).collect()
    }

    #[test]
    fn what_people_paste_is_read() {
        let text = format!(
            "# the wave\nevil-py==1.0 # first\n@evil/a@1.0.0\nevil@2.0.0\npkg:cargo/evil@0.1.0\ngolang:example.org/evil@v1.0.0\n\
             - {}\nc2[.]evil[.]example\n203.0.113[.]9:8080\nhxxps://evil[.]example/x\naction:a/b@v1\nfile:evil_init.pth\n\
             a/b@v1\nsetup.py\n",
            "AB".repeat(32)
        );
        let i = with(&text, None);
        assert_eq!(
            rows(&i),
            [
                "pypi/evil-py@1.0",
                "npm/@evil/a@1.0.0",
                "npm/evil@2.0.0",
                "cargo/evil@0.1.0",
                "golang/example.org/evil@v1.0.0"
            ]
        );
        let incident = &i.incidents[0];
        assert_eq!(incident.id, "wave-1");
        let network: Vec<&str> = incident.network.iter().map(|n| n.value.as_str()).collect();
        assert_eq!(network, ["c2.evil.example", "203.0.113.9", "https://evil.example/x"]);
        assert_eq!((incident.artifacts.len(), incident.actions.len(), incident.files.len()), (1, 1, 1));
        assert_eq!(i.left.values().map(|l| l.count).sum::<usize>(), 2);
        assert_eq!(i.taken["names without an ecosystem, read as npm's"], 2);
    }

    #[test]
    fn an_ecosystem_that_is_given_counts() {
        assert_eq!(rows(&with("evil@1.0\n", Some(Ecosystem::Pypi))), ["pypi/evil@1.0"]);
    }

    #[test]
    fn pairs_are_read_where_the_ecosystem_is_given() {
        let text = "# header\nevilpkg:1.2.3\n@scope/evil:4.0.0\n@scope/evil\t4.0.1\nother 1.0.0, 1.0.1\nthird@2.0.0\n";
        let want = ["evilpkg@1.2.3", "@scope/evil@4.0.0 4.0.1", "other@1.0.0 1.0.1", "third@2.0.0"]
            .map(|r| format!("npm/{r}"));
        assert_eq!(rows(&with(text, Some(Ecosystem::Npm))), want);
        let named =
            with("npm:evil:1.0.0\nmaven:org.evil:lib:1.0\npypi:evil 1.0\nnpm:@scope/evil@1.0.0\nnpm:evil\n", None);
        let want = ["npm/evil@1.0.0", "maven/org.evil:lib@1.0", "pypi/evil@1.0", "npm/@scope/evil@1.0.0", "npm/evil@*"];
        assert_eq!(rows(&named), want);
        // Without an ecosystem the same lines may be hosts, images or anything.
        let file = ("a.txt".to_owned(), b"evilpkg:1.2.3\nother 1.0.0\n".to_vec());
        assert!(read(&[file], Reading::default()).is_err());
    }

    #[test]
    fn prose_is_no_list() {
        for text in
            ["", "# nothing\n", "Some words\nabout evil.example\nand more of them\n", "name\nother\n", "import os\n"]
        {
            let file = ("readme.md".to_owned(), text.as_bytes().to_vec());
            assert!(read(&[file], Reading::default()).is_err(), "{text}");
        }
    }
}
