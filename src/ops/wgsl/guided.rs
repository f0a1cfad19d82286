//! The guided filter over labels, as three shaders.

use burn_cubecl::cubecl::prelude::*;
use burn_wgpu::{KernelSource, SourceTemplate};

use super::{Client, THREADS, launch_over};
use crate::image::Picture;
use crate::ops::Sketch;
use crate::ops::guided::EPSILON;
use crate::readback::NotReturned;

/// Pixels that are on the device at a time: their colours are far from what WebGPU lets a shader see, and a multiple of
/// four, whose bytes are whole words.
const BAND: usize = 1 << 22;

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(super) enum Guided {
    Fit,
    Means,
    Labels,
}

impl Guided {
    pub const ALL: [Self; 3] = [Self::Fit, Self::Means, Self::Labels];

    pub fn name(self) -> &'static str {
        match self {
            Self::Fit => "guided_fit",
            Self::Means => "guided_means",
            Self::Labels => "guided_labels",
        }
    }
}

impl KernelSource for Guided {
    fn source(&self) -> SourceTemplate {
        match self {
            Self::Fit => SourceTemplate::new(include_str!("../../../shaders/guided_fit.wgsl"))
                .register("epsilon", EPSILON.to_string()),
            Self::Means => SourceTemplate::new(include_str!("../../../shaders/guided_means.wgsl")),
            Self::Labels => SourceTemplate::new(include_str!("../../../shaders/guided_labels.wgsl")),
        }
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info(*self)
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

/// See [`crate::ops::guided_labels_on`].
pub async fn guided_labels(client: &Client, sketch: &Sketch, picture: &Picture) -> Result<Vec<u8>, NotReturned> {
    let classes = sketch.classes();
    let pixels = picture.width * picture.height;
    if classes.is_empty() {
        return Ok(vec![0; pixels]);
    }
    let numbers = || classes.iter().map(|&number| usize::from(number));
    let (width, height) = (sketch.guide.width, sketch.guide.height);
    let places = width * height;
    let packed = client.create_from_slice(&pack(sketch));
    let [linear, means] = [(); 2].map(|()| client.empty(classes.len() * places * 4 * size_of::<f32>()));
    let count = [places.div_ceil(THREADS as usize), 1, classes.len()];
    let info: Vec<_> = [width, height, sketch.radius()].into_iter().chain(numbers()).collect();
    launch_over(client, Guided::Fit, count, [&packed, &linear], &info);
    launch_over(client, Guided::Means, count, [&linear, &means], &info);

    let mut labels = Vec::with_capacity(pixels);
    for (band, rgb) in picture.rgb.chunks(3 * BAND).enumerate() {
        let fours = rgb.len().div_ceil(12);
        let mut bytes = rgb.to_vec();
        bytes.resize(12 * fours, 0);
        let (rgb, output) = (client.create_from_slice(&bytes), client.empty(4 * fours));
        let sizes = [width, height, picture.width, picture.height, band * BAND, fours, classes.len()];
        let info: Vec<_> = sizes.into_iter().chain(numbers()).collect();
        let count = [fours.div_ceil(THREADS as usize), 1, 1];
        launch_over(client, Guided::Labels, count, [&means, &rgb, &output], &info);
        let read = client.read_async(vec![output]).await.map_err(|error| NotReturned(error.to_string()))?;
        labels.extend(read.iter().flat_map(|bytes| bytes.iter()));
        labels.truncate(pixels);
    }
    Ok(labels)
}

/// A word a place: red, green, blue and label, from the lowest byte.
fn pack(sketch: &Sketch) -> Vec<u8> {
    let places = sketch.guide.rgb.as_chunks::<3>().0.iter().zip(&sketch.labels);
    places.flat_map(|(&[red, green, blue], &label)| [red, green, blue, label]).collect()
}
