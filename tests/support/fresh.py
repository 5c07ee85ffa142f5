"""A fresh environment: the packages of this one, but not this project."""

import os
import sysconfig
import venv

PROGRAMS = {  # as pip writes them
    "pip": "from pip._internal.cli.main import main",
    "accelerate": "from accelerate.commands.accelerate_cli import main",
}


def fresh_environment(folder):
    """Make a virtual environment in a folder; returns where its programs are."""
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    installed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "installed.pth").write_text("\n".join(installed))
    for name, line in PROGRAMS.items():
        program = folder / "bin" / name
        program.write_text(f"#!{folder / 'bin/python'}\nimport sys\n\n{line}\n\nsys.exit(main())\n")
        program.chmod(0o755)
    return folder / "bin"


def within(programs, env):
    """Environment of child processes that have these programs first, no package index and nothing of this checkout."""
    kept = {key: value for key, value in env.items() if not key.startswith("PYTHON")}
    path = f"{programs}{os.pathsep}{env['PATH']}"
    pip = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}  # pip reads "no" as the value of "isolation"
    return kept | pip | {"PATH": path, "PIP_IGNORE_INSTALLED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
