"""What a dry run says."""

from __future__ import annotations

import json
from dataclasses import replace

from operator_lib.package.imports import missing_imports
from operator_lib.package.manifest import scan
from operator_lib.package.plan import Live, make_plan
from operator_lib.trace.dag import DAG, Node
from operator_lib.trace.stale import Stale


def live_of(manifest, version: int = 3, **options: object) -> Live:
    return Live(version, {entry.path: entry.sha256 for entry in manifest.files}, options)


def test_a_first_deploy_sends_everything(tree) -> None:
    manifest = scan(tree({"a.py": "1" * 3100, "b.py": ""}))
    plan = make_plan("digits", "job", manifest, command="operator-lib deploy a.py:A --name digits")
    assert (plan.upload_files, plan.upload_bytes, plan.next_version, plan.exit_code) == (2, 3100, 1, 2)
    assert str(plan).splitlines() == [
        "digits (job): new, version 1",
        "  upload      2 of 2 files, 3.1 kB",
        "  environment worker's own",
        "Nothing has been sent. Deploy with: operator-lib deploy a.py:A --name digits",
    ]


def test_the_same_again_is_nothing_to_do(tree) -> None:
    manifest = scan(tree({"a.py": "1"}))
    plan = make_plan("d", "serving", manifest, live=live_of(manifest, retries=2), options={"retries": 2}, missing=())
    assert not plan.changed
    assert plan.exit_code == 0
    assert "nothing, the worker has all 1 files" in str(plan)
    assert "Nothing to do" in str(plan)


def test_changes_are_named(tree) -> None:
    root = tree({"a.py": "1", "b.py": "2", "c.py": "3"})
    live = live_of(scan(root), retries=0)
    (root / "b.py").write_text("22")
    (root / "c.py").unlink()
    tree({"d.py": "4", "copy_of_a.py": "1"})
    manifest = scan(root)
    missing = {entry.sha256 for entry in manifest.files if entry.path in ("b.py", "d.py")}
    split, tune, old = (
        Node(name, i, "call", name.title(), operator=name, file="a.py", line=4 + i)
        for i, name in enumerate(("split", "tune", "old"))
    )
    used, edited = (
        replace(split, uses=("helpers.py:12 stratify 11",)),
        replace(split, uses=("helpers.py:12 stratify 22",)),
    )
    before, after = DAG((used, old), (), "P", "P(x)"), DAG((edited, tune), (), "P", "P(x, y)")
    diff = before.diff(after)
    plan = make_plan(
        "digits", "job", manifest, live=live, missing=missing, options={"retries": 2}, dag_diff=diff,
        stored=Stale(("split",), ("tune",), ("load",)), environment="unchanged (9f2c…)",
    )  # fmt: skip
    assert plan.files_changed == ("b.py",)
    assert plan.files_added == ("copy_of_a.py", "d.py")
    assert plan.files_removed == ("c.py",)
    assert str(plan).splitlines() == [
        "digits (job): version 3 → 4",
        "  upload      2 of 4 files, 3 bytes",
        "  removed     c.py",
        "  DAG         ~ split   via helpers.py:12 (stratify)",
        "              + tune    new (a.py:5)",
        "              - old     gone",
        "  callers     calls may fail now: y is new and required",
        "  cache       split will run again, and tune if given other values; load stays",
        "  options     retries 0 → 2",
        "  environment unchanged (9f2c…)",
        "Nothing has been sent.",
    ]
    plain = plan.to_json()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["options_changed"] == {"retries": [0, 2]}
    assert plain["dag"]["added"] == ["tune: Tune"]
    assert plain["dag"]["changed"][0]["reasons"] == ["via helpers.py:12 (stratify)"]
    assert plain["dag"]["breaking"]


def test_problems_win_over_changes(tree) -> None:
    plan = make_plan("d", "job", scan(tree({"a.py": ""})), problems=["secret TOKEN is not set"])
    assert plan.exit_code == 1
    assert "problem     secret TOKEN is not set" in str(plan)


def test_the_operator_alone_may_have_changed(tree) -> None:
    manifest = scan(tree({"a.py": ""}))
    assert make_plan("d", "job", manifest, live=live_of(manifest), operator_changed=True).exit_code == 2


def test_an_ignored_module_that_is_imported_is_a_problem(tree) -> None:
    root = tree(
        {
            "main.py": "import json, pkg.a\nfrom missing import x\n",
            "pkg/__init__.py": "",
            "pkg/a.py": "def f():\n    from . import b\n    from .data import load\n",
            "pkg/b.py": "",
            "pkg/data.py": "",
            "src/lib.py": "",
        }
    )
    manifest = scan(root, ignore_patterns=["data.py"])
    assert missing_imports(manifest, ["main.py"]) == [
        "pkg/a.py:3 imports pkg.data, but an ignore rule leaves out pkg/data.py"
    ]
    assert missing_imports(scan(root), ["main.py"]) == []
    assert missing_imports(manifest, ["pkg/data.py"])[0].startswith("pkg/data.py is needed")
