import json
import subprocess
import sys
from typing import get_args

import jsonschema
import pytest
import yaml

from candor.config.datasets import FilterColumn, ManifestColumn
from candor.config.loading import ConfigError, load
from candor.config.reference import generated, schema
from candor.config.root import Config
from candor.config.splits import Splits
from candor.corpora.choice import FILTER_COLUMNS
from candor.corpora.reader import Scheme
from candor.corpora.readers import table
from paths import ROOT

SHIPPED = yaml.safe_load((ROOT / "config" / "config.yml").read_text())


def said(raw) -> str:
    with pytest.raises(ConfigError) as error:
        load(raw)
    return str(error.value)


def test_the_shipped_config_holds_the_defaults():
    shipped = load(SHIPPED)
    assert shipped.model_copy(update={"data_dir": {}}) == Config().model_copy(update={"data_dir": {}})
    assert shipped.data_dir["demo"] == "synthesise"


def test_the_shipped_config_names_every_top_level_key():
    assert set(SHIPPED) == set(Config.model_fields)


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (
            {"recipes": {"linear": {"learning_rat": 1}}},
            "config: recipes.linear.learning_rat is not a known key; allowed: audio_duration, "
            "backbone_learning_rate, batch_size, clip_norm, dataset, downstream_model, early_stopping, learning_rate, "
            "lora_alpha, lora_rank, mode, norm, norm_scope, num_epochs, optimizer, pooling, pretrain_model, scheduler, "
            "seeds, weight_decay. Did you mean 'learning_rate'?",
        ),
        (
            {"recipes": {"linear": {"downstream_model": "liner"}}},
            "config: recipes.linear.downstream_model is 'liner'; allowed: linear, cnn, gru, transformer. "
            "Did you mean 'linear'?",
        ),
        (
            {"recipes": {"slow": {"hidden_sise": 8}}},
            "config: recipes.slow.hidden_sise is not a known key; allowed: audio_duration, "
            "backbone_learning_rate, batch_size, clip_norm, conv_layers, dataset, downstream_model, dropout, "
            "early_stopping, hidden_size, learning_rate, lora_alpha, lora_rank, mode, norm, norm_scope, num_epochs, "
            "num_layers, optimizer, pooling, pretrain_model, scheduler, seeds, weight_decay. "
            "Did you mean 'hidden_size'?",
        ),
        (
            {"recipes": {"linear": {"lora_rank": 4}}},
            "config: recipes.linear.lora_rank is 4; lora_rank does nothing with "
            "mode 'frozen'; leave it out, or set mode to lora",
        ),
        (
            {"recips": {"cnn": None}},
            "config: recips is not a known key; allowed: attack, backbones, corpora, cost, data_dir, datasets, device, "
            "fairness, features, federated, leakage, privacy, project_dir, recipes, robustness, splits, store_dir, "
            "trust, weights_dir. Did you mean 'recipes'?",
        ),
        (
            {"recipes": {"cnn": {"downstream_model": "gru", "conv_layers": 2}}},
            "config: recipes.cnn.conv_layers is of no use to gru, only to cnn. Leave it out; where another file says "
            "it, give your entry a name of its own",
        ),
        (
            {"recipes": {"linear": {"norm": "znorm"}}},
            "config: recipes.linear is {'downstream_model': 'linear', 'norm': 'znorm'}; norm 'znorm' does nothing "
            "here, as a linear head standardises pooled states on the training speakers anyway; leave it out, or set "
            "norm_scope to 'speaker'",
        ),
        (
            {"backbones": {"ours": {"upstream": "apc"}}},
            "config: backbones.ours.family is missing; allowed: fbank, opensmile, s3prl, transformers, or call the "
            "entry fbank, egemaps, emobase, apc, vq_apc, npc, tera, decoar2, distilhubert, wav2vec2_0, hubert, wavlm, "
            "whisper_tiny, whisper_base, whisper_small",
        ),
        (
            {"backbones": {"ours": {"family": "s3prl", "upstream": "apc"}}},
            "config: backbones.ours is {'family': 's3prl', 'upstream': 'apc'}; say either checkpoint or pretrain",
        ),
        (
            {"backbones": {"apc": {"upstream": "tea"}}},
            "config: backbones.apc.upstream is 'tea'; allowed: apc, vq_apc, npc, mockingjay, tera, audio_albert, "
            "decoar2, distiller. Did you mean 'tera'?",
        ),
        (
            {"backbones": {"mine": {"family": "s3prl", "upstream": "apc", "pretrain": {"datasets": ["x"]}}}},
            "config: backbones.mine.pretrain.dataset is missing\nconfig: backbones.mine.pretrain.datasets is not a "
            "known key; allowed: batch_seconds, clip_norm, dataset, dropout, held_out, hidden_size, learning_rate, "
            "max_seconds, num_epochs, num_layers, residual, seed, time_shift. Did you mean 'dataset'?",
        ),
        (
            {"datasets": {"mine": {"parity": "trustser"}}},
            "config: datasets.mine.parity is 'trustser'; allowed: trust-ser, fed-ser-leakage. "
            "Did you mean 'trust-ser'?",
        ),
        (
            {"datasets": {"mine": {"filter": {"gendr": ["female"]}}}},
            "config: datasets.mine.filter.gendr is not a known key; "
            "allowed: speaker, gender, session, scenario, text, language, split, raw_label. Did you mean 'gender'?",
        ),
        ({"datasets": {"mine": {"table": {}}}}, "config: datasets.mine.table.file is missing"),
        ({"splits": {"folds": 1}}, "config: splits.folds is 1; input should be greater than or equal to 2"),
        (
            {"splits": {"scheme": "speaker"}},
            "config: splits.scheme is 'speaker'; allowed: auto, speakers, sessions, leave_one_speaker_out, texts, "
            "official. Did you mean 'speakers'?",
        ),
        (
            {"datasets": {"mine": {"pred": "arousl"}}},
            "config: datasets.mine.pred is 'arousl'; allowed: emotion, arousal, valence. Did you mean 'arousal'?",
        ),
        (
            {"recipes": {"linear": {"seeds": [0, 1, 0]}}},
            "config: recipes.linear.seeds is [0, 1, 0]; each seed may occur once",
        ),
        (
            {"recipes": {"linear": {"seeds": [0, -1]}}},
            "config: recipes.linear.seeds.1 is -1; input should be greater than or equal to 0",
        ),
        (
            {"recipes": {"linear": {"learning_rate": float("inf")}}},
            "config: recipes.linear.learning_rate is inf; input should be a finite number",
        ),
        (
            {"recipes": {"linear": {"weight_decay": float("nan")}}},
            "config: recipes.linear.weight_decay is nan; input should be a finite number",
        ),
        (
            {"corpora": {"max_duration": float("inf")}},
            "config: corpora.max_duration is inf; input should be a finite number",
        ),
        (
            {"corpora": {"silence_dbfs": float("-inf")}},
            "config: corpora.silence_dbfs is -inf; input should be a finite number",
        ),
        (
            {"corpora": {"min_duration": 60}},
            "config: corpora is {'min_duration': 60}; min_duration (60.0) must be less than max_duration (60.0)",
        ),
        (
            {"datasets": {"mine": {"classes": []}}},
            "config: datasets.mine.classes is []; name at least one emotion, or write 'default' or 'all'",
        ),
        (
            {"datasets": {"mine": {"filter": {"gender": []}}}},
            "config: datasets.mine.filter.gender is []; list should have at least 1 item after validation, not 0",
        ),
        ({"data_dir": {"crema_d": 3}}, "config: data_dir.crema_d is 3; input should be a valid string"),
    ],
)
def test_a_mistake_is_one_line_with_key_value_and_hint(raw, line):
    assert said(raw) == line


def test_several_mistakes_are_a_line_each():
    lines = said({"splits": {"fold": 5}, "project_dir": "", "datasets": {"x": {"classes": "al"}}}).splitlines()
    assert len(lines) == 3
    assert all(line.startswith("config: ") for line in lines)


def test_entries_without_a_value_are_defaults_and_false_is_none():
    config = load({"recipes": {"short": None, "linear": False}, "splits": None})
    assert set(config.recipes) == {"short"}
    assert config.splits.text_folds == 4


def test_generated_files_are_up_to_date():
    for path, text in generated().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is stale; run `make docs`"


def test_the_schema_accepts_what_the_models_accept():
    check = jsonschema.Draft202012Validator(schema())
    check.validate(SHIPPED | {"store_dir": None})
    check.validate({"recipes": {"short": None, "linear": False}})
    assert list(check.iter_errors({"recipe": {}}))
    assert list(check.iter_errors({"recipes": {"linear": {"learning_rat": 1}}}))
    assert list(check.iter_errors({"recipes": {"linear": {"seeds": [0, 0]}}}))
    assert list(check.iter_errors({"datasets": {"mine": {"classes": []}}}))
    assert json.loads(json.dumps(schema()))


def test_the_config_is_light_to_import():
    """The Snakefile is parsed anew for every job on a cluster."""
    heavy = (
        "import candor.plan.datasets, candor.plan.targets, candor.plan.fingerprint, candor.tables.performance, sys; "
    )
    heavy += "print([m for m in ('numpy', 'pandas', 'torch', 'matplotlib', 'soundfile') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_filters_of_the_config_are_those_of_the_library():
    assert get_args(FilterColumn) == FILTER_COLUMNS


def test_columns_of_a_table_in_the_config_are_those_of_its_reader():
    assert get_args(ManifestColumn) == table.COLUMNS


def test_schemes_of_the_config_are_those_of_the_cards():
    assert get_args(Splits.model_fields["scheme"].annotation) == ("auto", *get_args(Scheme))


def test_the_shipped_recipe_may_be_laid_over_to_tune_the_backbone():
    for mode in ("last_layer", "full", "lora"):
        cnn = {**SHIPPED["recipes"]["cnn"], "mode": mode}
        assert load({**SHIPPED, "recipes": {"cnn": cnn}}).recipes["cnn"].mode == mode
