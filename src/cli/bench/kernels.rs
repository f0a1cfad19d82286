//! `fewseg bench kernels`: the paper's table of 4D kernels (table 4), for this machine.
//!
//! Each kernel is measured in a process of its own, so that the peak of its memory is its own too.

use std::process::Command;

use burn::Tensor;
use burn::module::Module;
use burn::tensor::{Device, Distribution};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::super::{DeviceChoice, Outcome};
use super::{count, median, peak_memory, side, time};
use crate::backbone::BackboneKind;
use crate::hsnet::{Cost, Kernel, Learner};

/// A pass that is estimated to take longer, in seconds, is left out.
const LONGEST: f64 = 60.0;

#[derive(Args)]
pub struct KernelsArgs {
    /// The backbone whose correlations the learner squeezes
    #[arg(long, value_enum, default_value = "resnet101")]
    backbone: BackboneKind,
    /// The side of the square pictures
    #[arg(long, default_value_t = 400, value_parser = side)]
    size: usize,
    /// Passes that are timed, after one that is not
    #[arg(long, default_value_t = 3, value_parser = count)]
    passes: usize,
    /// Where to run
    #[arg(long, value_enum, default_value_t)]
    device: DeviceChoice,
    /// Measure kernels too whose pass is estimated to take more than a minute
    #[arg(long)]
    all: bool,
    /// Measure this kernel in this process, and print the numbers alone
    #[arg(long, value_enum, hide = true)]
    only: Option<Kernel>,
}

/// What was measured of a kernel.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Measured {
    /// The median time of a pass.
    seconds: f64,
    /// The peak of the process's memory; none on a GPU, whose memory it does not see.
    peak_memory: Option<u64>,
}

pub fn run(args: KernelsArgs) -> Outcome {
    if let Some(kernel) = args.only {
        println!("{}", serde_json::to_string(&measure(&args, kernel)?)?);
        return Ok(());
    }
    let device = format!("{:?}", args.device).to_lowercase();
    println!(
        "The learner over {}, {size} x {size} pixels, one query and one support, on the {device}; median of {} passes",
        args.backbone,
        args.passes,
        size = args.size,
    );
    println!("{:13}{:>11}{:>9}{:>10}{:>9}    paper (ResNet-101, 400 x 400, Titan Xp):", "", "", "", "", "");
    println!("{}", row("kernel", ["parameters", "GFLOP", "ms", "GB"], ["parameters", "GFLOP", "ms", "GB", "mIoU"]));
    // Operations a second of the kernel before: the estimate for the next.
    let mut rate = f64::INFINITY;
    for kernel in Kernel::ALL {
        let cost = Cost::of(args.backbone, kernel, [args.size; 2]).multiply_adds as f64;
        let parameters = Learner::init(args.backbone.layers(), kernel, &Device::flex()).num_params();
        let estimate = cost / rate;
        let (time, memory) = if estimate > LONGEST && !args.all {
            (format!("~{:.0} s", estimate), "left out".into())
        } else {
            let measured = measure_apart(&args, kernel)?;
            rate = cost / measured.seconds;
            (milliseconds(measured.seconds), measured.peak_memory.map_or("-".into(), gigabytes))
        };
        let here = [parameters.to_string(), format!("{:.1}", cost / 1e9), time, memory];
        println!("{}", row(kernel.name(), here, paper(kernel)));
    }
    println!("{NOTES}");
    Ok(())
}

/// What the columns mean.
const NOTES: &str = "\
GFLOP: multiply-adds of the convolutions, each counted once, as the paper counts. Its figure for the full kernel takes
the strides after the convolutions; here they are part of them. GB: the peak of a process that does nothing else, on
the CPU. A row that is left out can be had with --all.";

fn row<S: AsRef<str>>(name: &str, here: [S; 4], paper: [&str; 5]) -> String {
    let [parameters, operations, time, memory] = here.each_ref().map(AsRef::as_ref);
    let [p1, p2, p3, p4, p5] = paper;
    format!("{name:13}{parameters:>11}{operations:>9}{time:>10}{memory:>9}    {p1:>10}{p2:>8}{p3:>8}{p4:>7}{p5:>7}")
}

/// The row of the paper's table 4.
fn paper(kernel: Kernel) -> [&'static str; 5] {
    match kernel {
        Kernel::CenterPivot => ["2.6M", "20.6", "25.5", "1.39", "66.2"],
        Kernel::Separable => ["4.4M", "28.4", "28.5", "1.50", "65.9"],
        Kernel::Full => ["11.3M", "702", "512", "4.12", "64.9"],
    }
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.1}", 1e3 * seconds)
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 / 1e9)
}

/// [`measure`] in another process.
fn measure_apart(args: &KernelsArgs, kernel: Kernel) -> Outcome<Measured> {
    let (size, passes) = (args.size.to_string(), args.passes.to_string());
    let device = args.device.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let output = Command::new(std::env::current_exe()?)
        .args(["bench", "kernels", "--only", kernel.name(), "--backbone", args.backbone.name()])
        .args(["--size", &size, "--passes", &passes, "--device", &device])
        .output()?;
    match output.status.success() {
        true => Ok(serde_json::from_slice(&output.stdout)?),
        false => {
            let why = String::from_utf8_lossy(&output.stderr);
            Err(format!("the {kernel} kernel could not be measured ({}): {}", output.status, why.trim()).into())
        }
    }
}

/// Times the learner on correlations of the right sizes.
fn measure(args: &KernelsArgs, kernel: Kernel) -> Outcome<Measured> {
    let device = args.device.open()?;
    let layers = args.backbone.layers();
    let learner = Learner::init(layers, kernel, &device);
    let planes = args.backbone.planes([args.size; 2]);
    let correlations = [0, 1, 2].map(|level| {
        let [height, width] = planes[level];
        let dims = [1, layers[level], height, width, height, width];
        Tensor::<6>::random(dims, Distribution::Uniform(0.0, 1.0), &device)
    });
    let times = time(1, args.passes, &device, || learner.decode(learner.encode(correlations.clone())))?;
    let on_cpu = args.device == DeviceChoice::Cpu;
    Ok(Measured { seconds: median(times).as_secs_f64(), peak_memory: peak_memory().filter(|_| on_cpu) })
}
