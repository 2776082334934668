"""Numbers of the tables, computed anew from prediction files alone, by other means than the package's."""

import numpy as np
from scipy.spatial.distance import jensenshannon
from scipy.special import softmax
from scipy.stats import entropy
from sklearn.linear_model import LogisticRegression

SPLITS = ("forget", "retain", "val", "test")


class Run:
    """One model's predictions: probabilities, labels and entropies by split."""

    def __init__(self, path, images_of=None):
        with np.load(path) as file:
            stored = {name: file[name] for name in file.files}
        if "train.logits" in stored:
            stored |= self.parts_of_train(stored, images_of)
        self.p = {s: softmax(stored[f"{s}.logits"].astype(float), axis=1) for s in SPLITS}
        self.labels = {s: stored[f"{s}.labels"] for s in SPLITS}
        self.h = {s: entropy(self.p[s], axis=1) for s in SPLITS}

    @staticmethod
    def parts_of_train(stored, images_of):
        """An original model was asked about all training images: those that a scenario names."""
        place = {index: number for number, index in enumerate(stored["train.indices"])}
        found = {}
        with np.load(images_of) as other:
            for split in ("forget", "retain"):
                rows = [place[index] for index in other[f"{split}.indices"]]
                for part in ("logits", "labels"):
                    found[f"{split}.{part}"] = stored[f"train.{part}"][rows]
        return found

    def accuracy(self, split):
        return float(np.mean(self.p[split].argmax(axis=1) == self.labels[split]))


def jsd(run, gold):
    """Mean textbook Jensen–Shannon divergence on the forget images, in nats."""
    pairs = zip(run.p["forget"], gold.p["forget"], strict=True)
    return float(np.mean([jensenshannon(a, b) ** 2 for a, b in pairs]))


def published_jsd(run, gold):
    """1e4 × the published quantity, to its 6 decimals per run."""
    a, b = (np.clip(of.p["forget"], 1e-8, 1) for of in (run, gold))
    a, b = a / a.sum(), b / b.sum()
    m = (a + b) / 2
    divergence = (entropy(m.ravel(), a.ravel()) + entropy(m.ravel(), b.ravel())) / 2
    return 1e4 * round(float(divergence / len(a)), 6)


def mia(run, seed):
    """The textbook attack: as many retain as validation images, by seed."""
    rng = np.random.default_rng(seed)
    count = min(len(run.h["retain"]), len(run.h["val"]))
    known, unseen = (rng.choice(run.h[s], count, replace=False) for s in ("retain", "val"))
    model = LogisticRegression(C=2.0).fit(
        np.concatenate([known, unseen])[:, None], [1] * count + [0] * count
    )
    return float(model.predict(run.h["forget"][:, None]).mean())


def published_mia(run):
    """The published attack: all retain against all test and validation images, weighted."""
    known, unseen = run.h["retain"], np.concatenate([run.h["test"], run.h["val"]])
    member = [1] * len(known) + [0] * len(unseen)
    model = LogisticRegression(C=2.0, class_weight="balanced", tol=1e-8, max_iter=1000)
    model.fit(np.concatenate([known, unseen])[:, None], member)
    return float(model.predict(run.h["forget"][:, None]).mean())


def terms(run, mia_of):
    return np.array([mia_of(run), *(run.accuracy(s) for s in ("forget", "retain", "test"))])


def avg_gap(runs, golds, seeds):
    """Textbook: mean over seeds of the mean distance of the four terms."""
    gaps = [
        np.abs(
            terms(run, lambda of, s=s: mia(of, s)) - terms(gold, lambda of, s=s: mia(of, s))
        ).mean()
        for run, gold, s in zip(runs, golds, seeds, strict=True)
    ]
    return float(np.mean(gaps))


def published_avg_gap(runs, golds):
    """Mean distance of the four terms, each rounded per run and again as a mean."""

    def means(of):
        rounded = [[round(float(x), 2) for x in terms(run, published_mia)] for run in of]
        return np.array([round(float(x), 2) for x in np.mean(rounded, axis=0)])

    return round(float(np.abs(means(runs) - means(golds)).mean()), 4)
