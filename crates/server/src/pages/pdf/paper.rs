//! The pages of a PDF file: a position that moves down, texts, lines, and the numbers of the pages.

use super::font::Font;
use model::color::Color;
use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};

/// The size of a page, US Letter, in points.
const PAGE: (f32, f32) = (612.0, 792.0);
/// The left and the right end of texts.
pub(super) const LEFT: f32 = 56.0;
pub(super) const RIGHT: f32 = PAGE.0 - 56.0;
/// The width of texts.
pub(super) const WIDTH: f32 = RIGHT - LEFT;
/// The first position of a page, and the last one.
const TOP: f32 = PAGE.1 - 76.0;
const BOTTOM: f32 = 72.0;
/// The colours of text, of less important text, and of lines.
const INK: Color = Color([0x16, 0x20, 0x2e]);
const SOFT: Color = Color([0x53, 0x60, 0x70]);
const LINE: Color = Color([0xd0, 0xd7, 0xe0]);

/// The names of the fonts in the file.
const REGULAR: Name<'static> = Name(b"R");
const BOLD: Name<'static> = Name(b"B");

/// One of the two fonts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    /// Plain text.
    Regular,
    /// Headings.
    Bold,
}

/// The pages of a file in progress.
pub(super) struct Paper {
    regular: Font,
    bold: Font,
    color: Color,
    full: Vec<Content>,
    page: Content,
    y: f32,
}

impl Paper {
    /// Begins the first page. `color` is that of the line at its top.
    pub(super) fn new(color: Color) -> Self {
        let page = begun(color);
        let (regular, bold) = (Font::regular(), Font::bold());
        Self { regular, bold, color, full: Vec::new(), page, y: TOP }
    }

    /// Moves down.
    pub(super) fn down(&mut self, points: f32) {
        self.y -= points;
    }

    /// Begins another page if this one has no place for so many points. Returns true if it did.
    pub(super) fn need(&mut self, points: f32) -> bool {
        let begins = self.y - points < BOTTOM;
        if begins {
            let page = std::mem::replace(&mut self.page, begun(self.color));
            self.full.push(page);
            self.y = TOP;
        }
        begins
    }

    /// Writes a text that begins at `left`.
    pub(super) fn text(&mut self, face: Face, size: f32, left: f32, text: &str) {
        self.write(face, size, left, text, INK);
    }

    /// Writes a text that ends at `right`.
    pub(super) fn text_to(&mut self, face: Face, size: f32, right: f32, text: &str) {
        let left = right - self.font(face).width(text, size);
        self.write(face, size, left, text, INK);
    }

    /// Writes a less important text that begins at `left`.
    pub(super) fn soft_text(&mut self, size: f32, left: f32, text: &str) {
        self.write(Face::Regular, size, left, text, SOFT);
    }

    /// Writes a less important text that ends at `right`.
    pub(super) fn soft_text_to(&mut self, size: f32, right: f32, text: &str) {
        let left = right - self.regular.width(text, size);
        self.write(Face::Regular, size, left, text, SOFT);
    }

    /// Draws a line from `left` to the right end of the page, some points above the position.
    pub(super) fn rule(&mut self, left: f32, above: f32) {
        let [red, green, blue] = shares(LINE);
        self.page.set_stroke_rgb(red, green, blue).set_line_width(0.75);
        self.page.move_to(left, self.y + above).line_to(RIGHT, self.y + above).stroke();
    }

    /// Divides a text into lines of this width. A longer word is divided too.
    pub(super) fn wrapped(&self, face: Face, size: f32, text: &str, width: f32) -> Vec<String> {
        let font = self.font(face);
        let fits = |line: &str| font.width(line, size) <= width;
        let mut lines = Vec::new();
        let mut line = String::new();
        for word in text.split_whitespace() {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if fits(&longer) {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for letter in word.chars() {
                line.push(letter);
                if !fits(&line) && line.chars().count() > 1 {
                    line.pop();
                    lines.push(std::mem::take(&mut line));
                    line.push(letter);
                }
            }
        }
        if !line.is_empty() || lines.is_empty() {
            lines.push(line);
        }
        lines
    }

    /// Numbers the pages and writes the file.
    pub(super) fn finish(mut self, title: &str, author: &str) -> Vec<u8> {
        let mut pages = std::mem::take(&mut self.full);
        pages.push(std::mem::replace(&mut self.page, Content::new()));
        let count = pages.len();
        let pages: Vec<Vec<u8>> = pages
            .into_iter()
            .enumerate()
            .map(|(place, page)| {
                self.page = page;
                self.y = BOTTOM - 32.0;
                self.soft_text(8.0, LEFT, title);
                self.soft_text_to(8.0, RIGHT, &format!("Page {} of {count}", place + 1));
                std::mem::replace(&mut self.page, Content::new()).finish().to_vec()
            })
            .collect();
        self.assemble(&pages, title, author)
    }

    fn assemble(&self, pages: &[Vec<u8>], title: &str, author: &str) -> Vec<u8> {
        let mut next = 0;
        let mut fresh = || {
            next += 1;
            Ref::new(next)
        };
        let [catalog, tree, info, regular, bold] = std::array::from_fn(|_| fresh());
        let [regular_parts, bold_parts]: [[Ref; 4]; 2] =
            std::array::from_fn(|_| std::array::from_fn(|_| fresh()));
        let ids: Vec<(Ref, Ref)> = pages.iter().map(|_| (fresh(), fresh())).collect();
        let mut pdf = Pdf::new();
        pdf.catalog(catalog).pages(tree).lang(TextStr("en"));
        pdf.document_info(info).title(TextStr(title)).author(TextStr(author));
        let count = i32::try_from(ids.len()).unwrap_or(i32::MAX);
        pdf.pages(tree).kids(ids.iter().map(|(page, _)| *page)).count(count);
        for ((id, content), bytes) in ids.into_iter().zip(pages) {
            let mut page = pdf.page(id);
            page.parent(tree).media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1)).contents(content);
            let mut resources = page.resources();
            resources.fonts().pair(REGULAR, regular).pair(BOLD, bold);
            resources.finish();
            page.finish();
            pdf.stream(content, bytes);
        }
        self.regular.write(&mut pdf, regular, regular_parts);
        self.bold.write(&mut pdf, bold, bold_parts);
        pdf.finish()
    }

    fn write(&mut self, face: Face, size: f32, left: f32, text: &str, color: Color) {
        let (font, name) = match face {
            Face::Regular => (&mut self.regular, REGULAR),
            Face::Bold => (&mut self.bold, BOLD),
        };
        let run = font.encode(text);
        if run.hides {
            let mut span = self.page.begin_marked_content_with_properties(Name(b"Span"));
            span.properties().actual_text(TextStr(text));
        }
        let [red, green, blue] = shares(color);
        self.page
            .begin_text()
            .set_font(name, size)
            .set_fill_rgb(red, green, blue)
            .next_line(left, self.y)
            .show(Str(&run.codes))
            .end_text();
        if run.hides {
            self.page.end_marked_content();
        }
    }

    fn font(&self, face: Face) -> &Font {
        match face {
            Face::Regular => &self.regular,
            Face::Bold => &self.bold,
        }
    }
}

/// A page with the line at its top.
fn begun(color: Color) -> Content {
    let mut page = Content::new();
    let [red, green, blue] = shares(color);
    page.set_fill_rgb(red, green, blue).rect(0.0, PAGE.1 - 6.0, PAGE.0, 6.0).fill_nonzero();
    page
}

/// A colour in the numbers of PDF, from 0 to 1.
fn shares(color: Color) -> [f32; 3] {
    color.0.map(|channel| f32::from(channel) / 255.0)
}
