//! Runs of pixels as COCO writes them: down the columns of the whole picture, one column after another, how many are
//! outside, how many inside, and so on in turns.

use super::Component;

impl Component {
    /// Its pixels as runs over a picture of that width and height; together they are as many as the picture has pixels.
    pub(super) fn runs(&self, [width, height]: [usize; 2]) -> Vec<u32> {
        let [left, top, ..] = self.bounds();
        let stencil = self.stencil();
        // Where one and the other side of an edge change, down one column after another. A column that reaches the
        // picture's foot may go on at the head of the next.
        let mut edges: Vec<usize> = Vec::new();
        for column in 0..stencil.width {
            let mut inside = false;
            for row in 0..=stencil.height {
                let marked = row < stencil.height && stencil.values[row * stencil.width + column] != 0;
                if marked == inside {
                    continue;
                }
                inside = marked;
                let edge = (left + column) * height + top + row;
                match edges.last() == Some(&edge) {
                    true => edges.truncate(edges.len() - 1),
                    false => edges.push(edge),
                }
            }
        }
        edges.push(width * height);
        let starts = std::iter::once(&0).chain(&edges);
        edges.iter().zip(starts).map(|(end, start)| (end - start) as u32).collect()
    }
}

/// Writes runs as the text that [`unpack`] reads.
pub(super) fn pack(runs: &[u32]) -> String {
    let mut text = String::new();
    for (place, &run) in runs.iter().enumerate() {
        let before = if place > 2 { i64::from(runs[place - 2]) } else { 0 };
        let mut value = i64::from(run) - before;
        loop {
            let digit = (value & 31) as u8;
            value >>= 5;
            // All that is left repeats the sign, which the fifth bit has.
            let last = value == if digit & 16 != 0 { -1 } else { 0 };
            text.push(char::from(48 + digit + if last { 0 } else { 32 }));
            if last {
                break;
            }
        }
    }
    text
}

/// Unpacks the text in which COCO writes runs: digits of five bits, lowest first, from the character '0' on; the sixth
/// bit says that more follow, the fifth of the last is the sign; from the fourth run on, what is written is the
/// difference to the run before the last.
///
/// # Errors
/// When the text is none of that.
pub(super) fn unpack(text: &str) -> Result<Vec<u32>, String> {
    let broken = || "its compressed runs are broken".to_owned();
    let mut runs: Vec<u32> = Vec::new();
    let (mut value, mut bits) = (0i64, 0);
    for byte in text.bytes() {
        let digit = i64::from(byte.checked_sub(48).filter(|digit| *digit < 64 && bits < 35).ok_or_else(broken)?);
        value |= (digit & 31) << bits;
        bits += 5;
        if digit & 32 != 0 {
            continue;
        }
        if digit & 16 != 0 {
            value -= 1 << bits;
        }
        if runs.len() > 2 {
            value += i64::from(runs[runs.len() - 2]);
        }
        runs.push(u32::try_from(value).map_err(|_| broken())?);
        (value, bits) = (0, 0);
    }
    if bits == 0 { Ok(runs) } else { Err(broken()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotation::{components, labels::drawn};

    /// `pycocotools.mask.encode(m)["counts"]`, where `m = zeros((300, 8))` but for `m[37:260, 1:3] = m[5, 4] =
    /// m[:299, 6] = m[100:120, 7] = 1`, and its runs counted one by one.
    #[test]
    fn packed_runs_are_unpacked() {
        let packed = r"a:o6]20\8RIi7Z9c@YG_2";
        let runs = [337, 223, 77, 223, 345, 1, 594, 299, 101, 20, 180];
        assert_eq!(unpack(packed).unwrap(), runs);
        assert_eq!(pack(&runs), packed);
    }

    #[test]
    fn broken_runs_are_refused() {
        for broken in ["P", "0 0", "/", "0O", "PPPPPPPPPPPP0", "ä"] {
            assert!(unpack(broken).is_err(), "{broken:?} is read");
        }
    }

    #[test]
    fn runs_go_on_from_foot_to_head() {
        let labels = drawn(&["...2", ".112", "..12", ".112"]);
        let runs: Vec<_> = components(&labels).iter().map(|found| found.runs([4, 4])).collect();
        assert_eq!(runs, [vec![12, 4, 0], vec![5, 1, 1, 1, 1, 3, 4]]);
    }
}
