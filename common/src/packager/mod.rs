//! Access units in, numbered CMAF parts out.
