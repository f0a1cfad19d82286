//! A mask: which pixels are the object.

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageFormat};

use super::{ImageError, decode};
use crate::sampling::taps;

/// A mask; `values` holds `height * width` pixels, row by row: 1 is the object, 0 is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    pub width: usize,
    pub height: usize,
    pub values: Vec<u8>,
}

impl Mask {
    /// Reads a mask from a picture file of any colours.
    ///
    /// What counts as the object, in this order: where the file is partly transparent, the pixels
    /// that are not; where it has any grey of 128 or more, those pixels; else every pixel that is
    /// not black, so that files labelled 0 and 1 work too.
    ///
    /// # Errors
    /// As [`Picture::decode`](super::Picture::decode).
    pub fn decode(name: &str, bytes: &[u8]) -> Result<Self, ImageError> {
        let image = decode(name, bytes)?;
        let (width, height) = (image.width() as usize, image.height() as usize);
        let values = match opacity(&image) {
            Some(opacity) => binary(&opacity, 128),
            None => {
                let grey = image.into_luma8().into_raw();
                let bright = grey.iter().any(|&value| value >= 128);
                binary(&grey, if bright { 128 } else { 1 })
            }
        };
        Ok(Self { width, height, values })
    }

    /// Nothing marked.
    pub fn empty(height: usize, width: usize) -> Self {
        Self { width, height, values: vec![0; height * width] }
    }

    /// A PNG file of the same size, black with the object in white.
    ///
    /// # Errors
    /// When the encoder fails; `name` is what the error calls the mask.
    pub fn encode(&self, name: &str) -> Result<Vec<u8>, ImageError> {
        encode_labels(name, self.width, self.height, self.values.iter().map(|&value| value * 255).collect())
    }

    /// How many pixels are the object.
    pub fn area(&self) -> usize {
        self.values.iter().filter(|&&value| value != 0).count()
    }

    /// The mask at another size, each pixel taken from where it falls, rounded down (PyTorch's
    /// `nearest`).
    pub fn resize(&self, height: usize, width: usize) -> Self {
        Self { width, height, values: resize_nearest(&self.values, [self.height, self.width], [height, width]) }
    }

    /// The mask at a feature plane's size, `(height, width)`, with soft edges: four neighbours
    /// weighted, corners on corners (PyTorch's bilinear with `align_corners`).
    ///
    /// HSNet multiplies features by this plane and then divides by their norm, so even 1e-6 in
    /// place of 0 switches a position on. The arithmetic therefore follows PyTorch's to the last
    /// bit: float32 throughout, no fused multiply-add.
    pub fn soften(&self, height: usize, width: usize) -> Vec<f32> {
        let rows = taps(self.height, height);
        let columns: Vec<_> = taps(self.width, width).collect();
        let value = |y: usize, x: usize| f32::from(self.values[y * self.width + x]);
        let mut plane = Vec::with_capacity(height * width);
        for (top, bottom, down) in rows {
            for &(left, right, across) in &columns {
                let upper = (1.0 - across) * value(top, left) + across * value(top, right);
                let lower = (1.0 - across) * value(bottom, left) + across * value(bottom, right);
                plane.push((1.0 - down) * upper + down * lower);
            }
        }
        plane
    }
}

fn binary(values: &[u8], threshold: u8) -> Vec<u8> {
    values.iter().map(|&v| u8::from(v >= threshold)).collect()
}

/// The alpha channel, if there is one that is not opaque everywhere.
fn opacity(image: &DynamicImage) -> Option<Vec<u8>> {
    if !image.color().has_alpha() {
        return None;
    }
    let alpha: Vec<u8> = image.to_rgba8().pixels().map(|pixel| pixel[3]).collect();
    alpha.iter().any(|&value| value < 128).then_some(alpha)
}

/// A grey PNG file of labels, a byte a pixel.
///
/// # Errors
/// When the encoder fails; `name` is what the error calls the labels.
pub(crate) fn encode_labels(name: &str, width: usize, height: usize, labels: Vec<u8>) -> Result<Vec<u8>, ImageError> {
    let image = GrayImage::from_raw(width as u32, height as u32, labels).expect("there is one label a pixel");
    let mut png = Cursor::new(Vec::new());
    image
        .write_to(&mut png, ImageFormat::Png)
        .map_err(|source| ImageError::Unwritable { name: name.to_owned(), source })?;
    Ok(png.into_inner())
}

/// `values`, a plane of `from` = (height, width), at the size `to`; see [`Mask::resize`].
pub(crate) fn resize_nearest(values: &[u8], from: [usize; 2], to: [usize; 2]) -> Vec<u8> {
    let columns = nearest(from[1], to[1]);
    nearest(from[0], to[0]).into_iter().flat_map(|y| columns.iter().map(move |x| values[y * from[1] + x])).collect()
}

/// For every position along a side of `to`, the position along a side of `from`.
fn nearest(from: usize, to: usize) -> Vec<usize> {
    let scale = from as f32 / to as f32;
    (0..to).map(|i| ((i as f32 * scale) as usize).min(from - 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{LumaA, Rgba, RgbaImage};

    fn mask(width: usize, height: usize, values: &[u8]) -> Mask {
        Mask { width, height, values: values.to_vec() }
    }

    fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    fn grey(values: [u8; 4]) -> Vec<u8> {
        png(GrayImage::from_raw(4, 1, values.to_vec()).unwrap())
    }

    #[test]
    fn bright_pixels_are_the_object() {
        let read = Mask::decode("m", &grey([0, 127, 128, 255])).unwrap();
        assert_eq!(read.values, [0, 0, 1, 1]);
    }

    #[test]
    fn in_a_dark_file_every_pixel_but_black_is() {
        let read = Mask::decode("m", &grey([0, 1, 0, 1])).unwrap();
        assert_eq!(read.values, [0, 1, 0, 1]);
    }

    #[test]
    fn in_a_transparent_file_opacity_decides() {
        let image = RgbaImage::from_fn(2, 1, |x, _| Rgba([255, 255, 255, [0, 255][x as usize]]));
        assert_eq!(Mask::decode("m", &png(image)).unwrap().values, [0, 1]);
        let opaque = image::GrayAlphaImage::from_fn(2, 1, |x, _| LumaA([[0, 255][x as usize], 255]));
        assert_eq!(Mask::decode("m", &png(opaque)).unwrap().values, [0, 1]);
    }

    #[test]
    fn a_written_mask_reads_back() {
        let original = mask(3, 2, &[0, 1, 1, 0, 0, 1]);
        let png = original.encode("m").unwrap();
        assert_eq!(Mask::decode("m", &png).unwrap(), original);
    }

    #[test]
    fn nearest_rounds_down() {
        assert_eq!(mask(4, 1, &[1, 0, 0, 1]).resize(1, 2).values, [1, 0]);
        assert_eq!(mask(2, 1, &[0, 1]).resize(1, 5).values, [0, 0, 0, 1, 1]);
    }

    #[test]
    fn corners_meet_when_softened() {
        let soft = mask(2, 2, &[0, 1, 1, 1]).soften(3, 3);
        assert_eq!(soft, [0.0, 0.5, 1.0, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(mask(3, 1, &[1, 0, 0]).soften(1, 1), [1.0]);
    }

    /// Every seventh of 50 positions along 400 pixels is a whole number, 57 k; but 399 / 49 in
    /// float32 lands most of them just above, so that the next pixel shows through.
    #[test]
    fn softening_keeps_the_traces_of_float32() {
        let row: Vec<u8> = (0..400).map(|x| u8::from(x % 57 != 0)).collect();
        let soft = mask(400, 1, &row).soften(1, 50);
        let traces: Vec<f32> = soft.iter().copied().step_by(7).collect();
        let ulp = 57f32.next_up() - 57.0;
        let expected = [0.0, 1.0, 2.0, 4.0, 4.0, 0.0, 8.0, 0.0].map(|ulps| ulps * ulp);
        assert_eq!(traces, expected);
    }
}
