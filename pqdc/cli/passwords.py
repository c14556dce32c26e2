"""Passwords of private keys: from a file, or asked for at a terminal; never from an argument, and never waited for."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

from pqdc.cli import options

__all__ = ["new_password", "password_for"]


def password_for(key: Path, file: Path | None) -> bytes | None:
    """What opens the private key in `key`; None if it is not encrypted, or nobody can be asked."""
    from pqdc.scheme import keyfile

    if file:
        return options.password(file)
    if sys.stdin.isatty() and keyfile.is_encrypted(key):
        return getpass.getpass(f"password of {key}: ").encode()
    return None


def new_password(file: Path | None) -> bytes:
    """What a new private key is to be encrypted with; asked for twice.

    Raises:
        KeyFormatError: there is neither file nor terminal, or the two differ, or it is empty.
    """
    from pqdc.errors import KeyFormatError

    password = options.password(file)
    if password is None:
        if not sys.stdin.isatty():
            raise KeyFormatError("--encrypt-key wants a password", hint="give it in a file: --password-file")
        password = getpass.getpass("password of the credential's private key: ").encode()
        if getpass.getpass("again: ").encode() != password:
            raise KeyFormatError("the two passwords differ")
    if not password:
        raise KeyFormatError("a password that is not empty wanted")
    return password
