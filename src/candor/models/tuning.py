"""What of a backbone is trained besides the head."""

from __future__ import annotations

from candor.backbones.interface import Backbone, BackboneError
from candor.models.recipe import Recipe


def make_trainable(backbone: Backbone, recipe: Recipe, name: str) -> None:
    """Let the parameters of a backbone be trained that the recipe's mode says, and no others.

    Parameters
    ----------
    backbone
        The backbone; LoRA adds its own parameters to it.
    recipe
        How it is trained.
    name
        What the backbone is called in the config, for errors.
    """
    backbone.requires_grad_(recipe.mode == "full")
    if recipe.mode == "last_layer":
        last = backbone.last_layer()
        if last is None:
            raise BackboneError(f"{name} has no layer that could be trained; set mode to 'frozen'")
        last.requires_grad_(True)
    elif recipe.mode == "lora":
        _add_lora(backbone, recipe, name)
    if recipe.mode != "frozen" and not any(parameter.requires_grad for parameter in backbone.parameters()):
        raise BackboneError(f"{name} has nothing that could be trained; set mode to 'frozen'")


def _add_lora(backbone: Backbone, recipe: Recipe, name: str) -> None:
    from peft import LoraConfig, inject_adapter_in_model

    if not backbone.lora_targets:
        raise BackboneError(f"{name} has no attention that LoRA could adapt; set mode to 'full' or 'last_layer'")
    adapters = LoraConfig(
        r=recipe.lora_rank, lora_alpha=recipe.lora_alpha, target_modules=list(backbone.lora_targets), lora_dropout=0.0
    )
    inject_adapter_in_model(adapters, backbone)
