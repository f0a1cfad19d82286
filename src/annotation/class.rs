//! A class: its number in label maps, its name, its colour.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::MAX_CLASS;

/// A class to look for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// From 1 to [`MAX_CLASS`]; labels say it so.
    pub number: u8,
    pub name: String,
    pub colour: Colour,
}

/// Red, green and blue; as text "#rrggbb".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Colour(pub [u8; 3]);

/// What is wrong with classes, if anything is.
pub(crate) fn complaint(classes: &[Class]) -> Option<String> {
    let mut taken = [false; 1 + MAX_CLASS as usize];
    taken[0] = true;
    for Class { number, name, .. } in classes {
        match taken.get_mut(usize::from(*number)) {
            Some(taken) if !*taken => *taken = true,
            _ => return Some(format!("{name} has the number {number}; numbers run from 1 to {MAX_CLASS}, once each")),
        }
    }
    None
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
}
