//! The matrix product that several shaders are: `shaders/tile.wgsl`, and how large a tile suits a result.

use std::fmt;

use burn_wgpu::SourceTemplate;

use super::spread;

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

    /// For `samples` results of `rows` times `columns`, with the workgroups that make them.
    pub fn for_result(samples: usize, rows: usize, columns: usize) -> (Self, [usize; 3]) {
        let [flat, large, small] = Self::ALL;
        let with_workgroups = |tile: Self| (tile, tile.workgroups(samples, rows, columns));
        if rows <= flat.rows {
            return with_workgroups(flat);
        }
        let (large, workgroups) = with_workgroups(large);
        match workgroups.iter().product::<usize>() >= ENOUGH_WORKGROUPS {
            true => (large, workgroups),
            false => with_workgroups(small),
        }
    }

    /// Over columns in the first two dimensions, over rows and samples in the third.
    fn workgroups(self, samples: usize, rows: usize, columns: usize) -> [usize; 3] {
        let [across, down] = spread(columns.div_ceil(self.columns));
        [across, down, samples * rows.div_ceil(self.rows)]
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
