"""`pqdc demo-site` as a person sees it: Firefox opens the page, with its preference on and off.

`PQDC_SCREENSHOTS` names a folder to keep what is seen in, for the documentation.
"""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pqdc import pem
from pqdc.errors import PeerUnavailable
from pqdc.peers.firefox_profile import DC_PREFERENCE, find_firefox, opened

PQDC = Path(sys.executable).with_name("pqdc")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


@pytest.fixture
def site(folder):
    """Starts `pqdc demo-site`; gives its process and the address."""
    started = []

    def start(*arguments, **environ):
        command = [PQDC, "demo-site", "--port", "0", *arguments]
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | environ
        )
        started.append(process)
        address = process.stdout.readline().strip()
        assert address, process.stderr.read()
        return process, address

    yield start
    for process in started:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture(scope="module")
def browser():
    driver = pytest.importorskip(
        "pqdc.peers.firefox", reason="marionette-driver is not installed: pip install pqdc[interop]"
    )
    try:
        with driver.Browser() as running:
            running.marionette.set_window_rect(width=1000, height=1240)
            yield running
    except PeerUnavailable as error:
        pytest.skip(f"{error}; {error.hint}")


def look(browser, address, name):
    """The text of the page, loaded anew; a picture of it is kept if it is wanted."""
    browser.marionette.navigate(address)
    if kept := os.environ.get("PQDC_SCREENSHOTS"):
        picture = base64.b64decode(browser.marionette.screenshot(full=True))
        Path(kept, name).write_bytes(picture)
    return browser.marionette.execute_script("return document.body.innerText;")


def test_the_page_in_firefox(site, browser, folder):
    """Off: the leaf's own key, and what to do; on: a credential, its scheme, and how long it lasts."""
    _, address = site()
    address = address.replace("127.0.0.1", "localhost")
    (ca,) = pem.blocks((folder / "demo-site" / "ca.pem").read_bytes())
    browser.trust(ca.data)
    browser.prefer(DC_PREFERENCE, value=False)
    text = look(browser, address, "demo-site-off.png")
    assert "This connection was protected by a certificate" in text
    assert DC_PREFERENCE in text
    browser.prefer(DC_PREFERENCE, value=True)
    text = look(browser, address, "demo-site-on.png")
    assert "This connection was protected by a delegated credential" in text
    assert "ECDSA-P256, for another 23 h 59 min" in text
    assert DC_PREFERENCE not in text
    boxes = browser.marionette.execute_script("return document.querySelectorAll('svg.chain rect').length;")
    assert boxes == 4
    assert "X25519MLKEM768" in text


def test_it_opens_firefox(site):
    """In a profile of its own, with the CA in it and the preference on: no more is to be done than to look."""
    try:
        find_firefox()
    except PeerUnavailable as error:
        pytest.skip(f"{error}; {error.hint}")
    process, _ = site("--open", MOZ_HEADLESS="1")
    limit = threading.Timer(90, process.kill)  # Firefox may take its time to start, but not for ever
    limit.start()
    came = ""
    for line in process.stderr:
        if "certutil" in line:
            limit.cancel()
            pytest.skip(f"Firefox's profile cannot be written: {line.strip()}")
        if "a client came" in line:
            came = line.strip()
            break
    limit.cancel()
    assert came == "a client came: a delegated credential, ECDSA-P256"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 0


def test_other_clients_get_what_they_take(site, folder):
    process, address = site()
    told = [process.stderr.readline() for _ in range(8)]
    assert any("about:config" in line for line in told)
    server = address.removeprefix("https://").strip("/")
    for arguments, wanted in (((), "ML-DSA-44"), (("--schemes", "P-256"), "ECDSA-P256"), (("--no-dc",), "certificate")):
        command = [PQDC, "connect", server, "--ca", "demo-site/ca.pem", *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert wanted in done.stdout
    assert (folder / "demo-site" / "leaf.key").stat().st_mode & 0o777 == 0o600
    assert not list((folder / "demo-site").glob("ca.key"))


def test_without_a_screen_it_says_so(monkeypatch, tmp_path):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "MOZ_HEADLESS"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(PeerUnavailable), opened("https://localhost/", ca=tmp_path / "ca.pem"):
        pass


def test_the_pictures_in_the_documentation_are_there():
    docs = Path(__file__).parents[1] / "docs"
    named = re.findall(r"\((demo-site-\w+\.png)\)", (docs / "demo-site.md").read_text())
    assert named
    for name in named:
        assert (docs / name).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
