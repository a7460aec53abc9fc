//! How long after its due time an occurrence starts, so that many schedules of the same minute do not start together.

use sha2::{Digest, Sha256};

use crate::Timestamp;

const MICROSECONDS: i64 = 1_000_000;

/// Whole seconds: the same on every server, after every restart and in every preview. An occurrence starts at least a
/// second before the next one is due.
///
/// The first 8 bytes, big-endian, of SHA-256 over the schedule's uuid and the due time (microseconds, big-endian),
/// modulo one more than the longest delay.
#[must_use]
pub fn delay(schedule: [u8; 16], due: Timestamp, next: Option<Timestamp>, jitter: u32) -> u32 {
    let room = next.map_or(i64::from(jitter), |next| next.0.saturating_sub(due.0) / MICROSECONDS - 1);
    let most = u64::try_from(room.min(jitter.into())).unwrap_or(0);
    let digest = Sha256::new().chain_update(schedule).chain_update(due.0.to_be_bytes()).finalize();
    let (head, _) = digest.split_at(8);
    let drawn = head.iter().fold(0_u64, |drawn, byte| drawn << 8 | u64::from(*byte));
    u32::try_from(drawn % (most + 1)).unwrap_or(u32::MAX)
}
