mod harness;
mod properties;
mod scenarios;
mod tracks;
