"""The top level holds exactly what the design lists; scripts can be run."""

import os

from source import Finding

NAME = "layout"

VISIBLE = {"CMakeLists.txt", "proto", "coordinator", "participant", "lib", "tests", "tools",
           "README.md"}
# Where a tool insists on the place.
INSISTED = {"CMakePresets.json", ".ci", ".clang-format", ".clang-tidy", ".editorconfig",
            ".gitattributes", ".gitignore"}


def check(tree):
    for name in sorted({path.split("/")[0] for path in tree.files} - VISIBLE - INSISTED):
        yield Finding(name, 1, "not at the top level: it is " + " ".join(sorted(VISIBLE)))
    for path, _ in tree.scripts():
        if tree.text(path).startswith("#!") and \
                not os.access(os.path.join(tree.root, path), os.X_OK):
            yield Finding(path, 1, "starts with #! and cannot be executed: chmod +x")
