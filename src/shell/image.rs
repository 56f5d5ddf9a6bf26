//! The image that the words of a container engine name: `docker run -i --rm registry.example/x:1 serve`.

use super::{args::base_name, prefix::DOCKER, variables::Variables, words};

/// Engines, one of whose names stands in each text that names an image.
const ENGINES: &[&str] = &["docker", "podman", "nerdctl", "crictl"];
/// Words that stand before a command and change nothing of it.
const BEFORE: &[&str] = &["sudo", "doas", "time", "nohup", "exec", "command", "env", "nice"];

/// The images that the commands of a text pull or run, in order.
pub fn images(text: &str) -> Vec<String> {
    if !ENGINES.iter().any(|engine| text.contains(engine)) {
        return Vec::new();
    }
    let all = words::simple_commands(text, &mut Variables::default());
    all.iter().filter_map(|simple| image(behind(&simple.words))).map(str::to_owned).collect()
}

/// What stands behind `sudo -E A=b`.
fn behind(words: &[String]) -> &[String] {
    let is_before = |word: &String| {
        BEFORE.contains(&base_name(word))
            || word.starts_with('-')
            || word.split_once('=').is_some_and(|(n, _)| is_name(n))
    };
    let start = words.iter().position(|word| !is_before(word)).unwrap_or(words.len());
    words.get(start..).unwrap_or_default()
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The image of `docker run`, `create` and `pull`, as written; `None` of other words.
pub fn image(words: &[String]) -> Option<&str> {
    let (first, rest) = words.split_first()?;
    if !ENGINES.contains(&base_name(first)) {
        return None;
    }
    let global = DOCKER.leading(rest);
    let own = match global.plain.first() {
        Some(&("container" | "image")) => DOCKER.leading(global.behind),
        _ => global,
    };
    let takes_image = matches!(own.plain.first(), Some(&("run" | "create" | "pull")));
    DOCKER.leading(own.behind).plain.first().copied().filter(|_| takes_image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_a_text() {
        let of = |text: &str| images(text).join(" ");
        assert_eq!(of("cd x && sudo -E docker pull a:1; A=b podman run b:2 | tee x"), "a:1 b:2");
        assert_eq!(of("docker run --rm \\\n  -v $PWD:/x a/b:1 fs /x"), "a/b:1");
        for text in ["echo docker pull a:1", "# docker pull a:1", "grep 'docker pull a:1' x", "docker rmi a:1", "ls"] {
            assert_eq!(of(text), "", "{text}");
        }
    }

    #[test]
    fn the_image_stands_behind_the_options() {
        let of = |text: &str| {
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            image(&words).map(str::to_owned)
        };
        for text in [
            "docker run -i --rm x/y:1",
            "docker run --rm -e TOKEN -v a:b x/y:1 serve --port 8",
            "podman --log-level debug run -i --network host x/y:1",
            "docker container run -it x/y:1 bash",
            "nerdctl pull x/y:1",
            "/usr/bin/docker create x/y:1",
        ] {
            assert_eq!(of(text).as_deref(), Some("x/y:1"), "{text}");
        }
        for text in ["docker mcp gateway run", "docker exec -it c bash", "npx docker run x", "docker", "docker run -i"]
        {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
