//! The 2D convolutions of backbones and decoder, as shaders.

use burn::backend::tensor::FloatTensor;
use burn_cubecl::cubecl::prelude::*;
use burn_wgpu::{CubeBackend, CubeTensor, KernelSource, SourceTemplate, into_contiguous};

use super::tile::Tile;
use super::{THREADS, dims, empty_like, launch};
use crate::ops::Keep;
use crate::ops::kernels::ConvolutionKernel;

/// A kernel's side, and what it is over.
pub(super) struct Convolution {
    pub kernel: usize,
    pub form: Form,
}

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(super) enum Form {
    /// Over all channels: the tile in which results are made, and how the weights are kept.
    Together(Tile, Keep),
    /// Over each channel by itself.
    Depthwise,
}

impl KernelSource for Convolution {
    fn source(&self) -> SourceTemplate {
        let source = match self.form {
            Form::Together(tile, weight) => {
                weight.register(tile.source(include_str!("../../../shaders/convolution.wgsl"), ""), "weight")
            }
            Form::Depthwise => SourceTemplate::new(include_str!("../../../shaders/depthwise.wgsl")),
        };
        source.register("kernel", self.kernel.to_string())
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info((self.kernel, self.form))
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

impl ConvolutionKernel for CubeBackend {
    fn convolution(
        planes: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
        limit: Option<f32>,
    ) -> FloatTensor<Self> {
        let [planes, weight, bias] = [planes, weight, bias].map(into_contiguous);
        let ([batch, channels, height, width], [outputs, together, kernel, _]) = (dims(&planes), dims(&weight));
        let strided = [height, width].map(|side| side.div_ceil(stride));
        let positions: usize = strided.iter().product();
        let output = empty_like(&planes, [batch, outputs, strided[0], strided[1]]);
        // There is no way to write an infinity in WGSL.
        let [least, most] = limit.map_or([f32::MIN, f32::MAX], |limit| [0.0, limit.min(f32::MAX)]);
        let sizes = [height, width, strided[0], strided[1], stride, bits(least), bits(most)];

        let by_itself = together == 1 && channels > 1;
        let (form, count, channels) = if by_itself {
            (Form::Depthwise, [positions.div_ceil(THREADS as usize), channels, batch], vec![channels])
        } else {
            let (tile, count) = Tile::for_result(batch, outputs, positions);
            (Form::Together(tile, Keep::of(&weight)), count, vec![channels, outputs])
        };
        let buffers: [&CubeTensor; 4] = [&planes, &weight, &bias, &output];
        launch(Convolution { kernel, form }, count, &buffers, &[channels.as_slice(), &sizes].concat());
        output
    }
}

fn bits(value: f32) -> usize {
    value.to_bits() as usize
}
