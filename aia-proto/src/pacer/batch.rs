//! What waits to be sent together.

use alloc::{collections::VecDeque, vec::Vec};
use core::fmt;

use thiserror::Error;

/// Chunks of one topic, such as events, that wait for the next message: in order, none split, as many as fit in one.
///
/// ```
/// use aia_proto::pacer::Batch;
///
/// let mut batch = Batch::new(10, 100);
/// for chunk in ["first", "last", "late"] {
///     batch.push(chunk, chunk.len())?;
/// }
/// assert_eq!(batch.take(), ["first", "last"]);
/// assert_eq!(batch.take(), ["late"]);
/// assert!(batch.is_empty());
/// # Ok::<(), aia_proto::pacer::BatchError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Batch<T> {
    max_message: usize,
    max_queued: usize,
    queued: usize,
    chunks: VecDeque<(T, usize)>,
}

/// Why a chunk was not taken. The others wait as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BatchError {
    /// It does not fit in any message.
    #[error("a chunk of {size} bytes: a message has room for {limit}")]
    TooLarge {
        /// Its size, in bytes.
        size: usize,
        /// The room in a message, in bytes.
        limit: usize,
    },
    /// Too much waits already: send first.
    #[error("no room for {size} bytes: at most {limit} bytes wait to be sent")]
    Full {
        /// The size of the chunk, in bytes.
        size: usize,
        /// How many bytes may wait.
        limit: usize,
    },
}

impl<T> Batch<T> {
    /// Room for `max_message` bytes of chunks in a message, without its header and what encloses the chunks, and for
    /// `max_queued` bytes of chunks that wait.
    #[must_use]
    pub const fn new(max_message: usize, max_queued: usize) -> Self {
        Self { max_message, max_queued, queued: 0, chunks: VecDeque::new() }
    }

    /// Lets a chunk wait that takes so many bytes of a message, what separates it from the next included.
    ///
    /// # Errors
    /// It fits in no message, or too much waits already.
    pub fn push(&mut self, chunk: T, size: usize) -> Result<(), BatchError> {
        if size > self.max_message {
            return Err(BatchError::TooLarge { size, limit: self.max_message });
        }
        if size > self.max_queued - self.queued {
            return Err(BatchError::Full { size, limit: self.max_queued });
        }
        self.queued += size;
        self.chunks.push_back((chunk, size));
        Ok(())
    }

    /// What the next message carries: the first chunks that fit in it. Nothing when none waits.
    pub fn take(&mut self) -> Vec<T> {
        let mut room = self.max_message;
        let mut taken = Vec::new();
        while let Some((_, size)) = self.chunks.front() {
            let Some(left) = room.checked_sub(*size) else { break };
            self.queued -= size;
            room = left;
            taken.extend(self.chunks.pop_front().map(|(chunk, _)| chunk));
        }
        taken
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }
}

impl<T> fmt::Debug for Batch<T> {
    /// Sizes only: a chunk may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("chunks", &self.chunks.len())
            .field("queued", &self.queued)
            .finish_non_exhaustive()
    }
}
