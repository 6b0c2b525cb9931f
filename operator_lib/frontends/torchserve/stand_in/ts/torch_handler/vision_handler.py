"""`VisionHandler`: images in, as bytes, base64 text, or nested lists of numbers."""

from __future__ import annotations

import base64
import importlib
import io
from typing import Any

from ts.torch_handler.base_handler import BaseHandler, torch


class VisionHandler(BaseHandler):
    """Subclasses say with `image_processing` how an image becomes a tensor."""

    image_processing: Any = None

    def initialize(self, context: Any) -> None:
        super().initialize(context)
        if not context.system_properties.get("limit_max_image_pixels"):
            image: Any = importlib.import_module("PIL.Image")
            image.MAX_IMAGE_PIXELS = None

    def preprocess(self, data: Any) -> Any:
        """A batch of images, of one shape."""
        return torch.stack([self._image(row.get("data") or row.get("body")) for row in data]).to(self.device)

    def _image(self, image: Any) -> Any:
        if isinstance(image, str):
            image = base64.b64decode(image)
        if isinstance(image, bytes | bytearray):
            return self.image_processing(importlib.import_module("PIL.Image").open(io.BytesIO(image)))
        return torch.FloatTensor(image)
