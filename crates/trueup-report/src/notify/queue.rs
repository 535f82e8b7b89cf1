//! The queue of a target, with a limit. Adding never blocks; the oldest entry is dropped.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// A queue of at most so many.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<QueueState<T>>,
    wake: Notify,
    max: usize,
}

#[derive(Debug)]
struct QueueState<T> {
    items: VecDeque<T>,
    dropped: u64,
    closed: bool,
}

impl<T> Queue<T> {
    /// An empty one.
    pub fn new(max: usize) -> Self {
        let state = QueueState { items: VecDeque::new(), dropped: 0, closed: false };
        Self { state: Mutex::new(state), wake: Notify::new(), max }
    }

    fn state(&self) -> MutexGuard<'_, QueueState<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts something at the end. When it is full, the oldest is dropped.
    pub fn push(&self, item: T) {
        let mut state = self.state();
        if state.items.len() >= self.max {
            state.items.pop_front();
            state.dropped += 1;
        }
        state.items.push_back(item);
        drop(state);
        self.wake.notify_one();
    }

    /// Takes the oldest, and waits for one; nothing when it is closed and empty. May be dropped at any time.
    pub async fn next(&self) -> Option<T> {
        loop {
            let woken = self.wake.notified();
            {
                let mut state = self.state();
                if let Some(item) = state.items.pop_front() {
                    return Some(item);
                }
                if state.closed {
                    return None;
                }
            }
            woken.await;
        }
    }

    /// How many were dropped since this was asked last.
    pub fn take_dropped(&self) -> u64 {
        std::mem::take(&mut self.state().dropped)
    }

    /// Nothing is awaited any more.
    pub fn close(&self) {
        self.state().closed = true;
        self.wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_is_dropped_and_counted_and_the_rest_is_given_out_in_order() {
        let queue = Queue::new(3);
        (0..5).for_each(|number| queue.push(number));
        queue.close();
        assert_eq!((queue.take_dropped(), queue.take_dropped()), (2, 0));
        let given = [queue.next().await, queue.next().await, queue.next().await, queue.next().await];
        assert_eq!(given, [Some(2), Some(3), Some(4), None]);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_is_woken() {
        let queue = std::sync::Arc::new(Queue::new(3));
        let other = queue.clone();
        let waiting = tokio::spawn(async move { (other.next().await, other.next().await) });
        tokio::task::yield_now().await;
        queue.push(1);
        tokio::task::yield_now().await;
        queue.close();
        assert_eq!(waiting.await.unwrap(), (Some(1), None));
    }
}
