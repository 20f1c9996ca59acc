//! Frames: the vectors of the specification, agreement with a slow reference, limits, and what may be printed.

mod vectors;
