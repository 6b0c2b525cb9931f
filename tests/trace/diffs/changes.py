"""Edits that mean something: what they replace, and every line of the difference that they make."""

# name: (file, replacements, lines)
CHANGES = {
    "argument": ("pipeline", [("self.load(path)", "self.load(path, limit=5)")], ["~ load: Load   changed: own code"]),
    "swapped arguments": (
        "pipeline",
        [("second = self.forest(labels, images)", "second = self.forest(images, labels)")],
        ["~ forest: Train   changed: own code"],
    ),
    "condition": ("pipeline", [("if first > FLOOR", "if first >= FLOOR")], ["~ if first >= FLOOR   changed: own code"]),
    "condition of a comprehension": (
        "pipeline",
        [("if v > config.CEILING", "if v < config.CEILING")],
        ["~ for v in images   changed: own code"],
    ),
    "filter gone": ("pipeline", [(" if v > config.CEILING", "")], ["~ for v in images   changed: own code"]),
    "a call more": (
        "pipeline",
        [("        return ranked", "        self.load(path)\n        return ranked")],
        ["+ load: Load   new (pipeline.py:46)"],
    ),
    "a call less": (
        "pipeline",
        [("        second = self.forest(labels, images)\n", "")],
        ["- forest: Train   gone (was pipeline.py:38)"],
    ),
    "a call under a new condition": (
        "pipeline",
        [("second = self.forest(labels, images)", "if images:\n            second = self.forest(labels, images)")],
        ["~ forest: Train   changed: runs under another condition: if images", "+ if images   new (pipeline.py:38)"],
    ),
    "a call that always runs now": (
        "pipeline",
        [("        if first > FLOOR:\n            second", "        second")],
        [
            "~ forest: Train   changed: runs under another condition: always",
            "- if first > FLOOR   gone (was pipeline.py:39)",
        ],
    ),
    "plain code": (
        "pipeline",
        [("low = min(images)", "low = max(images)")],
        ["~ images = tidy(images)   changed: own code"],
    ),
    "plain code more": (
        "pipeline",
        [("low = min(images)", "low = min(images)\n        low += 1")],
        ["~ images = tidy(images)   changed: own code"],
    ),
    "other operator": (
        "pipeline",
        [("first = self.svc(", "first = self.forest(")],
        ["+ forest: Train   new (pipeline.py:37)", "- svc: Train   gone (was pipeline.py:37)"],
    ),
    "result": ("pipeline", [("return ranked, limits.top", "return ranked")], ["~ return   changed: own code"]),
    "loop": (
        "pipeline",
        [("in range(rounds)", "in range(rounds + 1)")],
        ["~ for _ in range(rounds + 1)   changed: own code"],
    ),
    "method that calls an operator": (
        "pipeline",
        [("return chosen", "return chosen or best")],
        ["~ return   changed: own code"],
    ),
    "child under another name": ("pipeline", [("self.forest", "self.trees")], ["= trees   was forest"]),
    "use before it is there": (
        "pipeline",
        [
            ("        first = self.svc(images, labels)\n", ""),
            ("        best = [", "        first = self.svc(images, labels)\n        best = ["),
        ],
        ["> svc: Train   now after if first > FLOOR"],
    ),
    "early return": (
        "pipeline",
        [("        low = min(images)", "        if not images:\n            return None\n        low = min(images)")],
        [
            "~ images = tidy(images)   changed: own code",
            "~ svc: Train   changed: runs under another condition: after-return",
            "~ forest: Train   changed: runs under another condition: after-return",
            "+ if not images   new (pipeline.py:36)",
            "+ low = min(images)   new (pipeline.py:38)",
        ],
    ),
}
