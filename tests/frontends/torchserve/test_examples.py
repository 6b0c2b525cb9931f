"""The examples of TorchServe's repository, unchanged, with small models: called here, and over HTTP on a worker.

`TORCHSERVE_EXAMPLES` names the folder ``examples/Workflows`` of a clone of https://github.com/pytorch/serve.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from operator_lib import worker
from operator_lib.frontends.torchserve import Model, Workflow, archives

# Networks of 80 MB are written, packed, sent and loaded, time and again.
pytestmark = pytest.mark.timeout(600)

# In place of the transformers: word by word.
TRANSLATE = """
WORDS = {words!r}

def handle(data, context):
    if data is None:
        return None
    found = [row.get("data") or row.get("body") for row in data]
    texts = [text if isinstance(text, str) else bytes(text).decode() for text in found]
    return [{{"input": text, "{key}": " ".join(WORDS.get(w, w) for w in text.split())}} for text in texts]
"""
GERMAN = {"hello": "hallo", "world": "welt", "dog": "hund"}
FRENCH = {"hello": "bonjour", "world": "monde", "dog": "chien"}


@pytest.fixture(scope="module")
def examples() -> Path:
    folder = os.environ.get("TORCHSERVE_EXAMPLES")
    if not folder:
        pytest.skip("TORCHSERVE_EXAMPLES does not name examples/Workflows of a clone of pytorch/serve")
    return Path(folder)


@pytest.fixture(scope="module")
def archived(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store for models and workflows."""
    folder = tmp_path_factory.mktemp("archived")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCHINDUCTOR_CACHE_DIR", str(folder / "inductor"))  # else among the temporary files
        yield folder


@pytest.fixture(scope="module")
def served(archived: Path) -> Iterator[str]:
    """The address of a worker with this store."""
    with worker.local(model_store=str(archived), disable_token_auth="") as running:
        yield running.url


def over_http(served: str, archived: Path, files: tuple[Path, Path], name: str, body: bytes) -> requests.Response:
    """The answer of the worker; what it has of that name is updated."""
    war = archives.workflow(name, *files, archived, "", force=True)
    place = f"{served}/workflows"
    known = requests.get(f"{place}/{name}", timeout=60).status_code == 200
    method, place = ("PUT", f"{place}/{name}") if known else ("POST", place)
    done = requests.request(method, place, params={"url": war.name}, timeout=120)
    assert done.status_code == 200, done.text
    return requests.post(f"{served}/wfpredict/{name}", body, timeout=120)


def translator(folder: Path, name: str, words: dict[str, str], key: str) -> None:
    (folder / "handler.py").write_text(TRANSLATE.format(words=words, key=key))
    Model(name, handler=folder / "handler.py").pack(folder)


def test_translations(examples: Path, archived: Path, served: str) -> None:
    folder = examples / "nmt_transformers_pipeline"
    translator(archived, "TransformerEn2De", GERMAN, "german_output")
    translator(archived, "TransformerEn2Fr", FRENCH, "french_output")
    translator(archived, "TransformerDe2En", {to: word for word, to in GERMAN.items()}, "english_output")
    expected = {
        "dualtranslation": {
            "english_input": "hello world dog",
            "german_translation": "hallo welt hund",
            "french_translation": "bonjour monde chien",
        },
        "retranslation": {
            "german_translation": "hallo welt hund",
            "english_re_translation": "hello world dog",
        },
    }
    for kind, answer in expected.items():
        files = folder / f"nmt_workflow_{kind}.yaml", folder / f"nmt_workflow_handler_{kind}.py"
        for hand_over in (None, "bytes"):
            workflow = Workflow.from_yaml(*files, archived, hand_over=hand_over)  # type: ignore[arg-type]
            assert workflow(b"hello world dog") == answer
        assert over_http(served, archived, files, kind, b"hello world dog").json() == answer


def test_dog_breeds(examples: Path, archived: Path, served: str) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("torchvision", exc_type=(ImportError, RuntimeError))  # type: ignore[arg-type]
    folder = examples / "dog_breed_classification"
    name = "workflow_dog_breed_classification"
    files = folder / f"{name}.yaml", folder / f"{name}_handler.py"
    picture = (folder / "model_input" / "Dog1.jpg").read_bytes()
    for animal in ("cat", "dog"):
        classifier(torch, folder, archived, "cat_dog_classification", ["cat", "dog"].index(animal))
        classifier(torch, folder, archived, "dog_breed_classification", 3)
        answer = Workflow.from_yaml(*files, archived)(picture)
        answered = over_http(served, archived, files, "dogs", picture)
        if animal == "cat":
            assert answer == answered.text == "It's a cat!"
        else:
            assert len(answer) == 5
            assert max(answer.values()) > 0.9
            assert answered.json() == pytest.approx(answer)


def classifier(torch: Any, folder: Path, archived: Path, name: str, best: int) -> None:
    """The archive of a network that is sure of one class."""
    spec: Any = importlib.util.spec_from_file_location("arch", folder / f"{name}_arch.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network: Any = module.ImageClassifier()
    last = [layer for layer in network.modules() if isinstance(layer, torch.nn.Linear)][-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.zero_()
        last.bias[best] = 10.0
    torch.save(network.state_dict(), archived / f"{name}.pth")
    Model(
        name,
        handler=folder / f"{name}_handler.py",
        model_file=folder / f"{name}_arch.py",
        serialized_file=archived / f"{name}.pth",
        extra_files=[folder / "index_to_name.json"],
    ).pack(archived, force=True)
