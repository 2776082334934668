"""The words by which readers know rows, data sets, networks and scenarios."""

import re
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from unicodedata import category

from lotus.config.cells import Benchmark
from lotus.layout import GOLD, GOLD_AGAIN, ORIGINAL
from lotus.wording import counted

ROW_TITLES = {
    ORIGINAL: "Original (nothing done)",
    GOLD: "Gold (retrained)",
    GOLD_AGAIN: "Gold again (another retraining)",
    "lotus": "LoTUS",
    "finetune": "Finetuning",
    "neggrad-plus": "NegGrad+",
    "random-labeling": "Random Labeling",
    "bad-teacher": "Bad Teacher",
    "scrub": "SCRUB",
    "ssd": "SSD",
    "unsir": "UNSIR",
    "salun": "SalUn",
    "salun-lotus": "SalUn+LoTUS",
}
DATASET_TITLES = {
    "fashion-mini": "small Fashion-MNIST",
    "fashion-mnist": "Fashion-MNIST",
    "mnist": "MNIST",
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "tiny-imagenet": "Tiny-ImageNet",
    "mufac": "MUFAC",
    "mufac-clean": "cleaned MUFAC",
    "imagenet1k": "ImageNet-1k",
    "cifake": "CIFAKE",
}
ARCHITECTURE_TITLES = {"resnet18": "ResNet18", "vit": "ViT"}
SCENARIO_FORMS = {
    r"instance-(\d+(?:\.\d+)?)": "{} % forgotten",
    r"instance-(\d+(?:\.\d+)?)-random": "{} % forgotten, drawn at random",
    r"instance-(\d+(?:\.\d+)?)-(hardest|easiest)": "{} % forgotten, {} first",
    r"instance-(\d+(?:\.\d+)?)-duplicates": "{} % forgotten, look-alikes",
    r"class-(.+)": "class {} forgotten",
    "mufac-fixed": "its forget set",
    "listed": "listed images forgotten",
    r"(.+)-listed": "listed images of {} forgotten",
    r".*?(\d+)-per-class": "{} of each class forgotten",
    r".*?(\d+)-per-class-random": "{} of each class forgotten, drawn at random",
    r".*?(\d+)-per-class-(hardest|easiest)": "{} of each class forgotten, {} first",
}
ROW_FORMS = {
    r"gold-again-(\d+)": "Gold again, number {}",
    r"gold-of-(\d+)": "Gold of seed {}",
    r"lotus-alpha(\d+)": "LoTUS, α = {}",
    r"lotus-retain-(\d+)": "LoTUS, {} % of the retain set",
    "lotus-cifake": "LoTUS, CIFAKE",
}
UNWRITABLE = ("Cc", "Cs", "Cn", "Zl", "Zp")
"""Categories of Unicode of which XML, LaTeX or a line of text cannot hold all characters."""


def row_title(row: str) -> str:
    """A row's name in a table; a user's own row keeps the name of the configuration."""
    return ROW_TITLES.get(row) or _in_words(row, ROW_FORMS)


def titled(row: str, collapsed: int, n: int) -> str:
    """A row's name, and how many of its `n` models have collapsed, if any."""
    title = row_title(row)
    return f"{title} (collapsed in {collapsed} of {counted(n, 'seed')})" if collapsed else title


def benchmark_title(
    dataset: str = "",
    architecture: str = "",
    scenario: str = "",
    study: str = "",
    protocol: str = "",
) -> str:
    """A benchmark in words, as far as it is given."""
    return place_name(
        dataset_title(dataset), architecture, scenario_title(scenario), study, protocol
    )


def title_of_run(about: Mapping[str, object]) -> str:
    """The benchmark that a record is about, in words, as far as the record names it."""
    named = [field.name for field in fields(Benchmark)]
    return benchmark_title(**{key: str(about[key]) for key in named if about.get(key)})


def place_name(
    dataset: str, architecture: str, scenario: str, study: str = "", protocol: str = ""
) -> str:
    """A benchmark by the names of the configuration, as commands print it."""
    architecture = ARCHITECTURE_TITLES.get(architecture, architecture)
    named = f"study {study}" if study else ""
    return legible(", ".join(filter(None, (dataset, architecture, scenario, named, protocol))))


def dataset_title(name: str) -> str:
    """A data set in words; `-limitN` is what a smaller version's name ends in."""
    whole, limited, limit = name.partition("-limit")
    title = DATASET_TITLES.get(whole) or legible(whole)
    return f"{title} (first {limit} of each class)" if limited else title


@cache
def scenario_title(name: str) -> str:
    """Returns in words what is forgotten; a name of another form stands as it is."""
    return _in_words(name, SCENARIO_FORMS)


def legible(name: str) -> str:
    """A name as figures, tables and the page can hold it.

    What none of SVG, LaTeX and HTML can (control characters, line breaks, halves of characters) stands as
    its escape.
    """
    return "".join(_escape(c) if category(c) in UNWRITABLE else c for c in str(name))


def brief(name: str, most: int = 28) -> str:
    """A legible name for a narrow place: of a long one the middle is left out."""
    name = legible(name)
    return name if len(name) <= most else f"{name[: most - 9]}…{name[-8:]}"


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _in_words(name: str, forms: Mapping[str, str]) -> str:
    for form, words in forms.items():
        if found := re.fullmatch(form, name):
            return legible(words.format(*found.groups()))
    return legible(name)
