//! The hypercorrelation, as a shader.

use burn::backend::tensor::FloatTensor;
use burn_cubecl::cubecl::prelude::*;
use burn_wgpu::{CubeBackend, KernelSource, SourceTemplate, into_contiguous};

use super::tile::Tile;
use super::{dims, empty_like, launch};
use crate::ops::EPSILON;
use crate::ops::kernels::CorrelationKernel;

pub(super) struct Correlation(pub Tile);

impl KernelSource for Correlation {
    fn source(&self) -> SourceTemplate {
        let kernel = include_str!("../../../shaders/correlation.wgsl");
        self.0.source(kernel, "sum_squares(thread, start);").register("epsilon", EPSILON.to_string())
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info(self.0)
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

impl CorrelationKernel for CubeBackend {
    fn correlation(query: FloatTensor<Self>, support: FloatTensor<Self>, widths: Vec<usize>) -> FloatTensor<Self> {
        let (query, support) = (into_contiguous(query), into_contiguous(support));
        let [batch, _, query_h, query_w] = dims(&query);
        let [support_batch, _, support_h, support_w] = dims(&support);
        let (queries, support_positions, layers) = (query_h * query_w, support_h * support_w, widths.len());
        let output = empty_like(&query, [batch, layers, query_h, query_w, support_h, support_w]);

        let mut info = vec![queries, support_positions, support_batch, layers, 0];
        info.extend(widths.iter().scan(0, |end, width| {
            *end += width;
            Some(*end)
        }));
        let (tile, count) = Tile::for_result(batch * layers, queries, support_positions);
        launch(Correlation(tile), count, &[&query, &support, &output], &info);
        output
    }
}
