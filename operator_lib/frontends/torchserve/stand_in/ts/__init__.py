"""What handlers import from TorchServe, see the README beside."""

__version__ = "0.12.0"
