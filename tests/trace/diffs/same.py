"""Edits that mean nothing: no id and no difference may come from them."""

# name: (file, replacements)
SAME = {
    "comment": ("pipeline", [("low = min(images)", "low = min(images)  # darkest\n        # more")]),
    "docstring": (
        "pipeline",
        [("    def pick(self, best, spread):", "    def pick(self, best, spread):\n        '''One.'''")],
    ),
    "docstring of the operator": (
        "pipeline",
        [("class Digits(Operator):", "class Digits(Operator):\n    '''Reads.'''")],
    ),
    "docstring of a helper": ("helpers", [("def tidy(images):", "def tidy(images):\n    'Clean.'")]),
    "blank lines": ("pipeline", [("class Digits", "\n\n\n\nclass Digits")]),
    "line joined": (
        "pipeline",
        [("weights = self.scaled(images)\n        return", "weights = self.scaled(images); return")],
    ),
    "call over several lines": (
        "pipeline",
        [("self.forest(labels, images)", "self.forest(\n            labels,\n            images,\n        )")],
    ),
    "parentheses": ("pipeline", [("if first > FLOOR:", "if (first) > (FLOOR):")]),
    "spaces": ("pipeline", [("self.svc(v, low)", "self.svc( v,low )")]),
    "quotes": ("pipeline", [('folder = "scans"', "folder = 'scans'")]),
    "number written otherwise": ("config", [("CEILING = 99", "CEILING = 0x63")]),
    "string in two parts": ("pipeline", [('folder = "scans"', 'folder = "sc" "ans"')]),
    "local renamed": ("pipeline", [("first", "winner")]),
    "local renamed that is assigned twice": ("pipeline", [("second", "other")]),
    "two locals exchange their names": (
        "pipeline",
        [
            ("first", "_"),
            ("second", "first"),
            ("_ = ", "second = "),
            ("if _ >", "if second >"),
            ("sqrt(_", "sqrt(second"),
        ],
    ),
    "loop variable renamed": ("pipeline", [("for _ in range", "for turn in range")]),
    "variable of a comprehension renamed": (
        "pipeline",
        [("self.svc(v, low) for v in images if v >", "self.svc(w, low) for w in images if w >")],
    ),
    "parameters of a method renamed": (
        "pipeline",
        [
            (
                "pick(self, best, spread):\n        chosen = self.svc(best, spread)",
                "pick(self, a, b):\n        chosen = self.svc(a, b)",
            )
        ],
    ),
    "parameter of a helper renamed": (
        "helpers",
        [
            (
                "def tidy(images):\n    return [strip(image) for image in images]",
                "def tidy(xs):\n    return [strip(x) for x in xs]",
            )
        ],
    ),
    "local of a helper renamed": ("helpers", [("edge", "border")]),
    "annotation of a helper": (
        "helpers",
        [("def strip(image, width=8):", "def strip(image: int, width: int = 8) -> int:")],
    ),
    "annotation of a local": ("pipeline", [("low = min(images)", "low: int = min(images)")]),
    "helpers in another order": (
        "helpers",
        [
            ("def score(value):\n    return -value\n\n\n", ""),
            ("def tidy", "def score(value):\n    return -value\n\n\ndef tidy"),
        ],
    ),
    "methods in another order": (
        "pipeline",
        [
            (
                "\n    def pick(self, best, spread):\n        chosen = self.svc(best, spread)\n        return chosen\n",
                "",
            ),
            (
                "    def forward(self, path, rounds",
                "    def pick(self, best, spread):\n        chosen = self.svc(best, spread)\n        return chosen\n\n"
                "    def forward(self, path, rounds",
            ),
        ],
    ),
    "imports in another order": (
        "pipeline",
        [("import config\nfrom config import FLOOR, limits", "from config import limits, FLOOR\nimport config")],
    ),
    "import that is not used": ("pipeline", [("import math", "import math\nimport json")]),
    "module under another name": ("pipeline", [("import math", "import math as m"), ("math.sqrt", "m.sqrt")]),
    "function imported by itself": ("pipeline", [("import math", "from math import sqrt"), ("math.sqrt", "sqrt")]),
    "constant that nobody reads": ("config", [("SCALE = 2", "SCALE = 2\nUNUSED = 3")]),
    "function that nobody calls": ("helpers", [("def score", "def unused():\n    return 1\n\n\ndef score")]),
    "constants in another order": ("config", [("CEILING = 99\n", ""), ("SCALE = 2", "CEILING = 99\nSCALE = 2")]),
    "child that nobody calls": ("pipeline", [("self.rate = 0.5", "self.rate = 0.5\n        self.spare = Load()")]),
    "independent calls in another order": (
        "pipeline",
        [
            ("        first = self.svc(images, labels)\n", ""),
            (
                "second = self.forest(labels, images)\n",
                "second = self.forest(labels, images)\n        first = self.svc(images, labels)\n",
            ),
        ],
    ),
}
