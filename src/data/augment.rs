//! Altered views of a picture: another crop, angle and side, and other light.

use rand::Rng as _;

use super::source::Rng;
use crate::image::{Mask, Picture};

/// How far the views of a training picture depart from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Augment {
    /// Not at all, as published.
    None,
    /// A little: most of the picture, every second one mirrored, in much the same light.
    Mild,
    /// Another crop, angle and side, in other light.
    Full,
}

impl Augment {
    /// The share of the full alteration.
    fn strength(self) -> f32 {
        match self {
            Self::None => 0.0,
            Self::Mild => 0.3,
            Self::Full => 1.0,
        }
    }

    /// A view to look through.
    pub fn view(self, rng: &mut Rng) -> View {
        match self {
            Self::None => View::WHOLE,
            altered => View::random(altered.strength(), rng),
        }
    }

    /// Sets a picture in another light.
    pub fn relight(self, picture: &mut Picture, rng: &mut Rng) {
        if self != Self::None {
            Light::random(self.strength(), rng).picture(picture);
        }
    }
}

/// Where a view looks: an affine map from its own plane to the picture's, both -1..1 on each
/// axis. Beyond the border the picture is mirrored.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Per axis (x, y): weights of the view's x and y, and the offset.
    rows: [[f32; 3]; 2],
}

impl View {
    /// The whole picture as it is.
    pub const WHOLE: Self = Self { rows: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]] };

    /// At strength 1 a crop of 45% to 120% of each side, turned by up to 12 degrees; at less, that much less of it.
    /// Every second one is mirrored.
    fn random(strength: f32, rng: &mut Rng) -> Self {
        let zoom = 1.0 + strength * rng.random_range(-0.5..0.1f32);
        let stretch = 1.0 + strength * rng.random_range(-0.1..0.1f32);
        let (sin, cos) = (strength * rng.random_range(-0.2..0.2f32)).sin_cos();
        let flip = if rng.random_bool(0.5) { -1.0 } else { 1.0 };
        let room = (1.0 - zoom).max(0.1 * strength);
        let [width, height] = [zoom * stretch, zoom / stretch];
        let mut offset = || rng.random_range(-room..room);
        Self { rows: [[flip * cos * width, -sin * width, offset()], [flip * sin * height, cos * height, offset()]] }
    }

    /// The picture at `size` = (height, width) through this view.
    pub fn picture(&self, picture: &Picture, [height, width]: [usize; 2]) -> Picture {
        let mut rgb = Vec::with_capacity(height * width * 3);
        self.scan([picture.height, picture.width], [height, width], |x, y| {
            rgb.extend(bilinear(picture, x, y));
        });
        Picture { width, height, rgb }
    }

    /// The mask at `size` = (height, width) through this view.
    pub fn mask(&self, mask: &Mask, [height, width]: [usize; 2]) -> Mask {
        let mut values = Vec::with_capacity(height * width);
        self.scan([mask.height, mask.width], [height, width], |x, y| {
            values.push(mask.values[y.round() as usize * mask.width + x.round() as usize]);
        });
        Mask { width, height, values }
    }

    /// Calls `visit` for each pixel of a plane of size `to` with its place (x, y) in one of size `from`.
    fn scan(&self, from: [usize; 2], to: [usize; 2], mut visit: impl FnMut(f32, f32)) {
        let unit = |i: usize, side: usize| (2 * i + 1) as f32 / side as f32 - 1.0;
        let [xs, ys] = self.rows;
        for row in 0..to[0] {
            let v = unit(row, to[0]);
            for column in 0..to[1] {
                let u = unit(column, to[1]);
                visit(
                    mirrored(xs[0] * u + xs[1] * v + xs[2], from[1]),
                    mirrored(ys[0] * u + ys[1] * v + ys[2], from[0]),
                );
            }
        }
    }
}

/// The pixel at `unit`, -1..1 along a side; what lies beyond is folded back once.
fn mirrored(unit: f32, side: usize) -> f32 {
    let folded = if unit.abs() > 1.0 { 2.0 * unit.signum() - unit } else { unit };
    ((folded + 1.0) * 0.5 * side as f32 - 0.5).clamp(0.0, (side - 1) as f32)
}

/// The four pixels around a place, by their numbers, and how near each is; the weights sum to 1.
pub fn around(width: usize, height: usize, x: f32, y: f32) -> [(usize, f32); 4] {
    let (left, top) = (x as usize, y as usize);
    let right = (left + 1).min(width - 1);
    let bottom = (top + 1).min(height - 1);
    let (across, down) = (x - left as f32, y - top as f32);
    [
        (top * width + left, (1.0 - across) * (1.0 - down)),
        (top * width + right, across * (1.0 - down)),
        (bottom * width + left, (1.0 - across) * down),
        (bottom * width + right, across * down),
    ]
}

/// The colour between four pixels; (x, y) lies within the picture.
pub fn bilinear(picture: &Picture, x: f32, y: f32) -> [u8; 3] {
    let corners = around(picture.width, picture.height, x, y);
    std::array::from_fn(|channel| {
        let terms = corners.map(|(i, weight)| f32::from(picture.rgb[3 * i + channel]) * weight);
        (terms.iter().sum::<f32>() + 0.5) as u8
    })
}

/// A change of light: colourfulness, contrast, brightness and cast.
#[derive(Clone, Copy, Debug)]
pub struct Light {
    saturation: f32,
    gain: [f32; 3],
    offset: f32,
}

impl Light {
    /// At strength 1 a moderate change, one in twelve taking all colour away; at less, that much less of it.
    pub fn random(strength: f32, rng: &mut Rng) -> Self {
        let grey = rng.random_bool(f64::from(strength) / 12.0);
        let contrast = 1.0 + strength * rng.random_range(-0.25..0.3f32);
        let mut around_one = |most: f32| 1.0 + strength * rng.random_range(-most..most);
        Self {
            saturation: if grey { 0.0 } else { around_one(0.4) },
            gain: std::array::from_fn(|_| contrast * around_one(0.08)),
            offset: 128.0 * (1.0 - contrast) + strength * rng.random_range(-30.0..30.0f32),
        }
    }

    /// A colour in this light.
    pub fn shine(&self, rgb: [u8; 3]) -> [u8; 3] {
        let rgb = rgb.map(f32::from);
        let grey = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
        std::array::from_fn(|channel| {
            let colour = grey + self.saturation * (rgb[channel] - grey);
            (self.gain[channel] * colour + self.offset) as u8 // saturates
        })
    }

    /// A whole picture in this light.
    pub fn picture(&self, picture: &mut Picture) {
        for pixel in picture.rgb.as_chunks_mut::<3>().0 {
            *pixel = self.shine(*pixel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::stream;

    /// A picture whose red is 10 x and whose green is 10 y, and a mask of its left half.
    fn ramp() -> (Picture, Mask) {
        let places = (0..8u8).flat_map(|y| (0..8u8).map(move |x| (x, y)));
        let picture =
            Picture { width: 8, height: 8, rgb: places.clone().flat_map(|(x, y)| [10 * x, 10 * y, 0]).collect() };
        let mask = Mask { width: 8, height: 8, values: places.map(|(x, _)| u8::from(x < 4)).collect() };
        (picture, mask)
    }

    #[test]
    fn the_whole_view_changes_nothing() {
        let (picture, mask) = ramp();
        assert_eq!(View::WHOLE.picture(&picture, [8, 8]), picture);
        assert_eq!(View::WHOLE.mask(&mask, [8, 8]), mask);
    }

    #[test]
    fn picture_and_mask_move_together() {
        let (picture, mask) = ramp();
        for index in 0..50 {
            let view = View::random(1.0, &mut stream(3, index));
            let (seen, marked) = (view.picture(&picture, [16, 16]), view.mask(&mask, [16, 16]));
            for (pixel, &object) in seen.rgb.chunks(3).zip(&marked.values) {
                // Half a pixel of red on either side of the edge is open to rounding.
                assert!(object == 1 || pixel[0] >= 34, "{pixel:?} is not object");
                assert!(object == 0 || pixel[0] <= 36, "{pixel:?} is object");
            }
        }
    }

    #[test]
    fn a_milder_view_departs_less_and_none_not_at_all() {
        let (picture, _) = ramp();
        let distance = |augment: Augment| -> u64 {
            let altered = (0..50).map(|index| {
                let mut rng = stream(5, index);
                let mut seen = augment.view(&mut rng).picture(&picture, [8, 8]);
                augment.relight(&mut seen, &mut rng);
                let differences = seen.rgb.iter().zip(&picture.rgb).map(|(a, b)| u64::from(a.abs_diff(*b)));
                differences.sum::<u64>()
            });
            altered.sum()
        };
        let [none, mild, full] = [Augment::None, Augment::Mild, Augment::Full].map(distance);
        assert!(none == 0 && mild > 0 && full > mild + mild / 4, "{none}, {mild}, {full}");
    }

    #[test]
    fn beyond_the_border_the_picture_is_mirrored() {
        assert_eq!(mirrored(1.25, 8), mirrored(0.75, 8));
        assert_eq!(mirrored(-1.25, 8), mirrored(-0.75, 8));
    }

    #[test]
    fn light_without_change_changes_nothing() {
        let plain = Light { saturation: 1.0, gain: [1.0; 3], offset: 0.5 };
        assert_eq!(plain.shine([0, 100, 255]), [0, 100, 255]);
    }
}
