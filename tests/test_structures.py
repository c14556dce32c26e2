"""Credential and DelegatedCredential: (value, bytes) both ways, cut and extended at each byte, and the two laws."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pqdc.credential.structures import (
    EXTENSION_TYPE,
    LARGEST_DC,
    LARGEST_SIGNATURE,
    LARGEST_SPKI,
    Credential,
    DelegatedCredential,
    Role,
    signed_prefix,
)
from pqdc.errors import DecodeError

CREDENTIALS = {
    "least": (Credential(valid_time=0, dc_cert_verify_algorithm=0, spki=b"\x05"), "00000000 0000 000001 05"),
    "most": (
        Credential(valid_time=2**32 - 1, dc_cert_verify_algorithm=0xFFFF, spki=b"\xff" * 3),
        "ffffffff ffff 000003 ffffff",
    ),
    "a day, Ed25519": (
        Credential(valid_time=86400, dc_cert_verify_algorithm=0x0807, spki=bytes(range(44))),
        "00015180 0807 00002c" + bytes(range(44)).hex(),
    ),
    "a length of two bytes": (
        Credential(valid_time=1, dc_cert_verify_algorithm=0x0904, spki=bytes(258)),
        "00000001 0904 000102" + 258 * "00",
    ),
    "a length of three bytes": (
        Credential(valid_time=1, dc_cert_verify_algorithm=0xFF0A, spki=bytes(65537)),
        "00000001 ff0a 010001" + 65537 * "00",
    ),
}
DELEGATED = {
    "least": (
        DelegatedCredential(cred=CREDENTIALS["least"][0], algorithm=0, signature=b"\x07"),
        CREDENTIALS["least"][1] + "0000 0001 07",
    ),
    "a day, Ed25519 under P-256": (
        DelegatedCredential(cred=CREDENTIALS["a day, Ed25519"][0], algorithm=0x0403, signature=bytes(71)),
        CREDENTIALS["a day, Ed25519"][1] + "0403 0047" + 71 * "00",
    ),
    "most": (
        DelegatedCredential(cred=CREDENTIALS["most"][0], algorithm=0xFFFF, signature=b"\xff" * 65535),
        CREDENTIALS["most"][1] + "ffff ffff" + 65535 * "ff",
    ),
}
TABLE = [
    pytest.param(kind, value, bytes.fromhex(written), id=f"{kind.__name__}: {name}")
    for kind, table in ((Credential, CREDENTIALS), (DelegatedCredential, DELEGATED))
    for name, (value, written) in table.items()
]
SHORT = [parameters for parameters in TABLE if len(parameters.values[2]) < 1000]


@pytest.mark.parametrize(("kind", "value", "written"), TABLE)
def test_value_to_bytes(kind, value, written):
    assert value.encode() == written


@pytest.mark.parametrize(("kind", "value", "written"), TABLE)
def test_bytes_to_value(kind, value, written):
    assert kind.decode(written) == value


@pytest.mark.parametrize(("kind", "value", "written"), SHORT)
def test_v7_cut_at_each_byte(kind, value, written):
    for end in range(len(written)):
        with pytest.raises(DecodeError):
            kind.decode(written[:end])


@pytest.mark.parametrize(("kind", "value", "written"), SHORT)
def test_v7_a_byte_put_in_at_each_place(kind, value, written):
    """It may decode as something else, but never as the same, and what decodes encodes to the bytes it came in."""
    for place in range(len(written) + 1):
        longer = written[:place] + b"\x01" + written[place:]
        with contextlib.suppress(DecodeError):
            assert kind.decode(longer) != value
            assert kind.decode(longer).encode() == longer


@pytest.mark.parametrize(("kind", "value", "written"), TABLE)
def test_v7_bytes_after_the_end(kind, value, written):
    with pytest.raises(DecodeError, match=rf"^{kind.__name__}: 1 bytes left over after the end$"):
        kind.decode(written + b"\0")
    with pytest.raises(DecodeError):
        kind.decode(written + written)


def test_v7_an_empty_signature():
    with pytest.raises(DecodeError, match=r"^DelegatedCredential: signature has 0 bytes, at least 1 are wanted$"):
        DelegatedCredential.decode(bytes.fromhex(CREDENTIALS["least"][1] + "0403 0000"))


def test_v7_an_empty_key():
    with pytest.raises(DecodeError, match="ASN1_subjectPublicKeyInfo has 0 bytes, at least 1 are wanted"):
        Credential.decode(bytes.fromhex("00000000 0000 000000"))


def test_nothing_is_no_structure():
    with pytest.raises(DecodeError, match="valid_time wants 4 bytes, 0 are left"):
        DelegatedCredential.decode(b"")


U16, U32 = st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)
credentials = st.builds(
    Credential, valid_time=U32, dc_cert_verify_algorithm=U16, spki=st.binary(min_size=1, max_size=300)
)
delegated = st.builds(
    DelegatedCredential, cred=credentials, algorithm=U16, signature=st.binary(min_size=1, max_size=300)
)


@given(credentials)
def test_law_a_credential_survives_its_encoding(value):
    assert Credential.decode(value.encode()) == value


@given(delegated)
def test_law_a_delegated_credential_survives_its_encoding(value):
    assert DelegatedCredential.decode(value.encode()) == value


@given(delegated, st.binary(min_size=1, max_size=4))
def test_law_every_truncation_and_extension_is_refused(value, more):
    written = value.encode()
    for end in range(len(written)):
        with pytest.raises(DecodeError):
            DelegatedCredential.decode(written[:end])
    with pytest.raises(DecodeError):
        DelegatedCredential.decode(written + more)


# Free bytes rarely decode; bytes with the lengths in their place often do.
nearly = st.builds(
    lambda head, length, key, algorithm, count, signature: b"".join(
        (head, bytes((0, 0, length)), key, algorithm, bytes((0, count)), signature)
    ),
    st.binary(min_size=6, max_size=6),
    st.integers(0, 4),
    st.binary(max_size=4),
    st.binary(min_size=2, max_size=2),
    st.integers(0, 4),
    st.binary(max_size=4),
)


@given(nearly | st.binary(max_size=40))
@example(bytes.fromhex(DELEGATED["least"][1]))
def test_law_whatever_decodes_encodes_to_the_same_bytes(data):
    for kind in (Credential, DelegatedCredential):
        with contextlib.suppress(DecodeError):
            assert kind.decode(data).encode() == data


def test_what_is_signed_is_in_the_order_of_the_rfc():
    dc = DELEGATED["a day, Ed25519 under P-256"][0]
    leaf = b"0\x03\x02\x01\x05"
    expected = 64 * b"\x20" + b"TLS, server delegated credentials" + b"\0" + leaf + dc.cred.encode() + b"\x04\x03"
    assert dc.signed_bytes(leaf, Role.SERVER) == expected
    assert dc.signed_bytes(leaf, Role.CLIENT) == expected.replace(b"server", b"client")
    assert signed_prefix(leaf, Role.SERVER) == expected[: 64 + 33 + 1 + len(leaf)]


def test_roles_are_each_other_s_opposite():
    assert [role.other for role in (Role.SERVER, Role.CLIENT)] == [Role.CLIENT, Role.SERVER]


def test_the_limits_are_those_of_the_vectors_around():
    assert EXTENSION_TYPE == 34
    assert (LARGEST_SPKI, LARGEST_SIGNATURE) == (16_777_215, 65_535)
    assert LARGEST_DC == 65_531
