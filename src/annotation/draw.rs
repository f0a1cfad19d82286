//! Label maps as pictures: masks, cut-outs, overlays.

use std::io::Cursor;

use image::{ImageFormat, RgbImage, RgbaImage, codecs::jpeg::JpegEncoder};
use png::{BitDepth, ColorType};

use super::{AnnotationError, Class, Labels};
use crate::image::{ImageError, Mask, Picture};

/// How much of an overlay is the class's colour, 0..=255.
const BLEND: u32 = 128;
/// The quality of overlays as JPEG, of 100.
const QUALITY: u8 = 90;

/// The labels as an indexed PNG, a byte a pixel, with the classes' colours; of one class alone, 0 and 255 in grey.
/// Labels that are no class's are 0.
///
/// # Errors
/// When the encoder fails; `name` is what the error calls the picture.
pub fn mask(name: &str, labels: &Labels, classes: &[Class]) -> Result<Vec<u8>, AnnotationError> {
    match classes {
        [class] => Ok(stencil(labels, class).encode(name)?),
        _ => indexed(labels, classes).map_err(|error| AnnotationError::file(name, error.to_string())),
    }
}

fn indexed(labels: &Labels, classes: &[Class]) -> Result<Vec<u8>, png::EncodingError> {
    let last = classes.iter().map(|class| class.number).max().unwrap_or(0);
    let mut palette = vec![[0; 3]; usize::from(last) + 1];
    let mut known = [0; 256];
    for class in classes {
        palette[usize::from(class.number)] = class.colour.0;
        known[usize::from(class.number)] = class.number;
    }
    let values: Vec<u8> = labels.values.iter().map(|&label| known[usize::from(label)]).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, labels.width as u32, labels.height as u32);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette(palette.as_flattened());
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&values)?;
    writer.finish()?;
    Ok(bytes)
}

/// What a class covers of a picture, as PNG; everything else is transparent. The labels are of the picture's size.
///
/// # Errors
/// As [`mask`].
pub fn cutout(name: &str, picture: &Picture, labels: &Labels, class: &Class) -> Result<Vec<u8>, AnnotationError> {
    let (pixels, _) = picture.rgb.as_chunks::<3>();
    let rgba = pixels
        .iter()
        .zip(&labels.values)
        .flat_map(|(&[red, green, blue], &label)| if label == class.number { [red, green, blue, 255] } else { [0; 4] });
    let image = RgbaImage::from_raw(picture.width as u32, picture.height as u32, rgba.collect());
    let image = image.ok_or_else(|| other_size(name, picture, labels))?;
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).map_err(|source| unwritable(name, source))?;
    Ok(bytes.into_inner())
}

/// The picture with the classes' colours blended in, as JPEG. The labels are of the picture's size.
///
/// # Errors
/// As [`mask`].
pub fn overlay(name: &str, picture: &Picture, labels: &Labels, classes: &[Class]) -> Result<Vec<u8>, AnnotationError> {
    let mut colours = [None; 256];
    for class in classes {
        colours[usize::from(class.number)] = Some(class.colour.0);
    }
    let (pixels, _) = picture.rgb.as_chunks::<3>();
    let rgb = pixels.iter().zip(&labels.values).flat_map(|(&pixel, &label)| match colours[usize::from(label)] {
        Some(colour) => [0, 1, 2].map(|channel| blend(pixel[channel], colour[channel])),
        None => pixel,
    });
    let image = RgbImage::from_raw(picture.width as u32, picture.height as u32, rgb.collect());
    let image = image.ok_or_else(|| other_size(name, picture, labels))?;
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    image.write_with_encoder(encoder).map_err(|source| unwritable(name, source))?;
    Ok(bytes)
}

fn blend(below: u8, above: u8) -> u8 {
    ((u32::from(below) * (255 - BLEND) + u32::from(above) * BLEND + 127) / 255) as u8
}

fn stencil(labels: &Labels, class: &Class) -> Mask {
    let values = labels.values.iter().map(|&label| u8::from(label == class.number)).collect();
    Mask { width: labels.width, height: labels.height, values }
}

fn other_size(name: &str, picture: &Picture, labels: &Labels) -> AnnotationError {
    let Picture { width, height, .. } = picture;
    let problem =
        format!("the labels are {} x {} pixels and the picture {width} x {height}", labels.width, labels.height);
    AnnotationError::file(name, problem)
}

fn unwritable(name: &str, source: image::ImageError) -> AnnotationError {
    ImageError::Unwritable { name: name.to_owned(), source }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotation::{Colour, labels::drawn};

    fn class(number: u8, colour: [u8; 3]) -> Class {
        Class { number, name: String::new(), colour: Colour(colour) }
    }

    fn picture(pixels: &[[u8; 3]]) -> Picture {
        Picture { width: pixels.len(), height: 1, rgb: pixels.concat() }
    }

    #[test]
    fn a_mask_of_several_classes_keeps_numbers_and_colours() {
        let classes = [class(2, [9, 8, 7]), class(250, [1, 2, 3])];
        let mut labels = drawn(&["022", "311"]);
        labels.values[5] = 250;
        let (read, palette) = Labels::decode_with_palette("m", &mask("m", &labels, &classes).unwrap()).unwrap();
        assert_eq!(read.values, [0, 2, 2, 0, 0, 250]);
        let palette = palette.unwrap();
        assert_eq!((palette[0], palette[2], palette[250], palette.len()), ([0; 3], [9, 8, 7], [1, 2, 3], 251));
    }

    #[test]
    fn a_mask_of_one_class_is_black_and_white() {
        let png = mask("m", &drawn(&["032"]), &[class(3, [9, 8, 7])]).unwrap();
        assert_eq!(Labels::decode("m", &png).unwrap().values, [0, 255, 0]);
    }

    #[test]
    fn a_cutout_is_transparent_elsewhere() {
        let picture = picture(&[[10, 20, 30], [40, 50, 60]]);
        let png = cutout("c", &picture, &drawn(&["12"]), &class(2, [0; 3])).unwrap();
        let read = image::load_from_memory(&png).unwrap().into_rgba8();
        assert_eq!(read.into_raw(), [0, 0, 0, 0, 40, 50, 60, 255]);
    }

    #[test]
    fn an_overlay_blends_in_colours() {
        assert_eq!([blend(0, 0), blend(255, 255), blend(0, 255), blend(200, 100)], [0, 255, 128, 150]);
        let grey = Picture { width: 16, height: 16, rgb: vec![100; 768] };
        let labels = Labels { width: 16, height: 16, values: vec![5; 256] };
        let jpeg = overlay("o", &grey, &labels, &[class(5, [200, 0, 100])]).unwrap();
        let read = image::load_from_memory(&jpeg).unwrap().into_rgb8();
        let near = |one: u8, other: u8| one.abs_diff(other) <= 4;
        assert!(read.pixels().all(|pixel| near(pixel[0], 150) && near(pixel[1], 50) && near(pixel[2], 100)));
    }

    #[test]
    fn labels_of_another_size_are_refused() {
        let error = overlay("o.jpg", &picture(&[[0; 3]; 3]), &drawn(&["12"]), &[]).unwrap_err();
        assert_eq!(error.to_string(), "o.jpg: the labels are 2 x 1 pixels and the picture 3 x 1");
    }
}
