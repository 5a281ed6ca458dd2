"""What goes wrong in rounds happens as often as was asked, to the same clients whoever looks."""

import torch

from candor.federated.mishaps import SCALED_BY, Mishaps
from candor.federated.settings import Faults

CLIENTS = 40


def counted(faults):
    mishaps = Mishaps(faults, CLIENTS, seed=8)
    fates = [fate for number in range(1, 251) for fate in mishaps.fates(range(CLIENTS), number).values()]
    return {kind: fates.count(kind) / len(fates) for kind in set(fates)}


def test_shares_are_as_asked():
    shares = counted(Faults(drop_out=0.2, straggle=0.3, broken=0.1))
    assert abs(shares["drops out"] - 0.2) < 0.01
    assert abs(shares["slow"] - 0.8 * 0.3) < 0.01
    assert abs(shares["broken"] - 0.8 * 0.7 * 0.1) < 0.01
    assert counted(Faults()) == {"sound": 1.0}
    assert counted(Faults(drop_out=1.0)) == {"drops out": 1.0}


def test_what_happens_to_a_client_does_not_depend_on_who_else_was_chosen():
    mishaps = Mishaps(Faults(drop_out=0.5), CLIENTS, seed=8)
    everyone = mishaps.fates(range(CLIENTS), 3)
    assert {client: mishaps.fates([client], 3)[client] for client in range(CLIENTS)} == everyone
    assert mishaps.fates(range(CLIENTS), 4) != everyone
    assert Mishaps(Faults(drop_out=0.5), CLIENTS, seed=9).fates(range(CLIENTS), 3) != everyone


def test_poison_comes_from_the_same_clients_always():
    mishaps = Mishaps(Faults(poisoned=0.25), CLIENTS, seed=8)
    assert len(mishaps.poisoned()) == 10
    assert mishaps.poisoned() == Mishaps(Faults(poisoned=0.25), CLIENTS, seed=8).poisoned()
    assert Mishaps(Faults(), CLIENTS, seed=8).poisoned() == frozenset()


def test_poison_is_the_opposite_noise_of_the_same_norm_or_much_more():
    update = torch.randn(1000, generator=torch.Generator().manual_seed(0))

    def sent(kind, round=1):
        return Mishaps(Faults(poisoned=1, poison=kind), CLIENTS, seed=8).poison(update, 0, round)

    assert torch.equal(sent("sign_flip"), -update)
    assert torch.equal(sent("scale"), SCALED_BY * update)
    noise = sent("noise")
    assert torch.isclose(noise.norm(), update.norm())
    assert abs(float(torch.nn.functional.cosine_similarity(noise, update, dim=0))) < 0.15
    assert not torch.equal(noise, sent("noise", round=2))
