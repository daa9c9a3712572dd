//! The digits of ids: base 62, in ASCII order, with a fixed width.
//!
//! Ids are written with every row of a page and read with every body of a stored object. Both
//! directions therefore avoid a 128-bit division or multiplication per digit.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The largest number of digits that always fits 64 bits.
const HALF_DIGITS: usize = 10;
const HALF: u64 = 62_u64.pow(10);
/// The entry of [`VALUES`] for a byte that is not a digit.
const NO_DIGIT: u8 = u8::MAX;
/// The value of each digit, by its byte.
const VALUES: [u8; 256] = values();

const fn values() -> [u8; 256] {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0_u8;
    while (value as usize) < ALPHABET.len() {
        values[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    values
}

/// Writes the value with leading zeros into the whole slice.
pub(crate) fn write_digits(value: u128, digits: &mut [u8]) {
    let split = digits.len().saturating_sub(HALF_DIGITS);
    let (high, low) = digits.split_at_mut(split);
    if let Ok(value) = u64::try_from(value) {
        write_half(value % HALF, low);
        write_half(value / HALF, high);
        return;
    }
    let (quotient, remainder) = (value / u128::from(HALF), value % u128::from(HALF));
    let (Ok(quotient), Ok(remainder)) = (u64::try_from(quotient), u64::try_from(remainder)) else {
        unreachable!("a value of at most twenty digits has two halves of 64 bits")
    };
    write_half(remainder, low);
    write_half(quotient, high);
}

fn write_half(mut value: u64, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(value % 62) as usize];
        value /= 62;
    }
}

/// Reads at most twenty digits. Returns `None` if a byte is not a digit.
pub(crate) fn read_digits(digits: &[u8]) -> Option<u128> {
    let (high, low) = digits.split_at(digits.len().saturating_sub(HALF_DIGITS));
    Some(u128::from(read_half(high)?) * u128::from(HALF) + u128::from(read_half(low)?))
}

fn read_half(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |value, digit| {
        let digit = VALUES[usize::from(*digit)];
        (digit != NO_DIGIT).then(|| value * 62 + u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Digits read back for values of up to 77 bits, and sort as the values do.
        #[test]
        fn digits_read_back(small: u64, one in 0..1_u128 << 77, two in 0..1_u128 << 77) {
            let written = |value| {
                let mut digits = [0; 13];
                write_digits(value, &mut digits);
                digits
            };
            for value in [u128::from(small), one, two] {
                prop_assert_eq!(read_digits(&written(value)), Some(value));
            }
            prop_assert_eq!(written(one).cmp(&written(two)), one.cmp(&two));
        }

        /// A byte that is not a digit is rejected at every position.
        #[test]
        fn other_bytes_are_rejected(place in 0..13_usize, byte: u8) {
            let mut digits = [b'0'; 13];
            digits[place] = byte;
            prop_assert_eq!(read_digits(&digits).is_some(), byte.is_ascii_alphanumeric());
        }
    }
}
