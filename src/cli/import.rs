//! `fewseg import`: weights from PyTorch.

use std::path::PathBuf;

use burn::tensor::Device;
use clap::Args;

use super::{Outcome, about};
use crate::backbone::BackboneKind;
use crate::hsnet::Masking;
use crate::weights;

#[derive(Args)]
pub struct ImportArgs {
    /// A published HSNet checkpoint or a torchvision backbone (.pt, .pth, or .safetensors with the same names)
    checkpoint: PathBuf,
    /// The backbone that it was trained with
    #[arg(long)]
    backbone: BackboneKind,
    /// Where to write the weight file
    #[arg(long)]
    out: PathBuf,
    /// The support masking that the checkpoint was trained with
    #[arg(long, value_enum, default_value = "features")]
    masking: Masking,
    /// The checkpoint's licence and the notices it asks for; weights that are trained from it carry them on
    #[arg(long, value_name = "TEXT")]
    licence: Option<String>,
}

pub fn run(args: ImportArgs) -> Outcome {
    let (mut header, network) = weights::import(&args.checkpoint, args.backbone, &Device::flex())
        .map_err(|error| about(&args.checkpoint, error))?;
    header.design.masking = args.masking;
    // Whoever imports a file knows its terms; the file itself does not say them.
    header.licence = args.licence.unwrap_or_else(|| "that of the imported checkpoint".into());
    weights::save(&network, &header, &args.out).map_err(|error| about(&args.out, error))?;
    println!("{}: {} over {}, {}", args.out.display(), header.method, header.backbone, header.data);
    Ok(())
}
