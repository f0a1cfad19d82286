//! What has been learned, as one small file without the pictures.
//!
//! It is a safetensors file under gzip: the supports' features in float16 under `class.shot.pyramid.level`, and a header
//! that says what they belong to. Features are of use only to the network that they come from, so the header has a
//! fingerprint of the weight file.

use std::collections::HashMap;
use std::io::{Read, Write};

use burn::Tensor;
use burn::tensor::TensorData;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::{Class, Classes, Learned};
use crate::annotation::complaint;
use crate::backbone::Pyramid;
use crate::half_floats;
use crate::hsnet::{Segmenter, Support};
use crate::predict::Look;
use crate::readback::{self, NotReturned};

/// The present form of the file.
const VERSION: u32 = 1;
/// The header's place in the safetensors metadata.
const HEADER: &str = "fewseg-task";
/// How gzip begins, with the one method that it has.
const GZIP: [u8; 3] = [0x1F, 0x8B, 8];
/// The largest file, unpacked, in bytes.
const LARGEST: u64 = 1 << 30;

/// Why a task file could not be read or written. Each is a sentence about the file, which the caller names.
#[derive(Debug, thiserror::Error)]
pub enum TaskFileError {
    #[error("it is no task that fewseg saved")]
    Foreign,
    #[error("it is cut off or damaged ({0}): get it again")]
    Damaged(String),
    #[error(
        "it was saved in form {0}, and this version of fewseg reads form {VERSION}: take the version that saved it"
    )]
    Version(u32),
    #[error("it was learned with other weights: open those, or learn from the pictures again")]
    OtherWeights,
    #[error(
        "it was learned at {} x {} pixels, and this runs at {} x {}: set the size to {}",
        task[1], task[0], here[1], here[0], task[0]
    )]
    OtherSize { task: [usize; 2], here: [usize; 2] },
    #[error("it holds values that are no numbers: learn from the pictures again")]
    NotFinite,
    #[error("its settings are out of range: the threshold lies between 0 and 1, and so does the smallest region")]
    Look,
    #[error("it would hold more than a gigabyte: learn from fewer pictures")]
    TooLarge,
    #[error("{0}")]
    NotReturned(#[from] NotReturned),
}

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    method: String,
    /// The fingerprint of the weight file.
    weights: String,
    /// Height and width of queries.
    size: [usize; 2],
    /// Height and width of supports.
    support_size: [usize; 2],
    look: Look,
    classes: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    class: Class,
    shots: usize,
}

/// All that is read before it is known whether the rest can be.
#[derive(Deserialize)]
struct Form {
    version: u32,
}

impl Classes {
    /// The task file of what has been learned by a network, whose weight file has the fingerprint `weights`.
    ///
    /// # Errors
    /// If the look is out of range, the device does not return the features, some are no numbers, or there are too many.
    pub async fn to_task(&self, segmenter: &Segmenter, weights: &str, look: &Look) -> Result<Vec<u8>, TaskFileError> {
        if !look.is_sound() {
            return Err(TaskFileError::Look);
        }
        let mut tensors = Vec::new();
        for Learned { class, task, .. } in &self.learned {
            for (shot, support) in task.supports().iter().enumerate() {
                for (pyramid, Pyramid { levels }) in support.pyramids() {
                    for (level, features) in levels.iter().enumerate() {
                        let values = readback::values(features.clone()).await?;
                        if !values.iter().all(|value| value.is_finite()) {
                            return Err(TaskFileError::NotFinite);
                        }
                        let name = tensor_name(class.number, shot, pyramid, level);
                        tensors.push((name, features.dims(), half_floats::to_bytes(&values)));
                    }
                }
            }
        }
        let entries = self.learned.iter().map(|learned| {
            let Learned { class, task, .. } = learned;
            Entry { class: class.clone(), shots: task.shots() }
        });
        let header = Header {
            version: VERSION,
            method: segmenter.header.method.clone(),
            weights: weights.to_owned(),
            size: segmenter.header.size,
            support_size: segmenter.header.support_size(),
            look: *look,
            classes: entries.collect(),
        };
        pack(&header, &tensors)
    }

    /// What a task file knows, on the device of a network whose weight file has the fingerprint `weights`, and how it
    /// was looked at.
    ///
    /// # Errors
    /// If the file is damaged or none of ours, or belongs to another network or size.
    pub fn from_task(bytes: &[u8], segmenter: &Segmenter, weights: &str) -> Result<(Self, Look), TaskFileError> {
        let bytes = unpack(bytes)?;
        let file = SafeTensors::deserialize(&bytes)?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes)?;
        let entries = metadata.metadata().as_ref();
        let header = read_header(entries.and_then(|entries| entries.get(HEADER)).ok_or(TaskFileError::Foreign)?)?;
        header.check(segmenter, weights)?;
        let mut used = 0;
        let learned = header.classes.into_iter().map(|Entry { class, shots }| {
            let supports = (0..shots).map(|shot| {
                Support::from_pyramids(segmenter.header.design.guided, |pyramid| {
                    used += 3;
                    read_pyramid(&file, segmenter, |level| tensor_name(class.number, shot, pyramid, level))
                })
            });
            let task = segmenter.task(supports.collect::<Result<_, TaskFileError>>()?);
            Ok(Learned { class, keys: vec![None; shots], task })
        });
        let learned = learned.collect::<Result<_, TaskFileError>>()?;
        match used == file.len() {
            true => Ok((Self { learned, ..Self::default() }, header.look)),
            false => Err(TaskFileError::Damaged("it has features that belong to no class".into())),
        }
    }
}

impl Header {
    /// Whether it is sound, and belongs to a network.
    fn check(&self, segmenter: &Segmenter, weights: &str) -> Result<(), TaskFileError> {
        let own = &segmenter.header;
        if self.weights != weights || self.method != own.method {
            return Err(TaskFileError::OtherWeights);
        }
        if (self.size, self.support_size) != (own.size, own.support_size()) {
            return Err(TaskFileError::OtherSize { task: self.size, here: own.size });
        }
        if !self.look.is_sound() {
            return Err(TaskFileError::Look);
        }
        let classes: Vec<Class> = self.classes.iter().map(|entry| entry.class.clone()).collect();
        let complaint = match classes.is_empty() || self.classes.iter().any(|entry| entry.shots == 0) {
            true => Some("it has no class, or one without a shot".into()),
            false => complaint(&classes),
        };
        complaint.map_or(Ok(()), |complaint| Err(TaskFileError::Damaged(complaint)))
    }
}

fn tensor_name(class: u8, shot: usize, pyramid: &str, level: usize) -> String {
    format!("{class}.{shot}.{pyramid}.{}", level + 2)
}

fn read_header(text: &str) -> Result<Header, TaskFileError> {
    let damaged = |error: serde_json::Error| TaskFileError::Damaged(error.to_string());
    match serde_json::from_str(text).map_err(damaged)? {
        Form { version: VERSION } => serde_json::from_str(text).map_err(damaged),
        Form { version } => Err(TaskFileError::Version(version)),
    }
}

fn read_pyramid(
    file: &SafeTensors,
    segmenter: &Segmenter,
    name: impl Fn(usize) -> String,
) -> Result<Pyramid, TaskFileError> {
    let (widths, planes) = (segmenter.kind().widths(), segmenter.kind().planes(segmenter.header.support_size()));
    let read = |level: usize| {
        let ([height, width], channels) = (planes[level], widths[level].iter().sum::<usize>());
        let view = file.tensor(&name(level))?;
        let shape = [1, channels, height, width];
        if view.dtype() != Dtype::F16 || view.shape() != shape {
            return Err(TaskFileError::Damaged(format!("{} is not as the network makes it", name(level))));
        }
        let values = half_floats::from_bytes(view.data()).ok_or(TaskFileError::NotFinite)?;
        Ok(Tensor::from_data(TensorData::new(values, shape), (segmenter.device(), segmenter.keep().dtype())))
    };
    Ok(Pyramid { levels: [read(0)?, read(1)?, read(2)?] })
}

/// A name, a shape, and values as float16.
type Stored = (String, [usize; 4], Vec<u8>);

fn pack(header: &Header, tensors: &[Stored]) -> Result<Vec<u8>, TaskFileError> {
    if tensors.iter().map(|(_, _, bytes)| bytes.len() as u64).sum::<u64>() > LARGEST / 2 {
        return Err(TaskFileError::TooLarge);
    }
    let views =
        tensors.iter().map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F16, shape.to_vec(), bytes)?)));
    let views = views.collect::<Result<Vec<_>, SafeTensorError>>()?;
    let header = serde_json::to_string(header).map_err(|error| TaskFileError::Damaged(error.to_string()))?;
    let file = safetensors::serialize(views, Some(HashMap::from([(HEADER.to_string(), header)])))?;
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    let packed = packer.write_all(&file).and_then(|()| packer.finish());
    packed.map_err(|error| TaskFileError::Damaged(error.to_string()))
}

fn unpack(bytes: &[u8]) -> Result<Vec<u8>, TaskFileError> {
    if !bytes.starts_with(&GZIP) {
        return Err(TaskFileError::Foreign);
    }
    let mut unpacked = Vec::new();
    let length = GzDecoder::new(bytes).take(LARGEST + 1).read_to_end(&mut unpacked);
    match length.map_err(|error| TaskFileError::Damaged(error.to_string()))? as u64 {
        length if length > LARGEST => Err(TaskFileError::Damaged("it unpacks to more than a gigabyte".into())),
        _ => Ok(unpacked),
    }
}

impl From<SafeTensorError> for TaskFileError {
    fn from(error: SafeTensorError) -> Self {
        Self::Damaged(error.to_string())
    }
}
