"""HTTP clients for servers on this machine, which speak no TLS. None of them reads the machine's certificates: that takes
longer than most requests, and a test opens thousands of clients. A server with a certificate is refused.
"""

from __future__ import annotations

import ssl
from typing import Any

import httpx

NOBODY_IS_TRUSTED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def http_client(base_url: str = "", *, timeout: float = 30.0, **more: Any) -> httpx.Client:
    return httpx.Client(base_url=base_url, timeout=timeout, trust_env=False, verify=NOBODY_IS_TRUSTED, **more)
