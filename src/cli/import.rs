//! `fewseg import`: weights from PyTorch, or our own under another header.

use std::path::PathBuf;

use burn::tensor::Device;
use clap::Args;

use super::{Outcome, about};
use crate::backbone::BackboneKind;
use crate::hsnet::Masking;
use crate::weights::{self, Precision};

#[derive(Args)]
pub struct ImportArgs {
    /// A published HSNet checkpoint or a torchvision backbone (.pt, .pth, or .safetensors with the same names), or a
    /// weight file of fewseg's
    checkpoint: PathBuf,
    /// The backbone that it was trained with; without, it is told by the names of the tensors
    #[arg(long)]
    backbone: Option<BackboneKind>,
    /// Where to write the weight file
    #[arg(long)]
    out: PathBuf,
    /// How its values are to be kept
    #[arg(long, value_enum, default_value_t)]
    dtype: Precision,
    /// The support masking that the checkpoint was trained with [default: features, or what a weight file of ours says]
    #[arg(long, value_enum)]
    masking: Option<Masking>,
    /// The probability above which a pixel is the object, to be kept in the file
    #[arg(long, value_parser = super::threshold)]
    threshold: Option<f32>,
    /// The checkpoint's licence and the notices it asks for; weights that are trained from it carry them on
    #[arg(long, value_name = "TEXT")]
    licence: Option<String>,
}

pub fn run(args: ImportArgs) -> Outcome {
    let path = &args.checkpoint;
    let (mut header, network) =
        weights::import(path, args.backbone, &Device::flex()).map_err(|error| about(path, error))?;
    if let Some(masking) = args.masking {
        header.design.masking = masking;
    }
    if let Some(threshold) = args.threshold {
        header.threshold = threshold;
    }
    // Whoever imports a checkpoint knows its terms; only a weight file of ours says them itself.
    if let Some(licence) = args.licence {
        header.licence = licence;
    }
    weights::save_as(&network, &header, args.dtype, &args.out).map_err(|error| about(&args.out, error))?;
    println!("{}: {} over {}, {}", args.out.display(), header.method, header.backbone, header.data);
    Ok(())
}
