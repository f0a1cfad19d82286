//! Weights from PyTorch: HSNet's published checkpoints, torchvision's backbones, and a MobileNetV2 without batch norm.
//!
//! The published checkpoints are flat state dictionaries of the whole model, every key behind `module.`; a plain
//! backbone has torchvision's keys alone. Batch norm, frozen in HSNet, is folded into the convolution before it.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;

use burn::tensor::Device;
use pytorch_reader::{DType, PytorchReader};
use safetensors::{Dtype, SafeTensors};

use super::arrays::{Array, Arrays, arrays_of, fill};
use super::file::{check_finite, read_arrays, read_values};
use super::{Header, WeightsError};
use crate::backbone::BackboneKind;
use crate::hsnet::{Design, Hsnet};

const LEARNER: &str = "hpn_learner.";

/// PyTorch's value for every batch norm of these networks.
const BATCH_NORM_EPSILON: f64 = 1e-5;

/// Parts of the files that HSNet does not use.
const UNUSED: [&str; 5] = ["fc.", "classifier.", "features.18.", "avgpool.", "num_batches_tracked"];

/// Reads a checkpoint (`.pt`, `.pth` or safetensors) with the backbone that it was trained with.
///
/// A file that holds a backbone alone gives a network whose learner is untrained; its header says so.
///
/// # Errors
/// If the file cannot be read, or its tensors are not those of the backbone or of HSNet over it.
pub fn import(path: &Path, kind: BackboneKind, device: &Device) -> Result<(Header, Hsnet), WeightsError> {
    let arrays = match path.extension().is_some_and(|extension| extension == "safetensors") {
        true => read_arrays(&SafeTensors::deserialize(&std::fs::read(path)?)?, is_used)?,
        false => read_pytorch(path)?,
    };
    import_arrays(arrays, kind, device)
}

/// [`import`], from tensors under their published names.
///
/// # Errors
/// As [`import`].
pub fn import_arrays(arrays: Arrays, kind: BackboneKind, device: &Device) -> Result<(Header, Hsnet), WeightsError> {
    let mut source = Source::new(arrays);
    let network = Hsnet::init(kind, Design::default(), device);
    let trained = source.holds_learner();
    let mut filled = arrays_of(&network);
    for (name, array) in &mut filled {
        match name.split_once('.') {
            Some(("backbone", field)) => *array = source.convolution(kind, field)?,
            Some((_, field)) if trained => *array = source.get(&learner_key(field))?,
            _ => {}
        }
    }
    source.finish()?;
    let mut header = Header::hsnet(kind, [400, 400]);
    header.data = match trained {
        true => "imported from a checkpoint in HSNet's published format".into(),
        false => format!("imported {kind} backbone; the learner is untrained"),
    };
    Ok((header, fill(network, filled)?))
}

fn is_used(name: &str) -> bool {
    let name = bare(name);
    !UNUSED.iter().any(|part| name.starts_with(part) || name.ends_with(part))
}

/// A key without the prefixes of the whole model and of the backbone; the learner's keep `hpn_learner.`.
fn bare(key: &str) -> &str {
    let key = key.strip_prefix("module.").unwrap_or(key);
    key.strip_prefix("backbone.").unwrap_or(key)
}

fn read_pytorch(path: &Path) -> Result<Arrays, WeightsError> {
    let damaged = |error: &dyn Display| WeightsError::Damaged(error.to_string());
    let reader = PytorchReader::new(path).map_err(|error| damaged(&error))?;
    let tensors = reader.into_tensors().into_iter().filter(|(name, _)| is_used(name));
    tensors
        .map(|(name, tensor)| {
            if tensor.dtype() != DType::F32 {
                return Err(WeightsError::Type { name, found: format!("{:?}", tensor.dtype()) });
            }
            let bytes = tensor.read().map_err(|error| damaged(&error))?;
            let values = read_values(Dtype::F32, &bytes);
            check_finite(&name, &values)?;
            Ok((name, Array { shape: tensor.shape().to_vec(), values }))
        })
        .collect()
}

/// The tensors of a checkpoint under their bare keys, and which of them have been asked for.
struct Source {
    arrays: Arrays,
    taken: BTreeSet<String>,
}

impl Source {
    fn new(arrays: Arrays) -> Self {
        let used = arrays.into_iter().filter(|(key, _)| is_used(key));
        let arrays = used.map(|(key, array)| (bare(&key).to_string(), array)).collect();
        Self { arrays, taken: BTreeSet::new() }
    }

    fn holds_learner(&self) -> bool {
        self.arrays.keys().any(|key| key.starts_with(LEARNER))
    }

    fn get(&mut self, key: &str) -> Result<Array, WeightsError> {
        let array = self.arrays.get(key).cloned().ok_or_else(|| WeightsError::Missing(key.to_string()))?;
        self.taken.insert(key.to_string());
        Ok(array)
    }

    /// The weight or bias of one of the backbone's convolutions, the batch norm behind it folded in.
    fn convolution(&mut self, kind: BackboneKind, field: &str) -> Result<Array, WeightsError> {
        let (conv, part) = field.rsplit_once('.').unwrap_or((field, ""));
        match backbone_keys(kind, conv) {
            (conv, None) => self.get(&format!("{conv}.{part}")),
            (conv, Some(norm)) => {
                let norm = BatchNorm::take(self, &norm)?;
                match part {
                    "bias" => Ok(norm.bias()),
                    _ => Ok(norm.fold(self.get(&format!("{conv}.weight"))?)),
                }
            }
        }
    }

    /// # Errors
    /// If the checkpoint has a tensor that was not asked for: it belongs to another model.
    fn finish(self) -> Result<(), WeightsError> {
        match self.arrays.into_keys().find(|key| !self.taken.contains(key)) {
            Some(key) => Err(WeightsError::Unused(key)),
            None => Ok(()),
        }
    }
}

/// A frozen batch norm: `scale x + shift`, channel by channel.
struct BatchNorm {
    scale: Vec<f64>,
    shift: Vec<f64>,
}

impl BatchNorm {
    fn take(source: &mut Source, key: &str) -> Result<Self, WeightsError> {
        let mut get = |part: &str| source.get(&format!("{key}.{part}")).map(|array| array.values);
        let (gamma, beta) = (get("weight")?, get("bias")?);
        let (mean, variance) = (get("running_mean")?, get("running_var")?);
        let scale = gamma.iter().zip(variance).map(|(&g, v)| f64::from(g) / (f64::from(v) + BATCH_NORM_EPSILON).sqrt());
        let scale: Vec<f64> = scale.collect();
        let shift = beta.into_iter().zip(mean).zip(&scale).map(|((b, m), s)| f64::from(b) - f64::from(m) * s);
        Ok(Self { shift: shift.collect(), scale })
    }

    fn bias(&self) -> Array {
        Array { shape: vec![self.shift.len()], values: self.shift.iter().map(|&shift| shift as f32).collect() }
    }

    fn fold(&self, mut weight: Array) -> Array {
        let filter_size: usize = weight.shape.iter().skip(1).product();
        for (filter, scale) in weight.values.chunks_exact_mut(filter_size.max(1)).zip(&self.scale) {
            filter.iter_mut().for_each(|value| *value = (f64::from(*value) * scale) as f32);
        }
        weight
    }
}

/// The published keys of one of our backbone's convolutions, and of the batch norm behind it.
fn backbone_keys(kind: BackboneKind, field: &str) -> (String, Option<String>) {
    let parts: Vec<&str> = field.split('.').collect();
    let number = |index: usize| parts.get(index).and_then(|part| part.parse::<usize>().ok()).unwrap_or_default();
    match (kind, parts[0]) {
        (BackboneKind::MobilenetV2, "stem") => ("features.0".into(), None),
        (BackboneKind::MobilenetV2, _) => (format!("features.{}.{}", number(1) + 1, parts[2]), None),
        (BackboneKind::Vgg16, _) => {
            const INDICES: [usize; 13] = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28];
            (format!("features.{}", INDICES[number(1)]), None)
        }
        (_, "stem") => ("conv1".into(), Some("bn1".into())),
        _ => {
            let block = format!("layer{}.{}", number(1) + 1, number(2));
            let (conv, norm) = match parts[3] {
                "reduce" => ("conv1", "bn1"),
                "spatial" => ("conv2", "bn2"),
                "expand" => ("conv3", "bn3"),
                _ => ("downsample.0", "downsample.1"),
            };
            (format!("{block}.{conv}"), Some(format!("{block}.{norm}")))
        }
    }
}

/// The published key of one of our learner's parameters.
fn learner_key(field: &str) -> String {
    let parts: Vec<&str> = field.split('.').collect();
    let [block, .., last] = parts[..] else { return field.to_string() };
    if block == "decoder" {
        let conv = match parts[1] {
            "conv1" => "decoder1.0",
            "conv2" => "decoder1.2",
            "conv3" => "decoder2.0",
            _ => "decoder2.2",
        };
        return format!("{LEARNER}{conv}.{last}");
    }
    let block = block.replace("squeeze", "encoder_layer").replace("mix", "encoder_layer");
    // A published block is a sequence of convolution, norm, ReLU, convolution, and so on.
    let index = 3 * parts[2].parse::<usize>().unwrap_or_default();
    let part = match (parts[3], last) {
        ("query", part) => format!("{index}.conv1.{part}"),
        ("support", part) => format!("{index}.conv2.{part}"),
        (_, "gamma") => format!("{}.weight", index + 1),
        _ => format!("{}.bias", index + 1),
    };
    format!("{LEARNER}{block}.{part}")
}
