//! Passwords: argon2id with the parameters OWASP names (19 MiB, 2 passes, 1 lane), in PHC form.
//!
//! A proof costs 19 MiB and some 20 ms of a core, on purpose. So a few run at once, on blocking threads, and what was
//! proved is remembered for a minute against the very hash it was proved with: a changed password is forgotten by
//! that alone. An unknown user costs the same as a wrong password, so time tells nobody which names exist.
//!
//! The memory is used again by the next proof: freshly allocated each time, a block would stay with each thread's arena.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version, password_hash};
use taskloom_entity::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::recent::ProofCache;
use super::secret;
use crate::error::{Error, Result, code};

/// Characters of the shortest password that may be chosen (NIST SP 800-63B, section 5.1.1.2).
pub const SHORTEST: usize = 8;
/// Bytes of the longest.
pub const LONGEST: usize = 1024;

/// How long a proof is remembered.
const KEEP_FOR: Duration = Duration::from_secs(60);
const KEEP_AT_MOST: usize = 10_000;
/// How many run at once, where there are as many cores.
const AT_ONCE: usize = 4;
/// How long a sign-in waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// Costs what a real one costs and is of no password.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and proves passwords, a few at once.
#[derive(Debug)]
pub struct Passwords {
    turns: Semaphore,
    memory: Memory,
    /// Passwords with their hashes.
    proved: ProofCache<()>,
}

impl Default for Passwords {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let proved = ProofCache::new(KEEP_FOR, KEEP_AT_MOST);
        Self { turns: Semaphore::new(cores.min(AT_ONCE)), memory: Memory::default(), proved }
    }
}

impl Passwords {
    /// The hash of `password`, to be stored.
    ///
    /// # Errors
    /// `TOO_MANY_REQUESTS` when too many wait for their turn.
    pub async fn hash(&self, password: &str) -> Result<String> {
        let turn = self.turn().await?;
        let (password, memory) = (password.to_owned(), self.memory.clone());
        let hashed = spawn_blocking(move || memory.lend(|blocks| hash(&password, blocks)));
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
        let memory = self.memory.clone();
        let matches = spawn_blocking(move || memory.lend(|blocks| is_of(&password, &stored, blocks)));
        let matches = matches.await.map_err(Error::internal)?;
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

/// What proofs compute in; as many as ran at once at some time.
#[derive(Clone, Debug, Default)]
struct Memory(Arc<Mutex<Vec<Blocks>>>);

type Blocks = Vec<Block>;

impl Memory {
    fn lend<T>(&self, work: impl FnOnce(&mut Blocks) -> T) -> T {
        // One that a panic has kept is missing here, and nothing else.
        let free = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut blocks = free().pop().unwrap_or_default();
        let done = work(&mut blocks);
        free().push(blocks);
        done
    }
}

fn compute(context: &Argon2<'_>, password: &str, salt: &[u8], blocks: &mut Blocks) -> password_hash::Result<Output> {
    let params = context.params();
    if blocks.len() < params.block_count() {
        blocks.resize(params.block_count(), Block::default());
    }
    let mut bytes = [0; Output::MAX_LENGTH];
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let bytes = bytes.get_mut(..length).ok_or(password_hash::Error::OutputSize)?;
    context.hash_password_into_with_memory(password.as_bytes(), salt, bytes, blocks)?;
    Ok(Output::new(bytes)?)
}

fn hash(password: &str, blocks: &mut Blocks) -> password_hash::Result<String> {
    let (context, salt) = (Argon2::default(), Salt::generate());
    let hash = compute(&context, password, &salt, blocks)?;
    let params = ParamsString::try_from(context.params())?;
    let (algorithm, version) = (Algorithm::default().ident(), Some(Version::default().into()));
    Ok(PasswordHash { algorithm, version, params, salt: Some(salt), hash: Some(hash) }.to_string())
}

fn is_of(password: &str, stored: &str, blocks: &mut Blocks) -> bool {
    let mut proved = || {
        let stored = PasswordHash::new(stored)?;
        let (Some(salt), Some(hash)) = (&stored.salt, &stored.hash) else {
            return Err(password_hash::Error::PasswordInvalid);
        };
        let algorithm = Algorithm::try_from(stored.algorithm.as_str())?;
        let version = stored.version.map(Version::try_from).transpose()?.unwrap_or_default();
        let context = Argon2::new(algorithm, version, Params::try_from(&stored)?);
        // Outputs are compared in constant time.
        Ok(compute(&context, password, salt, blocks)? == *hash)
    };
    proved().unwrap_or_else(|error: password_hash::Error| {
        tracing::error!(%error, "a stored password hash is damaged: its user cannot sign in by password");
        false
    })
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

    #[tokio::test]
    async fn memory_is_used_again() {
        let passwords = Passwords::default();
        let guesses: Vec<String> = (0..20).map(|n| format!("guess {n}")).collect();
        let proved = guesses.iter().map(|guess| passwords.verify(guess, None, NOW));
        let proved = futures::future::join_all(proved).await;
        assert!(proved.into_iter().all(|proved| !proved.unwrap()));
        let blocks = passwords.memory.0.lock().unwrap();
        assert!((1..=AT_ONCE).contains(&blocks.len()), "{}", blocks.len());
        assert!(blocks.iter().all(|blocks| blocks.len() == Params::default().block_count()));
    }

    #[test]
    fn nobodys_hash_costs_what_a_real_one_costs() {
        let hash = PasswordHash::new(NOBODYS).unwrap();
        let real = super::hash("x", &mut vec![]).unwrap();
        let real = PasswordHash::new(&real).unwrap();
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
