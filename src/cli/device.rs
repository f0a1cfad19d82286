//! Choosing a device at run time.

use burn::tensor::{Device, DeviceKind, DeviceType};
use clap::ValueEnum;

use super::Outcome;

/// Where the network runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DeviceChoice {
    /// All cores of the processor.
    #[default]
    Cpu,
    /// Any GPU that Vulkan, Metal or DirectX reaches, by our WGSL.
    Wgpu,
    /// An NVIDIA GPU (only where fewseg was built with `--features cuda`).
    Cuda,
}

impl DeviceChoice {
    /// Opens the device.
    ///
    /// # Errors
    /// If there is none of this kind, or this build has no support for it.
    pub fn open(self) -> Outcome<Device> {
        match self {
            Self::Cpu => Ok(Device::flex()),
            Self::Wgpu => wgpu(),
            Self::Cuda => cuda(),
        }
    }

    /// Opens `count` devices of this kind; the processor can be any number of them.
    ///
    /// # Errors
    /// If there are fewer, or this build has no support for them.
    pub fn open_all(self, count: usize) -> Outcome<Vec<Device>> {
        let first = self.open()?;
        let all = match self {
            _ if count == 1 => vec![first],
            Self::Cpu => vec![first; count],
            Self::Wgpu => Device::enumerate(DeviceType::Wgpu).into_iter().collect(),
            Self::Cuda => cudas(),
        };
        match all.len() < count {
            true => Err(format!("--devices {count}: there are only {}", all.len()).into()),
            false => Ok(all.into_iter().take(count).collect()),
        }
    }
}

fn wgpu() -> Outcome<Device> {
    let instance = wgpu::Instance::default();
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    match adapters.is_empty() {
        true => {
            let which = "install one (Debian's mesa-vulkan-drivers has a software one), or take --device cpu";
            Err(format!("--device wgpu: no GPU driver was found; {which}").into())
        }
        false => Ok(Device::wgpu(DeviceKind::DefaultDevice)),
    }
}

fn cuda() -> Outcome<Device> {
    if cfg!(not(feature = "cuda")) {
        let how = "build it with `cargo build --release --features cuda`";
        return Err(format!("--device cuda: this fewseg was built without CUDA; {how}").into());
    }
    let first = cudas().into_iter().next();
    first.ok_or_else(|| "--device cuda: no NVIDIA GPU was found; install its driver, or take --device wgpu".into())
}

/// None where there is no driver: opening one by its number would stop the program then.
#[cfg(feature = "cuda")]
fn cudas() -> Vec<Device> {
    Device::enumerate(DeviceType::Cuda).into_iter().collect()
}

#[cfg(not(feature = "cuda"))]
fn cudas() -> Vec<Device> {
    vec![]
}
