//! An evaluation as one HTML file that asks for nothing else: the table, every class, and episodes in pictures.

use std::fmt::{self, Write as _};

use super::table::Column;
use super::{ClassScore, Evaluation, Exhibit, Fold, Showcase};

const STYLE: &str = include_str!("report.css");

/// The report; `showcases` has one of each fold, in the same order.
pub fn report(evaluation: &Evaluation, showcases: &[Showcase]) -> String {
    let mut html = String::new();
    // Writing to a string cannot fail.
    let _ = page(&mut html, evaluation, showcases);
    html
}

fn page(html: &mut String, evaluation: &Evaluation, showcases: &[Showcase]) -> fmt::Result {
    let name = Text(&evaluation.name());
    write!(
        html,
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{name}, {shots}-shot: mIoU {miou:.1}</title>
<style>
{STYLE}</style>
</head>
<body>
"#,
        shots = evaluation.options.shots,
        miou = evaluation.mean.miou,
    )?;
    header(html, evaluation)?;
    html.push_str("<main>\n");
    table(html, evaluation)?;
    for (fold, showcase) in evaluation.folds.iter().zip(showcases) {
        section(html, fold, showcase)?;
    }
    html.push_str("</main>\n</body>\n</html>\n");
    Ok(())
}

fn header(html: &mut String, evaluation: &Evaluation) -> fmt::Result {
    let episodes: usize = evaluation.folds.iter().map(|fold| fold.score.episodes.len()).sum();
    write!(
        html,
        "<header>\n<div>\n<p class=\"eyebrow\">fewseg evaluation</p>\n<h1>{}</h1>\n<p>{} episodes of the {} classes: {}. \
         In the pictures the object is tinted; the line in a prediction is the truth's outline.</p>\n\
         </div>\n<dl class=\"figures\">\n",
        Text(&evaluation.name()),
        episodes,
        Text(&evaluation.split),
        Text(&evaluation.question()),
    )?;
    for (name, figure) in [("mIoU", evaluation.mean.miou), ("FB-IoU", evaluation.mean.fb_iou)] {
        writeln!(html, "<div><dt>{name}</dt><dd>{figure:.1}</dd></div>")?;
    }
    html.push_str("</dl>\n</header>\n");
    Ok(())
}

/// The papers' table. With one column it would only repeat the figures above it.
fn table(html: &mut String, evaluation: &Evaluation) -> fmt::Result {
    let columns = evaluation.columns();
    if columns.len() > 1 {
        html.push_str("<section>\n<h2>Folds</h2>\n<div class=\"scroll\"><table>\n");
        let row = |html: &mut String, name: &str, cell: fn(&Column) -> String| {
            write!(html, "<tr><th scope=\"row\">{name}</th>")?;
            columns.iter().try_for_each(|column| write!(html, "<td>{}</td>", cell(column)))?;
            html.push_str("</tr>\n");
            fmt::Result::Ok(())
        };
        html.push_str("<thead><tr><td></td>");
        columns.iter().try_for_each(|column| write!(html, "<th scope=\"col\">{}</th>", column.name))?;
        html.push_str("</tr></thead>\n<tbody>\n");
        row(html, "mIoU", |column| format!("{:.1}", column.figures.miou))?;
        row(html, "FB-IoU", |column| format!("{:.1}", column.figures.fb_iou))?;
        row(html, "episodes", |column| column.episodes.to_string())?;
        html.push_str("</tbody>\n</table></div>\n</section>\n");
    }
    Ok(())
}

fn section(html: &mut String, fold: &Fold, showcase: &Showcase) -> fmt::Result {
    html.push_str("<section>\n");
    if let Some(number) = fold.fold {
        writeln!(html, "<h2>Fold {number}</h2>")?;
    }
    writeln!(html, "<p class=\"soft\">{}</p>", Text(&fold.candidate()))?;
    for reservation in fold.reservations() {
        writeln!(html, "<p class=\"reservation\">{}.</p>", Text(&reservation))?;
    }
    html.push_str("<h3>Classes <small>IoU</small></h3>\n<ul class=\"bars\">\n");
    fold.score.classes.iter().try_for_each(|class| bar(html, class))?;
    html.push_str("</ul>\n");
    for (name, exhibits) in [("Best", &showcase.best), ("Median", &showcase.median), ("Worst", &showcase.worst)] {
        if exhibits.is_empty() {
            continue;
        }
        writeln!(html, "<h3>{name} episodes</h3>\n<div class=\"episodes\">")?;
        exhibits.iter().try_for_each(|exhibit| episode(html, exhibit))?;
        html.push_str("</div>\n");
    }
    html.push_str("</section>\n");
    Ok(())
}

fn bar(html: &mut String, class: &ClassScore) -> fmt::Result {
    let (name, iou, asked) = (Text(&class.name), class.iou, class.asked());
    writeln!(
        html,
        "<li><span>{name} <small>{asked}</small></span><i style=\"--iou:{iou:.2}%\"></i><b>{iou:.1}</b></li>"
    )
}

fn episode(html: &mut String, exhibit: &Exhibit) -> fmt::Result {
    let Exhibit { class, name, iou, supports, truth, prediction } = exhibit;
    let (class, name) = (Text(class), Text(name));
    writeln!(html, "<article>\n<h4>{class} <b>{iou:.1}</b> <small>{name}</small></h4>\n<div class=\"strip\">")?;
    let caption = if supports.len() == 1 { "support" } else { "supports" };
    // As near to a square as there are supports.
    let columns = supports.len().saturating_sub(1).isqrt() + 1;
    write!(html, "<figure><div class=\"supports\" style=\"--columns:{columns}\">")?;
    for support in supports {
        write!(html, "<img src=\"{support}\" alt=\"Support with {class} marked\" loading=\"lazy\">")?;
    }
    writeln!(html, "</div><figcaption>{caption}</figcaption></figure>")?;
    for (picture, caption, alt) in [
        (truth, "truth", "Query with the truth marked"),
        (prediction, "prediction", "Query with the prediction marked and the truth outlined"),
    ] {
        writeln!(
            html,
            "<figure><img src=\"{picture}\" alt=\"{alt}\" loading=\"lazy\"><figcaption>{caption}</figcaption></figure>"
        )?;
    }
    html.push_str("</div>\n</article>\n");
    Ok(())
}

/// Text that is shown as it is, whatever characters it has.
#[derive(Clone, Copy)]
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            other => f.write_char(other),
        })
    }
}
