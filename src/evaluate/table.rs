//! The figures as the papers' table: a column a fold, and their mean.

use std::fmt;

use super::{Evaluation, Figures, Fold};

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({}), {}\n", self.name(), self.split, self.question())?;
        self.row(f, "", |column| column.name.clone())?;
        self.row(f, "mIoU", |column| format!("{:.1}", column.figures.miou))?;
        self.row(f, "FB-IoU", |column| format!("{:.1}", column.figures.fb_iou))?;
        self.row(f, "episodes", |column| column.episodes.to_string())?;
        self.folds.iter().try_for_each(|fold| write_fold(f, fold))
    }
}

/// A column of the table.
pub(super) struct Column {
    pub name: String,
    pub figures: Figures,
    pub episodes: usize,
}

impl Evaluation {
    /// A column a fold, and of several folds their mean.
    pub(super) fn columns(&self) -> Vec<Column> {
        let column = |fold: &Fold| Column {
            name: fold.name(),
            figures: fold.score.figures,
            episodes: fold.score.episodes.len(),
        };
        let mut columns: Vec<_> = self.folds.iter().map(column).collect();
        if columns.len() > 1 {
            let episodes = columns.iter().map(|column| column.episodes).sum();
            columns.push(Column { name: "mean".into(), figures: self.mean, episodes });
        }
        columns
    }

    fn row(&self, f: &mut fmt::Formatter<'_>, name: &str, cell: impl Fn(&Column) -> String) -> fmt::Result {
        write!(f, "{name:<9}")?;
        self.columns().iter().try_for_each(|column| write!(f, "{:>9}", cell(column)))?;
        writeln!(f)
    }
}

fn write_fold(f: &mut fmt::Formatter<'_>, fold: &Fold) -> fmt::Result {
    writeln!(f, "\n{}, {}", fold.name(), fold.candidate())?;
    fold.reservations().iter().try_for_each(|reservation| writeln!(f, "  ({reservation})"))?;
    let widest = fold.score.classes.iter().map(|class| class.name.chars().count()).max().unwrap_or_default();
    let mut classes = fold.score.classes.iter();
    classes.try_for_each(|class| writeln!(f, "  {:<widest$} {:>5.1}  {}", class.name, class.iou, class.asked()))
}
