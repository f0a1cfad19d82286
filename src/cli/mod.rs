//! The command line: one file a subcommand.

mod bench;
mod device;
mod eval;
mod export;
mod import;
mod info;
mod save;
mod segment;
mod train;

use std::error::Error;
use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use device::DeviceChoice;

use crate::train::{INTERRUPTED, TrainError};

/// The weights that come with fewseg.
const DEFAULT_WEIGHTS: &str = "weights/default.safetensors";

/// What a subcommand ends in: an error is a sentence for the person who called it.
type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Few-shot segmentation: shown one or a few pictures with a thing marked, find it in others.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train HSNet; without arguments, on pictures that it draws itself
    Train(Box<train::TrainArgs>),
    /// Measure weights on episodes of classes that they have not learned
    Eval(Box<eval::EvalArgs>),
    /// Find the thing that is marked in the supports in every query
    Segment(segment::SegmentArgs),
    /// Turn a published HSNet checkpoint or a torchvision backbone into a weight file
    Import(import::ImportArgs),
    /// Write a weight file in another precision
    Export(export::ExportArgs),
    /// Print what a weight file says of itself, or what another file of tensors is
    Info(info::InfoArgs),
    /// Measure this machine: a query, its operations one by one, the paper's table of 4D kernels, or training steps
    Bench(bench::BenchArgs),
}

/// Runs the command line that this process was called with.
pub fn main() -> ExitCode {
    log();
    let outcome = match Cli::parse().command {
        Command::Train(args) => train::run(*args),
        Command::Eval(args) => eval::run(*args),
        Command::Segment(args) => segment::run(args),
        Command::Import(args) => import::run(args),
        Command::Export(args) => export::run(args),
        Command::Info(args) => info::run(args),
        Command::Bench(args) => bench::run(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fewseg: {error}");
            match error.downcast_ref() {
                Some(TrainError::Interrupted { .. }) => ExitCode::from(INTERRUPTED),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

/// Writes the warnings of all libraries to standard error.
fn log() {
    // What burn's training loop stops at is what the command ends with; once is enough.
    let warnings = Targets::new().with_default(LevelFilter::WARN).with_target("burn_train::learner", LevelFilter::OFF);
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    tracing_subscriber::registry().with(lines).with(warnings).init();
}

/// A threshold on a probability, as an argument.
fn threshold(text: &str) -> Result<f32, String> {
    let value: f32 = text.parse().map_err(|_| "not a number")?;
    if value > 0.0 && value < 1.0 { Ok(value) } else { Err("a probability between 0 and 1, both excluded".into()) }
}

/// Reads a file, or says which one could not be read.
fn read(path: &Path) -> Outcome<Vec<u8>> {
    std::fs::read(path).map_err(|error| about(path, error))
}

/// An error about a file, with its name before it.
fn about(path: &Path, error: impl Display) -> Box<dyn Error> {
    format!("{}: {error}", path.display()).into()
}
