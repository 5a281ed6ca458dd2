"""Trainings against scikit-learn, and what must have no part in them."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.utils.class_weight import compute_class_weight

from candor.models import resume as resuming
from candor.models.fold import Setting, run_fold
from candor.models.inputs import PooledInputs
from candor.models.linear import PooledNetwork
from candor.models.loading import ModelError, load_model
from candor.models.outputs import outputs_of
from candor.models.prepare import Prepared
from candor.models.recipe import Recipe
from candor.models.resume import Resume
from candor.models.saving import About, save_model
from candor.models.tasks import Emotion, Rating, class_weights, concordance, uar
from candor.models.training import Part, TrainingError, make_optimiser, make_schedule, train
from candor.tables.models import History, LayerWeights, Predictions, RatingPredictions

RECIPE = Recipe("linear", learning_rate=0.01, num_epochs=60, batch_size=32, pooling="std", scheduler="constant")
CLASSES = ["neutral", "anger", "sadness"]


def clouds(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Three overlapping clouds with unequal sizes, shaped like pooled features of two layers."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(3, count, p=[0.6, 0.3, 0.1])
    centres = np.random.default_rng(99).standard_normal((3, 24)) * 1.0
    points = centres[labels] + generator.standard_normal((count, 24)) * 1.8
    pooled = (50 + 7 * points).astype(np.float32).reshape(count, 2, 2, 6)
    return torch.from_numpy(pooled), torch.from_numpy(labels)


def prepared(pooled: torch.Tensor, train_count: int) -> Prepared:
    def make(outputs: int) -> PooledNetwork:
        network = PooledNetwork(2, 6, outputs, "std")
        network.standardise_by(pooled[:train_count])
        return network

    return Prepared("pooled", PooledInputs(pooled), make, 2, 6)


def trained_on(count: int = 200, dev: int = 80, recipe: Recipe = RECIPE, seed: int = 0, resume: Resume | None = None):
    pooled, labels = clouds(count + dev, 0)
    made = prepared(pooled, count)
    parts = [Part(list(numbers), labels[list(numbers)]) for numbers in (range(count), range(count, count + dev))]
    task = Emotion.of(CLASSES, parts[0].targets)
    result = train(lambda: made.make(3), made.inputs, *parts, task, recipe, seed, resume=resume)
    return result, made, parts


def weights_of(trained) -> torch.Tensor:
    return torch.cat([value.flatten() for value in trained.network.state_dict().values()])


def test_the_same_seed_gives_the_same_weights_and_another_does_not():
    same, again, other = (weights_of(trained_on(seed=seed)[0]) for seed in (5, 5, 6))
    assert torch.equal(same, again)
    assert not torch.equal(same, other)


def test_it_is_as_good_as_scikit_learns_logistic_regression():
    """With one layer there is nothing to weigh, and the head is a logistic regression."""
    pooled, labels = clouds(4000, 0)
    pooled = pooled.reshape(-1, 1, 2, 12)

    def make() -> PooledNetwork:
        network = PooledNetwork(1, 12, 3, "std")
        network.standardise_by(pooled[:1500])
        return network

    parts = [Part(list(numbers), labels[list(numbers)]) for numbers in (range(1500), range(1500, 2000))]
    inputs = PooledInputs(pooled)
    trained = train(make, inputs, *parts, Emotion.of(CLASSES, parts[0].targets), RECIPE, 0)
    ours = outputs_of(trained.network, inputs, range(2000, 4000)).argmax(dim=1)
    flat = ((pooled - trained.network.head.mean) / trained.network.head.scale).flatten(1).numpy()
    oracle = LogisticRegression(class_weight="balanced", max_iter=2000).fit(flat[:1500], labels[:1500])
    reached = recall_score(labels[2000:], ours, average="macro")
    wanted = recall_score(labels[2000:], oracle.predict(flat[2000:]), average="macro")
    assert wanted > 0.6
    assert reached > wanted - 0.02


def test_the_kept_epoch_is_the_best_on_dev():
    trained, made, (_, dev) = trained_on()
    best = max(trained.history, key=lambda row: (row["dev_score"], -row["dev_loss"]))
    assert trained.epoch == best["epoch"]
    assert [row["epoch"] for row in trained.history if row["selected"] == "yes"] == [trained.epoch]
    predicted = outputs_of(trained.network, made.inputs, dev.numbers).argmax(dim=1)
    assert uar(dev.targets, predicted, 3) == pytest.approx(best["dev_score"])
    assert best["dev_score"] == pytest.approx(recall_score(dev.targets, predicted, average="macro"))


def test_early_stopping_stops_and_changes_nothing_before():
    whole, *_ = trained_on()
    short, *_ = trained_on(recipe=Recipe(**{**RECIPE.__dict__, "early_stopping": 4}))
    assert len(short.history) == short.epoch + 4 < len(whole.history)
    losses = [[row["train_loss"] for row in trained.history] for trained in (short, whole)]
    assert losses[0] == losses[1][: len(losses[0])]


def test_class_weights_are_scikit_learns_balanced_ones():
    labels = clouds(300, 0)[1]
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels.numpy())
    assert class_weights(labels, 3).tolist() == pytest.approx(expected.tolist(), rel=1e-6)
    assert class_weights(labels, 4)[3] == 0


def test_concordance_is_lins_coefficient():
    generator = np.random.default_rng(0)
    true = generator.uniform(1, 5, 200)
    predicted = 0.6 * true + generator.normal(0.5, 0.6, 200)
    # Lin's own way of writing it: Pearson's r times how far means and scales agree.
    scale = predicted.std() / true.std()
    shift = (predicted.mean() - true.mean()) / np.sqrt(predicted.std() * true.std())
    expected = np.corrcoef(predicted, true)[0, 1] * 2 / (scale + 1 / scale + shift**2)
    assert float(concordance(torch.tensor(predicted), torch.tensor(true))) == pytest.approx(expected)
    assert float(concordance(torch.ones(5), torch.ones(5))) == 0


@pytest.mark.parametrize(
    ("optimizer", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)]
)
def test_the_optimizer_is_the_one_asked_for(optimizer, kind):
    recipe = Recipe(**{**RECIPE.__dict__, "optimizer": optimizer, "weight_decay": 0.03})
    made = make_optimiser(PooledNetwork(2, 6, 3, "std"), recipe)
    assert type(made) is kind
    assert [(group["lr"], group["weight_decay"]) for group in made.param_groups] == [(0.01, 0.03)]


@pytest.mark.parametrize(
    ("scheduler", "last"), [("constant", 1.0), ("cosine", (1 + np.cos(np.pi * 59 / 60)) / 2), ("plateau", 0.1)]
)
def test_the_learning_rate_changes_as_asked(scheduler, last):
    recipe = Recipe(**{**RECIPE.__dict__, "scheduler": scheduler})
    optimiser = make_optimiser(PooledNetwork(2, 6, 3, "std"), recipe)
    schedule = make_schedule(optimiser, recipe)
    for _ in range(59):
        optimiser.step()
        schedule.step(1.0) if scheduler == "plateau" else schedule.step()
    assert optimiser.param_groups[0]["lr"] == pytest.approx(0.01 * last)


def test_gradients_are_clipped(monkeypatch):
    seen = []
    step = torch.optim.Adam.step

    def watch(self, *arguments):
        norms = [parameter.grad.norm() for group in self.param_groups for parameter in group["params"]]
        seen.append(float(torch.stack(norms).norm()))
        return step(self, *arguments)

    monkeypatch.setattr(torch.optim.Adam, "step", watch)
    trained_on(recipe=Recipe(**{**RECIPE.__dict__, "clip_norm": 0.01, "num_epochs": 2}))
    assert max(seen) <= 0.01 + 1e-6
    trained_on(recipe=Recipe(**{**RECIPE.__dict__, "clip_norm": 0.0, "num_epochs": 2}))
    assert max(seen) > 0.1


@pytest.mark.parametrize("scheduler", ["plateau", "cosine", "constant"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_killed_training_goes_on_and_ends_with_the_same_weights(tmp_path, monkeypatch, scheduler, optimizer):
    monkeypatch.setattr(resuming, "PATIENCE", 0.0)
    recipe = Recipe(**{**RECIPE.__dict__, "scheduler": scheduler, "optimizer": optimizer, "num_epochs": 25})
    undisturbed, *_ = trained_on(recipe=recipe)
    state = Resume(tmp_path / "seed0.pt", "this")
    save = Resume.save
    count = 0

    def kill(self, *arguments, **options):
        nonlocal count
        save(self, *arguments, **options)
        count += 1
        if count in (3, 11):
            raise KeyboardInterrupt

    monkeypatch.setattr(Resume, "save", kill)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            trained_on(recipe=recipe, resume=state)
    resumed, *_ = trained_on(recipe=recipe, resume=state)
    assert resumed.history == undisturbed.history
    assert torch.equal(weights_of(resumed), weights_of(undisturbed))
    assert count < 30, "it went on, and did not start anew"


def test_a_state_of_another_training_or_a_damaged_one_is_not_taken_up(tmp_path):
    Resume(tmp_path / "state.pt", "one").save({"epoch": 3}, now=True)
    assert Resume(tmp_path / "state.pt", "one").load()["epoch"] == 3
    assert Resume(tmp_path / "state.pt", "two").load() is None
    (tmp_path / "state.pt").write_bytes((tmp_path / "state.pt").read_bytes()[:100])
    assert Resume(tmp_path / "state.pt", "one").load() is None


def fold_table(labels: torch.Tensor) -> pd.DataFrame:
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
            "value": np.linspace(1, 5, count),
            "part": [parts.get(speaker, "train") for speaker in speakers],
        }
    )


def run(fold: pd.DataFrame, pooled: torch.Tensor, seeds=(0,), pred="emotion", recipe=RECIPE):
    made = prepared(pooled, len(pooled))
    return run_fold(2, fold, pred, made.inputs, made.make, recipe, list(seeds), Setting())


def test_a_fold_predicts_its_test_speakers_and_no_others(tmp_path):
    pooled, labels = clouds(300, 0)
    result = run(fold_table(labels), pooled, seeds=[0, 1])
    Predictions.write(result.predictions, tmp_path / "predictions.tsv")
    History.write(result.history, tmp_path / "history.tsv")
    LayerWeights.write(result.layers, tmp_path / "layers.tsv")
    predictions = Predictions.read(tmp_path / "predictions.tsv")
    assert set(predictions["speaker"]) == {"s0"}
    assert set(predictions["gender"]) == {"male"}
    assert len(predictions) == 2 * 50
    assert set(predictions["fold"]) == {2}
    assert list(predictions.columns[-3:]) == [f"p_{name}" for name in CLASSES]
    chances = predictions[[f"p_{name}" for name in CLASSES]].to_numpy()
    assert np.allclose(chances.sum(axis=1), 1)
    assert [CLASSES[index] for index in chances.argmax(axis=1)] == predictions["predicted"].tolist()
    weights = LayerWeights.read(tmp_path / "layers.tsv").groupby("seed")["weight"].sum()
    assert weights.tolist() == pytest.approx([1, 1])


def test_ratings_are_learned_by_concordance(tmp_path):
    generator = np.random.default_rng(0)
    values = generator.uniform(1, 7, 600).astype(np.float32)
    pooled = torch.from_numpy((values[:, None] * generator.standard_normal(24)).astype(np.float32))
    pooled = (pooled + 2 * torch.from_numpy(generator.standard_normal((600, 24)).astype(np.float32))).reshape(
        -1, 2, 2, 6
    )
    fold = fold_table(torch.zeros(600, dtype=torch.long)).assign(value=values)
    result = run(fold, pooled, pred="arousal")
    assert isinstance(result.task, Rating)
    RatingPredictions.write(result.predictions, tmp_path / "predictions.tsv")
    predictions = RatingPredictions.read(tmp_path / "predictions.tsv")
    reached = concordance(torch.tensor(predictions["predicted"]), torch.tensor(predictions["value"]))
    assert reached > 0.8
    assert max(row["dev_score"] for row in result.history) == pytest.approx(
        next(row["dev_score"] for row in result.history if row["selected"] == "yes")
    )


def test_test_data_has_no_part_in_training_and_selection():
    """Garbage in place of the test speakers' features changes their predictions and nothing else."""
    pooled, labels = clouds(300, 0)
    fold = fold_table(labels)
    garbled = pooled.clone()
    garbled[torch.tensor((fold["part"] == "test").to_numpy())] = 1e4

    def run_with(values):
        made = prepared(pooled, len(pooled))
        return run_fold(1, fold, "emotion", PooledInputs(values), made.make, RECIPE, [0], Setting())

    fair, blind = run_with(pooled), run_with(garbled)
    assert fair.history == blind.history
    assert fair.predictions != blind.predictions


def test_what_cannot_be_trained_on_is_said():
    pooled, labels = clouds(60, 0)
    fold = fold_table(labels)
    with pytest.raises(TrainingError, match="only the class 'anger'"):
        run(fold.assign(label="anger"), pooled)
    with pytest.raises(TrainingError, match="no utterance in dev"):
        run(fold[fold["part"] != "dev"].reset_index(drop=True), pooled)
    with pytest.raises(TrainingError, match="lower learning_rate"):
        run(fold, pooled.fill_(float("nan")))


def test_a_saved_model_is_loaded_without_pickles_and_says_the_same(tmp_path):
    trained, made, (_, dev) = trained_on()
    about = About("pooled", 2, 6, Emotion(CLASSES).described(), RECIPE.__dict__, {"family": "fbank"})
    save_model(trained.network, about, tmp_path / "model.safetensors")
    model = load_model(tmp_path / "model.safetensors")
    assert model.about == about
    assert model.task.classes == CLASSES
    expected = outputs_of(trained.network, made.inputs, dev.numbers)
    assert torch.equal(outputs_of(model.head, made.inputs, dev.numbers), expected)
    (tmp_path / "model.safetensors").write_bytes(b"no model")
    with pytest.raises(ModelError, match="is no model"):
        load_model(tmp_path / "model.safetensors")
