//! The end of a request body, as its head announces it.
//!
//! The HTTP library must not see the next head before it was checked. So the connection counts the
//! bytes of each body, and passes no byte beyond it. A body that breaks the rules of chunks ends the
//! connection.

/// The size of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// The bytes that are left.
    Length(u64),
    /// A body in chunks.
    Chunked(Chunks),
}

/// A position in a body of chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunks {
    /// In the size of a chunk, with the value and the number of its digits.
    Size(u64, u8),
    /// Behind the size of a chunk, before the end of the line.
    Extension(u64),
    /// Before the line feed behind the size of a chunk.
    SizeEnd(u64),
    /// In a chunk with this number of bytes left.
    Data(u64),
    /// Behind the bytes of a chunk.
    DataReturn,
    DataEnd,
    /// At the beginning of a line behind the last chunk.
    TrailerBegin,
    Trailer,
    TrailerEnd,
    /// Before the line feed that ends the body.
    LastEnd,
    Done,
}

/// The most digits of the size of a chunk.
const SIZE_DIGITS_MAX: u8 = 15;

/// A body breaks the rules of chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

impl Framing {
    pub(super) const NONE: Self = Self::Length(0);
    pub(super) const CHUNKED: Self = Self::Chunked(Chunks::Size(0, 0));

    pub(super) fn is_done(self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunks::Done))
    }

    /// Takes the bytes that belong to the body, and returns their number. It is 0 only at the end of
    /// the body and without bytes.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        match self {
            Self::Length(left) => {
                let taken = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= taken as u64;
                Ok(taken)
            }
            Self::Chunked(chunks) => chunks.take(bytes),
        }
    }
}

impl Chunks {
    fn take(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        let mut taken = 0;
        while taken < bytes.len() && *self != Self::Done {
            if let Self::Data(left) = *self {
                let all = bytes.len() - taken;
                let some = all.min(usize::try_from(left).unwrap_or(usize::MAX));
                taken += some;
                let left = left - some as u64;
                *self = if left == 0 { Self::DataReturn } else { Self::Data(left) };
                continue;
            }
            match self.after(bytes[taken]) {
                Some(next) => *self = next,
                // The bytes before the wrong one are still passed on.
                None if taken > 0 => return Ok(taken),
                None => return Err(Broken),
            }
            taken += 1;
        }
        Ok(taken)
    }

    /// The position after one byte outside of the data.
    fn after(self, byte: u8) -> Option<Self> {
        let next = match (self, byte) {
            (Self::Size(size, digits), _) if byte.is_ascii_hexdigit() => {
                let digit = char::from(byte).to_digit(16)?;
                let size = size.checked_mul(16)?.checked_add(u64::from(digit))?;
                if digits == SIZE_DIGITS_MAX {
                    return None;
                }
                Self::Size(size, digits + 1)
            }
            (Self::Size(_, 0), _) => return None,
            (Self::Size(size, _) | Self::Extension(size), b'\r') => Self::SizeEnd(size),
            (Self::Size(size, _), b';' | b' ' | b'\t') => Self::Extension(size),
            (Self::Extension(size), _) if byte != b'\n' => Self::Extension(size),
            (Self::SizeEnd(0) | Self::TrailerEnd, b'\n') => Self::TrailerBegin,
            (Self::SizeEnd(size), b'\n') => Self::Data(size),
            (Self::DataReturn, b'\r') => Self::DataEnd,
            (Self::DataEnd, b'\n') => Self::Size(0, 0),
            (Self::TrailerBegin, b'\r') => Self::LastEnd,
            (Self::Trailer, b'\r') => Self::TrailerEnd,
            (Self::TrailerBegin | Self::Trailer, _) if byte != b'\n' => Self::Trailer,
            (Self::LastEnd, b'\n') => Self::Done,
            _ => return None,
        };
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The length of a body in front of other bytes, read in pieces of each size.
    fn length_of(framing: Framing, bytes: &[u8]) -> Result<usize, Broken> {
        let in_pieces = |size: usize| {
            let (mut framing, mut read) = (framing, 0);
            while !framing.is_done() && read < bytes.len() {
                let end = bytes.len().min(read + size);
                read += framing.take(&bytes[read..end])?;
            }
            assert!(framing.is_done(), "no end");
            Ok(read)
        };
        let whole = in_pieces(bytes.len());
        for size in 1..bytes.len() {
            assert_eq!(in_pieces(size), whole, "in pieces of {size}");
        }
        whole
    }

    /// A body ends where its length or its last chunk says, however its bytes arrive.
    #[test]
    fn finds_the_end_of_a_body() {
        assert_eq!(length_of(Framing::Length(3), b"abcGET /"), Ok(3));
        for body in [
            "0\r\n\r\n",
            "3\r\nabc\r\n0\r\n\r\n",
            "3;x=\"y\"\r\nabc\r\nA \r\n0123456789\r\n00\r\n\r\n",
            "1\r\n\n\r\n0\r\nA: b\r\nC: d\r\n\r\n",
        ] {
            let bytes = format!("{body}GET / HTTP/1.1\r\n\r\n");
            assert_eq!(length_of(Framing::CHUNKED, bytes.as_bytes()), Ok(body.len()), "{body:?}");
        }
    }

    /// A body with a wrong size or a wrong end of a line has no end.
    #[test]
    fn rejects_broken_chunks() {
        for body in [
            "\r\n\r\n",
            "x\r\n\r\n",
            "-1\r\n\r\n",
            "3\nabc\r\n0\r\n\r\n",
            "3\r\nabcd\r\n0\r\n\r\n",
            "3;a\nb\r\nabc\r\n0\r\n\r\n",
            "0000000000000001\r\na\r\n0\r\n\r\n",
            "0\r\nA: b\n\r\n",
        ] {
            assert_eq!(length_of(Framing::CHUNKED, body.as_bytes()), Err(Broken), "{body:?}");
        }
    }
}
