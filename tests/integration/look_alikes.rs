//! look_alikes
