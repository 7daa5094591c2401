"""The matter classifier: a linear support vector machine and a naive Bayes, blended into one linear model.

Both see the same features, so their weighted sum is linear again and folds into one matrix.  The machine is sharp
where there are many examples, naive Bayes is steadier where there are few.
"""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

from hotline.ml.scorer import Floats

ABSENT = -8.0
"""The score of a class without any example: lower than anything a text can collect."""


class BlendedLinear(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """``n_classes`` classes 0…n−1, some of which may have no examples.

    ``coef_`` is rounded to half precision at the end of ``fit``, so that the served model is this model and not a
    rounding of it.
    """

    def __init__(self, n_classes: int, C: float = 0.3, bayes: float = 0.5, alpha: float = 0.3, seed: int = 0) -> None:  # noqa: N803 - scikit-learn's name
        self.n_classes = n_classes
        self.C = C
        self.bayes = bayes
        self.alpha = alpha
        self.seed = seed

    def fit(self, X: csr_array, y: NDArray[np.int64], sample_weight: NDArray[np.float64] | None = None) -> Self:  # noqa: N803
        """Fit both members.  X (texts, F), y (texts,) class numbers, sample_weight (texts,)."""
        machine = LinearSVC(C=self.C, random_state=self.seed).fit(X, y, sample_weight=sample_weight)
        coefficients, intercepts = _two_rows(machine.coef_), _two_rows(machine.intercept_)
        if self.bayes:
            bayes = ComplementNB(alpha=self.alpha).fit(X, y, sample_weight=sample_weight)
            weights = bayes.feature_log_prob_ - bayes.feature_log_prob_.mean(axis=0)
            spread = np.std(X @ weights.T)
            coefficients = coefficients + self.bayes * np.std(machine.decision_function(X)) / spread * weights
        self.classes_ = np.arange(self.n_classes)
        self.coef_ = np.zeros((self.n_classes, X.shape[1]), np.float32)
        self.intercept_ = np.full(self.n_classes, ABSENT, np.float32)
        self.coef_[machine.classes_] = coefficients.astype(np.float16)
        self.intercept_[machine.classes_] = intercepts
        return self

    def decision_function(self, X: csr_array) -> Floats:  # noqa: N803
        """Return the scores, shape (texts, n_classes)."""
        scores: Floats = X @ self.coef_.T + self.intercept_
        return scores

    def predict(self, X: csr_array) -> NDArray[np.int64]:  # noqa: N803
        """Return the best class of each text."""
        best: NDArray[np.int64] = self.decision_function(X).argmax(axis=1)
        return best


def _two_rows(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """scikit-learn keeps one row for two classes; give both."""
    return np.concatenate([-values, values]) if len(values) == 1 else values
