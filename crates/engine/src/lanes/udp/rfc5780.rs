//! placeholder
use crate::lanes::ground::Ground;
pub async fn run(_: Ground) {}
