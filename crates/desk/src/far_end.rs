//! `SelfTest`: a far end of our own on loopback, for whoever has none to call.

use crate::Failure;
use record::profile::Address;
use reflector::{Reflector, Settings};
use std::time::Duration;
use tokio::{sync::oneshot, task::JoinHandle};

/// It has no caller any more when it is ended; a second is plenty, and leaving is safe.
const ENDS_WITHIN: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct SelfTest {
    pub address: Address,
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

impl SelfTest {
    pub async fn begin() -> Result<Self, Failure> {
        let far = Reflector::bind(Settings::on_loopback())
            .await
            .map_err(|error| Failure::ours(format!("the far end for the self-test could not be started: {error:#}")))?;
        let address = Address::parse(&format!("ws://{}/call", far.local_addr())).expect("a socket address makes a URL");
        let (stop, stopped) = oneshot::channel();
        let done = tokio::spawn(async move {
            let _ = far
                .run(async {
                    // Dropped or told: either way it is over.
                    let _ = stopped.await;
                })
                .await;
        });
        Ok(Self { address, stop, done })
    }

    pub async fn end(self) {
        let _ = self.stop.send(());
        let _ = tokio::time::timeout(ENDS_WITHIN, self.done).await;
    }
}
