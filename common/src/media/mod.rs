//! What comes out of the ingest and goes into the packager.

pub mod access_unit;
