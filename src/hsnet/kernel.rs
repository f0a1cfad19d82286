//! The 4D kernels of HSNet's table 4, and the learner's layer with either of them.

use std::fmt;

use burn::Tensor;
use burn::module::{Initializer, Module, Param};
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::Device;
use burn::tensor::activation::relu;
use serde::{Deserialize, Serialize};

use crate::backbone::bias;
use crate::ops::{self, Activation, CenterPivotWeights, SeparableWeights, SupportRows};

/// Groups of every group normalisation (the published implementation's value).
pub const GROUPS: usize = 4;

/// Which 4D convolution the learner is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "native", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Kernel {
    /// Two 2D convolutions side by side, one over each plane (section 4.2): the method as published.
    #[default]
    CenterPivot,
    /// 2D convolutions over the two planes, one after the other.
    Separable,
    /// The whole 4D kernel.
    Full,
}

impl Kernel {
    pub const ALL: [Self; 3] = [Self::CenterPivot, Self::Separable, Self::Full];

    pub fn name(self) -> &'static str {
        match self {
            Self::CenterPivot => "center-pivot",
            Self::Separable => "separable",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a layer does to a volume: its channels before and after, the side of its kernel, and its stride over the
/// support plane.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    pub input: usize,
    pub output: usize,
    pub kernel: usize,
    pub stride: usize,
}

/// A 4D convolution, group normalisation and ReLU.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a learner has fifteen of them, in vectors")]
pub enum Layer {
    CenterPivot(CenterPivot),
    Separable(Separable),
    Full(Full),
}

impl Layer {
    pub fn init(kernel: Kernel, form: Form, device: &Device) -> Self {
        match kernel {
            Kernel::CenterPivot => Self::CenterPivot(CenterPivot::init(form, device)),
            Kernel::Separable => Self::Separable(Separable::init(form, device)),
            Kernel::Full => Self::Full(Full::init(form, device)),
        }
    }

    pub fn forward(&self, volume: Tensor<6>) -> Tensor<6> {
        self.normalise(self.convolve(volume))
    }

    pub fn convolve(&self, volume: Tensor<6>) -> Tensor<6> {
        match self {
            Self::CenterPivot(layer) => layer.convolve(volume),
            Self::Separable(layer) => layer.convolve(volume),
            Self::Full(layer) => layer.convolve(volume),
        }
    }

    /// What follows the convolution.
    pub fn normalise(&self, volume: Tensor<6>) -> Tensor<6> {
        let norm = match self {
            Self::CenterPivot(layer) => &layer.norm,
            Self::Separable(layer) => &layer.norm,
            Self::Full(layer) => &layer.norm,
        };
        ops::group_norm_relu(volume, GROUPS, norm.gamma.val(), norm.beta.val())
    }

    /// The layer, if its convolution can be asked for some rows of the support.
    pub fn by_rows(&self) -> Option<&CenterPivot> {
        match self {
            Self::CenterPivot(layer) => Some(layer),
            _ => None,
        }
    }
}

/// A layer with the center-pivot kernel.
#[derive(Module, Debug)]
pub struct CenterPivot {
    query: Conv2d,
    support: Conv2d,
    norm: Affine,
    stride: usize,
}

impl CenterPivot {
    fn init(Form { input, output, kernel, stride }: Form, device: &Device) -> Self {
        let conv = || conv([input, output], kernel, device);
        Self { query: conv(), support: conv(), norm: Affine::init(output, device), stride }
    }

    fn convolve(&self, volume: Tensor<6>) -> Tensor<6> {
        ops::center_pivot(volume, self.weights(), self.stride)
    }

    /// Some support rows of the convolution, from a volume that has only those which they depend on.
    pub fn convolve_rows(&self, volume: Tensor<6>, rows: SupportRows) -> Tensor<6> {
        ops::center_pivot_rows(volume, self.weights(), self.stride, rows)
    }

    /// The side of its kernel, and its stride over the support plane.
    pub fn kernel_and_stride(&self) -> [usize; 2] {
        [self.query.kernel_size[0], self.stride]
    }

    fn weights(&self) -> CenterPivotWeights {
        CenterPivotWeights {
            query: self.query.weight.val(),
            query_bias: bias(&self.query),
            support: self.support.weight.val(),
            support_bias: bias(&self.support),
        }
    }
}

/// A layer with the separable kernel: two separable convolutions at the input's width, the second around a shortcut,
/// and a projection where the width changes, much as the residual blocks of Yang and Ramanan (NeurIPS 2019), whom the
/// paper cites for this kernel.
///
/// The paper does not spell its separable layer out; this reading was chosen by its figures. It has 4,375,314
/// parameters over ResNet-101 and takes 28.6 G multiply-adds at 400 pixels, where table 4 says 4.4M and 28.4; a single
/// pair of convolutions, the other reading at hand, would have 2.9M.
#[derive(Module, Debug)]
pub struct Separable {
    first: Pair,
    second: Pair,
    project: Option<Conv2d>,
    norm: Affine,
    stride: usize,
}

impl Separable {
    fn init(Form { input, output, kernel, stride }: Form, device: &Device) -> Self {
        let pair = || Pair::init(input, kernel, device);
        let project = (input != output).then(|| conv([input, output], 1, device));
        Self { first: pair(), second: pair(), project, norm: Affine::init(output, device), stride }
    }

    fn convolve(&self, volume: Tensor<6>) -> Tensor<6> {
        let volume = relu(self.first.forward(volume, self.stride));
        let volume = volume.clone() + self.second.forward(volume, 1);
        let Some(project) = &self.project else { return volume };
        let [batch, channels, query_h, query_w, support_h, support_w] = volume.dims();
        let flat = volume.reshape([batch, channels, query_h * query_w, support_h * support_w]);
        let projected = project.forward(flat);
        let outputs = projected.dims()[1];
        projected.reshape([batch, outputs, query_h, query_w, support_h, support_w])
    }
}

/// A 2D convolution over the support plane and one over the query plane, which leave the width as it is.
#[derive(Module, Debug)]
struct Pair {
    support: Conv2d,
    query: Conv2d,
}

impl Pair {
    fn init(width: usize, kernel: usize, device: &Device) -> Self {
        let conv = || conv([width, width], kernel, device);
        Self { support: conv(), query: conv() }
    }

    fn forward(&self, volume: Tensor<6>, stride: usize) -> Tensor<6> {
        let weights = SeparableWeights {
            support: self.support.weight.val(),
            support_bias: bias(&self.support),
            query: self.query.weight.val(),
            query_bias: bias(&self.query),
        };
        ops::separable(volume, weights, stride)
    }
}

/// A layer with the full kernel.
#[derive(Module, Debug)]
pub struct Full {
    /// `(output, input, k, k, k, k)`, the query's dimensions first.
    weight: Param<Tensor<6>>,
    bias: Param<Tensor<1>>,
    norm: Affine,
    stride: usize,
}

impl Full {
    /// With PyTorch's default initialisation, as if it had a 4D convolution.
    fn init(Form { input, output, kernel, stride }: Form, device: &Device) -> Self {
        let fan_in = input * kernel.pow(4);
        let initial = Initializer::KaimingUniform { gain: 1.0 / 3f64.sqrt(), fan_out_only: false };
        let shape = [output, input, kernel, kernel, kernel, kernel];
        Self {
            weight: initial.init_with(shape, Some(fan_in), None, device),
            bias: initial.init_with([output], Some(fan_in), None, device),
            norm: Affine::init(output, device),
            stride,
        }
    }

    fn convolve(&self, volume: Tensor<6>) -> Tensor<6> {
        ops::full(volume, self.weight.val(), self.bias.val(), self.stride)
    }
}

/// The affine map behind a group normalisation.
#[derive(Module, Debug)]
struct Affine {
    gamma: Param<Tensor<1>>,
    beta: Param<Tensor<1>>,
}

impl Affine {
    fn init(channels: usize, device: &Device) -> Self {
        Self { gamma: Initializer::Ones.init([channels], device), beta: Initializer::Zeros.init([channels], device) }
    }
}

/// A 2D convolution, padded by half its kernel.
pub fn conv(channels: [usize; 2], kernel: usize, device: &Device) -> Conv2d {
    let half = kernel / 2;
    Conv2dConfig::new(channels, [kernel, kernel])
        .with_padding(PaddingConfig2d::Explicit(half, half, half, half))
        .init(device)
}

/// Applies a convolution that [`conv`] made, and an activation.
pub fn convolve(conv: &Conv2d, planes: Tensor<4>, activation: Activation) -> Tensor<4> {
    ops::convolution(planes, conv.weight.val(), bias(conv), activation)
}
