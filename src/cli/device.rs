//! Choosing a device at run time.

use burn::tensor::{Device, DeviceKind};
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
}

fn wgpu() -> Outcome<Device> {
    let instance = wgpu::Instance::default();
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    match adapters.is_empty() {
        true => Err("--device wgpu: no GPU driver was found; install one (Debian's mesa-vulkan-drivers has a software one), or take --device cpu".into()),
        false => Ok(Device::wgpu(DeviceKind::DefaultDevice)),
    }
}

#[cfg(feature = "cuda")]
fn cuda() -> Outcome<Device> {
    Ok(Device::cuda(0))
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Outcome<Device> {
    Err("--device cuda: this fewseg was built without CUDA; build it with `cargo build --release --features cuda`"
        .into())
}
