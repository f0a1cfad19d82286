//! The center-pivot convolution, as a shader.

use std::ops::Range;

use burn::backend::tensor::FloatTensor;
use burn_cubecl::cubecl::prelude::*;
use burn_wgpu::{CubeBackend, CubeTensor, KernelSource, SourceTemplate, into_contiguous};

use super::tile::Tile;
use super::{dims, empty_like, launch};
use crate::ops::kernels::{CenterPivotKernel, CenterPivotRowsKernel, CenterPivotShape, SupportRows};

/// A kernel's side, the taps of the support plane that are not left out, and the tile in which results are made.
pub(super) struct CenterPivot {
    pub kernel: usize,
    pub window: [Range<usize>; 2],
    pub tile: Tile,
}

impl KernelSource for CenterPivot {
    fn source(&self) -> SourceTemplate {
        let kernel = include_str!("../../../shaders/center_pivot.wgsl");
        let [down, across] = &self.window;
        let pair = |down: usize, across: usize| format!("vec2({down}u, {across}u)");
        let source = self.tile.source(kernel, "").register("kernel", self.kernel.to_string());
        source.register("first", pair(down.start, across.start)).register("window", pair(down.len(), across.len()))
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info((self.kernel, self.window.clone(), self.tile))
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

impl CenterPivotKernel for CubeBackend {
    fn center_pivot(
        volume: FloatTensor<Self>,
        weight_query: FloatTensor<Self>,
        bias_query: FloatTensor<Self>,
        weight_support: FloatTensor<Self>,
        bias_support: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self> {
        let shape = CenterPivotShape::new(dims(&volume), dims(&weight_query), stride);
        let weights = [weight_query, bias_query, weight_support, bias_support];
        convolve(volume, weights, shape)
    }
}

impl CenterPivotRowsKernel for CubeBackend {
    fn center_pivot_rows(
        volume: FloatTensor<Self>,
        weight_query: FloatTensor<Self>,
        bias_query: FloatTensor<Self>,
        weight_support: FloatTensor<Self>,
        bias_support: FloatTensor<Self>,
        stride: usize,
        rows: SupportRows,
    ) -> FloatTensor<Self> {
        let shape = CenterPivotShape::new(dims(&volume), dims(&weight_query), stride).rows(rows);
        let weights = [weight_query, bias_query, weight_support, bias_support];
        convolve(volume, weights, shape)
    }
}

fn convolve(volume: CubeTensor, weights: [CubeTensor; 4], shape: CenterPivotShape) -> CubeTensor {
    let volume = into_contiguous(volume);
    let [weight_query, bias_query, weight_support, bias_support] = &weights.map(into_contiguous);
    let output = empty_like(&volume, shape.output_dims());

    let (tile, count) = Tile::for_result(shape.batch, shape.outputs, shape.positions());
    let channels = [shape.channels, shape.outputs];
    let info = [channels, shape.query, shape.support, shape.strided, [shape.stride, shape.first_row]];
    let buffers = [&volume, weight_query, bias_query, weight_support, bias_support, &output];
    let source = CenterPivot { kernel: shape.kernel, window: shape.support_window(), tile };
    launch(source, count, &buffers, info.as_flattened());
    output
}
