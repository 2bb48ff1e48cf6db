//! What the reader sees: plain lines, coloured where there is a terminal.
//!
//! Whatever others wrote is shown without its control characters; a terminal would obey them.

use std::env;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _, stdout};

use crate::protocol::Entry;

const RESET: &str = "\x1b[0m";
const DIM: &str = "\x1b[2m";
const RED: &str = "\x1b[31m";
/// For names: none is hard to read on a dark or a light ground.
const COLOURS: [&str; 6] = [
    "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[34m", "\x1b[35m", "\x1b[36m",
];

/// Whether what is shown may have colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Plain,
    Coloured,
    /// Nothing is shown at all.
    #[cfg(test)]
    Hidden,
}

/// Standard output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen(Style);

impl Screen {
    /// Colours are for terminals, and not for those who set `NO_COLOR` to anything.
    pub(crate) fn new() -> Self {
        let is_unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(if stdout().is_terminal() && !is_unwanted {
            Style::Coloured
        } else {
            Style::Plain
        })
    }

    /// For tests of others.
    #[cfg(test)]
    pub(crate) const HIDDEN: Self = Self(Style::Hidden);

    /// Something that happened.
    pub(crate) fn note(self, text: &str) {
        self.show(&self.painted(DIM, &format!("* {}", harmless(text))));
    }

    /// Something that did not work.
    pub(crate) fn problem(self, text: &str) {
        self.show(&self.painted(RED, &format!("! {}", harmless(text))));
    }

    /// Something that was said. `number` is that of its picture, if it has one.
    pub(crate) fn entry(self, entry: &Entry, number: Option<usize>) {
        let mut line = self.painted(colour(&entry.name), &harmless(&entry.name));
        line += ": ";
        if let Some(text) = &entry.text {
            line += &harmless(text);
        }
        if let (Some(picture), Some(number)) = (&entry.picture, number) {
            let (media_type, kib) = (harmless(&picture.media_type), picture.bytes.len().div_ceil(1024));
            line += &format!("[picture {media_type} {kib} KiB]");
            line += &self.painted(DIM, &format!(" /save {number} FILE"));
        }
        self.show(&line);
    }

    fn painted(self, colour: &str, text: &str) -> String {
        match self.0 {
            Style::Coloured => format!("{colour}{text}{RESET}"),
            _ => text.to_owned(),
        }
    }

    /// Shows a line, whole: handlers and the reader's commands come from several threads.
    fn show(self, line: &str) {
        #[cfg(test)]
        if self.0 == Style::Hidden {
            return;
        }
        // Nobody looks any more if this fails; the input will end, too.
        let _ = writeln!(stdout().lock(), "{line}");
    }
}

/// The same name has the same colour for everyone who has six of them.
fn colour(name: &str) -> &'static str {
    let sum: usize = name.bytes().map(usize::from).sum();
    COLOURS[sum % COLOURS.len()]
}

/// `text` with every character spelt out that a terminal would obey or that turns the direction of writing. The lines
/// of a text with several stay lines, set in so that none looks like somebody else's.
fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.trim_end().chars() {
        match character {
            '\n' => shown.push_str("\n    "),
            '\t' => shown.push(' '),
            '\r' => {}
            _ if character.is_control() || is_invisible(character) => {
                // Writing to a String never fails.
                let _ = write!(shown, "{}", character.escape_unicode());
            }
            _ => shown.push(character),
        }
    }
    shown
}

/// Separators of lines, marks and overrides of the direction of writing.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_others_are_spelt_out() {
        assert_eq!(harmless("\x1b[2Jgone\x07"), r"\u{1b}[2Jgone\u{7}");
        assert_eq!(harmless("\u{9b}31m"), r"\u{9b}31m");
        assert_eq!(harmless("a\u{202e}b"), r"a\u{202e}b");
    }

    #[test]
    fn the_lines_of_a_text_are_set_in() {
        assert_eq!(harmless("one\r\ntwo\tthree\n"), "one\n    two three");
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        assert_eq!(harmless("Grüße, 你好 👋"), "Grüße, 你好 👋");
    }
}
