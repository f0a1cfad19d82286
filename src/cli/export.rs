//! `fewseg export`: a weight file in another precision.

use std::path::PathBuf;

use burn::tensor::Device;
use clap::Args;

use super::{Outcome, about, read};
use crate::weights::{self, Precision};

#[derive(Args)]
pub struct ExportArgs {
    /// A weight file
    file: PathBuf,
    /// How its values are to be kept; what was half precision is written in single precision exactly as it is
    #[arg(long, value_enum)]
    dtype: Precision,
    /// Where to write it
    #[arg(long)]
    out: PathBuf,
}

pub fn run(args: ExportArgs) -> Outcome {
    let (header, network) =
        weights::load(&read(&args.file)?, &Device::flex()).map_err(|error| about(&args.file, error))?;
    weights::save_as(&network, &header, args.dtype, &args.out).map_err(|error| about(&args.out, error))?;
    println!("Wrote {}.", args.out.display());
    Ok(())
}
