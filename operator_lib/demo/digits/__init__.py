"""The folder that the demo copies and deploys; `pipeline.py` is written to be read."""
