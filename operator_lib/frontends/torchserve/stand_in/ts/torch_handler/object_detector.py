"""`ObjectDetector`: what is in an image, and where."""

from __future__ import annotations

import importlib
from typing import Any

from ts.torch_handler.vision_handler import VisionHandler
from ts.utils.util import map_class_to_label

transforms: Any = importlib.import_module("torchvision.transforms")


class ObjectDetector(VisionHandler):
    """Answers a list of ``{label: box, "score": score}``, for scores from `threshold` on."""

    threshold = 0.5
    image_processing: Any = transforms.Compose([transforms.ToTensor()])

    def postprocess(self, data: Any) -> Any:
        return [list(self._found(row)) for row in data]

    def _found(self, row: Any) -> Any:
        sure = row["scores"] >= self.threshold
        for box, label, score in zip(*(row[key][sure].tolist() for key in ("boxes", "labels", "scores")), strict=True):
            yield {**map_class_to_label([[box]], self.mapping, [[label]])[0], "score": score}
