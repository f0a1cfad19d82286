//! Group normalisation of large volumes.

use burn::Tensor;

const EPSILON: f64 = 1e-5;

/// Group normalisation (Wu and He, 2018) of `(batch, channels, ..)` with an affine map a channel.
///
/// A group of HSNet's first layer has millions of values, too many to add up one by one in float32. Means are taken of
/// means, first over the last two dimensions, then over the rest, so that no sum is long.
pub fn group_norm(volume: Tensor<6>, groups: usize, gamma: Tensor<1>, beta: Tensor<1>) -> Tensor<6> {
    let dims = volume.dims();
    let [batch, channels, query_h, query_w, support_h, support_w] = dims;
    let rows = channels / groups * query_h;
    let parts = volume.reshape([batch, groups, rows, query_w * support_h * support_w]);
    let mean = mean(parts.clone());
    let variance = self::mean((parts.clone() - mean.clone()).square());
    let deviation = (variance + EPSILON).sqrt();

    // (batch, groups, channels of a group): one factor and one offset a channel.
    let a_channel = [1, groups, channels / groups];
    let scale = gamma.reshape(a_channel) / deviation.squeeze_dim(3);
    let shift = beta.reshape(a_channel) - mean.squeeze_dim(3) * scale.clone();
    let parts = parts.reshape([batch, channels, query_h * query_w * support_h * support_w]);
    let normed = parts * scale.reshape([batch, channels, 1]) + shift.reshape([batch, channels, 1]);
    normed.reshape(dims)
}

/// The mean of each group `(batch, groups, rows, columns)`.
fn mean(parts: Tensor<4>) -> Tensor<4> {
    parts.mean_dim(3).mean_dim(2)
}
