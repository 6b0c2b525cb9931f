"""The dashboard in a real browser: what a person does, and what they see."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys

import page_things as things
import psutil
import pytest
import requests

from operator_lib import Operator
from operator_lib import worker as workers

expect = pytest.importorskip("playwright.sync_api").expect
expect.set_options(timeout=15_000)  # milliseconds, as for everything else that is waited for

RUN = re.compile(r"#/runs/(\w+)")


def visit(page, site, path):
    page.goto(f"{site.url}/#{path}")
    return page


def run_id(page):
    page.wait_for_url(RUN)
    return RUN.search(page.url)[1]


def node(page, name):
    """A box of the graph by the path of its operator."""
    return page.locator(".node.call", has=page.locator(f"tspan.name:text-is('{name}')"))


def status(page, name, wanted):
    """Wait until a node of the graph is in this state."""
    page.locator(f".node.call[data-status={wanted}]", has=page.locator(f"tspan.name:text-is('{name}')")).wait_for()


def headline(page, word):
    """Wait until the run on the page is in this state."""
    page.locator(".head .status", has_text=word).wait_for()


def test_nobody_gets_in_without_the_token(site, browser):
    tab = browser.new_page()
    tab.goto(f"{site.url}/#/runs")
    tab.get_by_label("Token").fill("guessed")
    tab.get_by_role("button", name="Open").click()
    tab.get_by_text("That is not the token of this worker.").wait_for()
    assert tab.get_by_role("navigation").count() == 0
    # The page itself holds no data; everything else needs the token, and other hosts and origins are refused.
    answer = requests.get(site.url, timeout=10)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script[^>]*>[^<]|<style|\son\w+=|https?://", answer.text)
    (main,) = re.findall(r'src="([^"]+main\.js)"', answer.text)
    asset = requests.get(site.url + main, timeout=10)
    assert (asset.status_code, asset.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert "immutable" in asset.headers["cache-control"]
    for path in ("/v1/deployments", "/v1/runs", "/dashboard/x/js/main.js", "/dashboard/"):
        assert requests.get(site.url + path, timeout=10).status_code == 401
    assert requests.get(site.url, headers={"Host": "evil.example"}, timeout=10).status_code == 403
    headers = {"Authorization": f"Bearer {site.token}", "Origin": "https://evil.example"}
    assert requests.delete(f"{site.url}/v1/deployments/job/pipeline", headers=headers, timeout=10).status_code == 403
    tab.close()


def test_the_token_stays_in_tabs_of_this_worker(page, site):
    seen = []
    page.context.on("request", lambda request: seen.append(request))
    visit(page, site, "/jobs/pipeline")
    with page.expect_popup() as opened:  # another tab is let in by this one
        page.evaluate("window.open(location.href.replace(/#.*/, '') + '#/runs', '_blank', 'noopener')")
    opened.value.get_by_role("heading", name="Runs").wait_for()
    opened.value.close()
    assert page.context.cookies() == []
    assert page.evaluate("Object.values(localStorage).join()").find(site.token) == -1
    assert seen
    assert not [r.url for r in seen if site.token in r.url or site.token in r.headers.get("referer", "")]


def test_a_run_is_started_from_the_form_and_watched(page, site, tmp_path):
    gate = tmp_path / "gate"
    page.get_by_role("link", name="pipeline", exact=True).click()
    page.get_by_role("tab", name="Run it").click()
    page.locator("[data-place=count] input").fill("many")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("many is no number.").wait_for()
    page.locator("[data-place=count] input").fill("40")
    page.locator("[data-place=gate] textarea").fill(str(gate))
    code = page.get_by_label("Python", exact=True).inner_text()
    assert f'job(count=40, gate="{gate}")' in code
    page.get_by_role("button", name="Run", exact=True).click()
    headline(page, "running")
    status(page, "load", "done")
    status(page, "train", "done")
    assert node(page, "report").get_attribute("data-status") == "pending"
    assert page.locator(".node.loop").get_attribute("data-status") == "running"
    page.get_by_text("loading 40 rows").wait_for()
    node(page, "clean").click()  # lines of this node only
    page.get_by_text("34 rows to clean").or_(page.get_by_text("40 rows to clean")).wait_for()
    expect(page.locator(".lines")).not_to_contain_text("loading")
    page.get_by_role("link", name=re.compile(r"page_things.py:\d+")).wait_for()
    gate.touch()
    headline(page, "completed")
    status(page, "report", "done")
    assert "×4" in node(page, "train").text_content()
    rows = page.locator("table.data tbody tr")
    rows.nth(3).wait_for()
    assert rows.count() == 4
    expect(page.locator(".gantt-row")).to_have_count(6)
    first = run_id(page)
    page.get_by_role("link", name="Replay with changes").click()
    expect(page.locator("[data-place=count] input")).to_have_value("40")
    page.locator("[data-place=rounds] input").fill("2")
    page.get_by_role("button", name="Replay with these").click()
    headline(page, "completed")
    status(page, "load", "cached")  # only what depends on the change is done again
    # What the page did is what anybody would get.
    headers = {"Authorization": f"Bearer {site.token}"}
    assert requests.get(f"{site.url}/v1/runs/{first}/input", headers=headers, timeout=10).json() == {
        "args": [],
        "kwargs": {"count": 40, "gate": str(gate)},
    }


def test_every_kind_of_argument_has_its_field(page, site, tmp_path):
    (tmp_path / "five").write_bytes(b"12345")
    visit(page, site, "/jobs/everything?tab=call")
    page.get_by_label("name", exact=False).first.fill("Ada")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("A date is needed here.").wait_for()
    page.get_by_label("count, as a slider").fill("9")
    assert page.locator("[data-place=count] input").first.input_value() == "9"
    page.locator("[data-place=count] input").first.fill("10")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("It has to be from 1 to 9.").wait_for()
    page.locator("[data-place=count] input").first.fill("3")
    page.locator("[data-place=day] input").fill("2026-02-03")
    page.locator("[data-place=fast] input").check()
    page.locator("[data-place=mode] select").select_option(label="large")
    page.locator("[data-place=colour] select").select_option(label="GREEN")
    page.locator("[data-place=lines] input[type=checkbox]").check()
    page.locator("[data-place=lines]").get_by_role("button", name="Add").click()
    page.locator("[data-place='lines[0].product'] textarea").fill("tea")
    page.locator("[data-place='lines[0].count'] input").fill("2")
    page.locator("[data-place=weights] input[type=checkbox]").check()
    page.locator("[data-place=weights]").get_by_role("button", name="Add").click()
    page.get_by_label("Key in weights").fill("a")
    page.get_by_label("value", exact=True).fill("0.25")
    page.locator("[data-place=data] input").set_input_files(tmp_path / "five")
    python = page.get_by_label("Python", exact=True).inner_text()
    assert 'day=datetime.date.fromisoformat("2026-02-03")' in python
    assert 'Line(product="tea", count=2)' in python
    page.get_by_role("button", name="Run", exact=True).click()
    headline(page, "completed")
    headers = {"Authorization": f"Bearer {site.token}"}
    value = requests.get(f"{site.url}/v1/runs/{run_id(page)}/result", headers=headers, timeout=10).json()
    assert value == {
        "name": "Ada", "day": "2026-02-03", "count": 3, "ratio": 0.5, "fast": True, "mode": "large", "colour": "g",
        "lines": [2], "weights": {"a": 0.25}, "note": None, "size": 5,
    }  # fmt: skip


def test_complaints_of_the_worker_stand_beside_their_fields(page, site):
    visit(page, site, "/jobs/everything?tab=call")
    page.locator("[data-place=name] textarea").fill("Ada")
    page.locator("[data-place=day] input").fill("2026-02-03")
    # What the form cannot know: here the worker is asked with a value that this page would not send.
    body = '{"name": "Ada", "day": "never", "count": "x"}'
    page.route("**/v1/jobs/everything", lambda route: route.continue_(post_data=body))
    page.get_by_role("button", name="Run", exact=True).click()
    beside = page.locator("[data-place=count] .wrong")
    beside.wait_for()
    assert "expected integer" in beside.inner_text()
    assert page.locator("[data-place=count] input").first.get_attribute("aria-invalid") == "true"
    page.unroute("**/v1/jobs/everything")
    assert "date" in page.locator("[data-place=day] .wrong").inner_text()


def test_a_failed_run_is_opened_and_resumed(page, site, tmp_path):
    path = tmp_path / "there"
    handle = Operator.from_job("fragile", address=site.grpc_address, token=site.token)
    with pytest.raises(FileNotFoundError):
        handle(str(path))
    visit(page, site, "/runs?status=FAILED")
    row = page.locator("table.runs tr", has_text="fragile")
    assert "FileNotFoundError: there is no" in row.inner_text()
    row.get_by_role("rowheader").get_by_role("link").click()
    page.locator(".error .what", has_text="FileNotFoundError").wait_for()
    status(page, "check", "failed")
    page.locator(".node.selected tspan.name:text-is('check')").wait_for()
    path.touch()
    page.get_by_role("button", name="Resume").click()
    headline(page, "completed")
    status(page, "check", "done")
    assert node(page, "load").get_attribute("data-status") == "cached"  # it was not done again
    page.get_by_role("tab", name="Attempts").click()
    page.get_by_role("cell", name=re.compile("MiB")).nth(1).wait_for()
    page.get_by_role("tab", name="Decisions").click()
    page.get_by_role("cell", name="not True", exact=True).wait_for()
    old = page.url
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page).not_to_have_url(old)
    headline(page, "completed")


def test_a_run_is_cancelled(page, site, tmp_path):
    visit(page, site, "/jobs/pipeline?tab=call")
    page.locator("[data-place=gate] textarea").fill(str(tmp_path / "never"))
    page.get_by_role("button", name="Run", exact=True).click()
    status(page, "train", "done")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the run").click()
    headline(page, "cancelled")


def test_a_serving_is_tried_and_scaled(page, site):
    visit(page, site, "/servings/embed?tab=call")
    page.get_by_label("words").fill("hello")
    page.get_by_role("button", name="Call", exact=True).click()
    page.get_by_text(re.compile("shape .6.")).wait_for()
    page.get_by_role("button", name="spell").click()
    page.get_by_label("word").fill("abc")
    page.get_by_role("button", name="Call", exact=True).click()
    page.locator(".stream li").nth(2).wait_for()
    page.get_by_role("tab", name="Load").click()
    page.get_by_label("Replicas", exact=True).and_(page.get_by_role("spinbutton")).fill("2")
    page.get_by_role("button", name="Scale").click()
    page.locator(".load tbody tr .status", has_text="ready").nth(1).wait_for()
    page.get_by_text("set by hand").wait_for()
    page.get_by_role("tab", name="Logs").click()
    page.locator(".lines", has_text="1 words").wait_for()


def test_the_page_of_a_serving_has_a_token_of_its_own_and_outlives_its_worker(browser, tmp_path):
    def call(words):
        tab.get_by_label("words").fill(words)
        tab.get_by_role("button", name="Call", exact=True).click()

    with socket.create_server(("127.0.0.1", 0)) as found:
        port = str(found.getsockname()[1])
    context = browser.new_context()
    # What browsers keep from pages that come from another machine over plain HTTP.
    context.add_init_script("delete Crypto.prototype.randomUUID; delete Navigator.prototype.clipboard")
    tab = context.new_page()
    with workers.local(tmp_path / "home", port=port) as worker:
        handle = things.Embed.deploy("embed")
        assert handle.token != worker.token
        tab.goto(handle.url)
        for token in ("guessed", handle.token):
            tab.get_by_label("Token").fill(token)
            tab.get_by_role("button", name="Open").click()
            tab.get_by_text("That is not a token of this serving.").or_(tab.get_by_label("words")).first.wait_for()
        call("hello")
        assert 'serving(words="hello")' in tab.get_by_label("Python", exact=True).inner_text()
        tab.get_by_text(re.compile("shape .6.")).wait_for()
        tab.get_by_role("button", name="Copy curl").click()
        tab.locator(".copy.did").wait_for()
        tab.reload()  # it stays in this tab
        tab.get_by_label("words").wait_for()
        os.kill(worker.pid, signal.SIGKILL)
        psutil.Process(worker.pid).wait(30)
        call("hello")
        tab.get_by_text("The worker does not answer").wait_for()
    with workers.local(tmp_path / "home", port=port) as worker:
        call("hello")
        tab.get_by_text(re.compile("shape .6.")).wait_for()
        tab.goto(worker.url)  # it opens nothing else
        tab.get_by_label("Token").wait_for()
    context.close()


def test_versions_are_compared(page, site):
    where = {"address": site.grpc_address, "token": site.token}
    things.Fragile().deploy("changing", **where)
    things.Pipeline().deploy("changing", **where)
    visit(page, site, "/jobs/changing?tab=versions")
    page.get_by_role("link", name="Compare with v1").click()
    page.locator(".is-removed tspan.name:text-is('check')").wait_for()
    page.locator(".is-added tspan.name:text-is('report')").wait_for()
    page.locator(".changes button", has_text="report: Report").click()
    page.locator(".node.selected tspan.name:text-is('report')").wait_for()
    page.go_back()
    page.get_by_role("tab", name="Versions").click()
    page.get_by_role("button", name="Make live").click()
    page.get_by_role("button", name="Go to version 1").click()
    page.locator("tr", has=page.locator(".tag.live")).get_by_role("link", name="v1", exact=True).wait_for()
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Remove it").click()
    page.get_by_role("heading", name="Deployments").wait_for()
    expect(page.get_by_role("link", name="changing", exact=True)).to_have_count(0)


def test_schedules_are_paused_and_secrets_have_names_only(page, site):
    job = Operator.from_job("pipeline", address=site.grpc_address, token=site.token)
    job.job.schedule("0 3 * * *", inputs={"count": 1})
    command = [sys.executable, "-m", "operator_lib", "secrets", "set", "API_KEY", "--address", site.url]
    environment = {**os.environ, "OPERATOR_LIB_TOKEN": site.token}
    subprocess.run(command, input="hush-hush", env=environment, text=True, check=True, capture_output=True)
    visit(page, site, "/schedules")
    row = page.get_by_role("row", name=re.compile("pipeline"))
    row.get_by_role("button", name="Pause").click()
    row.get_by_text("paused").wait_for()
    row.get_by_role("button", name="Resume").click()
    row.get_by_role("button", name="Pause").wait_for()
    visit(page, site, "/secrets")
    page.get_by_role("rowheader", name="API_KEY").wait_for()
    assert "hush" not in page.content()


def test_what_users_write_is_shown_and_not_run(page, site):
    handle = Operator.from_job("hostile", address=site.grpc_address, token=site.token)
    good, bad = handle.submit(), handle.submit(things.SCRIPT + "!")
    good.result(timeout=60)
    assert isinstance(bad.exception(timeout=60), ValueError)
    for path, words in (
        ("/jobs/hostile", ".lead"), ("/jobs/hostile?tab=call", "textarea"), ("/jobs/hostile?tab=about", ".prose"),
        (f"/runs/{good.id}?tab=logs", ".lines .text"), (f"/runs/{good.id}?tab=output", ".tree"),
        (f"/runs/{bad.id}?tab=output", ".error .what"), ("/runs?status=FAILED", "td.clip"), ("/", "p.clip"),
    ):  # fmt: skip
        visit(page, site, path)
        shown = page.locator(words, has_text="<script>") if words != "textarea" else page.locator(words)
        shown.first.wait_for()
        assert "owned" not in page.title()
    assert page.locator("img[src=x]").count() == 0


def test_the_graph_is_searched_folded_and_zoomed(page, site):
    visit(page, site, "/jobs/pipeline")
    node(page, "train").wait_for()
    page.get_by_label("Find a node").fill("score")
    page.locator(".node.match tspan.name:text-is('score')").wait_for()
    page.get_by_label("Find a node").press("Enter")
    page.locator(".node.selected").wait_for()
    page.get_by_label("Find a node").fill("")
    page.locator(".node.loop .fold").click()
    node(page, "train").wait_for(state="detached")
    page.locator(".node.loop .fold").click()
    node(page, "train").wait_for()
    before = page.locator(".canvas > g").get_attribute("transform")
    page.get_by_role("button", name="Zoom in").click()
    assert page.locator(".canvas > g").get_attribute("transform") != before
    page.locator(".canvas").press("Escape")
    page.locator(".canvas").press("ArrowDown")
    page.locator(".details h3").wait_for()
    page.get_by_role("link", name=re.compile(r"page_things.py:\d+")).click()
    page.locator(".source .here").wait_for()
    assert "def forward" in page.locator(".source .here").inner_text()


def test_it_is_used_with_the_keyboard(page, site):
    page.keyboard.press("/")
    page.keyboard.type("pipel")
    page.get_by_role("option", name=re.compile("pipeline")).first.wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="pipeline").wait_for()
    page.get_by_role("tab", name="Graph").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("tab", name="Runs").get_attribute("aria-selected") == "true"


# What is there when a page is.
READY = {"/runs": ".node.call", "/jobs": ".tabbed .panel > *", "/servings": ".plot text"}
BOTH = ("/", "/jobs/everything?tab=call", "/runs/{run}")


def test_axe_finds_nothing_serious(page, site):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    run = Operator.from_job("pipeline", address=site.grpc_address, token=site.token).submit(10)
    run.result(timeout=60)
    found = []
    light = (*BOTH, "/jobs/pipeline", "/servings/embed?tab=load", "/runs", "/worker")
    for scheme, paths in (("light", light), ("dark", BOTH)):
        page.emulate_media(color_scheme=scheme)
        for path in paths:
            visit(page, site, path.format(run=run.id))
            page.locator(READY.get(path.partition("?")[0].rpartition("/")[0], "main h1")).first.wait_for()
            for each in axe.run(page).response["violations"]:
                if each["impact"] in ("serious", "critical"):
                    found.append((scheme, path, each["id"], [n["html"][:200] for n in each["nodes"]][:3]))
    page.emulate_media(color_scheme="light")
    assert not found, found


def test_ten_thousand_runs_are_paged_and_searched(page, site):
    visit(page, site, "/runs")
    rows = page.locator("table.runs tbody tr")
    expect(rows).to_have_count(50)  # the rest is not in the page
    first = rows.nth(0).inner_text()
    seen = {page.url}
    for _ in range(3):
        page.get_by_role("button", name="Older").click()
        expect(page).not_to_have_url(re.compile("|".join(f"^{re.escape(url)}$" for url in seen)))
        seen.add(page.url)
    page.reload()  # the address is a deep link
    expect(rows).to_have_count(50)
    assert rows.nth(0).inner_text() != first
    page.get_by_label("Search runs").fill("old-7777")
    expect(rows).to_have_count(1)
    page.get_by_label("Search runs").fill("no such thing")
    page.get_by_text("No run fits.").wait_for()
    page.get_by_label("Search runs").fill("old-")
    expect(rows).to_have_count(50)
    page.get_by_role("button", name="timed out").click()
    page.get_by_text("No run fits.").wait_for()
