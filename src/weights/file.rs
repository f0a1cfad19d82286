//! Our own weight files.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
#[cfg(feature = "native")]
use std::path::Path;
use std::rc::Rc;

use burn::module::Module;
use burn::tensor::Device;
use flate2::Crc;
use half::{bf16, f16};
use safetensors::tensor::{Dtype, Metadata, SafeTensorError, SafeTensors, View};

use super::arrays::{Array, Parameter, fill_from, parameters_of};
use super::eight_bits::{self, WORTHS};
use super::{Header, WeightsError};
use crate::backbone::BackboneKind;
#[cfg(feature = "native")]
use crate::disk;
use crate::hsnet::Hsnet;
use crate::ops::Keep;

/// The header's place in the safetensors metadata.
const HEADER: &str = "fewseg";

/// How the values of a weight file are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "native", derive(clap::ValueEnum))]
pub enum Precision {
    /// Eight bits and a scale for each output channel; what has few values is kept in half precision.
    I8,
    /// Half precision: half the bytes, three decimal digits.
    #[default]
    F16,
    /// Single precision, exactly as the network computes.
    F32,
}

/// Reads a weight file into a network on `device`, one tensor after another.
///
/// # Errors
/// If the file is damaged or none of ours, or its tensors are not just those of the network it names.
pub fn load(bytes: &[u8], device: &Device) -> Result<(Header, Hsnet), WeightsError> {
    load_kept(bytes, device, Keep::Single)
}

/// [`load`], for a network that is to segment and nothing else, there: if the device spares memory, it keeps in half
/// precision those of the backbone's weights that can be told so exactly, and unless it is guided its features.
///
/// # Errors
/// As [`load`].
pub fn load_compact(bytes: &[u8], device: &Device) -> Result<(Header, Hsnet), WeightsError> {
    let (header, network) = load_kept(bytes, device, Keep::least(device))?;
    Ok((header, network.compact()))
}

fn load_kept(bytes: &[u8], device: &Device, keep: Keep) -> Result<(Header, Hsnet), WeightsError> {
    let (header, file) = open(bytes)?;
    let network = fill_network(&header, &names(&file), |name| read_tensor(&file, name), device, keep)?;
    Ok((header, network))
}

/// What tells one weight file from another in few letters.
pub fn fingerprint(bytes: &[u8]) -> String {
    let mut sum = Crc::new();
    sum.update(bytes);
    format!("{:08x}", sum.sum())
}

/// The network that a header names, filled with the tensors of its file.
pub(super) fn fill_network(
    header: &Header,
    names: &[&str],
    mut read: impl FnMut(&str) -> Result<Array, WeightsError>,
    device: &Device,
    keep: Keep,
) -> Result<Hsnet, WeightsError> {
    if header.method != "hsnet" {
        return Err(WeightsError::UnknownMethod(header.method.clone()));
    }
    let kind: BackboneKind = header.backbone.parse().map_err(WeightsError::UnknownBackbone)?;
    fill_all(Hsnet::init(kind, header.design, device), names, keep, &mut read)
}

/// Fills every parameter of a module with the tensor of its name, leaving no tensor over.
fn fill_all<M: Module>(
    module: M,
    names: &[&str],
    keep: Keep,
    mut read: impl FnMut(&str) -> Result<Array, WeightsError>,
) -> Result<M, WeightsError> {
    let mut unused: BTreeSet<&str> = names.iter().copied().collect();
    let module = fill_from(module, keep, |name| {
        unused.remove(name);
        read(name).map(Some)
    })?;
    match unused.first() {
        Some(&unused) => Err(WeightsError::Unused(unused.into())),
        None => Ok(module),
    }
}

/// Takes only the backbone from a weight file, leaving the learner as it is; gives the file's header beside it.
///
/// # Errors
/// As [`load`], and if the file's backbone is another one.
pub fn load_backbone(mut network: Hsnet, bytes: &[u8]) -> Result<(Header, Hsnet), WeightsError> {
    const PREFIX: &str = "backbone.";
    let (header, file) = open(bytes)?;
    let names: Vec<&str> = names(&file).into_iter().filter_map(|name| name.strip_prefix(PREFIX)).collect();
    let read = |name: &str| read_tensor(&file, &format!("{PREFIX}{name}"));
    network.backbone = fill_all(network.backbone, &names, Keep::Single, read)?;
    Ok((header, network))
}

/// The tensors of a file, without those that only help to read another.
fn names<'a>(file: &'a SafeTensors) -> Vec<&'a str> {
    let all: BTreeSet<&str> = file.names().into_iter().collect();
    all.iter().copied().filter(|name| stands_alone(name, |of| all.contains(of))).collect()
}

/// Whether a tensor is more than the worths of another that the file `has`.
pub(super) fn stands_alone(name: &str, has: impl Fn(&str) -> bool) -> bool {
    !name.strip_suffix(WORTHS).is_some_and(has)
}

fn open(bytes: &[u8]) -> Result<(Header, SafeTensors<'_>), WeightsError> {
    match Layout::of(bytes) {
        Layout::Pytorch => return Err(WeightsError::Checkpoint),
        Layout::Unknown => return Err(WeightsError::NoWeights),
        Layout::Safetensors => {}
    }
    let file = SafeTensors::deserialize(bytes)?;
    let (_, metadata) = SafeTensors::read_metadata(bytes)?;
    Ok((read_header(&metadata)?.ok_or(WeightsError::NoHeader)?, file))
}

/// Our header in a safetensors file, if it has one.
pub(super) fn read_header(metadata: &Metadata) -> Result<Option<Header>, WeightsError> {
    let Some(header) = metadata.metadata().as_ref().and_then(|entries| entries.get(HEADER)) else { return Ok(None) };
    let header: Header = serde_json::from_str(header).map_err(|error| WeightsError::BadHeader(error.to_string()))?;
    match header.complaint() {
        Some(complaint) => Err(WeightsError::BadHeader(complaint.into())),
        None => Ok(Some(header)),
    }
}

/// What a file looks like from its first bytes, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Safetensors,
    /// A zip, a tar or a pickle, as `torch.save` has written in turn.
    Pytorch,
    Unknown,
}

impl Layout {
    /// Few bytes that begin as none of these are taken for a safetensors file that was cut off.
    pub fn of(start: &[u8]) -> Self {
        match start {
            [_, _, _, _, _, _, _, _, b'{', ..] => Self::Safetensors,
            [b'P', b'K', 3 | 5, ..] | [0x80, 2..=5, ..] => Self::Pytorch,
            _ if start.get(257..262) == Some(b"ustar") => Self::Pytorch,
            _ if start.len() < 9 => Self::Safetensors,
            _ => Self::Unknown,
        }
    }
}

/// Writes a weight file, in half precision. It replaces the file at `path` only when it is whole.
///
/// # Errors
/// As [`save_as`].
#[cfg(feature = "native")]
pub fn save(network: &Hsnet, header: &Header, path: &Path) -> Result<(), WeightsError> {
    save_as(network, header, Precision::F16, path)
}

/// Writes a weight file, one tensor after another. It replaces the file at `path` only when it is whole.
///
/// # Errors
/// If a parameter holds a value that is no number or beyond the precision's range, or the file cannot be written.
#[cfg(feature = "native")]
pub fn save_as(network: &Hsnet, header: &Header, precision: Precision, path: &Path) -> Result<(), WeightsError> {
    let (tensors, metadata) = contents(network, header, precision)?;
    disk::replace(path, |partial| Ok(safetensors::serialize_to_file(tensors, Some(metadata), partial)?))
}

/// A weight file as bytes, in half precision.
///
/// # Errors
/// If a parameter holds a value that is no number or beyond half precision's range.
pub fn to_bytes(network: &Hsnet, header: &Header) -> Result<Vec<u8>, WeightsError> {
    let (tensors, metadata) = contents(network, header, Precision::F16)?;
    Ok(safetensors::serialize(tensors, Some(metadata))?)
}

/// What a weight file holds: its tensors, each to be read when it is written, and its metadata.
type Contents = (BTreeMap<String, Stored>, HashMap<String, String>);

fn contents(network: &Hsnet, header: &Header, precision: Precision) -> Result<Contents, WeightsError> {
    let mut tensors = BTreeMap::new();
    for (name, parameter) in parameters_of(network) {
        let parameter = Rc::new(parameter);
        let form = match precision {
            Precision::F32 => Form::F32,
            Precision::I8 if eight_bits::suits(&parameter.shape) => Form::Levels,
            Precision::F16 | Precision::I8 => Form::F16,
        };
        check_range(&name, &(parameter.read)(), form)?;
        if form == Form::Levels {
            tensors.insert(format!("{name}{WORTHS}"), Stored::new(&parameter, Form::Worths));
        }
        tensors.insert(name, Stored::new(&parameter, form));
    }
    let header = serde_json::to_string(header).map_err(|error| WeightsError::BadHeader(error.to_string()))?;
    // One entry and no more: several would be written in any order, and the same weights are to give the same file.
    Ok((tensors, HashMap::from([(HEADER.to_string(), header)])))
}

/// What of a parameter a tensor of the file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    F16,
    F32,
    Levels,
    Worths,
}

/// A parameter on its way into a file.
struct Stored {
    parameter: Rc<Parameter>,
    shape: Vec<usize>,
    form: Form,
}

impl Stored {
    fn new(parameter: &Rc<Parameter>, form: Form) -> Self {
        let shape = match form {
            Form::Worths => parameter.shape[..1].to_vec(),
            _ => parameter.shape.clone(),
        };
        Self { parameter: parameter.clone(), shape, form }
    }
}

impl View for Stored {
    fn dtype(&self) -> Dtype {
        match self.form {
            Form::F16 => Dtype::F16,
            Form::F32 | Form::Worths => Dtype::F32,
            Form::Levels => Dtype::I8,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let values = (self.parameter.read)();
        let single = |values: &[f32]| values.iter().flat_map(|&value| value.to_le_bytes()).collect();
        match self.form {
            Form::F16 => values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect(),
            Form::F32 => single(&values),
            Form::Levels => eight_bits::levels(&values, self.parameter.shape[0]).into(),
            Form::Worths => single(&eight_bits::worths(&values, self.parameter.shape[0])),
        }
    }

    fn data_len(&self) -> usize {
        self.shape.iter().product::<usize>() * self.dtype().bitsize() / 8
    }
}

fn read_tensor(file: &SafeTensors, name: &str) -> Result<Array, WeightsError> {
    let tensor = |name: &str| file.tensor(name).map_err(|_| WeightsError::Missing(name.into()));
    let view = tensor(name)?;
    let worths = |name: &str| tensor(name).map(|worths| (worths.dtype(), worths.data().into()));
    let values = read_any(name, view.dtype(), view.shape(), view.data(), worths)?;
    Ok(Array { shape: view.shape().to_vec(), values })
}

/// The values of a tensor, as float32, also of one in levels; `worths` brings the tensor of a name then.
///
/// # Errors
/// As [`read_values`], as `worths`, and if there is not one worth for every output channel.
pub(super) fn read_any<'a>(
    name: &str,
    dtype: Dtype,
    shape: &[usize],
    bytes: &[u8],
    worths: impl FnOnce(&str) -> Result<(Dtype, Cow<'a, [u8]>), WeightsError>,
) -> Result<Vec<f32>, WeightsError> {
    if dtype != Dtype::I8 {
        return read_values(name, dtype, bytes);
    }
    let name = format!("{name}{WORTHS}");
    let (dtype, worths) = worths(&name)?;
    let worths = read_values(&name, dtype, &worths)?;
    match shape.first() == Some(&worths.len()) {
        true => Ok(eight_bits::values(bytes, &worths)),
        false => Err(WeightsError::Worths { name, found: worths.len() }),
    }
}

/// The values of a tensor, as float32.
///
/// # Errors
/// If they are of another type than f16, bf16 and f32, or some are no numbers.
pub(super) fn read_values(name: &str, dtype: Dtype, bytes: &[u8]) -> Result<Vec<f32>, WeightsError> {
    let pairs = bytes.chunks_exact(2).map(|pair| [pair[0], pair[1]]);
    let values: Vec<f32> = match dtype {
        Dtype::F16 => pairs.map(|pair| f16::from_le_bytes(pair).to_f32()).collect(),
        Dtype::BF16 => pairs.map(|pair| bf16::from_le_bytes(pair).to_f32()).collect(),
        Dtype::F32 => {
            bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect()
        }
        other => return Err(WeightsError::Type { name: name.into(), found: format!("{other:?}") }),
    };
    check_finite(name, &values)?;
    Ok(values)
}

pub(super) fn check_finite(name: &str, values: &[f32]) -> Result<(), WeightsError> {
    match values.iter().all(|value| value.is_finite()) {
        true => Ok(()),
        false => Err(WeightsError::NotFinite(name.to_string())),
    }
}

fn check_range(name: &str, values: &[f32], form: Form) -> Result<(), WeightsError> {
    check_finite(name, values)?;
    let fits = |&value: &f32| form != Form::F16 || f16::from_f32(value).is_finite();
    match values.iter().all(fits) {
        true => Ok(()),
        false => Err(WeightsError::BeyondHalf(name.to_string())),
    }
}

impl From<SafeTensorError> for WeightsError {
    fn from(error: SafeTensorError) -> Self {
        match error {
            SafeTensorError::IoError(error) => Self::Io(error),
            error => Self::Damaged(error.to_string()),
        }
    }
}
