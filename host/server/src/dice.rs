//! The one place that rolls dice: jitter, tokens, ids that nobody can guess.

/// Bytes of the system's generator, which is never without them once a system has started.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("Linux gives random bytes to everybody");
    bytes
}

/// At least 0 and less than 1.
pub(crate) fn fraction() -> f64 {
    let dice = u64::from_be_bytes(bytes()) >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what an f64 holds")]
    let fraction = dice as f64 / (1_u64 << 53) as f64;
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_one_and_no_two_are_alike() {
        let rolled: Vec<f64> = (0..100).map(|_| fraction()).collect();
        assert!(rolled.iter().all(|fraction| (0.0..1.0).contains(fraction)));
        assert!(rolled.windows(2).all(|pair| (pair[0] - pair[1]).abs() > 0.0));
    }
}
