//! YOLO's segments, as Ultralytics reads them: a text file a picture, a line a component: the class, from 0, and the
//! corners of a polygon as shares of the picture's width and height.

use std::fmt::Write as _;

use super::{Class, Labels, Outlines, components};

/// How often corners are compared at most for a component: noise has millions of both corners and holes.
const COMPARISONS: usize = 1 << 28;

/// The lines of a picture. A class's number there is its place in `classes`. Holes are joined to the outer outline by
/// going to them and back the same way, which encloses nothing.
pub fn write(labels: &Labels, classes: &[Class]) -> String {
    let mut text = String::new();
    for component in components(labels) {
        if let Some(place) = classes.iter().position(|class| class.number == component.number) {
            text.push_str(&place.to_string());
            for [x, y] in joined(component.outlines()) {
                // Writing to a string does not fail.
                let _ = write!(text, " {} {}", share(x, labels.width), share(y, labels.height));
            }
            text.push('\n');
        }
    }
    text
}

/// The description of the data set: the names of the classes, and where the pictures belong.
pub fn data(classes: &[Class]) -> String {
    let mut text =
        "# The pictures belong into images/ beside this file.\ntrain: images\nval: images\nnames:\n".to_owned();
    for (place, class) in classes.iter().enumerate() {
        // JSON's strings are YAML's too.
        let _ = writeln!(text, "  {place}: {}", serde_json::Value::from(class.name.as_str()));
    }
    text
}

/// Six digits behind the point: a hundredth of a pixel in any picture that is read.
fn share(at: usize, side: usize) -> f64 {
    (at as f64 / side as f64 * 1e6).round() / 1e6
}

/// One outline around a component and along its holes, each joined to the outer outline's nearest corner.
fn joined(Outlines { outer, holes }: Outlines) -> Vec<[usize; 2]> {
    let reach = outer.len().min(COMPARISONS / holes.len().max(1));
    let place = |hole: &Vec<[usize; 2]>| nearest(&outer[..reach], hole[0]);
    let mut detours: Vec<_> = holes.into_iter().map(|hole| (place(&hole), hole)).collect();
    detours.sort_by_key(|(place, _)| *place);
    let mut detours = detours.into_iter().peekable();
    let mut joined = Vec::new();
    for (place, &corner) in outer.iter().enumerate() {
        joined.push(corner);
        while let Some((_, hole)) = detours.next_if(|detour| detour.0 == place) {
            joined.extend(&hole);
            joined.extend([hole[0], corner]);
        }
    }
    joined
}

/// The place of the corner that is nearest to another.
fn nearest(corners: &[[usize; 2]], [x, y]: [usize; 2]) -> usize {
    let square = |side: usize| (side as u64).pow(2);
    let distance = |corner: &[usize; 2]| square(corner[0].abs_diff(x)) + square(corner[1].abs_diff(y));
    let nearest = corners.iter().enumerate().min_by_key(|(_, corner)| distance(corner));
    nearest.map_or(0, |(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotation::{Colour, labels::drawn};

    fn class(number: u8, name: &str) -> Class {
        Class { number, name: name.into(), colour: Colour([9; 3]) }
    }

    #[test]
    fn classes_count_from_zero_and_corners_are_shares() {
        let labels = drawn(&["..77", "..77", "3...", "...."]);
        let text = write(&labels, &[class(3, "cup"), class(7, "mug")]);
        assert_eq!(text, "1 0.5 0 1 0 1 0.5 0.5 0.5\n0 0 0.5 0.25 0.5 0.25 0.75 0 0.75\n");
    }

    #[test]
    fn holes_are_visited_on_the_way() {
        let text = write(&drawn(&["1111", "1.11", "1111", "1111"]), &[class(1, "cup")]);
        let hole = "0.25 0.5 0.5 0.5 0.5 0.25 0.25 0.25 0.25 0.5";
        let hole = hole.split(' ').collect::<Vec<_>>();
        assert_eq!(text, format!("0 0 0 {} 0 0 1 0 1 1 0 1\n", hole.join(" ")));
    }

    #[test]
    fn names_are_quoted() {
        assert!(data(&[class(2, "a: \"b\"")]).ends_with("names:\n  0: \"a: \\\"b\\\"\"\n"));
    }
}
