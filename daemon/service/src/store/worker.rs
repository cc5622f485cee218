//! Saves states, erases them, and moves their key, on a thread of its own, so that no call waits for a slow disk.
//!
//! The newest state wins: while one is being written, those that arrive meanwhile are skipped but for the last. Every
//! generation is answered, in order: a skipped one shares the fate of the newer one that contains it. Once everything is
//! erased nothing is written any more.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use tokio::sync::oneshot;
use twocan_api::{KeyPlace, Why};
use twocan_core::io::Input;

use super::secrets::{CannotMove, Target};
use super::state::StateFile;

enum Job {
    Save(Save),
    /// Tells whether everything is gone.
    Erase(oneshot::Sender<bool>),
    /// Tells what came of it.
    MoveKey(Target, oneshot::Sender<Moved>),
}

/// Where the key is, with the standing warnings about that; or why it is where it was.
pub type Moved = Result<(KeyPlace, Vec<Why>), CannotMove>;

struct Save {
    generation: u64,
    state: Vec<u8>,
}

/// The thread that saves. Dropping it lets the thread finish what was handed in, without waiting for it.
#[derive(Debug)]
pub struct StoreWorker {
    jobs: Sender<Job>,
    thread: JoinHandle<()>,
}

impl StoreWorker {
    /// Starts the thread. `report` gets an [`Input::Stored`] or [`Input::StoreFailed`] for every generation, as the core
    /// counts them: anew with each run. On the disk they count on from `before`.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(file: StateFile, before: u64, report: impl Fn(Input) + Send + 'static) -> io::Result<Self> {
        let (jobs, queue) = channel();
        let thread = Builder::new()
            .name("store".into())
            .spawn(move || run(file, before, &queue, report))?;
        Ok(Self { jobs, thread })
    }

    /// Hands a state in and returns at once.
    pub fn store(&self, generation: u64, state: Vec<u8>) {
        self.hand_in(Job::Save(Save { generation, state }));
    }

    /// Has everything erased that was stored, and returns at once. What comes is whether all of it is gone.
    pub fn erase(&self) -> oneshot::Receiver<bool> {
        let (told, outcome) = oneshot::channel();
        self.hand_in(Job::Erase(told));
        outcome
    }

    /// Has the key moved, and returns at once. What comes is what came of it.
    pub fn move_key(&self, to: Target) -> oneshot::Receiver<Moved> {
        let (told, outcome) = oneshot::channel();
        self.hand_in(Job::MoveKey(to, told));
        outcome
    }

    fn hand_in(&self, job: Job) {
        if self.jobs.send(job).is_err() {
            tracing::error!("the thread that saves the state is gone");
        }
    }

    /// Waits until everything handed in is on the disk or has failed. Blocks.
    pub fn finish(self) {
        drop(self.jobs);
        if self.thread.join().is_err() {
            tracing::error!("the thread that saves the state has panicked");
        }
    }
}

fn run(mut file: StateFile, before: u64, queue: &Receiver<Job>, report: impl Fn(Input)) {
    let mut is_erased = false;
    while let Ok(first) = queue.recv() {
        let mut saves = Vec::new();
        let mut erasing = None;
        let mut moving = Vec::new();
        for job in std::iter::once(first).chain(queue.try_iter()) {
            match job {
                Job::Save(save) => saves.push(save),
                Job::Erase(told) => erasing = Some(told),
                Job::MoveKey(to, told) => moving.push((to, told)),
            }
        }
        let generations: Vec<u64> = saves.iter().map(|save| save.generation).collect();
        let saved = saves.pop().is_none_or(|save| !is_erased && store(&file, before, save));
        for generation in generations {
            report(if saved {
                Input::Stored { generation }
            } else {
                Input::StoreFailed { generation }
            });
        }
        for (to, told) in moving {
            let moved = if is_erased {
                Err(gone())
            } else {
                move_key(&mut file, &to)
            };
            // Whoever asked may be gone; the key is moved all the same.
            let _ = told.send(moved);
        }
        if let Some(told) = erasing {
            is_erased |= erase(&file);
            // Whoever asked may be gone; the files are all the same.
            let _ = told.send(is_erased);
        }
    }
}

fn store(file: &StateFile, before: u64, save: Save) -> bool {
    let saved = file.save(before.saturating_add(save.generation), save.state);
    saved
        .inspect_err(|error| tracing::warn!(%error, "the state cannot be stored"))
        .is_ok()
}

fn erase(file: &StateFile) -> bool {
    let erased = file.erase();
    erased
        .inspect_err(|error| tracing::warn!(%error, "the state cannot be erased"))
        .is_ok()
}

fn move_key(file: &mut StateFile, to: &Target) -> Moved {
    let place = file.move_key(to)?;
    Ok((place, file.key_warnings()))
}

fn gone() -> CannotMove {
    CannotMove::Io(io::Error::other("everything is erased"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::super::config::SecretStore;
    use super::super::paths::Paths;
    use super::super::secrets::testing::bare;
    use super::super::state::Loaded;
    use super::*;

    #[test]
    fn every_generation_is_answered_and_the_newest_is_stored() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::at(home.path()).unwrap();
        paths.prepare().unwrap();
        let (sender, answers) = channel();
        let file = StateFile::open(&paths, &bare(), SecretStore::File).unwrap().file;
        let worker = StoreWorker::start(file, 0, move |input| sender.send(input).unwrap()).unwrap();
        for generation in 1..=50 {
            worker.store(generation, vec![u8::try_from(generation).unwrap(); 1000]);
        }
        worker.finish();
        let stored: Vec<u64> = answers
            .iter()
            .map(|input| {
                if let Input::Stored { generation } = input {
                    generation
                } else {
                    0
                }
            })
            .collect();
        assert_eq!(stored, (1..=50).collect::<Vec<_>>());
        let Loaded::Found { state, generation } = StateFile::open(&paths, &bare(), SecretStore::File).unwrap().loaded
        else {
            panic!("not found")
        };
        assert_eq!((generation, state.first().copied()), (50, Some(50)));
    }

    #[test]
    fn the_core_hears_of_its_own_count_and_the_disk_counts_on() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::at(home.path()).unwrap();
        paths.prepare().unwrap();
        let (sender, answers) = channel();
        let file = StateFile::open(&paths, &bare(), SecretStore::File).unwrap().file;
        let worker = StoreWorker::start(file, 7, move |input| sender.send(input).unwrap()).unwrap();
        worker.store(1, vec![1]);
        worker.finish();
        assert!(matches!(answers.recv().unwrap(), Input::Stored { generation: 1 }));
        let loaded = StateFile::open(&paths, &bare(), SecretStore::File).unwrap().loaded;
        assert!(matches!(loaded, Loaded::Found { generation: 8, .. }));
    }

    #[test]
    fn what_is_erased_is_not_written_again() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::at(home.path()).unwrap();
        paths.prepare().unwrap();
        let (sender, answers) = channel();
        let file = StateFile::open(&paths, &bare(), SecretStore::File).unwrap().file;
        let worker = StoreWorker::start(file, 0, move |input| sender.send(input).unwrap()).unwrap();
        worker.store(1, vec![1]);
        assert!(matches!(answers.recv().unwrap(), Input::Stored { generation: 1 }));
        assert!(worker.erase().blocking_recv().unwrap());
        worker.store(2, vec![2]);
        assert!(matches!(answers.recv().unwrap(), Input::StoreFailed { generation: 2 }));
        worker.finish();
        assert!(!paths.state().exists() && !paths.key().exists());
    }

    #[test]
    fn a_failed_save_is_answered_and_a_later_one_succeeds() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::at(home.path()).unwrap();
        paths.prepare().unwrap();
        let (sender, answers) = channel();
        let file = StateFile::open(&paths, &bare(), SecretStore::File).unwrap().file;
        let worker = StoreWorker::start(file, 0, move |input| sender.send(input).unwrap()).unwrap();
        std::fs::create_dir(paths.new_state()).unwrap();
        worker.store(1, vec![1]);
        assert!(matches!(answers.recv().unwrap(), Input::StoreFailed { generation: 1 }));
        std::fs::remove_dir(paths.new_state()).unwrap();
        worker.store(2, vec![2]);
        assert!(matches!(answers.recv().unwrap(), Input::Stored { generation: 2 }));
        worker.finish();
    }
}
