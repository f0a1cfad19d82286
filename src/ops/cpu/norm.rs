//! Group normalisation and ReLU: the moments of every channel, then one pass that applies both.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata};

use super::{contiguous, parallel, tensor};
use crate::ops::VARIANCE_EPSILON;
use crate::ops::kernels::NormKernel;

/// Values added up in float32 before they join a sum in float64.
const BLOCK: usize = 4096;
/// Sums kept side by side, so that they can be vectors.
const LANES: usize = 16;

impl NormKernel for Flex {
    fn group_norm_relu(
        volume: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        groups: usize,
    ) -> FloatTensor<Self> {
        let dims: [usize; 6] = volume.shape().dims();
        let [volume, gamma, beta] = contiguous([volume, gamma, beta]);
        let volume = volume.storage::<f32>();
        let maps = Normed::new(volume, dims, groups).maps(gamma.storage(), beta.storage());

        let mut output = vec![0f32; volume.len()];
        let size = channel_size(dims);
        let channels = volume.chunks_exact(size).zip(output.chunks_exact_mut(size)).zip(maps);
        parallel(channels.collect(), |((volume, output), map)| {
            output.iter_mut().zip(volume).for_each(|(to, &from)| *to = map.apply(from).max(0.0));
        });
        tensor(output, dims)
    }
}

/// Values of one channel of one sample.
pub fn channel_size(dims: [usize; 6]) -> usize {
    dims[2..].iter().product()
}

/// What a channel's values are multiplied with, and what is added then.
#[derive(Clone, Copy)]
pub struct Map {
    pub scale: f32,
    pub shift: f32,
}

impl Map {
    pub fn apply(self, value: f32) -> f32 {
        value * self.scale + self.shift
    }
}

/// The mean of a group, and one over its standard deviation.
#[derive(Clone, Copy)]
pub struct Group {
    pub mean: f64,
    pub inverse: f64,
}

/// The moments of a volume's groups, `(batch, groups)`.
pub struct Normed {
    pub groups: Vec<Group>,
    /// Channels of a group.
    pub members: usize,
}

impl Normed {
    pub fn new(volume: &[f32], dims: [usize; 6], groups: usize) -> Self {
        let size = channel_size(dims);
        let members = dims[1] / groups;
        let moments = parallel(volume.chunks_exact(size).collect(), moments);
        let groups = moments.chunks_exact(members).map(|moments| Group::of(moments, size)).collect();
        Self { groups, members }
    }

    /// The map of every channel of every sample.
    pub fn maps(&self, gamma: &[f32], beta: &[f32]) -> Vec<Map> {
        let affine = gamma.iter().zip(beta).cycle();
        let groups = self.groups.iter().flat_map(|group| std::iter::repeat_n(group, self.members));
        groups
            .zip(affine)
            .map(|(group, (&gamma, &beta))| {
                let scale = f64::from(gamma) * group.inverse;
                Map { scale: scale as f32, shift: (f64::from(beta) - group.mean * scale) as f32 }
            })
            .collect()
    }
}

/// The mean of a channel and the sum of the squared deviations from it.
struct Moments {
    mean: f64,
    squares: f64,
}

/// Deviations are taken from the channel's own mean: squares alone would lose what a mean far from zero hides.
fn moments(channel: &[f32]) -> Moments {
    let [sum] = sums(channel, channel, |value, _| [value]);
    let mean = sum / channel.len() as f64;
    let centre = mean as f32;
    let [squares] = sums(channel, channel, |value, _| [(value - centre) * (value - centre)]);
    Moments { mean, squares }
}

impl Group {
    /// Of channels of one size.
    fn of(channels: &[Moments], size: usize) -> Self {
        let mean = channels.iter().map(|channel| channel.mean).sum::<f64>() / channels.len() as f64;
        let between = channels.iter().map(|channel| (channel.mean - mean).powi(2)).sum::<f64>() * size as f64;
        let within: f64 = channels.iter().map(|channel| channel.squares).sum();
        let variance = (between + within) / (channels.len() * size) as f64;
        Self { mean, inverse: 1.0 / (variance + VARIANCE_EPSILON).sqrt() }
    }
}

/// Sums terms of two slices of one length: in float32 within a block, in float64 from block to block.
pub fn sums<const N: usize>(first: &[f32], second: &[f32], term: impl Fn(f32, f32) -> [f32; N]) -> [f64; N] {
    let mut total = [0f64; N];
    for (first, second) in first.chunks(BLOCK).zip(second.chunks(BLOCK)) {
        let mut lanes = [[0f32; LANES]; N];
        for (first, second) in first.chunks(LANES).zip(second.chunks(LANES)) {
            for (lane, (&first, &second)) in first.iter().zip(second).enumerate() {
                let terms = term(first, second);
                (0..N).for_each(|sum| lanes[sum][lane] += terms[sum]);
            }
        }
        for (total, lanes) in total.iter_mut().zip(lanes) {
            *total += lanes.into_iter().map(f64::from).sum::<f64>();
        }
    }
    total
}
