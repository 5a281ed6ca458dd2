"""Adversarial utterances against a closed form and against ART, one by one and in batches."""

import numpy as np
import pytest
import torch
from art.attacks.evasion import FastGradientMethod, MomentumIterativeMethod, ProjectedGradientDescent
from art.estimators.classification import PyTorchClassifier

from backbones.tiny_s3prl import write_tiny as write_s3prl
from backbones.tiny_transformers import speech as voice
from backbones.tiny_transformers import write_tiny as write_transformers
from candor.attack.crafting import Settings, Speech, control, craft, gradient_of
from candor.attack.perturb import budget
from candor.backbones.interface import load_family
from candor.models.end_to_end import EndToEnd
from candor.models.loading import Model
from candor.models.networks import FrameNetwork
from candor.models.recipe import Recipe
from candor.models.saving import About
from candor.models.tasks import Emotion
from planted_models import CLASSES, WIDTH, clip, linear_model, signs

EMOTIONS = ["neutral", "anger", "sadness"]
OPTIONS = {
    "downstream_model": "cnn", "learning_rate": 0.1, "num_epochs": 1, "batch_size": 1, "hidden_size": 8,
    "conv_layers": 2, "num_layers": 2, "dropout": 0.5, "norm": "nonorm", "norm_scope": "train",
}  # fmt: skip


@pytest.fixture(scope="module", params=["apc", "wav2vec2"])
def model(request, tmp_path_factory) -> EndToEnd:
    """An untrained head on a tiny backbone with large random weights: its gradients are as good as any."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "apc":
        write_s3prl("apc", folder)
        backbone = load_family("s3prl").load({"upstream": "apc"}, folder)
    else:
        backbone = load_family("transformers").load({}, write_transformers("wav2vec2_base", folder))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        head = FrameNetwork(backbone.layers, backbone.dimensions, 3, Recipe.of(OPTIONS)).eval()
    task = Emotion(EMOTIONS)
    about = About("frames", backbone.layers, backbone.dimensions, task.described(), OPTIONS, {})
    return EndToEnd(backbone, Model(about, task, head, {}, None))


def batch_of(waveforms, classes, names="abcdefgh", seed=0) -> Speech:
    lengths = torch.tensor([len(own) for own in waveforms])
    padded = torch.nn.utils.rnn.pad_sequence(list(waveforms), batch_first=True)
    names = tuple(names[: len(lengths)])
    return Speech(names, padded, lengths, tuple(range(len(lengths))), torch.tensor(classes), seed)


def only(speech: Speech, place: int) -> Speech:
    own = speech.waveforms[place, : int(speech.lengths[place])]
    return batch_of([own], [int(speech.classes[place])], speech.names[place])


@pytest.fixture
def speech() -> Speech:
    return batch_of([voice(samples, seed) for seed, samples in enumerate((6400, 6400, 5200, 4300))], [0, 1, 2, 1])


def test_fgsm_of_a_linear_model_is_the_closed_form():
    """The gradient has the sign of the weights in every piece, towards the other emotion, and the rest has none."""
    waveforms = [torch.from_numpy(clip(CLASSES[code], 0.02, seed, 4007)) for code, seed in ((0, 1), (1, 2))]
    speech = batch_of(waveforms, [0, 1])
    (made,) = craft("fgsm", linear_model(), speech, Settings(snrs=(40.0,)))
    pieces = 4007 // WIDTH * WIDTH
    for code, clean, perturbed in zip((0, 1), waveforms, made.waveforms, strict=True):
        towards = (1 - 2 * code) * signs().repeat(4007 // WIDTH)
        loudness = float(clean.double().square().mean().sqrt()) * 10 ** (-40 / 20) * np.sqrt(4007 / pieces)
        step = (perturbed - clean)[:pieces]
        assert torch.equal(step.sign(), towards)
        assert step.abs().tolist() == pytest.approx([loudness] * pieces, rel=1e-4)
        assert not (perturbed - clean)[pieces:].any()


def test_the_gradient_is_there_where_that_of_the_likelihood_is_lost():
    """A model that is as sure as float32 can say has a likelihood without gradient, but can be fooled all the same."""
    sure = linear_model(slope=3e4)
    speech = batch_of([torch.from_numpy(clip("anger", 0.02, 0))], [1])
    heard = speech.waveforms.clone().requires_grad_(True)
    torch.nn.functional.cross_entropy(sure(heard, speech.lengths), speech.classes).backward()
    assert not heard.grad.any()
    assert torch.equal(gradient_of(sure, speech, targeted=False)(speech.waveforms).sign()[0], -signs().repeat(250))


class AsArt(torch.nn.Module):
    """A model as ART takes one: utterances of one length, and their outputs.

    ART would switch a model that has a GRU to training.
    """

    def __init__(self, model: EndToEnd) -> None:
        super().__init__()
        self.inner = model

    def train(self, mode: bool = True):
        return super().train(False)

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        return self.inner(waveforms, torch.tensor([waveforms.shape[1]] * len(waveforms)))


def art_says(kind, model: EndToEnd, speech: Speech, eps: float, **options) -> torch.Tensor:
    wrapped = PyTorchClassifier(
        AsArt(model),
        torch.nn.CrossEntropyLoss(),
        (speech.waveforms.shape[1],),
        3,
        clip_values=(-1.0, 1.0),
        device_type="cpu",
    )
    attack = kind(wrapped, norm=np.inf, eps=eps, **options)
    return torch.from_numpy(
        attack.generate(speech.waveforms.numpy(), y=np.eye(3, dtype=np.float32)[speech.classes.numpy()])
    )


@pytest.mark.parametrize("target", [None, "sadness"])
def test_fgsm_and_pgd_are_those_of_art(model, speech, target):
    alone = only(speech, 0)
    if target:
        alone = Speech(alone.names, alone.waveforms, alone.lengths, alone.numbers, torch.tensor([2]), 0)
    eps = float(budget(alone.waveforms, alone.lengths, 30.0)[0])
    settings = Settings(snrs=(30.0,), steps=4, step_size=0.5, random_start=False, target=target)
    steps = {"eps_step": 0.5 * eps, "max_iter": 4, "targeted": target is not None, "verbose": False}
    made = {
        method: next(iter(craft(method, model, alone, settings))).waveforms
        for method in ("fgsm", "pgd", "pgd_momentum")
    }
    # Samples in no frame have no gradient; the others make up for them, so that the ratio is the one asked for.
    step = (made["fgsm"] - alone.waveforms).abs()
    assert float(step.max()) == pytest.approx(eps / float((step > 0).double().mean().sqrt()), rel=1e-3)
    theirs = {
        "fgsm": art_says(FastGradientMethod, model, alone, float(step.max()), targeted=target is not None),
        "pgd": art_says(ProjectedGradientDescent, model, alone, eps, num_random_init=0, **steps),
        "pgd_momentum": art_says(MomentumIterativeMethod, model, alone, eps, decay=1.0, **steps),
    }
    for method, expected in theirs.items():
        # The sign of a gradient that is zero to the last digit may be the other one.
        assert ((made[method] - expected).abs() < 1e-6).float().mean() > 0.995, method


@pytest.mark.parametrize("method", ["fgsm", "pgd", "pgd_momentum", "fgsm_trust_ser", "control"])
def test_a_batch_yields_what_its_utterances_yield_alone(model, speech, method):
    settings = Settings(snrs=(40.0, 20.0), steps=2, step_size=0.5)

    def made_of(batch):
        return list(control(batch, settings) if method == "control" else craft(method, model, batch, settings))

    together = made_of(speech)
    for place in range(4):
        length = int(speech.lengths[place])
        for batched, alone in zip(together, made_of(only(speech, place)), strict=True):
            same = (batched.waveforms[place, :length] - alone.waveforms[0]).abs() < 1e-6
            assert same.float().mean() > 0.98, "but for signs of a gradient that is zero to the last digit"
            assert not batched.waveforms[place, length:].any()


def test_pgd_does_more_harm_than_fgsm_and_fgsm_more_than_noise(model, speech):
    settings = Settings(snrs=(25.0,), steps=10, step_size=0.25, random_start=False)
    made = {method: next(iter(craft(method, model, speech, settings))).waveforms for method in ("fgsm", "pgd")}
    made |= {"control": next(iter(control(speech, settings))).waveforms}
    with torch.no_grad():
        losses = {
            name: float(torch.nn.functional.cross_entropy(model(own, speech.lengths), speech.classes))
            for name, own in {**made, "clean": speech.waveforms}.items()
        }
    assert losses["pgd"] > losses["fgsm"] > losses["control"]
    assert losses["fgsm"] > losses["clean"]


def test_dropout_is_on_for_trust_sers_gradient_and_for_no_other(model, speech):
    parts = [module for module in model.modules() if type(module).__name__ in ("Dropout", "ReluDropout")]
    seen: list[bool] = []
    hooks = [part.register_forward_hook(lambda module, *_: seen.append(module.training)) for part in parts]
    state = torch.random.get_rng_state()
    made = {}
    for method in ("fgsm", "fgsm_trust_ser"):
        seen.clear()
        made[method], again = ([one.waveforms for one in craft(method, model, speech, Settings())] for _ in range(2))
        assert torch.equal(made[method][0], again[0]), "dropout is drawn for each utterance by its name"
        assert set(seen) == {method == "fgsm_trust_ser"}
    for hook in hooks:
        hook.remove()
    assert not torch.equal(made["fgsm"][0], made["fgsm_trust_ser"][0])
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not any(module.training for module in model.modules() if not isinstance(module, torch.nn.GRU))
    loud = batch_of([voice(4000) / voice(4000).abs().max()], [0])
    (unclipped,) = craft("fgsm_trust_ser", model, loud, Settings(snrs=(10.0,)))
    assert unclipped.waveforms.max() > 1
