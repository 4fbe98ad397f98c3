//! The caretaker's picture of the signaling socket.

use super::Underway;

#[derive(Debug, Default)]
pub struct Socket {
    state: State,
    ever_ready: bool,
    attempts: u32,
    logins_refused: u32,
    reconnect: Option<Underway>,
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
    pub fn connecting(&mut self) {
        self.state = State::Connecting;
    }
    /// Tells whether it had been up before.
    pub fn ready(&mut self) -> bool {
        self.state = State::Up;
        self.attempts = 0;
        self.logins_refused = 0;
        std::mem::replace(&mut self.ever_ready, true)
    }
    pub fn lost(&mut self) {
        self.state = State::Down;
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
