//! How this process gives memory back. Large blocks live shortly here (a page of a log, the 19 MiB of a password's
//! proof): each is to be the system's again when it is freed, and not to stay in the pool of whichever thread had it.

/// A block of so many bytes is a mapping of its own.
#[cfg(target_env = "gnu")]
const LARGE: i32 = 1 << 20;
/// So many free bytes at the end of a pool are kept.
#[cfg(target_env = "gnu")]
const KEPT: i32 = 4 << 20;
/// Pools that threads share: the usual number is eight for each core.
#[cfg(target_env = "gnu")]
const POOLS: i32 = 4;

/// Tells the allocator, before other threads begin. Left alone, glibc raises its threshold for mappings with the first
/// large block that is freed (mallopt(3), `M_MMAP_THRESHOLD`). Other allocators are left as they are.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    #[expect(unsafe_code, reason = "mallopt only sets numbers of the allocator; no other thread runs yet")]
    // SAFETY: called first in `main`.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
        libc::mallopt(libc::M_ARENA_MAX, POOLS);
    }
}

/// Gives back what is free in the middle of the pools, too: after work that took much in small blocks. Takes some
/// milliseconds.
pub fn give_back_now() {
    #[cfg(target_env = "gnu")]
    #[expect(unsafe_code, reason = "malloc_trim locks the pools by itself and touches only what is free")]
    // SAFETY: it may be called at any time, by any thread (malloc_trim(3), MT-Safe).
    unsafe {
        libc::malloc_trim(0);
    }
}
