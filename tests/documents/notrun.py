"""What is shown and not run by these tests, each with the reason: the one place for it.

A command is matched by its beginning, a transcript by its first line.
"""

NOT_RUN = {
    "make demo": "runs in its own test job: it is the longest of all, and tests/road goes the same road",
    "make test": "it is what runs this",
    "make train": "takes five minutes and fetches the corpus: the files that it writes are measured by make bench-classify",
    "make lab": "stays up until Ctrl-C; tests/road starts the same lab",
    "docker ": "needs a Docker daemon: tests/packaging/test_image.py builds and runs the same with buildah",
    "python3 -m venv ": "tests/packaging/test_wheel.py installs it",
    "pip install .": "tests/packaging/test_wheel.py installs it",
    "voxgate doctor": "needs an Asterisk: tests/road/test_doctor.py runs it",
    "sudo ": "changes the machine: tests/packaging/test_service.py types it on a machine of its own (make install-test)",
    "for file in manager": "changes the machine: tests/packaging/test_service.py types it on a machine of its own (make install-test)",
    'echo "#include voxgate/': "changes a FreePBX",
    "journalctl ": "needs a running systemd",
    "$ voxgate why ": "its call is made up; tests/services/test_why.py provokes every reason",
}


def reason(shown: str) -> str | None:
    """Why it is not run; None where it is."""
    return next((why for beginning, why in NOT_RUN.items() if shown.startswith(beginning)), None)
