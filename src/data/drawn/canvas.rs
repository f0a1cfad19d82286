//! Where things are drawn: colours, and which thing each pixel shows.

use rand::Rng as _;

use super::{Light, Rng, shape::Shape};
use crate::{
    episode::Shot,
    image::{Mask, Picture},
};

/// Nothing but ground.
const GROUND: u16 = 0;

pub struct Canvas {
    picture: Picture,
    /// The thing that each pixel shows.
    things: Vec<u16>,
}

/// Where a thing lies, how large and how turned.
pub struct Pose {
    /// Its centre; the canvas is -1..1 on both axes.
    centre: [f32; 2],
    /// From offsets on the canvas to the thing's own plane, by rows.
    matrix: [[f32; 2]; 2],
    /// How far it reaches from its centre.
    reach: f32,
}

impl Pose {
    pub fn random(rng: &mut Rng) -> Self {
        let size = rng.random_range(0.22..0.6f32);
        let stretch = rng.random_range(0.85..1.18f32);
        let (sin, cos) = rng.random_range(-0.6..0.6f32).sin_cos();
        let [wide, high] = [1.0 / (size * stretch), stretch / size];
        Self {
            centre: std::array::from_fn(|_| rng.random_range(-0.75..0.75)),
            matrix: [[wide * cos, wide * sin], [-high * sin, high * cos]],
            reach: 1.6 * size * stretch.max(1.0 / stretch),
        }
    }

    /// A point of the canvas in the thing's own plane.
    fn inside(&self, x: f32, y: f32) -> [f32; 2] {
        let (dx, dy) = (x - self.centre[0], y - self.centre[1]);
        self.matrix.map(|row| row[0] * dx + row[1] * dy)
    }
}

impl Canvas {
    /// An empty ground of `size` = (height, width); `colour` paints the plane -1..1.
    pub fn new([height, width]: [usize; 2], colour: impl Fn(f32, f32) -> [u8; 3]) -> Self {
        let rows = (0..height).map(|y| unit(y, height));
        let rgb = rows.flat_map(|y| (0..width).map(move |x| (unit(x, width), y)));
        Self {
            picture: Picture { width, height, rgb: rgb.flat_map(|(x, y)| colour(x, y)).collect() },
            things: vec![GROUND; height * width],
        }
    }

    /// Draws a shape over what is there, with softened edges; `colour` paints its own plane.
    pub fn draw(&mut self, thing: u16, pose: &Pose, shape: &Shape, colour: impl Fn(f32, f32) -> [u8; 3]) {
        let [width, height] = [self.picture.width, self.picture.height];
        for y in span(pose.centre[1], pose.reach, height) {
            for x in span(pose.centre[0], pose.reach, width) {
                let covered = coverage(shape, pose, [x, y], [width, height]);
                if covered == 0.0 {
                    continue;
                }
                let i = y * width + x;
                let [u, v] = pose.inside(unit(x, width), unit(y, height));
                for (under, over) in self.picture.rgb[3 * i..][..3].iter_mut().zip(colour(u, v)) {
                    let mixed = f32::from(*under) + covered * (f32::from(over) - f32::from(*under));
                    *under = (mixed + 0.5) as u8;
                }
                if covered >= 0.5 {
                    self.things[i] = thing;
                }
            }
        }
    }

    /// The picture in some light, with one thing marked.
    pub fn shot(mut self, thing: u16, rng: &mut Rng) -> Shot {
        Light::random(1.0, rng).picture(&mut self.picture);
        Shot {
            mask: Mask {
                width: self.picture.width,
                height: self.picture.height,
                values: self.things.iter().map(|&shown| u8::from(shown == thing)).collect(),
            },
            picture: self.picture,
            unsure: None,
        }
    }
}

/// The middle of a pixel, -1..1 along a side.
fn unit(pixel: usize, side: usize) -> f32 {
    (2 * pixel + 1) as f32 / side as f32 - 1.0
}

/// The pixels along a side that lie within `reach` of a place.
fn span(centre: f32, reach: f32, side: usize) -> std::ops::Range<usize> {
    let pixel = |unit: f32| (unit + 1.0) * 0.5 * side as f32;
    let start = pixel(centre - reach).max(0.0) as usize;
    start..(pixel(centre + reach).ceil() as usize).min(side)
}

/// The share of a pixel that a shape covers, in quarters.
fn coverage(shape: &Shape, pose: &Pose, [x, y]: [usize; 2], [width, height]: [usize; 2]) -> f32 {
    let [dx, dy] = [0.5 / width as f32, 0.5 / height as f32];
    let [x, y] = [unit(x, width), unit(y, height)];
    let corners = [(x - dx, y - dy), (x + dx, y - dy), (x - dx, y + dy), (x + dx, y + dy)];
    let covered = corners.into_iter().filter(|&(x, y)| {
        let [u, v] = pose.inside(x, y);
        shape.contains(u, v)
    });
    covered.count() as f32 / 4.0
}
