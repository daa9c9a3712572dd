//! Sentences of a Markdown document: those of its paragraphs and lists, and table cells of ten words
//! or more. Headings, code, HTML and link definitions are not prose.

/// Words of a table cell that counts as prose.
const CELL_WORDS_MIN: usize = 10;
/// Words of a sentence that is measured.
const SENTENCE_WORDS_MIN: usize = 4;

/// A sentence with the line where its paragraph or cell begins. Code, parentheses and addresses are
/// replaced by `x`.
#[derive(Debug)]
pub(super) struct Sentence {
    pub(super) line: usize,
    pub(super) text: String,
}

/// The sentences of a document.
pub(super) fn sentences(text: &str) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    let (mut paragraph, mut begins, mut in_code) = (String::new(), 1, false);
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        let is_fence = line.starts_with("```");
        let ends = is_fence || line.is_empty() || line.starts_with(['|', '#', '<', '[']);
        let item = list_item(line);
        if ends || item.is_some() {
            split(&paragraph, begins, &mut sentences);
            paragraph.clear();
        }
        in_code ^= is_fence;
        if in_code || is_fence {
            continue;
        }
        if line.starts_with('|') {
            for cell in plain(line).split('|').map(str::trim) {
                if cell.split_whitespace().count() >= CELL_WORDS_MIN {
                    split(cell, number, &mut sentences);
                }
            }
        } else if !ends {
            if paragraph.is_empty() {
                begins = number;
            }
            paragraph.push_str(item.unwrap_or(line));
            paragraph.push(' ');
        }
    }
    split(&paragraph, begins, &mut sentences);
    sentences
}

/// The text of a list item without its marker, or `None` for another line.
fn list_item(line: &str) -> Option<&str> {
    let number = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let numbered = number.strip_prefix(". ").filter(|_| number.len() < line.len());
    numbered.or_else(|| ["- ", "* ", "+ "].iter().find_map(|marker| line.strip_prefix(marker)))
}

/// Splits a paragraph after each full stop, exclamation mark or question mark before a capital.
fn split(paragraph: &str, line: usize, sentences: &mut Vec<Sentence>) {
    let paragraph = plain(paragraph);
    let mut text = String::new();
    let mut words = paragraph.split_whitespace().peekable();
    while let Some(word) = words.next() {
        text.push_str(word);
        let ends = word.ends_with(['.', '!', '?'])
            && words
                .peek()
                .is_none_or(|next| next.starts_with(|c: char| c.is_ascii_uppercase() || c == '*'));
        if ends || words.peek().is_none() {
            if text.split_whitespace().count() >= SENTENCE_WORDS_MIN {
                sentences.push(Sentence { line, text: std::mem::take(&mut text) });
            }
            text.clear();
        } else {
            text.push(' ');
        }
    }
}

/// The text with `x` in the place of code, parentheses and addresses.
fn plain(text: &str) -> String {
    let mut plain = without(&without(text, '`', '`'), '(', ')');
    while let Some(start) = plain.find("http://").or_else(|| plain.find("https://")) {
        let length = plain[start..].find(char::is_whitespace).unwrap_or(plain.len() - start);
        plain.replace_range(start..start + length, "x");
    }
    plain
}

/// The text with `x` in the place of each part between two signs.
pub(super) fn without(text: &str, open: char, close: char) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open) {
        plain.push_str(before);
        let Some((_, after)) = after.split_once(close) else {
            rest = after;
            continue;
        };
        plain.push('x');
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// True if the sentence has a clause after a colon.
pub(super) fn has_colon_clause(sentence: &str) -> bool {
    sentence.match_indices(':').any(|(at, _)| {
        let after = &sentence[at + 1..];
        let next = after.trim_start();
        next.len() < after.len() && next.starts_with(|letter: char| letter.is_ascii_lowercase())
    })
}

/// True if the sentence begins with a question word or another inversion.
pub(super) fn is_inverted(sentence: &str) -> bool {
    let text = sentence.trim_start_matches(|letter: char| !letter.is_alphanumeric());
    let starts = [
        "What", "Whose", "Who", "Whoever", "Of", "Nobody", "Nothing", "None", "That a", "That the",
    ];
    starts.iter().any(|start| {
        text.strip_prefix(start)
            .is_some_and(|rest| !rest.starts_with(|letter: char| letter.is_alphanumeric()))
    })
}

#[cfg(test)]
mod tests {
    use super::{has_colon_clause, is_inverted, sentences};

    fn texts(document: &str) -> Vec<String> {
        sentences(document).into_iter().map(|sentence| sentence.text).collect()
    }

    /// Paragraphs and list items are split into sentences. Headings, code and links are left out.
    #[test]
    fn reads_sentences() {
        let found = texts(
            "# A heading with four words\n\nOne sentence on\ntwo lines here. Another `a; b` with \
             [a link](https://x.example/a;b) in it.\n\n```\nlet code = not prose at all;\n```\n\
             - An item of a list.\n- Too short.\n",
        );
        assert_eq!(
            found,
            [
                "One sentence on two lines here.",
                "Another x with [a link]x in it.",
                "An item of a list."
            ]
        );
    }

    /// Only table cells of ten words or more are sentences.
    #[test]
    fn reads_long_cells() {
        let found = texts(
            "| short cell here now | a cell that has ten words because of all these words |\n",
        );
        assert_eq!(found, ["a cell that has ten words because of all these words"]);
    }

    /// A colon counts before a word in lower case, and an inversion at the beginning only.
    #[test]
    fn finds_bad_habits() {
        assert!(has_colon_clause("One thing: another"));
        assert!(!has_colon_clause("At 12:30 see x: Another"));
        assert!(is_inverted("**What a client sends** is kept."));
        assert!(!is_inverted("Often it is of use. Offers are not."));
        assert!(!is_inverted("Offers are rejected."));
    }
}
