//! What burn lacks or does slowly: the hypercorrelation, 4D convolutions (center-pivot, and the separable and full ones
//! that it is held against), 2D convolutions with their activation, group normalisation of volumes as large as theirs,
//! bilinear resizing of two dimensions of many, and the guided filter over labels.
//!
//! Each operation has a composed form, written in burn's own operations ([`composed`]): it runs on every device, gives
//! the gradient, and is what the tests hold the rest against. Where a device has something faster, the functions here
//! take that: WGSL on wgpu, a product of matrices on the CPU. Only this room knows a shader.

pub mod composed;
mod cpu;
#[cfg(feature = "native")]
mod gradient;
mod guided;
mod halves;
mod kernels;
mod resize;
mod unfolded;
mod wgsl;

use std::ops::Range;

use burn::Tensor;
use burn::backend::{Dispatch, DispatchDevice, DispatchTensor};
use burn::tensor::Device;
use burn::tensor::activation::relu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

pub use guided::{Sketch, guided_labels, guided_labels_on};
pub use halves::{HalfLevel, Keep};
use kernels::{
    CenterPivotKernel, CenterPivotRowsKernel, ClampKernel, ConvolutionKernel, CorrelationKernel, CorrelationRowsKernel,
    NormKernel,
};
pub use kernels::{CenterPivotShape, SupportRows};
pub use resize::{resize_dims, resize_pictures};
pub use unfolded::{SeparableWeights, full, separable};
pub use wgsl::shader_sources;

/// Added to a feature's norm before dividing by it (the published implementation's value; the paper leaves it open).
pub const EPSILON: f64 = 1e-5;

/// Added to a group's variance (PyTorch's default, which HSNet uses as it is).
const VARIANCE_EPSILON: f64 = 1e-5;

/// The hypercorrelation of one pyramid level (HSNet, equation 2): for each layer the cosine of every query feature with
/// every support feature, negative ones set to zero.
///
/// `query` is `(batch, channels, query h, query w)` and `support` `(batch, channels, support h, support w)`; the layers'
/// channels lie one after another, `widths[l]` of them in layer `l`. A single support is every query's. The result is
/// `(batch, layers, query h, query w, support h, support w)`.
///
/// # Panics
/// If several supports are not as many as the queries, the channels differ, or the widths do not add up to the channels: a
/// mistake in the calling code.
pub fn correlation(query: Tensor<4>, support: Tensor<4>, widths: &[usize]) -> Tensor<6> {
    check_features(&query, &support, widths);
    let ([batch, channels, ..], [_, _, height, width]) = (query.dims(), support.dims());
    // A gradient is worked out sample by sample.
    let support = match query.device().is_autodiff() {
        true => support.expand([batch, channels, height, width]),
        false => support,
    };
    if !has_kernels(&query.device()) {
        return composed::correlation(query, support, widths);
    }
    Tensor::from_dispatch(Dispatch::correlation(query.into_dispatch(), support.into_dispatch(), widths.to_vec()))
}

fn check_features(query: &Tensor<4>, support: &Tensor<4>, widths: &[usize]) {
    let ([batch, channels, ..], [supports, support_channels, ..]) = (query.dims(), support.dims());
    assert_eq!((channels, query.dtype()), (support_channels, support.dtype()), "query and support must agree");
    assert!(supports == batch || supports == 1, "there must be one support, or one for each query");
    assert_eq!(widths.iter().sum::<usize>(), channels, "the widths must add up to the channels");
}

/// [`correlation`] with some rows of the support, which follow one another.
///
/// # Panics
/// As it, and if there are no such rows.
pub fn correlation_rows(query: Tensor<4>, support: Tensor<4>, rows: Range<usize>, widths: &[usize]) -> Tensor<6> {
    check_features(&query, &support, widths);
    assert!(rows.end <= support.dims()[2], "the support must have the rows");
    if !spares_memory(&query.device()) {
        return correlation(query, support.slice_dim(2, rows), widths);
    }
    let (query, support, widths) = (query.into_dispatch(), support.into_dispatch(), widths.to_vec());
    Tensor::from_dispatch(Dispatch::correlation_rows(query, support, rows, widths))
}

/// Whether a device can do with little memory: it reads halves (features to be correlated, weights of a convolution over all
/// channels), and makes results row by row ([`center_pivot_rows`]). Without gradients, our shaders do.
pub fn spares_memory(device: &Device) -> bool {
    !device.is_autodiff() && runs_wgsl(device)
}

/// The weights of one center-pivot 4D convolution (HSNet, section 4.2): an ordinary 2D convolution for each of the two
/// planes, both with a kernel of `(output channels, channels, k, k)` and a bias of `(output channels)`.
#[derive(Clone, Debug)]
pub struct CenterPivotWeights {
    pub query: Tensor<4>,
    pub query_bias: Tensor<1>,
    pub support: Tensor<4>,
    pub support_bias: Tensor<1>,
}

impl CenterPivotWeights {
    /// # Panics
    /// If they do not fit a volume or each other.
    fn check(&self, volume: &Tensor<6>, stride: usize) {
        CenterPivotShape::new(volume.dims(), self.query.dims(), stride);
        assert_eq!(self.query.dims(), self.support.dims(), "both planes' kernels must agree");
    }

    fn into_dispatch(self) -> [DispatchTensor; 4] {
        let Self { query, query_bias, support, support_bias } = self;
        [query.into_dispatch(), query_bias.into_dispatch(), support.into_dispatch(), support_bias.into_dispatch()]
    }
}

/// The center-pivot 4D convolution (HSNet, equation 5) with zero padding `k / 2` in all four dimensions, stride 1 over
/// the query plane and `stride` over the support plane.
///
/// `volume` is `(batch, channels, query h, query w, support h, support w)`; the result has the output channels in place
/// of the channels, and `support / stride`, rounded up, in place of the support dimensions.
///
/// # Panics
/// If the weights do not fit the volume or each other, or the kernel is not odd: a mistake in the calling code.
pub fn center_pivot(volume: Tensor<6>, weights: CenterPivotWeights, stride: usize) -> Tensor<6> {
    weights.check(&volume, stride);
    if !has_kernels(&volume.device()) {
        return composed::center_pivot(volume, weights, stride);
    }
    let [query, query_bias, support, support_bias] = weights.into_dispatch();
    let volume = volume.into_dispatch();
    Tensor::from_dispatch(Dispatch::center_pivot(volume, query, query_bias, support, support_bias, stride))
}

/// Some support rows of [`center_pivot`], from a volume that has only those which they depend on: what is beyond it is
/// taken for zero.
///
/// # Panics
/// As it, and on a device that does not make rows by themselves ([`spares_memory`]).
pub fn center_pivot_rows(
    volume: Tensor<6>,
    weights: CenterPivotWeights,
    stride: usize,
    rows: SupportRows,
) -> Tensor<6> {
    weights.check(&volume, stride);
    let [query, query_bias, support, support_bias] = weights.into_dispatch();
    let volume = volume.into_dispatch();
    Tensor::from_dispatch(Dispatch::center_pivot_rows(volume, query, query_bias, support, support_bias, stride, rows))
}

/// Group normalisation (Wu and He, 2018) of `(batch, channels, ..)` with an affine map a channel, and the ReLU that
/// follows it in every layer of HSNet.
///
/// # Panics
/// If the channels do not divide into the groups: a mistake in the calling code.
pub fn group_norm_relu(volume: Tensor<6>, groups: usize, gamma: Tensor<1>, beta: Tensor<1>) -> Tensor<6> {
    assert_eq!(volume.dims()[1] % groups, 0, "the channels must divide into the groups");
    if !has_kernels(&volume.device()) {
        return composed::group_norm_relu(volume, groups, gamma, beta);
    }
    let (gamma, beta) = (gamma.into_dispatch(), beta.into_dispatch());
    Tensor::from_dispatch(Dispatch::group_norm_relu(volume.into_dispatch(), gamma, beta, groups))
}

/// The 2D convolution of planes `(batch, channels, h, w)` with a kernel `(output channels, channels, k, k)`, stride 1 and
/// zero padding `k / 2`, and its activation.
///
/// Under autodiff on the CPU it is the center-pivot convolution of a volume whose support plane is a single position,
/// whose gradient is faster than burn's. There the support's kernel would add its centre alone, which is zero.
pub fn convolution(planes: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, activation: Activation) -> Tensor<4> {
    if !planes.device().is_autodiff() || !on_cpu(&planes.device()) {
        return activated_convolution(planes, weight, bias, 1, 1, activation);
    }
    let weights = CenterPivotWeights {
        support: weight.zeros_like(),
        support_bias: bias.zeros_like(),
        query: weight,
        query_bias: bias,
    };
    activation.apply(center_pivot(planes.unsqueeze_dims(&[-1, -1]), weights, 1).squeeze_dims(&[4, 5]))
}

/// What a convolution's result passes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    Linear,
    Relu,
    Relu6,
}

impl Activation {
    /// Where it ends; none where there is none.
    fn limit(self) -> Option<f32> {
        match self {
            Self::Linear => None,
            Self::Relu => Some(f32::INFINITY),
            Self::Relu6 => Some(6.0),
        }
    }

    fn apply(self, values: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Linear => values,
            Self::Relu => relu(values),
            Self::Relu6 => clamp(values, 6.0),
        }
    }
}

/// The 2D convolution of planes `(batch, channels, h, w)` with a kernel `(output channels, channels / groups, k, k)`, zero
/// padding `k / 2`, and its activation: in one go where there is a kernel for it.
pub fn activated_convolution(
    planes: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
    groups: usize,
    activation: Activation,
) -> Tensor<4> {
    let device = planes.device();
    let (together, by_itself) = (groups == 1, [planes.dims()[1], weight.dims()[0]] == [groups; 2]);
    let suits = if on_cpu(&device) { together } else { runs_wgsl(&device) && (together || by_itself) };
    if suits && !device.is_autodiff() {
        let (planes, weight, bias) = (planes.into_dispatch(), weight.into_dispatch(), bias.into_dispatch());
        return Tensor::from_dispatch(Dispatch::convolution(planes, weight, bias, stride, activation.limit()));
    }
    let half = weight.dims()[2] / 2;
    let options = ConvOptions::new([stride; 2], [half; 2], [1, 1], groups);
    activation.apply(conv2d(planes, weight, Some(bias), options))
}

/// ReLU that ends at `limit`.
pub fn clamp(values: Tensor<4>, limit: f32) -> Tensor<4> {
    match values.device().as_dispatch() {
        DispatchDevice::Flex(_) => Tensor::from_dispatch(Dispatch::clamp(values.into_dispatch(), limit)),
        _ => values.clamp(0.0, limit),
    }
}

/// Whether a device, with or without autodiff, has something faster than the composed forms.
fn has_kernels(device: &Device) -> bool {
    on_cpu(device) || runs_wgsl(device)
}

fn on_cpu(device: &Device) -> bool {
    matches!(device.clone().without_autodiff().as_dispatch(), DispatchDevice::Flex(_))
}

/// Whether a device, with or without autodiff, runs our shaders.
pub fn runs_wgsl(device: &Device) -> bool {
    wgsl_client(device).is_some()
}

/// The way to a device that runs our shaders.
fn wgsl_client(device: &Device) -> Option<wgsl::Client> {
    match device.clone().without_autodiff().as_dispatch() {
        DispatchDevice::Cube(device) => Some(device.client()).filter(wgsl::speaks_wgsl),
        _ => None,
    }
}
