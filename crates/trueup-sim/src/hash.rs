//! The one hash of the simulation: the same on every platform and in every release, which the standard library's is not.

/// FNV-1a, 64 bits. Distinguishes contents; it protects against no attacker.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
