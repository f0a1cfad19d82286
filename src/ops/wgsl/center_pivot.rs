//! The center-pivot convolution, as a shader.

use std::ops::Range;

use burn::backend::tensor::FloatTensor;
use burn_cubecl::cubecl::prelude::*;
use burn_wgpu::{CubeBackend, KernelSource, SourceTemplate, into_contiguous};

use super::tile::Tile;
use super::{dims, empty_like, launch};
use crate::ops::kernels::{CenterPivotKernel, CenterPivotShape};

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
        let inputs = [volume, weight_query, bias_query, weight_support, bias_support].map(into_contiguous);
        let [volume, weight_query, bias_query, weight_support, bias_support] = &inputs;
        let shape = CenterPivotShape::new(dims(volume), dims(weight_query), stride);
        let output = empty_like(volume, shape.output_dims());

        let (tile, count) = Tile::for_result(shape.batch, shape.outputs, shape.positions());
        let info = [[shape.channels, shape.outputs], shape.query, shape.support, shape.strided, [shape.stride, 0]];
        let buffers = [volume, weight_query, bias_query, weight_support, bias_support, &output];
        let source = CenterPivot { kernel: shape.kernel, window: shape.support_window(), tile };
        launch(source, count, &buffers, info.as_flattened());
        output
    }
}
