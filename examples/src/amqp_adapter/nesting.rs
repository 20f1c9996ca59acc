//! How deep values of AMQP are nested, told before a decoder has them: decoders recurse, and where the stack of a
//! thread overflows the process ends.

use std::io;

use bytes::{Buf as _, BytesMut};

/// Values around a value, with described ones: five are needed for what the protocol itself nests.
const MAX_DEPTH: usize = 32;

/// A walk over values that may come in pieces.
pub(super) struct Nesting {
    /// Around the next value, the outermost first.
    levels: Vec<Level>,
    /// What came and was not walked over yet.
    rest: BytesMut,
    /// Bytes to pass over: they have no values in them.
    skip: usize,
    /// Bytes walked over.
    at: usize,
}

struct Level {
    /// Still to come in it.
    values: u32,
    /// Where it has to end, if it says so.
    end: Option<usize>,
    /// The constructor that the elements of an array share.
    element: Option<u8>,
}

impl Nesting {
    /// A walk over so many values that stand side by side. Each is described, as performatives and sections are; what
    /// is none is passed over, as no decoder gets past it.
    pub(super) fn new(values: u32) -> Self {
        let top = Level { values, end: None, element: None };
        Self { levels: vec![top], rest: BytesMut::new(), skip: 0, at: 0 }
    }

    /// Goes on with these bytes.
    ///
    /// # Errors
    /// Something is nested too deep. Also where a decoder could read other values than this walk does: when a size is
    /// not that of its values, and for arrays of described values.
    pub(super) fn walk(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.rest.extend_from_slice(bytes);
        while self.step()? {}
        Ok(())
    }

    /// How many bytes came after the last value; none when that has not ended.
    pub(super) fn left_over(&self) -> Option<usize> {
        self.levels.is_empty().then_some(self.rest.len())
    }

    /// Whether there may be more to do.
    fn step(&mut self) -> io::Result<bool> {
        let skipped = self.skip.min(self.rest.len());
        self.skip -= skipped;
        self.advance(skipped);
        let is_section = self.levels.len() == 1;
        let Some(level) = self.levels.last_mut().filter(|_| self.skip == 0) else {
            return Ok(false);
        };
        if level.values == 0 {
            if level.end.is_some_and(|end| end != self.at) {
                return Err(invalid("a value whose size is not that of what is in it"));
            }
            self.levels.pop();
            return Ok(true);
        }
        let Some(code) = level.element.or(self.rest.first().copied()) else {
            return Ok(false);
        };
        let head = usize::from(level.element.is_none());
        if (is_section || code >> 4 < 4) && code != DESCRIBED {
            self.skip = usize::MAX;
            return Ok(true);
        }
        let width = if code & 0x10 == 0 { 1 } else { 4 };
        let (head, skip, inner) = match code >> 4 {
            0 => (head, 0, Some(Level { values: 2, end: None, element: None })),
            4 => (head, 0, None),
            fixed @ 5..=9 => (head, 1 << (fixed - 5), None),
            0xa | 0xb => {
                let Some(size) = number(&self.rest, head, width) else { return Ok(false) };
                (head + width, size, None)
            }
            _ => {
                let numbers =
                    (number(&self.rest, head, width), number(&self.rest, head + width, width));
                let (Some(size), Some(values)) = numbers else { return Ok(false) };
                let end = Some(self.at.saturating_add(head + width).saturating_add(size));
                let (mut head, mut element) = (head + 2 * width, None);
                // One of no elements may leave out their constructor.
                if code >= ARRAY && size > width {
                    let Some(code) = self.rest.get(head).copied() else { return Ok(false) };
                    (head, element) = (head + 1, Some(code));
                }
                if values > size || element == Some(DESCRIBED) {
                    return Err(invalid("an array or a list that no sender needs"));
                }
                let values = u32::try_from(values).unwrap_or(u32::MAX);
                (head, 0, Some(Level { values, end, element }))
            }
        };
        level.values -= 1;
        self.advance(head);
        self.skip = skip;
        self.levels.extend(inner);
        if self.levels.len() > MAX_DEPTH {
            return Err(invalid("values that are nested too deep"));
        }
        Ok(true)
    }

    fn advance(&mut self, bytes: usize) {
        self.rest.advance(bytes);
        self.at = self.at.saturating_add(bytes);
    }
}

fn number(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + width)?;
    Some(bytes.iter().fold(0, |number, &byte| number << 8 | usize::from(byte)))
}

pub(super) fn invalid(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

const DESCRIBED: u8 = 0;
/// Those from here on are arrays.
const ARRAY: u8 = 0xe0;

#[cfg(test)]
mod tests {
    use super::*;

    fn list(inner: &[u8]) -> Vec<u8> {
        let size = u32::try_from(inner.len() + 4).unwrap();
        [&[0xd0], &size.to_be_bytes()[..], &[0, 0, 0, 1], inner].concat()
    }

    fn section(depth: usize) -> Vec<u8> {
        let value = (0..depth).fold(vec![0x40], |inner, _| list(&inner));
        [&[0, 0x53, 0x77], &value[..]].concat()
    }

    /// In one piece, and byte by byte.
    fn walk(bytes: &[u8]) -> io::Result<()> {
        let whole = Nesting::new(u32::MAX).walk(bytes);
        let mut pieces = Nesting::new(u32::MAX);
        let in_pieces = bytes.chunks(1).try_for_each(|byte| pieces.walk(byte));
        assert_eq!(whole.is_ok(), in_pieces.is_ok());
        whole
    }

    #[test]
    fn depth_has_a_limit_however_the_bytes_come() {
        assert!(walk(&section(MAX_DEPTH - 2)).is_ok());
        for depth in [MAX_DEPTH - 1, 100, 7_000] {
            assert!(walk(&section(depth)).is_err(), "{depth}");
        }
        let described = [&[0, 0x53, 0x77], &[0, 0x40].repeat(100)[..]].concat();
        assert!(walk(&described).is_err());
        assert!(walk(&[0; 100]).is_err());
    }

    #[test]
    fn nothing_can_be_hidden_from_the_walk() {
        let deep = section(100);
        // After values of every width, in a map, in an array of lists, in the section after the next.
        for before in [
            &b"\x00\x53\x77\x40"[..],
            b"\x00\x53\x77\x56\x01",
            b"\x00\x53\x77\x60\x01\x02",
            b"\x00\x53\x77\x70\x01\x02\x03\x04",
            b"\x00\x53\x77\x80\x01\x02\x03\x04\x05\x06\x07\x08",
            b"\x00\x53\x77\x98\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\x03\x04\x05\x06\x07\x08",
            b"\x00\x53\x75\xa0\x02\xff\xff",
            b"\x00\x53\x75\xb0\x00\x00\x00\x02\xff\xff",
            b"\x00\x53\x74\xc1\x05\x02\xa1\x01a\x40",
            b"\x00\x53\x77\xe0\x04\x02\x50\x01\x02",
            b"\x00\x53\x77\xe0\x01\x00",
            b"\x00\x53\x77\xf0\x00\x00\x00\x09\x00\x00\x00\x02\xc0\x01\x00\x01\x00",
        ] {
            assert!(walk(before).is_ok(), "{before:x?}");
            assert!(walk(&[before, &deep].concat()).is_err(), "{before:x?}");
        }
        // A list that is shorter, or longer, than what it has.
        assert!(walk(b"\x00\x53\x77\xc0\x02\x01\x50\x01").is_err());
        assert!(walk(b"\x00\x53\x77\xc0\x04\x01\x50\x01\x00").is_err());
        // Elements that take no room.
        assert!(walk(b"\x00\x53\x77\xf0\x00\x00\x00\x05\xff\xff\xff\xff\x40").is_err());
    }

    #[test]
    fn what_is_no_value_of_amqp_is_left_to_the_decoder() {
        for bytes in
            [&b"no message"[..], br#"{"status": "online"}"#, b"\xff\xff", b"\x00\x53\x77\x3f"]
        {
            assert!(walk(bytes).is_ok());
        }
    }

    #[test]
    fn what_comes_after_the_values_is_left_over() {
        let mut nesting = Nesting::new(1);
        nesting.walk(b"\x00\x53\x14\xc0\x03").unwrap();
        assert_eq!(nesting.left_over(), None);
        nesting.walk(b"\x01\x52\x07payload").unwrap();
        assert_eq!(nesting.left_over(), Some(7));
    }
}
