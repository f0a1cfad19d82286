//! The gradients of the operations, so that training runs through the kernels too.

mod center_pivot;
mod correlation;
mod norm;

pub use center_pivot::CenterPivotGradient;
pub use norm::NormGradient;
