//! The guided filter over labels: sums over windows take the same time whatever the window, and pixels whose
//! neighbourhood has but one label keep it.

use std::ops::{AddAssign, SubAssign};

use super::parallel;
use crate::image::Picture;
use crate::ops::Sketch;
use crate::ops::guided::EPSILON;

/// What a label's `q` is made of at a place: the mean `a` for red, green and blue in 0..1, then the mean `b`.
type Linear = [f32; 4];
/// The two positions that one lies between, and the second one's share.
type Between = (usize, usize, f32);

/// See [`crate::ops::guided_labels`].
pub fn guided_labels(sketch: &Sketch, picture: &Picture) -> Vec<u8> {
    let filter = Filter::learn(sketch);
    let across: Vec<_> = between(sketch.guide.width, picture.width).collect();
    let down: Vec<_> = between(sketch.guide.height, picture.height).collect();
    let mut labels = vec![0; picture.height * picture.width];
    let rows = labels.chunks_exact_mut(picture.width).zip(picture.rgb.chunks_exact(3 * picture.width)).zip(down);
    parallel(rows.collect(), |((labels, rgb), down)| filter.label_row(rgb, down, &across, labels));
    labels
}

/// Where bilinear resizing looks whose pixels are areas, as the guide's are.
fn between(from: usize, to: usize) -> impl Iterator<Item = Between> {
    let scale = from as f32 / to as f32;
    (0..to).map(move |position| {
        let source = ((position as f32 + 0.5) * scale - 0.5).clamp(0.0, (from - 1) as f32);
        let low = source as usize;
        (low, (low + 1).min(from - 1), source - low as f32)
    })
}

struct Filter<'a> {
    sketch: &'a Sketch,
    classes: Vec<(u8, Vec<Linear>)>,
    /// The places of the sketch where only one label is in reach: there it is certain.
    settled: Vec<bool>,
}

impl<'a> Filter<'a> {
    fn learn(sketch: &'a Sketch) -> Self {
        let windows = Windows { width: sketch.guide.width, height: sketch.guide.height, radius: sketch.radius() };
        let colours = Colours::of(&sketch.guide, windows);
        let learn = |number| {
            let indicator: Vec<_> = sketch.labels.iter().map(|&label| u32::from(label == number)).collect();
            (number, windows.means(&colours.fit(&indicator)))
        };
        Self { sketch, classes: parallel(sketch.classes(), learn), settled: settled(&sketch.labels, windows) }
    }

    fn label_row(&self, rgb: &[u8], down: Between, across: &[Between], labels: &mut [u8]) {
        let width = self.sketch.guide.width;
        let (above, below) = (down.0 * width, down.1 * width);
        let settled: Vec<_> = (0..width).map(|x| self.settled[above + x] && self.settled[below + x]).collect();
        let line = |linear: &[Linear]| (0..width).map(|x| mix(linear[above + x], linear[below + x], down.2)).collect();
        let lines: Vec<(u8, Vec<Linear>)> = match settled.iter().all(|&settled| settled) {
            true => vec![],
            false => self.classes.iter().map(|(number, linear)| (*number, line(linear))).collect(),
        };
        for ((label, rgb), &(left, right, share)) in labels.iter_mut().zip(rgb.as_chunks::<3>().0).zip(across) {
            if settled[left] && settled[right] {
                *label = self.sketch.labels[above + left];
                continue;
            }
            let colour = rgb.map(|value| f32::from(value) / 255.0);
            *label = greatest(lines.iter().map(|(number, line)| {
                let [red, green, blue, offset] = mix(line[left], line[right], share);
                (*number, red * colour[0] + green * colour[1] + blue * colour[2] + offset)
            }));
        }
    }
}

/// The class whose share is greatest, or the background, which has what the classes leave.
fn greatest(shares: impl Iterator<Item = (u8, f32)>) -> u8 {
    let (mut left, mut label, mut most) = (1.0, 0, f32::NEG_INFINITY);
    for (number, share) in shares {
        left -= share;
        if share > most {
            (label, most) = (number, share);
        }
    }
    if most > left { label } else { 0 }
}

fn mix(a: Linear, b: Linear, share: f32) -> Linear {
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * share)
}

/// Where no window that has a part in a place's means holds more than one label.
fn settled(labels: &[u8], windows: Windows) -> Vec<bool> {
    let Windows { width, height, radius } = windows;
    let changes = (0..labels.len()).map(|at| {
        let (y, x) = (at / width, at % width);
        let changes =
            (x + 1 < width && labels[at] != labels[at + 1]) || (y + 1 < height && labels[at] != labels[at + width]);
        u32::from(changes)
    });
    let reach = Windows { radius: 2 * radius, ..windows };
    reach.sums(changes.collect()).into_iter().map(|changes| changes == 0).collect()
}

/// What windows know of the guide: sums over whole numbers, which are exact.
struct Colours<'a> {
    guide: &'a Picture,
    windows: Windows,
    sums: [Vec<u32>; 3],
    /// The covariances of colours in 0..1: of red with red, green and blue, of green with green and blue, of blue.
    covariances: Vec<[f32; 6]>,
}

impl<'a> Colours<'a> {
    const PAIRS: [[usize; 2]; 6] = [[0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]];

    fn of(guide: &'a Picture, windows: Windows) -> Self {
        let colour = |c: usize| guide.rgb[c..].iter().step_by(3).map(|&value| u32::from(value));
        let sums = [0, 1, 2].map(|c| windows.sums(colour(c).collect()));
        let products = Self::PAIRS.map(|[c, d]| windows.sums(colour(c).zip(colour(d)).map(|(c, d)| c * d).collect()));
        let covariances = windows.counts().enumerate().map(|(at, count)| {
            std::array::from_fn(|pair| {
                let [c, d] = Self::PAIRS[pair];
                covariance(count, products[pair][at], sums[c][at], sums[d][at]) / (255.0 * 255.0)
            })
        });
        let covariances = covariances.collect();
        Self { guide, windows, sums, covariances }
    }

    /// `a` and `b` of every window for an indicator of zeros and ones.
    fn fit(&self, indicator: &[u32]) -> Vec<Linear> {
        let marked = [0, 1, 2].map(|c| {
            let colour = self.guide.rgb[c..].iter().step_by(3).map(|&value| u32::from(value));
            self.windows.sums(colour.zip(indicator).map(|(value, &marked)| value * marked).collect())
        });
        let counts = self.windows.counts();
        let areas = self.windows.sums(indicator.to_vec());
        let fit = counts.zip(areas).zip(&self.covariances).enumerate().map(|(at, ((count, area), covariances))| {
            let with = [0, 1, 2].map(|c| covariance(count, marked[c][at], self.sums[c][at], area) / 255.0);
            let a = solve(covariances, with);
            let means = [0, 1, 2].map(|c| self.sums[c][at] as f32 / (255.0 * count as f32));
            let b = area as f32 / count as f32 - (a[0] * means[0] + a[1] * means[1] + a[2] * means[2]);
            [a[0], a[1], a[2], b]
        });
        fit.collect()
    }
}

/// Of two quantities in a window, from the sums of their product and of each.
fn covariance(count: u32, product: u32, a: u32, b: u32) -> f32 {
    let [count, product, a, b] = [count, product, a, b].map(i64::from);
    (count * product - a * b) as f32 / (count * count) as f32
}

/// `(cov + epsilon 1)^-1 with`, by `L D L^T`: a gray guide's covariances are too near to singular for determinants.
fn solve([rr, rg, rb, gg, gb, bb]: &[f32; 6], [r, g, b]: [f32; 3]) -> [f32; 3] {
    let d0 = rr + EPSILON;
    let (l1, l2) = (rg / d0, rb / d0);
    let d1 = gg + EPSILON - l1 * rg;
    let below = gb - l1 * rb;
    let l3 = below / d1;
    let d2 = bb + EPSILON - l2 * rb - l3 * below;
    let g = g - l1 * r;
    let b = (b - l2 * r - l3 * g) / d2;
    let g = g / d1 - l3 * b;
    [r / d0 - l1 * g - l2 * b, g, b]
}

/// The windows around the pixels of a plane, cut off at its edges.
#[derive(Clone, Copy)]
struct Windows {
    width: usize,
    height: usize,
    /// From a window's centre to its side.
    radius: usize,
}

impl Windows {
    /// The pixels in each window.
    fn counts(self) -> impl Iterator<Item = u32> {
        let count = move |at: usize, side: usize| (at + self.radius + 1).min(side) - at.saturating_sub(self.radius);
        (0..self.height)
            .flat_map(move |y| (0..self.width).map(move |x| (count(y, self.height) * count(x, self.width)) as u32))
    }

    /// The sum over each window, by sums that run along: down the columns, then across the rows.
    fn sums<T: Copy + Default + AddAssign + SubAssign>(self, plane: Vec<T>) -> Vec<T> {
        let Self { width, height, radius } = self;
        let mut sums = Vec::with_capacity(plane.len());
        let mut columns = vec![T::default(); width];
        let row = |y: usize| &plane[y * width..(y + 1) * width];
        (0..radius.min(height)).for_each(|y| columns.iter_mut().zip(row(y)).for_each(|(sum, &value)| *sum += value));
        for y in 0..height {
            if y + radius < height {
                columns.iter_mut().zip(row(y + radius)).for_each(|(sum, &value)| *sum += value);
            }
            if y > radius {
                columns.iter_mut().zip(row(y - radius - 1)).for_each(|(sum, &value)| *sum -= value);
            }
            let mut sum = T::default();
            columns[..radius.min(width)].iter().for_each(|&value| sum += value);
            for x in 0..width {
                if x + radius < width {
                    sum += columns[x + radius];
                }
                if x > radius {
                    sum -= columns[x - radius - 1];
                }
                sums.push(sum);
            }
        }
        sums
    }

    /// The mean over each window; the sums are in float64, so that what comes off again leaves nothing behind.
    fn means(self, linear: &[Linear]) -> Vec<Linear> {
        let sums: [Vec<f64>; 4] =
            std::array::from_fn(|i| self.sums(linear.iter().map(|values| f64::from(values[i])).collect()));
        let mean = |(at, count): (usize, u32)| std::array::from_fn(|i| (sums[i][at] / f64::from(count)) as f32);
        self.counts().enumerate().map(mean).collect()
    }
}
