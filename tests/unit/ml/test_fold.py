"""What serves is what scikit-learn learned."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion

from hotline.ml.corpus import Row
from hotline.ml.features import BLOCKS, EXTRACTORS, read_documents
from hotline.ml.fit import matter_head
from hotline.ml.recipe import targets_of
from hotline.ml.scorer import Scorer
from hotline.ml.segment import SegmenterSpec
from hotline.ml.train import Trained
from hotline.reference import load_taxonomy


def test_the_folded_model_equals_the_scikit_learn_pipeline(
    small: Trained, few_rows: list[Row], phone_rows: list[Row], spec: SegmenterSpec
) -> None:
    """A stock FeatureUnion and the fitted estimator score as the arrays do, to 1e-5, unseen texts too."""
    codes, recipe, weights = load_taxonomy().codes, small.recipe, small.weights
    names = np.split(np.array(weights.vocabulary.split("\n"), object), np.cumsum(weights.block_sizes)[:-1])
    union = FeatureUnion(
        [
            (block, TfidfVectorizer(analyzer=extract, vocabulary=list(words), sublinear_tf=True, dtype=np.float32))
            for block, extract, words in zip(BLOCKS, EXTRACTORS, names, strict=True)
            if len(words)
        ],
        transformer_weights=dict(zip(BLOCKS, weights.block_scale, strict=True)),
    )
    documents = list(read_documents([row.text for row in few_rows], spec))
    features = union.fit_transform(documents).astype(np.float32)
    targets = targets_of(few_rows, codes, recipe)
    estimator = matter_head(recipe, len(codes))
    estimator.fit(features, targets.matters, targets.weights)

    unseen = list(read_documents([row.text for row in phone_rows[-300:]], spec))
    scorer = Scorer(weights)
    for texts in (documents, unseen):
        served = scorer.scores(scorer.features(texts))[:, : len(codes)]
        expected = estimator.decision_function(union.transform(texts).astype(np.float32))
        assert served == pytest.approx(expected, abs=1e-5)


def test_a_text_without_known_features_is_scored_by_the_intercepts(small: Trained) -> None:
    scorer = Scorer(small.weights)
    features = scorer.features(list(read_documents([("", ""), ("", "qqq")], SegmenterSpec("rjieba", "0.2"))))
    assert scorer.scores(features)[0] == pytest.approx(small.weights.intercepts)
    p = scorer.probabilities(scorer.scores(features), scorer.shape(features))
    assert p.sum(axis=1) == pytest.approx([1, 1], abs=1e-5)
