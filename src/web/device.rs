//! Finding out what the browser can do.

use burn::tensor::Device;
use wasm_bindgen::prelude::*;

/// The device that a session runs on.
pub struct Running {
    pub device: Device,
    /// What the browser calls it.
    pub adapter: String,
    /// Why the CPU was taken.
    pub note: Option<String>,
    gpu: bool,
}

impl Running {
    /// Opens what was asked for: "auto", "webgpu" or "cpu".
    ///
    /// # Errors
    /// If "webgpu" cannot be had; "auto" takes the CPU then and notes why.
    pub async fn open(choice: &str) -> Result<Self, JsError> {
        match choice {
            "cpu" => Ok(Self::cpu(None)),
            "webgpu" => Self::webgpu().await.map_err(|reason| JsError::new(&reason)),
            _ => Ok(Self::webgpu().await.unwrap_or_else(|reason| Self::cpu(Some(reason)))),
        }
    }

    pub fn name(&self) -> &'static str {
        if self.gpu { "webgpu" } else { "cpu" }
    }

    fn cpu(note: Option<String>) -> Self {
        Self { device: Device::flex(), adapter: "CPU".into(), note, gpu: false }
    }

    async fn webgpu() -> Result<Self, String> {
        let adapter = usable_adapter().await?;
        let device = Device::wgpu_options().init_async().await;
        let device =
            device.map_err(|error| format!("WebGPU could not be started ({error}), so this runs on the CPU."))?;
        Ok(Self { device, adapter, note: None, gpu: true })
    }
}

/// The name of the adapter, if it can run the network.
async fn usable_adapter() -> Result<String, String> {
    let instance = wgpu::Instance::default();
    let adapter = instance.request_adapter(&wgpu::RequestAdapterOptions::default()).await.map_err(|_| {
        "This browser offers no WebGPU adapter, so this runs on the CPU; a current Chrome, Edge, Firefox or Safari has one."
    })?;
    // The runtime under burn measures with timestamps and stops where it cannot.
    if !adapter.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
        return Err("This GPU offers no timestamp queries, which the runtime needs, so this runs on the CPU.".into());
    }
    let info = adapter.get_info();
    Ok(if info.name.is_empty() { "WebGPU".into() } else { info.name })
}
