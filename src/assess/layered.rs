//! Where a file of an image stands among its layers and the steps of its build.

/// Numbers of steps of an image's build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    /// The step that made the layer.
    pub made: usize,
    /// The step that took the file out of it.
    pub gone: Option<usize>,
}

/// Positions of layers in an image, from the lowest up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layers {
    /// The layer that holds the file.
    pub made: usize,
    /// The first later one that takes it out.
    pub gone: Option<usize>,
}
