//! logind, over the system's D-Bus: who may delay or forbid sleep, and who is told of it.

use std::time::Duration;

#[zbus::proxy(
    interface = "org.freedesktop.login1.Manager",
    default_service = "org.freedesktop.login1",
    default_path = "/org/freedesktop/login1"
)]
pub trait Manager {
    /// In force until the descriptor is closed, whoever closes it.
    fn inhibit(&self, what: &str, who: &str, why: &str, mode: &str) -> zbus::Result<zbus::OwnedFd>;

    #[zbus(signal)]
    fn prepare_for_sleep(&self, begins: bool) -> zbus::Result<()>;

    /// logind sends no signal when it changes.
    #[zbus(property(emits_changed_signal = "false"))]
    fn lid_closed(&self) -> zbus::Result<bool>;
}

pub const WHO: &str = "Linewitness";

/// A local service answers in milliseconds; one that takes this long does not answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// On the bus that `DBUS_SYSTEM_BUS_ADDRESS` names, else the system's own.
pub async fn manager() -> Result<ManagerProxy<'static>, String> {
    let connecting = async {
        let bus = zbus::connection::Builder::system().method_timeout(ANSWER_WITHIN).build().await?;
        ManagerProxy::builder(&bus).cache_properties(zbus::proxy::CacheProperties::No).build().await
    };
    match tokio::time::timeout(ANSWER_WITHIN, connecting).await {
        Ok(Ok(manager)) => Ok(manager),
        Ok(Err(error)) => {
            tracing::info!("no system D-Bus: {error}");
            Err("this system has no D-Bus".into())
        }
        Err(_) => Err("the system's D-Bus does not answer".into()),
    }
}

/// Why it did not do what it was asked, for a person.
pub fn why(error: &zbus::Error) -> String {
    let zbus::Error::MethodError(name, says, _) = error else { return format!("logind did not answer ({error})") };
    match name.as_str() {
        "org.freedesktop.DBus.Error.ServiceUnknown" | "org.freedesktop.DBus.Error.NameHasNoOwner" => {
            "this system has no logind".into()
        }
        "org.freedesktop.DBus.Error.AccessDenied" | "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired" => {
            "the system's rules do not allow it to this user".into()
        }
        name => format!("logind refused: {}", says.as_deref().unwrap_or(name)),
    }
}
