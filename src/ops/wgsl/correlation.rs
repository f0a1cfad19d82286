//! The hypercorrelation, as a shader.

use std::ops::Range;

use burn::backend::tensor::FloatTensor;
use burn_cubecl::cubecl::prelude::*;
use burn_wgpu::{CubeBackend, KernelSource, SourceTemplate, into_contiguous};

use super::tile::Tile;
use super::{dims, empty_like, launch};
use crate::ops::kernels::{CorrelationKernel, CorrelationRowsKernel};
use crate::ops::{EPSILON, Keep};

/// The tile in which results are made, and how features are kept.
pub(super) struct Correlation {
    pub tile: Tile,
    pub keep: Keep,
}

impl KernelSource for Correlation {
    fn source(&self) -> SourceTemplate {
        let kernel = include_str!("../../../shaders/correlation.wgsl");
        let source = self.tile.source(kernel, "sum_squares(thread, start);").register("epsilon", EPSILON.to_string());
        self.keep.register(self.keep.register(source, "query"), "support")
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info((self.tile, self.keep))
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

impl CorrelationKernel for CubeBackend {
    fn correlation(query: FloatTensor<Self>, support: FloatTensor<Self>, widths: Vec<usize>) -> FloatTensor<Self> {
        let [_, _, height, _] = dims(&support);
        Self::correlation_rows(query, support, 0..height, widths)
    }
}

impl CorrelationRowsKernel for CubeBackend {
    fn correlation_rows(
        query: FloatTensor<Self>,
        support: FloatTensor<Self>,
        rows: Range<usize>,
        widths: Vec<usize>,
    ) -> FloatTensor<Self> {
        let (query, support) = (into_contiguous(query), into_contiguous(support));
        let [batch, _, query_h, query_w] = dims(&query);
        let [support_batch, _, support_h, support_w] = dims(&support);
        let (queries, supports, layers) = (query_h * query_w, rows.len() * support_w, widths.len());
        let output = empty_like(&query, [batch, layers, query_h, query_w, rows.len(), support_w]);

        let (positions, skipped) = (support_h * support_w, rows.start * support_w);
        let mut info = vec![queries, supports, positions, skipped, support_batch, layers, 0];
        info.extend(widths.iter().scan(0, |end, width| {
            *end += width;
            Some(*end)
        }));
        let (tile, count) = Tile::for_result(batch * layers, queries, supports);
        let keep = Keep::of(&query);
        launch(Correlation { tile, keep }, count, &[&query, &support, &output], &info);
        output
    }
}
