"""Values that the SDK has types for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class File:
    """Bytes, and what they are."""

    data: bytes
    mime_type: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])
    sha_256: str | None = None
