"""Security headers of every answer."""

from __future__ import annotations

import base64
import hashlib
import re

POLICY = "policy"
"""Key of a request's state for the policy of a page that cannot set the header itself."""
_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)


def policy(html: bytes = b"") -> str:
    """Return the Content-Security-Policy of an answer: our own files, and scripts `html` holds.

    Inline styles are allowed: the chart and the API reference use them.
    """
    return "; ".join(
        [
            "default-src 'none'",
            " ".join(["script-src 'self'", *_hashes(html)]),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "worker-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _hashes(html: bytes) -> list[str]:
    """Return the source expressions that allow exactly the inline scripts of a page."""
    digests = (hashlib.sha256(script).digest() for script in _SCRIPT.findall(html))
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


SECURITY = {
    "content-security-policy": policy(),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
"""Headers of every answer that does not set them itself."""


def secured(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return an answer's headers with the missing security headers added."""
    present = {name.lower() for name, _ in headers}
    missing = [(name.encode(), value.encode()) for name, value in SECURITY.items()]
    return headers + [pair for pair in missing if pair[0] not in present]
