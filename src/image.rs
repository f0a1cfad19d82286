//! Pictures and masks: read, turned upright, resized, normalised, written.

mod mask;
mod picture;

use std::io::{BufRead, Cursor, Seek};

use image::{DynamicImage, ImageDecoder, ImageReader, Limits, metadata::Orientation};

pub use mask::Mask;
#[cfg(feature = "native")]
pub(crate) use mask::encode_labels;
pub(crate) use mask::resize_nearest;
pub use picture::{Normalisation, Picture};

/// The largest picture that is read, in pixels.
pub const MAX_PIXELS: u64 = 100_000_000;

/// Why a file is not a picture or a mask that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    #[error("{name}: not a readable JPEG, PNG or WebP picture ({source})")]
    Unreadable { name: String, source: image::ImageError },
    #[error("{name}: {width} x {height} pixels are more than the 100 megapixels that are read; make it smaller first")]
    TooLarge { name: String, width: u32, height: u32 },
    #[error("{name}: the file is cut off in the middle of the picture; get it again")]
    Truncated { name: String },
    #[error("{name}: the mask could not be written ({source})")]
    Unwritable { name: String, source: image::ImageError },
}

/// Width and height of the upright picture, from its header alone.
///
/// # Errors
/// When it is no picture, or one of more than [`MAX_PIXELS`]; `name` is what the error calls it.
pub fn dimensions(name: &str, bytes: impl BufRead + Seek) -> Result<(u32, u32), ImageError> {
    let (decoder, orientation) = open(name, bytes)?;
    let (width, height) = decoder.dimensions();
    Ok(match lies_on_its_side(orientation) {
        true => (height, width),
        false => (width, height),
    })
}

/// The upright picture in whatever colours the file has.
fn decode(name: &str, bytes: &[u8]) -> Result<DynamicImage, ImageError> {
    check_whole(name, bytes)?;
    let (decoder, orientation) = open(name, Cursor::new(bytes))?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(|source| unreadable(name, source))?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// Whether a JPEG reaches its end; other files pass. One that is cut off still decodes, to a picture whose rest is grey.
///
/// # Errors
/// When it does not; `name` is what the error calls the picture.
pub fn check_whole(name: &str, bytes: &[u8]) -> Result<(), ImageError> {
    match bytes.starts_with(&[0xFF, 0xD8]) && !reaches_end(&bytes[2..]) {
        true => Err(ImageError::Truncated { name: name.to_owned() }),
        false => Ok(()),
    }
}

/// Goes from marker to marker (ITU-T T.81, B.1.1) until the end of the image. What lies in the segments, such as a
/// thumbnail, or behind the end, such as a film, may hold any bytes and is not looked at.
fn reaches_end(mut bytes: &[u8]) -> bool {
    loop {
        bytes = match *bytes {
            [0xFF, 0xD9, ..] => return true,
            // Bytes of a scan: in them 0xFF is followed by zero, and restarts have no length.
            [0xFF, 0x00 | 0x01 | 0xD0..=0xD8, ref rest @ ..] => rest,
            [0xFF, 0x02..=0xFE, high, low, ..] => {
                let length = 2 + usize::from(u16::from_be_bytes([high, low]));
                match bytes.get(length..) {
                    Some(rest) => rest,
                    None => return false,
                }
            }
            [_, ref rest @ ..] => rest,
            [] => return false,
        };
    }
}

/// A decoder that has read the header and found the size acceptable, and how the camera was held.
fn open<'a, R: BufRead + Seek + 'a>(
    name: &str,
    bytes: R,
) -> Result<(impl ImageDecoder + use<'a, R>, Orientation), ImageError> {
    let mut reader = ImageReader::new(bytes).with_guessed_format().map_err(|source| unreadable(name, source.into()))?;
    // The size is judged below, in pixels: here the decoder only needs room for 16-bit RGBA.
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_PIXELS * 8 * 2);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|source| unreadable(name, source))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        let name = name.to_owned();
        return Err(ImageError::TooLarge { name, width, height });
    }
    // A picture with broken EXIF data is still a picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok((decoder, orientation))
}

fn lies_on_its_side(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    )
}

fn unreadable(name: &str, source: image::ImageError) -> ImageError {
    ImageError::Unreadable { name: name.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_picture_is_refused_by_name() {
        let error = Picture::decode("notes.txt", b"not a picture").unwrap_err();
        assert!(error.to_string().starts_with("notes.txt: not a readable"));
    }

    #[test]
    fn a_truncated_picture_is_refused() {
        let mask = Mask { width: 64, height: 64, values: (0..4096).map(|i| u8::from(i % 7 == 0)).collect() };
        let png = mask.encode("mask").unwrap();
        assert!(Mask::decode("half.png", &png[..png.len() / 2]).is_err());
    }

    #[test]
    fn a_truncated_jpeg_is_refused() {
        let mut jpeg = Cursor::new(Vec::new());
        let picture =
            image::RgbImage::from_fn(64, 64, |x, y| image::Rgb([(x * y % 251) as u8, 3 * x as u8, 2 * y as u8]));
        picture.write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
        let jpeg = jpeg.into_inner();
        assert!(Picture::decode("whole.jpg", &jpeg).is_ok());
        let film = [jpeg.as_slice(), &[0xFF, 0xDA, 0, 1, 2, 3]].concat();
        assert!(Picture::decode("with-a-film.jpg", &film).is_ok());
        let error = Picture::decode("half.jpg", &jpeg[..jpeg.len() / 2]).unwrap_err();
        assert!(error.to_string().contains("half.jpg: the file is cut off"), "{error}");
    }

    #[test]
    fn too_large_a_picture_is_refused_by_its_header() {
        // A PNG header that claims 20,000 x 20,000 pixels, with no pixels behind it.
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend(20_000u32.to_be_bytes());
        png.extend(20_000u32.to_be_bytes());
        png.extend([8, 0, 0, 0, 0]);
        png.extend(crc32(&png[12..]).to_be_bytes());
        png.extend(b"\0\0\0\0IDAT");
        let error = dimensions("huge.png", Cursor::new(&png)).unwrap_err();
        assert!(matches!(error, ImageError::TooLarge { .. }), "{error}");
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & 0u32.wrapping_sub(crc & 1)))
        })
    }
}
