//! Tasks that were told in a way that the API does not define, and could not be read. They are left out of an answer, and
//! noted by their keys: one of them says nothing of the others.

/// The most that are named. A server that tells nothing else is as bad with a thousand as with a million.
const MOST: usize = 1000;
/// The longest key that is named, in bytes.
const KEY: usize = 100;

/// A task that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its key; empty where it has none.
    pub key: String,
    /// What is wrong with it: `state has a value that it cannot have`. Says never what was there.
    pub why: String,
}

/// Those that were left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// The first of them.
    pub tasks: Vec<Unreadable>,
    /// How many there were beside them.
    pub more: u64,
}

impl Unreadable {
    pub(super) fn new(key: &str, why: String) -> Self {
        Self { key: key[..key.floor_char_boundary(KEY)].to_owned(), why }
    }
}

impl LeftOut {
    /// Whether nothing was left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.more == 0
    }

    pub(super) fn add(&mut self, task: Unreadable) {
        if self.tasks.len() < MOST {
            self.tasks.push(task);
        } else {
            self.more += 1;
        }
    }

    pub(super) fn append(&mut self, other: Self) {
        other.tasks.into_iter().for_each(|task| self.add(task));
        self.more += other.more;
    }
}
