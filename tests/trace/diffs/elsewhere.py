"""Edits outside of the code that changes by them: in what it uses."""

# name: (file, replacements, lines)
ELSEWHERE = {
    "helper": (
        "helpers",
        [("for image in images]\n\n\ndef strip", "for image in images if image]\n\n\ndef strip")],
        ["~ images = tidy(images)   changed: via helpers.py:4 (tidy)"],
    ),
    "helper of a helper": (
        "helpers",
        [("image - width", "image - width - 1")],
        ["~ images = tidy(images)   changed: via helpers.py:8 (strip)"],
    ),
    "default of a helper": (
        "helpers",
        [("width=8", "width=9")],
        ["~ images = tidy(images)   changed: via helpers.py:8 (strip)"],
    ),
    "decorator of a helper": (
        "helpers",
        [("def strip", "@cache\ndef strip"), ("from config", "from functools import cache\nfrom config")],
        ["~ images = tidy(images)   changed: via helpers.py:10 (strip)"],
    ),
    "function that is handed over": (
        "helpers",
        [("return -value", "return value")],
        ["~ ranked = sorted(best, key=score)   changed: via helpers.py:13 (score)"],
    ),
    "method of a base class": (
        "helpers",
        [("image / self.divisor", "image // self.divisor")],
        ["~ weights = self.scaled(images)   changed: via helpers.py:18 (Scaler.scaled)   (5 places)"],
    ),
    "attribute of a base class": (
        "helpers",
        [("divisor = 16", "divisor = 255")],
        ["~ weights = self.scaled(images)   changed: via helpers.py:21 (Scaler.divisor)   (5 places)"],
    ),
    "method overridden": (
        "pipeline",
        [
            (
                "class Train(Scaler, Operator):",
                "class Train(Scaler, Operator):\n    def scaled(self, images):\n        return images\n",
            )
        ],
        ["~ weights = self.scaled(images)   changed: via pipeline.py:22 (Train.scaled)   (5 places)"],
    ),
    "constant behind a constant": (
        "config",
        [("SCALE = 2", "SCALE = 3")],
        [
            "~ images = tidy(images)   changed: via config.py:3 (SCALE)",
            "~ if first > FLOOR   changed: via config.py:3 (SCALE)",
        ],
    ),
    "constant of a module": (
        "config",
        [("CEILING = 99", "CEILING = 98")],
        ["~ for v in images   changed: via config.py:5 (CEILING)"],
    ),
    "constant that is imported": (
        "config",
        [("FLOOR = 10", "FLOOR = 11")],
        ["~ if first > FLOOR   changed: via config.py:4 (FLOOR)"],
    ),
    "argument of a settings object": (
        "config",
        [("Limits(1)", "Limits(1, 8)")],
        ["~ return   changed: via config.py:14 (limits)"],
    ),
    "default in a dataclass": (
        "config",
        [("top: int = 7", "top: int = 8")],
        ["~ return   changed: via config.py:11 (Limits.top)"],
    ),
    "class attribute": (
        "pipeline",
        [('folder = "scans"', 'folder = "images"')],
        ["~ return   changed: via pipeline.py:11 (Load.folder)"],
    ),
    "attribute set in the constructor": (
        "pipeline",
        [("self.rate = 0.5", "self.rate = 0.4")],
        ["~ spread = math.sqrt(first * self.rate)   changed: via pipeline.py:31 (Digits.rate)"],
    ),
    "argument of a child's constructor": (
        "pipeline",
        [("Load(depth=2)", "Load(depth=3)")],
        ["~ load: Load   changed: via pipeline.py:29 (Digits.load)"],
    ),
    "default of a child's constructor": (
        "pipeline",
        [("depth=3)", "depth=4)")],
        ["~ names = [path + str(i) for i in range(self.depth)]   changed: via pipeline.py:14 (Load.depth)"],
    ),
    "default of a child's forward": (
        "pipeline",
        [("limit=10", "limit=20")],
        ["~ load: Load   changed: via pipeline.py:16 (Load.forward)"],
    ),
    "child replaced by another class": (
        "pipeline",
        [("self.load = Load(depth=2)", "self.load = Train()")],
        ["~ load: Train   changed: was Load, via pipeline.py:29 (Digits.load)"],
    ),
}
