//! The image that the words of a container engine name: `docker run -i --rm registry.example/x:1 serve`.

use super::{args::base_name, prefix::DOCKER};

/// The image of `docker run`, `create` and `pull`, as written; `None` of other words.
pub fn image(words: &[String]) -> Option<&str> {
    let (first, rest) = words.split_first()?;
    if !matches!(base_name(first), "docker" | "podman" | "nerdctl") {
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
