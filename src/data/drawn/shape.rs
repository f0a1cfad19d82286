//! Outlines: polygons, stars, blobs, rings and strokes, about one unit in radius.

use std::f32::consts::TAU;

use rand::Rng as _;

use super::Rng;

type Point = [f32; 2];

/// A shape in its own plane.
pub struct Shape {
    kind: usize,
    body: Body,
    /// A hole in it, as in a ring.
    hole: Option<Body>,
}

enum Body {
    /// The inside of a closed line.
    Outline(Vec<Point>),
    /// All that is near an open line, as letters are written.
    Stroke { line: Vec<Point>, half_width: f32 },
}

impl Shape {
    pub fn random(rng: &mut Rng) -> Self {
        let kind = rng.random_range(0..5);
        let mut hole = None;
        let body = match kind {
            0 => polygon(rng),
            1 => star(rng),
            2 => blob(rng, 1.0),
            3 => {
                hole = Some(blob(rng, 0.5));
                blob(rng, 1.0)
            }
            _ => stroke(rng),
        };
        Self { kind, body, hole }
    }

    /// Which kind of outline it has, 0..=4.
    pub fn kind(&self) -> usize {
        self.kind
    }

    /// The shape elsewhere and, to keep within one unit, smaller if it moves far.
    pub fn moved(mut self, [dx, dy]: Point) -> Self {
        let scale = 1.0 - dx.hypot(dy);
        for body in std::iter::once(&mut self.body).chain(&mut self.hole) {
            for point in body.points() {
                *point = [scale * point[0] + dx, scale * point[1] + dy];
            }
        }
        self
    }

    pub fn contains(&self, x: f32, y: f32) -> bool {
        self.body.contains(x, y) && !self.hole.as_ref().is_some_and(|hole| hole.contains(x, y))
    }
}

impl Body {
    fn points(&mut self) -> &mut [Point] {
        match self {
            Self::Outline(points) | Self::Stroke { line: points, .. } => points,
        }
    }

    fn contains(&self, x: f32, y: f32) -> bool {
        match self {
            Self::Outline(points) => surrounds(points, x, y),
            Self::Stroke { line, half_width } => {
                let near = |ends: &[Point]| distance(ends[0], ends[1], [x, y]) < *half_width;
                line.windows(2).any(near)
            }
        }
    }
}

/// Whether a closed line runs around a point: a ray from it crosses the line an odd number of times.
fn surrounds(points: &[Point], x: f32, y: f32) -> bool {
    let next = points.iter().cycle().skip(1);
    let crossings = points
        .iter()
        .zip(next)
        .filter(|([ax, ay], [bx, by])| (*ay > y) != (*by > y) && x < ax + (y - ay) / (by - ay) * (bx - ax));
    crossings.count() % 2 == 1
}

/// From a point to the nearest point of a segment.
fn distance([ax, ay]: Point, [bx, by]: Point, [x, y]: Point) -> f32 {
    let (dx, dy) = (bx - ax, by - ay);
    let along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy).max(1e-6);
    let along = along.clamp(0.0, 1.0);
    (x - ax - along * dx).hypot(y - ay - along * dy)
}

/// Corners around the centre, `radius` away each.
fn around(corners: usize, mut radius: impl FnMut(usize, f32) -> f32) -> Body {
    let corner = |i| {
        let angle = i as f32 / corners as f32 * TAU;
        let radius = radius(i, angle);
        [radius * angle.cos(), radius * angle.sin()]
    };
    Body::Outline((0..corners).map(corner).collect())
}

fn polygon(rng: &mut Rng) -> Body {
    around(rng.random_range(3..8), |_, _| rng.random_range(0.6..1.0))
}

fn star(rng: &mut Rng) -> Body {
    let inner = rng.random_range(0.3..0.65);
    around(2 * rng.random_range(4..9), |i, _| [1.0, inner][i % 2])
}

fn blob(rng: &mut Rng, size: f32) -> Body {
    let waves: Vec<(f32, f32)> =
        (1..5).map(|k| (rng.random_range(0.0..0.35 / k as f32), rng.random_range(0.0..TAU))).collect();
    around(40, |_, angle| {
        let bumps = waves.iter().zip(1..).map(|(&(height, phase), k)| height * (k as f32 * angle + phase).cos());
        size * (0.75 + bumps.sum::<f32>())
    })
}

fn stroke(rng: &mut Rng) -> Body {
    let points = rng.random_range(3..6);
    let point = |_| [rng.random_range(-0.85..0.85), rng.random_range(-0.85..0.85)];
    Body::Stroke { line: (0..points).map(point).collect(), half_width: rng.random_range(0.12..0.22) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::stream;

    #[test]
    fn a_square_contains_its_inside() {
        let square = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];
        assert!(surrounds(&square, 0.0, 0.9));
        assert!(!surrounds(&square, 0.0, 1.1));
        assert!(!surrounds(&square, -1.1, 0.0));
    }

    #[test]
    fn distance_is_to_the_segment_and_not_to_its_line() {
        assert_eq!(distance([0.0, 0.0], [2.0, 0.0], [1.0, 3.0]), 3.0);
        assert_eq!(distance([0.0, 0.0], [2.0, 0.0], [5.0, 4.0]), 5.0);
    }

    #[test]
    fn every_shape_keeps_within_its_plane_and_has_an_inside() {
        for index in 0..200 {
            let shape = Shape::random(&mut stream(0, index));
            let grid = (-20..=20).flat_map(|y| (-20..=20).map(move |x| [x, y]));
            let inside = grid.map(|[x, y]| [x as f32 / 10.0, y as f32 / 10.0]).filter(|[x, y]| shape.contains(*x, *y));
            let inside: Vec<_> = inside.collect();
            assert!(inside.len() > 15, "shape {index} of kind {} is empty", shape.kind);
            let widest = inside.iter().map(|[x, y]| x.hypot(*y)).fold(0.0, f32::max);
            assert!(widest < 1.6, "shape {index} reaches {widest}");
        }
    }
}
