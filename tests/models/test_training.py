import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.utils.class_weight import compute_class_weight

from candor.models.fold import TrainingError, run_fold
from candor.models.saving import load_head, save_head
from candor.models.training import Data, Recipe, class_weights, probabilities, train, uar
from candor.tables.models import History, Predictions

RECIPE = Recipe(learning_rate=0.01, num_epochs=60, batch_size=32, weight_decay=1e-4)
CLASSES = ["neutral", "anger", "sadness"]


def clouds(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Three overlapping clouds with unequal sizes, shaped like pooled features."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(3, count, p=[0.6, 0.3, 0.1])
    centres = np.random.default_rng(99).standard_normal((3, 12)) * 1.2
    points = centres[labels] + generator.standard_normal((count, 12)) * 1.5
    return (50 + 7 * points).astype(np.float32).reshape(count, 1, 2, 6), labels


def data(count: int, seed: int) -> Data:
    pooled, labels = clouds(count, seed)
    return Data(torch.from_numpy(pooled), torch.from_numpy(labels))


def test_the_same_seed_gives_the_same_weights_and_another_does_not():
    heads = [train(data(200, 0), data(80, 1), 3, RECIPE, seed).head for seed in (5, 5, 6)]
    same, again, other = [torch.cat([p.flatten() for p in head.state_dict().values()]) for head in heads]
    assert torch.equal(same, again)
    assert not torch.equal(same, other)


def test_it_is_as_good_as_scikit_learns_logistic_regression():
    train_data, dev_data, test_data = data(1500, 0), data(500, 1), data(2000, 2)
    trained = train(train_data, dev_data, 3, RECIPE, seed=0)
    ours = probabilities(trained.head, test_data.pooled).argmax(axis=1)
    scale = lambda part: ((part.pooled - trained.head.mean) / trained.head.scale).flatten(1).numpy()  # noqa: E731
    oracle = LogisticRegression(class_weight="balanced", max_iter=2000).fit(scale(train_data), train_data.labels)
    reached = recall_score(test_data.labels, ours, average="macro")
    wanted = recall_score(test_data.labels, oracle.predict(scale(test_data)), average="macro")
    assert reached > wanted - 0.02
    assert wanted > 0.6


def test_the_kept_epoch_is_the_best_on_dev():
    dev_data = data(60, 1)
    trained = train(data(200, 0), dev_data, 3, RECIPE, seed=0)
    best = max(trained.history, key=lambda row: (row["dev_uar"], -row["dev_loss"]))
    assert trained.epoch == best["epoch"]
    assert [row["epoch"] for row in trained.history if row["selected"] == "yes"] == [trained.epoch]
    predicted = torch.from_numpy(probabilities(trained.head, dev_data.pooled).argmax(axis=1))
    assert uar(dev_data.labels, predicted, 3) == pytest.approx(best["dev_uar"])
    assert best["dev_uar"] == pytest.approx(recall_score(dev_data.labels, predicted, average="macro"))


def test_class_weights_are_scikit_learns_balanced_ones():
    labels = data(300, 0).labels
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels.numpy())
    assert class_weights(labels, 3).tolist() == pytest.approx(expected.tolist(), rel=1e-6)
    assert class_weights(labels, 4)[3] == 0


def test_a_dimension_that_never_changes_does_no_harm():
    part = data(200, 0)
    part.pooled[:, 0, 0, 0] = 3.0
    trained = train(part, data(80, 1), 3, RECIPE, seed=0)
    shifted = data(50, 2).pooled
    assert np.isfinite(probabilities(trained.head, shifted)).all()


def fold_table(pooled: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    count = len(labels)
    speakers = [f"s{number % 6}" for number in range(count)]
    parts = {"s0": "test", "s1": "dev"}
    return pd.DataFrame(
        {
            "utterance": [f"u{number:04}" for number in range(count)],
            "speaker": speakers,
            "session": "",
            "gender": ["female" if int(speaker[1]) % 2 else "male" for speaker in speakers],
            "label": [CLASSES[label] for label in labels],
            "part": [parts.get(speaker, "train") for speaker in speakers],
        }
    )


def test_a_fold_predicts_its_test_speakers_and_no_others(tmp_path):
    pooled, labels = clouds(300, 0)
    fold = fold_table(pooled, labels)
    result = run_fold(2, fold, pooled, RECIPE, seeds=[0, 1])
    Predictions.write(result.predictions, tmp_path / "predictions.tsv")
    History.write(result.history, tmp_path / "history.tsv")
    predictions = Predictions.read(tmp_path / "predictions.tsv")
    assert set(predictions["speaker"]) == {"s0"}
    assert set(predictions["gender"]) == {"male"}
    assert len(predictions) == 2 * 50
    assert set(predictions["fold"]) == {2}
    assert list(predictions.columns[-3:]) == [f"p_{name}" for name in CLASSES]
    chances = predictions[[f"p_{name}" for name in CLASSES]].to_numpy()
    assert np.allclose(chances.sum(axis=1), 1)
    assert [CLASSES[index] for index in chances.argmax(axis=1)] == predictions["predicted"].tolist()


def test_test_data_has_no_part_in_training_and_selection():
    """Garbage in place of the test speakers' features changes their predictions and nothing else."""
    pooled, labels = clouds(300, 0)
    fold = fold_table(pooled, labels)
    garbled = pooled.copy()
    garbled[(fold["part"] == "test").to_numpy()] = 1e4
    fair = run_fold(1, fold, pooled, RECIPE, seeds=[0])
    blind = run_fold(1, fold, garbled, RECIPE, seeds=[0])
    assert fair.history == blind.history
    assert fair.predictions != blind.predictions


def test_what_cannot_be_trained_on_is_said(tmp_path):
    pooled, labels = clouds(60, 0)
    fold = fold_table(pooled, labels)
    with pytest.raises(TrainingError, match="only the class 'anger'"):
        run_fold(1, fold.assign(label="anger"), pooled, RECIPE, seeds=[0])
    with pytest.raises(TrainingError, match="no utterance in dev"):
        run_fold(1, fold[fold["part"] != "dev"].reset_index(drop=True), pooled, RECIPE, seeds=[0])


def test_a_saved_head_is_loaded_without_pickles_and_says_the_same(tmp_path):
    trained = train(data(100, 0), data(50, 1), 3, RECIPE, seed=0)
    save_head(trained.head, CLASSES, {"seeds": [0]}, tmp_path / "head.safetensors")
    head, classes = load_head(tmp_path / "head.safetensors")
    assert classes == CLASSES
    pooled = data(20, 3).pooled
    assert np.array_equal(probabilities(head, pooled), probabilities(trained.head, pooled))
