"""Citation, codemeta, pyproject.toml, changelog and hooks agree with each other and with the code."""

import importlib
import importlib.util
import json
import re
import tomllib
from itertools import chain

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from project import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
CODEMETA = json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_codemeta_says_what_the_citation_says():
    assert CODEMETA["name"] == CITATION["title"]
    assert CODEMETA["version"] == CITATION["version"]
    assert CODEMETA["license"] == f"https://spdx.org/licenses/{CITATION['license']}"
    assert [it["name"] for it in CODEMETA["author"]] == [it["name"] for it in CITATION["authors"]]
    (paper,) = CITATION["references"]
    assert CODEMETA["referencePublication"]["name"] == paper["title"]
    assert CODEMETA["referencePublication"]["identifier"] == paper["identifiers"][0]["value"]
    assert CODEMETA["referencePublication"]["datePublished"] == str(paper["year"])


def test_codemeta_says_what_the_package_says():
    assert CODEMETA["identifier"] == PROJECT["name"]
    assert CODEMETA["version"] == PROJECT["version"]
    assert CODEMETA["description"] == PROJECT["description"]
    assert PROJECT["license"] == CITATION["license"]
    for key in ("readme", "softwareRequirements"):
        assert (ROOT / CODEMETA[key]).is_file()


def test_the_lock_has_a_version_of_every_dependency_that_fits():
    lock = (ROOT / "envs/requirements.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.MULTILINE))
    extras = PROJECT["optional-dependencies"].values()
    wanted = [Requirement(text) for text in [*PROJECT["dependencies"], *chain(*extras)]]
    for one in wanted:
        name = canonicalize_name(one.name)
        is_own = name == PROJECT["name"]
        assert is_own or one.specifier.contains(locked.get(name, "0")), f"{one}: run `make lock`"


def test_the_changelog_begins_with_what_is_unreleased_and_has_this_version():
    sections = re.findall(r"^## (\S+)", CHANGELOG, re.MULTILINE)
    assert sections[0] == "Unreleased"
    assert PROJECT["version"] in sections


def test_modules_that_moved_are_where_the_changelog_says():
    moved = re.findall(r"^\| (`lotus\..+?) \| (`lotus\..+?) \|$", CHANGELOG, re.MULTILINE)
    assert len(moved) > 5
    for before, now in moved:
        found = re.findall(r"`(lotus[\w.]+)`", now)
        modules = [importlib.import_module(name) for name in found]
        for old in re.findall(r"`([\w.]+)`", before):
            if not old.startswith("lotus."):
                assert any(hasattr(module, old) for module in modules), f"{old} is not in {now}"
            elif not any(name.startswith(old) for name in found):
                assert importlib.util.find_spec(old) is None, f"{old} is still there"


def test_the_hooks_run_the_checks_of_make_with_the_tools_of_the_environment():
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    assert {hook["language"] for hook in repository["hooks"]} == {"system"}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    checks = re.search(r"^check: env\n((?:\t.+\n)+)", makefile, re.MULTILINE)[1]
    for hook in repository["hooks"]:
        tool = hook["entry"].replace(" --force-exclude", "")
        assert re.search(rf"^\t{tool}( |$)", checks, re.MULTILINE), hook["entry"]
