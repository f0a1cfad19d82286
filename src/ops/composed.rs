//! The operations written in burn's own: slower, differentiable, on every device. The reference of the tests.

use burn::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::conv3d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::s;

use super::{CenterPivotWeights, EPSILON, VARIANCE_EPSILON};

/// [`super::correlation`], composed: normalise, one product of matrices a layer, clamp.
pub fn correlation(query: Tensor<4>, support: Tensor<4>, widths: &[usize]) -> Tensor<6> {
    let [batch, _, query_h, query_w] = query.dims();
    let [_, _, support_h, support_w] = support.dims();
    let query = query.flatten::<3>(2, 3);
    let support = support.flatten::<3>(2, 3);
    let mut start = 0;
    let layers = widths.iter().map(|width| {
        let layer = start..start + width;
        start += width;
        let query = unit(query.clone().slice(s![.., layer.clone(), ..]));
        let support = unit(support.clone().slice(s![.., layer, ..]));
        relu(query.transpose().matmul(support)).unsqueeze_dim(1)
    });
    Tensor::<4>::cat(layers.collect(), 1).reshape([batch, widths.len(), query_h, query_w, support_h, support_w])
}

/// Divides each feature `(batch, channels, position)` by its norm. Masked features are exactly zero and stay so; the
/// square root is kept off zero, where its gradient has no end.
fn unit(features: Tensor<3>) -> Tensor<3> {
    let norm = features.clone().square().sum_dim(1).clamp_min(1e-30).sqrt();
    features / (norm + EPSILON)
}

/// [`super::center_pivot`], composed: each branch is a 3D convolution whose kernel is flat in the plane that it leaves
/// alone, so that no dimension has to move.
pub fn center_pivot(volume: Tensor<6>, weights: CenterPivotWeights, stride: usize) -> Tensor<6> {
    let [batch, channels, query_h, query_w, support_h, support_w] = volume.dims();
    let [outputs, _, kernel, _] = weights.query.dims();
    let (strided_h, strided_w) = (support_h.div_ceil(stride), support_w.div_ceil(stride));
    let (half, step) = (kernel / 2, stride as isize);

    let kept = volume.clone().slice(s![.., .., .., .., 0..;step, 0..;step]);
    let query = conv3d(
        kept.reshape([batch, channels, query_h, query_w, strided_h * strided_w]),
        weights.query.reshape([outputs, channels, kernel, kernel, 1]),
        Some(weights.query_bias),
        ConvOptions::new([1, 1, 1], [half, half, 0], [1, 1, 1], 1),
    );
    let support = conv3d(
        volume.reshape([batch, channels, query_h * query_w, support_h, support_w]),
        weights.support.reshape([outputs, channels, 1, kernel, kernel]),
        Some(weights.support_bias),
        ConvOptions::new([1, stride, stride], [0, half, half], [1, 1, 1], 1),
    );
    let shape = [batch, outputs, query_h, query_w, strided_h, strided_w];
    query.reshape(shape) + support.reshape(shape)
}

/// [`super::group_norm_relu`], composed.
///
/// A group of HSNet's first layer has millions of values, too many to add up one by one in float32. Means are taken of
/// means, first over the last two dimensions, then over the rest, so that no sum is long.
pub fn group_norm_relu(volume: Tensor<6>, groups: usize, gamma: Tensor<1>, beta: Tensor<1>) -> Tensor<6> {
    let dims = volume.dims();
    let [batch, channels, query_h, query_w, support_h, support_w] = dims;
    let rows = channels / groups * query_h;
    let parts = volume.reshape([batch, groups, rows, query_w * support_h * support_w]);
    let mean = mean(parts.clone());
    let variance = self::mean((parts.clone() - mean.clone()).square());
    let deviation = (variance + VARIANCE_EPSILON).sqrt();

    // (batch, groups, channels of a group): one factor and one offset a channel.
    let a_channel = [1, groups, channels / groups];
    let scale = gamma.reshape(a_channel) / deviation.squeeze_dim(3);
    let shift = beta.reshape(a_channel) - mean.squeeze_dim(3) * scale.clone();
    let parts = parts.reshape([batch, channels, query_h * query_w * support_h * support_w]);
    let normed = parts * scale.reshape([batch, channels, 1]) + shift.reshape([batch, channels, 1]);
    relu(normed.reshape(dims))
}

/// The mean of each group `(batch, groups, rows, columns)`.
fn mean(parts: Tensor<4>) -> Tensor<4> {
    parts.mean_dim(3).mean_dim(2)
}
