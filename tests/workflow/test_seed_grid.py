"""trust-ser's whole grid, its seven backbones on its six corpora, planned down to the audits."""

import pytest
import yaml

from paths import ROOT

pytestmark = pytest.mark.workflow

BACKBONES = ("apc", "tera", "wav2vec2_0", "wavlm", "whisper_tiny", "whisper_base", "whisper_small")
FILES = {
    "crema_d": "AudioWAV/1001_DFA_ANG_XX.wav",
    "iemocap": "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt",
    "meld": "train_sent_emo.csv",
    "msp_improv": "Evalution.txt",
    "msp_podcast": "Labels/labels_consensus.csv",
    "ravdess": "Actor_01/03-01-05-01-02-01-01.wav",
}
FOLDS = {"crema_d": 5, "iemocap": 5, "meld": 1, "msp_improv": 6, "msp_podcast": 1, "ravdess": 5}
MAY_BE_PASSED_ON = ("crema_d",)
SYSTEMS = len(FILES) * len(BACKBONES)


def test_the_shipped_config_with_the_seven_backbones_plans_every_audit_of_the_six_corpora(fresh, tmp_path):
    for corpus, file in FILES.items():
        path = tmp_path / corpus / file
        path.parent.mkdir(parents=True)
        path.touch()
    fresh.config = yaml.safe_load((ROOT / "config" / "config.yml").read_text())
    changes = {
        "data_dir": {"demo": None, "demo_unlabelled": None, **{name: str(tmp_path / name) for name in FILES}},
        "backbones": {"fbank": False, "apc_demo": False, **dict.fromkeys(BACKBONES)},
        "project_dir": str(tmp_path / "out"),
    }
    tables = ["performance_table", "comparison"]
    tables += [f"{stage}_table" for stage in ("fairness", "attack", "privacy", "robustness", "cost")]
    tables += ["cost_timing_table"]
    audits = ["performance", "fairness", "attack", "attack_summary", "privacy_layers", "privacy", "privacy_summary"]
    audits += ["robustness", "robustness_summary", "cost", "cost_timing"]
    assert fresh.jobs("results/trust", **changes) == {
        **dict.fromkeys(["manifest", "corpora_overview", "audio", "trust", *tables], len(FILES)),
        "trust_overview": 1,
        **{"splits_1": 2, "splits_5": 3, "splits_6": 1, "weights": len(BACKBONES)},
        **dict.fromkeys(["features", "frames", "model_figures", *audits], SYSTEMS),
        "train_cnn": sum(FOLDS.values()) * len(BACKBONES),
        "attack_examples": len(MAY_BE_PASSED_ON) * len(BACKBONES),
        "attack_examples_at_home": SYSTEMS - len(MAY_BE_PASSED_ON) * len(BACKBONES),
    }
