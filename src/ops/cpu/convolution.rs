//! The 2D convolution of backbones: a few rows of the result at a time, the neighbourhoods are gathered as a matrix that
//! the weights multiply, and the activation is applied while the result is in the cache.

use std::ops::Range;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata};

use super::matrix::{Matrix, Target, accumulate};
use super::{contiguous, parallel, portions, tensor};
use crate::ops::kernels::ConvolutionKernel;

/// Positions of the result made at a time, at least: their neighbourhoods should stay in the cache.
const POSITIONS: usize = 512;
/// Output channels made at a time, at most: deep layers have few positions, and all cores should have work.
const OUTPUTS: usize = 256;

impl ConvolutionKernel for Flex {
    fn convolution(
        planes: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
        limit: Option<f32>,
    ) -> FloatTensor<Self> {
        let ([batch, channels, height, width], [outputs, _, kernel, _]) =
            (planes.shape().dims(), weight.shape().dims());
        let window = Window { channels, input: [height, width], kernel, stride };
        let [planes, weight, bias] = contiguous([planes, weight, bias]);
        let [planes, weight, bias] = [&planes, &weight, &bias].map(|input| input.storage::<f32>());
        let (positions, depth) = (window.positions(), window.depth());

        let mut output = vec![0f32; batch * outputs * positions];
        let samples = planes.chunks_exact(channels * height * width).zip(output.chunks_exact_mut(outputs * positions));
        let samples: Vec<_> = samples.map(|(planes, output)| (planes, Target::new(output, positions))).collect();
        let pieces = samples.iter().flat_map(|(planes, target)| {
            let pieces =
                window.chunks().flat_map(|rows| portions(outputs, OUTPUTS).map(move |made| (rows.clone(), made)));
            pieces.map(move |(rows, made)| (*planes, target, rows, made))
        });
        parallel(pieces.collect(), |(planes, target, rows, made)| {
            let mut gathered = Vec::new();
            let neighbours = window.neighbours(planes, &rows, &mut gathered);
            let weights = Matrix::new(&weight[made.start * depth..made.end * depth], depth);
            // SAFETY: every piece has rows and columns of its own.
            let mut target = unsafe { target.part(made.clone(), window.columns(&rows)) };
            target.fill_rows(&bias[made]);
            accumulate(weights, neighbours, &mut target);
            if let Some(limit) = limit {
                target.map(|value| value.max(0.0).min(limit));
            }
        });
        let [height, width] = window.output();
        tensor(output, [batch, outputs, height, width])
    }
}

/// A square window that moves over planes which are padded by half of it.
struct Window {
    channels: usize,
    input: [usize; 2],
    kernel: usize,
    stride: usize,
}

impl Window {
    fn output(&self) -> [usize; 2] {
        self.input.map(|side| side.div_ceil(self.stride))
    }

    fn positions(&self) -> usize {
        self.output().iter().product()
    }

    fn depth(&self) -> usize {
        self.channels * self.kernel * self.kernel
    }

    /// Rows of the result, a few at a time.
    fn chunks(&self) -> impl Iterator<Item = Range<usize>> {
        let [height, width] = self.output();
        let step = POSITIONS.div_ceil(width);
        portions(height, step)
    }

    fn columns(&self, rows: &Range<usize>) -> Range<usize> {
        let [_, width] = self.output();
        rows.start * width..rows.end * width
    }

    /// What the window sees at some rows of the result: `(channel and tap, position)`. A window of a single pixel sees
    /// the planes as they are.
    fn neighbours<'a>(&self, planes: &'a [f32], rows: &Range<usize>, gathered: &'a mut Vec<f32>) -> Matrix<'a> {
        let columns = self.columns(rows);
        if self.kernel == 1 && self.stride == 1 {
            let plane = self.positions();
            return Matrix {
                values: &planes[columns.start..],
                rows: self.channels,
                columns: columns.len(),
                row_stride: plane,
                column_stride: 1,
            };
        }
        let [height, width] = self.input;
        gathered.resize(self.depth() * columns.len(), 0.0);
        let taps = gathered.chunks_exact_mut(columns.len()).enumerate();
        for (depth, target) in taps {
            let (channel, tap) = (depth / (self.kernel * self.kernel), depth % (self.kernel * self.kernel));
            let plane = &planes[channel * height * width..][..height * width];
            self.gather(plane, [tap / self.kernel, tap % self.kernel], rows, target);
        }
        Matrix::new(gathered, columns.len())
    }

    /// What one tap sees of one plane.
    fn gather(&self, plane: &[f32], [down, across]: [usize; 2], rows: &Range<usize>, target: &mut [f32]) {
        let [height, width] = self.input;
        let [_, wide] = self.output();
        let half = self.kernel / 2;
        // The positions whose tap lies inside the plane.
        let first = half.saturating_sub(across).div_ceil(self.stride).min(wide);
        let end = (width + half).saturating_sub(across).div_ceil(self.stride).clamp(first, wide);
        for (row, line) in rows.clone().zip(target.chunks_exact_mut(wide)) {
            let y = (row * self.stride + down).wrapping_sub(half);
            if y >= height || first == end {
                line.fill(0.0);
                continue;
            }
            line[..first].fill(0.0);
            line[end..].fill(0.0);
            let seen = &plane[y * width + first * self.stride + across - half..(y + 1) * width];
            match self.stride {
                1 => line[first..end].copy_from_slice(&seen[..end - first]),
                stride => {
                    line[first..end].iter_mut().zip(seen.iter().step_by(stride)).for_each(|(to, from)| *to = *from)
                }
            }
        }
    }
}
