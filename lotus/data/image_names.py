"""What the images of a data set are called by whoever gave them: names, and the columns of a list."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class ImageNames:
    """Names of images, in the order of the images.

    Attributes:
        names: paths from the data set's folder on, with forward slashes, as they can be printed; the same
            for all rows of a list in which an image stands.
        columns: column of the user's list → its text for each image.
        sha256: of each image's file; () before a store is built.

    """

    names: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sha256: tuple[str, ...] = ()

    def at(self, indices: np.ndarray) -> "ImageNames":
        """Returns the names of some of the images, by their places (int64 `[n]`), in that order."""

        def of(values: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(values[i] for i in indices.tolist()) if values else ()

        columns = {name: of(values) for name, values in self.columns.items()}
        return ImageNames(of(self.names), columns, of(self.sha256))
