"""Asks pqdc, asks the oracle, and names what came out. A verdict that begins with a word of BAD must not happen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pqdc.credential.certificate import Certificate
from pqdc.credential.refusals import RuleRefusal
from pqdc.credential.structures import DelegatedCredential
from pqdc.credential.verify import verify
from pqdc.errors import BackendUnavailable, BadSignature, DecodeError, KeyFormatError
from pqdc.scheme import backends, keyfile
from pqdc.scheme.backends import liboqs, openssl
from tests.mutate import oracle
from tests.mutate.corpus import NOW, Corpus
from tests.mutate.mutations import KeyTrial, SignatureTrial, Trial
from tests.vectors import seeded

BAD = ("FALSE ACCEPT", "FALSE REFUSAL", "UNNAMED", "HANG", "CRASH")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AT = EPOCH + timedelta(seconds=NOW)


def is_bad(verdict: str) -> bool:
    return verdict.startswith(BAD)


def judge_credential(trial: Trial, corpus: Corpus) -> str:
    try:
        leaf = corpus.certificates.get(trial.leaf) or Certificate.decode(trial.leaf, seeded.catalog())
        dc = DelegatedCredential.decode(trial.dc)
        now = AT if trial.now == NOW else EPOCH + timedelta(seconds=trial.now)
        verify(dc, leaf, now=now, role=trial.role)
    except (RuleRefusal, DecodeError) as refusal:
        verdict = type(refusal).__name__
        return f"FALSE REFUSAL {verdict}" if oracle.expected(trial, corpus) == oracle.YES else verdict
    except BackendUnavailable as error:
        if oracle.uncomputable(int.from_bytes(trial.dc[4:6], "big")):
            return "BackendUnavailable"
        return f"UNNAMED BackendUnavailable: {str(error)[:80]}"
    except Exception as error:  # noqa: BLE001 - that it cannot happen is what is tested
        return f"UNNAMED {type(error).__name__}: {str(error)[:80]}"
    return _accepted(trial, corpus)


def _accepted(trial: Trial, corpus: Corpus) -> str:
    wanted = oracle.expected(trial, corpus)
    if wanted == oracle.YES:
        if trial.resigned:
            return "accepted: signed again, and right"
        return "accepted: another credential that is valid" if trial.now == NOW else "accepted: still in time"
    if wanted == oracle.EITHER:
        if trial.leaf == trial.original.leaf.der:
            return "accepted: another RSA key, signed again"
        valid_time = int.from_bytes(trial.dc[:4], "big")
        if oracle.leaf_may_delegate(trial.leaf, trial.original.leaf, valid_time, trial.now):
            return "accepted: another leaf that may delegate, signed again"
        return "FALSE ACCEPT: a leaf that may not delegate"
    why = oracle.other_encoding(trial, corpus)
    return f"accepted: the same signature otherwise, {why}" if why else "FALSE ACCEPT"


_ASKED = 0  # how often a library was asked about a signature


def watch_backends() -> None:
    """Count the calls that reach a library; in a process of its own, as nobody takes this back."""
    for module in (liboqs, openssl):
        original = module._Public._verifies

        def counted(self, signature, message, *, original=original):
            global _ASKED  # noqa: PLW0603
            _ASKED += 1
            return original(self, signature, message)

        module._Public._verifies = counted


def judge_signature(trial: SignatureTrial, corpus: Corpus) -> str:  # noqa: PLR0911 - one return for each verdict
    signed = trial.original
    scheme = signed.key.scheme
    asked = _ASKED
    try:
        key = signed.key
        if trial.raw != key.raw:
            key = backends.load_backend(key.backend).public_key(scheme, trial.raw)
            if len(trial.raw) != scheme.public_key_bytes:
                return "FALSE ACCEPT: a public key of another length"
        key.verify(trial.signature, trial.message)
    except (BadSignature, KeyFormatError) as error:
        size = len(trial.signature)
        possible = size == scheme.signature_bytes or (
            scheme.signature_length == "max" and 0 < size < scheme.signature_bytes
        )
        if not possible and asked != _ASKED:
            return "FALSE ACCEPT: the library was shown a length that the scheme does not make"
        return f"{type(error).__name__}{'' if possible else ', the library not asked'}"
    except Exception as error:  # noqa: BLE001
        return f"UNNAMED {type(error).__name__}: {scheme.name}: {str(error)[:80]}"
    if trial.message != signed.message:
        return f"FALSE ACCEPT: another message, {scheme.name}"
    if trial.raw != signed.key.raw:
        if scheme.family in oracle.UNBOUND_FAMILIES:
            return f"accepted: {scheme.family} does not bind the public key"
        return f"FALSE ACCEPT: another public key, {scheme.name}"
    why = oracle.another_signature(scheme, signed.signature, trial.signature)
    return f"accepted: the same signature otherwise, {why}" if why else f"FALSE ACCEPT: {signed.name}"


MESSAGE = b"a message for keys that could be loaded"


def judge_key(trial: KeyTrial, corpus: Corpus) -> str:
    """A mutated private key: refused by name, or a key that works; never one that is not the key it says it is."""
    try:
        keys = keyfile.private_keys_of(trial.der, seeded.catalog())
    except (DecodeError, KeyFormatError, BackendUnavailable) as error:
        return type(error).__name__
    except Exception as error:  # noqa: BLE001
        return f"UNNAMED {type(error).__name__}: {str(error)[:80]}"
    key = keys[0]
    same = key.scheme is trial.original.scheme and key.public.raw == trial.original.public.raw
    public = trial.original.public if same else key.public
    try:
        public.verify(key.sign(MESSAGE), MESSAGE)
    except BadSignature:
        if key.scheme.private_key != "own":  # no library derives the public half, so a signature was tried
            return "loaded: a damaged key, whose damage shows in some signatures only"
        return f"FALSE ACCEPT: a key whose halves do not fit, {key.scheme.name}"
    except Exception as error:  # noqa: BLE001
        return f"UNNAMED {type(error).__name__}: {key.scheme.name}: {str(error)[:80]}"
    return "loaded: the same key" if same else "loaded: another key, which works"
