//! Label maps: PNG files whose pixel values are class numbers.

use std::io::Cursor;

use png::{BitDepth, ColorType, Transformations};

use super::AnnotationError;
use crate::image::{Mask, resize_nearest};

/// The largest number of a class; 0 is the background, and those above are left for labels that name none.
pub const MAX_CLASS: u8 = 250;

/// The label of pixels that belong to no class and that no metric counts, as PASCAL marks outlines.
pub const IGNORED: u8 = 255;

/// The colours of numbers from 0 on.
pub(super) type Palette = Vec<[u8; 3]>;

/// A label map; `values` holds `height * width` class numbers, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    pub width: usize,
    pub height: usize,
    pub values: Vec<u8>,
}

impl Labels {
    /// A map of a picture that shows nothing.
    pub fn empty(width: usize, height: usize) -> Self {
        Self { width, height, values: vec![0; width * height] }
    }

    /// Reads the numbers themselves from a grey or palette PNG; a general reader would hand out
    /// the palette's colours.
    ///
    /// # Errors
    /// When it is no such PNG; `name` is what the error calls it.
    pub fn decode(name: &str, bytes: &[u8]) -> Result<Self, AnnotationError> {
        Ok(Self::decode_with_palette(name, bytes)?.0)
    }

    /// And the colours of the numbers, where it has a palette.
    pub(super) fn decode_with_palette(name: &str, bytes: &[u8]) -> Result<(Self, Option<Palette>), AnnotationError> {
        let broken = |error| AnnotationError::file(name, format!("not a readable PNG label map ({error})"));
        let mut decoder = png::Decoder::new(Cursor::new(bytes));
        decoder.set_transformations(Transformations::IDENTITY);
        let mut reader = decoder.read_info().map_err(broken)?;
        let size = reader.output_buffer_size().unwrap_or_default();
        let mut packed = vec![0; size];
        let frame = reader.next_frame(&mut packed).map_err(broken)?;
        let bits = match (frame.color_type, frame.bit_depth) {
            (ColorType::Grayscale | ColorType::Indexed, BitDepth::One) => 1,
            (ColorType::Grayscale | ColorType::Indexed, BitDepth::Two) => 2,
            (ColorType::Grayscale | ColorType::Indexed, BitDepth::Four) => 4,
            (ColorType::Grayscale | ColorType::Indexed, BitDepth::Eight) => 8,
            (color, depth) => {
                let problem = format!(
                    "a label map is a grey or palette PNG of up to 8 bits, this one is {color:?} \
                     with {depth:?}"
                );
                return Err(AnnotationError::file(name, problem));
            }
        };
        let (width, height) = (frame.width as usize, frame.height as usize);
        let values = packed.chunks_exact(frame.line_size).flat_map(|row| unpack(row, bits).take(width)).collect();
        let palette = reader.info().palette.as_ref().map(|colours| colours.as_chunks::<3>().0.to_vec());
        Ok((Self { width, height, values }, palette))
    }

    /// The map at another size, each pixel taken from where it falls.
    pub fn resize(&self, height: usize, width: usize) -> Self {
        Self { width, height, values: resize_nearest(&self.values, [self.height, self.width], [height, width]) }
    }
}

impl From<Mask> for Labels {
    fn from(mask: Mask) -> Self {
        Self { width: mask.width, height: mask.height, values: mask.values }
    }
}

/// The numbers in a row of `bits` each, the first in the highest bits.
fn unpack(row: &[u8], bits: u32) -> impl Iterator<Item = u8> {
    let mask = u8::MAX >> (8 - bits);
    row.iter().flat_map(move |&byte| (1..=8 / bits).map(move |place| (byte >> (8 - bits * place)) & mask))
}

/// A map of one digit a pixel, a string a row; a dot is the background.
#[cfg(test)]
pub(super) fn drawn(rows: &[&str]) -> Labels {
    let values = rows.concat().bytes().map(|byte| byte.saturating_sub(b'0')).collect();
    Labels { width: rows[0].len(), height: rows.len(), values }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn palette_png(depth: BitDepth, width: u32, rows: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, 2);
        encoder.set_color(ColorType::Indexed);
        encoder.set_depth(depth);
        encoder.set_palette([9, 8, 7].repeat(256));
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(rows).unwrap();
        writer.finish().unwrap();
        bytes
    }

    #[test]
    fn a_palette_keeps_its_numbers() {
        let png = palette_png(BitDepth::Eight, 3, &[0, 15, 255, 1, 2, 3]);
        let labels = Labels::decode("l.png", &png).unwrap();
        assert_eq!([labels.width, labels.height], [3, 2]);
        assert_eq!(labels.values, [0, 15, 255, 1, 2, 3]);
    }

    #[test]
    fn numbers_of_four_bits_are_unpacked() {
        let png = palette_png(BitDepth::Four, 3, &[0x12, 0x30, 0x45, 0x60]);
        let labels = Labels::decode("l.png", &png).unwrap();
        assert_eq!(labels.values, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn colours_are_refused_by_name() {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 1, 1);
        encoder.set_color(ColorType::Rgb);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[1, 2, 3]).unwrap();
        writer.finish().unwrap();
        let error = Labels::decode("rgb.png", &bytes).unwrap_err();
        assert!(error.to_string().starts_with("rgb.png: a label map is"));
    }
}
