//! How long a training step takes.

use std::time::{Duration, Instant};

use burn::tensor::Device;
use burn::train::TrainStep;

use super::batch::{Batching, Role};
use super::learner::Trainee;
use super::{Recipe, optimizer};
use crate::data::{DataError, Drawn, Source, stream};
use crate::episode::Episode;
use crate::hsnet::Hsnet;
use crate::weights::Header;

/// What training steps to time.
#[derive(Clone, Copy, Debug)]
pub struct Steps {
    /// Height and width of the pictures.
    pub size: [usize; 2],
    /// Episodes a step.
    pub batch: usize,
    /// Whether the backbone is trained along.
    pub train_backbone: bool,
    /// Steps that are not timed: kernels are compiled and memory is claimed in them.
    pub warm_up: usize,
    /// Steps that are.
    pub timed: usize,
}

/// Times training steps of `network` on episodes that are drawn and prepared between them: bringing a batch to the
/// device, both passes, the optimiser's step, and the average of the weights.
///
/// # Errors
/// When the device fails.
pub fn time_steps(network: Hsnet, steps: Steps, device: &Device) -> Result<Vec<Duration>, Box<dyn std::error::Error>> {
    let header = Header::hsnet(network.kind(), steps.size);
    let batching = Batching {
        backbone: network.kind(),
        size: steps.size,
        support_size: steps.size,
        normalisation: header.normalisation,
    };
    let device = device.clone().autodiff();
    let mut optimizer = optimizer(&Recipe::FEWSEG);
    let mut trainee = Trainee::new(network, steps.train_backbone, 0.01);
    let mut times = Vec::with_capacity(steps.timed);
    for step in 0..steps.warm_up + steps.timed {
        let prepared = batching.prepare(episodes(step, steps)?);
        let start = Instant::now();
        let output = TrainStep::step(&trainee, prepared.on(&device));
        trainee = trainee.optimize(&mut optimizer, 1e-3.into(), output.grads);
        device.sync()?;
        if step >= steps.warm_up {
            times.push(start.elapsed());
        }
    }
    Ok(times)
}

/// The drawn episodes of a step.
fn episodes(step: usize, steps: Steps) -> Result<Vec<(Role, Episode)>, DataError> {
    let drawn = Drawn::new(steps.size);
    let numbers = step * steps.batch..(step + 1) * steps.batch;
    let draw = |number: u64| Ok((Role::Learning, drawn.draw(number, &mut stream(0, number))?));
    numbers.map(|number| draw(number as u64)).collect()
}
