"""A working copy of a folder that is put back as it was without being copied anew."""

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
        states = {}
        for path in self.folder.rglob("*"):
            state = path.lstat()
            times = () if path.is_dir() else (state.st_size, state.st_mtime_ns, state.st_ctime_ns)
            states[path.relative_to(self.folder)] = (state.st_mode, state.st_ino, *times)
        return states

    def reset(self):
        """Removes what is new and copies what is gone or changed."""
        now = self._states()
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
