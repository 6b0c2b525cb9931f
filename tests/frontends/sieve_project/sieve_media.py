"""Functions that are handed files, and hand some on."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import operator_lib.frontends.sieve as sieve


@dataclass
class Report:
    file: sieve.File
    words: int


@sieve.function(name="words")
def words(file: sieve.File) -> int:
    return len(Path(file.path).read_text().split())


@sieve.function(name="upper")
def upper(file: sieve.File) -> sieve.File:
    """Gives a file that lies in the private folder of its process."""
    path = os.path.join(tempfile.mkdtemp(), f"upper-{file.name}")
    Path(path).write_text(Path(file.path).read_text().upper())
    return sieve.File(path=path, language="en")


@sieve.function(name="handed-on")
def handed_on(files):
    """Does not look into them itself."""
    return {"reports": [Report(upper.run(file), words.run(file)) for file in files["some"]], "first": files["some"][0]}


@sieve.function(name="described")
def described(file: sieve.File) -> dict:
    return {"name": file.name, "size": file.size, "local": hasattr(file, "_local"), "url": file.url}


@sieve.function(name="beside-the-code")
def beside_the_code() -> str:
    return Path(sieve.File("data.txt").path).read_text()


@sieve.function(name="inverted")
def inverted(image: sieve.Image) -> sieve.Image:
    assert (image.width, image.height, image.channels) == (3, 2, 3)
    return sieve.Image(array=255 - image.array, frame=7)
