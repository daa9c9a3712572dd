//! A small PDF file of lines of text, in the format of PDF 1.4 (ISO 32000-1). It uses a font that every
//! reader has, so it contains no font and no image.

use std::fmt::Write as _;

/// The number of lines of a page.
const PAGE_LINES: usize = 50;
/// The maximum length of a line, in characters. Longer lines are cut.
const LINE_CHARS_MAX: usize = 90;

/// Writes a file with these lines, in as many pages as they need.
pub(super) fn document(lines: &[String]) -> Vec<u8> {
    let pages: Vec<&[String]> = lines.chunks(PAGE_LINES).collect();
    // The objects 1 to 3 are the catalog, the list of pages and the font. Each page has two more.
    let kids: Vec<String> = (0..pages.len()).map(|page| format!("{} 0 R", 4 + 2 * page)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), pages.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
            .to_owned(),
    ];
    for (page, lines) in pages.into_iter().enumerate() {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] \
             /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
            5 + 2 * page
        ));
        let mut text = "BT /F1 11 Tf 14 TL 56 736 Td".to_owned();
        for line in lines {
            let _ = write!(text, " ({}) Tj T*", escaped(line));
        }
        text.push_str(" ET");
        objects.push(format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()));
    }
    let mut file = "%PDF-1.4\n".to_owned();
    let mut offsets = Vec::with_capacity(objects.len());
    for (index, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        let _ = write!(file, "{} 0 obj\n{object}\nendobj\n", index + 1);
    }
    let (table, count) = (file.len(), objects.len() + 1);
    let _ = write!(file, "xref\n0 {count}\n0000000000 65535 f \n");
    for offset in offsets {
        let _ = writeln!(file, "{offset:010} 00000 n ");
    }
    let _ = write!(file, "trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n");
    file.into_bytes()
}

/// Escapes a text. Characters that the encoding of the font does not have become question marks.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars().take(LINE_CHARS_MAX) {
        match letter {
            '(' | ')' | '\\' => escaped.extend(['\\', letter]),
            ' '..='~' => escaped.push(letter),
            '\u{a0}'..='\u{ff}' => {
                let _ = write!(escaped, "\\{:03o}", u32::from(letter));
            }
            _ => escaped.push('?'),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table at the end has the position of every object, and texts are escaped.
    #[test]
    fn positions_are_right() {
        let lines: Vec<String> = (0..60).map(|line| format!("Käse (\\{line}) €")).collect();
        let file = String::from_utf8(document(&lines)).unwrap();
        assert!(file.is_ascii() && file.starts_with("%PDF-1.4\n") && file.ends_with("%%EOF\n"));
        assert!(file.contains(r"(K\344se \(\\59\) ?) Tj") && file.contains("/Count 2"));
        let (_, table) = file.split_once("xref\n").unwrap();
        let offsets = table.lines().skip(2).take_while(|line| line.ends_with("n "));
        let offsets: Vec<usize> = offsets.map(|line| line[..10].parse().unwrap()).collect();
        assert_eq!(offsets.len(), 7);
        for (index, offset) in offsets.into_iter().enumerate() {
            assert!(file[offset..].starts_with(&format!("{} 0 obj\n", index + 1)));
        }
        let start: usize = file.lines().rev().nth(1).unwrap().parse().unwrap();
        assert!(file[start..].starts_with("xref\n"));
    }
}
