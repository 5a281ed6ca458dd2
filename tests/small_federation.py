"""A small world, and whole runs on it."""

import json

import torch

from candor.federated.centre import Centre
from candor.federated.clients import Client
from candor.federated.course import run_course
from candor.federated.engines.choose import choose
from candor.federated.federation import Federation
from candor.federated.recording import Recording
from candor.federated.rules.registry import rule_of
from candor.federated.settings import Kept, Settings
from candor.federated.vectors import Layout, Weights
from candor.federated.workloads.mlp import Mlp
from candor.federated.workloads.workload import InMemory
from candor.federated.world import World
from candor.models.resume import Resume

CLASSES = ["anger", "happiness", "sadness"]


class Speech(InMemory):
    """Three classes in twelve dimensions, told apart by their mean."""

    def make(self):
        return Mlp(self.inputs.shape[1], [16, 8], len(self.classes), 0.2)


def small_world():
    """Return the workload, and ten clients who hold its examples."""
    generator = torch.Generator().manual_seed(5)
    targets = torch.randint(0, 3, (400,), generator=generator)
    means = torch.randn(3, 12, generator=generator)
    inputs = means[targets] + 0.8 * torch.randn(400, 12, generator=generator)
    clients = []
    for place in range(10):
        own = range(40 * place, 40 * (place + 1) - 3 * place)  # they hold 40, 37, 34, …
        clients.append(Client(f"c{place}", f"c{place}", tuple(own[:-6]), tuple(own[-6:])))
    return Speech(CLASSES, targets, inputs), clients


BASE = Settings(
    num_epochs=12,
    clients_per_round=0.5,
    batch_size=8,
    learning_rate=0.01,
    keep=Kept(updates_every=1, models_every=5, precision="float32"),
)


def run(world, settings, folder, stop_after=None):
    """Run `settings`; with `stop_after`, break off behind that round as a kill would, all that is due being saved."""
    workload, clients = world
    torch.manual_seed(settings.seed)
    model = workload.make()
    layout = Layout.of(model)
    start = Weights.of(model, layout)
    own = World(workload, clients, start, layout, workload.targets)
    recording = Recording(folder, settings, layout, clients)
    if settings.is_central:
        trainer = Centre(settings, own)
    else:
        rule = rule_of(settings, layout)
        kind, _ = choose(workload, model, rule.local, settings.engine)
        trainer = Federation(settings, own, rule, kind(workload, layout, rule.local), recording.update)
    resume = Resume(folder / "course.pt", json.dumps(repr(settings)))
    if stop_after is not None:
        round_of = trainer.round

        def until(number):
            if number > stop_after:
                raise KeyboardInterrupt
            return round_of(number)

        trainer.round = until
    course = run_course(trainer, own, settings, recording, resume, "test")
    recording.close()
    return course, recording


def told(course, recording, folder):
    """Return all that a run leaves, as bytes and rows."""
    packs = {name: (folder / name).read_bytes() for name in ("updates.pack", "models.pack")}
    weights = [tensor.numpy().tobytes() for tensor in vars(course.best_weights).values()]
    tables = [course.rounds, course.participants, course.judged, recording.updates, recording.models]
    return packs, weights, json.dumps(tables), course.best_round
