//! What must hold of every input, however hostile. The fuzzer calls these with what it makes up, and the test
//! `tests/tests/corpus.rs` with what is kept in `corpus/`.

pub mod hostile;
