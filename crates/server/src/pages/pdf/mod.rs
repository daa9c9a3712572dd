//! An invoice as a PDF file that looks like its page.
//!
//! The crates `pdf-writer`, `subsetter` and `ttf-parser` write the file, and this module places the
//! texts. [`Bill`] is the content, [`paper`] has the pages and [`font`] the fonts.

mod font;
mod paper;

use model::color::Color;
use paper::{Face, LEFT, Paper, RIGHT, WIDTH};

/// The content of a file.
pub(super) struct Bill {
    /// The heading.
    pub(super) title: String,
    /// The number, which the name of the document and the foot of each page contain.
    pub(super) number: String,
    /// The merchant's name.
    pub(super) merchant_name: String,
    /// The colour of the line at the top.
    pub(super) color: Color,
    /// Names and values above the table.
    pub(super) facts: Vec<(&'static str, String)>,
    /// The lines of the merchant, and those of the addressee.
    pub(super) parties: [(&'static str, Vec<String>); 2],
    /// The sentence with the amount.
    pub(super) amount: String,
    /// The lines of the table.
    pub(super) rows: Vec<Row>,
    /// The sums below the table. The last is the amount due.
    pub(super) sums: Vec<(String, String)>,
    /// The note at the end.
    pub(super) note: Option<&'static str>,
}

/// A line of the table. All but the first text are numbers.
pub(super) struct Row {
    pub(super) what: String,
    pub(super) quantity: String,
    pub(super) each: String,
    pub(super) amount: String,
}

/// The right ends of the columns with numbers.
const QUANTITY: f32 = LEFT + 320.0;
const EACH: f32 = LEFT + 412.0;
/// The width of the column with the text.
const WHAT_WIDTH: f32 = 250.0;
/// The size of plain text, and the distance of its lines.
const SIZE: f32 = 9.5;
const LEADING: f32 = 14.0;

/// Writes the file.
pub(super) fn document(bill: &Bill) -> Vec<u8> {
    let mut paper = Paper::new(bill.color);
    paper.text(Face::Bold, 22.0, LEFT, &bill.title);
    paper.text_to(Face::Bold, 12.0, RIGHT, &bill.merchant_name);
    paper.down(34.0);
    for (name, value) in &bill.facts {
        paper.soft_text(SIZE, LEFT, name);
        paper.text(Face::Regular, SIZE, LEFT + 96.0, value);
        paper.down(LEADING);
    }
    paper.down(16.0);
    parties(&mut paper, &bill.parties);
    paper.down(24.0);
    for line in paper.wrapped(Face::Bold, 15.0, &bill.amount, WIDTH) {
        paper.text(Face::Bold, 15.0, LEFT, &line);
        paper.down(22.0);
    }
    paper.down(14.0);
    table(&mut paper, &bill.rows);
    sums(&mut paper, &bill.sums);
    if let Some(note) = bill.note {
        paper.need(40.0);
        paper.down(26.0);
        paper.soft_text(SIZE, LEFT, note);
    }
    let name = format!("{} {}", bill.title, bill.number);
    paper.finish(&name, &bill.merchant_name)
}

/// Writes the merchant and the addressee beside each other.
fn parties(paper: &mut Paper, parties: &[(&'static str, Vec<String>); 2]) {
    let half = WIDTH / 2.0;
    let columns = [LEFT, LEFT + half].into_iter().zip(parties);
    let columns: Vec<(f32, &str, Vec<String>)> = columns
        .map(|(left, (name, lines))| {
            let wrapped = lines
                .iter()
                .flat_map(|line| paper.wrapped(Face::Regular, SIZE, line, half - 16.0))
                .collect();
            (left, *name, wrapped)
        })
        .collect();
    for (left, name, _) in &columns {
        paper.text(Face::Bold, SIZE, *left, name);
    }
    paper.down(LEADING);
    let height = columns.iter().map(|(_, _, lines)| lines.len()).max().unwrap_or(0);
    for place in 0..height {
        for (left, _, lines) in &columns {
            if let Some(line) = lines.get(place) {
                paper.text(Face::Regular, SIZE, *left, line);
            }
        }
        paper.down(LEADING);
    }
}

/// Writes the table. A page that continues it begins with its head.
fn table(paper: &mut Paper, rows: &[Row]) {
    head(paper);
    for row in rows {
        let lines = paper.wrapped(Face::Regular, SIZE, &row.what, WHAT_WIDTH);
        for (place, line) in lines.iter().enumerate() {
            // A text that is longer than a page continues on the next one.
            if paper.need(LEADING) {
                head(paper);
            }
            paper.text(Face::Regular, SIZE, LEFT, line);
            if place == 0 {
                paper.text_to(Face::Regular, SIZE, QUANTITY, &row.quantity);
                paper.text_to(Face::Regular, SIZE, EACH, &row.each);
                paper.text_to(Face::Regular, SIZE, RIGHT, &row.amount);
            }
            paper.down(LEADING);
        }
        paper.down(6.0);
    }
    paper.rule(LEFT, 8.0);
}

fn head(paper: &mut Paper) {
    paper.soft_text(8.0, LEFT, "Description");
    for (right, name) in [(QUANTITY, "Quantity"), (EACH, "Unit price"), (RIGHT, "Amount")] {
        paper.soft_text_to(8.0, right, name);
    }
    paper.down(8.0);
    paper.rule(LEFT, 0.0);
    paper.down(18.0);
}

/// Writes the sums below the column of amounts.
fn sums(paper: &mut Paper, sums: &[(String, String)]) {
    let left = LEFT + WIDTH / 2.0;
    paper.down(8.0);
    for (place, (name, sum)) in sums.iter().enumerate() {
        let face = if place + 1 == sums.len() { Face::Bold } else { Face::Regular };
        let size = if face == Face::Bold { 11.0 } else { SIZE };
        // The amount due is not alone on a page unless it was too long for the previous one.
        paper.need(if place == 0 { LEADING * 3.0 } else { LEADING });
        paper.text(face, size, left, name);
        paper.text_to(face, size, RIGHT, sum);
        paper.down(6.0);
        if place + 1 < sums.len() {
            paper.rule(left, 0.0);
        }
        paper.down(14.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bill(rows: usize, what: &str) -> Bill {
        let row = |place: usize| Row {
            what: format!("{what} {place}"),
            quantity: "1".to_owned(),
            each: "$1.00".to_owned(),
            amount: "$1.00".to_owned(),
        };
        Bill {
            title: "Invoice".to_owned(),
            number: "A-0001".to_owned(),
            merchant_name: "Rocket Tea".to_owned(),
            color: Color([42, 79, 214]),
            facts: vec![("Invoice", "A-0001".to_owned())],
            parties: [("From", vec!["Rocket Tea".to_owned()]), ("To", Vec::new())],
            amount: "$1.00 due".to_owned(),
            rows: (0..rows).map(row).collect(),
            sums: vec![("Amount due".to_owned(), "$1.00".to_owned())],
            note: None,
        }
    }

    fn count(file: &[u8], wanted: &str) -> usize {
        file.windows(wanted.len()).filter(|window| *window == wanted.as_bytes()).count()
    }

    /// A long table continues on further pages, and the file contains only the glyphs that it uses.
    #[test]
    fn long_tables_continue() {
        let (short, long) = (document(&bill(1, "Tea")), document(&bill(100, "Tea")));
        assert!(short.starts_with(b"%PDF-"));
        assert_eq!((count(&short, "/MediaBox"), count(&long, "/MediaBox")), (1, 4));
        assert!(short.len() < 40_000, "{} bytes", short.len());
        assert_eq!(document(&bill(100, "Tea")), long, "an invoice is always the same file");
    }

    /// Text without spaces that is wider than its column is divided, also over pages.
    #[test]
    fn long_words_are_divided() {
        let file = document(&bill(1, &"W".repeat(6_000)));
        assert!(count(&file, "/MediaBox") > 3);
    }

    /// The file has the meaning of every glyph, and beside signs the characters that they hide.
    #[test]
    fn text_can_be_searched() {
        let plain = document(&bill(1, "Käse Ελιά Чай Łódź – “€”"));
        assert_eq!((count(&plain, "/ToUnicode"), count(&plain, "/ActualText")), (2, 0));
        let hidden = document(&bill(1, "Thé 茶\u{7}"));
        assert_eq!(count(&hidden, "/ActualText"), 1);
    }
}
