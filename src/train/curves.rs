//! The curves of a training, as a picture that any browser shows.

use std::error::Error;
use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::journal::{self, Entry, Validation};
use super::sweep::Point;
use crate::disk;

/// The picture in the folder of a training.
const FILE: &str = "curves.svg";
const SIZE: (u32, u32) = (960, 420);
/// Lines and words that can be read on white and on black.
const INK: RGBColor = RGBColor(128, 128, 128);
const BLUE: RGBColor = RGBColor(58, 134, 220);
const ORANGE: RGBColor = RGBColor(230, 126, 34);

/// Episodes learned from, and a value.
type Points = Vec<(f64, f64)>;

/// A line of a picture.
struct Curve {
    name: &'static str,
    colour: RGBColor,
    points: Points,
}

/// Draws the curves of the training in the folder `out` from its journal.
///
/// # Errors
/// When the journal cannot be read or the picture not be written.
pub fn draw(out: &Path) -> Result<(), Box<dyn Error>> {
    let picture = picture(&journal::read(out)?)?;
    Ok(disk::write_whole(&out.join(FILE), picture.as_bytes())?)
}

fn picture(entries: &[Entry]) -> Result<String, Box<dyn Error>> {
    let validations = journal::validations(entries);
    let over = |value: &dyn Fn(&Validation) -> Option<f64>| -> Points {
        validations.iter().filter_map(|validation| Some((validation.episodes as f64, value(validation)?))).collect()
    };
    let miou = |point: Option<Point>| point.map(|point| point.miou);
    let losses = [
        Curve { name: "training", colour: BLUE, points: over(&|validation| validation.training_loss) },
        Curve { name: "validation", colour: ORANGE, points: over(&|validation| validation.loss) },
    ];
    let mious = [
        Curve { name: "held-out classes", colour: BLUE, points: over(&|validation| miou(validation.held_out)) },
        Curve { name: "novel classes", colour: ORANGE, points: over(&|validation| miou(validation.novel)) },
    ];
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let (left, right) = area.split_horizontally(SIZE.0 / 2);
        panel(&left, "loss", 2, SeriesLabelPosition::UpperRight, &losses)?;
        panel(&right, "mIoU, %", 0, SeriesLabelPosition::LowerRight, &mious)?;
        area.present()?;
    }
    Ok(svg)
}

/// Curves over episodes under a title, with a legend where such curves leave room.
fn panel(
    area: &DrawingArea<SVGBackend, Shift>,
    title: &str,
    decimals: usize,
    legend: SeriesLabelPosition,
    curves: &[Curve],
) -> Result<(), Box<dyn Error>> {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let last = points().map(|point| point.0).fold(1.0, f64::max);
    let words = ("sans-serif", 14).into_font().color(&INK);
    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .caption(title, ("sans-serif", 18).into_font().color(&INK))
        .x_label_area_size(44)
        .y_label_area_size(48)
        .build_cartesian_2d(0.0..last, range(points().map(|point| point.1)))?;
    chart
        .configure_mesh()
        .axis_style(INK)
        .bold_line_style(INK.mix(0.25))
        .light_line_style(TRANSPARENT)
        .label_style(words.clone())
        .x_desc("episodes")
        .x_labels(5)
        .y_labels(6)
        .x_label_formatter(&|episodes| format!("{episodes:.0}"))
        .y_label_formatter(&|value| format!("{value:.decimals$}"))
        .draw()?;
    for curve in curves.iter().filter(|curve| !curve.points.is_empty()) {
        let colour = curve.colour;
        chart
            .draw_series(LineSeries::new(curve.points.clone(), colour.stroke_width(2)).point_size(2))?
            .label(curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart.configure_series_labels().position(legend).label_font(words).draw()?;
    Ok(())
}

/// From the least to the greatest value, with some air.
fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (least, greatest) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), value| (least.min(value), greatest.max(value)));
    if least > greatest {
        return 0.0..1.0;
    }
    let air = (0.08 * (greatest - least)).max(1e-3 * greatest.abs()).max(1e-6);
    (least - air).max(0.0)..greatest + air
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::journal::Event;

    fn entries(events: Vec<Event>) -> Vec<Entry> {
        events.into_iter().map(|event| Entry { time: 0.0, event }).collect()
    }

    fn validation(epoch: usize, loss: f64) -> Event {
        let held_out = Some(Point { threshold: 0.5, miou: 100.0 - loss });
        Event::Validation(Validation { epoch, episodes: 100 * epoch, loss: Some(loss), held_out, ..Default::default() })
    }

    #[test]
    fn only_what_was_measured_is_drawn() {
        let svg = picture(&entries(vec![validation(1, 0.7), validation(2, 0.5)])).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        for (words, there) in
            [("episodes", true), ("held-out classes", true), ("validation", true), ("novel classes", false)]
        {
            assert_eq!(svg.contains(words), there, "{words}: {svg}");
        }
    }

    #[test]
    fn nothing_measured_is_a_picture_too() {
        assert!(picture(&[]).unwrap().contains("episodes"));
    }
}
