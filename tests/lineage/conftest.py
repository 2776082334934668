"""The project by hand, built once, and a copy of it for each test."""

from built_project import built, project

__all__ = ["built", "project"]
