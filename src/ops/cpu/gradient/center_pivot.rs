//! The gradients of the center-pivot convolution, as products with the same matrices.
//!
//! The work is shared by samples and groups of channels, whose sizes do not depend on the number of cores, so that the
//! result is the same to the bit on every machine's.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata};

use crate::ops::cpu::matrix::{Matrix, Target, accumulate, multiply};
use crate::ops::cpu::unfold::Unfold;
use crate::ops::cpu::{contiguous, parallel, tensor};
use crate::ops::gradient::CenterPivotGradient;
use crate::ops::kernels::CenterPivotShape;

/// Groups of channels that one sample is shared by.
const GROUPS: usize = 4;

impl CenterPivotGradient for Flex {
    fn center_pivot_volume_grad(
        volume: FloatTensor<Self>,
        weight_query: FloatTensor<Self>,
        weight_support: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self> {
        let dims: [usize; 6] = volume.shape().dims();
        let shape = CenterPivotShape::new(dims, weight_query.shape().dims(), stride);
        let unfold = Unfold::new(shape);
        let inputs = contiguous([weight_query, weight_support, grad]);
        let [weight_query, weight_support, grad] = inputs.each_ref().map(|input| input.storage::<f32>());
        let weights = unfold.join(weight_query, weight_support);

        let mut volume_grad = vec![0f32; dims.iter().product()];
        let samples = volume_grad.chunks_mut((shape.channels * unfold.channel_size()).max(1));
        let grads = grad.chunks_exact(shape.outputs * shape.positions());
        let groups = samples.zip(grads).flat_map(|(sample, grad)| {
            let size = group(&shape);
            sample
                .chunks_mut(size * unfold.channel_size())
                .enumerate()
                .map(move |(group, part)| (group * size, part, grad))
        });
        parallel(groups.collect(), |(first, part, grad)| {
            let channels = part.len() / unfold.channel_size();
            let weights = Matrix {
                values: &weights[first * unfold.taps()..],
                rows: shape.outputs,
                columns: channels * unfold.taps(),
                row_stride: unfold.depth(),
                column_stride: 1,
            };
            let mut kept = vec![0f32; channels * unfold.kept_size()];
            let mut scratch = Vec::new();
            let mut columns = Vec::new();
            for rows in unfold.chunks() {
                let range = unfold.columns(&rows);
                columns.resize(weights.columns * range.len(), 0.0);
                let target = Target::new(&mut columns, range.len());
                multiply(weights.transposed(), positions(&shape, grad, &range), target);
                unfold.scatter(&mut columns, &rows, part, &mut kept, &mut scratch);
            }
            unfold.add_kept(&kept, part);
        });
        tensor(volume_grad, dims)
    }

    fn center_pivot_weight_grad(
        volume: FloatTensor<Self>,
        weight_query: FloatTensor<Self>,
        _weight_support: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        stride: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let dims: [usize; 4] = weight_query.shape().dims();
        let shape = CenterPivotShape::new(volume.shape().dims(), dims, stride);
        let unfold = Unfold::new(shape);
        let inputs = contiguous([volume, grad]);
        let [volume, grad] = inputs.each_ref().map(|input| input.storage::<f32>());
        let kept = unfold.kept(volume);

        let samples = volume.chunks_exact(shape.channels * unfold.channel_size());
        let samples = samples.zip(kept.chunks_exact(shape.channels * unfold.kept_size()));
        let samples = samples.zip(grad.chunks_exact(shape.outputs * shape.positions()));
        let groups = samples.flat_map(|((volume, kept), grad)| {
            let size = group(&shape);
            let volumes = volume.chunks(size * unfold.channel_size());
            let parts = volumes.zip(kept.chunks(size * unfold.kept_size()));
            parts.map(move |(volume, kept)| (volume, kept, grad))
        });
        let sums = parallel(groups.collect(), |(volume, kept, grad)| {
            let depth = volume.len() / unfold.channel_size() * unfold.taps();
            let mut sum = vec![0f32; shape.outputs * depth];
            let (mut columns, mut scratch) = (Vec::new(), Vec::new());
            for rows in unfold.chunks() {
                unfold.gather(volume, kept, &rows, &mut columns, &mut scratch);
                let range = unfold.columns(&rows);
                let columns = Matrix::new(&columns, range.len()).transposed();
                accumulate(positions(&shape, grad, &range), columns, &mut Target::new(&mut sum, depth));
            }
            sum
        });
        let [query, support] = unfold.split_weights(&add_up(&sums, &shape, &unfold));
        (tensor(query, dims), tensor(support, dims))
    }
}

/// Channels of a group.
fn group(shape: &CenterPivotShape) -> usize {
    shape.channels.div_ceil(GROUPS).max(1)
}

/// Some positions of one sample's gradient: `(outputs, positions)`.
fn positions<'a>(shape: &CenterPivotShape, grad: &'a [f32], range: &std::ops::Range<usize>) -> Matrix<'a> {
    Matrix {
        values: &grad[range.start..],
        rows: shape.outputs,
        columns: range.len(),
        row_stride: shape.positions(),
        column_stride: 1,
    }
}

/// Puts the groups of channels side by side, `(outputs, depth)`, and adds up the samples in their order.
fn add_up(sums: &[Vec<f32>], shape: &CenterPivotShape, unfold: &Unfold) -> Vec<f32> {
    let mut total = vec![0f32; shape.outputs * unfold.depth()];
    let groups = shape.channels.div_ceil(group(shape));
    for sample in sums.chunks(groups) {
        let mut start = 0;
        for sum in sample {
            let depth = sum.len() / shape.outputs;
            for (total, sum) in total.chunks_exact_mut(unfold.depth()).zip(sum.chunks_exact(depth)) {
                total[start..start + depth].iter_mut().zip(sum).for_each(|(total, sum)| *total += sum);
            }
            start += depth;
        }
    }
    total
}
