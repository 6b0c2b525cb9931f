"""The reference is complete, links lead somewhere, pages stay short, the picture shows the program that is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import operator_lib
from operator_lib import errors, trace
from operator_lib.cli.main import app
from operator_lib.options import SUPPORTED
from operator_lib.options.table import ALIASES, EVERY_NAME, TABLE

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"(?<!`)\[[^\]\n]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """Of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name_of(page)} links to {link}"
        assert target.is_relative_to(ROOT), f"{name_of(page)} links out of the repository: {link}"
        assert not anchor or anchor in anchors(target), f"{name_of(page)} links to {link}: no such heading"


def test_every_page_can_be_reached_from_the_index() -> None:
    index = (DOCS / "index.md").read_text()
    for page in DOCS.rglob("*.md"):
        if page.name != "index.md":
            assert f"({page.relative_to(DOCS).as_posix()})" in index, name_of(page)


def test_every_page_is_in_the_menu_of_the_site() -> None:
    menu = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["nav"]
    listed = [page for group in menu for pages in group.values() for page in pages]
    assert sorted(listed) == sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))
    in_tables = re.findall(r"^\| \[[^\]]*\]\(([^)]+)\)", (DOCS / "index.md").read_text(), re.MULTILINE)
    assert listed == ["index.md", "tutorial.md", *in_tables], "the index has another order"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_pages_are_short(page: Path) -> None:
    assert len(page.read_text().splitlines()) <= 300


def rows(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")
    ]


def test_the_options_are_all_there() -> None:
    text = (DOCS / "reference/options.md").read_text()
    listed = {name for row in rows(text) for name in re.findall(r"`(\w+)`", row[0])}
    assert listed == {*TABLE, *ALIASES}
    assert {*TABLE} <= SUPPORTED, "a deploy refuses options that the table lists as applied"
    assert all(f"`{name}`" in text for name in EVERY_NAME if name != "resource")


def test_the_public_names_are_all_there() -> None:
    text = (DOCS / "reference/api.md").read_text()
    modules = {"lib", "frontends"}  # of which there are parts, and guides
    for name in sorted({*operator_lib.__all__} - modules):
        assert re.search(rf"^::: operator_lib\.{name}\b", text, re.MULTILINE), name


def test_the_errors_are_all_there() -> None:
    listed = {row[0].strip("`"): row[1].strip("`") for row in rows((DOCS / "reference/errors.md").read_text())}
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, BaseException):
            assert name in listed, name
            also = listed[name]
            assert not also or also in {base.__name__ for base in kind.__mro__[1:]}, f"{name} is no {also}"


def test_every_verb_is_there() -> None:
    text = (DOCS / "guides/cli.md").read_text()
    names = [command.callback.__name__ for command in app.registered_commands if command.callback is not None]
    assert len(names) > 10
    for name in names:
        assert f"operator-lib {name} " in text or f"operator-lib {name}\n" in text, name


def test_the_picture_in_the_readme_shows_the_demo() -> None:
    """Else: operator-lib dag operator_lib/demo/digits/pipeline.py:Digits --svg -o docs/images/digits.svg"""
    dag = trace.build_from_file(ROOT / "operator_lib/demo/digits/pipeline.py", "Digits")
    titles = r"<title>([^\n<]+)\n"
    picture = (DOCS / "images/digits.svg").read_text()
    assert sorted(re.findall(titles, picture)) == sorted(re.findall(titles, dag.to_svg()))
