//! `fewseg bench`: what this machine does in what time.

mod kernels;
mod operations;
mod segment;
mod train;

use std::time::{Duration, Instant};

use burn::tensor::Device;
use clap::{Args, Subcommand};

use super::Outcome;

#[derive(Args)]
pub struct BenchArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The paper's table of 4D kernels: parameters, operations, time and memory of the learner with each
    Kernels(kernels::KernelsArgs),
    /// The learner's operations, each by itself: operations, bytes, time, and the share of what the device can do
    Operations(operations::OperationsArgs),
    /// One query once a task is learned: features, all of it, and each stage, in milliseconds
    Segment(segment::SegmentArgs),
    /// Training steps on drawn episodes: episodes a second
    Train(train::TrainArgs),
}

pub fn run(args: BenchArgs) -> Outcome {
    match args.what {
        What::Kernels(args) => kernels::run(args),
        What::Operations(args) => operations::run(args),
        What::Segment(args) => segment::run(args),
        What::Train(args) => train::run(args),
    }
}

/// The time of every pass, once `warm_up` of them are over.
fn time<T>(warm_up: usize, passes: usize, device: &Device, pass: impl Fn() -> T) -> Outcome<Vec<Duration>> {
    let timed = || -> Outcome<_> {
        let start = Instant::now();
        pass();
        device.sync()?;
        Ok(start.elapsed())
    };
    for _ in 0..warm_up {
        timed()?;
    }
    (0..passes).map(|_| timed()).collect()
}

/// The middle one of some times, the upper one of two.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The most memory that this process ever held, in bytes, where the system tells (Linux).
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| 1024 * kilobytes)
}

/// The sizes that every backbone and learner takes.
fn side(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(side) if (64..=1024).contains(&side) => Ok(side),
        _ => Err("a side is between 64 and 1024 pixels".into()),
    }
}

/// A count that cannot be 0.
fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("a number from 1 up".into()),
    }
}
