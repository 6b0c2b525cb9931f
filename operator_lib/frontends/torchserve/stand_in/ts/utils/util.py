"""Classes of a module, labels, and the exception that carries a status."""

from __future__ import annotations

import inspect
import json
import os
from itertools import repeat
from typing import Any


class PredictionException(Exception):
    """Refuses a request with a status of HTTP."""

    def __init__(self, message: str, error_code: int = 500) -> None:
        super().__init__(message)
        self.message = message
        self.error_code = error_code

    def __str__(self) -> str:
        return f"{self.message} : {self.error_code}"

    def __reduce__(self) -> tuple[type[PredictionException], tuple[str, int]]:
        return PredictionException, (self.message, self.error_code)


def list_classes_from_module(module: Any, parent_class: type | None = None) -> list[type]:
    """Classes that a module defines itself."""
    found = [cls for _, cls in inspect.getmembers(module, inspect.isclass) if cls.__module__ == module.__name__]
    return [cls for cls in found if parent_class is None or issubclass(cls, parent_class)]


def load_label_mapping(mapping_file_path: str) -> dict[str, str] | None:
    """Class number to label from a JSON file; None when there is no such file."""
    if not os.path.isfile(mapping_file_path):
        return None
    with open(mapping_file_path) as file:
        found: Any = json.load(file)
    if not isinstance(found, dict):
        raise ValueError(f"{mapping_file_path} must hold an object: class number to label")
    names: Any = found.get("object_type_names")
    if isinstance(names, list):
        return {str(number): label for number, label in enumerate(names)}
    labels = {number: label[-1] if isinstance(label, list) else label for number, label in found.items()}
    wrong = [number for number, label in labels.items() if not isinstance(label, str)]
    if wrong:
        raise ValueError(f"{mapping_file_path}: the label of {wrong[0]} is no text")
    return labels


def map_class_to_label(
    probs: Any, mapping: dict[str, str] | None = None, lbl_classes: Any = None
) -> list[dict[str, Any]]:
    """For each row of probabilities: label to probability, in the order of the row."""
    if not isinstance(probs, list):
        raise TypeError(f"probabilities must be a list of rows, got {type(probs).__name__}")
    classes = lbl_classes if lbl_classes is not None else repeat(range(len(probs[0])) if probs else ())
    label = (lambda number: mapping[str(number)]) if mapping is not None else str
    return [
        {label(number): p for number, p in zip(numbers, row, strict=False)}
        for numbers, row in zip(classes, probs, strict=False)
    ]
