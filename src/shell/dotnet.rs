//! Commands of .NET that name packages: `dotnet add app.csproj package X --version 1.2.3`, `dotnet package add X`, `dotnet tool install X`, `dnx X@1.2.3`,
//! `nuget install X -Version 1.2.3`, `Install-Package X`, `paket add X`. What restores takes what the project says, which other surfaces read. Documented in
//! ".NET CLI overview", "NuGet CLI reference" and "Package Manager Console".

use super::{
    args::{Long, Options, Parsed, base_name},
    python::Recognised,
};
use crate::{
    ecosystem::{is_version, normal_name, nuget::is_name},
    fact::{Command, CommandAction, Ecosystem, Wanted},
};
use CommandAction::{Download, Install, Run, Uninstall};

static VALUED: &str =
    "version framework source package-directory project add-source configfile tool-path tool-manifest verbosity arch";
static PAKET: &str = "version group project";
const DOTNET: Options = Options { short: "vfs", long: Long::Valued(&[VALUED]) };
const PAKETS: Options = Options { short: "Vgp", long: Long::Valued(&[PAKET]) };
/// Options of one dash, in any case.
const NUGET: [&str; 10] = [
    "version",
    "outputdirectory",
    "source",
    "framework",
    "configfile",
    "dependencyversion",
    "verbosity",
    "projectname",
    "fallbacksource",
    "packagesavemode",
];

/// What the words of .NET do; `None` where the program is another one.
pub fn recognise(words: &[String]) -> Option<Recognised<'_>> {
    let (first, rest) = words.split_first()?;
    match base_name(first) {
        "dotnet" => Some((dotnet(rest), None)),
        "dnx" => Some((run(&DOTNET.leading(rest)), None)),
        "nuget" => Some((nuget(rest), None)),
        "paket" => Some((paket(rest), None)),
        // `mono nuget.exe install X`
        "mono" if rest.first().is_some_and(|word| base_name(word) == "nuget") => Some((nuget(rest.get(1..)?), None)),
        name if name.eq_ignore_ascii_case("Install-Package") => {
            Some((one_dash("Install-Package", Install, rest), None))
        }
        name if name.eq_ignore_ascii_case("Update-Package") => Some((one_dash("Update-Package", Install, rest), None)),
        _ => None,
    }
}

fn dotnet(rest: &[String]) -> Option<Command> {
    let parsed = DOTNET.all(rest);
    if parsed.has(&["help", "h", "?"]) {
        return None;
    }
    let (action, words) = match parsed.plain.as_slice() {
        ["add", "package", words @ ..] | ["add", _, "package", words @ ..] => (Install, words),
        ["package", "add" | "update", words @ ..] => (Install, words),
        ["package", "download", words @ ..] => (Download, words),
        ["remove", "package", words @ ..]
        | ["remove", _, "package", words @ ..]
        | ["package", "remove", words @ ..] => (Uninstall, words),
        ["tool", "install" | "update", words @ ..] => (Install, words),
        ["tool", "uninstall", words @ ..] => (Uninstall, words),
        ["tool", "exec" | "execute", word, ..] => (Run, std::slice::from_ref(word)),
        _ => return None,
    };
    command("dotnet", action, words, parsed.values(&["version", "v"]).next())
}

fn run(parsed: &Parsed<'_>) -> Option<Command> {
    let version = parsed.values(&["version"]).next();
    command("dnx", Run, parsed.plain.get(..1)?, version)
}

fn nuget(rest: &[String]) -> Option<Command> {
    let (verb, rest) = rest.split_first()?;
    match verb.to_ascii_lowercase().as_str() {
        "install" => one_dash("nuget", Download, rest),
        "update" => one_dash("nuget", Install, rest),
        _ => None,
    }
}

/// Words of a program whose options have one dash and a long name.
fn one_dash(tool: &'static str, action: CommandAction, rest: &[String]) -> Option<Command> {
    let (mut plain, mut version, mut words) = (Vec::new(), None, rest.iter());
    while let Some(word) = words.next() {
        match word.strip_prefix('-').map(|option| option.trim_start_matches('-').to_ascii_lowercase()) {
            Some(option) if option == "version" => version = words.next().map(String::as_str),
            Some(option) if option == "id" => plain.extend(words.next().map(String::as_str)),
            Some(option) if NUGET.contains(&option.as_str()) => _ = words.next(),
            Some(_) => {}
            None => plain.push(word.as_str()),
        }
    }
    command(tool, action, plain.get(..1)?, version)
}

fn paket(rest: &[String]) -> Option<Command> {
    let parsed = PAKETS.all(rest);
    let action = match *parsed.plain.first()? {
        "add" | "update" => Install,
        "remove" => Uninstall,
        _ => return None,
    };
    command("paket", action, parsed.plain.get(1..2)?, parsed.values(&["version", "V"]).next())
}

fn command(tool: &'static str, action: CommandAction, words: &[&str], version: Option<&str>) -> Option<Command> {
    let wanted: Vec<Wanted> = words.iter().filter_map(|word| wanted(word, version)).collect();
    (!wanted.is_empty()).then(|| Command::for_packages(tool, action, wanted))
}

/// `X`, `X@1.2.3`, with what an option asks for.
fn wanted(word: &str, version: Option<&str>) -> Option<Wanted> {
    let (name, own) = word.split_once('@').map_or((word, None), |(name, version)| (name, Some(version)));
    // A file: a list of packages, a project.
    let is_file = [".config", ".csproj", ".sln", ".nupkg", ".fsproj"].iter().any(|end| name.ends_with(end));
    if !is_name(name) || is_file {
        return None;
    }
    let asked = own.or(version).unwrap_or_default().trim();
    let exact = asked.strip_prefix('[').and_then(|v| v.strip_suffix(']')).unwrap_or(asked).trim();
    let pinned = is_version(Ecosystem::Nuget, exact).then(|| exact.into());
    let plain = |c: char| c.is_ascii_digit() || ".*[](), -".contains(c);
    let is_range = asked.len() <= 100 && asked.contains(|c: char| c.is_ascii_digit()) && asked.chars().all(plain);
    let specifier = match asked {
        asked if asked.starts_with('$') => Wanted::UNSAID,
        asked if pinned.is_none() && is_range => asked,
        _ => "",
    };
    let name = normal_name(Ecosystem::Nuget, name);
    Some(Wanted { ecosystem: Ecosystem::Nuget, name, pinned, specifier: specifier.into() })
}

#[cfg(test)]
mod tests {
    use crate::shell::{install_commands, testing::said};

    #[test]
    fn packages_that_are_asked_for() {
        for (text, is) in [
            ("dotnet add package A.B --version 1.2.3", "install a.b@1.2.3"),
            ("dotnet add src/App/App.csproj package A.B -v 1.2.3 -s https://feed.example", "install a.b@1.2.3"),
            ("dotnet package add A.B@1.2.3 --project App.csproj", "install a.b@1.2.3"),
            ("dotnet add package A.B", "install a.b@"),
            ("dotnet add package A.B --version '1.*'", "install a.b@1.*"),
            ("dotnet tool install -g A.B --version '[1.2.3]'", "install a.b@1.2.3"),
            ("dotnet tool update --global A.B", "install a.b@"),
            ("dotnet tool exec A.B@1.2.3 -- x", "run a.b@1.2.3"),
            ("dnx A.B@1.2.3 --flag y", "run a.b@1.2.3"),
            ("dotnet tool uninstall -g A.B", "uninstall a.b@"),
            ("dotnet remove package A.B", "uninstall a.b@"),
            ("nuget install A.B -Version 1.2.3 -OutputDirectory packages", "download a.b@1.2.3"),
            ("mono nuget.exe install A.B -OutputDirectory p", "download a.b@"),
            ("Install-Package A.B -Version 1.2.3", "install a.b@1.2.3"),
            ("Install-Package -Id A.B -ProjectName X", "install a.b@"),
            ("paket add A.B --version 1.2.3 --project x", "install a.b@1.2.3"),
        ] {
            assert_eq!(said(text), [is], "{text}");
        }
        for text in [
            "dotnet",
            "dotnet restore",
            "dotnet build A.B",
            "dotnet run -- add package A.B",
            "dotnet add reference A.B",
            "dotnet list package A.B",
            "dotnet nuget push A.B.1.2.3.nupkg",
            "nuget install packages.config",
            "nuget list A.B",
            "nuget install",
            "echo dotnet add package A.B",
            "paket install",
        ] {
            assert_eq!(said(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn no_secret_rides_along() {
        let shown =
            format!("{:?}", install_commands("dotnet add package A.B --version 'hunter2!' 'hunter2/x' 'hunter2 y'"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
