"""The overview shows what the tables hold, whatever a corpus is like, and nothing of it leaves the page."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle, StepPatch
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from candor.corpora.counts import compare, tally
from candor.corpora.emotions import EMOTIONS
from candor.corpora.figures import FEW, overview_figure
from candor.corpora.reader import Clip, Published
from candor.corpora.reasons import REASONS, reasons_of
from candor.figures import save_figure
from candor.tables.corpora import Counts, Rejected, Utterances


def corpus(clips: int = 600, speakers: int = 12, seed: int = 0, **columns) -> pd.DataFrame:
    """Return a manifest; `columns` override what it has in each row."""
    rng = np.random.default_rng(seed)
    person = rng.integers(0, speakers, clips)
    frame = pd.DataFrame(
        {
            "utterance": [f"u{number:06d}" for number in range(clips)],
            "path": [f"wav/u{number:06d}.wav" for number in range(clips)],
            "speaker": [f"toy_{number:04d}" for number in person],
            "gender": np.where(person % 2, "female", "male"),
            "label": rng.choice(["neutral", "anger", "sadness"], clips, p=[0.7, 0.25, 0.05]),
            "duration": rng.uniform(2, 6, clips),
        }
    )
    for column in (column.name for column in Utterances.columns if column.name not in frame):
        frame[column] = ""
    return frame.assign(**columns)


def left_out(*reasons: tuple[str, str, int]) -> pd.DataFrame:
    rows = [
        {"path": f"wav/{kind}{number}.wav", "utterance": "", "kind": kind, "reason": reason}
        for kind, reason, count in reasons
        for number in range(count)
    ]
    return pd.DataFrame(rows, columns=["path", "utterance", "kind", "reason"])


def counts_of(utterances: pd.DataFrame, rejected: pd.DataFrame, published: Published | None = None) -> pd.DataFrame:
    rows = utterances.to_dict("records")
    clips = [
        Clip(row["utterance"], row["path"], row["speaker"], split=row["split"], label=row["label"]) for row in rows
    ]
    found = compare(clips, {clip.path for clip in clips}, published, "default", None)
    return pd.DataFrame(found.rows + tally(rows, rejected.to_dict("records")))


def draw(
    utterances: pd.DataFrame,
    rejected: pd.DataFrame | None = None,
    published: Published | None = None,
    dataset: str = "toy",
) -> Figure:
    rejected = left_out() if rejected is None else rejected
    return overview_figure(dataset, utterances, rejected, counts_of(utterances, rejected, published))


def words(figure: Figure) -> list[str]:
    return [artist.get_text() for artist in figure.findobj(Text) if artist.get_text()]


def boxes(figure: Figure) -> dict[str, Bbox]:
    """Draw a figure; return where the notes beside its rows are, by place and text."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    notes = [note for note in figure.findobj(Annotation) if note.get_text()]
    return {f"{place}: {note.get_text()}": note.get_window_extent() for place, note in enumerate(notes)}


def inked_edges(figure: Figure) -> bool:
    """Tell whether anything touches the edge of the page, where it would be cut off."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    return bool(min(pixels[0].min(), pixels[-1].min(), pixels[:, 0].min(), pixels[:, -1].min()) < 255)


def test_the_page_says_clips_hours_speakers_and_the_verdict():
    clips = corpus(1200, duration=4.5)
    assert "toy: 1,200 clips, 1.5 hours, 12 speakers" in words(draw(clips))
    whole = Published(1200, 12)
    for published, said in (
        (whole, "1,200 files of 12 speakers, as published"),
        (Published(9000, 12), "partial: 1,200 of 9,000 published files, 12 of 12 speakers"),
        (Published(1201, 12), "DIFFERS from what its authors publish: files: got 1,200, published 1,201"),
        (None, "1,200 files of 12 speakers; there are no published counts to compare with"),
    ):
        assert f"Before anything is left out: {said}" in " ".join(words(draw(clips, published=published))).replace(
            "\n", " "
        )


def test_classes_are_shown_with_their_numbers_by_gender_and_their_durations():
    clips = corpus()
    figure = draw(clips)
    said = words(figure)
    bars = [patch for patch in figure.findobj(Rectangle) if patch.get_height() == pytest.approx(0.7)]
    assert sum(bar.get_width() for bar in bars) == 600
    for label, own in clips.groupby("label"):
        assert label in said
        assert f"{100 * len(own) / 600:.1f} %" in said
        assert f"{own['duration'].median():.1f} s" in said
        for _, count in own.groupby("gender").size().items():
            assert f"{count:,}" in said
            assert any(bar.get_width() == count for bar in bars)
    assert "not known" not in said
    assert "not known" in words(draw(clips.assign(gender="")))


def test_every_speaker_is_a_bar_and_few_are_named():
    figure = draw(corpus(300, speakers=2))
    assert {"0000", "0001", "1 female", "1 male"} <= set(words(figure))
    many = corpus(20_000, speakers=2000)
    many.loc[:499, ["speaker", "gender"]] = ""
    figure = draw(many)
    steps = figure.findobj(StepPatch)
    heights = np.concatenate([step.get_data().values for step in steps])
    assert heights.sum() == 19_500
    assert len(heights) == many["speaker"].nunique() - 1
    assert "and 500 clips of speakers not known" in words(figure)
    for step in steps:
        assert np.all(np.diff(step.get_data().values) <= 0)


def test_the_official_partition_is_shown_where_there_is_one():
    clips = corpus()
    assert "Partition" not in words(draw(clips))
    clips["split"] = ["train", "train", "dev", "test1", ""] * 120
    said = words(draw(clips))
    assert {"Partition", "train", "dev", "test1", "not known", "240"} <= set(said)
    # Parts can be known where speakers are not.
    assert "Partition" in words(draw(clips.assign(speaker="", gender="")))


def test_clips_without_a_label_are_a_row_of_their_own():
    clips = corpus()
    clips.loc[:99, "label"] = ""
    said = words(draw(clips))
    assert {"neutral", "no label", "100"} <= set(said)
    assert {"no label", "600"} <= set(words(draw(clips.assign(label=""))))


def test_what_is_left_out_is_shown_by_kind_and_reason():
    assert "Left out: nothing" in words(draw(corpus()))
    rejected = left_out(
        ("label", "tie A:D", 40),
        ("label", "tie A:N", 10),
        ("filter", "class not kept: fear", 30),
        ("audio", "silent", 1),
    )
    said = words(draw(corpus(), rejected))
    assert "Left out: 81 beside 600 clips: audio 1, filter 30, label 50" in said
    for row in ("label: tie", "filter: class not kept", "audio: silent"):
        assert row in said
    assert {"50", "30", "1", "A:D 40, A:N 10", "fear 30", "wav/audio0.wav"} <= set(said)


def test_reasons_that_are_too_many_are_one_row_and_none_is_lost():
    rejected = left_out(*[("audio", f"reason {chr(97 + number)}", number + 1) for number in range(20)])
    reasons = reasons_of(rejected)
    assert len(reasons) == REASONS
    assert sum(reason.count for reason in reasons) == len(rejected) == 210
    assert reasons[-1].words == "13 other reasons"
    assert [reason.count for reason in reasons[:-1]] == [20, 19, 18, 17, 16, 15, 14]


LONG_NAME = "a_dataset_whose_name_is_as_long_as_names_become_when_people_put_everything_into_them"
NASTY = left_out(
    ("label", "unknown label " + "y" * 80 + ": 1", 9000),
    ("label", "unknown label " + "y" * 80 + ": 2", 9000),
    ("label", "unknown: " + "a label of many words " * 5, 9000),
    ("audio", r"bro$\frac{$ <b>", 3),
    ("filter", "filtered by speaker: a very long name of a speaker that goes on and on and on", 50),
)


@pytest.mark.parametrize(
    ("utterances", "rejected", "published", "dataset"),
    [
        (corpus(1, speakers=1), left_out(), Published(1, 1), "one"),
        (corpus(FEW - 1, speakers=2), left_out(), None, "few"),
        (corpus(speaker="", gender="", label=""), left_out(), None, "nothing_known"),
        (corpus(duration=3.0), left_out(), None, "equally_long"),
        (corpus(5000, speakers=1500, duration=np.geomspace(0.1, 60, 5000)), NASTY, None, "wide"),
        (
            corpus(
                1300,
                label=list(EMOTIONS) * 100,
                speaker=[rf"x_$\frac{{{number % 24}$ a name" for number in range(1300)],
                split=["$tr$ain_of_some_kind", "dev"] * 650,
                gender=["female", "male", "", ""] * 325,
            ),
            NASTY,
            Published(3000, 40, {"default": dict.fromkeys(EMOTIONS, 7)}, splits={"train": 3, "dev": 4}),
            LONG_NAME,
        ),
    ],
    ids=["one clip", "few", "nothing known", "equally long", "wide", "nasty"],
)
def test_nothing_leaves_the_page(utterances, rejected, published, dataset):
    figure = draw(utterances, rejected, published, dataset)
    page = figure.bbox
    assert [
        note for note, box in boxes(figure).items() if not page.contains(*box.min) or not page.contains(*box.max)
    ] == []
    assert not inked_edges(figure)


def test_columns_of_numbers_do_not_run_into_one_another():
    figure = draw(corpus(36_000, speakers=9, gender=["female", "male", ""] * 12_000))
    placed = list(boxes(figure).values())
    for place, box in enumerate(placed):
        assert not any(box.overlaps(other) for other in placed[place + 1 :])


def test_the_same_tables_give_the_same_bytes(tmp_path):
    clips, rejected = (
        corpus(split="train", rate=16000, channels=1, audio="x"),
        left_out(("audio", "silent", 3), ("label", "tie A:D", 3)),
    )
    Utterances.write(clips, tmp_path / "utterances.tsv")
    Rejected.write(rejected, tmp_path / "rejected.tsv")
    Counts.write(counts_of(clips, rejected, Published(600, 12)), tmp_path / "counts.tsv")
    for name in ("one", "other"):
        tables = [table.read(tmp_path / f"{table.name}.tsv") for table in (Utterances, Rejected, Counts)]
        save_figure(overview_figure("toy", *tables), tmp_path / f"{name}.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()
