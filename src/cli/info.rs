//! `fewseg info`: what a file says of itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::{Outcome, about};
use crate::weights::{Format, Header, TensorFile, backbone_of, holds_learner};

#[derive(Args)]
pub struct InfoArgs {
    /// A weight file, or another file of tensors
    file: PathBuf,
}

pub fn run(args: InfoArgs) -> Outcome {
    let path = args.file.as_path();
    let file = TensorFile::open(path).map_err(|error| about(path, error))?;
    let bytes = std::fs::metadata(path).map_err(|error| about(path, error))?.len();
    match &file.format {
        Format::Weights(header) => weights(header, &file, bytes)?,
        Format::Safetensors => println!("{}", foreign(path, "safetensors without a header of fewseg's", &file)),
        Format::Pytorch => println!("{}", foreign(path, "a PyTorch checkpoint", &file)),
    }
    Ok(())
}

/// The header line by line, whatever it has, and what the tensors add to it.
fn weights(header: &Header, file: &TensorFile, bytes: u64) -> Outcome {
    // By way of the text, where 0.485 is 0.485 and no float32 beside it.
    let fields: BTreeMap<String, Value> = serde_json::from_str(&serde_json::to_string(header)?)?;
    for (name, value) in &fields {
        match value {
            Value::String(text) => line(name, text),
            Value::Array(sides) => {
                line(name, &sides.iter().map(Value::to_string).collect::<Vec<_>>().join(" x "));
            }
            Value::Object(parts) => {
                line(name, &parts.iter().map(|(part, value)| format!("{part} {value}")).collect::<Vec<_>>().join(", "))
            }
            value => line(name, &value.to_string()),
        }
    }
    line("dtype", &file.dtypes().join(", ").to_lowercase());
    let parts = ["backbone", "learner", "guide"].map(|part| (part, file.count(&format!("{part}."))));
    let parts: Vec<String> =
        parts.iter().filter(|(_, count)| *count > 0).map(|(part, count)| format!("{part} {count}")).collect();
    line("parameters", &format!("{} ({})", file.count(""), parts.join(", ")));
    line("bytes", &bytes.to_string());
    Ok(())
}

fn line(name: &str, value: &str) {
    println!("{name:<14}{value}");
}

/// A sentence about a file that is none of ours: what it is, and what to do with it.
fn foreign(path: &Path, format: &str, file: &TensorFile) -> String {
    let contents = match (backbone_of(file), holds_learner(file)) {
        (Some(backbone), true) => format!("HSNet over {backbone}: turn it into a weight file with `fewseg import`"),
        (Some(backbone), false) => {
            format!("{backbone} alone: `fewseg import` makes a weight file of it to train from by --backbone-weights")
        }
        (None, _) => "no network that fewseg knows".into(),
    };
    format!(
        "{}: {format}, {} values in {} tensors, with {contents}",
        path.display(),
        file.count(""),
        file.names().count()
    )
}
