//! The two other 4D kernels of HSNet's table 4, composed of burn's own operations: on every device, with the gradient.
//!
//! The neighbourhoods of the support plane are unfolded into channels, the stride with them; what is left is a
//! convolution over the query plane alone. So nothing strided is convolved, whose gradient burn-cubecl 0.22.1 returns
//! as zeros.

use burn::Tensor;
use burn::tensor::module::conv3d;
use burn::tensor::ops::{ConvOptions, PadMode};
use burn::tensor::s;

/// The whole 4D convolution (the "original" kernel of table 4) with zero padding `k / 2` in all four dimensions, stride
/// 1 over the query plane and `stride` over the support plane.
///
/// `volume` is `(batch, channels, query h, query w, support h, support w)`, `weight` `(output channels, channels, k, k,
/// k, k)` with the query's dimensions first, `bias` `(output channels)`; the result has the output channels in place of
/// the channels, and `support / stride`, rounded up, in place of the support dimensions.
///
/// # Panics
/// If the weight does not fit the volume, or its kernel is not odd: a mistake in the calling code.
pub fn full(volume: Tensor<6>, weight: Tensor<6>, bias: Tensor<1>, stride: usize) -> Tensor<6> {
    let [outputs, channels, kernel, ..] = weight.dims();
    let taps = kernel * kernel;
    let weight = weight.reshape([outputs, channels, kernel, kernel, taps]).permute([0, 4, 1, 2, 3]);
    let weight = weight.reshape([outputs, taps * channels, kernel, kernel]);
    convolve_query(unfold_support(volume, kernel, stride), weight, bias)
}

/// The weights of a separable 4D convolution: a 2D convolution over the support plane, `(between, channels, k, k)`, and
/// one over the query plane, `(output channels, between, k, k)`, each with a bias.
#[derive(Clone, Debug)]
pub struct SeparableWeights {
    pub support: Tensor<4>,
    pub support_bias: Tensor<1>,
    pub query: Tensor<4>,
    pub query_bias: Tensor<1>,
}

/// The separable 4D convolution (Yang and Ramanan, "Volumetric Correspondence Networks for Optical Flow", NeurIPS
/// 2019): one 2D convolution over the support plane, then one over the query plane. Without biases it is the [`full`]
/// one whose kernel is the product of its two. Padding, stride and shapes are those of [`full`].
///
/// # Panics
/// If the weights do not fit the volume or each other, or a kernel is not odd: a mistake in the calling code.
pub fn separable(volume: Tensor<6>, weights: SeparableWeights, stride: usize) -> Tensor<6> {
    let [between, channels, kernel, _] = weights.support.dims();
    let taps = kernel * kernel;
    let unfolded = unfold_support(volume, kernel, stride);
    let [batch, depth, query_h, query_w, support_h, support_w] = unfolded.dims();
    let weight = weights.support.reshape([between, channels, taps]).permute([0, 2, 1]).reshape([1, between, depth]);
    let positions = query_h * query_w * support_h * support_w;
    let product = weight.matmul(unfolded.reshape([batch, depth, positions]));
    let volume = product + weights.support_bias.reshape([1, between, 1]);
    convolve_query(
        volume.reshape([batch, between, query_h, query_w, support_h, support_w]),
        weights.query,
        weights.query_bias,
    )
}

/// Unfolds the neighbourhoods of the support plane, at every `stride`-th position, into channels: `(batch, k x k x
/// channels, query h, query w, support h / stride, support w / stride)`, the taps of the kernel before the channels.
fn unfold_support(volume: Tensor<6>, kernel: usize, stride: usize) -> Tensor<6> {
    assert!(kernel % 2 == 1, "the kernel must be odd");
    let [.., support_h, support_w] = volume.dims();
    let (half, step) = (kernel / 2, stride as isize);
    let padded = volume.pad([(half, half), (half, half)], PadMode::Constant(0.0));
    let taps = (0..kernel * kernel).map(|tap| {
        let (y, x) = (tap / kernel, tap % kernel);
        padded.clone().slice(s![.., .., .., .., y..y + support_h;step, x..x + support_w;step])
    });
    Tensor::cat(taps.collect(), 1)
}

/// Convolves the query plane with `weight`, `(output channels, channels, k, k)`, each support position on its own.
fn convolve_query(volume: Tensor<6>, weight: Tensor<4>, bias: Tensor<1>) -> Tensor<6> {
    let [batch, channels, query_h, query_w, support_h, support_w] = volume.dims();
    let [outputs, inputs, kernel, _] = weight.dims();
    let half = kernel / 2;
    let convolved = conv3d(
        volume.reshape([batch, channels, query_h, query_w, support_h * support_w]),
        weight.reshape([outputs, inputs, kernel, kernel, 1]),
        Some(bias),
        ConvOptions::new([1, 1, 1], [half, half, 0], [1, 1, 1], 1),
    );
    convolved.reshape([batch, outputs, query_h, query_w, support_h, support_w])
}
