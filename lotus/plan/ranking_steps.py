"""Steps that tell what a forget set is chosen by: the loss of each training image, its perceptual hash."""

import json
from collections.abc import Iterator

from lotus import layout, models
from lotus.config.images import Dataset
from lotus.data.forget_rules import HASHES, LOSSES
from lotus.plan.contents import Contents
from lotus.plan.data_steps import forget_sets
from lotus.plan.step import Step, expected, texts, with_record
from lotus.runs.folds import FOLDS, RANKING_SEED


def rank_images(contents: Contents) -> Iterator[Step]:
    """Losses of training images under models that were not trained on them.

    One step for each data set and architecture, whatever the seeds: so all forget the same images.
    """
    plan = contents.plan
    for (dataset, ranked_by), by_default in _needed(contents, LOSSES).items():
        outputs = with_record({LOSSES: layout.losses_file(dataset, ranked_by)})
        architecture = {**plan.architecture(dataset, ranked_by), "checkpoint": None}
        use = plan.use_of(dataset, ranked_by)
        settings = {
            "architecture": architecture,
            "images": Dataset(**use).model_dump(),
            "folds": FOLDS,
            "seed": RANKING_SEED,
        }
        yield Step(
            "rank_images",
            {"dataset": dataset, "architecture": ranked_by},
            inputs=texts({"store": layout.store_record(dataset)}),
            outputs=outputs,
            told={
                "store": str(layout.STORES / dataset),
                "architecture": json.dumps(architecture),
                "images": json.dumps(use),
                "labels": json.dumps({"architecture": ranked_by}),
            },
            modules=(
                "lotus.runs.ranking",
                *models.modules_of(plan.settings.architectures[ranked_by]),
            ),
            records=expected(outputs, [str(layout.store_files(dataset)["source"])], settings),
            by_default=by_default,
        )


def hash_images(contents: Contents) -> Iterator[Step]:
    """Perceptual hashes of training images, for each data set of which look-alikes are forgotten."""
    for (dataset, _), by_default in _needed(contents, HASHES).items():
        outputs = with_record({HASHES: layout.hashes_file(dataset)})
        yield Step(
            "hash_images",
            {"dataset": dataset},
            inputs=texts({"store": layout.store_record(dataset)}),
            outputs=outputs,
            told={"store": str(layout.STORES / dataset)},
            modules=("lotus.data.image_hashes",),
            records=expected(outputs, [str(layout.store_files(dataset)["source"])], {}),
            by_default=by_default,
        )


def _needed(contents: Contents, what: str) -> dict[tuple[str, str], bool]:
    """Data set and the architecture that ranks ('' for hashes), and whether they are made by default."""
    plan = contents.plan
    found: dict[tuple[str, str], bool] = {}
    for (dataset, _, name), by_default in forget_sets(contents).items():
        if plan.settings.scenarios[name].reads == what:
            key = dataset, str(plan.scenario(name).get("ranked_by", ""))
            found[key] = found.get(key, False) or by_default
    return found
