//! Lists written as one literal, in JSON or as Python prints it: `{0: ['path', ...], ...}` or
//! `{1: [('path', 'labels'), ...], ...}`. Only this shape is read, and nothing is evaluated.

/// One picture of the literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub line: usize,
    /// The key that it stands under.
    pub class: usize,
    pub picture: String,
    pub labels: Option<String>,
}

/// The pictures in the order in which they are written.
///
/// # Errors
/// With the line and what was expected there.
pub(super) fn parse(text: &str) -> Result<Vec<Item>, String> {
    let mut reader = Reader { rest: text, line: 1 };
    let mut items = Vec::new();
    reader.expect('{')?;
    reader.until('}', |reader| {
        let class = reader.key()?;
        reader.expect(':')?;
        reader.expect('[')?;
        reader.until(']', |reader| {
            items.push(reader.item(class)?);
            Ok(())
        })
    })?;
    match reader.peek() {
        None => Ok(items),
        Some(_) => Err(reader.expected("the end")),
    }
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    /// A picture, or a pair of a picture and its labels.
    fn item(&mut self, class: usize) -> Result<Item, String> {
        let (open, line) = (self.peek(), self.line);
        let close = match open {
            Some('(') => ')',
            Some('[') => ']',
            _ => return Ok(Item { line, class, picture: self.string()?, labels: None }),
        };
        self.rest = &self.rest[1..];
        let picture = self.string()?;
        self.expect(',')?;
        let labels = Some(self.string()?);
        self.expect(close)?;
        Ok(Item { line, class, picture, labels })
    }

    /// What `each` reads, with commas between and maybe one behind, up to `close`.
    fn until(&mut self, close: char, mut each: impl FnMut(&mut Self) -> Result<(), String>) -> Result<(), String> {
        while self.peek() != Some(close) {
            each(self)?;
            match self.peek() {
                Some(',') => self.expect(',')?,
                _ => return self.expect(close),
            }
        }
        self.expect(close)
    }

    /// A number, which JSON puts in quotes.
    fn key(&mut self) -> Result<usize, String> {
        let digits = match self.peek() {
            Some('"' | '\'') => self.string()?,
            _ => {
                let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
                let (digits, rest) = self.rest.split_at(end);
                self.rest = rest;
                digits.to_owned()
            }
        };
        digits.parse().map_err(|_| self.expected("the number of a class"))
    }

    fn string(&mut self) -> Result<String, String> {
        let quote = self.peek().filter(|c| ['"', '\''].contains(c)).ok_or_else(|| self.expected("a path in quotes"))?;
        let mut string = String::new();
        let mut characters = self.rest[1..].char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => match characters.next() {
                    Some((_, escaped @ ('\\' | '/' | '"' | '\''))) => string.push(escaped),
                    _ => return Err(self.expected("a path without escapes")),
                },
                end if end == quote => {
                    self.rest = &self.rest[1 + at + 1..];
                    return Ok(string);
                }
                other => string.push(other),
            }
        }
        Err(self.expected("the closing quote of a path"))
    }

    fn expect(&mut self, character: char) -> Result<(), String> {
        match self.peek() {
            Some(found) if found == character => {
                self.rest = &self.rest[character.len_utf8()..];
                Ok(())
            }
            _ => Err(self.expected(&format!("{character:?}"))),
        }
    }

    /// The next character that is no space; it is what `rest` begins with.
    fn peek(&mut self) -> Option<char> {
        let rest = self.rest.trim_start();
        self.line += self.rest[..self.rest.len() - rest.len()].matches('\n').count();
        self.rest = rest;
        rest.chars().next()
    }

    fn expected(&self, what: &str) -> String {
        let found: String = self.rest.chars().take(20).collect();
        format!("line {}: expected {what}, found {found:?}", self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(line: usize, class: usize, picture: &str, labels: Option<&str>) -> Item {
        Item { line, class, picture: picture.into(), labels: labels.map(str::to_owned) }
    }

    #[test]
    fn json_and_python_are_both_read() {
        let json = parse("{\n\"0\": [\n\"a/b.jpg\",\n\"c\\/d.jpg\"],\n\"7\": []}\n").unwrap();
        assert_eq!(json, [item(3, 0, "a/b.jpg", None), item(4, 0, "c/d.jpg", None)]);
        let python = parse("{1: [('it.jpg', 'it.png'), (\"it's.jpg\", 'its.png',)], 2: [],}");
        assert!(python.unwrap_err().starts_with("line 1: expected ')', found"));
        let python = parse("{1: [('it.jpg', 'it.png'), (\"it's.jpg\", 'its.png')], 12: [('x', 'y')]}").unwrap();
        let expected = [(1, "it.jpg", "it.png"), (1, "it's.jpg", "its.png"), (12, "x", "y")];
        assert_eq!(python, expected.map(|(class, picture, labels)| item(1, class, picture, Some(labels))));
    }

    #[test]
    fn nothing_else_is() {
        let complaint = |text: &str| parse(text).unwrap_err();
        assert_eq!(complaint("{1: [('a', open('b'))]}"), "line 1: expected a path in quotes, found \"open('b'))]}\"");
        assert_eq!(complaint("{1:\n ['a' 'b']}"), "line 2: expected ']', found \"'b']}\"");
        assert!(complaint("{one: []}").contains("the number of a class"));
        assert!(complaint("{1: []} + x").contains("expected the end"));
        assert!(complaint("{1: ['a").contains("the closing quote"));
        assert!(complaint("{1: ['a'").contains("expected ']', found \"\""));
    }
}
