"""curl_cffi's client, run in the environment that holds it: asks for a page, and tells in JSON how that ended.

    python curl_program.py PORT NAME CA ask|plain

Imports nothing of pqdc, which that environment lacks.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from curl_cffi import CurlOpt, requests

SECONDS = 10
LOOKS = {"ask": "firefox135", "plain": "chrome136"}  # the one offers delegated_credentials, the other does not


def get(port: str, name: str, ca: str, mode: str) -> dict[str, Any]:
    """How the request ended; the name is looked up nowhere, and no proxy is asked."""
    address = f"{name}:{port}"
    options = {CurlOpt.RESOLVE: [f"{address}:127.0.0.1"], CurlOpt.NOPROXY: "*"}
    try:
        requests.get(f"https://{address}/", impersonate=LOOKS[mode], verify=ca, timeout=SECONDS, curl_options=options)
    except requests.exceptions.RequestException as error:
        reason = re.search(r"OPENSSL_internal:([A-Z0-9_]+)", str(error))
        return {"accepted": False, "error": reason[1] if reason else type(error).__name__, "detail": str(error)}
    return {"accepted": True, "delegated": False}


if __name__ == "__main__":
    print(json.dumps(get(*sys.argv[1:])), flush=True)
