"""A working copy of a folder that is put back as it was without being copied anew."""

import os
import shutil
from pathlib import Path


class Copy:
    """A copy of a folder; `reset` undoes whatever has been done to it since."""

    def __init__(self, source, folder):
        self.source, self.folder = Path(source), Path(folder)
        shutil.copytree(source, folder, symlinks=True)
        self._known = self._states()

    def _states(self):
        """Path below the folder → what changes with any change of it; links are not followed."""
        states, folders = {}, [""]
        while folders:
            above = folders.pop()
            with os.scandir(self.folder / above) as entries:
                for entry in entries:
                    name, state = f"{above}{entry.name}", entry.stat(follow_symlinks=False)
                    is_folder = entry.is_dir(follow_symlinks=False)
                    times = (state.st_size, state.st_mtime_ns, state.st_ctime_ns)
                    states[name] = (state.st_mode, state.st_ino, *(() if is_folder else times))
                    if is_folder:
                        folders.append(f"{name}/")
        return states

    def reset(self):
        """Removes what is new and copies what is gone or changed."""
        now = self._states()
        if now == self._known:
            return
        # Folders after what they hold.
        for name in sorted(now, reverse=True):
            if now[name] != self._known.get(name):
                path = self.folder / name
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
        now = self._states()
        for name in sorted(self._known):
            if now.get(name) != self._known[name]:
                self._bring_back(name)
        self._known = self._states()

    def _bring_back(self, name):
        path, original = self.folder / name, self.source / name
        if original.is_dir() and not original.is_symlink():
            path.mkdir(exist_ok=True)
            shutil.copystat(original, path)
        else:
            shutil.copy2(original, path, follow_symlinks=False)
