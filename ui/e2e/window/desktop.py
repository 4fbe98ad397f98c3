"""What a desktop does around a window, for its tests: a place for tray icons, and the button that closes a window.

Reads orders, one a line, and answers each with a line of JSON: `tray` (the menu's lines, null while there is no icon),
`choose WORDS` (a line of that menu), `close TITLE` (the window's own button).
"""
import json
import sys

import dbus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
from Xlib import X, display
from Xlib.protocol.event import ClientMessage

WATCHER = "org.kde.StatusNotifierWatcher"
MENU = "com.canonical.dbusmenu"
ANSWERS_WITHIN = 5


class Watcher(dbus.service.Object):
    """Where programs register their icons; a panel would draw them."""

    def __init__(self, bus):
        super().__init__(bus, "/StatusNotifierWatcher")
        self.item = None

    @dbus.service.method(WATCHER, in_signature="s", sender_keyword="sender")
    def RegisterStatusNotifierItem(self, item, sender=None):
        name, path = (sender, item) if item.startswith("/") else (item, "/StatusNotifierItem")
        self.item = (name, path)

    @dbus.service.method(WATCHER, in_signature="s")
    def RegisterStatusNotifierHost(self, host):
        pass

    @dbus.service.signal(WATCHER)
    def StatusNotifierHostRegistered(self):
        pass

    @dbus.service.method(dbus.PROPERTIES_IFACE, in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        return self.GetAll(interface)[name]

    @dbus.service.method(dbus.PROPERTIES_IFACE, in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        return {"IsStatusNotifierHostRegistered": True, "ProtocolVersion": dbus.Int32(0)}


def menu(bus, watcher):
    """The proxy of its menu and the lines in it: number, words, whether they can be chosen."""
    name, path = watcher.item
    item = dbus.Interface(bus.get_object(name, path, introspect=False), dbus.PROPERTIES_IFACE)
    at = item.Get("org.kde.StatusNotifierItem", "Menu", timeout=ANSWERS_WITHIN)
    proxy = dbus.Interface(bus.get_object(name, at, introspect=False), MENU)
    _, (_, _, lines) = proxy.GetLayout(0, -1, dbus.Array([], signature="s"), timeout=ANSWERS_WITHIN)
    lines = [(int(number), dict(of)) for number, of, _ in lines]
    return proxy, [(number, str(of["label"]), bool(of.get("enabled", True))) for number, of in lines if "label" in of]


def choose(bus, watcher, words):
    proxy, lines = menu(bus, watcher)
    number = next(number for number, label, enabled in lines if label == words and enabled)
    proxy.Event(number, "clicked", dbus.Int32(0, variant_level=1), dbus.UInt32(0), timeout=ANSWERS_WITHIN)
    return words


def close(title):
    screen = display.Display()
    delete, protocols = (screen.intern_atom(name) for name in ("WM_DELETE_WINDOW", "WM_PROTOCOLS"))
    seen = [w for w in screen.screen().root.query_tree().children if w.get_wm_name() == title]
    for window in seen:
        window.send_event(ClientMessage(window=window, client_type=protocols, data=(32, [delete, X.CurrentTime, 0, 0, 0])))
    screen.sync()
    return len(seen)


def answer(bus, watcher, order):
    what, _, words = order.strip().partition(" ")
    if what == "close":
        return close(words)
    if watcher.item is None:
        return None
    if what == "choose":
        return choose(bus, watcher, words)
    return [label for _, label, _ in menu(bus, watcher)[1]]


def ordered(channel, _, bus, watcher, loop):
    order = channel.readline()
    if not order:
        loop.quit()
        return False
    try:
        said = {"ok": answer(bus, watcher, order)}
    except Exception as error:  # whatever it is, the test shows it
        said = {"error": repr(error)}
    print(json.dumps(said), flush=True)
    return True


def main():
    DBusGMainLoop(set_as_default=True)
    bus = dbus.SessionBus()
    watcher = Watcher(bus)
    _name = dbus.service.BusName(WATCHER, bus)
    watcher.StatusNotifierHostRegistered()
    loop = GLib.MainLoop()
    GLib.io_add_watch(sys.stdin, GLib.IO_IN | GLib.IO_HUP, ordered, bus, watcher, loop)
    print(json.dumps({"ok": "ready"}), flush=True)
    loop.run()


main()
