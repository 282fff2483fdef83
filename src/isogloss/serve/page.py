"""The pages at / and /docs: each one file of this package, which asks nothing of any other host."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources

from fastapi import Response

__all__ = ["DOCS", "PAGE", "page_response"]

PAGE = "page.html"
DOCS = "docs.html"


def page_response(name: str) -> Response:
    """The page, with a policy by which a browser runs its own script and loads nothing from elsewhere."""
    text = resources.files("isogloss.serve").joinpath(name).read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii") for script in scripts]
    allowed = " ".join(f"'sha256-{value}'" for value in hashes)
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {"content-security-policy": policy, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
    return Response(text, media_type="text/html; charset=utf-8", headers=headers)
