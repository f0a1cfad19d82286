//! Files of tensors, ours and others', opened without reading them: each tensor is read when it is asked for, so that
//! a checkpoint of half a gigabyte never lies in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;

use pytorch_reader::{DType, PytorchReader};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::arrays::{Array, Arrays};
use super::eight_bits::WORTHS;
use super::file::{Layout, read_any, read_header, read_values, stands_alone};
use super::{Header, WeightsError};

/// The longest header of a safetensors file, in bytes, as its format allows.
const LONGEST_HEADER: u64 = 100_000_000;

/// How much of a file it takes to tell what it is.
const START: u64 = 512;

/// What kind of file it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Format {
    /// One of our weight files, with its header.
    Weights(Box<Header>),
    /// A safetensors file without a header of ours.
    Safetensors,
    /// A checkpoint that `torch.save` wrote.
    Pytorch,
}

/// A file of tensors by name.
pub struct TensorFile {
    pub format: Format,
    tensors: BTreeMap<String, Stored>,
}

/// Reads a tensor's values; its name is for the errors.
type ReadValues = dyn Fn(&str) -> Result<Vec<f32>, WeightsError>;

/// A tensor in a file.
struct Stored {
    shape: Vec<usize>,
    /// The type of its values, as its format calls it.
    dtype: String,
    read: Box<ReadValues>,
}

impl TensorFile {
    /// Opens a file, telling what it is by its contents.
    ///
    /// # Errors
    /// If it cannot be read, is cut off or damaged, or holds no tensors by name.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let mut file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(WeightsError::Folder);
        }
        let mut start = Vec::new();
        file.by_ref().take(START).read_to_end(&mut start)?;
        match Layout::of(&start) {
            Layout::Safetensors => Self::open_safetensors(file),
            Layout::Pytorch => Self::open_pytorch(path),
            Layout::Unknown => Err(WeightsError::NoWeights),
        }
    }

    /// Tensors that are in memory already, under the names of a checkpoint.
    pub(super) fn from_arrays(arrays: Arrays) -> Self {
        let stored = |(name, Array { shape, values }): (String, Array)| {
            let dtype = "F32".into();
            (name, Stored { shape, dtype, read: Box::new(move |_| Ok(values.clone())) })
        };
        Self { format: Format::Pytorch, tensors: arrays.into_iter().map(stored).collect() }
    }

    fn open_safetensors(mut file: File) -> Result<Self, WeightsError> {
        let cut_off = || WeightsError::Damaged("it ends within its header".into());
        let length = file.metadata()?.len();
        let mut header_length = [0; 8];
        file.seek(SeekFrom::Start(0))?;
        file.read_exact(&mut header_length).map_err(|_| cut_off())?;
        let header_length = u64::from_le_bytes(header_length);
        let data = header_length.checked_add(8).filter(|&data| data <= length && header_length <= LONGEST_HEADER);
        let data = data.ok_or_else(cut_off)?;
        let mut header = vec![0; header_length as usize];
        file.read_exact(&mut header)?;
        let metadata: Metadata =
            serde_json::from_slice(&header).map_err(|error| WeightsError::Damaged(error.to_string()))?;
        if data + metadata.data_len() as u64 != length {
            let expected = data + metadata.data_len() as u64;
            return Err(WeightsError::Damaged(format!("it has {length} bytes where its header speaks of {expected}")));
        }
        let format = match read_header(&metadata)? {
            Some(header) => Format::Weights(Box::new(header)),
            None => Format::Safetensors,
        };
        let file = Rc::new(file);
        let infos = metadata.tensors();
        let reader = |info: &TensorInfo| {
            let (file, (start, end)) = (file.clone(), info.data_offsets);
            move || -> std::io::Result<Vec<u8>> {
                let mut bytes = vec![0; end - start];
                let mut file: &File = &file;
                file.seek(SeekFrom::Start(data + start as u64))?;
                file.read_exact(&mut bytes)?;
                Ok(bytes)
            }
        };
        let stored = |(name, &info): (&String, &&TensorInfo)| {
            let (dtype, shape, bytes) = (info.dtype, info.shape.clone(), reader(info));
            let worths = infos.get(&format!("{name}{WORTHS}")).map(|info| (info.dtype, reader(info)));
            let read = move |name: &str| {
                read_any(name, dtype, &shape, &bytes()?, |name| {
                    let (dtype, worths) = worths.as_ref().ok_or_else(|| WeightsError::Missing(name.into()))?;
                    Ok((*dtype, worths()?.into()))
                })
            };
            (name.clone(), Stored { shape: info.shape.clone(), dtype: format!("{dtype:?}"), read: Box::new(read) })
        };
        let own = infos.iter().filter(|(name, _)| stands_alone(name, |of| infos.contains_key(of)));
        let tensors = own.map(stored).collect();
        Ok(Self { format, tensors })
    }

    fn open_pytorch(path: &Path) -> Result<Self, WeightsError> {
        let reader = PytorchReader::new(path).map_err(|error| WeightsError::Damaged(error.to_string()))?;
        let stored = |(name, tensor): (String, pytorch_reader::Tensor)| {
            let (_, dtype, shape, read) = tensor.into_parts();
            let read = move |name: &str| {
                let bytes = read().map_err(|error| WeightsError::Damaged(error.to_string()))?;
                let known = match dtype {
                    DType::F32 => Dtype::F32,
                    DType::F16 => Dtype::F16,
                    DType::BF16 => Dtype::BF16,
                    other => return Err(WeightsError::Type { name: name.into(), found: format!("{other:?}") }),
                };
                read_values(name, known, &bytes)
            };
            (name, Stored { shape, dtype: format!("{dtype:?}"), read: Box::new(read) })
        };
        let tensors = reader.into_tensors().into_iter().map(stored).collect();
        Ok(Self { format: Format::Pytorch, tensors })
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The types of the values, each once.
    pub fn dtypes(&self) -> Vec<&str> {
        let mut dtypes: Vec<&str> = self.tensors.values().map(|tensor| tensor.dtype.as_str()).collect();
        dtypes.sort_unstable();
        dtypes.dedup();
        dtypes
    }

    /// How many values the tensors have whose names begin so.
    pub fn count(&self, prefix: &str) -> usize {
        let tensors = self.tensors.iter().filter(|(name, _)| name.starts_with(prefix));
        tensors.map(|(_, tensor)| tensor.shape.iter().product::<usize>()).sum()
    }

    /// Reads a tensor.
    ///
    /// # Errors
    /// If there is none of this name, it cannot be read, is of another type than f16, bf16 and f32, or has values that
    /// are no numbers.
    pub fn read(&self, name: &str) -> Result<Array, WeightsError> {
        let tensor = self.tensors.get(name).ok_or_else(|| WeightsError::Missing(name.into()))?;
        Ok(Array { shape: tensor.shape.clone(), values: (tensor.read)(name)? })
    }
}
