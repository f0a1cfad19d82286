//! The gradient of group normalisation and ReLU: two sums of every channel, then one pass.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata};

use crate::ops::cpu::norm::{Normed, channel_size, sums};
use crate::ops::cpu::{contiguous, parallel, tensor};
use crate::ops::gradient::NormGradient;

impl NormGradient for Flex {
    fn group_norm_relu_grad(
        volume: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        groups: usize,
    ) -> [FloatTensor<Self>; 3] {
        let dims: [usize; 6] = volume.shape().dims();
        let size = channel_size(dims);
        let inputs = contiguous([volume, gamma, beta, grad]);
        let [volume, gamma, beta, grad] = inputs.each_ref().map(|input| input.storage::<f32>());
        let normed = Normed::new(volume, dims, groups);
        let maps = normed.maps(gamma, beta);
        let group_of = |channel: usize| normed.groups[channel / normed.members];

        // Of every channel of every sample: what comes through the ReLU, and that times the normalised values.
        let channels = volume.chunks_exact(size).zip(grad.chunks_exact(size)).zip(&maps).enumerate();
        let summed = parallel(channels.collect(), |(channel, ((volume, grad), map))| {
            let group = group_of(channel);
            let mean = group.mean as f32;
            let [through, along] = sums(volume, grad, |value, grad| {
                let grad = if map.apply(value) > 0.0 { grad } else { 0.0 };
                [grad, grad * (value - mean)]
            });
            [through, along * group.inverse]
        });

        let mut volume_grad = vec![0f32; volume.len()];
        let channels = volume.chunks_exact(size).zip(grad.chunks_exact(size)).zip(volume_grad.chunks_exact_mut(size));
        let channels = channels.zip(&maps).enumerate();
        parallel(channels.collect(), |(channel, (((volume, grad), target), map))| {
            let group = group_of(channel);
            let first = channel / normed.members * normed.members;
            let [through, along] = [0, 1].map(|which| {
                let members = (first..first + normed.members).map(|c| f64::from(gamma[c % dims[1]]) * summed[c][which]);
                members.sum::<f64>() / (normed.members * size) as f64
            });
            // The normalised value is (value - mean) x inverse; what the means take away is linear in it.
            let slope = along * group.inverse * group.inverse;
            let (by_value, constant) = (-slope as f32, (slope * group.mean - through * group.inverse) as f32);
            for ((target, &value), grad) in target.iter_mut().zip(volume).zip(grad) {
                let through = if map.apply(value) > 0.0 { grad * map.scale } else { 0.0 };
                *target = through + value * by_value + constant;
            }
        });
        let over_samples = |which: usize| {
            let sum =
                |channel| summed.iter().skip(channel).step_by(dims[1]).map(|sums| sums[which]).sum::<f64>() as f32;
            tensor((0..dims[1]).map(sum).collect(), [dims[1]])
        };
        [tensor(volume_grad, dims), over_samples(1), over_samples(0)]
    }
}
