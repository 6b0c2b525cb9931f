"""The example workflows of TorchServe's repository, unchanged, with small models in place of the trained ones.

`TORCHSERVE_EXAMPLES` names the folder ``examples/Workflows`` of a clone of https://github.com/pytorch/serve.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest

from operator_lib.frontends.torchserve import Model, Workflow

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


@pytest.fixture
def examples() -> Path:
    folder = os.environ.get("TORCHSERVE_EXAMPLES")
    if not folder:
        pytest.skip("TORCHSERVE_EXAMPLES does not name examples/Workflows of a clone of pytorch/serve")
    return Path(folder)


def translator(folder: Path, name: str, words: dict[str, str], key: str) -> None:
    (folder / "handler.py").write_text(TRANSLATE.format(words=words, key=key))
    Model(name, handler=folder / "handler.py").pack(folder)


@pytest.mark.parametrize("hand_over", [None, "bytes"])
def test_translations(examples: Path, tmp_path: Path, hand_over: Any) -> None:
    folder = examples / "nmt_transformers_pipeline"
    translator(tmp_path, "TransformerEn2De", GERMAN, "german_output")
    translator(tmp_path, "TransformerEn2Fr", FRENCH, "french_output")
    translator(tmp_path, "TransformerDe2En", {to: word for word, to in GERMAN.items()}, "english_output")

    def made(kind: str) -> Workflow:
        spec, handler = folder / f"nmt_workflow_{kind}.yaml", folder / f"nmt_workflow_handler_{kind}.py"
        return Workflow.from_yaml(spec, handler, tmp_path, hand_over=hand_over)

    assert made("dualtranslation")(b"hello world dog") == {
        "english_input": "hello world dog",
        "german_translation": "hallo welt hund",
        "french_translation": "bonjour monde chien",
    }
    assert made("retranslation")(b"hello world dog") == {
        "german_translation": "hallo welt hund",
        "english_re_translation": "hello world dog",
    }


@pytest.mark.parametrize("animal", ["cat", "dog"])
def test_dog_breeds(examples: Path, tmp_path: Path, animal: str) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("torchvision", exc_type=(ImportError, RuntimeError))  # type: ignore[arg-type]
    folder = examples / "dog_breed_classification"
    for name, best in (("cat_dog_classification", ["cat", "dog"].index(animal)), ("dog_breed_classification", 3)):
        spec: Any = importlib.util.spec_from_file_location("arch", folder / f"{name}_arch.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        network: Any = module.ImageClassifier()
        last = [layer for layer in network.modules() if isinstance(layer, torch.nn.Linear)][-1]
        with torch.no_grad():
            last.weight.zero_()
            last.bias.zero_()
            last.bias[best] = 10.0
        torch.save(network.state_dict(), tmp_path / f"{name}.pth")
        Model(
            name,
            handler=folder / f"{name}_handler.py",
            model_file=folder / f"{name}_arch.py",
            serialized_file=tmp_path / f"{name}.pth",
            extra_files=[folder / "index_to_name.json"],
        ).pack(tmp_path)
    workflow = Workflow.from_yaml(
        folder / "workflow_dog_breed_classification.yaml",
        folder / "workflow_dog_breed_classification_handler.py",
        tmp_path,
    )
    answer = workflow((folder / "model_input" / "Dog1.jpg").read_bytes())
    if animal == "cat":
        assert answer == "It's a cat!"
    else:
        assert len(answer) == 5
        assert max(answer.values()) > 0.9
