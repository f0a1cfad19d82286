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
    /// When there is none, or they cannot exchange gradients in this way.
    pub fn new(devices: Vec<Device>, exchange: Exchange) -> Result<Self, TrainError> {
        let complaint = if devices.is_empty() {
            "a training needs a device"
        } else if exchange == Exchange::Reduced && !devices.iter().all(is_cuda) {
            "only CUDA devices can reduce gradients among themselves"
        } else {
            return Ok(Self { devices, exchange });
        };
        Err(TrainError::Settings(complaint.into()))
    }

    /// Whether the episodes that go through the network at once can be shared out.
    pub(super) fn check(&self, at_once: usize) -> Result<(), TrainError> {
        let count = self.devices.len();
        match at_once % count {
            0 => Ok(()),
            _ => Err(TrainError::Settings(format!(
                "{at_once} episodes at once, which is --batch through --accumulate, cannot be shared evenly by {count} \
                devices"
            ))),
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

/// burn would panic on the others: `Dispatch` has no such operation for the CPU, and cubecl none for wgpu.
#[cfg(feature = "cuda")]
fn is_cuda(device: &Device) -> bool {
    Device::enumerate(burn::tensor::DeviceType::Cuda).contains(device)
}

#[cfg(not(feature = "cuda"))]
fn is_cuda(_: &Device) -> bool {
    false
}

impl From<Device> for Devices {
    fn from(device: Device) -> Self {
        Self { devices: vec![device], exchange: Exchange::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_that_cannot_share_a_training_are_refused() {
        let complaint = |count, exchange, batch| {
            let devices = Devices::new(vec![Device::flex(); count], exchange);
            devices.and_then(|devices| devices.check(batch)).unwrap_err().to_string()
        };
        assert!(complaint(0, Exchange::Gathered, 4).contains("needs a device"));
        assert!(complaint(2, Exchange::Reduced, 4).contains("only CUDA"));
        assert!(complaint(3, Exchange::Gathered, 4).contains("4 episodes at once"));
        assert!(Devices::new(vec![Device::flex(); 2], Exchange::Gathered).unwrap().check(4).is_ok());
    }
}
