//! Edges of labels that follow the picture: the fast guided filter, learned at a small size and applied at the
//! picture's own.
//!
//! Within a window a label's indicator `p` is taken to be linear in the picture's colours `I` (He, Sun and Tang, "Guided
//! Image Filtering", TPAMI 2013, section 4, equations 19 to 21):
//!
//! ```text
//! a = (cov(I) + epsilon 1)^-1 cov(I, p)        b = mean(p) - a . mean(I)        q = mean(a) . I + mean(b)
//! ```
//!
//! The means of `a` and `b` are smooth, so they are made at a small size and enlarged (He and Sun, "Fast Guided
//! Filter", 2015). Every label has its `q`, and the greatest wins (Hosni et al., "Fast Cost-Volume Filtering", TPAMI
//! 2013); all add up to one, so the background's is what the classes' leave.

use burn::tensor::Device;

use super::{cpu, wgsl};
use crate::image::Picture;
use crate::readback::NotReturned;

/// The longer side, in pixels, at which the filter learns.
const SIDE: usize = 192;
/// From a window's centre to its side, as a share of the longer side of the picture. Outlines of a network that sees 256
/// pixels are wrong by about that much. Chosen on such outlines: less finds fewer of the picture's edges, more takes
/// thin parts off outlines that were good.
const REACH: f32 = 1.0 / 24.0;
/// What is added to the variances of colours in 0..1: a contrast of a hundredth is an edge.
pub(super) const EPSILON: f32 = 1e-4;

/// Labels at a small size, and the picture at that size.
#[derive(Clone, Debug)]
pub struct Sketch {
    /// `(height, width)` of the guide: 0 the background, else the number of a class.
    pub labels: Vec<u8>,
    pub guide: Picture,
}

impl Sketch {
    /// The size, (height, width), of the sketch of a picture: the picture's own where that is small.
    pub fn size(picture: [usize; 2]) -> [usize; 2] {
        let longer = picture[0].max(picture[1]);
        picture.map(|side| if longer > SIDE { (side * SIDE).div_ceil(longer) } else { side })
    }

    /// From a window's centre to its side, in pixels of the sketch.
    pub(super) fn radius(&self) -> usize {
        let longer = self.guide.width.max(self.guide.height);
        (longer as f32 * REACH).round().max(1.0) as usize
    }

    /// The numbers of its classes, in order.
    pub(super) fn classes(&self) -> Vec<u8> {
        let mut is_there = [false; 256];
        self.labels.iter().for_each(|&label| is_there[usize::from(label)] = true);
        (1..=255).filter(|&number| is_there[usize::from(number)]).collect()
    }
}

/// The labels of a picture, `(height, width)`, whose edges follow it.
///
/// # Panics
/// If the sketch has not a label for each pixel of its guide: a mistake in the calling code.
pub fn guided_labels(sketch: &Sketch, picture: &Picture) -> Vec<u8> {
    assert_eq!(sketch.labels.len(), sketch.guide.width * sketch.guide.height, "a label for each pixel of the guide");
    cpu::guided_labels(sketch, picture)
}

/// [`guided_labels`] on a device; where that does not run our shaders, on the CPU.
///
/// # Errors
/// If the device fails.
///
/// # Panics
/// As [`guided_labels`].
pub async fn guided_labels_on(device: &Device, sketch: &Sketch, picture: &Picture) -> Result<Vec<u8>, NotReturned> {
    assert_eq!(sketch.labels.len(), sketch.guide.width * sketch.guide.height, "a label for each pixel of the guide");
    match super::wgsl_client(device) {
        Some(client) => wgsl::guided_labels(&client, sketch, picture).await,
        None => Ok(cpu::guided_labels(sketch, picture)),
    }
}
