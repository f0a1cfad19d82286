//! The center-pivot convolution: both branches as one product of matrices.
//!
//! The volume keeps its layout. A few query rows at a time, the neighbourhoods are gathered as a matrix
//! ([`Unfold`]), and the weights of both branches, joined, multiply it.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata};

use super::matrix::{Matrix, Target, accumulate};
use super::unfold::Unfold;
use super::{contiguous, parallel, tensor};
use crate::ops::kernels::{CenterPivotKernel, CenterPivotShape};

impl CenterPivotKernel for Flex {
    fn center_pivot(
        volume: FloatTensor<Self>,
        weight_query: FloatTensor<Self>,
        bias_query: FloatTensor<Self>,
        weight_support: FloatTensor<Self>,
        bias_support: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self> {
        let shape = CenterPivotShape::new(volume.shape().dims(), weight_query.shape().dims(), stride);
        let unfold = Unfold::new(shape);
        let inputs = contiguous([volume, weight_query, bias_query, weight_support, bias_support]);
        let [volume, weight_query, bias_query, weight_support, bias_support] =
            inputs.each_ref().map(|input| input.storage::<f32>());
        let bias: Vec<f32> = bias_query.iter().zip(bias_support).map(|(query, support)| query + support).collect();
        let weights = unfold.join(weight_query, weight_support);
        let kept = unfold.kept(volume);

        let mut output = vec![0f32; shape.batch * shape.outputs * shape.positions()];
        let samples = volume.chunks_exact(shape.channels * unfold.channel_size());
        let samples = samples.zip(kept.chunks_exact(shape.channels * unfold.kept_size()));
        let targets = output.chunks_exact_mut(shape.outputs * shape.positions());
        let targets: Vec<_> = targets.map(|sample| Target::new(sample, shape.positions())).collect();
        let pieces = samples.zip(&targets).flat_map(|piece| unfold.chunks().map(move |rows| (piece, rows)));
        parallel(pieces.collect(), |(((volume, kept), target), rows)| {
            let (mut columns, mut scratch) = (Vec::new(), Vec::new());
            unfold.gather(volume, kept, &rows, &mut columns, &mut scratch);
            let range = unfold.columns(&rows);
            // SAFETY: every piece has columns of its own.
            let mut target = unsafe { target.columns(range.clone()) };
            target.fill_rows(&bias);
            accumulate(Matrix::new(&weights, unfold.depth()), Matrix::new(&columns, range.len()), &mut target);
        });
        tensor(output, shape.output_dims())
    }
}
