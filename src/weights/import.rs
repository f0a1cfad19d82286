//! Weights from PyTorch: HSNet's published checkpoints, torchvision's backbones, and a MobileNetV2 without batch norm.
//!
//! The published checkpoints are flat state dictionaries of the whole model, every key behind `module.`; a plain
//! backbone has torchvision's keys alone. Batch norm, frozen in HSNet, is folded into the convolution before it. Each
//! tensor is read when its place in the network comes up: besides the network, only one is in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use burn::tensor::Device;

use super::arrays::{Array, Arrays, fill_from};
use super::file::{check_finite, fill_network};
use super::tensors::{Format, TensorFile};
use super::{Header, WeightsError};
use crate::backbone::BackboneKind;
use crate::hsnet::{Design, Hsnet};
use crate::ops::Keep;

const LEARNER: &str = "hpn_learner.";

/// PyTorch's value for every batch norm of these networks.
const BATCH_NORM_EPSILON: f64 = 1e-5;

/// Parts of the files that HSNet does not use.
const UNUSED: [&str; 5] = ["fc.", "classifier.", "features.18.", "avgpool.", "num_batches_tracked"];

/// Reads a checkpoint (as `torch.save` writes it, or safetensors with the same names), or a weight file of ours.
///
/// Without `kind`, the backbone is told by the names of the tensors. A checkpoint that holds a backbone alone gives a
/// network whose learner is untrained; its header says so. The header of a weight file of ours stays as it is.
///
/// # Errors
/// If the file cannot be read, or its tensors are not those of the backbone or of HSNet over it.
pub fn import(path: &Path, kind: Option<BackboneKind>, device: &Device) -> Result<(Header, Hsnet), WeightsError> {
    let file = TensorFile::open(path)?;
    let Format::Weights(header) = &file.format else { return import_checkpoint(&file, kind, device) };
    let names: Vec<&str> = file.names().collect();
    let network = fill_network(header, &names, |name| file.read(name), device, Keep::Single)?;
    match kind.filter(|&kind| kind != network.kind()) {
        Some(kind) => Err(WeightsError::OtherBackbone { found: network.kind(), asked: kind }),
        None => Ok((header.as_ref().clone(), network)),
    }
}

/// [`import`], from tensors under their published names.
///
/// # Errors
/// As [`import`].
pub fn import_arrays(arrays: Arrays, kind: BackboneKind, device: &Device) -> Result<(Header, Hsnet), WeightsError> {
    import_checkpoint(&TensorFile::from_arrays(arrays), Some(kind), device)
}

fn import_checkpoint(
    file: &TensorFile,
    kind: Option<BackboneKind>,
    device: &Device,
) -> Result<(Header, Hsnet), WeightsError> {
    let kind = kind.or_else(|| backbone_of(file)).ok_or(WeightsError::NoBackbone)?;
    let mut source = Source::new(file);
    let trained = holds_learner(file);
    let network =
        fill_from(Hsnet::init(kind, Design::default(), device), Keep::Single, |name| match name.split_once('.') {
            Some(("backbone", field)) => source.convolution(kind, field).map(Some),
            Some((_, field)) if trained => source.get(&learner_key(field)).map(Some),
            _ => Ok(None),
        })?;
    source.finish()?;
    let data = match trained {
        true => "imported from a checkpoint in HSNet's published format".into(),
        false => format!("imported {kind} backbone; the learner is untrained"),
    };
    let licence = "that of the imported checkpoint".into();
    Ok((Header { data, licence, ..Header::hsnet(kind, [400, 400]) }, network))
}

/// The backbone that a checkpoint holds, by the keys that only it has; none if it holds none that we know.
pub fn backbone_of(file: &TensorFile) -> Option<BackboneKind> {
    let names: BTreeSet<&str> = file.names().map(bare).collect();
    let has = |key: &str| names.contains(key);
    if has("features.1.depthwise.weight") {
        Some(BackboneKind::MobilenetV2)
    } else if has("layer3.22.conv3.weight") && !has("layer3.23.conv3.weight") {
        Some(BackboneKind::Resnet101)
    } else if has("layer3.5.conv3.weight") && !has("layer3.6.conv3.weight") {
        Some(BackboneKind::Resnet50)
    } else if has("features.28.weight") && !has("features.28.running_mean") && !has("features.30.weight") {
        Some(BackboneKind::Vgg16)
    } else {
        None
    }
}

/// Whether a checkpoint holds a learner of HSNet.
pub fn holds_learner(file: &TensorFile) -> bool {
    file.names().any(|name| bare(name).starts_with(LEARNER))
}

fn is_used(name: &str) -> bool {
    let name = bare(name);
    !UNUSED.iter().any(|part| name.starts_with(part) || name.ends_with(part))
}

/// A key without the prefixes of the whole model and of the backbone; the learner's keep `hpn_learner.`.
fn bare(key: &str) -> &str {
    ["state_dict.", "module.", "backbone."].iter().fold(key, |key, prefix| key.strip_prefix(prefix).unwrap_or(key))
}

/// The tensors of a checkpoint by their bare keys, and which of them have not been asked for yet.
struct Source<'a> {
    file: &'a TensorFile,
    names: BTreeMap<&'a str, &'a str>,
    left: BTreeSet<&'a str>,
}

impl<'a> Source<'a> {
    fn new(file: &'a TensorFile) -> Self {
        let names: BTreeMap<_, _> = file.names().filter(|name| is_used(name)).map(|name| (bare(name), name)).collect();
        Self { file, left: names.keys().copied().collect(), names }
    }

    fn get(&mut self, key: &str) -> Result<Array, WeightsError> {
        let name = self.names.get(key).ok_or_else(|| WeightsError::Missing(key.to_string()))?;
        self.left.remove(key);
        self.file.read(name)
    }

    /// The weight or bias of one of the backbone's convolutions, the batch norm behind it folded in.
    fn convolution(&mut self, kind: BackboneKind, field: &str) -> Result<Array, WeightsError> {
        let (conv, part) = field.rsplit_once('.').unwrap_or((field, ""));
        match backbone_keys(kind, conv) {
            (conv, None) => self.get(&format!("{conv}.{part}")),
            (conv, Some(norm)) => {
                let norm = BatchNorm::read(self, &norm)?;
                match part {
                    "bias" => norm.bias(),
                    _ => norm.fold(self.get(&format!("{conv}.weight"))?),
                }
            }
        }
    }

    /// # Errors
    /// If the checkpoint has a tensor that was not asked for: it belongs to another model.
    fn finish(self) -> Result<(), WeightsError> {
        match self.left.first() {
            Some(&key) => Err(WeightsError::Unused(key.into())),
            None => Ok(()),
        }
    }
}

/// A frozen batch norm: `scale x + shift`, channel by channel.
struct BatchNorm {
    key: String,
    scale: Vec<f64>,
    shift: Vec<f64>,
}

impl BatchNorm {
    fn read(source: &mut Source, key: &str) -> Result<Self, WeightsError> {
        let gamma = source.get(&format!("{key}.weight"))?;
        let mut get = |part: &str| {
            let name = format!("{key}.{part}");
            let array = source.get(&name)?;
            match array.shape == gamma.shape {
                true => Ok(array.values),
                false => Err(WeightsError::Shape { name, expected: gamma.shape.clone(), found: array.shape }),
            }
        };
        let (beta, mean, variance) = (get("bias")?, get("running_mean")?, get("running_var")?);
        let scale = gamma.values.iter().zip(variance);
        let scale: Vec<f64> = scale.map(|(&g, v)| f64::from(g) / (f64::from(v) + BATCH_NORM_EPSILON).sqrt()).collect();
        let shift = beta.into_iter().zip(mean).zip(&scale).map(|((b, m), s)| f64::from(b) - f64::from(m) * s);
        Ok(Self { key: key.into(), shift: shift.collect(), scale })
    }

    fn bias(&self) -> Result<Array, WeightsError> {
        let values: Vec<f32> = self.shift.iter().map(|&shift| shift as f32).collect();
        // A negative variance has no root.
        check_finite(&self.key, &values)?;
        Ok(Array { shape: vec![values.len()], values })
    }

    /// The convolution's filters, `(filters, ..)`, each scaled; their number is checked as the shape of the bias.
    fn fold(&self, mut weight: Array) -> Result<Array, WeightsError> {
        let filter_size: usize = weight.shape.iter().skip(1).product();
        for (filter, scale) in weight.values.chunks_exact_mut(filter_size.max(1)).zip(&self.scale) {
            filter.iter_mut().for_each(|value| *value = (f64::from(*value) * scale) as f32);
        }
        check_finite(&self.key, &weight.values)?;
        Ok(weight)
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
