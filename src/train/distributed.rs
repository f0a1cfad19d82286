//! One training on several devices, by burn's strategies.

use burn::tensor::Device;
use burn::tensor::distributed::{DistributedConfig, ReduceOperation};
use burn::train::{ExecutionStrategy, MultiDeviceOptim};

use super::TrainError;

/// Where a training runs. A step's episodes are shared out evenly, so that the devices together learn what one would.
#[derive(Clone, Debug)]
pub struct Devices {
    devices: Vec<Device>,
    exchange: Exchange,
}

/// How the gradients of several devices become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exchange {
    /// The first device gathers them, makes the step and gives the weights back; works with all devices.
    #[default]
    Gathered,
    /// All make the same step from the mean of all; burn has this collective operation for CUDA alone.
    Reduced,
}

impl Devices {
    /// Shares every step among `devices`; the first also validates.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(devices: Vec<Device>, exchange: Exchange) -> Result<Self, TrainError> {
        match devices.is_empty() {
            true => Err(TrainError::Settings("a training needs a device".into())),
            false => Ok(Self { devices, exchange }),
        }
    }

    /// Whether a step's episodes can be shared out.
    pub(super) fn check(&self, batch: usize) -> Result<(), TrainError> {
        let count = self.devices.len();
        match batch % count {
            0 => Ok(()),
            _ => {
                Err(TrainError::Settings(format!("{batch} episodes a step cannot be shared evenly by {count} devices")))
            }
        }
    }

    /// The device that validates.
    pub fn first(&self) -> &Device {
        &self.devices[0]
    }

    pub fn count(&self) -> usize {
        self.devices.len()
    }

    /// What each device's loss counts, so that the gradients come out as those of a mean over all episodes: what is
    /// gathered is summed.
    pub(super) fn share(&self) -> f64 {
        match self.exchange {
            Exchange::Gathered => 1.0 / self.devices.len() as f64,
            Exchange::Reduced => 1.0,
        }
    }

    /// How many of the loaders are waited for at a time.
    pub(super) fn waiting_at_once(&self) -> usize {
        match self.exchange {
            Exchange::Gathered => 1,
            Exchange::Reduced => self.devices.len(),
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.devices.iter().map(|device| format!("{device:?}")).collect()
    }

    pub(super) fn strategy(&self) -> ExecutionStrategy {
        match (self.exchange, &self.devices[..]) {
            (Exchange::Gathered, [device]) => ExecutionStrategy::single(device.clone()),
            (Exchange::Gathered, devices) => {
                ExecutionStrategy::multi(devices.to_vec(), MultiDeviceOptim::OptimMainDevice)
            }
            (Exchange::Reduced, devices) => {
                let mean = DistributedConfig { all_reduce_op: ReduceOperation::Mean };
                ExecutionStrategy::ddp(devices.to_vec(), mean)
            }
        }
    }
}

impl From<Device> for Devices {
    fn from(device: Device) -> Self {
        Self { devices: vec![device], exchange: Exchange::default() }
    }
}
