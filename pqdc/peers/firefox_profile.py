"""Firefox with a profile made for the purpose and gone afterwards: preferences, a CA, and nobody else's files."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pqdc.errors import PeerUnavailable
from pqdc.peers.nss import nss_database
from pqdc.peers.process import Child

__all__ = ["DC_PREFERENCE", "PACKAGE", "QUIET", "find_firefox", "opened", "private_environ", "write_preferences"]

PACKAGE = "firefox-esr"  # as Debian calls it
DC_PREFERENCE = "security.tls.enable_delegated_credentials"
_HINT = f"install Firefox from your distribution; Debian calls it {PACKAGE}"

# Nobody is asked anything, nothing is looked up, fetched or reported, and only this machine is reached.
QUIET: Mapping[str, str | int | bool] = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.aboutwelcome.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "browser.tabs.warnOnClose": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.policy.dataSubmissionPolicyBypassNotification": True,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disableIPv6": True,
    "network.http.speculative-parallel-limit": 0,
    "network.prefetch-next": False,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.no_proxies_on": "localhost, 127.0.0.1",
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.proxy.type": 1,
    "services.settings.server": "http://127.0.0.1:9/",
    "toolkit.telemetry.enabled": False,
    "trailhead.firstrun.didSeeAboutWelcome": True,
}


@contextmanager
def opened(address: str, *, ca: Path) -> Iterator[None]:
    """A window of Firefox on this page, which trusts this CA and asks for credentials; it ends with the context.

    Raises:
        PeerUnavailable: Firefox or NSS's certutil is not here, or there is no screen.
    """
    program = find_firefox()
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY", "MOZ_HEADLESS"} & set(os.environ):
        raise PeerUnavailable("there is no screen to open Firefox on", hint="open the page in a browser of yours")
    with TemporaryDirectory(prefix="pqdc-firefox-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        profile = home / "profile"
        write_preferences(profile, {**QUIET, DC_PREFERENCE: True})
        nss_database(profile, ca)
        screen = {"XAUTHORITY": os.environ.get("XAUTHORITY", str(Path.home() / ".Xauthority"))}
        environ = private_environ(home) | screen
        with Child([program, "--no-remote", "--profile", profile, address], environ=environ):
            yield


def find_firefox() -> str:
    """The program.

    Raises:
        PeerUnavailable: there is none.
    """
    program = shutil.which(PACKAGE) or shutil.which("firefox")
    if program is None:
        raise PeerUnavailable("no Firefox on the path", hint=_HINT)
    return program


def write_preferences(profile: Path, preferences: Mapping[str, str | int | bool]) -> None:
    """A new profile with these preferences."""
    profile.mkdir(parents=True)
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items()]
    (profile / "user.js").write_text("".join(lines), encoding="utf-8")


def private_environ(home: Path) -> dict[str, str]:
    """Variables that keep the user's own files out of it."""
    return {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "MOZ_CRASHREPORTER_DISABLE": "1",
    }
