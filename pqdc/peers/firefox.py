"""Firefox, headless, with a profile of its own that is gone afterwards, driven over Marionette (its remote protocol).

What it thinks of a connection is asked of the browser itself: `securityInfo` of a channel. Nothing but this machine is
reached: all else is sent to a proxy that is not there.
"""

from __future__ import annotations

import base64
import configparser
import contextlib
import json
import re
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from marionette_driver.errors import MarionetteException
from marionette_driver.marionette import Marionette

from pqdc import pem
from pqdc.errors import PeerUnavailable
from pqdc.files import read_file
from pqdc.peers import PeerOutcome, ServerFiles, Serving
from pqdc.peers.distribution import install
from pqdc.peers.firefox_profile import PACKAGE, QUIET, find_firefox, private_environ, write_preferences
from pqdc.peers.process import Child

__all__ = ["Browser", "Firefox"]

_START_SECONDS = 60.0
_SECONDS = 20.0
_TLS13 = 4
# A port that the system chooses; and no other version is tried after a failure.
_DRIVEN: Mapping[str, str | int | bool] = {"marionette.port": 0, "security.tls.version.min": _TLS13}

_TRUST = """
const [certificate] = arguments;
Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB).addCertFromBase64(certificate, "C,,");
"""
_FETCH = """
const [address, host, dc, done] = arguments;
Services.prefs.setBoolPref("security.tls.enable_delegated_credentials", dc);
Services.prefs.setCharPref("network.dns.localDomains", host);  // that name is this machine, and asks no proxy
Services.prefs.setCharPref("network.proxy.no_proxies_on", "localhost, 127.0.0.1, " + host);
const channel = Services.io.newChannel(
  address, null, null, null, Services.scriptSecurityManager.getSystemPrincipal(), null,
  Ci.nsILoadInfo.SEC_ALLOW_CROSS_ORIGIN_SEC_CONTEXT_IS_NULL, Ci.nsIContentPolicy.TYPE_OTHER);
channel.loadFlags |= Ci.nsIRequest.LOAD_BYPASS_CACHE | Ci.nsIRequest.INHIBIT_CACHING;
channel.asyncOpen({
  onStartRequest() {},
  onDataAvailable(request, stream, offset, count) {
    const reader = Cc["@mozilla.org/scriptableinputstream;1"].createInstance(Ci.nsIScriptableInputStream);
    reader.init(stream);
    reader.read(count);
  },
  onStopRequest(request, status) {
    const info = channel.securityInfo;
    const ask = (name) => { try { return info[name]; } catch (error) { return null; } };  // of what never came
    done({
      status: status,
      error: ask("errorCodeString") || "",
      version: ask("protocolVersion"),
      delegated: ask("isDelegatedCredential"),
      scheme: ask("signatureSchemeName") || "",
    });
  },
});
"""


class Browser:
    """A running Firefox; as a context it ends with it, and its profile is removed.

    Args:
        preferences: besides those that keep it quiet.
    """

    def __init__(self, preferences: Mapping[str, str | int | bool] | None = None) -> None:
        self._program = find_firefox()
        self._preferences = {**QUIET, **_DRIVEN, **(preferences or {})}
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        """Start it.

        Raises:
            PeerUnavailable: it does not start, or does not speak to us.
        """
        with ExitStack() as ends:
            home = Path(tempfile.mkdtemp(prefix="pqdc-firefox-"))
            ends.callback(shutil.rmtree, home, ignore_errors=True)
            profile = home / "profile"
            write_preferences(profile, self._preferences)
            command = [self._program, "--headless", "--no-remote", "--marionette", "--remote-allow-system-access"]
            child = Child([*command, "--profile", profile], environ=private_environ(home))
            ends.enter_context(child)
            try:
                self.marionette = Marionette(
                    host="127.0.0.1",
                    port=_active_port(profile, child),
                    socket_timeout=2 * _SECONDS,  # so that a script times out first
                    startup_timeout=_START_SECONDS,
                )
                self.marionette.start_session()
                self.marionette.timeout.script = _SECONDS
            except (MarionetteException, OSError) as error:
                raise PeerUnavailable(f"Firefox does not speak to us: {error}") from None
            self._ends = ends.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._ends.close()

    def trust(self, der: bytes) -> None:
        """Take this CA for one of servers."""
        self._chrome(_TRUST, base64.b64encode(der).decode())

    def prefer(self, name: str, value: bool) -> None:
        """Set a preference."""
        self._chrome("Services.prefs.setBoolPref(...arguments);", name, value)

    def fetch(self, address: str, *, host: str, ask: bool) -> dict[str, Any]:
        """What it says of the connection by which it fetched a page; see `_FETCH`."""
        facts: dict[str, Any] = self._chrome(_FETCH, address, host, ask, is_asynchronous=True)
        return facts

    def _chrome(self, script: str, *arguments: Any, is_asynchronous: bool = False) -> Any:
        """Run a script with the rights of the browser itself."""
        try:
            with self.marionette.using_context("chrome"):
                run = self.marionette.execute_async_script if is_asynchronous else self.marionette.execute_script
                return run(script, script_args=list(arguments), new_sandbox=True)
        except (MarionetteException, OSError) as error:
            raise PeerUnavailable(f"Firefox does not answer: {error}") from None


class Firefox:
    """The system's Firefox; started for the first connection, and kept until `close`."""

    name = "firefox"
    software = "Firefox"
    roles = ("client",)
    format = ""
    other_formats: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._folder = Path(find_firefox()).resolve().parent
        self._ends = ExitStack()
        self._browser: Browser | None = None
        self._trusted: set[bytes] = set()
        self._end = weakref.finalize(self, self._ends.close)  # at the latest when this process ends

    @classmethod
    def prepare(cls, tell: Callable[[str], None]) -> None:
        """From the distribution."""
        with contextlib.suppress(PeerUnavailable):
            find_firefox()
            return
        install([PACKAGE], tell)
        find_firefox()

    def versions(self) -> Mapping[str, str]:
        """Its own."""
        facts = configparser.ConfigParser(interpolation=None)
        facts.read(self._folder / "application.ini", encoding="utf-8")
        return {"Firefox": facts.get("App", "Version", fallback="unknown")}

    def serve(self, files: ServerFiles) -> AbstractContextManager[Serving]:
        """It is a browser."""
        del files
        raise PeerUnavailable("Firefox is no server")

    def connect(self, port: int, *, ca: Path, name: str = "localhost", ask: bool = True) -> PeerOutcome:
        """One page; the preference for delegated credentials is set to `ask`."""
        browser = self._started()
        for block in pem.blocks(read_file(ca)):
            if block.data not in self._trusted:
                browser.trust(block.data)
                self._trusted.add(block.data)
        return read_outcome(browser.fetch(f"https://{name}:{port}/", host=name, ask=ask))

    def close(self) -> None:
        """End the browser."""
        self._browser = None
        self._trusted.clear()
        self._ends.close()

    def _started(self) -> Browser:
        if self._browser is None:
            self._browser = self._ends.enter_context(Browser())
        return self._browser


def read_outcome(facts: Mapping[str, Any]) -> PeerOutcome:
    """What it says of a connection; one that never came to TLS has only a status."""
    detail = json.dumps(facts, sort_keys=True)
    if facts["error"]:
        return PeerOutcome(accepted=False, error=facts["error"], detail=detail)
    if facts["version"] is None or facts["status"]:
        raise PeerUnavailable(f"Firefox has not come to TLS: {detail}")
    return PeerOutcome(accepted=True, delegated=facts["delegated"], scheme=facts["scheme"], detail=detail)


def _active_port(profile: Path, child: Child) -> int:
    """Where Marionette listens, which Firefox writes down once it does."""
    file = profile / "MarionetteActivePort"
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            if re.fullmatch(r"\d+", text := file.read_text(encoding="ascii").strip()):
                return int(text)
        if child.wait(seconds=0.1) is not None:
            raise PeerUnavailable(f"Firefox has ended: {child.output.strip()[-300:]}")
    raise PeerUnavailable(f"Firefox is not ready within {_START_SECONDS:g} s: {child.output.strip()[-300:]}")
