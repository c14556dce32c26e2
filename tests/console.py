"""Pages that show commands and what they print: their tested blocks, run as they stand."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path


def blocks(page: Path) -> list[str]:
    """The console blocks under `<!-- tested -->`."""
    return re.findall(r"<!-- tested -->\n```console\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


def run(block: str, folder: Path, environ: Mapping[str, str]) -> None:
    """Each command ends well, and each line shown is part of one that it prints, however much room is between words."""
    own = dict(environ)
    for step in block.removeprefix("$ ").split("\n$ "):
        command, *shown = step.strip().splitlines()
        if match := re.fullmatch(r"export (\w+)=(\S+)", command):
            own[match[1]] = match[2]
            continue
        done = subprocess.run(
            command.split(), cwd=folder, capture_output=True, text=True, check=False, env=own, timeout=300
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        printed = [" ".join(line.split()) for line in done.stdout.splitlines()]
        for line in shown:
            assert any(" ".join(line.split()) in other for other in printed), f"{command}: no {line!r} in {done.stdout}"
