//! LabelMe's JSON (Russell et al., IJCV 2008; the desktop tool of that name): a file a picture, with shapes.
//!
//! Polygons, rectangles, circles and masks mark pixels, later ones over earlier ones; points and lines mark none.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{AnnotationError, Class, Component, IGNORED, Labels, Region, Regions, components};
use crate::image::Mask;

/// The version of LabelMe whose fields are written.
const VERSION: &str = "5.5.0";
/// How many corners a circle is given.
const CORNERS: usize = 180;
/// How far inside the edges of its pixels a polygon is written, in pixels. LabelMe rounds corners down and draws the
/// outline with what it encloses: on the edges themselves that would be a row and a column too many.
const INSET: f64 = 0.01;

/// A description of a picture, in the fields that matter here; the others are only written.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Description {
    #[serde(skip_deserializing)]
    version: String,
    #[serde(skip_deserializing)]
    flags: Map<String, Value>,
    shapes: Vec<Shape>,
    #[serde(default)]
    pub image_path: String,
    #[serde(skip_deserializing)]
    image_data: (),
    image_height: Option<u32>,
    image_width: Option<u32>,
}

#[derive(Default, Serialize, Deserialize)]
struct Shape {
    label: String,
    points: Vec<[f64; 2]>,
    #[serde(skip_deserializing)]
    group_id: (),
    #[serde(skip_deserializing)]
    description: String,
    /// Files of early versions know polygons only.
    #[serde(default = "polygon")]
    shape_type: String,
    #[serde(skip_deserializing)]
    flags: Map<String, Value>,
    /// A PNG in base64, of the pixels between the two points.
    mask: Option<String>,
}

fn polygon() -> String {
    "polygon".into()
}

/// The description of a picture of that file name: each component of a class is a polygon, or, if it has holes, which
/// polygons cannot have, a mask. The file belongs beside the picture.
///
/// # Errors
/// When a mask cannot be written.
pub fn write(picture: &str, labels: &Labels, classes: &[Class]) -> Result<Vec<u8>, AnnotationError> {
    let mut shapes = Vec::new();
    for component in components(labels) {
        if let Some(class) = classes.iter().find(|class| class.number == component.number) {
            shapes.push(Shape::of(&component, &class.name)?);
        }
    }
    let description = Description {
        version: VERSION.into(),
        shapes,
        image_path: picture.into(),
        image_height: Some(labels.height as u32),
        image_width: Some(labels.width as u32),
        ..Description::default()
    };
    serde_json::to_vec_pretty(&description).map_err(|error| AnnotationError::file(picture, error.to_string()))
}

/// What a file says of a picture: the names in it, and its regions, labelled 1 for the first name.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<(Vec<String>, Regions), AnnotationError> {
    let description: Description = serde_json::from_slice(bytes).map_err(|error| {
        AnnotationError::file(name, format!("not a description as LabelMe writes it ({error}); save it there again"))
    })?;
    description.regions().map_err(|problem| AnnotationError::file(name, problem))
}

impl Description {
    /// The labels in it, and its regions, labelled 1 for the first of them.
    pub fn regions(&self) -> Result<(Vec<String>, Regions), String> {
        let mut labels: Vec<String> = Vec::new();
        let mut regions = Regions { size: self.image_width.zip(self.image_height), painted: vec![] };
        for shape in &self.shapes {
            let Some(region) = shape.region().map_err(|problem| format!("{}: {problem}", shape.label))? else {
                continue;
            };
            let known = labels.iter().position(|label| *label == shape.label);
            if known.is_none() {
                labels.push(shape.label.clone());
            }
            let label = u8::try_from(known.map_or(labels.len(), |place| place + 1)).unwrap_or(IGNORED);
            if label == IGNORED {
                return Err(format!("it has more than the {} labels that are read", IGNORED - 1));
            }
            regions.painted.push((label, region));
        }
        Ok((labels, regions))
    }
}

impl Shape {
    fn of(component: &Component, label: &str) -> Result<Self, AnnotationError> {
        let outlines = component.outlines();
        let shape = Self { label: label.into(), ..Self::default() };
        if outlines.holes.is_empty() {
            return Ok(Self { points: inset(&outlines.outer), shape_type: polygon(), ..shape });
        }
        let [left, top, width, height] = component.bounds();
        let corners = [[left, top], [left + width - 1, top + height - 1]];
        Ok(Self {
            points: corners.map(|corner| corner.map(|at| at as f64)).to_vec(),
            shape_type: "mask".into(),
            mask: Some(BASE64_STANDARD.encode(component.stencil().encode("a mask for LabelMe")?)),
            ..shape
        })
    }

    /// The pixels that it marks, if it is of a kind that marks any.
    fn region(&self) -> Result<Option<Region>, String> {
        let outline = match (self.shape_type.as_str(), self.points.as_slice()) {
            ("point" | "points" | "line" | "linestrip", _) => return Ok(None),
            ("rectangle", &[[x0, y0], [x1, y1]]) => vec![[x0, y0], [x1, y0], [x1, y1], [x0, y1]],
            ("circle", &[centre, edge]) => circle(centre, edge),
            ("mask", &[corner, _]) => return self.stencil(corner).map(Some),
            ("polygon" | "rectangle" | "oriented_rectangle", points) if points.len() > 2 => points.to_vec(),
            (kind, points) => return Err(format!("a {kind} of {} points cannot be drawn", points.len())),
        };
        Ok(Some(Region::Polygons(vec![outline])))
    }

    fn stencil(&self, corner: [f64; 2]) -> Result<Region, String> {
        let png = self.mask.as_deref().ok_or("a mask without pixels")?;
        let png = BASE64_STANDARD.decode(png).map_err(|error| format!("its mask is no base64 ({error})"))?;
        let mask = Mask::decode("its mask", &png).map_err(|error| error.to_string())?;
        let [left, top] = corner.map(|at| at as usize);
        Ok(Region::Stencil { left, top, mask })
    }
}

/// The corners of an outline, moved inwards. An outline runs with its pixels on the right, horizontal and vertical edges
/// in turns.
fn inset(outline: &[[usize; 2]]) -> Vec<[f64; 2]> {
    let before = outline.iter().cycle().skip(outline.len().saturating_sub(1));
    let after = outline.iter().cycle().skip(1);
    let corners = outline.iter().zip(before).zip(after);
    corners
        .map(|((corner, before), after)| {
            // The way to the corner and from it: one of them is horizontal and has the pixels below where it runs to the
            // right, the other is vertical and has them to the left where it runs down.
            let way = |axis: usize| before[axis] < corner[axis] || corner[axis] < after[axis];
            let [right, down] = [way(0), way(1)];
            [moved(corner[0], !down), moved(corner[1], right)]
        })
        .collect()
}

/// In hundredths, so that the text stays short.
fn moved(at: usize, up: bool) -> f64 {
    let at = at as f64;
    let moved = if up { at + INSET } else { at - INSET };
    (moved * 100.0).round() / 100.0
}

/// A polygon in place of the circle around `centre` through `edge`.
fn circle(centre: [f64; 2], edge: [f64; 2]) -> Vec<[f64; 2]> {
    let radius = (edge[0] - centre[0]).hypot(edge[1] - centre[1]);
    let corner = |number: usize| {
        let (sin, cos) = (number as f64 / CORNERS as f64 * std::f64::consts::TAU).sin_cos();
        [centre[0] + radius * cos, centre[1] + radius * sin]
    };
    (0..CORNERS).map(corner).collect()
}
