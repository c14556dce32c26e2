"""Minting: what comes out verifies, what the RFC forbids is refused before a key is made, the signer may be away."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pqdc.credential import fit, refusals
from pqdc.credential.leaf import Leaf
from pqdc.credential.mint import Minter, mint
from pqdc.credential.structures import LARGEST_DC, DelegatedCredential, Role
from pqdc.credential.verify import verify
from pqdc.errors import BackendUnavailable, KeyFormatError, PqdcError, Refusal
from pqdc.scheme import backends
from pqdc.scheme.facts import Scheme
from tests.conftest import CATALOG, LEAF_SCHEMES, NOW

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
SECOND = timedelta(seconds=1)
FITTING = [scheme for scheme in CATALOG.values() if not fit.reason_against(scheme)]


class Spy:
    """A backend that remembers that it was asked for a key."""

    name = "spy"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def generate(self, scheme: Scheme, *, seed: bytes | None = None):
        self.asked.append(scheme.name)
        return backends.choose(scheme).generate(scheme)


# --- What comes out -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role, ids=lambda role: role.name.lower())
@pytest.mark.parametrize("under", LEAF_SCHEMES)
def test_what_is_minted_verifies_for_its_role_alone(leaves, under, role, catalog, now):
    leaf = leaves[under]
    dc, key = mint(leaf, catalog["Ed25519"], valid_for=DAY, now=now, role=role)
    assert verify(dc, leaf.certificate, now=now, role=role) is None
    with pytest.raises(refusals.SignatureInvalid):
        verify(dc, leaf.certificate, now=now, role=role.other)
    assert DelegatedCredential.decode(dc.encode()) == dc
    assert dc.cred.spki == key.public.spki
    assert dc.cred.dc_cert_verify_algorithm == 0x0807
    assert dc.algorithm == leaf.scheme.code_point
    assert leaf.certificate.not_before + dc.cred.valid_time == int((now + DAY).timestamp())


@pytest.mark.parametrize("scheme", list(filter(backends.available, FITTING)), ids=lambda scheme: scheme.name)
def test_every_scheme_that_fits_is_minted_for_and_verifies(scheme, leaf, keys, now):
    dc = Minter(leaf).mint_for(keys(scheme).public, valid_for=DAY, now=now)
    verify(dc, leaf.certificate, now=now)
    assert len(dc.encode()) <= fit.dc_bytes(scheme) <= LARGEST_DC
    assert fit.dc_bytes(scheme) - len(dc.encode()) == 72 - len(dc.signature)


@pytest.mark.parametrize("name", ["ML-DSA-44", "ECDSA-P384", "RSA-PSS-2048", "Ed448"])
def test_a_new_key_comes_with_each_credential(name, leaf, catalog, now):
    minter = Minter(leaf)
    made = [minter.mint(catalog[name], valid_for=DAY, now=now) for _ in range(2)]
    assert made[0][1].public.raw != made[1][1].public.raw
    for dc, key in made:
        verify(dc, leaf.certificate, now=now)
        key.public.verify(key.sign(b"CertificateVerify"), b"CertificateVerify")


def test_a_credential_for_a_key_that_exists_needs_its_public_half_alone(leaf, keys, catalog, now):
    public = keys(catalog["ECDSA-P521"]).public
    dc = Minter(leaf, Role.CLIENT).mint_for(public, valid_for=DAY, now=now)
    assert dc.cred.spki == public.spki
    verify(dc, leaf.certificate, now=now, role=Role.CLIENT)


def test_the_backend_asked_for_makes_the_key(leaf, catalog, now):
    spy = Spy()
    _, key = mint(leaf, catalog["ML-DSA-65"], valid_for=DAY, now=now, backend=backends.load_backend("openssl"))
    assert key.backend == "openssl"
    mint(leaf, catalog["Ed25519"], valid_for=DAY, now=now, backend=spy)
    assert spy.asked == ["Ed25519"]


def test_whole_seconds_count(leaf, catalog, now):
    dc, _ = mint(leaf, catalog["Ed25519"], valid_for=timedelta(seconds=5.9), now=now + timedelta(seconds=0.9))
    assert leaf.certificate.not_before + dc.cred.valid_time == int(now.timestamp()) + 5


def test_what_is_minted_for_7_days_is_not_refused_at_once(leaf, catalog, now):
    """The clock of minting is cut to a whole second, so that the end lies within 7 days from it."""
    at = now + timedelta(seconds=0.5)
    dc, _ = mint(leaf, catalog["Ed25519"], valid_for=WEEK, now=at)
    verify(dc, leaf.certificate, now=at)


# --- A signer that is not here --------------------------------------------------------------------------------------


def test_the_leaf_s_signer_may_be_a_function(leaf, keys, catalog, now):
    seen = []

    def remote(message: bytes) -> bytes:
        seen.append(message)
        return keys(catalog["P-256"]).sign(message)

    away = Leaf(leaf.certificate, remote)
    dc, _ = mint(away, catalog["ML-DSA-44"], valid_for=DAY, now=now)
    verify(dc, leaf.certificate, now=now)
    assert seen == [dc.signed_bytes(leaf.certificate.der, Role.SERVER)]


def test_an_rsa_signer_says_which_hash_it_uses(leaves, keys, catalog, now):
    scheme = catalog["RSA-2048-SHA512"]
    key = backends.choose(scheme).private_key(scheme, keys(catalog["RSA-2048"]).secret())
    leaf = Leaf(leaves["RSA-2048"].certificate, key.sign, scheme=scheme)
    dc, _ = mint(leaf, catalog["Ed25519"], valid_for=DAY, now=now)
    assert dc.algorithm == 0x0806
    verify(dc, leaf.certificate, now=now)


@pytest.mark.parametrize("rubbish", [b"", bytes(73), bytes(300)], ids=["nothing", "too long", "much too long"])
def test_a_signer_that_returns_what_is_no_signature_is_refused(rubbish, leaf, catalog, now):
    broken = Leaf(leaf.certificate, lambda message: rubbish)
    with pytest.raises(
        KeyFormatError, match=f"^the leaf's signer gave {len(rubbish)} bytes, no signature of ECDSA-P256"
    ):
        mint(broken, catalog["Ed25519"], valid_for=DAY, now=now)


@pytest.mark.parametrize("under", ["Ed25519", "RSA-2048"])
def test_a_signature_of_fixed_length_has_it(under, leaves, catalog, now):
    leaf = leaves[under]
    for change in (-1, 1):
        broken = Leaf(
            leaf.certificate,
            lambda message, change=change: bytes(leaf.scheme.signature_bytes + change),
            scheme=leaf.scheme,
        )
        with pytest.raises(KeyFormatError, match="no signature of"):
            mint(broken, catalog["ECDSA-P256"], valid_for=DAY, now=now)


@pytest.mark.parametrize("rubbish", [None, "text", 5])
def test_a_signer_that_returns_no_bytes_is_refused(rubbish, leaf, catalog, now):
    broken = Leaf(leaf.certificate, lambda message: rubbish)
    with pytest.raises(KeyFormatError, match=r"^the leaf's signer gave no bytes, but "):
        mint(broken, catalog["Ed25519"], valid_for=DAY, now=now)


def test_a_signer_s_own_error_comes_through(leaf, catalog, now):
    def unplugged(message: bytes) -> bytes:
        raise ConnectionError("the HSM is unplugged")

    with pytest.raises(ConnectionError, match="unplugged"):
        mint(Leaf(leaf.certificate, unplugged), catalog["Ed25519"], valid_for=DAY, now=now)


# --- Refused before a key is made -----------------------------------------------------------------------------------


def refused(
    leaf: Leaf, scheme: Scheme, refusal: type[PqdcError], *, now: datetime = NOW, valid_for=DAY, **policy
) -> PqdcError:
    """By `mint` and by `mint_for`; nobody was asked for a key or a signature."""
    spy, signed = Spy(), []

    def signer(message: bytes) -> bytes:
        signed.append(message)
        return leaf.signer(message)

    minter = Minter(Leaf(leaf.certificate, signer, scheme=leaf.scheme), **policy)
    with pytest.raises(refusal) as caught:
        minter.mint(scheme, valid_for=valid_for, now=now, backend=spy)
    assert (spy.asked, signed) == ([], [])

    class Public:
        def __init__(self) -> None:
            self.scheme = scheme
            self.spki = bytes(scheme.public_key_bytes)

    with pytest.raises(refusal):
        minter.mint_for(Public(), valid_for=valid_for, now=now)
    assert signed == []
    return caught.value


@pytest.mark.parametrize("valid_for", [timedelta(0), -SECOND, timedelta(milliseconds=999), -WEEK])
def test_m1_a_lifetime_that_is_none(leaf, catalog, valid_for):
    assert refused(leaf, catalog["Ed25519"], refusals.NotPositive, valid_for=valid_for).alert == ""


@pytest.mark.parametrize("valid_for", [WEEK + SECOND, WEEK + timedelta(microseconds=1), timedelta(days=36500)])
def test_m1_longer_than_7_days(leaf, catalog, valid_for):
    refusal = refused(leaf, catalog["Ed25519"], refusals.LifetimeTooLong, valid_for=valid_for)
    assert "7 d" in refusal.wanted
    assert "--valid-for" in refusal.hint


@pytest.mark.parametrize(("valid_for", "allowed"), [(timedelta(hours=2), True), (timedelta(hours=2) + SECOND, False)])
def test_m1_the_profile_s_maximum_counts(leaf, catalog, now, valid_for, allowed):
    if allowed:
        Minter(leaf, max_lifetime=timedelta(hours=2)).mint(catalog["Ed25519"], valid_for=valid_for, now=now)
    else:
        limit = {"max_lifetime": timedelta(hours=2)}
        refused(leaf, catalog["Ed25519"], refusals.LifetimeTooLong, valid_for=valid_for, **limit)


def test_m2_not_beyond_the_leaf_to_the_second(make_certificate, keys, catalog, now):
    ends = Leaf(make_certificate(not_after=now + DAY), keys(catalog["P-256"]).sign)
    dc, _ = mint(ends, catalog["Ed25519"], valid_for=DAY, now=now)
    verify(dc, ends.certificate, now=now)
    refused(ends, catalog["Ed25519"], refusals.BeyondLeaf, valid_for=DAY + SECOND)


def test_m2_a_leaf_that_is_not_valid_now(make_certificate, keys, catalog, now):
    for odd, refusal in (
        ({"not_before": now + SECOND}, refusals.LeafNotYetValid),
        ({"not_after": now - SECOND}, refusals.LeafExpired),
    ):
        refused(Leaf(make_certificate(**odd), keys(catalog["P-256"]).sign), catalog["Ed25519"], refusal)
    edge = Leaf(make_certificate(not_before=now), keys(catalog["P-256"]).sign)
    assert mint(edge, catalog["Ed25519"], valid_for=DAY, now=now)[0].cred.valid_time == 86400


@pytest.mark.parametrize("name", ["RSA-2048", "RSA-3072-SHA384", "RSA-4096-SHA512"])
def test_m3_an_rsa_encryption_key(leaf, catalog, name):
    refusal = refused(leaf, catalog[name], refusals.AlgorithmForbidden)
    assert "rsaEncryption" in str(refusal)
    assert "pqdc schemes" in refusal.hint


TOO_LARGE = [scheme for scheme in CATALOG.values() if scheme.public_key_bytes > LARGEST_DC]


@pytest.mark.parametrize("scheme", TOO_LARGE, ids=lambda scheme: scheme.name)
def test_m4_a_key_larger_than_an_extension(leaf, scheme):
    refusal = refused(leaf, scheme, refusals.TooLarge)
    assert "65,531" in refusal.wanted


def scheme_of(public: int, signature: int, **facts) -> Scheme:
    values = {"kind": "pq", "family": "Mine", "signature_length": "fixed", "oid": "1.2.3", "code_point": 0xFE00}
    return Scheme(name="Mine", public_key_bytes=public, signature_bytes=signature, **(values | facts))


def test_m4_to_the_byte_and_under_each_leaf(leaves):
    for leaf in leaves.values():
        own = leaf.scheme.signature_bytes
        around = fit.dc_bytes(scheme_of(60_000, 1), own) - 60_000
        assert fit.reason_against(scheme_of(LARGEST_DC - around, 1), own) == ""
        refused(leaf, scheme_of(LARGEST_DC - around + 1, 1), refusals.TooLarge)


def test_m4_a_signature_larger_than_a_certificate_verify(leaf):
    assert fit.reason_against(scheme_of(100, 65_535)) == ""
    refusal = refused(leaf, scheme_of(100, 65_536), refusals.TooLarge)
    assert (refusal.wanted, refusal.got) == (
        "a signature of at most 65,535 bytes",
        "65,536 bytes of signature, a CertificateVerify holds 65,535",
    )


@pytest.mark.parametrize(("missing", "reason"), [({"code_point": None}, "no TLS code point"), ({"oid": ""}, "no OID")])
def test_a_scheme_that_cannot_be_named_in_tls(leaf, missing, reason):
    error = refused(leaf, scheme_of(100, 100, **missing), KeyFormatError)
    assert str(error).startswith("Mine cannot be carried by a credential: it has ")
    assert reason in str(error)
    assert "pqdc schemes" in error.hint


def test_m6_the_algorithm_is_the_leaf_s(leaves, catalog, now):
    points = {
        name: mint(leaf, catalog["Ed25519"], valid_for=DAY, now=now)[0].algorithm for name, leaf in leaves.items()
    }
    assert points == {
        "ECDSA-P256": 0x0403,
        "ECDSA-P384": 0x0503,
        "ECDSA-P521": 0x0603,
        "Ed25519": 0x0807,
        "RSA-2048": 0x0804,
    }


def test_m7_a_leaf_that_may_not_delegate_is_no_leaf(make_certificate):
    with pytest.raises(Refusal):
        Leaf(make_certificate(extensions=()), bytes)


@pytest.mark.parametrize(("more", "allowed"), [(0, True), (1, False)])
def test_valid_time_is_an_unsigned_integer_of_32_bits(make_certificate, keys, catalog, more, allowed):
    """A leaf of two centuries: the end is counted from its notBefore."""
    start = NOW - timedelta(seconds=2**32 - 1 - 86400)
    leaf = Leaf(make_certificate(not_before=start), keys(catalog["P-256"]).sign)
    valid_for = DAY + timedelta(seconds=more)
    if allowed:
        dc, _ = mint(leaf, catalog["Ed25519"], valid_for=valid_for, now=NOW)
        assert dc.cred.valid_time == 2**32 - 1
        verify(dc, leaf.certificate, now=NOW)
    else:
        refusal = refused(leaf, catalog["Ed25519"], refusals.TooLarge, valid_for=valid_for)
        assert "4294967295" in refusal.wanted


def test_what_nothing_computes_is_not_minted(leaf, catalog, now):
    scheme = next(scheme for scheme in FITTING if not backends.available(scheme))
    with pytest.raises(BackendUnavailable, match=f"^{scheme.name} cannot be computed here"):
        mint(leaf, scheme, valid_for=DAY, now=now)


# --- Does it fit is a question --------------------------------------------------------------------------------------


def test_every_scheme_has_an_answer(catalog):
    for scheme in catalog.values():
        reason = fit.reason_against(scheme)
        assert isinstance(reason, str)
        assert "\n" not in reason
    assert len(FITTING) >= 90
