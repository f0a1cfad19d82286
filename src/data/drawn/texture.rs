//! Patterns of two colours: plain, stripes, checks, dots, gradients, noise.

use rand::Rng as _;

use super::Rng;

/// A pattern in a plane of its own.
pub struct Texture {
    pattern: Pattern,
    colours: [[f32; 3]; 2],
    /// The pattern's repeats per unit, and the direction it runs in.
    frequency: f32,
    direction: [f32; 2],
    /// What tells this texture's noise from another's.
    seed: u32,
    /// How much the finest noise shows, in levels of 0..=255.
    grain: f32,
}

#[derive(Clone, Copy)]
enum Pattern {
    Plain,
    Stripes,
    Checks,
    Dots,
    Gradient,
    Noise,
}

impl Texture {
    /// The texture of a thing: strong colours, a pattern that repeats a few times.
    pub fn random(rng: &mut Rng) -> Self {
        const PATTERNS: [Pattern; 6] =
            [Pattern::Plain, Pattern::Stripes, Pattern::Checks, Pattern::Dots, Pattern::Gradient, Pattern::Noise];
        let pattern = PATTERNS[rng.random_range(0..PATTERNS.len())];
        let frequency = rng.random_range(2.0..6.0);
        Self::new(pattern, frequency, 255.0, rng)
    }

    /// The texture of a ground: softer, and most often of noise, as grass, sand and walls are.
    pub fn random_ground(rng: &mut Rng) -> Self {
        let pattern = match rng.random_range(0..6) {
            0 => Pattern::Stripes,
            1 => Pattern::Gradient,
            2 => Pattern::Checks,
            _ => Pattern::Noise,
        };
        let frequency = rng.random_range(1.0..8.0);
        Self::new(pattern, frequency, rng.random_range(20.0..140.0), rng)
    }

    /// `contrast`: how far the two colours may differ in a channel.
    fn new(pattern: Pattern, frequency: f32, contrast: f32, rng: &mut Rng) -> Self {
        let first = std::array::from_fn(|_| rng.random_range(0.0..255.0f32));
        let second = first.map(|value| {
            let lowest = (value - contrast).max(0.0);
            rng.random_range(lowest..=(value + contrast).min(255.0))
        });
        let (sin, cos) = rng.random_range(0.0..std::f32::consts::TAU).sin_cos();
        Self {
            pattern,
            colours: [first, second],
            frequency,
            direction: [cos, sin],
            seed: rng.random(),
            grain: rng.random_range(0.0..25.0),
        }
    }

    pub fn colour(&self, x: f32, y: f32) -> [u8; 3] {
        let [cos, sin] = self.direction;
        let u = self.frequency * (cos * x + sin * y);
        let v = self.frequency * (cos * y - sin * x);
        let share = match self.pattern {
            Pattern::Plain => 0.0,
            Pattern::Stripes => step(fraction(u) < 0.5),
            Pattern::Checks => step((fraction(u) < 0.5) != (fraction(v) < 0.5)),
            Pattern::Dots => step((fraction(u) - 0.5).hypot(fraction(v) - 0.5) < 0.32),
            Pattern::Gradient => (0.5 + 0.5 * u / self.frequency).clamp(0.0, 1.0),
            Pattern::Noise => self.noise(u, v),
        };
        let grain = self.grain * (hash((500.0 * x) as i32, (500.0 * y) as i32, self.seed) - 0.5);
        let [first, second] = self.colours;
        std::array::from_fn(|i| (first[i] + share * (second[i] - first[i]) + grain) as u8)
    }

    /// Smooth noise in 0..1: three octaves of random values on a lattice.
    fn noise(&self, u: f32, v: f32) -> f32 {
        let octaves = [(1.0, 0.57), (2.0, 0.29), (4.0, 0.14)];
        let terms = octaves.map(|(scale, weight)| weight * self.lattice(scale * u, scale * v));
        terms.iter().sum()
    }

    fn lattice(&self, u: f32, v: f32) -> f32 {
        let (column, row) = (u.floor(), v.floor());
        let [across, down] = [u - column, v - row].map(|t| t * t * (3.0 - 2.0 * t));
        let value = |dx: i32, dy: i32| hash(column as i32 + dx, row as i32 + dy, self.seed);
        let upper = value(0, 0) + across * (value(1, 0) - value(0, 0));
        let lower = value(0, 1) + across * (value(1, 1) - value(0, 1));
        upper + down * (lower - upper)
    }
}

fn step(second: bool) -> f32 {
    f32::from(u8::from(second))
}

fn fraction(value: f32) -> f32 {
    value - value.floor()
}

/// A value in 0..1 that looks random and is the same every time (the finaliser of MurmurHash3).
fn hash(x: i32, y: i32, seed: u32) -> f32 {
    let mut h = (x as u32).wrapping_mul(0x9E37_79B1) ^ (y as u32).wrapping_mul(0x85EB_CA77) ^ seed;
    h = (h ^ (h >> 16)).wrapping_mul(0x85EB_CA6B);
    h = (h ^ (h >> 13)).wrapping_mul(0xC2B2_AE35);
    ((h ^ (h >> 16)) >> 8) as f32 / (1 << 24) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::stream;

    #[test]
    fn noise_is_smooth_and_within_bounds() {
        let texture = Texture::random(&mut stream(0, 0));
        for i in 0..1000 {
            let u = i as f32 * 0.037 - 10.0;
            let here = texture.noise(u, 0.3);
            assert!((0.0..1.0).contains(&here));
            assert!((texture.noise(u + 1e-3, 0.3) - here).abs() < 0.02);
        }
    }

    #[test]
    fn stripes_alternate_and_checks_alternate_both_ways() {
        let mut texture = Texture::new(Pattern::Stripes, 1.0, 0.0, &mut stream(0, 1));
        texture.colours = [[10.0; 3], [200.0; 3]];
        texture.direction = [1.0, 0.0];
        texture.grain = 0.0;
        let values = |t: &Texture| [(0.25, 0.1), (0.75, 0.1), (0.25, 0.6)].map(|(x, y)| t.colour(x, y)[0]);
        assert_eq!(values(&texture), [200, 10, 200]);
        texture.pattern = Pattern::Checks;
        assert_eq!(values(&texture), [10, 200, 200]);
    }
}
