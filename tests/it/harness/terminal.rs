//! A command in a pseudo-terminal, as a person at a keyboard has it: what it writes, and keys that are pressed.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::pty::{Winsize, openpty};

use super::wait;

/// How long anything is waited for.
const DEADLINE: Duration = Duration::from_secs(40);

/// A running command; it is killed with this value.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    seen: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Terminal {
    /// Starts a command as the only one of a terminal of 40 lines.
    pub(crate) fn start(command: &Command) -> Self {
        let size = Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
        let pair = openpty(Some(&size), None).unwrap();
        // The terminal becomes that of its session: so Ctrl-C reaches it.
        let mut within = Command::new("setsid");
        within.arg("--ctty").arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => within.env(name, value),
                None => within.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            within.current_dir(folder);
        }
        let end = || Stdio::from(pair.slave.try_clone().unwrap());
        let child = within.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        let keyboard = File::from(pair.master);
        let seen = Arc::new(Mutex::new(vec![]));
        let (mut screen, kept) = (keyboard.try_clone().unwrap(), seen.clone());
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The end of a pseudo-terminal is an error.
            while let Ok(length) = screen.read(&mut bytes) {
                if length == 0 {
                    return;
                }
                kept.lock().unwrap().extend_from_slice(&bytes[..length]);
            }
        });
        Self { child, keyboard, seen, reader }
    }

    /// Everything that was written so far.
    pub(crate) fn screen(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }

    /// Waits until this was written.
    pub(crate) async fn shows(&self, text: &str) {
        let came = wait::attempt_within(DEADLINE, async || self.screen().contains(text).then_some(())).await;
        assert!(came.is_some(), "{text:?} does not come:\n{}", self.screen());
    }

    /// Presses Ctrl-C.
    pub(crate) fn interrupt(&mut self) {
        self.keyboard.write_all(b"\x03").unwrap();
    }

    /// Waits for its end: its exit status, 128 and the signal where one ended it, and everything that it has written.
    pub(crate) async fn ended(&mut self) -> (i32, String) {
        let status = wait::attempt_within(DEADLINE, async || self.child.try_wait().unwrap()).await;
        let status = status.unwrap_or_else(|| panic!("it does not end:\n{}", self.screen()));
        wait::until_within(DEADLINE, "the end of the screen", async || self.reader.is_finished().then_some(())).await;
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
        (code.unwrap(), self.screen())
    }
}
