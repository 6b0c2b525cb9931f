"""Programs written for Sieve functions and models: change the import line, and they run here.

``import operator_lib.frontends.sieve as sieve``. Functions and models are operators that are deployed as servings. See
docs/guides/moving-from-sieve.md.
"""

from operator_lib.errors import FatalException as FatalException
from operator_lib.frontends.sieve.calling import local as local
from operator_lib.frontends.sieve.files import File as File
from operator_lib.frontends.sieve.functions import Model as Model
from operator_lib.frontends.sieve.functions import function as function
from operator_lib.frontends.sieve.header import Metadata as Metadata
from operator_lib.frontends.sieve.media import Audio as Audio
from operator_lib.frontends.sieve.media import Image as Image
from operator_lib.frontends.sieve.media import Video as Video
from operator_lib.frontends.sieve.reference import Reference as Reference
from operator_lib.options import Env as Env
from operator_lib.options import gpu as gpu

__all__ = [
    "Audio",
    "Env",
    "FatalException",
    "File",
    "Image",
    "Metadata",
    "Model",
    "Reference",
    "Video",
    "function",
    "gpu",
    "local",
]
