# What the rules of the stage `privacy` share: whose states and models are attacked, and how.

from candor.tables.privacy import (
    EMBEDDING_MADE_OF,
    LAYERS_MADE_OF,
    LEAKS_FIGURE,
    MEMBERSHIP_FIGURE,
    PRIVACY_SYSTEMS_FIGURE,
    TRUST_SER_PRIVACY,
    MemberLosses,
    MembershipCurve,
    PrivacyEmbedding,
    PrivacyLayers,
    PrivacyResult,
    PrivacySummary,
)

READS_STATES = CONFIG.privacy.reads_states
READS_LOSSES = "membership" in CONFIG.privacy.attributes


def looked_into_seeds(wildcards):
    return seeds_asked_for(CONFIG.privacy.seeds, wildcards)


def states_of_layers(wildcards):
    """Return the frames of a span where the cnn can read them."""
    return {"frames": under(FrameIndex.path)} if cnn_reads_frames(wildcards) else {}


def cnn_reads_frames(wildcards):
    return frames_are_trained_on(wildcards) and "cnn" in CONFIG.privacy.attackers


def layer_settings(wildcards):
    """Return how the layers of a span are attacked."""
    return plan_privacy.settings_of_layers(CONFIG, cnn_reads_frames(wildcards))


def what_is_looked_into(wildcards):
    """Return the models of a recipe and what they read."""
    heads = heads_of(wildcards.backbone, wildcards, looked_into_seeds(wildcards))
    return {"heads": heads, **what_is_read(recipe_of(wildcards))(wildcards)}


def layers_beside(wildcards):
    """Return the attacks on the layers that a recipe reads, where there are any."""
    span, _ = plan_privacy.layers_of(CONFIG, wildcards.recipe)
    return {"layers": under(PrivacyLayers.path, span=span)} if span else {}


def code_of_models(wildcards):
    """Return the fingerprint of the attack on models, and of the backbone where it is run again."""
    if reading(recipe_of(wildcards)) == "audio":
        return code("privacy", f"candor.backbones.families.{backbone_of(wildcards).family}")
    return code("privacy")
