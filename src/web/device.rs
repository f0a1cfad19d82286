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
    /// If "webgpu" cannot be had: a sentence that says why. "auto" takes the CPU then, and notes the sentence.
    pub async fn open(choice: &str) -> Result<Self, JsError> {
        match choice {
            "cpu" => Ok(Self::cpu(None)),
            "webgpu" => Self::webgpu().await.map_err(|reason| JsError::new(&reason)),
            _ => Ok(Self::webgpu()
                .await
                .unwrap_or_else(|reason| Self::cpu(Some(format!("{reason} This runs on the CPU."))))),
        }
    }

    pub fn name(&self) -> &'static str {
        if self.gpu { "webgpu" } else { "cpu" }
    }

    /// Whether it is a GPU.
    pub fn is_gpu(&self) -> bool {
        self.gpu
    }

    fn cpu(note: Option<String>) -> Self {
        Self { device: Device::flex(), adapter: "CPU".into(), note, gpu: false }
    }

    async fn webgpu() -> Result<Self, String> {
        let adapter = usable_adapter().await?;
        let device = Device::wgpu_options().init_async().await;
        let device = device.map_err(|error| format!("WebGPU could not be started ({error})."))?;
        Ok(Self { device, adapter, note: None, gpu: true })
    }
}

/// The name of the adapter, if it can run the network.
async fn usable_adapter() -> Result<String, String> {
    let instance = wgpu::Instance::default();
    let adapter = instance.request_adapter(&wgpu::RequestAdapterOptions::default()).await.map_err(|_| {
        "This browser offers no WebGPU here; a current Chrome, Edge, Firefox or Safari with graphics acceleration does."
    })?;
    // The runtime under burn measures with timestamps and stops where it cannot.
    if !adapter.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
        return Err("This GPU's WebGPU lacks timestamp queries, which fewseg needs.".into());
    }
    let info = adapter.get_info();
    Ok(if info.name.is_empty() { "WebGPU".into() } else { info.name })
}
