//! What stands in for a publisher that was lost.

pub mod picture;
