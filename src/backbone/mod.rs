//! Backbones: a picture becomes a feature pyramid.
//!
//! All are ImageNet classifiers without their classifier. Batch norm is folded into the convolutions when weights are
//! imported: it is frozen in HSNet, and so every layer here is a convolution with a bias.

mod mobilenet;
mod resnet;
mod vgg;

use std::fmt;
use std::str::FromStr;

use burn::Tensor;
use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{DType, Device};

use mobilenet::MobilenetV2;
use resnet::Resnet;
use vgg::Vgg16;

use crate::ops::{self, Activation, activated_convolution};

/// Which backbone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "native", derive(clap::ValueEnum))]
pub enum BackboneKind {
    /// torchvision's `vgg16`, without batch norm.
    #[cfg_attr(feature = "native", value(name = "vgg16"))]
    Vgg16,
    /// torchvision's `resnet50`.
    #[cfg_attr(feature = "native", value(name = "resnet50"))]
    Resnet50,
    /// torchvision's `resnet101`.
    #[cfg_attr(feature = "native", value(name = "resnet101"))]
    Resnet101,
    /// MobileNetV2 1.0; inverted residuals 4-6, 7-13 and 14-17 are levels 2, 3 and 4.
    #[cfg_attr(feature = "native", value(name = "mobilenetv2"))]
    MobilenetV2,
}

impl BackboneKind {
    pub const ALL: [Self; 4] = [Self::Vgg16, Self::Resnet50, Self::Resnet101, Self::MobilenetV2];

    pub fn name(self) -> &'static str {
        match self {
            Self::Vgg16 => "vgg16",
            Self::Resnet50 => "resnet50",
            Self::Resnet101 => "resnet101",
            Self::MobilenetV2 => "mobilenetv2",
        }
    }

    /// The channels of each tapped layer, shallow to deep, for levels 2, 3 and 4.
    pub fn widths(self) -> [Vec<usize>; 3] {
        match self {
            Self::Vgg16 => [vec![512; 3], vec![512; 3], vec![512]],
            Self::Resnet50 => [vec![512; 4], vec![1024; 6], vec![2048; 3]],
            Self::Resnet101 => [vec![512; 4], vec![1024; 23], vec![2048; 3]],
            Self::MobilenetV2 => [vec![32; 3], [[64; 4].as_slice(), &[96; 3]].concat(), vec![160, 160, 160, 320]],
        }
    }

    /// How many layers are tapped at levels 2, 3 and 4.
    pub fn layers(self) -> [usize; 3] {
        self.widths().map(|widths| widths.len())
    }

    /// The height and width of levels 2, 3 and 4 for an input of `[height, width]`: an eighth, a sixteenth and a
    /// thirty-second, rounded up at every halving, or down where VGG16 pools.
    pub fn planes(self, input: [usize; 2]) -> [[usize; 2]; 3] {
        let halve = |plane: [usize; 2]| match self {
            Self::Vgg16 => plane.map(|side| side / 2),
            _ => plane.map(|side| side.div_ceil(2)),
        };
        let level2 = halve(halve(halve(input)));
        [level2, halve(level2), halve(halve(level2))]
    }
}

impl fmt::Display for BackboneKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for BackboneKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            format!("there is no backbone \"{name}\"; the known ones are {known}")
        })
    }
}

/// The features of a batch of pictures at strides 8, 16 and 32 (levels 2, 3, 4).
///
/// Each level is `(batch, channels, h, w)`, the channels of its layers one after another, shallow to deep; how many
/// belong to each layer is told by [`BackboneKind::widths`].
#[derive(Clone, Debug)]
pub struct Pyramid {
    pub levels: [Tensor<4>; 3],
}

impl Pyramid {
    /// Multiplies every feature by its share of the object (HSNet, equation 1): `masks` are `(batch, 1, h, w)` for
    /// levels 2, 3, 4, each already of its level's size.
    pub fn masked(self, masks: [Tensor<4>; 3]) -> Self {
        let [mask2, mask3, mask4] = masks;
        let [level2, level3, level4] = self.levels;
        Self { levels: [level2 * mask2, level3 * mask3, level4 * mask4] }
    }

    /// The sum of two pyramids of one shape.
    pub fn plus(self, other: Self) -> Self {
        let ([a2, a3, a4], [b2, b3, b4]) = (self.levels, other.levels);
        Self { levels: [a2 + b2, a3 + b3, a4 + b4] }
    }

    /// The same features, kept in another way.
    pub fn kept(self, keep: Keep) -> Self {
        match keep {
            Keep::Full => self,
            Keep::Half => Self { levels: self.levels.map(|level| keep.cat(vec![level])) },
        }
    }
}

/// How a device keeps a backbone's weights, and the features until they are correlated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// In single precision.
    Full,
    /// In half precision, out of which nothing but our shaders reads them.
    Half,
}

impl Keep {
    /// The least that a device can do with.
    pub fn least(device: &Device) -> Self {
        match ops::works_in_parts(device) {
            true => Self::Half,
            false => Self::Full,
        }
    }

    pub fn dtype(self) -> DType {
        match self {
            Self::Full => DType::F32,
            Self::Half => DType::F16,
        }
    }

    fn cat(self, layers: Vec<Tensor<4>>) -> Tensor<4> {
        match self {
            Self::Full => Tensor::cat(layers, 1),
            Self::Half => ops::cat_halves(layers),
        }
    }
}

/// Gathers tapped layers, shallow to deep, into levels: each level as soon as it has its layers.
struct Taps {
    counts: [usize; 3],
    keep: Keep,
    layers: Vec<Tensor<4>>,
    levels: Vec<Tensor<4>>,
}

impl Taps {
    /// `counts` layers belong to levels 2, 3 and 4.
    fn new(counts: [usize; 3], keep: Keep) -> Self {
        Self { counts, keep, layers: Vec::new(), levels: Vec::new() }
    }

    fn push(&mut self, layer: Tensor<4>) {
        self.layers.push(layer);
        if self.layers.len() == self.counts[self.levels.len()] {
            self.levels.push(self.keep.cat(std::mem::take(&mut self.layers)));
        }
    }

    /// # Panics
    /// If a layer is missing.
    fn pyramid(self) -> Pyramid {
        let levels = self.levels.try_into();
        Pyramid { levels: levels.unwrap_or_else(|_| panic!("each level has its layers")) }
    }
}

/// A backbone's weights.
#[derive(Module, Debug)]
pub enum Backbone {
    Vgg16(Vgg16),
    Resnet(Resnet),
    MobilenetV2(MobilenetV2),
}

impl Backbone {
    /// Untrained.
    pub fn init(kind: BackboneKind, device: &Device) -> Self {
        match kind {
            BackboneKind::Vgg16 => Self::Vgg16(Vgg16::init(device)),
            BackboneKind::Resnet50 => Self::Resnet(Resnet::init([3, 4, 6, 3], device)),
            BackboneKind::Resnet101 => Self::Resnet(Resnet::init([3, 4, 23, 3], device)),
            BackboneKind::MobilenetV2 => Self::MobilenetV2(MobilenetV2::init(device)),
        }
    }

    /// `pictures` are `(batch, 3, h, w)`, normalised.
    pub fn features(&self, pictures: Tensor<4>, keep: Keep) -> Pyramid {
        match self {
            Self::Vgg16(network) => network.features(pictures, keep),
            Self::Resnet(network) => network.features(pictures, keep),
            Self::MobilenetV2(network) => network.features(pictures, keep),
        }
    }
}

/// A convolution with a bias, padded by half its kernel.
fn conv(channels: [usize; 2], kernel: usize, stride: usize, groups: usize, device: &Device) -> Conv2d {
    let half = kernel / 2;
    Conv2dConfig::new(channels, [kernel, kernel])
        .with_stride([stride, stride])
        .with_groups(groups)
        .with_padding(PaddingConfig2d::Explicit(half, half, half, half))
        .init(device)
}

/// A convolution and its activation.
fn convolve(conv: &Conv2d, planes: Tensor<4>, activation: Activation) -> Tensor<4> {
    activated_convolution(planes, conv.weight.val(), bias(conv), conv.stride[0], conv.groups, activation)
}

/// The bias of a convolution that was made with one, as all of ours are.
pub(crate) fn bias(conv: &Conv2d) -> Tensor<1> {
    conv.bias.as_ref().expect("it was made with a bias").val()
}
