//! The bytes that a client has sent and that nothing has read yet.

use model::limits::HEAD_BYTES_MAX;

/// The size with which a buffer begins. Most requests are shorter.
const BYTES_MIN: usize = 4 * 1024;

/// A buffer that holds at least one whole request head.
#[derive(Default)]
pub(super) struct ReadBuffer {
    /// All of the buffer's memory.
    memory: Vec<u8>,
    begin: usize,
    end: usize,
    /// The unread bytes that were searched for the end of a head.
    searched: usize,
}

impl ReadBuffer {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.memory[self.begin..self.end]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.begin == self.end
    }

    /// True if there is no space for more bytes.
    pub(super) fn is_full(&self) -> bool {
        self.end - self.begin >= HEAD_BYTES_MAX
    }

    /// The space for more bytes. It is empty only if the buffer is full.
    pub(super) fn space(&mut self) -> &mut [u8] {
        if self.end == self.memory.len() {
            if self.begin > 0 {
                self.memory.copy_within(self.begin..self.end, 0);
                (self.begin, self.end) = (0, self.end - self.begin);
            } else {
                let size = (2 * self.memory.len()).clamp(BYTES_MIN, HEAD_BYTES_MAX);
                self.memory.resize(size, 0);
            }
        }
        &mut self.memory[self.end..]
    }

    /// Adds bytes that were written to the space.
    pub(super) fn add(&mut self, count: usize) {
        self.end += count;
        if self.end == self.memory.len() && self.begin == 0 {
            // The client has more to send, so the next bytes get more space.
            self.memory.resize((2 * self.end).min(HEAD_BYTES_MAX), 0);
        }
    }

    /// Removes bytes from the beginning.
    pub(super) fn take(&mut self, count: usize) {
        self.begin += count;
        self.searched = 0;
        if self.is_empty() {
            (self.begin, self.end) = (0, 0);
        }
    }

    pub(super) fn clear(&mut self) {
        self.take(self.end - self.begin);
    }

    /// Removes the ends of lines that a client may send before a head.
    pub(super) fn skip_line_ends(&mut self) {
        let count = self.bytes().iter().take_while(|byte| b"\r\n".contains(byte)).count();
        if count > 0 {
            self.take(count);
        }
    }

    /// True if the bytes may be a whole head, or are too many for one. The first bytes of a head are
    /// always worth reading. Later ones are read once they have an empty line, because reading a head
    /// at every byte would take long.
    pub(super) fn may_have_head(&mut self) -> bool {
        let is_first = self.searched == 0;
        let from = self.searched.saturating_sub(2);
        let new = &self.bytes()[from..];
        let ends = is_first
            || new.windows(2).any(|two| two == b"\n\n")
            || new.windows(3).any(|three| three == b"\n\r\n");
        self.searched = self.end - self.begin;
        ends || self.is_full()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(buffer: &mut ReadBuffer, bytes: &[u8]) {
        for byte in bytes {
            buffer.space()[0] = *byte;
            buffer.add(1);
        }
    }

    /// Bytes come out in their order, and the buffer never exceeds its size.
    #[test]
    fn keeps_the_order_of_bytes() {
        let mut buffer = ReadBuffer::default();
        add(&mut buffer, &[b'a'; BYTES_MIN - 1]);
        buffer.take(BYTES_MIN - 2);
        add(&mut buffer, b"bcd");
        assert_eq!(buffer.bytes(), b"abcd");
        add(&mut buffer, &vec![b'e'; HEAD_BYTES_MAX - 4]);
        assert!(buffer.is_full() && buffer.space().is_empty());
        buffer.clear();
        assert!(buffer.is_empty() && buffer.space().len() == HEAD_BYTES_MAX);
    }

    /// A head that arrives in parts is read at its beginning, at its end and at the size limit.
    #[test]
    fn heads_in_parts_are_read_once() {
        let mut buffer = ReadBuffer::default();
        let mut at = |bytes: &[u8]| {
            add(&mut buffer, bytes);
            buffer.skip_line_ends();
            buffer.may_have_head()
        };
        assert!(at(b"\r\n\r\nGET / HTTP/1.1"));
        assert!(!at(b"\r\nA: b\r"));
        assert!(!at(b"\nC: d\r\n"));
        assert!(!at(b"\r"));
        assert!(at(b"\n"));
        assert!(!at(b"x"));
        assert!(at("x".repeat(HEAD_BYTES_MAX - 31).as_bytes()));
    }
}
