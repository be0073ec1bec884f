mod bounds;
mod harness;
mod memory;
mod properties;
mod scenarios;
mod still;
mod tracks;
