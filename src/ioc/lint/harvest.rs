//! What is taken: files, variables, kinds of credential, and the other ways.

use super::Lint;
use crate::ioc::{
    embedded,
    model::{Beyond, Completeness, Way},
};

impl Lint<'_> {
    pub(super) fn harvest(&mut self) {
        let harvest = &self.incident.harvest;
        let taken = !harvest.paths.is_empty() || harvest.environment || !harvest.kinds.is_empty();
        if harvest.completeness == Completeness::Exact && !taken && harvest.beyond.is_empty() {
            let hint = "list paths, environment, kinds or `beyond`, or write `partial`, `unknown` or `none`";
            self.say("harvest.paths", "an exact list of nothing", hint);
        }
        if harvest.completeness == Completeness::None && taken {
            let hint = "remove paths, environment and kinds, or write `partial`";
            self.say("harvest.completeness", "`none`, and something is taken", hint);
        }
        if harvest.completeness == Completeness::None && harvest.note.trim().is_empty() {
            self.say("harvest.note", "missing beside `none`", "say what the payload does instead of taking");
        }
        for (n, home) in harvest.homes.iter().enumerate().filter(|(_, home)| !home.starts_with('/')) {
            let hint = "write it from the root: `/home/*`, `/root`";
            self.say(format!("harvest.homes[{n}]"), format!("`{home}` is no folder"), hint);
        }
        for (n, rule) in harvest.paths.iter().enumerate() {
            let place = format!("harvest.paths[{n}]");
            if rule.depth.is_none() && !rule.unlimited {
                self.say(place.clone(), "neither `depth` nor `unlimited`", "say how many folders below are searched");
            }
            if rule.depth.is_some() && rule.unlimited {
                self.say(place.clone(), "both `depth` and `unlimited`", "keep one");
            }
            if rule.names.is_empty() || rule.under.is_empty() {
                self.say(
                    place.clone(),
                    "no names, or no folder",
                    "list both: names relative to each folder of `under`",
                );
            }
            for (m, under) in rule.under.iter().enumerate() {
                let whole = under == "cwd" || under == "~";
                // Only from the working folder is there a way up.
                let up = under.trim_start_matches("cwd").trim_start_matches("/..").split('/').any(|part| part == "..");
                let up = up || (!under.starts_with("cwd") && under.contains("/.."));
                if up || !(whole || ["cwd/", "~/", "/", "$"].iter().any(|start| under.starts_with(start))) {
                    let hint = "write `~`, `~/…`, `/…`, `cwd`, `cwd/…`, `cwd/..`, or `$VARIABLE`";
                    self.say(format!("{place}.under[{m}]"), format!("`{under}` is no folder"), hint);
                }
            }
            for (m, name) in rule.names.iter().enumerate() {
                if name.is_empty() || name.starts_with(['/', '~']) || name.contains('\\') {
                    let hint = "write it relative to `under`, with `/` between folders";
                    self.say(format!("{place}.names[{m}]"), format!("`{name}` is no relative name"), hint);
                }
            }
        }
        let in_rules = harvest.paths.iter().flat_map(|rule| &rule.kinds);
        self.kinds("harvest.kinds", harvest.kinds.iter().chain(in_rules));
        self.twice("harvest.kinds", harvest.kinds.iter().map(String::as_str));
    }

    pub(super) fn beyond(&mut self) {
        let harvest = &self.incident.harvest;
        self.twice("harvest.beyond", harvest.beyond.iter().map(|b| b.what.as_str()));
        for (n, beyond) in harvest.beyond.iter().enumerate() {
            let place = format!("harvest.beyond[{n}]");
            self.text(format!("{place}.what"), &beyond.what);
            for (m, asked) in beyond.asks.iter().enumerate() {
                self.text(format!("{place}.asks[{m}]"), asked);
            }
            self.twice(&format!("{place}.asks"), beyond.asks.iter().map(String::as_str));
            self.twice(&format!("{place}.kinds"), beyond.kinds.iter().map(String::as_str));
            self.twice(&format!("{place}.with"), beyond.with.iter().map(String::as_str));
            self.kinds(&format!("{place}.kinds"), beyond.kinds.iter());
            self.kinds(&format!("{place}.with"), beyond.with.iter());
            if let Some((what, hint)) = lacks(beyond) {
                self.say(place, what, hint);
            }
        }
    }

    /// Ids that are no kinds of credential.
    fn kinds<'k>(&mut self, place: &str, kinds: impl Iterator<Item = &'k String>) {
        let known = embedded::files("credentials");
        for (n, kind) in kinds.enumerate() {
            if !known.iter().any(|(f, _)| f.strip_suffix(".json") == Some(kind)) {
                let hint = "use the name of a file in `iocs/credentials`, or say it in words in `beyond`";
                self.say(format!("{place}[{n}]"), format!("`{kind}` is no kind of credential"), hint);
            }
        }
    }
}

/// What a way needs to be of use, and is missing.
fn lacks(beyond: &Beyond) -> Option<(&'static str, &'static str)> {
    let unasked = beyond.asks.is_empty();
    match beyond.way {
        Way::Environment if unasked => {
            Some(("`environment` without `asks`", "name the variables; `*` stands for anything"))
        }
        Way::Processes if unasked => Some(("`processes` without `asks`", "name the processes; `*` for every one")),
        Way::Memory if unasked => Some(("`memory` without `asks`", "name the processes; `*` for every one")),
        Way::Command if unasked => Some(("`command` without `asks`", "list the command lines that the payload runs")),
        Way::Metadata if unasked || beyond.on.is_empty() => {
            Some(("`metadata` without `asks` or `on`", "name the services (`EC2`, `ECS`), and the clouds in `on`"))
        }
        Way::Cluster if beyond.is_unconditional() => Some((
            "`cluster` without `with` and `on`",
            "say which credentials open it, or write `\"on\": [\"kubernetes\"]`",
        )),
        Way::Recon if !beyond.kinds.is_empty() => {
            Some(("`recon` with `kinds`", "facts about the machine are no credentials: write `search`, or remove them"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_that_nobody_can_check_is_reported() {
        let lacks = |text: &str| lacks(&serde_json::from_str(text).unwrap()).map(|(what, _)| what);
        for (text, what) in [
            (r#"{"way":"environment","what":"x"}"#, "`environment` without `asks`"),
            (r#"{"way":"processes","what":"x"}"#, "`processes` without `asks`"),
            (r#"{"way":"memory","what":"x","on":["ci_runner"]}"#, "`memory` without `asks`"),
            (r#"{"way":"command","what":"x","with":["github.oauth_cli"]}"#, "`command` without `asks`"),
            (r#"{"way":"metadata","what":"x","asks":["EC2"]}"#, "`metadata` without `asks` or `on`"),
            (r#"{"way":"metadata","what":"x","on":["aws"]}"#, "`metadata` without `asks` or `on`"),
            (r#"{"way":"cluster","what":"x"}"#, "`cluster` without `with` and `on`"),
            (r#"{"way":"recon","what":"x","kinds":["os.shadow"]}"#, "`recon` with `kinds`"),
        ] {
            assert_eq!(lacks(text), Some(what), "{text}");
        }
        for text in [
            r#"{"way":"environment","what":"x","asks":["*"]}"#,
            r#"{"way":"memory","what":"x","asks":["Runner.Worker"]}"#,
            r#"{"way":"command","what":"x","asks":["gh auth token"]}"#,
            r#"{"way":"metadata","what":"x","asks":["EC2"],"on":["aws"]}"#,
            r#"{"way":"cluster","what":"x","with":["k8s.kubeconfig_token"]}"#,
            r#"{"way":"operator","what":"x"}"#,
        ] {
            assert_eq!(lacks(text), None, "{text}");
        }
    }
}
