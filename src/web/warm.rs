//! One run through all that a picture will need, before there is any: a device compiles each shader when it is first
//! asked for it, which takes longer than the run. Asking takes the program a moment, weights or not; the browser compiles
//! and runs beside it. A device on which this stops the program is one on which the first picture would have.

use burn::module::Module;
use burn::tensor::Device;

use crate::backbone::BackboneKind;
use crate::classes::{ClassLogits, finding};
use crate::episode::Shot;
use crate::hsnet::{Design, Hsnet, Kernel, Masking, Segmenter};
use crate::image::{Mask, Picture};
use crate::predict::{self, Logits, Look};
use crate::weights::Header;

/// The network that comes with the page.
const KIND: BackboneKind = BackboneKind::MobilenetV2;
const DESIGN: Design = Design { masking: Masking::Hybrid, kernel: Kernel::CenterPivot, guided: true };
const SIDE: usize = 256;

/// Has `device` begin with what that network asks of it, at its own size or at `size`. Nobody needs to wait for the end.
pub async fn warm_up(device: Device, size: Option<usize>) {
    // Its weights are drawn on the CPU: the device would compile shaders for that alone.
    let network = Hsnet::init(KIND, DESIGN, &Device::flex()).to_device(&device);
    let header = Header { design: DESIGN, ..Header::hsnet(KIND, [size.unwrap_or(SIDE); 2]) };
    let segmenter = Segmenter::new(header, network, device.clone());
    let picture = Picture { width: 2, height: 2, rgb: vec![128; 12] };
    let mask = Mask { width: 2, height: 2, values: vec![1, 0, 0, 0] };
    let query = segmenter.features(&[&picture]);
    if let Ok(task) = segmenter.learn(&[Shot { picture: picture.clone(), mask, unsure: None }], |_| {}) {
        task.segment(&query, 0);
    }
    let shots = vec![Logits { height: 1, width: 1, values: vec![0.0, 1.0] }];
    let finding = finding(2, 2, &[ClassLogits { number: 1, shots }]);
    let look = Look { threshold: 0.5, smallest: 0.0, fill: false, edges: true };
    // A device that is lost here is lost to whoever asks it next, too, and they can tell.
    let _ = predict::labels_on(&device, &finding, &look, Some(&picture), [2, 2]).await;
}
