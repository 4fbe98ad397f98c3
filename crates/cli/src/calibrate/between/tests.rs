//! The box by plain sockets.
