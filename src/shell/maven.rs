//! Commands of Maven that name artifacts: `mvn dependency:get -Dartifact=org.acme:a:1.2.3`, `mvn org.apache.maven.plugins:maven-dependency-plugin:3.6.0:get`.
//! What builds a project takes what its POM says, which other surfaces read. Documented in "Apache Maven Dependency Plugin".

use super::{args::base_name, python::Recognised};
use crate::{
    ecosystem::{
        is_version,
        maven::{is_group, is_part},
    },
    fact::{Command, CommandAction, Ecosystem, Wanted},
};

/// What the words of Maven do; `None` where the program is another one.
pub fn recognise(words: &[String]) -> Option<Recognised<'_>> {
    let (first, rest) = words.split_first()?;
    let name = base_name(first);
    let name = name.strip_suffix(".cmd").unwrap_or(name);
    matches!(name, "mvn" | "mvnw" | "mvnd").then(|| (command(rest), None))
}

fn command(rest: &[String]) -> Option<Command> {
    let is_get =
        |word: &String| !word.starts_with('-') && [":get", ":copy", ":unpack"].iter().any(|goal| word.ends_with(goal));
    rest.iter().find(|word| is_get(word) && word.contains("dependency"))?;
    let value = |key: &str| rest.iter().find_map(|word| word.strip_prefix("-D")?.strip_prefix(key)?.strip_prefix('='));
    let (group, artifact, version) = match value("artifact") {
        Some(whole) => {
            let mut parts = whole.split(':');
            (parts.next()?, parts.next()?, parts.next())
        }
        None => (value("groupId")?, value("artifactId")?, value("version")),
    };
    if !is_group(group) || !is_part(artifact) {
        return None;
    }
    let asked = version.unwrap_or_default();
    let pinned = (is_part(asked) && is_version(Ecosystem::Maven, asked) && !is_moving(asked)).then(|| asked.into());
    let specifier = if asked.starts_with('$') { Wanted::UNSAID } else { "" };
    let name = format!("{group}:{artifact}").into();
    let wanted = Wanted { ecosystem: Ecosystem::Maven, name, pinned, specifier: specifier.into() };
    Some(Command::for_packages("mvn", CommandAction::Download, vec![wanted]))
}

/// Words that mean the newest one.
fn is_moving(version: &str) -> bool {
    matches!(version, "LATEST" | "RELEASE")
}

#[cfg(test)]
mod tests {
    use crate::shell::testing::said;

    #[test]
    fn artifacts_that_maven_is_asked_for() {
        for (text, is) in [
            ("mvn dependency:get -Dartifact=org.acme:a:1.2.3", "download org.acme:a@1.2.3"),
            ("mvn -q dependency:get -DgroupId=org.acme -DartifactId=a -Dversion=1.2.3", "download org.acme:a@1.2.3"),
            (
                "./mvnw org.apache.maven.plugins:maven-dependency-plugin:3.6.0:get -Dartifact=org.acme:a:LATEST:jar",
                "download org.acme:a@",
            ),
        ] {
            assert_eq!(said(text), [is], "{text}");
        }
        for text in [
            "mvn",
            "mvn package -Dartifact=org.acme:a:1.2.3",
            "mvn dependency:get",
            "mvn dependency:tree -Dartifact=a:b:1",
            "mvn dependency:get -Dartifact=a",
        ] {
            assert_eq!(said(text), [""; 0], "{text}");
        }
    }
}
