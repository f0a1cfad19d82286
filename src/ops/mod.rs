//! What burn lacks: the hypercorrelation, 4D convolutions (center-pivot, and the separable and full ones that it is
//! held against), group normalisation of volumes as large as theirs, and bilinear resizing of two dimensions of many.
//!
//! Each operation has a composed form, written in burn's own operations ([`composed`]): it runs on every device, gives
//! the gradient, and is what the tests hold the rest against. Where a device has something faster, the functions here
//! take that: WGSL on wgpu, a product of matrices on the CPU. Only this room knows a shader.

pub mod composed;
mod cpu;
#[cfg(feature = "native")]
mod gradient;
mod kernels;
mod norm;
mod resize;
mod unfolded;
mod wgsl;

use burn::Tensor;
use burn::backend::{Dispatch, DispatchDevice};
use burn::tensor::Device;

pub use kernels::CenterPivotShape;
use kernels::{CenterPivotKernel, CorrelationKernel};
pub use norm::group_norm;
pub use resize::{resize_dims, resize_pictures};
pub use unfolded::{SeparableWeights, full, separable};
pub use wgsl::shader_sources;

/// Added to a feature's norm before dividing by it (the published implementation's value; the paper leaves it open).
pub const EPSILON: f64 = 1e-5;

/// The hypercorrelation of one pyramid level (HSNet, equation 2): for each layer the cosine of every query feature with
/// every support feature, negative ones set to zero.
///
/// `query` is `(batch, channels, query h, query w)` and `support` `(batch, channels, support h, support w)`; the layers'
/// channels lie one after another, `widths[l]` of them in layer `l`. The result is
/// `(batch, layers, query h, query w, support h, support w)`.
///
/// # Panics
/// If the batches or channels differ, or the widths do not add up to the channels: a mistake in the calling code.
pub fn correlation(query: Tensor<4>, support: Tensor<4>, widths: &[usize]) -> Tensor<6> {
    let ([batch, channels, ..], [support_batch, support_channels, ..]) = (query.dims(), support.dims());
    assert_eq!((batch, channels), (support_batch, support_channels), "query and support must agree");
    assert_eq!(widths.iter().sum::<usize>(), channels, "the widths must add up to the channels");
    let device = query.device();
    if has_wgsl(device.as_dispatch()) {
        let (query, support) = (query.into_dispatch(), support.into_dispatch());
        return Tensor::from_dispatch(Dispatch::correlation(query, support, widths.to_vec()));
    }
    composed::correlation(query, support, widths)
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

/// The center-pivot 4D convolution (HSNet, equation 5) with zero padding `k / 2` in all four dimensions, stride 1 over
/// the query plane and `stride` over the support plane.
///
/// `volume` is `(batch, channels, query h, query w, support h, support w)`; the result has the output channels in place
/// of the channels, and `support / stride`, rounded up, in place of the support dimensions.
///
/// # Panics
/// If the weights do not fit the volume or each other, or the kernel is not odd: a mistake in the calling code.
pub fn center_pivot(volume: Tensor<6>, weights: CenterPivotWeights, stride: usize) -> Tensor<6> {
    CenterPivotShape::new(volume.dims(), weights.query.dims(), stride);
    assert_eq!(weights.query.dims(), weights.support.dims(), "both planes' kernels must agree");
    let device = volume.device().without_autodiff();
    if !has_wgsl(device.as_dispatch()) && !matches!(device.as_dispatch(), DispatchDevice::Flex(_)) {
        return composed::center_pivot(volume, weights, stride);
    }
    Tensor::from_dispatch(Dispatch::center_pivot(
        volume.into_dispatch(),
        weights.query.into_dispatch(),
        weights.query_bias.into_dispatch(),
        weights.support.into_dispatch(),
        weights.support_bias.into_dispatch(),
        stride,
    ))
}

/// Whether a device takes our shaders rather than the composed forms.
pub fn runs_wgsl(device: &Device) -> bool {
    has_wgsl(device.as_dispatch())
}

/// Whether our shaders run on a device. Under autodiff the answer is no: the correlation, which asks with the device as
/// it is, has no handwritten gradient; the center-pivot convolution has one and asks with the device underneath.
fn has_wgsl(device: &DispatchDevice) -> bool {
    matches!(device, DispatchDevice::Cube(device) if wgsl::speaks_wgsl(&device.client()))
}
