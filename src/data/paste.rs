//! Cutting an object out of one picture and pasting it into another.

use rand::Rng as _;

use super::{
    augment::{Light, around, bilinear},
    source::Rng,
};
use crate::{
    episode::Shot,
    image::{Mask, Picture},
};

/// Pastes the shot's object into the picture at a random place, size, angle and light, and
/// returns where it is now. Without an object nothing changes.
pub fn paste(object: &Shot, onto: &mut Picture, rng: &mut Rng) -> Mask {
    let mut mask = Mask::empty(onto.height, onto.width);
    let Some(bounds) = Bounds::of(&object.mask) else {
        return mask;
    };
    let placement = Placement::random(&bounds, [onto.height, onto.width], rng);
    let light = Light::random(1.0, rng);
    let pixels = onto.rgb.as_chunks_mut::<3>().0.iter_mut().zip(&mut mask.values);
    for (i, (pixel, marked)) in pixels.enumerate() {
        let (x, y) = placement.source((i % onto.width) as f32, (i / onto.width) as f32);
        if !bounds.contains(x, y) {
            continue;
        }
        let share = coverage(&object.mask, x, y);
        if share > 0.0 {
            let colour = light.shine(bilinear(&object.picture, x, y));
            *pixel = std::array::from_fn(|channel| {
                let (over, under) = (f32::from(colour[channel]), f32::from(pixel[channel]));
                (share * over + (1.0 - share) * under + 0.5) as u8
            });
            *marked = u8::from(share >= 0.5);
        }
    }
    mask
}

/// The object's bounding box, in pixels, both ends inside.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bounds {
    left: f32,
    right: f32,
    top: f32,
    bottom: f32,
}

impl Bounds {
    fn of(mask: &Mask) -> Option<Self> {
        let marked = (mask.values.iter().enumerate())
            .filter(|(_, value)| **value != 0)
            .map(|(i, _)| ((i % mask.width) as f32, (i / mask.width) as f32));
        marked.fold(None, |bounds: Option<Self>, (x, y)| {
            Some(match bounds {
                None => Self { left: x, right: x, top: y, bottom: y },
                Some(bounds) => Self {
                    left: bounds.left.min(x),
                    right: bounds.right.max(x),
                    top: bounds.top.min(y),
                    bottom: bounds.bottom.max(y),
                },
            })
        })
    }

    fn contains(&self, x: f32, y: f32) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }

    fn centre(&self) -> [f32; 2] {
        [(self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0]
    }

    fn longer_side(&self) -> f32 {
        (self.right - self.left).max(self.bottom - self.top) + 1.0
    }
}

/// How a pixel of the target finds its place in the object's picture.
struct Placement {
    /// Where the object's centre comes to lie.
    target: [f32; 2],
    centre: [f32; 2],
    /// From offsets in the target to offsets in the object's picture, by rows.
    matrix: [[f32; 2]; 2],
}

impl Placement {
    fn random(bounds: &Bounds, [height, width]: [usize; 2], rng: &mut Rng) -> Self {
        let side = rng.random_range(0.2..0.75f32) * height.min(width) as f32;
        let shrink = bounds.longer_side() / side;
        let (sin, cos) = rng.random_range(-0.3..0.3f32).sin_cos();
        let flip = if rng.random_bool(0.5) { -1.0 } else { 1.0 };
        let mut along = |length: usize| rng.random_range(0.2..0.8f32) * length as f32;
        Self {
            target: [along(width), along(height)],
            centre: bounds.centre(),
            matrix: [[flip * shrink * cos, -flip * shrink * sin], [shrink * sin, shrink * cos]],
        }
    }

    fn source(&self, x: f32, y: f32) -> (f32, f32) {
        let (dx, dy) = (x - self.target[0], y - self.target[1]);
        let [xs, ys] = self.matrix;
        (self.centre[0] + xs[0] * dx + xs[1] * dy, self.centre[1] + ys[0] * dx + ys[1] * dy)
    }
}

/// How much of the place between four pixels is object, 0..=1; (x, y) lies within the mask.
fn coverage(mask: &Mask, x: f32, y: f32) -> f32 {
    let corners = around(mask.width, mask.height, x, y);
    let terms = corners.map(|(i, weight)| f32::from(mask.values[i]) * weight);
    terms.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::stream;

    fn plain(side: usize, grey: u8) -> Picture {
        Picture { width: side, height: side, rgb: vec![grey; side * side * 3] }
    }

    fn square(side: usize, from: usize, to: usize) -> Mask {
        let inside = |i: usize| (from..to).contains(&(i % side)) && (from..to).contains(&(i / side));
        Mask { width: side, height: side, values: (0..side * side).map(|i| u8::from(inside(i))).collect() }
    }

    #[test]
    fn what_is_marked_has_changed_and_nothing_else_far_away() {
        let object = Shot { picture: plain(40, 255), mask: square(40, 10, 30), unsure: None };
        for index in 0..20 {
            let mut canvas = plain(64, 0);
            let mask = paste(&object, &mut canvas, &mut stream(1, index));
            assert!(mask.area() > 40, "{} pixels", mask.area());
            for (pixel, &marked) in canvas.rgb.chunks(3).zip(&mask.values) {
                if marked == 1 {
                    assert!(pixel[0] > 60, "a marked pixel is still {pixel:?}");
                }
            }
            let changed = canvas.rgb.chunks(3).filter(|pixel| pixel[0] > 0).count();
            assert!(changed < mask.area() + 64 * 4);
        }
    }

    #[test]
    fn without_an_object_nothing_changes() {
        let nothing = Shot { picture: plain(8, 255), mask: square(8, 0, 0), unsure: None };
        let mut canvas = plain(8, 7);
        assert_eq!(paste(&nothing, &mut canvas, &mut stream(1, 1)).area(), 0);
        assert_eq!(canvas, plain(8, 7));
    }
}
