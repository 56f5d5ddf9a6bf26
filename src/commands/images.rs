//! x
use super::Ending;
/// x
pub fn run(_: crate::cli::ImagesCommand) -> anyhow::Result<Ending> {
    Ok(Ending::Nothing)
}
