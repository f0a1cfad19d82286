//! The matrix product that several shaders are: `shaders/tile.wgsl`, and how large a tile suits a result.

use std::fmt;

use burn_wgpu::SourceTemplate;

use super::MAX_WORKGROUPS;

/// Depths fetched at a time.
const DEPTH: usize = 16;
/// A device has work for so many workgroups at least; smaller tiles make more of them.
const ENOUGH_WORKGROUPS: usize = 128;

/// What a workgroup makes: rows times columns of the result.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(super) struct Tile {
    rows: usize,
    columns: usize,
}

impl Tile {
    /// For results of few rows, of many, and of many in which the larger tiles would be too few.
    pub const ALL: [Self; 3] =
        [Self { rows: 16, columns: 128 }, Self { rows: 64, columns: 64 }, Self { rows: 32, columns: 64 }];

    /// For `samples` results of `rows` times `columns`.
    pub fn for_result(samples: usize, rows: usize, columns: usize) -> Self {
        let [flat, large, small] = Self::ALL;
        if rows <= flat.rows {
            return flat;
        }
        let workgroups: usize = large.workgroups(samples, rows, columns).iter().product();
        if workgroups >= ENOUGH_WORKGROUPS { large } else { small }
    }

    /// The workgroups that make such results: over columns in the first two dimensions, over rows and samples in the
    /// third.
    pub fn workgroups(self, samples: usize, rows: usize, columns: usize) -> [usize; 3] {
        let across = columns.div_ceil(self.columns);
        let first = across.min(MAX_WORKGROUPS);
        [first, across.div_ceil(first), samples * rows.div_ceil(self.rows)]
    }

    /// The shader that `kernel` completes. `meanwhile` is a statement, done at each step while the values of
    /// both matrices are in workgroup memory.
    pub fn source(self, kernel: &str, meanwhile: &str) -> SourceTemplate {
        SourceTemplate::new(include_str!("../../../shaders/tile.wgsl"))
            .add_template(kernel)
            .register("rows", self.rows.to_string())
            .register("columns", self.columns.to_string())
            .register("depth", DEPTH.to_string())
            .register("meanwhile", meanwhile)
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile {} x {}", self.rows, self.columns)
    }
}
