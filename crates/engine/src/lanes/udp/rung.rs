//! One rung: a mapping of its own, left quiet, and then the far end speaks to where it saw us.

use super::talk::{Answer, Gate, PATIENT, Talk, nonce};
use crate::Recorder;
use record::wire::datagram::{FromClient, FromFar};
use record::{
    Heard, Stamp,
    fact::{ConnectStage, End, Lane, Manner, Opened, Side, Trouble, UdpRung},
    millis, words_of_length,
};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
