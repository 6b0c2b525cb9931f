"""Edits of the signature: what those who call it are told."""

# name: (file, replacements, lines)
SIGNATURES = {
    "required parameter": (
        "pipeline",
        [("rounds: int = 3", "rounds: int = 3, *, seed")],
        ["! breaks callers: seed is new and required", "+ seed   new (pipeline.py:33)"],
    ),
    "parameter renamed": (
        "pipeline",
        [
            ("def forward(self, path, rounds", "def forward(self, scans, rounds"),
            ("self.load(path)", "self.load(scans)"),
        ],
        ["! breaks callers: path is called scans", "~ scans   changed: was path"],
    ),
    "optional parameter": (
        "pipeline",
        [("rounds: int = 3", "rounds: int = 3, seed=None")],
        ["! seed is new", "+ seed   new (pipeline.py:33)"],
    ),
    "default gone": ("pipeline", [("rounds: int = 3", "rounds: int")], ["! breaks callers: rounds is required"]),
    "default changed": ("pipeline", [("rounds: int = 3", "rounds: int = 5")], ["! rounds is 5 by default, was 3"]),
    "keyword only": ("pipeline", [("path, rounds", "path, *, rounds")], ["! breaks callers: rounds is keyword only"]),
    "annotation": ("pipeline", [("rounds: int", "rounds: float")], ["! rounds is float, was int"]),
}
