//! The reflector as its callers meet it: real sockets on loopback, one reflector for each test.

mod desk;
mod door;
mod hostile;
mod media;
mod session;
