//! Clamping, in place where nobody else holds the values.

use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;

use super::{contiguous, parallel};
use crate::ops::kernels::ClampKernel;

/// Values clamped at a time.
const CHUNK: usize = 1 << 16;

impl ClampKernel for Flex {
    fn clamp(values: FloatTensor<Self>, limit: f32) -> FloatTensor<Self> {
        let [mut values] = contiguous([values]);
        parallel(values.storage_mut::<f32>().chunks_mut(CHUNK).collect(), |chunk| {
            chunk.iter_mut().for_each(|value| *value = value.max(0.0).min(limit));
        });
        values
    }
}
