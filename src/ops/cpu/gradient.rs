//! The gradients of the operations on the CPU.

mod center_pivot;
mod norm;
