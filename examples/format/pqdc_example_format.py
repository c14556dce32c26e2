"""A format for pqdc in one file: credential, key and leaf in one JSON object, in base64."""

from __future__ import annotations

import base64
import json

from pqdc.credential.formats import Bundle
from pqdc.errors import DecodeError, FileError
from pqdc.files import OutputFile

KIND = "delegated credential"
LARGEST = 2**20  # bytes of a file that is looked into


class Json:
    """`dc.json`; it holds the private key, so it is secret."""

    name = "json"
    target = "programs that read JSON"
    loads = "any"
    usage = "jq -r .credential {folder}/dc.json | base64 -d"

    def write(self, bundle: Bundle) -> tuple[OutputFile, ...]:
        """The one file; what the bundle lacks is left out."""
        if bundle.encrypted_key:
            raise FileError("the format json holds no encrypted keys")
        fields = {"kind": KIND, "credential": _text(bundle.dc)}
        if bundle.private_key:
            fields["private_key"] = _text(bundle.private_key)
        if bundle.certificates:
            fields["leaf"] = _text(bundle.certificates[0])
        data = json.dumps(fields, indent=1).encode() + b"\n"
        return (OutputFile(name="dc.json", data=data, secret=bool(bundle.private_key)),)

    def read(self, data: bytes) -> tuple[Bundle, ...]:
        """Nothing for what is of another format; DecodeError for what is of this one, but broken."""
        if data.lstrip()[:1] != b"{" or len(data) > LARGEST:
            return ()
        try:
            fields = json.loads(data)
        except (ValueError, RecursionError):
            return ()
        if fields.get("kind") != KIND:
            return ()
        try:
            parts = {name: base64.b64decode(fields.get(name, ""), validate=True) for name in FIELDS}
        except (ValueError, TypeError):
            raise DecodeError("a credential in JSON: its fields are not base64") from None
        leaf = parts["leaf"]
        return (Bundle(dc=parts["credential"], private_key=parts["private_key"], certificates=(leaf,) if leaf else ()),)


FIELDS = ("credential", "private_key", "leaf")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
