//! Margins at a picture's size, a row at a time: a large picture needs no plane of floats.

use super::Margins;
use crate::sampling::taps;

/// Margins at another size: bilinear, corners aligned.
pub(super) struct Stretched<'a> {
    margins: &'a Margins,
    down: Vec<(usize, usize, f32)>,
    across: Vec<(usize, usize, f32)>,
    line: Vec<f32>,
}

impl<'a> Stretched<'a> {
    pub fn new(margins: &'a Margins, height: usize, width: usize) -> Self {
        Self {
            margins,
            down: taps(margins.height, height).collect(),
            across: taps(margins.width, width).collect(),
            line: vec![0.0; margins.width],
        }
    }

    pub fn row(&mut self, y: usize) -> impl Iterator<Item = f32> + '_ {
        let (low, high, share) = self.down[y];
        let Margins { width, values, .. } = self.margins;
        let rows = values[low * width..].iter().zip(&values[high * width..]);
        self.line.iter_mut().zip(rows).for_each(|(value, (a, b))| *value = mix(*a, *b, share));
        self.across.iter().map(|&(low, high, share)| mix(self.line[low], self.line[high], share))
    }
}

fn mix(a: f32, b: f32, share: f32) -> f32 {
    a + (b - a) * share
}
