"""The compiled lane: all of it, or none.

What is compiled is found, not listed: each `.pyx`, and each `.py` with a `.pxd` beside it (torsion.lane says so in one
place). A build that fails anywhere leaves no compiled module at all, says so, and the installation goes on interpreted;
TORSION_REQUIRE_COMPILED=1 makes that an error instead. Metadata is in pyproject.toml.
"""

import importlib.util
import json
import os
import shutil
import sys
from glob import glob

import setuptools
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

if int(setuptools.__version__.split(".")[0]) < 77:  # reached without build isolation; what follows would be a riddle
    raise SystemExit(f"torsion needs setuptools 77 or newer to be built, and found {setuptools.__version__}")

PACKAGE = os.path.join("src", "torsion")
JOBS = 2
# C types come from the .pxd alone: an annotation such as `data: bytes` must not become a check that rejects subclasses.
DIRECTIVES = {"language_level": 3, "annotation_typing": False, "binding": True, "embedsignature": True}
FLAGS = ["-O2", "-g0"]
HOW = " ".join([*FLAGS, *(f"{name}={value}" for name, value in DIRECTIVES.items())])

STAMP_SOURCE = """\
/* Made by setup.py: what the compiled lane was made from. */
#include <Python.h>
static int fill(PyObject *module) {{
    if (PyModule_AddStringConstant(module, "FINGERPRINT", "{fingerprint}") < 0) return -1;
    if (PyModule_AddStringConstant(module, "HOW", "{how}") < 0) return -1;
    return PyModule_AddStringConstant(module, "MODULES", "{modules}");
}}
static PyModuleDef_Slot slots[] = {{{{Py_mod_exec, (void *)fill}}, {{0, NULL}}}};
static struct PyModuleDef definition = {{
    PyModuleDef_HEAD_INIT, .m_name = "torsion._stamp", .m_slots = slots,
}};
PyMODINIT_FUNC PyInit__stamp(void) {{ return PyModuleDef_Init(&definition); }}
"""

# By its path: importing torsion would load modules that are about to be replaced.
spec = importlib.util.spec_from_file_location("torsion_lane", os.path.join(PACKAGE, "lane.py"))
assert spec is not None and spec.loader is not None
lane = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lane)


def extension(name: str, sources: list[str]) -> Extension:
    return Extension(name, sources, extra_compile_args=FLAGS)


class BuildSources(build_py):
    """Copy the sources into a folder without older ones: what was removed from the tree must not be installed."""

    def run(self) -> None:
        for path in glob(os.path.join(self.build_lib, "torsion", "**", "*"), recursive=True):
            if os.path.isfile(path) and not path.endswith(".so"):
                os.unlink(path)
        super().run()


class Changes:
    """C files whose sources changed in content are made again; Cython and setuptools look at dates only.

    The record of contents is written after a build that succeeded and removed before one begins, so that one which was
    interrupted is begun anew.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._file = os.path.join(folder, "sources.json")
        self._now = {"how": HOW}
        for path in lane.sources(PACKAGE):
            with open(os.path.join(PACKAGE, path), encoding="utf-8") as file:
                self._now[path] = file.read()

    def forget(self) -> None:
        """Remove what is to be made again. A changed `.pxd` may reach any module, so it removes everything."""
        try:
            with open(self._file, encoding="utf-8") as file:
                before = json.load(file)
            os.unlink(self._file)
        except (OSError, ValueError):
            before = {}
        changed = {path for path in self._now.keys() | before.keys() if self._now.get(path) != before.get(path)}
        if any(not path.endswith((".py", ".pyx")) for path in changed):
            shutil.rmtree(self.folder, ignore_errors=True)
        for path in changed:
            made = os.path.join(self.folder, PACKAGE, os.path.splitext(path)[0] + ".c")
            if os.path.exists(made):
                os.unlink(made)
        os.makedirs(self.folder, exist_ok=True)

    def record(self) -> None:
        with open(self._file, "w", encoding="utf-8") as file:
            json.dump(self._now, file)


class BuildLane(build_ext):
    """Translate and compile the hot modules, guarded."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel = self.parallel or JOBS

    def run(self) -> None:
        self._in_place = self.inplace  # setuptools turns it off while it builds, and a failure leaves it so
        if self.inplace and not self.force and self._is_current(lane.fingerprint(PACKAGE)):
            return
        print(f"compiling torsion's {len(self.extensions) - 1} hot modules", flush=True)
        self._sweep(self.extensions)
        try:
            changes = Changes(os.path.join(self.build_temp, "c"))
            changes.forget()
            super().run()
            changes.record()
        except (Exception, SystemExit) as error:
            self._sweep([])
            text = " ".join(str(error).split())
            if len(text) > 200:  # a compiler's command line: its beginning and its end say enough
                text = f"{text[:100]} … {text[-100:]}"
            reason = f"not compiled: {type(error).__name__}: {text}"
            if os.environ.get("TORSION_REQUIRE_COMPILED", "") not in ("", "0"):
                raise SystemExit(f"TORSION_REQUIRE_COMPILED is set, and torsion is {reason}") from None
            self._go_on_interpreted(reason)

    def build_extensions(self) -> None:
        """Called by `run` once the compiler is known."""
        folder = os.path.join(self.build_temp, "c")
        self._try_compiler(folder)
        self._translate(folder)
        super().build_extensions()

    def _try_compiler(self, folder: str) -> None:
        """Raise where there is no compiler or no Python.h, before the translation, which takes longest."""
        source = os.path.join(folder, "_try.c")
        with open(source, "w", encoding="ascii") as file:
            file.write("#include <Python.h>\n")
        self.compiler.compile([source], output_dir=folder)

    def _translate(self, folder: str) -> None:
        """Have Cython write the C files into `folder`, never beside the sources."""
        from Cython.Build import cythonize

        *hot, stamp = self.extensions
        translated = cythonize(
            [extension(each.name, each.sources) for each in hot],
            build_dir=folder,
            nthreads=JOBS,
            compiler_directives=DIRECTIVES,
            include_path=["src"],
            quiet=True,
        )
        for each, made in zip(hot, translated, strict=True):
            assert each.name == made.name
            each.sources, each.depends = made.sources, made.depends
        stamp.sources = [os.path.join(folder, "_stamp.c")]
        names = " ".join(each.name for each in hot)
        with open(stamp.sources[0], "w", encoding="ascii") as file:
            file.write(STAMP_SOURCE.format(fingerprint=lane.fingerprint(PACKAGE), how=HOW, modules=names))

    def _places(self) -> list[str]:
        """Where compiled modules may lie: the build's own folder, and the source tree if building in place."""
        return [os.path.join(self.build_lib, "torsion"), *([PACKAGE] if self._in_place else [])]

    def _is_current(self, fingerprint: str) -> bool:
        """Whether what lies in the source tree was compiled from exactly these sources, and is whole."""
        paths = [os.path.join("src", self.get_ext_filename(each.name)) for each in self.extensions]
        if not all(map(os.path.exists, paths)):
            return False
        with open(paths[-1], "rb") as file:
            stamp = file.read()
        return fingerprint.encode() in stamp and HOW.encode() in stamp

    def _sweep(self, keep: list[Extension]) -> None:
        """Remove compiled modules for this interpreter, but for those of `keep`; the stamp and the reason always go."""
        suffix = os.path.basename(self.get_ext_filename("x"))[1:]
        for place in self._places():
            kept = {os.path.join(os.path.dirname(place), self.get_ext_filename(each.name)) for each in keep}
            kept.discard(os.path.join(place, "_stamp" + suffix))
            for path in glob(os.path.join(place, "**", "*" + suffix), recursive=True):
                if path not in kept:
                    os.unlink(path)
            reason = os.path.join(place, lane.REASON_FILE)
            if os.path.exists(reason):
                os.unlink(reason)

    def _go_on_interpreted(self, reason: str) -> None:
        self.extensions = []
        for place in self._places():
            os.makedirs(place, exist_ok=True)
            with open(os.path.join(place, lane.REASON_FILE), "w", encoding="utf-8") as file:
                file.write(reason + "\n")
        line = "*" * 100
        print(
            f"\n{line}\nTORSION IS INSTALLED INTERPRETED, NOT COMPILED: it works, several times slower.\n{reason}\n"
            f"A C compiler and Python's headers are needed; `python -m torsion info` shows the lane.\n{line}\n",
            file=sys.stderr,
            flush=True,
        )


if __name__ == "__main__":
    modules = lane.hot_modules(PACKAGE)
    setup(
        ext_modules=[
            *(extension(name, [os.path.join(PACKAGE, path)]) for name, path in modules.items()),
            # Last: what has a stamp is whole. Its source is made during the build.
            extension(lane.STAMP, []),
        ],
        cmdclass={"build_ext": BuildLane, "build_py": BuildSources},
    )
