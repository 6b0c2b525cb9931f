"""The Dockerfile of a version: its `Image`, what is needed to run operators in it, and the packages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from operator_lib.executors import ours
from operator_lib.executors.base import Needs
from operator_lib.options import dockerfile
from operator_lib.options.image import Image, Step, join, with_steps
from operator_lib.package.requirements import anchored, is_empty

# In the image.
ROOT = "/opt/operator-lib"
PYTHON = f"{ROOT}/venv/bin/python"
CERTIFICATES = f"{ROOT}/build/ca.pem"
# Where a build finds pip's settings: shown to its commands by BuildKit, part of the image otherwise.
SHOWN, KEPT = "/run/operator-lib/pip.conf", f"{ROOT}/build/pip.conf"
QUIETLY = "--no-cache-dir --no-input --progress-bar off --disable-pip-version-check"
# In the build context; beside it lie the files of the uploaded folder.
OURS = ".operator-lib"

# An interpreter of the right version makes a virtual environment, which all later commands find first.
VENV = """\
RUN for python in python{0} python3 python; do \
if $python -c 'import sys; sys.exit(".".join(map(str, sys.version_info[:2])) != "{0}")' 2>/dev/null; then \
$python -m venv --system-site-packages {1}/venv && exit 0; exit 1; fi; done; \
echo 'there is no Python {0} in the image {2}; the operator needs that version' >&2; exit 1"""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an image is built from."""

    image: Image
    python: str
    """Minor version."""
    requirements: str
    """Of the version, for pip inside of the image; empty when there are none."""
    sources: tuple[str, ...]
    """Paths in the uploaded folder that the build needs."""
    key: str
    """The same for the same image."""
    wheel: tuple[str, bytes] = field(repr=False)

    @property
    def base(self) -> str:
        """The image that it starts from."""
        return next(line.split()[1] for line in dockerfile.head(self.image)[::-1] if line.startswith("FROM "))

    @property
    def tag(self) -> str:
        return f"operator-lib:{self.key}"

    def dockerfile(self, *, pip: str = "") -> str:
        """The text for the builder.

        Args:
            pip: where the build finds pip's settings, `SHOWN` or `KEPT`; empty without any.
        """
        lines = list(self._lines(pip))
        if pip == SHOWN:
            show = f"RUN --mount=type=secret,id=pip,target={SHOWN} "
            lines = [show + line[4:] if line.startswith("RUN ") else line for line in lines]
        return "\n".join(lines) + "\n"

    def _lines(self, pip: str) -> Iterator[str]:
        yield from dockerfile.head(self.image)
        yield "USER root"
        yield VENV.format(self.python, ROOT, self.base)
        yield f'ENV PATH="{ROOT}/venv/bin:$PATH" VIRTUAL_ENV="{ROOT}/venv"'
        if pip:
            yield f"COPY {OURS}/build/ {ROOT}/build/"
            yield f"ARG PIP_CONFIG_FILE={pip}"
        if self.sources:
            yield f"COPY {OURS}/source/ {ROOT}/source/"
        steps = self.image.steps
        # Commands come after the packages: they may need them.
        first = next((n for n, step in enumerate(steps) if step.kind == "run"), len(steps))
        yield from map(dockerfile.line, steps[:first])
        yield f"COPY {OURS}/requirements/ {ROOT}/requirements/"
        named = " ".join(f"-r {ROOT}/requirements/{name}" for name in self.lists())
        yield f"RUN {PYTHON} -m pip install {QUIETLY} {named}"
        yield from map(dockerfile.line, steps[first:])
        yield f"COPY {OURS}/wheel/ {ROOT}/wheel/"
        yield f"RUN {PYTHON} -m pip install {QUIETLY} --no-deps {ROOT}/wheel/{self.wheel[0]}"

    def lists(self) -> dict[str, str]:
        """Files of requirements, installed together, so that the user's pins hold."""
        core = {"operator_lib.txt": ours.core_requirements()}
        return {"requirements.txt": self.requirements, **core} if self.requirements else core


def recipe(needs: Needs, base: str) -> Recipe:
    """What the image for these needs is built from; `base` is where it starts when the operator names nothing.

    Raises:
        OptionError, DeployError: a file that is to be copied or installed is not in the uploaded folder.
    """
    image = needs.options.image or Image()
    image = join(Image(python_version=needs.python, base=base.replace("{python}", needs.python) or None), image)
    source = needs.source.resolve()

    def there(text: str) -> str:
        """Requirements with local paths as they are in the image."""
        return anchored(text, source).replace(str(source), f"{ROOT}/source")

    text = "" if is_empty(needs.requirements) else there(needs.requirements)
    local = f"{ROOT}/source" in text
    steps = (
        Step("pip", tuple(there(word).strip() for word in step.words)) if step.kind == "pip" else step
        for step in image.steps
    )
    image = with_steps(image, tuple(steps))
    wheel = ours.wheel()
    made = Recipe(image, needs.python, text, (".",) if local else (), "", wheel)
    digest = hashlib.sha256(made.dockerfile().encode())
    for part in (image.hash(source), *made.lists().values()):
        digest.update(b"\0" + part.encode())
    digest.update(hashlib.sha256(wheel[1]).digest())
    if local:
        digest.update(needs.source.name.encode())  # named by its content
    return Recipe(image, needs.python, text, made.sources, digest.hexdigest()[:24], wheel)
