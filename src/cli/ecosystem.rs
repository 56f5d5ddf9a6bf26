//! Names of ecosystems on the command line.

use crate::fact::Ecosystem;

/// What `iocs list --ecosystem` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touched {
    /// Packages or images of it.
    Ecosystem(Ecosystem),
    /// GitHub Actions.
    Actions,
}

/// An ecosystem by a word that people use.
///
/// # Errors
/// The words that are known, where this is none.
pub fn ecosystem(word: &str) -> Result<Ecosystem, String> {
    Ecosystem::from_word(word).ok_or_else(|| {
        let all: Vec<&str> = Ecosystem::ALL.into_iter().map(Ecosystem::purl_type).collect();
        format!("none of {}", all.join(", "))
    })
}

/// An ecosystem, or GitHub Actions.
///
/// # Errors
/// The words that are known, where this is none.
pub fn touched(word: &str) -> Result<Touched, String> {
    if ["actions", "action", "githubactions", "github-actions"].contains(&word.to_ascii_lowercase().as_str()) {
        return Ok(Touched::Actions);
    }
    ecosystem(word).map(Touched::Ecosystem).map_err(|all| format!("{all}, actions"))
}
