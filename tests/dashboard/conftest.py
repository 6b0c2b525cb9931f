"""One worker and one browser for all tests of the page: Debian's chromium, as people have it."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from operator_lib import worker as workers
from operator_lib.worker import LocalWorker

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "project")]
sys.dont_write_bytecode = True

# Milliseconds for something that is to come to be there.
PATIENCE = 15_000


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no chromium here: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def site(chromium: str, nothing_is_left: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorker]:
    """A worker with things to look at."""
    import page_things as things

    home = tmp_path_factory.mktemp("dashboard") / "home"
    with workers.local(home) as worker:
        things.Pipeline().deploy("pipeline", address=worker.grpc_address, token=worker.token)(10)
    remember(home / "state.db", 10_000)
    with workers.local(home) as worker:
        where = {"address": worker.grpc_address, "token": worker.token}
        things.Fragile().deploy("fragile", **where)
        things.everything.deploy("everything", **where)
        things.hostile.deploy("hostile", **where)
        things.Embed.deploy("embed", **where)
        yield worker


# What each run has for itself.
OWN = ("seq", "id", "idempotency_key")


def remember(store: Path, count: int) -> None:
    """So many runs like the one that is there. Nobody else has the store open."""
    with contextlib.closing(sqlite3.connect(store)) as connection, connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(runs)") if row[1] not in OWN]
        connection.execute(
            "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)"
            f" INSERT INTO runs (id, {', '.join(names)}) SELECT 'old-' || n, {', '.join(names)} FROM runs, numbers",
            (count,),
        )


# Playwright keeps an event loop running in this thread for as long as it is there: no longer than these tests take,
# as tests of other modules run loops of their own.
@pytest.fixture(scope="module")
def browser(chromium: str, nothing_is_left: None) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def tab(site: LocalWorker, browser: Any) -> Iterator[Any]:
    """A tab that has been let in, and what went wrong in it: scripts, the policy, requests to elsewhere."""
    context = browser.new_context(viewport={"width": 1360, "height": 860}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    tab = context.new_page()
    tab.problems = []
    own = (site.url, "blob:")
    tab.on("pageerror", lambda error: tab.problems.append(str(error)))
    tab.on("console", lambda said: tab.problems.append(said.text) if "Content Security" in said.text else None)
    tab.on("request", lambda request: None if request.url.startswith(own) else tab.problems.append(request.url))
    tab.goto(site.url)
    tab.get_by_label("Token").fill(site.token)
    tab.get_by_role("button", name="Open").click()
    yield tab
    context.close()


@pytest.fixture
def page(tab: Any, site: LocalWorker) -> Iterator[Any]:
    """The tab at the list of deployments. At the end nothing has gone wrong in it."""
    tab.goto(f"{site.url}/#/")
    tab.get_by_role("heading", name="Deployments").wait_for()
    tab.problems.clear()
    yield tab
    assert not tab.problems, tab.problems
