//! A class: its number in label maps, its name, its colour.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A class. Numbers run from 1 to 250.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    pub number: u8,
    pub name: String,
    pub colour: Colour,
}

/// Red, green and blue; as text "#rrggbb".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Colour(pub [u8; 3]);

impl Colour {
    /// The colour of the class of a number where none was chosen: around the circle of hues by the golden section, so that
    /// neighbours differ, however many there are.
    pub fn of(number: u8) -> Self {
        let hue = (f32::from(number) * 0.618_034).fract() * 6.0;
        // The distance of each channel's peak on the circle of hues, 0..6: red at 0, green at 2, blue at 4.
        let channel = |peak: f32| {
            let away = (hue - peak).abs();
            (2.0 - away.min(6.0 - away)).clamp(0.0, 1.0)
        };
        Self([0.0, 2.0, 4.0].map(|peak| (40.0 + 200.0 * channel(peak)) as u8))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl FromStr for Colour {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let six = |digits: &&str| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let digits = text.strip_prefix('#').filter(six);
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let [_, rgb @ ..] = number.ok_or_else(|| format!("a colour is \"#rrggbb\", not {text:?}"))?.to_be_bytes();
        Ok(Self(rgb))
    }
}

impl TryFrom<String> for Colour {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Colour> for String {
    fn from(colour: Colour) -> Self {
        colour.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_six_digits() {
        let colour: Colour = "#0a9BfF".parse().unwrap();
        assert_eq!(colour, Colour([10, 155, 255]));
        assert_eq!(colour.to_string(), "#0a9bff");
        for wrong in ["0a9bff", "#0a9bf", "#0a9bfg", "#ä9bff", "red", "#+a9bff"] {
            assert!(wrong.parse::<Colour>().is_err(), "{wrong} is a colour");
        }
    }

    #[test]
    fn neighbours_have_other_colours() {
        let colours: Vec<_> = (1..=250).map(Colour::of).collect();
        assert!(colours.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
