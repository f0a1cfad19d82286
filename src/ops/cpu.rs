//! The center-pivot convolution on the CPU: both branches as one product of matrices.
//!
//! The volume keeps its layout. A few query rows at a time, the neighbourhoods are gathered as the columns of a matrix
//! `(branch x channel x tap, position)`, and the weights of both branches, side by side, multiply it. Taps of the
//! support plane that never meet it (all but the centre, where the plane has shrunk to one position) are left out.

#[cfg(feature = "native")]
mod gradient;

use std::ops::Range;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::{Shape, TensorData};
use burn_flex::FlexTensor;

use super::kernels::{CenterPivotKernel, CenterPivotShape};

/// Positions gathered at a time, at least: the matrix of neighbourhoods should stay in the cache.
const CHUNK: usize = 512;

impl CenterPivotKernel for Flex {
    fn center_pivot(
        volume: FloatTensor<Self>,
        weight_query: FloatTensor<Self>,
        bias_query: FloatTensor<Self>,
        weight_support: FloatTensor<Self>,
        bias_support: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self> {
        let shape = CenterPivotShape::new(volume.shape().dims(), weight_query.shape().dims(), stride);
        let plan = Plan::new(shape);
        let [volume, weight_query, weight_support] = [volume, weight_query, weight_support].map(|t| t.to_contiguous());
        let [bias_query, bias_support] = [bias_query, bias_support].map(|t| t.to_contiguous());
        let biases = bias_query.storage::<f32>().iter().zip(bias_support.storage::<f32>());
        let bias: Vec<f32> = biases.map(|(query, support)| query + support).collect();
        let weights = plan.join(weight_query.storage(), weight_support.storage());
        let volume = volume.storage::<f32>();

        let pieces = parallel(plan.pieces(), |(sample, rows)| {
            let columns = plan.gather(plan.sample(volume, sample), rows.clone());
            let positions = plan.columns(&rows);
            let mut piece: Vec<f32> = bias.iter().flat_map(|&b| std::iter::repeat_n(b, positions)).collect();
            accumulate(Matrix::new(&weights, plan.depth()), Matrix::new(&columns, positions), &mut piece);
            piece
        });

        let mut output = vec![0f32; shape.batch * shape.outputs * shape.positions()];
        for ((sample, rows), piece) in plan.pieces().into_iter().zip(pieces) {
            let range = plan.positions(&rows);
            for (channel, values) in piece.chunks_exact(range.len()).enumerate() {
                let start = (sample * shape.outputs + channel) * shape.positions();
                output[start + range.start..start + range.end].copy_from_slice(values);
            }
        }
        tensor(output, shape.output_dims())
    }
}

/// How the volume unfolds into a matrix.
struct Plan {
    shape: CenterPivotShape,
    /// The taps of the support plane's kernel that meet the plane somewhere.
    support_taps: Vec<usize>,
}

impl Plan {
    fn new(shape: CenterPivotShape) -> Self {
        let meets = |tap: usize, axis: usize| !shape.support_range(tap, axis).is_empty();
        let taps = 0..shape.kernel * shape.kernel;
        let support_taps = taps.filter(|tap| meets(tap / shape.kernel, 0) && meets(tap % shape.kernel, 1)).collect();
        Self { shape, support_taps }
    }

    fn taps(&self) -> usize {
        self.shape.kernel * self.shape.kernel
    }

    /// Rows of the matrix of neighbourhoods.
    fn depth(&self) -> usize {
        self.shape.channels * (self.taps() + self.support_taps.len())
    }

    /// Query rows, a few at a time.
    fn chunks(&self) -> impl Iterator<Item = Range<usize>> {
        let [height, width] = self.shape.query;
        let row = width * self.plane();
        let step = CHUNK.div_ceil(row);
        (0..height).step_by(step).map(move |start| start..(start + step).min(height))
    }

    fn pieces(&self) -> Vec<(usize, Range<usize>)> {
        let samples = 0..self.shape.batch;
        samples.flat_map(|sample| self.chunks().map(move |rows| (sample, rows))).collect()
    }

    /// Positions of the result's support plane.
    fn plane(&self) -> usize {
        self.shape.strided[0] * self.shape.strided[1]
    }

    fn positions(&self, rows: &Range<usize>) -> Range<usize> {
        let row = self.shape.query[1] * self.plane();
        rows.start * row..rows.end * row
    }

    fn columns(&self, rows: &Range<usize>) -> usize {
        self.positions(rows).len()
    }

    fn volume_size(&self) -> usize {
        let planes = [self.shape.query, self.shape.support];
        self.shape.channels * planes.as_flattened().iter().product::<usize>()
    }

    fn sample<'a>(&self, volume: &'a [f32], sample: usize) -> &'a [f32] {
        &volume[sample * self.volume_size()..][..self.volume_size()]
    }

    /// Both planes' weights side by side: `(outputs, depth)`.
    fn join(&self, query: &[f32], support: &[f32]) -> Vec<f32> {
        let row = self.shape.channels * self.taps();
        let rows = query.chunks_exact(row).zip(support.chunks_exact(row));
        rows.flat_map(|(query, support)| {
            let met = support.chunks_exact(self.taps()).flat_map(|taps| self.support_taps.iter().map(|&tap| taps[tap]));
            query.iter().copied().chain(met)
        })
        .collect()
    }

    fn gather(&self, volume: &[f32], rows: Range<usize>) -> Vec<f32> {
        let mut columns = vec![0f32; self.depth() * self.columns(&rows)];
        let step = self.shape.stride;
        self.runs(rows, |column, start, length| {
            let target = &mut columns[column..column + length];
            if step == 1 {
                target.copy_from_slice(&volume[start..start + length]);
            } else {
                target.iter_mut().zip(volume[start..].iter().step_by(step)).for_each(|(to, from)| *to = *from);
            }
        });
        columns
    }

    /// Visits what the matrix of neighbourhoods takes from the volume, as runs `(first index in the matrix, first index
    /// in the volume, length)`: one after another in the matrix, `stride` apart in the volume.
    fn runs(&self, rows: Range<usize>, mut visit: impl FnMut(usize, usize, usize)) {
        let positions = self.columns(&rows);
        let mut depth = 0;
        for channel in 0..self.shape.channels {
            for tap in 0..self.taps() {
                self.query_runs(channel, tap, &rows, |column, start, length| {
                    visit(depth * positions + column, start, length)
                });
                depth += 1;
            }
        }
        for channel in 0..self.shape.channels {
            for &tap in &self.support_taps {
                self.support_runs(channel, tap, &rows, |column, start, length| {
                    visit(depth * positions + column, start, length)
                });
                depth += 1;
            }
        }
    }

    fn query_runs(&self, channel: usize, tap: usize, rows: &Range<usize>, mut visit: impl FnMut(usize, usize, usize)) {
        let CenterPivotShape { kernel, query: [height, width], support: [support_h, support_w], .. } = self.shape;
        let [strided_h, strided_w] = self.shape.strided;
        let (tap_h, tap_w, half) = (tap / kernel, tap % kernel, kernel / 2);
        let inside = half.saturating_sub(tap_w)..(width + half).saturating_sub(tap_w).min(width);
        for row in rows.clone() {
            let Some(source_row) = (row + tap_h).checked_sub(half).filter(|&r| r < height) else { continue };
            let line = (row - rows.start) * width;
            let source_line = (channel * height + source_row) * width;
            if self.shape.stride == 1 && !inside.is_empty() {
                let start = (source_line + inside.start + tap_w - half) * self.plane();
                visit((line + inside.start) * self.plane(), start, inside.len() * self.plane());
                continue;
            }
            for position in inside.clone() {
                let source = source_line + position + tap_w - half;
                for y in 0..strided_h {
                    let start = (source * support_h + y * self.shape.stride) * support_w;
                    visit(((line + position) * strided_h + y) * strided_w, start, strided_w);
                }
            }
        }
    }

    fn support_runs(
        &self,
        channel: usize,
        tap: usize,
        rows: &Range<usize>,
        mut visit: impl FnMut(usize, usize, usize),
    ) {
        let CenterPivotShape { kernel, query: [height, width], support: [support_h, support_w], stride, .. } =
            self.shape;
        let [strided_h, strided_w] = self.shape.strided;
        let (tap_h, tap_w, half) = (tap / kernel, tap % kernel, kernel / 2);
        let source = (channel * height + rows.start) * width;
        if stride == 1 && (tap_h, tap_w) == (half, half) {
            visit(0, source * self.plane(), self.columns(rows));
            return;
        }
        let (down, across) = (self.shape.support_range(tap_h, 0), self.shape.support_range(tap_w, 1));
        for position in 0..rows.len() * width {
            for y in down.clone() {
                let line = (source + position) * support_h + y * stride + tap_h - half;
                let start = line * support_w + across.start * stride + tap_w - half;
                visit((position * strided_h + y) * strided_w + across.start, start, across.len());
            }
        }
    }
}

impl CenterPivotShape {
    /// The strided support positions along one axis at which a tap of the kernel meets the plane.
    fn support_range(&self, tap: usize, axis: usize) -> Range<usize> {
        let half = self.kernel / 2;
        let start = half.saturating_sub(tap).div_ceil(self.stride);
        let end = (self.support[axis] + half).saturating_sub(tap).div_ceil(self.stride);
        start..end.min(self.strided[axis])
    }
}

/// A matrix somewhere in a slice.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// All of `values`, row by row.
    fn new(values: &'a [f32], columns: usize) -> Self {
        Self { values, rows: values.len() / columns.max(1), columns, row_stride: columns, column_stride: 1 }
    }

    fn last_index(&self) -> usize {
        (self.rows - 1) * self.row_stride + (self.columns - 1) * self.column_stride
    }
}

/// `target += left x right`, the target row by row.
fn accumulate(left: Matrix, right: Matrix, target: &mut [f32]) {
    let (rows, depth, columns) = (left.rows, left.columns, right.columns);
    if rows * depth * columns == 0 {
        return;
    }
    assert!(depth == right.rows && target.len() == rows * columns);
    assert!(left.last_index() < left.values.len() && right.last_index() < right.values.len());
    // SAFETY: both matrices lie inside their slices and the target inside its own, as asserted above.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            depth,
            target.as_mut_ptr(),
            1,
            columns as isize,
            true,
            left.values.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.values.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            1f32,
            1f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

fn tensor<const D: usize>(values: Vec<f32>, dims: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, Shape::new(dims)))
}

/// Maps in order, on all cores where there are threads.
#[cfg(feature = "native")]
fn parallel<T: Send, R: Send>(items: Vec<T>, map: impl Fn(T) -> R + Send + Sync) -> Vec<R> {
    use rayon::prelude::*;
    items.into_par_iter().map(map).collect()
}

#[cfg(not(feature = "native"))]
fn parallel<T, R>(items: Vec<T>, map: impl Fn(T) -> R) -> Vec<R> {
    items.into_iter().map(map).collect()
}
