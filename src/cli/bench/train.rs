//! `fewseg bench train`: training steps.

use clap::Args;
use serde_json::json;

use super::super::{DeviceChoice, Outcome};
use super::{count, median, peak_memory, side};
use crate::backbone::BackboneKind;
use crate::hsnet::{Hsnet, Kernel};
use crate::train::{Steps, time_steps};

#[derive(Args)]
pub struct TrainArgs {
    /// The backbone
    #[arg(long, value_enum, default_value = "resnet50")]
    backbone: BackboneKind,
    /// The learner's 4D kernel
    #[arg(long, value_enum, default_value = "center-pivot")]
    kernel: Kernel,
    /// The side of the square pictures
    #[arg(long, default_value_t = 400, value_parser = side)]
    size: usize,
    /// Episodes a step
    #[arg(long, default_value_t = 4, value_parser = count)]
    batch: usize,
    /// The backbone's learning rate; at 0 it is frozen, as published
    #[arg(long, default_value_t = 0.0)]
    backbone_lr: f64,
    /// Steps before the first that is timed
    #[arg(long, default_value_t = 2)]
    warm_up: usize,
    /// Steps that are timed
    #[arg(long, default_value_t = 10, value_parser = count)]
    steps: usize,
    /// Where to train
    #[arg(long, value_enum, default_value_t)]
    device: DeviceChoice,
}

pub fn run(args: TrainArgs) -> Outcome {
    let device = args.device.open()?;
    let network = Hsnet::init(args.backbone, args.kernel.into(), &device);
    let steps = Steps {
        size: [args.size; 2],
        batch: args.batch,
        train_backbone: args.backbone_lr > 0.0,
        warm_up: args.warm_up,
        timed: args.steps,
    };
    let seconds = median(time_steps(network, steps, &device)?).as_secs_f64();
    let episodes = args.batch as f64 / seconds;
    let backbone = if steps.train_backbone { "trained along" } else { "frozen" };
    println!(
        "{} ({backbone}), {} kernel, {size} x {size} pixels, {} episodes a step: {seconds:.3} s a step, \
         {episodes:.2} episodes/s (median of {} steps)",
        args.backbone,
        args.kernel,
        args.batch,
        args.steps,
        size = args.size,
    );
    let line = json!({
        "backbone": args.backbone.name(),
        "backbone_trained": steps.train_backbone,
        "kernel": args.kernel,
        "size": args.size,
        "batch": args.batch,
        "device": format!("{:?}", args.device).to_lowercase(),
        "steps": args.steps,
        "seconds_a_step": seconds,
        "episodes_a_second": episodes,
        "peak_memory_bytes": peak_memory(),
    });
    println!("{line}");
    Ok(())
}
