//! CMAF: init segments, fragments, and reading them back (ISO/IEC 23000-19, 14496-12).
