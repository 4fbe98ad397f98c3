//! macOS: IOKit's messages of sleep on a thread with a run loop; the power sources and the lid by looking.

use super::codes::{Consent, macos_event};
use super::{Event, LOOK_EVERY, Teller};
use objc2_core_foundation::{
    CFArray, CFBoolean, CFDictionary, CFNumber, CFRetained, CFRunLoop, CFString, CFType, kCFRunLoopDefaultMode,
};
use objc2_io_kit::{
    IOAllowPowerChange, IODeregisterForSystemPower, IONotificationPort, IOObjectRelease, IOPSCopyPowerSourcesInfo,
    IOPSCopyPowerSourcesList, IOPSGetPowerSourceDescription, IOPSGetProvidingPowerSourceType, IORegisterForSystemPower,
    IORegistryEntryCopyFromPath, IORegistryEntryCreateCFProperty, IOServiceClose,
};
use std::cell::Cell;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;

/// How soon the thread finds that nobody wants it any more.
const STOP_WITHIN_S: f64 = 1.0;

pub async fn sleep(teller: Teller) -> String {
    let stop = StopWhenDropped(Arc::default());
    let (ended, why) = oneshot::channel();
    let thread = {
        let stop = Arc::clone(&stop.0);
        std::thread::Builder::new().name("sleep".into()).spawn(move || {
            // Nobody listens where the hold has ended.
            let _ = ended.send(listen(&teller, &stop));
        })
    };
    let why = match thread {
        Ok(_) => why.await.unwrap_or("its thread has ended"),
        Err(_) => "the system gave us no thread",
    };
    format!("macOS does not tell of sleep ({why}); sleeps are seen from the clocks alone")
}

struct StopWhenDropped(Arc<AtomicBool>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What the callback is handed.
struct Ear<'a> {
    teller: &'a Teller,
    /// Known only after the registration, and needed by each answer.
    root_port: Cell<u32>,
}

/// Until `stop`. Gives back why it cannot.
fn listen(teller: &Teller, stop: &AtomicBool) -> &'static str {
    let ear = Ear { teller, root_port: Cell::new(0) };
    let mut port: *mut IONotificationPort = std::ptr::null_mut();
    let mut notifier = 0;
    // SAFETY: `ear` outlives the registration, which ends below; both other pointers are valid places for the answers.
    let root_port = unsafe {
        let ear = std::ptr::from_ref(&ear).cast_mut().cast();
        IORegisterForSystemPower(ear, &raw mut port, Some(on_message), &raw mut notifier)
    };
    if root_port == 0 {
        return "the registration was refused";
    }
    ear.root_port.set(root_port);
    // SAFETY: the port is the one that was just made, and is destroyed below.
    let source = unsafe { IONotificationPort::run_loop_source(port) };
    // SAFETY: a constant of the system's.
    let mode = unsafe { kCFRunLoopDefaultMode };
    let why = match (CFRunLoop::current(), source) {
        (Some(run_loop), Some(source)) => {
            run_loop.add_source(Some(&source), mode);
            while !stop.load(Ordering::Relaxed) {
                CFRunLoop::run_in_mode(mode, STOP_WITHIN_S, false);
            }
            "it was stopped"
        }
        _ => "this thread has no run loop",
    };
    // SAFETY: each undoes what the registration made, once, on the thread that runs its callbacks.
    unsafe {
        IODeregisterForSystemPower(&raw mut notifier);
        IOServiceClose(root_port);
        IONotificationPort::destroy(port);
    }
    why
}

/// # Safety
/// `context` must be a living `Ear`.
unsafe extern "C-unwind" fn on_message(context: *mut c_void, _: u32, message: u32, argument: *mut c_void) {
    // SAFETY: it is the `Ear` of `listen`, which lives until after the registration has ended, on this same thread.
    let ear = unsafe { &*context.cast::<Ear<'_>>() };
    let (event, consent) = macos_event(message);
    if let Some(event) = event {
        ear.teller.tell(event);
        if event == Event::AboutToSleep {
            ear.teller.settle();
        }
    }
    if consent == Consent::Wanted {
        let answer = IOAllowPowerChange(ear.root_port.get(), argument as isize);
        if answer != 0 {
            tracing::info!("macOS did not take our consent to sleep ({answer})");
        }
    }
}

pub async fn supply(teller: Teller) -> String {
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        let looking = tokio::task::spawn_blocking(|| (power_source(), lid()));
        let Ok((supply, lid)) = looking.await else { return "looking at the power sources failed".into() };
        let Some(supply) = supply else { return "macOS does not tell of its power sources".into() };
        teller.tell(supply);
        if let Some(closed) = lid {
            teller.tell(Event::Lid { closed });
        }
    }
}

fn power_source() -> Option<Event> {
    let all = IOPSCopyPowerSourcesInfo()?;
    // SAFETY: `all` is what the call above gave.
    let providing = unsafe { IOPSGetProvidingPowerSourceType(Some(&all)) }?;
    Some(Event::Supply { on_battery: providing.to_string() == "Battery Power", percent: charge(&all) })
}

/// Of the battery inside; a UPS has a charge of its own.
fn charge(all: &CFType) -> Option<f64> {
    // SAFETY: `all` is what IOPSCopyPowerSourcesInfo gave.
    let sources = unsafe { IOPSCopyPowerSourcesList(Some(all)) }?;
    // SAFETY: the list holds CF objects.
    let sources: CFRetained<CFArray<CFType>> = unsafe { CFRetained::cast_unchecked(sources) };
    sources.iter().find_map(|source| {
        // SAFETY: `source` is out of the list of `all`.
        let told = unsafe { IOPSGetPowerSourceDescription(Some(all), Some(&source)) }?;
        // SAFETY: its keys are strings and its values CF objects, as Apple documents.
        let told: CFRetained<CFDictionary<CFString, CFType>> = unsafe { CFRetained::cast_unchecked(told) };
        let value = |key: &str| told.get(&CFString::from_str(key));
        let number = |key: &str| value(key)?.downcast_ref::<CFNumber>()?.as_f64();
        let inside = value("Type")?.downcast_ref::<CFString>()?.to_string() == "InternalBattery";
        let (now, full) = (number("Current Capacity")?, number("Max Capacity")?);
        (inside && full > 0.0).then(|| 100.0 * now / full)
    })
}

/// Closed; nothing on a Mac without a lid.
fn lid() -> Option<bool> {
    let path = CFString::from_static_str("IOPower:/IOPowerConnection/IOPMrootDomain");
    // SAFETY: 0 stands for the default main port.
    let root = unsafe { IORegistryEntryCopyFromPath(0, Some(&path)) };
    if root == 0 {
        return None;
    }
    let key = CFString::from_static_str("AppleClamshellState");
    // SAFETY: `root` is an entry that is ours until it is released below.
    let state = unsafe { IORegistryEntryCreateCFProperty(root, Some(&key), None, 0) };
    IOObjectRelease(root);
    Some(state?.downcast_ref::<CFBoolean>()?.as_bool())
}
