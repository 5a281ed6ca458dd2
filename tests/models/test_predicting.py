"""`candor predict` says of a recording what the training job said of it, wherever the models and their backbone lie."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile

from backbones.tiny_s3prl import write_tiny as write_s3prl
from backbones.tiny_transformers import write_tiny as write_transformers
from candor.audio.conversion import convert, samples_in
from candor.backbones.families import fbank
from candor.backbones.weights import WeightsError, keep_checkpoint, row_of
from candor.cli import main
from candor.config.loading import load
from candor.features.job import Job, extract, load_backbone
from candor.models.ensemble import Ensemble
from candor.models.job import FoldJob
from candor.models.listening import Listener
from candor.models.loading import ModelError
from candor.models.predicting import PredictionError, find_recordings, label
from candor.models.prepare_audio import from_audio
from candor.models.prepare_frames import from_frames
from candor.models.prepare_pooled import from_pooled
from candor.models.recipe import Recipe
from candor.store.objects import Store
from candor.tables.backbones import Weights
from candor.tables.features import FeatureIndex, FrameIndex
from candor.tables.models import CHECKPOINT, Predictions, RatingPredictions
from candor.tables.predicted import FilePredictions, FileRatings

CLIPS = 24
SEEDS = [0, 3]
KINDS = {"apc": "apc", "wav2vec2_0": "wav2vec2_base", "wavlm": "wavlm"}
TEST = [f"u{number:02}" for number in range(16, 24)]

# Backbone, recipe: together they have every kind of network, mode, normalisation and place of weights.
RUNS = {
    "pooled": ("fbank", {"downstream_model": "linear"}),
    "pooled_mean": ("apc", {"downstream_model": "linear", "pooling": "mean"}),
    "pooled_speaker": ("fbank", {"downstream_model": "linear", "norm": "znorm", "norm_scope": "speaker"}),
    "cut": ("fbank", {"downstream_model": "cnn", "audio_duration": 0.55, "norm": "znorm"}),
    "whole": ("wavlm", {"downstream_model": "gru", "audio_duration": None}),
    "frames_minmax": ("wav2vec2_0", {"downstream_model": "transformer", "norm": "minmax"}),
    "frames_speaker": ("apc", {"downstream_model": "cnn", "norm": "minmax", "norm_scope": "speaker"}),
    "lora": ("wav2vec2_0", {"downstream_model": "linear", "mode": "lora", "lora_rank": 2}),
    "last_layer": ("apc", {"downstream_model": "cnn", "mode": "last_layer"}),
    "full": ("wavlm", {"downstream_model": "linear", "mode": "full", "backbone_learning_rate": 0.001}),
}
SMALL = {"num_epochs": 3, "batch_size": 8, "seeds": SEEDS}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory) -> Path:
    """Recordings as a user has them: stereo, at a rate of their own, of different lengths."""
    folder = tmp_path_factory.mktemp("recordings")
    generator = np.random.default_rng(0)
    for number in range(CLIPS):
        axis = np.arange(11000 + 300 * number) / 22050
        pitch, pulse = (140, 3) if number % 2 else (420, 12)
        tone = sum(np.sin(2 * np.pi * pitch * part * axis) / part for part in range(1, 6))
        clip = 0.1 * tone * (0.5 + 0.5 * np.sin(2 * np.pi * (pulse * axis + generator.uniform())))
        stereo = clip[:, None] + 0.01 * generator.standard_normal((len(axis), 2))
        soundfile.write(folder / f"u{number:02}.wav", stereo, 22050, subtype="PCM_16")
    return folder


@pytest.fixture(scope="module")
def lab(tmp_path_factory, recordings) -> "Lab":
    return Lab(tmp_path_factory.mktemp("lab"), recordings)


class Lab:
    """A project in which models are trained when a test asks for them, by the code that the rules call."""

    def __init__(self, root: Path, recordings: Path) -> None:
        self.project, self.recordings, self.store = root / "results", recordings, Store(root / "store")
        rows = []
        for file in sorted(recordings.iterdir()):
            wav = convert(file)
            rows.append({"utterance": file.stem, "member": self.store.put(wav, ".wav"), "samples": samples_in(wav)})
        self.audio = pd.DataFrame(rows)
        numbers = range(CLIPS)
        self.fold = pd.DataFrame(
            {
                "utterance": [f"u{number:02}" for number in numbers],
                "speaker": [f"s{number // 4}" for number in numbers],
                "gender": "female",
                "session": "",
                "label": ["sadness" if number % 2 else "anger" for number in numbers],
                "value": [(2.0, 4.5)[number % 2] + number / 50 for number in numbers],
                "part": ["train"] * 12 + ["dev"] * 4 + ["test"] * 8,
            }
        )

    def model(self, run: str, pred: str = "emotion", fold: int = 1) -> Path:
        """Return the folder of a fold's models, after they were trained."""
        backbone, options = RUNS[run]
        folder = self.project / "models" / f"lab_{pred}" / backbone / run / f"fold{fold}"
        if not folder.exists():
            self._train(folder, backbone, {**SMALL, **options}, pred)
        return folder

    def said(self, folder: Path) -> pd.DataFrame:
        """Return what the job that trained the models said about the test utterances, on average over seeds."""
        table = Predictions if "lab_emotion" in folder.parts else RatingPredictions
        rows = table.read(folder / "predictions.tsv")
        return rows.groupby("utterance").mean(numeric_only=True).drop(columns=["fold", "seed"])

    def files(self, names=TEST) -> list[Path]:
        return [self.recordings / f"{name}.wav" for name in names]

    def _train(self, folder: Path, backbone: str, options, pred: str) -> None:
        (entry,) = load({"recipes": {folder.parent.name: options}}).recipes.values()
        recipe, source = Recipe.of(entry.options()), self._job(backbone, entry.audio_duration)
        if entry.mode != "frozen":
            made, way = load_backbone(source)
            prepared = from_audio(self.fold, self.audio, made, recipe, source, way)
        else:
            prepared = self._frozen(folder, source, recipe, frames=entry.reads_frames)
        run = {"dataset": f"lab_{pred}", "backbone": backbone, "recipe": folder.parent.name, "fold": folder.name[4:]}
        job = FoldJob(run, pred, entry.options(), source.identified(), {}, folder / "unfinished")
        outputs = {name: folder / f"{name}.tsv" for name in ("predictions", "history", "layers", "timing")}
        heads = [self.project / CHECKPOINT.format(**run, seed=seed) for seed in SEEDS]
        job.train_and_write(self.fold, prepared, SimpleNamespace(**outputs, recipe=folder / "recipe.json", heads=heads))

    def _frozen(self, folder: Path, source: Job, recipe: Recipe, *, frames: bool):
        extraction, _ = extract(source, self.audio, frames=frames)
        FeatureIndex.write(extraction.pooled_rows(), folder / "pooled_index.tsv")
        pooled = FeatureIndex.read(folder / "pooled_index.tsv")
        if not frames:
            return from_pooled(self.fold, pooled, self.store, recipe)
        FrameIndex.write(extraction.frame_rows(), folder / "frame_index.tsv")
        return from_frames(self.fold, FrameIndex.read(folder / "frame_index.tsv"), pooled, self.store, recipe)

    def _job(self, name: str, seconds: float | None) -> Job:
        entry = load({"backbones": {name: None}}).backbones[name]
        table = self._weights(name) if name in KINDS else None
        return Job(name, entry.family, entry.options(), table, seconds, "float32", 60, "cpu", self.store)

    def _weights(self, name: str) -> Path:
        table = self.project / "backbones" / name / "weights.tsv"
        if not table.exists():
            folder = table.parent / Weights.FOLDER
            if name == "apc":
                made = write_s3prl("apc", self.project.parent / "made")
                rows = [keep_checkpoint(made.read_bytes(), folder, str(made))]
            else:
                write_transformers(KINDS[name], folder)
                rows = [row_of(file, str(file)) for file in sorted(folder.iterdir())]
            Weights.write(rows, table)
        return table


@pytest.fixture
def moved(lab, tmp_path):
    """Copies models away from their project, and their backbone's files to another place."""

    def move(run: str) -> tuple[Path, Path]:
        shutil.copytree(lab.model(run), tmp_path / "sent" / "by" / "mail")
        shutil.copytree(lab.project / "backbones" / RUNS[run][0], tmp_path / "backbone")
        return tmp_path / "sent", tmp_path / "backbone"

    return move


def labels(files, models, **options) -> pd.DataFrame:
    labelled = label(files, Ensemble.of([Path(model) for model in models]), **options)
    assert labelled.refused == {}
    rows = pd.DataFrame(labelled.rows)
    return rows.set_index(rows["file"].map(lambda file: Path(file).stem))


def candor(capsys, *arguments) -> tuple[int | str | None, str, str]:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return end.value.code, said.out, said.err


@pytest.mark.parametrize("run", RUNS)
def test_it_says_what_the_training_job_said(lab, run):
    folder = lab.model(run)
    expected = lab.said(folder)
    assert len(expected) == len(TEST)
    assert expected["p_anger"].std() > 1e-4  # else anything would do
    speakers = [TEST[:4], TEST[4:]] if run.endswith("speaker") else [TEST]
    got = pd.concat([labels(lab.files(names), [folder]) for names in speakers])
    for column in ("p_anger", "p_sadness"):
        assert got[column].to_numpy() == pytest.approx(expected.loc[got.index, column].to_numpy(), abs=1e-5)
    assert got["predicted"].tolist() == np.where(got["p_anger"] > 0.5, "anger", "sadness").tolist()
    assert set(got["models"]) == {2}


def test_ratings_are_on_the_scale_of_the_corpus(lab, tmp_path, capsys):
    folder = lab.model("cut", "arousal")
    expected = lab.said(folder)["predicted"]
    got = labels(lab.files(), [folder])
    assert got["predicted"].to_numpy() == pytest.approx(expected.loc[got.index].to_numpy(), abs=1e-4)
    one, other = (labels(lab.files(), [folder / f"seed{seed}.safetensors"])["predicted"] for seed in SEEDS)
    assert got["sd"].to_numpy() == pytest.approx(np.std([one, other], axis=0, ddof=1))
    code, out, _ = candor(capsys, "predict", *lab.files(), "--model", folder, "--output", tmp_path / "said.tsv")
    assert code == 0
    assert out.split("\n")[0].split() == ["file", "arousal", "sd", "of", "models"]
    assert FileRatings.read(tmp_path / "said.tsv")["predicted"].tolist() == got["predicted"].tolist()


def test_models_of_folds_and_recipes_are_averaged(lab):
    folders = [lab.model("pooled"), lab.model("pooled", fold=2), lab.model("cut")]
    each = [labels(lab.files(), [folder])["p_anger"] for folder in folders]
    together = labels(lab.files(), folders)
    assert together["p_anger"].to_numpy() == pytest.approx(np.mean(each, axis=0))
    assert set(together["models"]) == {6}
    both = labels(lab.files(), [folders[0].parent, folders[0]])  # the folder of a recipe; no model counts twice
    assert set(both["models"]) == {4}
    single = [
        (labels(lab.files(), [file])["p_anger"] > 0.5).to_numpy()
        for folder in folders
        for file in sorted(folder.glob("seed*"))
    ]
    agreeing = np.sum(np.array(single) == (together["p_anger"] > 0.5).to_numpy(), axis=0)
    assert together["agreeing"].tolist() == agreeing.tolist()


@pytest.mark.parametrize("run", ["whole", "last_layer"])
def test_models_that_were_moved_need_the_files_of_their_backbone(lab, moved, run, tmp_path):
    models, weights = moved(run)
    expected = lab.said(lab.model(run))["p_anger"]
    with pytest.raises(WeightsError, match=r"missing; name the folder that holds it with --weights"):
        labels(lab.files(), [models])
    for folder in (weights, weights / Weights.FOLDER):
        got = labels(lab.files(), [models], weights=folder)
        assert got["p_anger"].to_numpy() == pytest.approx(expected.loc[got.index].to_numpy(), abs=1e-5)
    with pytest.raises(WeightsError, match="is missing; copy it there"):
        labels(lab.files(), [models], weights=tmp_path)


def test_other_files_beside_the_weights_change_nothing(lab, moved):
    models, weights = moved("last_layer")
    (weights / Weights.FOLDER / "another.ckpt").write_bytes(b"s3prl would not know which one to take")
    got = labels(lab.files(), [models], weights=weights)
    expected = lab.said(lab.model("last_layer"))["p_anger"]
    assert got["p_anger"].to_numpy() == pytest.approx(expected.loc[got.index].to_numpy(), abs=1e-5)


def test_other_weights_are_refused_with_both_digests(lab, moved, tmp_path):
    models, _ = moved("whole")
    foreign = write_transformers("wavlm", tmp_path / "foreign", seed=1)
    expected = Weights.read(lab.project / "backbones" / "wavlm" / "weights.tsv").set_index("file")["sha256"]
    found = row_of(foreign / "model.safetensors", "")["sha256"]
    with pytest.raises(WeightsError) as error:
        labels(lab.files(), [models], weights=foreign)
    for part in (str(foreign / "model.safetensors"), found, expected["model.safetensors"]):
        assert part in str(error.value)


def test_weights_for_a_backbone_that_has_none_are_refused(lab, tmp_path):
    with pytest.raises(WeightsError, match="fbank is not loaded from files; leave --weights out"):
        labels(lab.files(), [lab.model("pooled")], weights=tmp_path)


def test_models_that_cannot_be_averaged_are_refused(lab):
    with pytest.raises(ModelError, match="cannot be averaged: one predicts one of anger, sadness, the other arousal"):
        Ensemble.of([lab.model("pooled"), lab.model("cut", "arousal")])
    with pytest.raises(
        ModelError, match=r"reads the backbone fbank, the other apc, which differ in family \(fbank and"
    ):
        Ensemble.of([lab.model("pooled"), lab.model("last_layer")])
    with pytest.raises(ModelError, match=r"differ in weights \(\w+.json: \w+ and \w+\)"):
        Ensemble.of([lab.model("whole"), lab.model("lora")])


def test_what_is_no_model_is_refused(lab, tmp_path):
    (tmp_path / "seed0.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"seed0\.safetensors is no model of Candor's"):
        Ensemble.of([tmp_path])
    with pytest.raises(ModelError, match="holds no trained model"):
        Ensemble.of([lab.recordings])
    with pytest.raises(ModelError, match=r"absent\.safetensors is no model of Candor's"):
        Ensemble.of([tmp_path / "absent.safetensors"])


def test_another_version_of_the_features_is_refused(lab, monkeypatch):
    folder = lab.model("pooled")
    monkeypatch.setattr(fbank, "FEATURES_VERSION", 7)
    with pytest.raises(ModelError, match=r"hidden states of fbank in version 1, and this Candor makes version 7"):
        Ensemble.of([folder])


@pytest.mark.parametrize("run", ["lora", "full"])
def test_tensors_that_do_not_fit_the_backbone_are_refused(lab, run):
    ensemble = Ensemble.of([lab.model(run)])
    tuned = ensemble.models[1].tuned
    name, tensor = next(iter(tuned.items()))
    tuned[name] = tensor[:1]
    for wrong in ("of shape", "missing"):
        with pytest.raises(ModelError, match=f"{name} is {wrong}"):
            Listener(ensemble).backbone_of(ensemble.models[0])
        tuned.pop(name, None)


def test_models_in_half_precision_run_without_a_gpu_too(lab, tmp_path, caplog):
    from safetensors.torch import load_file, save_file

    file = lab.model("pooled") / "seed0.safetensors"
    ensemble = Ensemble.of([file])
    about = {**vars(ensemble.models[0].about), "source": {**ensemble.source, "precision": "bfloat16"}}
    save_file(load_file(file), tmp_path / "seed0.safetensors", {"candor": json.dumps(about)})
    got = labels(lab.files(), [tmp_path])
    assert got["p_anger"].tolist() == labels(lab.files(), [file])["p_anger"].tolist()
    assert "computed in float32 here" in caplog.text


def test_what_cannot_be_labelled_is_told_and_the_rest_still_comes(lab, tmp_path, capsys):
    bad = {name: tmp_path / f"{name}.wav" for name in ("text", "short", "silent", "cut", "none")}
    bad["text"].write_text("no sound\n")
    soundfile.write(bad["short"], 0.1 * np.sin(np.arange(200)), 16000)
    soundfile.write(bad["silent"], np.zeros(8000), 16000)
    whole = lab.files()[0].read_bytes()
    bad["cut"].write_bytes(whole[: len(whole) // 2])
    table = tmp_path / "said.tsv"
    code, out, err = candor(
        capsys, "predict", *bad.values(), *lab.files(), "--model", lab.model("cut"), "--output", table
    )
    assert code == 1
    reasons = {
        "text": "not audio",
        "short": "too short for a single frame: 0.013 s",
        "silent": "silent",
        "cut": "truncated",
        "none": "missing file",
    }
    for name, reason in reasons.items():
        assert f"candor: {bad[name]}: {reason}" in err
        assert str(bad[name]) not in out
    assert [line.split()[0] for line in out.splitlines()[1:9]] == [str(file) for file in lab.files()]
    assert FilePredictions.read(table)["file"].tolist() == [str(file) for file in lab.files()]
    code, out, _ = candor(capsys, "predict", bad["text"], "--model", lab.model("cut"), "--output", tmp_path / "no.tsv")
    assert (code, out, (tmp_path / "no.tsv").exists()) == (1, "", False)


def test_the_table_says_what_the_terminal_says(lab, tmp_path, capsys):
    code, out, _ = candor(
        capsys, "predict", lab.recordings, "--model", lab.model("cut"), "--output", tmp_path / "said.tsv"
    )
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["file", "emotion", "probability", "models", "agreeing", "anger", "sadness"]
    rows = FilePredictions.read(tmp_path / "said.tsv")
    assert rows["file"].tolist() == [str(lab.recordings / f"u{number:02}.wav") for number in range(CLIPS)]
    assert rows["heard"].max() == 0.55
    for row, line in zip(rows.to_dict("records"), lines[1:], strict=False):
        own = f"{row['p_' + row['predicted']]:.2f}"
        shares = [f"{row['p_anger']:.2f}", f"{row['p_sadness']:.2f}"]
        assert line == [row["file"], row["predicted"], own, str(row["agreeing"]), "of", "2", *shares]
    assert rows[["p_anger", "p_sadness"]].sum(axis=1).to_numpy() == pytest.approx(1)
    cut = (rows["heard"] == 0.55).sum()
    assert f"Only the first 0.55 s were used of {cut} of {CLIPS} recordings." in out
    assert "From 2 models (recipe cut on fbank), trained on lab_emotion." in out
    assert "`candor show performance/lab_emotion`" in out


def test_it_says_that_all_recordings_were_taken_to_be_of_one_speaker(lab, capsys):
    _, out, _ = candor(capsys, "predict", *lab.files(), "--model", lab.model("pooled_speaker"))
    assert "8 recordings were taken to be all that there is of one speaker" in out
    _, out, _ = candor(capsys, "predict", lab.files()[0], "--model", lab.model("pooled_speaker"))
    assert "give several recordings of the same one" in out


def test_a_folder_is_searched_for_recordings(lab, tmp_path):
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(PredictionError, match=r"holds no recording; \.wav, \.flac"):
        find_recordings([tmp_path])
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "A.WAV").write_bytes(lab.files()[0].read_bytes())
    odd = tmp_path / "notes.txt"
    assert find_recordings([tmp_path, odd, tmp_path / "deep"]) == [tmp_path / "deep" / "A.WAV", odd]


def test_slips_are_one_line(lab, capsys, monkeypatch):
    import torch

    model = lab.model("pooled")
    code, *_ = candor(capsys, "predict", *lab.files(), "--model", model, "--output", "said.csv")
    assert code.startswith("candor: --output said.csv: a tab-separated table is written")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    code, *_ = candor(capsys, "predict", *lab.files(), "--model", model, "--device", "cuda")
    assert code == "candor: --device is 'cuda', but torch sees no GPU here; leave it out"
