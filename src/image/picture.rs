//! A picture in 8-bit RGB, and the way from there to what a backbone takes.

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};
use serde::{Deserialize, Serialize};

use super::{ImageError, decode};

/// A picture; `rgb` holds `height * width` pixels, row by row, three bytes each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub rgb: Vec<u8>,
}

/// What a backbone was trained to see: colours in 0..1, less `mean`, over `std`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalisation {
    pub mean: [f32; 3],
    pub std: [f32; 3],
}

impl Normalisation {
    /// The statistics of ImageNet, which every published backbone uses.
    pub const IMAGENET: Self = Self { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
}

impl Default for Normalisation {
    fn default() -> Self {
        Self::IMAGENET
    }
}

impl Picture {
    /// Reads a JPEG, PNG or WebP file, turned the way its EXIF data say. Transparency is dropped.
    ///
    /// # Errors
    /// When `bytes` are no such picture or too many pixels; `name` is what the error calls it.
    pub fn decode(name: &str, bytes: &[u8]) -> Result<Self, ImageError> {
        let image = decode(name, bytes)?.into_rgb8();
        let (width, height) = image.dimensions();
        Ok(Self { width: width as usize, height: height as usize, rgb: image.into_raw() })
    }

    /// The picture at another size: a triangle filter that widens when it shrinks, in 8 bits,
    /// as Pillow's `BILINEAR`. The aspect ratio is the caller's.
    pub fn resize(&self, height: usize, width: usize) -> Self {
        if [height, width] == [self.height, self.width] {
            return self.clone();
        }
        let source = ImageRef::new(self.width as u32, self.height as u32, &self.rgb, PixelType::U8x3)
            .expect("a picture holds three bytes a pixel");
        let mut target = Image::new(width as u32, height as u32, PixelType::U8x3);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        Resizer::new().resize(&source, &mut target, &options).expect("both pictures are RGB");
        Self { width, height, rgb: target.into_vec() }
    }

    /// The picture, shrunk where its longer side exceeds `limit`, with its aspect ratio kept.
    pub fn shrink_to(self, limit: usize) -> Self {
        let longer = self.width.max(self.height);
        if longer <= limit {
            return self;
        }
        let scaled = |side: usize| (side * limit).div_ceil(longer).max(1);
        self.resize(scaled(self.height), scaled(self.width))
    }

    /// Planes of red, green and blue, `(3, height, width)`, normalised.
    pub fn normalise(&self, normalisation: &Normalisation) -> Vec<f32> {
        let Normalisation { mean, std } = normalisation;
        (0..3)
            .flat_map(|channel| {
                let values = self.rgb[channel..].iter().step_by(3);
                values.map(move |&v| (f32::from(v) / 255.0 - mean[channel]) / std[channel])
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: usize, height: usize, rgb: &[u8]) -> Picture {
        Picture { width, height, rgb: rgb.to_vec() }
    }

    #[test]
    fn halving_averages_under_a_triangle() {
        // Pillow: the weights of the four nearest pixels are 1/8, 3/8, 3/8, 1/8, renormalised at the border.
        let row: Vec<u8> = [0, 100, 200, 40].iter().flat_map(|&v| [v; 3]).collect();
        let half = picture(4, 1, &row).resize(1, 2);
        let expected = [(0.0 * 3.0 + 100.0 * 3.0 + 200.0) / 7.0, (100.0 + 200.0 * 3.0 + 40.0 * 3.0) / 7.0];
        for (x, expected) in expected.into_iter().enumerate() {
            assert!((f64::from(half.rgb[3 * x]) - expected).abs() <= 1.0);
        }
    }

    #[test]
    fn the_same_size_is_the_same_picture() {
        let original = picture(2, 1, &[1, 2, 3, 4, 5, 6]);
        assert_eq!(original.resize(1, 2), original);
    }

    #[test]
    fn shrinking_keeps_the_aspect_ratio() {
        let shrunk = picture(400, 100, &[7; 400 * 100 * 3]).shrink_to(200);
        assert_eq!([shrunk.width, shrunk.height], [200, 50]);
    }

    #[test]
    fn normalised_planes_come_one_after_another() {
        let unit = Normalisation { mean: [0.0, 0.5, 1.0], std: [1.0, 0.5, 2.0] };
        let planes = picture(2, 1, &[255, 255, 255, 0, 0, 0]).normalise(&unit);
        assert_eq!(planes, [1.0, 0.0, 1.0, -1.0, 0.0, -0.5]);
    }
}
