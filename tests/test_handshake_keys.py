"""The key schedule against the trace of RFC 8448 section 3 (a simple 1-RTT handshake)."""

from __future__ import annotations

from pqdc.handshake.key_schedule import SUITES, KeySchedule, expand_label, traffic_keys

SUITE = SUITES[0x1301]
SHARED = bytes.fromhex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d")
UP_TO_FINISHED = bytes.fromhex("9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13")
SERVER_HANDSHAKE = bytes.fromhex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38")


def test_secrets():
    schedule = KeySchedule(SUITE, SHARED)
    assert schedule._handshake.hex() == "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac"
    client, server = schedule.application_secrets(UP_TO_FINISHED)
    assert client.hex() == "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"
    assert server.hex() == "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643"


def test_keys():
    assert expand_label(SUITE, SERVER_HANDSHAKE, "key", b"", 16).hex() == "3fce516009c21727d0f2e4e86ee403bc"
    assert traffic_keys(SUITE, SERVER_HANDSHAKE).iv.to_bytes(12, "big").hex() == "5d313eb2671276ee13000b30"
    finished = expand_label(SUITE, SERVER_HANDSHAKE, "finished", b"", 32)
    assert finished.hex() == "008d3b66f816ea559f96b537e885c31fc068bf492c652f01f288a1d8cdc19fc8"
