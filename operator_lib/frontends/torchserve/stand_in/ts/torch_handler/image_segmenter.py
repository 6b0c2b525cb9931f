"""`ImageSegmenter`: for each pixel its best class and how probable it is."""

from __future__ import annotations

from typing import Any

from ts.torch_handler.base_handler import torch
from ts.torch_handler.image_classifier import IMAGENET
from ts.torch_handler.vision_handler import VisionHandler


class ImageSegmenter(VisionHandler):
    """Answers rows of pixels ``[class, probability]``."""

    image_processing = IMAGENET

    def postprocess(self, data: Any) -> Any:
        best = torch.max(torch.nn.functional.softmax(data["out"], dim=1), dim=1)
        return torch.stack([best.indices.type(best.values.dtype), best.values], dim=3).tolist()
