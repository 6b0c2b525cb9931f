"""Handwritten digits: two classifiers learn from the same images, the better one is kept and served."""

from typing import Any, NamedTuple

import numpy as np
from sklearn import datasets, ensemble, model_selection, svm

from operator_lib import Operator, operator

Data = tuple[np.ndarray, np.ndarray]  # images as rows of 64 grey values, and the digits that they show


class Report(NamedTuple):
    winner: str
    accuracy: dict[str, float]
    model: Any
    test: Data


class Load(Operator):
    """Read the 1797 images of 8 x 8 pixels that come with scikit-learn."""

    def forward(self) -> Data:
        found: Any = datasets.load_digits()
        return found.data, found.target


class Split(Operator):
    """Keep 450 images back for the test."""

    def forward(self, data: Data) -> tuple[Data, Data]:
        test, train = np.split(np.random.default_rng(0).permutation(len(data[0])), [450])
        print(f"{len(train)} images to learn from, {len(test)} for the test")
        return (data[0][train], data[1][train]), (data[0][test], data[1][test])


class Train(Operator):
    """Fit a classifier, after five folds that say how good it is on images it has not seen."""

    def __init__(self, classifier: Any):
        self.classifier = classifier

    def forward(self, data: Data) -> Any:
        folds = model_selection.StratifiedKFold(5, shuffle=True, random_state=0)
        for number, (learn, check) in enumerate(folds.split(*data), 1):
            model = self.classifier.fit(data[0][learn], data[1][learn])
            print(f"fold {number} of 5: {model.score(data[0][check], data[1][check]):.3f}")
        return self.classifier.fit(*data)


class Compare(Operator):
    """Measure every model on the test images."""

    def forward(self, models: list[Any], test: Data) -> dict[str, float]:
        return {type(model).__name__: float(model.score(*test)) for model in models}


class Pick(Operator):
    """Take the best one."""

    def forward(self, models: list[Any], accuracy: dict[str, float], test: Data) -> Report:
        winner = max(accuracy, key=accuracy.__getitem__)
        print(f"{winner} wins with {accuracy[winner]:.1%}")
        return Report(winner, accuracy, next(m for m in models if type(m).__name__ == winner), test)


class Digits(Operator):
    """From images to the best classifier."""

    options = {"output_encoder": "cloudpickle"}  # the report holds a trained model, which has no JSON form

    def __init__(self):
        self.load, self.split, self.compare, self.pick = Load(), Split(), Compare(), Pick()
        self.models = [Train(svm.SVC(C=10)), Train(ensemble.RandomForestClassifier(60, random_state=0))]

    def forward(self) -> Report:
        train, test = self.split(self.load())
        models = [model(train) for model in self.models]
        return self.pick(models, self.compare(models, test), test)


@operator
class Reader:
    """Reads digits: a trained model behind an API."""

    def __init__(self, model: Any):
        self.model = model

    def read(self, images: np.ndarray) -> np.ndarray:
        return self.model.predict(images)
