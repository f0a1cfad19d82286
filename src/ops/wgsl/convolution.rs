//! The 2D convolutions of backbones and decoder, as shaders.

use burn::backend::tensor::FloatTensor;
use burn_cubecl::cubecl::prelude::*;
use burn_wgpu::{CubeBackend, CubeTensor, KernelSource, SourceTemplate, into_contiguous};

use super::tile::Tile;
use super::{THREADS, dims, empty_like, launch};
use crate::ops::kernels::ConvolutionKernel;

/// A kernel's side, and the tile in which results are made; none where each channel is by itself.
pub(super) struct Convolution {
    pub kernel: usize,
    pub tile: Option<Tile>,
}

impl KernelSource for Convolution {
    fn source(&self) -> SourceTemplate {
        let source = match self.tile {
            Some(tile) => tile.source(include_str!("../../../shaders/convolution.wgsl"), ""),
            None => SourceTemplate::new(include_str!("../../../shaders/depthwise.wgsl")),
        };
        source.register("kernel", self.kernel.to_string())
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info((self.kernel, self.tile))
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
        let (tile, count, channels) = if by_itself {
            (None, [positions.div_ceil(THREADS as usize), channels, batch], vec![channels])
        } else {
            let (tile, count) = Tile::for_result(batch, outputs, positions);
            (Some(tile), count, vec![channels, outputs])
        };
        let buffers: [&CubeTensor; 4] = [&planes, &weight, &bias, &output];
        launch(Convolution { kernel, tile }, count, &buffers, &[channels.as_slice(), &sizes].concat());
        output
    }
}

fn bits(value: f32) -> usize {
    value.to_bits() as usize
}
