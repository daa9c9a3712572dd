//! The fonts of a PDF file. Only the glyphs that the file uses are put into it, with the characters
//! that they mean, so that the text of the file can be selected and searched.
//!
//! The fonts are Noto Sans, whose licence is beside them. They have the letters of Latin, Greek and
//! Cyrillic scripts. A reader shows a sign in place of another character, and copies and finds the
//! character itself ([`Run::hides`]).

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Name, Pdf, Rect, Ref, Str};
use std::collections::BTreeMap;
use subsetter::GlyphRemapper;
use ttf_parser::{Face, GlyphId};

const REGULAR: &[u8] = include_bytes!("../assets/pdf/NotoSans-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../assets/pdf/NotoSans-Bold.ttf");
/// The sign for a character that the font does not have.
const REPLACEMENT: char = '\u{fffd}';
/// The mapping of codes to glyphs: none, because a code is the number of its glyph.
const IDENTITY: Name<'static> = Name(b"Identity");
const SYSTEM: SystemInfo<'static> =
    SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// One font of a file, with the glyphs that the file uses.
pub(super) struct Font {
    data: &'static [u8],
    face: Face<'static>,
    /// The name of the subset. A subset has a tag of six letters before the name.
    name: &'static [u8],
    glyphs: GlyphRemapper,
    /// The character and the width of each used glyph, by its number in the file.
    used: BTreeMap<u16, (char, f32)>,
}

/// A text as codes of a font.
pub(super) struct Run {
    /// Two bytes for each glyph.
    pub(super) codes: Vec<u8>,
    /// True if a sign is in place of a character.
    pub(super) hides: bool,
}

impl Font {
    /// The font of plain text.
    pub(super) fn regular() -> Self {
        Self::of(REGULAR, b"BFREGU+NotoSans-Regular")
    }

    /// The font of headings.
    pub(super) fn bold() -> Self {
        Self::of(BOLD, b"BFBOLD+NotoSans-Bold")
    }

    fn of(data: &'static [u8], name: &'static [u8]) -> Self {
        let face = match Face::parse(data, 0) {
            Ok(face) => face,
            Err(error) => unreachable!("the font is a part of the program: {error}"),
        };
        Self { data, face, name, glyphs: GlyphRemapper::new(), used: BTreeMap::new() }
    }

    /// Encodes a text, and adds its glyphs to the file.
    pub(super) fn encode(&mut self, text: &str) -> Run {
        let mut run = Run { codes: Vec::with_capacity(text.len() * 2), hides: false };
        for letter in text.chars() {
            let shown = self.shown(letter);
            run.hides |= shown != letter;
            let glyph = self.glyph(shown);
            let code = self.glyphs.remap(glyph.0);
            let width = self.advance(glyph);
            self.used.insert(code, (shown, width));
            run.codes.extend(code.to_be_bytes());
        }
        run
    }

    /// The width of a text of this size, in points.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        let widths = text.chars().map(|letter| self.advance(self.glyph(self.shown(letter))));
        widths.sum::<f32>() * size / 1_000.0
    }

    /// Writes the font, and the four objects that it consists of.
    pub(super) fn write(&self, pdf: &mut Pdf, id: Ref, parts: [Ref; 4]) {
        let [cid, descriptor, file, cmap] = parts;
        let name = Name(self.name);
        pdf.type0_font(id)
            .base_font(name)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(cid)
            .to_unicode(cmap);
        let mut font = pdf.cid_font(cid);
        font.subtype(CidFontType::Type2)
            .base_font(name)
            .system_info(SYSTEM)
            .font_descriptor(descriptor)
            .default_width(0.0)
            .cid_to_gid_map_predefined(IDENTITY);
        let mut widths = font.widths();
        for (code, (_, width)) in &self.used {
            widths.consecutive(*code, [*width]);
        }
        drop(widths);
        drop(font);
        self.write_descriptor(pdf, descriptor, file);
        let subset = match subsetter::subset(self.data, 0, &self.glyphs) {
            Ok(subset) => subset,
            Err(error) => unreachable!("the font is a part of the program: {error}"),
        };
        let bytes = i32::try_from(subset.len()).unwrap_or(i32::MAX);
        pdf.stream(file, &subset).pair(Name(b"Length1"), bytes);
        let mut meanings = UnicodeCmap::<u16>::new(Name(b"Meanings"), SYSTEM);
        for (code, (letter, _)) in &self.used {
            meanings.pair(*code, *letter);
        }
        pdf.cmap(cmap, &meanings.finish());
    }

    fn write_descriptor(&self, pdf: &mut Pdf, id: Ref, file: Ref) {
        let bounds = self.face.global_bounding_box();
        let [left, bottom, right, top] =
            [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max].map(f32::from);
        pdf.font_descriptor(id)
            .name(Name(self.name))
            .flags(FontFlags::NON_SYMBOLIC)
            .bbox(Rect::new(left, bottom, right, top))
            .italic_angle(0.0)
            .ascent(f32::from(self.face.ascender()))
            .descent(f32::from(self.face.descender()))
            .cap_height(self.face.capital_height().map_or(0.0, f32::from))
            .stem_v(if self.face.is_bold() { 140.0 } else { 80.0 })
            .font_file2(file);
    }

    /// The character that is shown for a character.
    fn shown(&self, letter: char) -> char {
        match letter {
            letter if letter.is_control() => ' ',
            letter if self.face.glyph_index(letter).is_some() => letter,
            _ if self.face.glyph_index(REPLACEMENT).is_some() => REPLACEMENT,
            _ => '?',
        }
    }

    fn glyph(&self, shown: char) -> GlyphId {
        self.face.glyph_index(shown).unwrap_or(GlyphId(0))
    }

    /// The width of a glyph in thousandths of the size of the text, which is the unit of both fonts.
    fn advance(&self, glyph: GlyphId) -> f32 {
        f32::from(self.face.glyph_hor_advance(glyph).unwrap_or(0))
    }
}
