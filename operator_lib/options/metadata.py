"""What the dashboard shows beside a deployment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from operator_lib.options.checks import Bad, line, settle, several, show, text, url


@dataclass(frozen=True, slots=True)
class Metadata:
    """Words and links for people. Nothing here changes what a deployment does.

    Attributes:
        code_url, image_url: must be http or https, for they become links on a page.
        readme: Markdown.

    Raises:
        OptionError: a value is of the wrong type, or a link is no web address.
    """

    title: str = ""
    description: str = ""
    code_url: str = ""
    tags: tuple[str, ...] = ()
    image_url: str = ""
    readme: str = ""

    def __post_init__(self) -> None:
        settle("Metadata", self, CHECKS)


def as_metadata(value: Any) -> Metadata:
    """The check of the option `metadata`."""
    if not isinstance(value, Metadata):
        raise Bad(f"must be Metadata(...), got {show(value)}")
    return value


CHECKS = {
    "title": line,
    "description": text,
    "code_url": url,
    "tags": several(line, "strings"),
    "image_url": url,
    "readme": text,
}
