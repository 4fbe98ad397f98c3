//! The caretaker's picture of the signaling socket.

use super::Underway;
use record::Stamp;
use std::time::Duration;

/// A socket that stood this long was a success; one that ended sooner is part of the same trouble, and the waits go on
/// growing. Without this a service that accepts and drops us would be called four times a second.
const STOOD: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub struct Socket {
    state: State,
    ever_ready: bool,
    attempts: u32,
    logins_refused: u32,
    reconnect: Option<Underway>,
    /// The attempt that counts; what is told of earlier ones is past.
    conn: u32,
    ready_at: Option<Stamp>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    None,
    Connecting,
    Up,
    Down,
}

impl Socket {
    pub fn is_up(&self) -> bool {
        self.state == State::Up
    }
    pub fn connecting(&mut self, conn: u32) {
        self.conn = conn;
        self.state = State::Connecting;
    }
    /// Tells whether it had been up before.
    pub fn ready(&mut self, at: Stamp) -> bool {
        self.state = State::Up;
        self.ready_at = Some(at);
        self.logins_refused = 0;
        std::mem::replace(&mut self.ever_ready, true)
    }
    /// Tells whether there was anything left to lose.
    pub fn lost(&mut self, conn: u32, at: Stamp) -> bool {
        if conn != self.conn || self.state == State::Down {
            return false;
        }
        if self.ready_at.take().is_some_and(|since| at.since(since) >= STOOD) {
            self.attempts = 0;
        }
        self.state = State::Down;
        true
    }
    /// Ended by ourselves, to make way or at the end.
    pub fn gone(&mut self) {
        if self.state == State::Up {
            self.state = State::None;
        }
    }
    pub fn next_attempt(&mut self) -> u32 {
        self.attempts += 1;
        self.attempts
    }
    pub fn refused_login(&mut self) {
        self.logins_refused += 1;
    }
    pub fn login_refused(&self) -> bool {
        self.logins_refused > 0
    }
    pub fn logins_refused_in_a_row(&self) -> u32 {
        self.logins_refused
    }
    pub fn reconnecting(&mut self, underway: Underway) {
        self.reconnect = Some(underway);
    }
    pub fn take_reconnect(&mut self) -> Option<Underway> {
        self.reconnect.take()
    }
}
