//! The merchant's logo, read from a file when the server starts.

use model::limits::LOGO_BYTES_MAX;
use settings::{Settings, SettingsError};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The first bytes of a PNG file: its signature, then the length and the name of its header.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
/// The last bytes of a PNG file: the name of the chunk that ends it, and its checksum.
const PNG_END: &[u8] = b"IEND\xae\x42\x60\x82";

/// A logo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Logo {
    /// Its media type.
    pub(crate) content_type: &'static str,
    /// The bytes of its file.
    pub(crate) bytes: Vec<u8>,
}

impl Logo {
    /// Reads the logo that the settings name, if they name one.
    pub(crate) fn of(settings: &Settings) -> Result<Option<Self>, SettingsError> {
        let setting = &settings.merchant_logo;
        if setting.text().is_empty() {
            return Ok(None);
        }
        let bytes = read(Path::new(setting.text())).map_err(|error| {
            setting.error(&format!("this file could not be read ({error}). Name another file"))
        })?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if size > LOGO_BYTES_MAX {
            return Err(setting.error(&format!(
                "the file must have at most {} KiB. Reduce the picture",
                LOGO_BYTES_MAX / 1024
            )));
        }
        let Some(content_type) = type_of(&bytes) else {
            return Err(setting.error("the file must be an SVG or a complete PNG"));
        };
        Ok(Some(Self { content_type, bytes }))
    }
}

/// Reads at most one byte more than a logo may have.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LOGO_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The media type of a picture by its first bytes. A name does not decide, because a browser trusts
/// the type that the server names.
fn type_of(bytes: &[u8]) -> Option<&'static str> {
    if let Some(header) = bytes.strip_prefix(PNG) {
        let is_whole = bytes.ends_with(PNG_END) && is_sized(header);
        return is_whole.then_some("image/png");
    }
    is_svg(std::str::from_utf8(bytes).ok()?).then_some("image/svg+xml")
}

/// True if the header of a PNG begins with a width and a height.
fn is_sized(header: &[u8]) -> bool {
    let is_positive = |size: &[u8]| size.iter().any(|byte| *byte != 0);
    header.len() >= 8 && is_positive(&header[..4]) && is_positive(&header[4..8])
}

/// True if the first element of a text is `svg`. Declarations and comments may come before it.
fn is_svg(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = match rest {
            comment if comment.starts_with("<!--") => "-->",
            declaration if declaration.starts_with("<?") => "?>",
            doctype if doctype.starts_with("<!") => ">",
            _ => break,
        };
        let Some((_, after)) = rest.split_once(end) else { return false };
        rest = after.trim_start();
    }
    let after = rest.strip_prefix("<svg").and_then(|after| after.chars().next());
    after.is_some_and(|letter| letter.is_whitespace() || letter == '>' || letter == '/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use settings::resolve;
    use std::collections::BTreeMap;
    use std::io::Write as _;

    /// The frame of a PNG of one pixel with this number of bytes.
    fn png(size: usize) -> Vec<u8> {
        let mut bytes = [PNG, &[0, 0, 0, 1, 0, 0, 0, 1]].concat();
        bytes.resize(size - PNG_END.len(), 0);
        bytes.extend(PNG_END);
        bytes
    }

    /// The bytes decide the type of a picture.
    #[test]
    fn bytes_decide_the_type() {
        let svg = Some("image/svg+xml");
        for (bytes, kind) in [
            (&b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"[..], svg),
            (b"\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- ours -->\n<!DOCTYPE svg>\n<svg>", svg),
            (&png(40), Some("image/png")),
            // The signature alone, a file that ends early, and a picture without a width.
            (b"\x89PNG\r\n\x1a\n", None),
            (&png(40)[..39], None),
            (&[PNG, &[0; 8], PNG_END].concat(), None),
            (b"<svgs>", None),
            (b"<!-- <svg> ", None),
            (b"<html><svg></svg></html>", None),
            (b"GIF89a", None),
            (b"\xff\xd8\xff\xe0", None),
            (b"", None),
        ] {
            assert_eq!(type_of(bytes), kind, "{bytes:?}");
        }
    }

    /// A file that is absent, of another type or too large is an error that names the setting.
    #[test]
    fn errors_name_the_setting() {
        let of = |path: &str| {
            let flags = BTreeMap::from([("merchant-logo", path.to_owned())]);
            Logo::of(&resolve(&flags, |_| None, None).unwrap().settings().unwrap())
        };
        let made = |bytes: &[u8]| {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(bytes).unwrap();
            let path = file.path().to_str().unwrap().to_owned();
            (of(&path).map_err(|error| error.to_string().replace(&path, "FILE")), file).0
        };
        assert_eq!(of("").unwrap(), None);
        let absent = of("absent.svg").unwrap_err().to_string();
        insta::assert_snapshot!(
            [absent, made(b"GIF89a").unwrap_err(), made(&png(64 * 1024 + 1)).unwrap_err()].join("\n"),
            @"
        the setting merchant-logo (flag) is 'absent.svg', but this file could not be read (No such file or directory (os error 2)). Name another file
        the setting merchant-logo (flag) is 'FILE', but the file must be an SVG or a complete PNG
        the setting merchant-logo (flag) is 'FILE', but the file must have at most 64 KiB. Reduce the picture
        "
        );
        assert_eq!(made(&png(64 * 1024)).unwrap().unwrap().content_type, "image/png");
    }
}
