//! A wall clock of the server's own, which stories set.
//!
//! The clock of this machine stays as it is. A few lines of C, loaded before the C library, add an offset to what the
//! server is told; a time namespace would not do, since it leaves the wall clock alone.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::server::Server;

const SHIM: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* An offset in seconds, and whether the next reading, by whoever it is, is one of before 1970. */
static volatile long long *page;

__attribute__((constructor)) static void begin(void) {
    int file = open(getenv("CLOCK_OFFSET"), O_RDWR);
    void *mapped = mmap(0, 2 * sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED) abort();
    page = mapped;
    close(file);
}

int clock_gettime(clockid_t id, struct timespec *now) {
    int answer = syscall(SYS_clock_gettime, id, now);
    if (answer || !page || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)) return answer;
    now->tv_sec = __atomic_exchange_n(&page[1], 0, __ATOMIC_SEQ_CST) ? -86400 : now->tv_sec + page[0];
    return 0;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    if (now) *now = exact.tv_sec;
    return exact.tv_sec;
}
"#;

/// A wall clock that can be set.
pub(super) struct WallClock {
    library: PathBuf,
    offset: PathBuf,
    file: File,
}

impl WallClock {
    pub(super) fn make(folder: &Path) -> Self {
        let (source, library) = (folder.join("clock.c"), folder.join("clock.so"));
        fs::write(&source, SHIM).unwrap();
        let mut compile = Command::new("cc");
        compile.args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]);
        assert!(compile.status().unwrap().success(), "cc, which Rust needs, too, compiles it");
        let offset = folder.join("offset");
        fs::write(&offset, [0; 16]).unwrap();
        // Never made shorter: the server has it in its memory.
        let file = OpenOptions::new().write(true).open(&offset).unwrap();
        Self { library, offset, file }
    }

    /// Sets it so many seconds beside the real one.
    pub(super) fn set(&self, offset: i64) {
        self.file.write_all_at(&offset.to_ne_bytes(), 0).unwrap();
    }

    /// Whether the next reading is one of before 1970.
    pub(super) fn falter(&self, once: bool) {
        self.file.write_all_at(&i64::from(once).to_ne_bytes(), 8).unwrap();
    }

    /// A server that goes by it.
    pub(super) async fn server(&self, data: &Path, settings: &[(&str, &str)]) -> Server {
        let mut command = Command::new("env");
        let variable = |name: &str, path: &Path| format!("{name}={}", path.display());
        command.args([variable("LD_PRELOAD", &self.library), variable("CLOCK_OFFSET", &self.offset)]);
        Server::start_within(command, data, settings).await
    }
}
