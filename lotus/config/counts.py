"""Numbers of a configuration by which it asks for models."""

from typing import Annotated

from pydantic import Field

MOST_MODELS = 10_000
"""Models that one number may ask for. Each has steps of its own, so many more would fill the memory while
they are planned, before anything could be said of them."""

SomeModels = Annotated[int, Field(ge=1, le=MOST_MODELS)]
"""One at least."""
