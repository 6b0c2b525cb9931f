"""`ImageClassifier`: the most probable labels of an image."""

from __future__ import annotations

import importlib
from typing import Any

from ts.torch_handler.base_handler import torch
from ts.torch_handler.vision_handler import VisionHandler
from ts.utils.util import map_class_to_label

transforms: Any = importlib.import_module("torchvision.transforms")

# Size and colours of the images of ImageNet, on which most of these models were trained.
IMAGENET: Any = transforms.Compose([
    transforms.Resize(256),
    transforms.CenterCrop(224),
    transforms.ToTensor(),
    transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
])  # fmt: skip


class ImageClassifier(VisionHandler):
    """Answers label to probability, for the `topk` best."""

    topk = 5
    image_processing = IMAGENET

    def set_max_result_classes(self, topk: int) -> None:
        self.topk = topk

    def get_max_result_classes(self) -> int:
        return self.topk

    def postprocess(self, data: Any) -> Any:
        probabilities, classes = torch.topk(torch.nn.functional.softmax(data, dim=1), self.topk, dim=1)
        return map_class_to_label(probabilities.tolist(), self.mapping, classes.tolist())
