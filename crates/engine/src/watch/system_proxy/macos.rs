//! macOS: the proxies of the network in use, as the dynamic store keeps them.

use super::{Setting, settings::Settings};
use objc2_core_foundation::{CFArray, CFDictionary, CFNumber, CFRetained, CFString, CFType};
use objc2_system_configuration::SCDynamicStore;
use record::profile::Address;

pub fn read(to: &Address) -> Result<Setting, String> {
    let told = SCDynamicStore::proxies(None).ok_or("macOS does not tell its proxy settings")?;
    // SAFETY: its keys are strings and its values CF objects, as Apple documents.
    let told: CFRetained<CFDictionary<CFString, CFType>> = unsafe { CFRetained::cast_unchecked(told) };
    let value = |key: &str| told.get(&CFString::from_str(key));
    let number = |key: &str| value(key)?.downcast_ref::<CFNumber>()?.as_i64();
    let text = |key: &str| Some(value(key)?.downcast_ref::<CFString>()?.to_string());
    let is_on = |key: &str| number(key) == Some(1);
    let proxy = |scheme: &str| {
        let host = is_on(&format!("{scheme}Enable")).then(|| text(&format!("{scheme}Proxy")))??;
        let port = number(&format!("{scheme}Port")).map(|port| format!(":{port}")).unwrap_or_default();
        // An IPv6 address needs its brackets before a port.
        Some(if host.contains(':') { format!("[{host}]{port}") } else { format!("{host}{port}") })
    };
    let mut except = exceptions(value("ExceptionsList"));
    if is_on("ExcludeSimpleHostnames") {
        except.push("<local>".into());
    }
    let (http, https, script) = (proxy("HTTP"), proxy("HTTPS"), is_on("ProxyAutoConfigEnable"));
    Ok(Settings { http, https, except, script }.of_far_end(to))
}

fn exceptions(list: Option<CFRetained<CFType>>) -> Vec<String> {
    let Some(list) = list.and_then(|list| list.downcast::<CFArray>().ok()) else { return vec![] };
    // SAFETY: the list holds CF objects.
    let list: CFRetained<CFArray<CFType>> = unsafe { CFRetained::cast_unchecked(list) };
    list.iter().filter_map(|entry| Some(entry.downcast_ref::<CFString>()?.to_string())).collect()
}
