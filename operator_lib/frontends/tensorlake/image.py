"""`Image` as the SDK builds it: every method changes the image, and returns it."""

from __future__ import annotations

from typing import Any

from operator_lib import options


class Image:
    """A recipe for the environment of a function, step by step. See `operator_lib.Image`."""

    def __init__(self) -> None:
        self.recipe = options.Image()

    def name(self, image_name: str) -> Image:
        self.recipe = self.recipe.name(image_name)
        return self

    def tag(self, tag: str) -> Image:
        self.recipe = self.recipe.tag(tag)
        return self

    def base_image(self, base_image: str) -> Image:
        self.recipe = self.recipe.base_image(base_image)
        return self

    def run(self, run_str: str, **kwargs: Any) -> Image:
        self.recipe = self.recipe.run(run_str, **kwargs)
        return self

    def env(self, key: str, value: str) -> Image:
        self.recipe = self.recipe.env(key, value)
        return self

    def copy(self, source: str, dest: str) -> Image:
        self.recipe = self.recipe.copy(source, dest)
        return self

    def add(self, source: str, dest: str) -> Image:
        self.recipe = self.recipe.add(source, dest)
        return self

    def dockerfile(self) -> str:
        """The Dockerfile that makes it."""
        return self.recipe.dockerfile()

    @property
    def asked(self) -> options.Image | None:
        """The recipe; None when nothing was asked for."""
        plain = options.Image()
        return None if (self.recipe.steps, self.recipe.base) == (plain.steps, plain.base) else self.recipe

    def __repr__(self) -> str:
        return f"Image({self.recipe!r})"
