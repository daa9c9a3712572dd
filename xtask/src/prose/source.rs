//! Comments and string literals of a Rust file, each with its line.
//!
//! This reads just enough of the language for the check: comments, strings, characters, and the
//! brackets around a string with the names before them. `Err(format!("no {name}"))` gives one
//! literal inside the calls `Err` and `format!`.

use std::iter::Peekable;
use std::str::Chars;

/// The kind of a line comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `///`, which documents the next item.
    Item,
    /// `//!`, which documents the module.
    Module,
    /// `//`.
    Plain,
}

/// One line of a comment.
#[derive(Debug)]
pub(super) struct Comment {
    pub(super) line: usize,
    pub(super) kind: Kind,
    pub(super) text: String,
}

/// One string literal.
#[derive(Debug)]
pub(super) struct Literal {
    pub(super) line: usize,
    pub(super) text: String,
    /// The names before the open brackets around it, the outermost first.
    pub(super) calls: Vec<String>,
    /// The name that `let` binds in this statement, if any.
    pub(super) binding: String,
    /// The last name before the literal.
    pub(super) name: String,
    /// The last character before the literal, without white space.
    pub(super) before: char,
}

/// A parsed file.
#[derive(Debug, Default)]
pub(super) struct Source {
    pub(super) comments: Vec<Comment>,
    pub(super) literals: Vec<Literal>,
}

impl Source {
    /// Parses a file that compiles.
    pub(super) fn parse(text: &str) -> Self {
        let mut parser = Parser {
            rest: text.chars().peekable(),
            line: 1,
            source: Self::default(),
            calls: Vec::new(),
            binding: String::new(),
            binds_next: false,
            name: String::new(),
            before: ' ',
        };
        while parser.step() {}
        parser.source
    }
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
    source: Source,
    calls: Vec<String>,
    binding: String,
    binds_next: bool,
    name: String,
    before: char,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.line += usize::from(next == Some('\n'));
        next
    }

    fn peek(&mut self) -> char {
        self.rest.peek().copied().unwrap_or('\0')
    }

    /// Reads one token. Returns false at the end of the file.
    fn step(&mut self) -> bool {
        let Some(first) = self.next() else { return false };
        match first {
            '/' if self.peek() == '/' => self.comment(),
            '/' if self.peek() == '*' => self.block_comment(),
            '"' => self.string(),
            '\'' => self.character(),
            '(' | '[' | '{' => {
                if first == '{' {
                    self.binding.clear();
                }
                self.calls.push(std::mem::take(&mut self.name));
            }
            ')' | ']' | '}' => {
                self.calls.pop();
            }
            ';' => self.binding.clear(),
            '!' => self.name.push('!'),
            _ if first.is_alphabetic() || first == '_' => return self.word(first),
            _ => {}
        }
        if !first.is_whitespace() {
            self.before = first;
        }
        true
    }

    /// Reads a name, or a string with a prefix.
    fn word(&mut self, first: char) -> bool {
        let mut word = String::from(first);
        while self.peek().is_alphanumeric() || self.peek() == '_' {
            word.extend(self.next());
        }
        match word.as_str() {
            "b" | "c" if self.peek() == '"' => {
                self.next();
                self.string();
            }
            "r" | "br" | "cr" if matches!(self.peek(), '"' | '#') => self.raw_string(),
            _ => {
                if word == "let" {
                    self.binds_next = true;
                } else if self.binds_next && word != "mut" {
                    self.binds_next = false;
                    self.binding.clone_from(&word);
                }
                self.name = word;
                self.before = 'a';
            }
        }
        true
    }

    fn comment(&mut self) {
        self.next();
        let line = self.line;
        let mut text = String::new();
        while self.rest.peek().is_some_and(|next| *next != '\n') {
            text.extend(self.next());
        }
        let (kind, text) = match text.strip_prefix('/') {
            // Four slashes and more are a line of decoration.
            Some(rest) if rest.starts_with('/') => return,
            Some(rest) => (Kind::Item, rest),
            None => text
                .strip_prefix('!')
                .map_or((Kind::Plain, text.as_str()), |rest| (Kind::Module, rest)),
        };
        let text = text.trim().to_owned();
        self.source.comments.push(Comment { line, kind, text });
    }

    fn block_comment(&mut self) {
        let mut depth = 1;
        self.next();
        while depth > 0 {
            match self.next() {
                Some('*') if self.peek() == '/' => depth -= 1,
                Some('/') if self.peek() == '*' => depth += 1,
                Some(_) => continue,
                None => return,
            }
            self.next();
        }
    }

    fn string(&mut self) {
        let line = self.line;
        let mut text = String::new();
        while let Some(next) = self.next() {
            match next {
                '"' => break,
                '\\' => match self.next() {
                    Some('\n') => {
                        while self.peek().is_whitespace() {
                            self.next();
                        }
                    }
                    Some('n' | 't' | 'r') => text.push(' '),
                    Some(escaped) => text.push(escaped),
                    None => break,
                },
                _ => text.push(next),
            }
        }
        self.literal(line, text);
    }

    fn raw_string(&mut self) {
        let line = self.line;
        let mut hashes = 0;
        while self.peek() == '#' {
            self.next();
            hashes += 1;
        }
        if self.peek() != '"' {
            // A raw name such as `r#type`.
            return;
        }
        self.next();
        let end = format!("\"{}", "#".repeat(hashes));
        let mut text = String::new();
        while let Some(next) = self.next() {
            text.push(next);
            if text.ends_with(&end) {
                text.truncate(text.len() - end.len());
                break;
            }
        }
        self.literal(line, text);
    }

    fn literal(&mut self, line: usize, text: String) {
        self.source.literals.push(Literal {
            line,
            text,
            calls: self.calls.clone(),
            binding: self.binding.clone(),
            name: self.name.clone(),
            before: self.before,
        });
        self.before = '"';
    }

    /// Skips a character such as `'"'`. A lifetime such as `'a` is left to [`Self::word`].
    fn character(&mut self) {
        let mut ahead = self.rest.clone();
        match (ahead.next(), ahead.next()) {
            (Some('\\'), Some(_)) => {
                self.next();
                self.next();
                while self.next().is_some_and(|next| next != '\'') {}
            }
            (Some(_), Some('\'')) => {
                self.next();
                self.next();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Source};

    /// Comments have their kind, and text that looks like a comment inside a string is none.
    #[test]
    fn reads_comments() {
        let source = Source::parse(
            "//! Module.\n/// Item.\nfn f<'a>() {\n    // Plain.\n    let x = \"// no\"; // After.\n\
             \n    let q = '\"'; /* Block /* inner */ . */ //// Line\n}\n",
        );
        let comments: Vec<_> =
            source.comments.iter().map(|it| (it.line, it.kind, it.text.as_str())).collect();
        assert_eq!(
            comments,
            [
                (1, Kind::Module, "Module."),
                (2, Kind::Item, "Item."),
                (4, Kind::Plain, "Plain."),
                (5, Kind::Plain, "After."),
            ]
        );
        assert_eq!(source.literals.len(), 1);
    }

    /// A literal has the calls around it, its binding and the name before it.
    #[test]
    fn reads_literals() {
        let text = r#"fn f() {
            let mut message = "one \"two\" \
                three";
            return Err(Error::invalid(format!(r~"four "five""~)));
        }
        #[error("six")]
        struct S { #[arg(help = "seven")] r~type: u8 }"#;
        let source = Source::parse(&text.replace('~', "#"));
        let [first, second, third, fourth] = &source.literals[..] else {
            panic!("{source:?}");
        };
        assert_eq!((first.text.as_str(), first.binding.as_str()), ("one \"two\" three", "message"));
        assert_eq!((second.text.as_str(), second.binding.as_str()), ("four \"five\"", ""));
        assert!(second.calls.ends_with(&["Err".into(), "invalid".into(), "format!".into()]));
        assert!(third.calls.ends_with(&["error".into()]));
        assert_eq!((fourth.name.as_str(), fourth.before), ("help", '='));
    }
}
