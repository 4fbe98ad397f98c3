use super::Client;
use crate::sim::time::Task;

pub fn begin(_: &Client) -> Vec<Task> {
    vec![]
}
