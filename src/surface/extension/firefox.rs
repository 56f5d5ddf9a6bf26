//! Add-ons of Firefox and its kin: LibreWolf, Waterfox, Thunderbird.
//!
//! ```text
//! <profile>/extensions/<id>.xpi        a zip with manifest.json: {"version": "1.2.3", "browser_specific_settings": {"gecko": {"id": "x@y"}}}
//! <profile>/extensions.json            {"addons": [{"id": "x@y", "version": "1.2.3", "type": "extension", "path": "…", "installDate": 1774350000000}]}
//! /usr/share/mozilla/extensions/<application>/<id>.xpi  /usr/lib/firefox/distribution/extensions/<id>.xpi      of each profile
//!
//! ~/.mozilla/firefox/<profile>  ~/snap/firefox/common/.mozilla/…  ~/.var/app/org.mozilla.firefox/.mozilla/…     Linux
//! ~/Library/Application Support/Firefox/Profiles/<profile>                                                      macOS
//! ~/AppData/Roaming/Mozilla/Firefox/Profiles/<profile>                                                          Windows
//! ```
//!
//! An archive elsewhere is a stored one. Of the list only what stands in no archive is taken: unpacked and temporary add-ons. A hit proves
//! that the version stands where the browser loads it; whether it is switched on stands in the list. Documented in "Extension Workshop"
//! and by Firefox's source, `toolkit/mozapps/extensions`.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    ecosystem::{browser::is_firefox_id, is_version},
    fact::{At, Ecosystem, Fact, Package, Placement, TreePath, Usage, Use, UseKind},
    interest::Interest,
    surface::{
        Claim, Flaw, Meta, Opened, Sink, Surface,
        node::json::without_comments,
        python::zip_directory::{each_member, read_member},
    },
};

/// A list of a thousand add-ons is smaller.
const LIST: usize = 32 << 20;
const MANIFEST: u64 = 1 << 20;
/// Add-ons of one list.
const MOST: usize = 5000;

/// `*.xpi`, `extensions.json`.
pub struct Firefox;

static META: Meta = Meta {
    id: "extension/firefox",
    title: "add-ons of Firefox and its kin",
    proves: "the version stands where the browser loads it, or is stored; not that it was switched on",
};

#[derive(Deserialize)]
struct Manifest {
    version: Option<String>,
    #[serde(default)]
    browser_specific_settings: Value,
    #[serde(default)]
    applications: Value,
}

impl Surface for Firefox {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn claims(&self, _: &Interest) -> Vec<Claim> {
        let lists = ["firefox", "Firefox", ".mozilla", ".thunderbird", ".librewolf", ".waterfox", "Profiles"];
        let lists = lists.iter().map(|folder| Claim::name("extensions.json").within(folder));
        lists.chain([Claim::suffix(".xpi")]).collect()
    }

    fn recognises(&self, head: &[u8]) -> Option<&'static str> {
        let has = |word: &[u8]| memchr::memmem::find(head, word).is_some();
        (head.starts_with(b"{") && has(b"\"schemaVersion\"") && has(b"\"addons\""))
            .then_some("firefox/x/extensions.json")
    }

    fn inspect(&self, file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
        let path = file.entry.path.clone();
        if path.name() == b"extensions.json" { list(file, out) } else { archive(file, &path, out) }
    }
}

fn archive(file: &mut Opened<'_, '_>, path: &TreePath, out: &mut Sink<'_>) -> Result<(), Flaw> {
    let at = file.mtime("mtime of the archive");
    let mut zip = file.seekable()?;
    let mut found = None;
    each_member(&mut zip, &mut |name, member| {
        if name == b"manifest.json" {
            found = Some(member);
        }
    })?;
    // Old ones have a description of another form, and plug-ins of other programs none.
    let Some(member) = found else { return Ok(()) };
    let bytes = read_member(&mut zip, member, MANIFEST)?;
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes));
    let Ok(manifest) = serde_json::from_str::<Manifest>(&without_comments(&text)) else {
        return Err(Flaw::malformed("manifest.json", "it is no JSON of that form"));
    };
    let gecko = |of: &Value| of.get("gecko").and_then(|g| g.get("id")).and_then(Value::as_str).map(str::to_owned);
    let stem = std::str::from_utf8(path.name()).ok().and_then(|name| name.strip_suffix(".xpi")).map(str::to_owned);
    let id = gecko(&manifest.browser_specific_settings).or_else(|| gecko(&manifest.applications)).or(stem);
    let Some(id) = id.filter(|id| is_firefox_id(id)) else { return Ok(()) };
    let Some(version) = manifest.version.filter(|v| is_version(Ecosystem::Firefox, v)) else {
        return Err(Flaw::malformed("manifest.json", "it says no version"));
    };
    let folder = path.parent();
    let loads =
        folder.name() == b"extensions" || folder.name().starts_with(b"{") && folder.parent().name() == b"extensions";
    let package = Package {
        ecosystem: Ecosystem::Firefox,
        name: id.to_lowercase().into(),
        version: version.into(),
        placement: if loads { Placement::Loadable } else { Placement::Cached },
        requires: [].into(),
        artifacts: Vec::new(),
    };
    out.push_at(None, None, at, Fact::Package(package));
    Ok(())
}

fn list(file: &mut Opened<'_, '_>, out: &mut Sink<'_>) -> Result<(), Flaw> {
    let written = file.mtime("mtime of the list");
    let Ok(value) = serde_json::from_slice::<Value>(file.all(LIST)?) else {
        return Err(Flaw::malformed("list of add-ons", "it is no JSON"));
    };
    for addon in value.get("addons").and_then(Value::as_array).into_iter().flatten().take(MOST) {
        let text = |key: &str| addon.get(key).and_then(Value::as_str);
        let (Some(id), Some(version)) = (text("id"), text("version")) else { continue };
        // An archive speaks for itself; themes and dictionaries run nothing.
        let apart = text("path").is_none_or(|path| !path.ends_with(".xpi"));
        if apart && text("type") == Some("extension") && is_firefox_id(id) && is_version(Ecosystem::Firefox, version) {
            let installed =
                addon.get("installDate").and_then(Value::as_i64).and_then(|millis| millis.checked_div(1000));
            let at = installed.and_then(|seconds| At::unix(seconds, "time in the list of the browser"));
            let used = Use {
                kind: UseKind::Extension,
                name: id.to_lowercase().into(),
                reference: version.into(),
                digest: None,
                usage: Usage::Recorded,
            };
            out.push_at(Some(&format!("{id} {version}")), None, at.or_else(|| written.clone()), Fact::Use(used));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::python::{archive::made::zip, trial::tried};

    fn said(path: &str, bytes: &[u8]) -> (Vec<String>, bool) {
        let tried = tried(&Firefox, path, bytes, &Interest::default());
        let words = tried.seen.iter().map(|s| match &s.fact {
            Fact::Package(p) => format!("{} {} {:?}", p.name, p.version, p.placement),
            Fact::Use(u) => format!("{} {}", u.name, u.reference),
            other => format!("{other:?}"),
        });
        (words.collect(), tried.flaw.is_some())
    }

    #[test]
    fn archives_say_what_they_are() {
        let manifest =
            "{\"version\":\"1.2.3\",\"browser_specific_settings\":{\"gecko\":{\"id\":\"Tool@acme.example\"}}}";
        let bytes = zip(&[("x.js", "1"), ("manifest.json", manifest)]);
        for (path, placement) in [
            ("home/a/.mozilla/firefox/p.default/extensions/Tool@acme.example.xpi", "Loadable"),
            ("usr/share/mozilla/extensions/{ec8030f7-c20a-464f-9b0e-13a3a9e97384}/x.xpi", "Loadable"),
            ("home/a/Downloads/tool.xpi", "Cached"),
        ] {
            assert_eq!(said(path, &bytes), (vec![format!("tool@acme.example 1.2.3 {placement}")], false), "{path}");
        }
        let by_name = zip(&[("manifest.json", "{\"version\":\"1\"}")]);
        assert_eq!(said("p/extensions/a@b.xpi", &by_name).0, ["a@b 1 Loadable"]);
        assert_eq!(said("p/extensions/x.xpi", &by_name), (vec![], false));
        assert_eq!(said("p/extensions/a@b.xpi", &zip(&[("install.rdf", "x")])), (vec![], false));
        for (bytes, cut) in [(&bytes[..], 40), (b"PK\x03\x04", 4), (b"", 0)] {
            assert!(said("p/extensions/a@b.xpi", &bytes[..cut]).1);
        }
        for manifest in ["", "{", "[]", "{\"version\":\"x y\"}"] {
            assert!(said("p/extensions/a@b.xpi", &zip(&[("manifest.json", manifest)])).1, "{manifest}");
        }
    }

    #[test]
    fn of_the_list_what_stands_in_no_archive() {
        let text = br#"{"schemaVersion":37,"addons":[
            {"id":"a@b","version":"1.0","type":"extension","path":"/home/a/src/ext","installDate":1774340000123},
            {"id":"c@d","version":"1.0","type":"extension","path":"/p/extensions/c@d.xpi"},
            {"id":"e@f","version":"1.0","type":"theme","path":null},{"id":"g\u001b@h","version":"1.0","type":"extension"},{"x":1},7]}"#;
        let path = "home/a/.mozilla/firefox/p/extensions.json";
        assert_eq!(said(path, text), (vec!["a@b 1.0".to_owned()], false));
        for text in [&b"{}"[..], b"[]", b"{\"addons\":7}", b"{\"recommendations\":[\"a.b\"]}"] {
            assert_eq!(said(path, text), (vec![], false));
        }
        assert!(said(path, b"{").1 && said(path, b"").1);
    }
}
