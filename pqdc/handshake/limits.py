"""What a peer may cost: settings with safe defaults. No length that a peer sends decides how much is kept."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what comes in.

    Attributes:
        message_bytes: of one handshake message. The default holds the largest DC that fits an extension (65,531 bytes)
            with its chain, and the largest CertificateVerify; it is what NSS allows.
        handshake_bytes: of all of the peer's handshake messages before its Finished.
        empty_records: how many records in a row may bring nothing: no bytes, or only a change_cipher_spec.
        chain_length: how many certificates a peer may send.
        early_data_bytes: how much early data is skipped, of a client that remembers a session of someone else.
        key_updates: how many KeyUpdates in a row a peer may send without any data between them.
    """

    message_bytes: int = 131_071
    handshake_bytes: int = 524_288
    empty_records: int = 32
    chain_length: int = 10
    early_data_bytes: int = 16_384
    key_updates: int = 32
