//! Passwords: argon2id with the parameters OWASP names (19 MiB, 2 passes, 1 lane), in PHC form.
//!
//! A proof costs 19 MiB and some 20 ms of a core, on purpose. So a few run at once, on blocking threads, and what was
//! proved is remembered for a minute against the very hash it was proved with: a changed password is forgotten by
//! that alone. An unknown user costs the same as a wrong password, so time tells nobody which names exist.

use std::thread;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use taskloom_entity::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::recent::Recent;
use super::secret;
use crate::error::{Error, Result, code};

/// Characters of the shortest password that may be chosen (NIST SP 800-63B, section 5.1.1.2).
pub const SHORTEST: usize = 8;
/// Bytes of the longest.
pub const LONGEST: usize = 1024;

/// How long a proof is remembered.
const KEEP_FOR: Duration = Duration::from_secs(60);
const KEEP_AT_MOST: usize = 10_000;
/// How long a sign-in waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// Costs what a real one costs and is of no password.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and proves passwords, a few at once.
#[derive(Debug)]
pub struct Passwords {
    turns: Semaphore,
    /// Passwords with their hashes.
    proved: Recent<()>,
}

impl Default for Passwords {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self { turns: Semaphore::new(cores.min(4)), proved: Recent::new(KEEP_FOR, KEEP_AT_MOST) }
    }
}

impl Passwords {
    /// The hash of `password`, to be stored.
    ///
    /// # Errors
    /// `TOO_MANY_REQUESTS` when too many wait for their turn.
    pub async fn hash(&self, password: &str) -> Result<String> {
        let turn = self.turn().await?;
        let password = password.to_owned();
        let hashed =
            spawn_blocking(move || Argon2::default().hash_password(password.as_bytes()).map(|h| h.to_string()));
        let hashed = hashed.await.map_err(Error::internal)?.map_err(Error::internal);
        drop(turn);
        hashed
    }

    /// Whether `password` is the one of the stored `hash`; never when there is none, and then it takes just as long.
    ///
    /// # Errors
    /// `TOO_MANY_REQUESTS` when too many wait for their turn.
    pub async fn verify(&self, password: &str, hash: Option<&str>, now: Timestamp) -> Result<bool> {
        if password.len() > LONGEST {
            return Ok(false);
        }
        let key = secret::fingerprint(&[hash.unwrap_or_default(), password]);
        if hash.is_some() && self.proved.find(&key, now).is_some() {
            return Ok(true);
        }
        let mark = self.proved.mark(key);
        let turn = self.turn().await?;
        let (password, stored) = (password.to_owned(), hash.unwrap_or(NOBODYS).to_owned());
        let matches = spawn_blocking(move || is_of(&password, &stored)).await.map_err(Error::internal)?;
        drop(turn);
        let proved = matches && hash.is_some();
        if proved {
            self.proved.keep(mark, (), now);
        }
        Ok(proved)
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>> {
        let late = |_| Error::new(&code::TOO_MANY_REQUESTS).with("what", "sign-ins").with("seconds", 5);
        let turn = timeout(PATIENCE, self.turns.acquire()).await;
        let turn = turn.map_err(late).map_err(|refused| refused.retry_after(Duration::from_secs(5)))?;
        Ok(turn.expect("invariant: the semaphore is never closed"))
    }
}

fn is_of(password: &str, stored: &str) -> bool {
    match PasswordHash::new(stored) {
        Ok(hash) => Argon2::default().verify_password(password.as_bytes(), &hash).is_ok(),
        Err(error) => {
            tracing::error!(%error, "a stored password hash is damaged: its user cannot sign in by password");
            false
        }
    }
}

/// Refuses a password that may not be chosen.
///
/// # Errors
/// `INVALID_INPUT` with the rule.
pub fn check(password: &str) -> Result<()> {
    check_as("password", password)
}

/// Refuses it under the name by which it was given.
///
/// # Errors
/// `INVALID_INPUT` with the rule.
pub fn check_as(what: &str, password: &str) -> Result<()> {
    let refused = |reason: String| Err(Error::invalid(what, reason));
    if password.chars().count() < SHORTEST {
        return refused(format!("at least {SHORTEST} characters are needed"));
    }
    if password.len() > LONGEST {
        return refused(format!("at most {LONGEST} bytes are allowed"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    #[tokio::test]
    async fn the_right_password_and_no_other() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_ne!(hash, passwords.hash("correct horse").await.unwrap());
        assert!(passwords.verify("correct horse", Some(&hash), NOW).await.unwrap());
        assert!(!passwords.verify("correct horsE", Some(&hash), NOW).await.unwrap());
        assert!(!passwords.verify(&"x".repeat(LONGEST + 1), Some(&hash), NOW).await.unwrap());
    }

    #[tokio::test]
    async fn a_proof_is_remembered_for_its_hash_alone() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(passwords.verify("correct horse", Some(&hash), NOW).await.unwrap());
        let key = secret::fingerprint(&[&hash, "correct horse"]);
        assert!(passwords.proved.find(&key, NOW).is_some());
        assert!(passwords.proved.find(&key, NOW.after(KEEP_FOR)).is_none());
        let changed = passwords.hash("another horse").await.unwrap();
        assert!(!passwords.verify("correct horse", Some(&changed), NOW).await.unwrap());
        assert!(!passwords.verify("correct horse", None, NOW).await.unwrap());
    }

    #[test]
    fn nobodys_hash_costs_what_a_real_one_costs() {
        let hash = PasswordHash::new(NOBODYS).unwrap();
        let real = Argon2::default().hash_password(b"x").unwrap();
        assert_eq!(hash.params.to_string(), real.params.to_string());
        assert!(hash.salt.is_some() && hash.hash.is_some(), "else nothing would be computed");
    }

    #[test]
    fn a_weak_choice_is_refused_with_the_rule() {
        check("12345678").unwrap();
        check("密码密码密码密码").unwrap();
        assert!(check("1234567").unwrap_err().to_string().contains("at least 8 characters"));
        check(&"x".repeat(LONGEST + 1)).unwrap_err();
    }
}
