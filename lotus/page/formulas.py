"""Formulas of the numbers on the page: those of metrics from their specs, and those of everything else."""

from dataclasses import replace

from lotus.config.protocol import SWITCHES
from lotus.config.register import REGISTER
from lotus.metrics.base import MetricSpec
from lotus.page.ways import Formula
from lotus.results.conventions import Form

NONE_STATED = "No formula is stated beside the function of this metric."
SECONDS = Formula(
    "Time (s)",
    "Wall time of unlearning in seconds, with the method's own preparation; for original and gold of "
    "training.",
    "t = t_{prepare} + t_{unlearn}",
)
MINUTES = Formula(
    "Minutes (as released)",
    "The minutes that the published code would state.",
    notes=(f"Switch R1: {REGISTER['R1'].released}.",),
)
MINUTES_TAKEN = Formula(
    "Time (min)", f"{SECONDS.words.replace('in seconds', 'in minutes')}", SECONDS.symbols
)
JOB = Formula("Seconds", "Wall time of the job that made the model, asked it and wrote its record.")
RANK = Formula(
    "Rank of LoTUS",
    "One more than the number of methods whose printed value is lower; methods that print alike share "
    "the better place, and so do all that are not farther from gold than another gold is. Original, "
    "golds and methods without a number are not counted.",
)
FLOOR = (
    "For each seed it is the mean over other gold models of the same forget set, each of which stands "
    "where the model does: those that gold_seeds adds, and, where all seeds forget the same images, the "
    "golds of the other seeds. A gold of another seed chose its best epoch on its own validation half."
)
"""What the row of another gold is."""
PRINTED = "A number that the paper prints. No run of this project stands behind it, and no image."
CORRELATION = Formula(
    "Pearson r",
    "The correlation of JSD and RF-JSD over the rows' means, gold among them and the original not, as "
    "the published notebooks have it.",
    "r = cov(JSD, RF-JSD) / (σ_{JSD} · σ_{RF-JSD})",
)
MEAN_AG = Formula(
    "mean AG (nats)",
    "The mean arithmetic–geometric divergence of the rows: the published value (before × 10⁴) times the "
    "number N of forget images.",
    "AG = N · JSD_{released}",
)
IMAGES = Formula("Images", "The number of images in each part of the store.")
CLASSES = Formula("Classes", "The number of classes of the store.")
IN_PART = Formula("Images", "The number of images in this part of the scenario.")
DROPPED = Formula("Dropped", "The number of images of this part that cleaning would drop.")


def of_form(form: Form) -> Formula:
    """Returns the formula of a metric in the convention that a table states it in."""
    notes = [
        f"As released, {switch}: {form.spec.released.words[switch]}"
        for switch in switches_of(form.name)
        if switch in form.spec.released.words
    ]
    return Formula(form.title, form.spec.words or NONE_STATED, form.spec.symbols, tuple(notes))


def of_floor(formula: Formula) -> Formula:
    """Returns the formula of a metric of another gold, which stands in the place of the model."""
    return replace(formula, notes=(*formula.notes, FLOOR))


def switches_of(name: str) -> list[str]:
    """Returns the switches that the name of a metric in its convention lists."""
    parts = name.partition("_released_")[2].upper().split("_")
    return [part for part in parts if part in SWITCHES]


def of_change(spec: MetricSpec, switch: str) -> Formula:
    """Returns the formula of what a switch changes in a metric."""
    names = switch.split("+")
    what = [f"Switch {name}: {REGISTER[name].released}." for name in names]
    return Formula(
        f"Change of {spec.label} by {switch}",
        f"The mean, over the seeds that both have, of the value with the switch minus the value without "
        f"it, everything else corrected. {spec.label}: {spec.words or NONE_STATED}",
        f"Δ = mean_{{seeds}} ({spec.label}_{{{switch}}} − {spec.label}_{{corrected}})",
        tuple(what),
    )


def of_pairs(part: str) -> Formula:
    """Returns the formula of the number of images that look like one of a part."""
    return Formula(
        f"Pairs with {part}",
        f"The number of pairs of an image of this part and one of the part '{part}' with the same "
        f"perceptual hash.",
        "|{(a, b) : pHash(a) = pHash(b)}|",
    )


def of_gap(title: str, term: Form) -> Formula:
    """Returns the formula of one of the distances that Avg Gap is the mean of."""
    return Formula(
        title,
        f"The distance of {term.spec.label} to that of the gold model, between means over the seeds that "
        f"are rounded to 2 decimals. {term.spec.label}: {term.spec.words or NONE_STATED}",
        f"|Δ{term.spec.label}|, Δ = model − gold",
        of_form(term).notes,
    )
