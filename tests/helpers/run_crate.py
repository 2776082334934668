"""What the run-crate profiles (0.5) demand of a crate, as far as it can be seen without the network."""

import hashlib
import json
import re
from base64 import urlsafe_b64decode
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

SOFTWARE = {"SoftwareApplication", "SoftwareSourceCode", "ComputationalWorkflow"}
PROFILES = [
    "https://w3id.org/ro/wfrun/process/0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5",
    "https://w3id.org/ro/wfrun/provenance/0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
]


class Metadata:
    """The metadata file of an unpacked crate."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.content = json.loads((self.folder / "ro-crate-metadata.json").read_text("utf-8"))
        self.graph = self.content["@graph"]
        self.entities = {entity["@id"]: entity for entity in self.graph}
        self.root = self.entities["./"]
        self.workflow = self.entities[self.root["mainEntity"]["@id"]]

    def of(self, kind):
        return [entity for entity in self.graph if kind in types(entity)]

    def at(self, entity, key):
        """The entities that a property refers to."""
        return [self.entities[identifier] for identifier in ids(entity, key)]

    def steps_run(self):
        """The actions of tools, without the workflow's own."""
        return [a for a in self.of("CreateAction") if self.at(a, "instrument") != [self.workflow]]


def listed(value):
    return value if isinstance(value, list) else [value]


def types(entity):
    return set(listed(entity["@type"]))


def ids(entity, key):
    return [value["@id"] for value in listed(entity.get(key, []))]


def is_absolute(identifier):
    return bool(urlsplit(identifier).scheme)


def demand_all(metadata):
    for demand in DEMANDS:
        demand(metadata)


def demand_context_and_descriptor(metadata):
    assert metadata.content["@context"][:2] == [
        "https://w3id.org/ro/crate/1.1/context",
        "https://w3id.org/ro/terms/workflow-run/context",
    ]
    descriptor = metadata.entities["ro-crate-metadata.json"]
    assert ids(descriptor, "about") == ["./"]
    assert set(ids(descriptor, "conformsTo")) == {"https://w3id.org/ro/crate/1.1", PROFILES[-1]}


def demand_profiles(metadata):
    assert ids(metadata.root, "conformsTo") == PROFILES
    for profile in metadata.at(metadata.root, "conformsTo"):
        assert "CreativeWork" in types(profile)
        assert profile["@id"].endswith(profile["version"])


def demand_root(metadata):
    assert types(metadata.root) == {"Dataset"}
    assert all(metadata.root[key] for key in ("name", "description", "license"))
    datetime.fromisoformat(metadata.root["datePublished"])


def demand_flat_and_compact_json(metadata):
    assert len(metadata.entities) == len(metadata.graph)
    for entity in metadata.graph:
        for value in entity.values():
            assert not isinstance(value, list) or len(value) > 1
            inner = [part for part in listed(value) if isinstance(part, dict)]
            assert all(part.keys() == {"@id"} for part in inner)


def demand_no_dangling_reference(metadata):
    for entity in metadata.graph:
        for key in entity.keys() - {"@id", "@type"}:
            for value in listed(entity[key]):
                if isinstance(value, dict):
                    target = value["@id"]
                    assert target in metadata.entities or is_absolute(target), (
                        entity["@id"],
                        target,
                    )


def demand_all_files_are_parts(metadata):
    files = {entity["@id"] for entity in metadata.of("File")}
    assert set(ids(metadata.root, "hasPart")) == files


def demand_files_as_stated(metadata):
    for file in metadata.of("File"):
        digest, identifier = file["sha256"], file["@id"]
        if is_absolute(identifier):
            name = re.fullmatch(r"ni:///sha-256;([\w-]{43})#(.+)", identifier)
            assert urlsafe_b64decode(name[1] + "=").hex() == digest
            assert unquote(name[2]) == file["name"] == file["alternateName"]
            assert not (metadata.folder / file["name"]).exists()
        else:
            content = (metadata.folder / unquote(identifier)).read_bytes()
            assert hashlib.sha256(content).hexdigest() == digest
            assert str(len(content)) == file["contentSize"]
            assert unquote(identifier) == file["name"]


def demand_nothing_else_in_the_crate(metadata):
    there = {
        p.relative_to(metadata.folder).as_posix() for p in metadata.folder.rglob("*") if p.is_file()
    }
    told = {unquote(e["@id"]) for e in metadata.of("File") if not is_absolute(e["@id"])}
    assert there == told | {"ro-crate-metadata.json"}


def demand_workflow(metadata):
    workflow = metadata.workflow
    assert types(workflow) >= {"File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"}
    [language] = metadata.at(workflow, "programmingLanguage")
    assert language["@type"] == "ComputerLanguage"
    assert language["name"] == "Snakemake"
    used = {i for action in metadata.steps_run() for i in ids(action, "instrument")}
    assert set(ids(workflow, "hasPart")) == used
    assert set(ids(workflow, "step")) == {step["@id"] for step in metadata.of("HowToStep")}
    assert [a for a in metadata.of("CreateAction") if metadata.at(a, "instrument") == [workflow]]


def demand_tools(metadata):
    for tool in metadata.at(metadata.workflow, "hasPart"):
        assert types(tool) & SOFTWARE
        assert tool["name"]
        assert tool["softwareVersion"]


def demand_formal_parameters(metadata):
    for parameter in metadata.of("FormalParameter"):
        assert parameter["name"]
        kinds = {"File", "Boolean", "Integer", "Float", "Text"}
        assert parameter["additionalType"] in kinds
    for entity in (*metadata.at(metadata.workflow, "hasPart"), metadata.workflow):
        for parameter in (*metadata.at(entity, "input"), *metadata.at(entity, "output")):
            assert types(parameter) == {"FormalParameter"}


def demand_actions(metadata):
    mentioned = ids(metadata.root, "mentions")
    for action in metadata.of("CreateAction"):
        [tool] = metadata.at(action, "instrument")
        assert types(tool) & SOFTWARE
        assert action["@id"] in mentioned
        assert action["name"]
        assert action["description"]
        assert action["actionStatus"] == "http://schema.org/CompletedActionStatus"
        start, end = (datetime.fromisoformat(action[key]) for key in ("startTime", "endTime"))
        assert start <= end
        for read in metadata.at(action, "object"):
            assert types(read) & {"File", "PropertyValue"}
            assert set(ids(read, "exampleOfWork")) & set(ids(tool, "input"))
        assert metadata.at(action, "result")
        for written in metadata.at(action, "result"):
            assert "File" in types(written)
            assert set(ids(written, "exampleOfWork")) & set(ids(tool, "output"))


def demand_one_control_an_action(metadata):
    controls = metadata.of("ControlAction")
    told = [identifier for control in controls for identifier in ids(control, "object")]
    assert sorted(told) == sorted(action["@id"] for action in metadata.steps_run())
    for control in controls:
        [step], [action] = metadata.at(control, "instrument"), metadata.at(control, "object")
        assert types(step) == {"HowToStep"}
        assert set(ids(action, "instrument")) <= set(ids(step, "workExample"))


def demand_positions_follow_results(metadata):
    step_of = {
        identifier: step
        for step in metadata.of("HowToStep")
        for identifier in ids(step, "workExample")
    }
    maker = {i: action for action in metadata.steps_run() for i in ids(action, "result")}
    for action in metadata.steps_run():
        step = step_of[ids(action, "instrument")[0]]
        for read in ids(action, "object"):
            if read in maker:
                before = step_of[ids(maker[read], "instrument")[0]]
                assert before is step or int(before["position"]) < int(step["position"])


def demand_engine(metadata):
    [engine_run] = metadata.of("OrganizeAction")
    assert all(types(engine) & SOFTWARE for engine in metadata.at(engine_run, "instrument"))
    controls = [control["@id"] for control in metadata.of("ControlAction")]
    assert sorted(ids(engine_run, "object")) == sorted(controls)
    [run] = metadata.at(engine_run, "result")
    assert metadata.at(run, "instrument") == [metadata.workflow]


def demand_resource_usage(metadata):
    usages = [
        use
        for action in metadata.of("CreateAction")
        for use in metadata.at(action, "resourceUsage")
    ]
    assert usages
    for usage in usages:
        assert types(usage) == {"PropertyValue"}
        assert metadata.at(usage, "propertyID")
        assert usage["unitCode"]
        assert usage["value"] > 0


DEMANDS = [value for name, value in list(globals().items()) if re.match(r"demand_(?!all$)", name)]
