//! What a file says of a picture, whoever wrote it.

use std::io::Cursor;

use serde::{Deserialize, de::IgnoredAny};

use super::{AnnotationError, IGNORED, Labels, MAX_CLASS, coco, labelme};
use crate::image::{self, Mask};

/// From here on a grey stands for brightness, not for a number.
const BRIGHT: u8 = 128;

/// A label map and the names of its labels: 1 is the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotated {
    pub names: Vec<String>,
    pub labels: Labels,
}

/// The two kinds of JSON differ by what they hold.
#[derive(Deserialize)]
struct Contents {
    shapes: Option<IgnoredAny>,
    images: Option<IgnoredAny>,
}

/// Reads what a file says of the picture of that file name, width and height:
///
/// - a mask, any picture as [`Mask::decode`] reads it: one class without a name;
/// - a PNG of label numbers, with a palette that is not just black and white, or of several dark greys: each number
///   is a class, called by the number, and 255 is not sure;
/// - LabelMe's JSON;
/// - COCO's JSON, in which the picture is found by the last part of its name.
///
/// # Errors
/// When it is none of these, of another size, or has more than 250 labels: a sentence that begins with `name`.
pub fn read(
    name: &str,
    bytes: &[u8],
    picture: &str,
    width: usize,
    height: usize,
) -> Result<Annotated, AnnotationError> {
    // Some programs begin their text with a mark of its encoding.
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let found = match bytes.trim_ascii_start().starts_with(b"{") {
        true => read_json(name, bytes, picture, width, height)?,
        false => read_mask(name, bytes, width, height)?,
    };
    match found.names.len() {
        many if many > usize::from(MAX_CLASS) => {
            Err(AnnotationError::file(name, format!("it has {many} labels; at most {MAX_CLASS} are read")))
        }
        _ => Ok(found),
    }
}

fn read_json(
    name: &str,
    bytes: &[u8],
    picture: &str,
    width: usize,
    height: usize,
) -> Result<Annotated, AnnotationError> {
    let contents: Contents = serde_json::from_slice(bytes)
        .map_err(|error| AnnotationError::file(name, format!("the JSON is broken ({error}); get it again")))?;
    let (names, regions) = match contents {
        Contents { shapes: Some(_), .. } => labelme::read(name, bytes)?,
        Contents { images: Some(_), .. } => coco::read(name, bytes, picture)?,
        _ => {
            let problem = "neither LabelMe's JSON, with shapes, nor COCO's, with images; export it as one of the two";
            return Err(AnnotationError::file(name, problem));
        }
    };
    match regions.size {
        Some((across, down)) if (across as usize, down as usize) != (width, height) => Err(AnnotationError::file(
            name,
            format!(
                "it describes {across} x {down} pixels and the picture is {width} x {height}; use the picture that it was \
                 made for"
            ),
        )),
        _ => Ok(Annotated { names, labels: regions.paint(width, height) }),
    }
}

fn read_mask(name: &str, bytes: &[u8], width: usize, height: usize) -> Result<Annotated, AnnotationError> {
    let (across, down) = image::dimensions(name, Cursor::new(bytes))?;
    if (across as usize, down as usize) != (width, height) {
        let problem = format!(
            "the mask is {across} x {down} pixels and the picture {width} x {height}; use a mask of the picture's size"
        );
        return Err(AnnotationError::file(name, problem));
    }
    Ok(match numbered(name, bytes) {
        Some(labels) => renumbered(labels),
        None => Annotated { names: vec![String::new()], labels: Mask::decode(name, bytes)?.into() },
    })
}

/// The numbers in a file of label numbers; nothing, if it is none.
fn numbered(name: &str, bytes: &[u8]) -> Option<Labels> {
    let (labels, palette) = Labels::decode_with_palette(name, bytes).ok()?;
    let used = used(&labels);
    let colour = |number: &u8| palette.as_ref().and_then(|colours| colours.get(usize::from(*number)));
    let numbers = match &palette {
        Some(_) => used.iter().filter_map(colour).any(|colour| *colour != [0; 3] && *colour != [255; 3]),
        None => {
            let dark = used.iter().all(|&grey| grey < BRIGHT || grey == IGNORED);
            dark && used.iter().filter(|&&grey| grey != 0).count() > 1
        }
    };
    numbers.then_some(labels)
}

/// The numbers in use, in their order.
fn used(labels: &Labels) -> Vec<u8> {
    let mut used = [false; 256];
    labels.values.iter().for_each(|&label| used[usize::from(label)] = true);
    (0..=u8::MAX).filter(|&number| used[usize::from(number)]).collect()
}

/// The same with numbers that leave no gaps.
fn renumbered(mut labels: Labels) -> Annotated {
    let used = used(&labels);
    let numbers: Vec<u8> = used.into_iter().filter(|&number| number != 0 && number != IGNORED).collect();
    let mut places = [0; 256];
    places[usize::from(IGNORED)] = IGNORED;
    for (place, &number) in (1..).zip(&numbers) {
        places[usize::from(number)] = place;
    }
    labels.values.iter_mut().for_each(|label| *label = places[usize::from(*label)]);
    Annotated { names: numbers.iter().map(u8::to_string).collect(), labels }
}
