//! `fewseg bench segment`: what a query takes once a task is learned.

use std::collections::BTreeMap;

use burn::Tensor;
use burn::tensor::{Device, Distribution};
use clap::Args;
use serde_json::json;

use super::super::{DeviceChoice, Outcome};
use super::{count, median, peak_memory, side, time};
use crate::backbone::BackboneKind;
use crate::hsnet::{Design, Hsnet, Marked, Stages, Support, Timed};
use crate::image::Mask;
use crate::weights::{self, Header};

#[derive(Args)]
pub struct SegmentArgs {
    /// The backbone
    #[arg(long, value_enum, default_value = "resnet50")]
    backbone: BackboneKind,
    /// The side of the square pictures
    #[arg(long, default_value_t = 400, value_parser = side)]
    size: usize,
    /// Queries at once
    #[arg(long, default_value_t = 1, value_parser = count)]
    batch: usize,
    /// Runs that are timed, after two that are not
    #[arg(long, default_value_t = 10, value_parser = count)]
    passes: usize,
    /// Keep everything in single precision, also where the device's shaders read halves
    #[arg(long)]
    single: bool,
    /// Where to run
    #[arg(long, value_enum, default_value_t)]
    device: DeviceChoice,
}

/// Runs before the first that is timed.
const WARM_UP: usize = 2;

pub fn run(args: SegmentArgs) -> Outcome {
    let device = args.device.open()?;
    let network = network(&args, &device)?;
    let pictures = Tensor::<4>::random([args.batch, 3, args.size, args.size], Distribution::Normal(0.0, 1.0), &device);
    let mask = Mask { width: args.size, height: args.size, values: vec![1; args.size * args.size] };
    let support = network.support(Marked::new(pictures.clone().narrow(0, 0, 1), &[&mask], args.backbone));
    let features = || network.features(pictures.clone()).levels[2].clone();
    let segment = || network.logits(&network.features(pictures.clone()), &support);
    let line = json!({
        "features": milliseconds(&args, &device, features)?,
        "segment": milliseconds(&args, &device, segment)?,
        "stages": stages(&args, &device, &network, &pictures, &support)?,
        "peak_memory_bytes": peak_memory(),
        "device_memory_bytes": device.memory_pool_usage().map(|usage| usage.bytes_reserved),
    });
    println!("{line}");
    Ok(())
}

/// A network as it comes out of a weight file.
fn network(args: &SegmentArgs, device: &Device) -> Outcome<Hsnet> {
    let untrained = Hsnet::init(args.backbone, Design::default(), &Device::flex());
    let file = weights::to_bytes(&untrained, &Header::hsnet(args.backbone, [args.size; 2]))?;
    let load = if args.single { weights::load } else { weights::load_compact };
    Ok(load(&file, device)?.1)
}

/// The time of every run, in milliseconds.
fn milliseconds(args: &SegmentArgs, device: &Device, pass: impl Fn() -> Tensor<4>) -> Outcome<Vec<f64>> {
    let times = time(WARM_UP, args.passes, device, pass)?;
    Ok(times.iter().map(|time| 1e3 * time.as_secs_f64()).collect())
}

/// The median time of each stage, by the device's clock, in milliseconds.
fn stages(
    args: &SegmentArgs,
    device: &Device,
    network: &Hsnet,
    pictures: &Tensor<4>,
    support: &Support,
) -> Outcome<BTreeMap<&'static str, f64>> {
    let mut times = BTreeMap::<_, Vec<_>>::new();
    for _ in 0..args.passes {
        let mut timed = Timed::on(device);
        let query = timed.stage("features", || network.features(pictures.clone()))?;
        network.logits_in_stages(&query, support, &mut timed)?;
        for (name, time) in pollster::block_on(timed.times()) {
            times.entry(name).or_default().extend(time);
        }
    }
    Ok(times.into_iter().map(|(name, times)| (name, 1e3 * median(times).as_secs_f64())).collect())
}
