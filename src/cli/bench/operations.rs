//! `fewseg bench operations`: the learner's operations, each by itself, beside what the device can do at most.

use burn::Tensor;
use burn::tensor::{Device, Distribution};
use clap::Args;
use serde::Serialize;

use super::super::{DeviceChoice, Outcome};
use super::{count, median, side, time};
use crate::backbone::BackboneKind;
use crate::hsnet::{DECODED, DECODING, GROUPS, Planned, plan};
use crate::ops::{self, Activation, CenterPivotShape, CenterPivotWeights};

#[derive(Args)]
pub struct OperationsArgs {
    /// The backbone whose correlations the learner squeezes
    #[arg(long, value_enum, default_value = "resnet50")]
    backbone: BackboneKind,
    /// The side of the square pictures
    #[arg(long, default_value_t = 400, value_parser = side)]
    size: usize,
    /// Runs of each operation that are timed, after three that are not
    #[arg(long, default_value_t = 10, value_parser = count)]
    passes: usize,
    /// Where to run
    #[arg(long, value_enum, default_value_t)]
    device: DeviceChoice,
}

/// The matrix product that stands for what the device can do: its rows, depths and columns.
const PEAK: usize = 1024;
/// Values copied to find how fast its memory is.
const COPIED: usize = 1 << 24;

/// One operation, measured.
#[derive(Serialize)]
struct Row {
    operation: String,
    /// Multiplications and additions.
    operations: f64,
    /// What must be read and written if each value is touched once.
    bytes: f64,
    seconds: f64,
}

struct Bench {
    device: Device,
    passes: usize,
    rows: Vec<Row>,
}

pub fn run(args: OperationsArgs) -> Outcome {
    let mut bench = Bench { device: args.device.open()?, passes: args.passes, rows: Vec::new() };
    bench.peaks()?;
    bench.correlations(args.backbone, args.size)?;
    for (index, layer) in plan(args.backbone, [args.size; 2]).into_iter().enumerate() {
        bench.layer(index % 3, layer)?;
    }
    bench.decoder(args.backbone.planes([args.size; 2])[0])?;
    print(&bench.rows);
    println!("{}", serde_json::to_string(&bench.rows)?);
    Ok(())
}

impl Bench {
    fn random<const D: usize>(&self, dims: [usize; D]) -> Tensor<D> {
        Tensor::random(dims, Distribution::Uniform(-1.0, 1.0), &self.device)
    }

    /// Times an operation on `read` values with so many multiplications, each with its addition.
    fn add<const D: usize>(
        &mut self,
        operation: String,
        multiply_adds: usize,
        read: usize,
        run: impl Fn() -> Tensor<D>,
    ) -> Outcome {
        let written: usize = run().dims().iter().product();
        let seconds = median(time(2, self.passes, &self.device, run)?).as_secs_f64();
        let bytes = (size_of::<f32>() * (read + written)) as f64;
        self.rows.push(Row { operation, operations: 2.0 * multiply_adds as f64, bytes, seconds });
        Ok(())
    }

    fn convolution(&mut self, name: String, [input, output]: [usize; 2], plane: [usize; 2], kernel: usize) -> Outcome {
        let planes = self.random([1, input, plane[0], plane[1]]);
        let weight = self.random([output, input, kernel, kernel]);
        let bias = self.random([output]);
        let (positions, weights) = (plane[0] * plane[1], input * output * kernel * kernel);
        self.add(name, weights * positions, input * positions + weights, || {
            ops::convolution(planes.clone(), weight.clone(), bias.clone(), Activation::Linear)
        })
    }

    fn peaks(&mut self) -> Outcome {
        self.convolution(format!("matrix product, {PEAK}"), [PEAK; 2], [PEAK, 1], 1)?;
        let values = self.random([COPIED]);
        self.add("copy".into(), 0, COPIED, || values.clone() + 1.0)
    }

    fn correlations(&mut self, backbone: BackboneKind, size: usize) -> Outcome {
        let levels = backbone.widths().into_iter().zip(backbone.planes([size; 2]));
        for (level, (widths, [height, width])) in (2..).zip(levels) {
            let (channels, positions) = (widths.iter().sum(), height * width);
            let [query, support] = [(); 2].map(|()| self.random([1, channels, height, width]));
            let name = format!("correlation, level {level}");
            self.add(name, channels * positions * positions, 2 * channels * positions, || {
                ops::correlation(query.clone(), support.clone(), &widths)
            })?;
        }
        Ok(())
    }

    /// A layer's convolution, and the normalisation that follows it.
    fn layer(&mut self, index: usize, Planned { block, form, query, support, strided }: Planned) -> Outcome {
        let volume = self.random([1, form.input, query[0], query[1], support[0], support[1]]);
        let weight = [form.output, form.input, form.kernel, form.kernel];
        let weights = CenterPivotWeights {
            query: self.random(weight),
            query_bias: self.random([form.output]),
            support: self.random(weight),
            support_bias: self.random([form.output]),
        };
        let shape = CenterPivotShape::new(volume.dims(), weight, form.stride);
        let [down, across] = shape.support_window();
        let taps = form.kernel * form.kernel + down.len() * across.len();
        let name = format!("center-pivot, {block}.{index}");
        let (read, positions) = (volume.dims().iter().product::<usize>(), shape.positions());
        self.add(name, form.input * form.output * taps * positions, read + form.input * form.output * taps, || {
            ops::center_pivot(volume.clone(), weights.clone(), form.stride)
        })?;

        let volume = self.random([1, form.output, query[0], query[1], strided[0], strided[1]]);
        let [gamma, beta] = [(); 2].map(|()| self.random([form.output]));
        self.add(format!("group norm, {block}.{index}"), 0, form.output * positions, || {
            ops::group_norm_relu(volume.clone(), GROUPS, gamma.clone(), beta.clone())
        })
    }

    fn decoder(&mut self, [height, width]: [usize; 2]) -> Outcome {
        for (index, (channels, finer)) in DECODING.into_iter().zip(DECODED).enumerate() {
            self.convolution(format!("convolution, decoder.{index}"), channels, [finer * height, finer * width], 3)?;
        }
        Ok(())
    }
}

/// The table, for people. Its first two rows are the peaks that the others are held against.
fn print(rows: &[Row]) {
    let rate = |row: &Row| row.operations / row.seconds;
    let flow = |row: &Row| row.bytes / row.seconds;
    let [product, copy, ..] = rows else { return };
    println!("{:28}{:>9}{:>9}{:>10}{:>9}{:>6}{:>8}{:>6}", "", "GFLOP", "MB", "ms", "GFLOP/s", "%", "GB/s", "%");
    for row in rows {
        println!(
            "{:28}{:>9.3}{:>9.2}{:>10.3}{:>9.1}{:>6.0}{:>8.1}{:>6.0}",
            row.operation,
            row.operations / 1e9,
            row.bytes / 1e6,
            1e3 * row.seconds,
            rate(row) / 1e9,
            100.0 * rate(row) / rate(product),
            flow(row) / 1e9,
            100.0 * flow(row) / flow(copy),
        );
    }
    let seconds: f64 = rows[2..].iter().map(|row| row.seconds).sum();
    println!("{:28}{:>28.3}", "all but the first two", 1e3 * seconds);
}
