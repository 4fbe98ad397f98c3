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
    if is_absence(error) {
        return "this system has no logind".into();
    }
    match name(error).as_deref() {
        Some("AccessDenied" | "InteractiveAuthorizationRequired" | "AuthFailed") => {
            "the system's rules do not allow it to this user".into()
        }
        Some("NoReply" | "Timeout" | "TimedOut") => "logind does not answer".into(),
        _ => format!("logind refused ({error})"),
    }
}

pub fn is_absence(error: &zbus::Error) -> bool {
    matches!(name(error).as_deref(), Some("ServiceUnknown" | "NameHasNoOwner" | "Spawn.ServiceNotFound"))
}

/// The last part of the error's name, where it is one of D-Bus itself.
fn name(error: &zbus::Error) -> Option<String> {
    use zbus::DBusError;
    let name = match error {
        zbus::Error::MethodError(name, ..) => name.as_str().to_owned(),
        zbus::Error::FDO(error) => error.name().as_str().to_owned(),
        _ => return None,
    };
    name.strip_prefix("org.freedesktop.DBus.Error.").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zbus::fdo::Error;

    #[test]
    fn what_a_person_can_understand_is_said() {
        let says = |error: Error| why(&zbus::Error::from(error));
        assert_eq!(says(Error::ServiceUnknown("The name …".into())), "this system has no logind");
        assert_eq!(says(Error::AccessDenied("no".into())), "the system's rules do not allow it to this user");
        assert_eq!(says(Error::TimedOut("after 5 s".into())), "logind does not answer");
        assert!(says(Error::Failed("out of locks".into())).contains("out of locks"));
    }
}
