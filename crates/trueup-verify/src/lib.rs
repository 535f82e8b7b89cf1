//! Commit signatures against allowed signers.
