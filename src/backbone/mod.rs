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
use burn::tensor::Device;

use mobilenet::MobilenetV2;
use resnet::Resnet;
use vgg::Vgg16;

use crate::ops::{Activation, HalfLevel, Keep, activated_convolution};

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

    /// The same features in half precision, to be correlated on a device that reads that.
    pub fn halved(self) -> Self {
        let halved = |level: Tensor<4>| {
            let mut half = HalfLevel::empty(level.dims(), &level.device());
            half.put(level);
            half.features()
        };
        Self { levels: self.levels.map(halved) }
    }
}

/// Gathers tapped layers, shallow to deep, into a pyramid.
pub struct Taps {
    widths: [Vec<usize>; 3],
    keep: Keep,
    masks: Option<[Tensor<4>; 3]>,
    /// The level at hand, and how many layers it has.
    level: Option<Level>,
    layers: usize,
    levels: Vec<Tensor<4>>,
}

/// A level that is not whole yet.
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
enum Level {
    Single(Vec<Tensor<4>>),
    Half(HalfLevel),
}

impl Taps {
    /// For the features of a backbone.
    pub fn new(kind: BackboneKind, keep: Keep) -> Self {
        Self { widths: kind.widths(), keep, masks: None, level: None, layers: 0, levels: Vec::new() }
    }

    /// The same, each feature multiplied by its share of the object as [`Pyramid::masked`] does it.
    pub fn masked(self, masks: [Tensor<4>; 3]) -> Self {
        Self { masks: Some(masks), ..self }
    }

    fn push(&mut self, layer: Tensor<4>) {
        let index = self.levels.len();
        let layer = match &self.masks {
            Some(masks) => layer * masks[index].clone(),
            None => layer,
        };
        let ([batch, _, height, width], device) = (layer.dims(), layer.device());
        let level = self.level.get_or_insert_with(|| match self.keep {
            Keep::Single => Level::Single(Vec::new()),
            Keep::Half => {
                Level::Half(HalfLevel::empty([batch, self.widths[index].iter().sum(), height, width], &device))
            }
        });
        match level {
            Level::Single(layers) => layers.push(layer),
            Level::Half(level) => level.put(layer),
        }
        self.layers += 1;
        if self.layers == self.widths[index].len() {
            self.layers = 0;
            self.levels.extend(self.level.take().map(Level::features));
        }
    }

    /// # Panics
    /// If a layer is missing.
    fn pyramid(self) -> Pyramid {
        let levels = self.levels.try_into();
        Pyramid { levels: levels.unwrap_or_else(|_| panic!("each level has its layers")) }
    }
}

impl Level {
    fn features(self) -> Tensor<4> {
        match self {
            Self::Single(layers) => Tensor::cat(layers, 1),
            Self::Half(level) => level.features(),
        }
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

    /// `pictures` are `(batch, 3, h, w)`, normalised; `taps` are those of this kind of backbone.
    pub fn features(&self, pictures: Tensor<4>, taps: Taps) -> Pyramid {
        match self {
            Self::Vgg16(network) => network.features(pictures, taps),
            Self::Resnet(network) => network.features(pictures, taps),
            Self::MobilenetV2(network) => network.features(pictures, taps),
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
