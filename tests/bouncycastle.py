"""BouncyCastle, another implementation of composites, SLH-DSA and ML-DSA: a Java program that answers by the line.

Its jar comes from Maven's own cache, or by Maven, and is known by its digest.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

VERSION = "1.87"
SHA256 = "12d2d3dd82a9ec15e92ec7c7943ee64f6097c6dc12c07e984f1693b77565b9aa"
JAR = Path.home() / f".m2/repository/org/bouncycastle/bcprov-jdk18on/{VERSION}/bcprov-jdk18on-{VERSION}.jar"
PROGRAM = Path(__file__).parent / "java" / "Answer.java"


class BouncyCastle:
    """One Java process, ended with `close`; skips the test if there is no Java or no jar."""

    def __init__(self) -> None:
        command = [_tool("java"), "-cp", str(_jar()), str(PROGRAM)]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def generate(self, algorithm: str) -> tuple[bytes, bytes]:
        """SPKI and PKCS#8 of a new key."""
        spki, pkcs8 = self._ask("generate", algorithm).split()
        return bytes.fromhex(spki), bytes.fromhex(pkcs8)

    def sign(self, pkcs8: bytes, message: bytes) -> bytes:
        """A signature by a key that it reads."""
        return bytes.fromhex(self._ask("sign", pkcs8.hex(), message.hex()))

    def verifies(self, spki: bytes, message: bytes, signature: bytes) -> bool:
        """Whether it takes the signature."""
        return {"true": True, "false": False}[self._ask("verify", spki.hex(), message.hex(), signature.hex())]

    def _ask(self, *request: str) -> str:
        assert self._child.stdin
        assert self._child.stdout
        self._child.stdin.write(" ".join(request) + "\n")
        self._child.stdin.flush()
        answer = self._child.stdout.readline().rstrip("\n")
        assert answer, f"Java ended when asked to {request[0]}"
        return answer

    def close(self) -> None:
        """End it."""
        self._child.kill()
        self._child.communicate()


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} here, which BouncyCastle needs")
    return found


def _jar() -> Path:
    if not JAR.exists():
        artifact = f"org.bouncycastle:bcprov-jdk18on:{VERSION}"
        got = subprocess.run(
            [
                _tool("mvn"),
                "-q",
                "-B",
                "-Dstyle.color=never",
                "dependency:get",
                f"-Dartifact={artifact}",
                "-Dtransitive=false",
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if got.returncode or not JAR.exists():
            pytest.skip(f"Maven does not bring {artifact}: {got.stdout.strip()[-300:]}")
    assert hashlib.sha256(JAR.read_bytes()).hexdigest() == SHA256
    return JAR
