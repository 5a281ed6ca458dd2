"""The folds of trust-ser on CREMA-D's real label files: the figures that its own code gives."""

from collections import Counter

from candor.corpora import registry
from candor.splits.tabulate import fold_rows
from splits.manifests import manifest, part, split

FOUR = ("neutral", "anger", "sadness", "happiness")

# Per fold: speakers (male, female) and clips of neutral, anger, sadness, happiness in train, dev and test.
PUBLISHED = [
    [(31, 26, 1245, 622, 370, 744), (9, 6, 319, 164, 95, 214), (8, 11, 408, 233, 123, 261)],
    [None, (9, 6, 319, 164, 95, 214), (10, 8, 395, 184, 142, 224)],
    [None, (9, 6, 319, 164, 95, 214), (10, 8, 406, 205, 78, 241)],
    [None, (9, 6, 319, 164, 95, 214), (11, 7, 394, 198, 112, 239)],
    [None, (10, 5, 327, 168, 86, 199), (9, 9, 369, 199, 133, 254)],
]
TRAIN = [
    (1245, 622, 370, 744),
    (1258, 671, 351, 781),
    (1247, 650, 415, 764),
    (1259, 657, 381, 766),
    (1276, 652, 369, 766),
]


def test_crema_d_has_the_folds_of_the_seed(corpora):
    root = corpora / "crema_d"
    reading = registry.load("crema_d").read(root, "multimodal", "trust-ser", {"dataset": "crema_d"})
    kept = [clip for clip in reading.clips if clip.label in FOUR and not clip.excluded]
    assert len(kept) == 4798
    utterances = manifest(
        {"utterance": c.utterance, "speaker": c.speaker, "gender": c.gender, "label": c.label} for c in kept
    )
    folds = split(utterances, "speakers", 5, parity="trust-ser")
    for fold, published, train in zip(folds, PUBLISHED, TRAIN, strict=True):
        rows = fold_rows(fold, utterances, "emotion")
        for name, figures in zip(("train", "dev", "test"), published, strict=True):
            own = rows[rows["part"] == name]
            labels = Counter(own["label"])
            counts = tuple(labels[emotion] for emotion in FOUR)
            genders = Counter(own.drop_duplicates("speaker")["gender"])
            if figures is None:
                assert counts == train
            else:
                assert (genders["male"], genders["female"], *counts) == figures
    assert sum(len(part(fold, utterances, "test", "utterance")) for fold in folds) == 4798
