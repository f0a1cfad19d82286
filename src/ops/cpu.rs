//! The operations on the CPU: few passes over memory, in pieces that stay in the cache and are shared among the cores.

mod center_pivot;
mod clamp;
mod convolution;
mod correlation;
#[cfg(feature = "native")]
mod gradient;
mod guided;
mod matrix;
mod norm;
mod unfold;

use std::ops::Range;

use burn::tensor::{Shape, TensorData};
use burn_flex::FlexTensor;

pub(super) use guided::guided_labels;

/// A contiguous copy of a tensor, or the tensor where it is contiguous.
fn contiguous<const N: usize>(tensors: [FlexTensor; N]) -> [FlexTensor; N] {
    tensors.map(|tensor| tensor.to_contiguous())
}

fn tensor<const D: usize>(values: Vec<f32>, dims: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, Shape::new(dims)))
}

/// `0..count`, some at a time.
fn portions(count: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    (0..count).step_by(most).map(move |start| start..(start + most).min(count))
}

/// Maps in order, on all cores where there are threads.
#[cfg(feature = "native")]
fn parallel<T: Send, R: Send>(items: Vec<T>, map: impl Fn(T) -> R + Send + Sync) -> Vec<R> {
    use rayon::prelude::*;
    items.into_par_iter().map(map).collect()
}

#[cfg(not(feature = "native"))]
fn parallel<T, R>(items: Vec<T>, map: impl Fn(T) -> R) -> Vec<R> {
    items.into_iter().map(map).collect()
}
