"""Property tests keep no database of examples, so that they leave no file behind and are the same everywhere."""

from hypothesis import settings

settings.register_profile("wire", database=None, deadline=None)
settings.load_profile("wire")
