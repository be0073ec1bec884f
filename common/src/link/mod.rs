//! The two ends of the link as state machines.
