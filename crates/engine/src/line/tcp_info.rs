//! The kernel's own view of a TCP connection.
//!
//! Seen: on Linux, whether what we wrote is acknowledged, how often it was repeated, the round trip, and how long ago
//! anything came. A silently dead path shows in it within two seconds of the first unanswered byte.
//! Not seen: on other systems, nothing; there an unanswered ping is the only evidence. What the far end's program does
//! with the bytes that its kernel acknowledged is seen nowhere.
//!
//! Each platform file provides `sample(&TcpStream) -> Option<TcpSample>`.

#[cfg_attr(target_os = "linux", path = "tcp_info/linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "tcp_info/other.rs")]
mod platform;

pub use platform::sample;
