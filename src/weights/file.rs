//! Our own weight files.

use std::collections::HashMap;

use burn::tensor::Device;
use half::{bf16, f16};
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};

use super::arrays::{Array, Arrays, arrays_of, fill};
use super::{Header, WeightsError};
use crate::backbone::BackboneKind;
use crate::hsnet::Hsnet;

/// The header's place in the safetensors metadata.
const HEADER: &str = "fewseg";

/// Reads a weight file into a network on `device`.
///
/// # Errors
/// If the file is damaged, has no header of ours, or its tensors are not just those of the network it names.
pub fn load(bytes: &[u8], device: &Device) -> Result<(Header, Hsnet), WeightsError> {
    let file = SafeTensors::deserialize(bytes)?;
    let header = read_header(bytes)?;
    if header.method != "hsnet" {
        return Err(WeightsError::UnknownMethod(header.method));
    }
    let kind: BackboneKind = header.backbone.parse().map_err(WeightsError::UnknownBackbone)?;
    let network = fill(Hsnet::init(kind, header.design, device), read_arrays(&file, |_| true)?)?;
    Ok((header, network))
}

fn read_header(bytes: &[u8]) -> Result<Header, WeightsError> {
    let (_, metadata) = SafeTensors::read_metadata(bytes)?;
    let header = metadata.metadata().as_ref().and_then(|entries| entries.get(HEADER)).ok_or(WeightsError::NoHeader)?;
    let header: Header = serde_json::from_str(header).map_err(|error| WeightsError::BadHeader(error.to_string()))?;
    match header.complaint() {
        Some(complaint) => Err(WeightsError::BadHeader(complaint.into())),
        None => Ok(header),
    }
}

/// Takes only the backbone from a weight file, leaving the learner as it is; gives the file's header beside it.
///
/// # Errors
/// As [`load`], and if the file's backbone is another one.
pub fn load_backbone(mut network: Hsnet, bytes: &[u8]) -> Result<(Header, Hsnet), WeightsError> {
    let header = read_header(bytes)?;
    let arrays = read_arrays(&SafeTensors::deserialize(bytes)?, |name| name.starts_with("backbone."))?;
    let strip = |(name, array): (String, Array)| Some((name.strip_prefix("backbone.")?.to_string(), array));
    network.backbone = fill(network.backbone, arrays.into_iter().filter_map(strip).collect())?;
    Ok((header, network))
}

/// Writes a weight file, in half precision. It replaces the file at `path` only when it is whole.
///
/// # Errors
/// If a parameter holds a value that is no number, or the file cannot be written.
pub fn save(network: &Hsnet, header: &Header, path: &std::path::Path) -> Result<(), WeightsError> {
    let bytes = to_bytes(network, header)?;
    let partial = path.with_extension("partial");
    std::fs::write(&partial, bytes)?;
    Ok(std::fs::rename(partial, path)?)
}

/// A weight file as bytes, in half precision.
///
/// # Errors
/// If a parameter holds a value that is no number.
pub fn to_bytes(network: &Hsnet, header: &Header) -> Result<Vec<u8>, WeightsError> {
    let tensors: Vec<_> = arrays_of(network).into_iter().map(|(name, array)| (name, to_half(&array))).collect();
    let views = tensors
        .iter()
        .map(|(name, (shape, half))| Ok((name, TensorView::new(Dtype::F16, shape.clone(), half)?)))
        .collect::<Result<Vec<_>, SafeTensorError>>()?;
    for (name, (_, half)) in &tensors {
        check_finite(name, &read_values(Dtype::F16, half))?;
    }
    let header = serde_json::to_string(header).map_err(|error| WeightsError::BadHeader(error.to_string()))?;
    // One entry and no more: several would be written in any order, and the same weights are to give the same file.
    let metadata = HashMap::from([(HEADER.to_string(), header)]);
    Ok(safetensors::serialize(views, Some(metadata))?)
}

fn to_half(array: &Array) -> (Vec<usize>, Vec<u8>) {
    let half = array.values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes());
    (array.shape.clone(), half.collect())
}

/// The tensors of a safetensors file whose names are `wanted`, as float32.
pub(super) fn read_arrays(file: &SafeTensors, wanted: impl Fn(&str) -> bool) -> Result<Arrays, WeightsError> {
    let read = |(name, view): (String, TensorView)| {
        if !matches!(view.dtype(), Dtype::F16 | Dtype::BF16 | Dtype::F32) {
            return Err(WeightsError::Type { name, found: format!("{:?}", view.dtype()) });
        }
        let values = read_values(view.dtype(), view.data());
        check_finite(&name, &values)?;
        Ok((name, Array { shape: view.shape().to_vec(), values }))
    };
    file.tensors().into_iter().filter(|(name, _)| wanted(name)).map(read).collect()
}

pub(super) fn read_values(dtype: Dtype, bytes: &[u8]) -> Vec<f32> {
    let pairs = bytes.chunks_exact(2).map(|pair| [pair[0], pair[1]]);
    match dtype {
        Dtype::F16 => pairs.map(|pair| f16::from_le_bytes(pair).to_f32()).collect(),
        Dtype::BF16 => pairs.map(|pair| bf16::from_le_bytes(pair).to_f32()).collect(),
        _ => bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect(),
    }
}

pub(super) fn check_finite(name: &str, values: &[f32]) -> Result<(), WeightsError> {
    match values.iter().all(|value| value.is_finite()) {
        true => Ok(()),
        false => Err(WeightsError::NotFinite(name.to_string())),
    }
}

impl From<SafeTensorError> for WeightsError {
    fn from(error: SafeTensorError) -> Self {
        Self::Damaged(error.to_string())
    }
}
