//! What a package of a TOML lock file requires: the chain that brought a malicious version in.
//!
//! ```text
//! dependencies = [{ name = "litellm", extra = ["proxy"], marker = "…" }]      uv, pylock.toml
//! dependencies = ["litellm[proxy]>=1.60; python_version >= '3.8'"]            pdm
//! [package.dependencies]                                                      poetry
//! litellm = { version = ">=1.60", extras = ["proxy"], markers = "…" }         or ">=1.60", "*", a list of such tables
//! [package.optional-dependencies]                                             uv, by extra
//! proxy = [{ name = "fastapi" }]
//! ```

use toml::de::{DeTable, DeValue};

use super::toml_doc::{items, string, table};
use crate::{
    ecosystem::pypi::{is_name, normalise, requirement},
    fact::Requirement,
};

/// No real package has so many.
const REQUIRED: usize = 1000;

/// The requirements of one entry; what is none is left out.
pub fn of_entry(entry: &DeTable<'_>) -> Vec<Requirement> {
    let listed = items(entry, "dependencies").filter_map(|item| one_of_list(item.get_ref(), None));
    let by_name = table(entry, "dependencies").into_iter().flat_map(DeTable::iter);
    let by_name = by_name.flat_map(|(name, value)| of_poetry(name.get_ref(), value.get_ref()));
    let optional = table(entry, "optional-dependencies").into_iter().flat_map(DeTable::iter);
    let optional = optional.flat_map(|(extra, list)| {
        let list = list.get_ref().as_array().into_iter().flat_map(|all| all.iter());
        list.filter_map(|item| one_of_list(item.get_ref(), Some(extra.get_ref())))
    });
    listed.chain(by_name).chain(optional).take(REQUIRED).collect()
}

fn one_of_list(item: &DeValue<'_>, extra: Option<&str>) -> Option<Requirement> {
    if let Some(text) = item.as_str() {
        return requirement(text);
    }
    let item = item.as_table()?;
    let behind = extra.filter(|extra| is_name(extra)).map(|extra| format!("extra == '{extra}'"));
    let marker = string(item, "marker").map(|marker| format!("({marker})"));
    let markers: Vec<String> = behind.into_iter().chain(marker).collect();
    made(string(item, "name")?, &texts(item, "extra"), "", &markers.join(" and "))
}

fn of_poetry(name: &str, value: &DeValue<'_>) -> Vec<Requirement> {
    let one = |value: &DeValue<'_>| match value {
        DeValue::String(range) => made(name, "", range, ""),
        DeValue::Table(said) => {
            let range = string(said, "version").unwrap_or_default();
            made(name, &texts(said, "extras"), range, string(said, "markers").unwrap_or_default())
        }
        _ => None,
    };
    match value.as_array() {
        Some(all) => all.iter().filter_map(|value| one(value.get_ref())).collect(),
        None => one(value).into_iter().collect(),
    }
}

fn texts(said: &DeTable<'_>, key: &str) -> String {
    let names: Vec<&str> = items(said, key).filter_map(|item| item.get_ref().as_str()).collect();
    names.join(",")
}

/// A range or marker that cannot be read says nothing; the name still counts.
fn made(name: &str, extras: &str, range: &str, marker: &str) -> Option<Requirement> {
    let extras = if extras.is_empty() { String::new() } else { format!("[{extras}]") };
    let range = if range == "*" { "" } else { range };
    let marker = if marker.is_empty() { String::new() } else { format!("; {marker}") };
    let plain = || is_name(name).then(|| Requirement::new(normalise(name), normalise(name)));
    requirement(&format!("{name}{extras}{range}{marker}"))
        .or_else(|| requirement(&format!("{name}{extras}{marker}")))
        .or_else(plain)
}

#[cfg(test)]
mod tests {
    use super::{super::toml_doc::parse, *};

    fn required(text: &str) -> Vec<String> {
        let said = |r: &Requirement| {
            let marker = r.marker.as_deref().map(|m| format!("; {m}")).unwrap_or_default();
            format!("{}{:?}{marker}{}", r.text, r.extras, if r.extra { " (extra)" } else { "" })
        };
        of_entry(&parse(text, "test").unwrap()).iter().map(said).collect()
    }

    #[test]
    fn every_tool_says_it_in_its_own_way() {
        let uv = "dependencies = [{ name = \"Lite_LLM\", extra = [\"proxy\"] }, { name = \"x\", marker = \"os_name == 'nt'\" }]\n\
                  [optional-dependencies]\nproxy = [{ name = \"fastapi\" }, { name = \"y\", marker = \"os_name == 'nt'\" }]\n";
        assert_eq!(
            required(uv),
            [
                "lite-llm[\"proxy\"]",
                "x[]; (os_name == 'nt')",
                "fastapi[]; extra == 'proxy' (extra)",
                "y[]; extra == 'proxy' and (os_name == 'nt') (extra)",
            ]
        );
        let poetry = "[dependencies]\nlitellm = { version = \">=1.60,<2\", extras = [\"proxy\"], markers = \"extra == 'all'\" }\n\
                      a = \"*\"\nb = [{ version = \">=1\" }, { version = \"<1\", markers = \"python_version < '3'\" }]\n";
        let mut found = required(poetry);
        found.sort();
        assert_eq!(
            found,
            ["a[]", "b<1[]; python_version < '3'", "b>=1[]", "litellm>=1.60,<2[\"proxy\"]; extra == 'all' (extra)"]
        );
        let pdm = "dependencies = [\"litellm[proxy]>=1.60\", \"x; os_name == 'nt'\"]";
        assert_eq!(required(pdm), ["litellm>=1.60[\"proxy\"]", "x[]; os_name == 'nt'"]);
    }

    #[test]
    fn what_is_none_is_left_out() {
        for text in [
            "dependencies = 1",
            "dependencies = [1, { nome = \"x\" }, \"a b\", { name = \"a\\u001b\" }]",
            "[dependencies]\n\"a b\" = \"*\"\nx = 1\n",
            "[optional-dependencies]\np = 1\n",
        ] {
            assert_eq!(required(text), [""; 0], "{text}");
        }
        // The name counts where the rest cannot be read.
        assert_eq!(required("[dependencies]\nx = \"what?\"\n"), ["x[]"]);
        let many = format!("dependencies = [{}]", "\"x\",".repeat(REQUIRED + 9));
        assert_eq!(required(&many).len(), REQUIRED);
    }
}
